"""Finding faces with YuNet (MIT) through OpenCV, at the scales its range of sizes needs."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np


@dataclass(frozen=True)
class Face:
    box: tuple[float, float, float, float]  # x, y, width, height
    landmarks: np.ndarray  # 5 x 2
    score: float

    @property
    def eye_distance(self) -> float:
        return float(np.linalg.norm(self.landmarks[0] - self.landmarks[1]))


class Finder:
    """YuNet at the picture's own scale, then at others while nothing has been found."""

    def __init__(self, model: str | Path, score: float = 0.6, scales: tuple[float, ...] = (1.0, 0.5, 2.0)) -> None:
        self.net = cv2.FaceDetectorYN.create(str(model), "", (320, 320), score, 0.3, 200)
        self.scales = scales

    def find(self, image: np.ndarray) -> list[Face]:
        for scale in self.scales:
            faces = self._at(image, scale)
            if faces:
                return faces
        return []

    def _at(self, image: np.ndarray, scale: float, border: int = 16) -> list[Face]:
        """A dark border lets faces that touch the picture's edge be found too."""
        scaled = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA) if scale != 1 else image
        framed = cv2.copyMakeBorder(scaled, border, border, border, border, cv2.BORDER_CONSTANT)
        self.net.setInputSize((framed.shape[1], framed.shape[0]))
        rows = self.net.detect(framed)[1]
        faces = []
        for row in rows if rows is not None else ():
            points = (row[4:14].reshape(5, 2) - border) / scale
            x, y = (row[:2] - border) / scale
            # OpenCV calls the first eye "right": it is the image-left one, as here.
            faces.append(Face((x, y, row[2] / scale, row[3] / scale), points, float(row[14])))
        return sorted(faces, key=lambda face: face.box[2] * face.box[3] * face.score, reverse=True)
