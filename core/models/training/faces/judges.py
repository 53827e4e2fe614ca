"""Every detector and embedder of this project, wrapped alike: a picture -> faces, a face -> unit vectors."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from common.faces import Finder
from detector.evaluate import Scrfd
from detector.teachers import Faces, GridDetector, RetinaFace, session
from embedder.evaluate import Embedder

GOOD = ("face-reidentification-retail-0095", "mobileface_v2")  # permissive: these may choose; the others only measure
EMBEDDERS = ("w600k_mbf_fp32_dequantized", *GOOD)


class InOrder:
    """A session that answers in the file's own order of outputs, whatever its inputs and outputs are called."""

    def __init__(self, path: Path) -> None:
        self.net = session(path)
        self.input = self.net.get_inputs()[0].name

    def run(self, _names: object, feed: dict[str, np.ndarray]) -> list[np.ndarray]:
        return self.net.run(None, {self.input: next(iter(feed.values()))})


class Fixed:
    """A YuNet whose file only takes 640 x 640: the picture top left on black."""

    def __init__(self, path: Path) -> None:
        self.detector = GridDetector(path)

    def find(self, image: np.ndarray, score: float) -> Faces:
        scale = min(1.0, 640 / max(image.shape[:2]))
        small = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA) if scale < 1 else image
        canvas = np.zeros((640, 640, 3), np.uint8)
        canvas[: small.shape[0], : small.shape[1]] = small
        return self.detector.find(canvas, score).moved(1 / scale)


def detectors(models: Path, bundled: Path | None) -> dict[str, object]:
    found: dict[str, object] = {"yunet 2023mar": Fixed(models / "face_detection_yunet_2023mar.onnx")}
    for kind in "ns":
        found[f"yunet {kind}"] = GridDetector(models / f"yunet_{kind}_dynamic.onnx")
    for name, file in (("scrfd 500m", "det_500m.onnx"), ("scrfd 2.5g", "scrfd_2.5g_kps.onnx")):
        found[name] = Scrfd(models / file)
        found[name].net = InOrder(models / file)  # type: ignore[attr-defined]
    found["retinaface 0.25"] = RetinaFace(models / "retinaface_mobilenet0.25.onnx")
    for path in sorted(bundled.glob("faceprint-detector-*.onnx")) if bundled else ():
        found["bundled"] = GridDetector(path, rgb=True)
    return found


def embedders(models: Path, bundled: Path | None, names: tuple[str, ...] = EMBEDDERS) -> dict[str, Embedder]:
    found = {name: Embedder(models / f"{name}.onnx") for name in names}
    for path in sorted(bundled.glob("faceprint-embedder-*.onnx")) if bundled else ():
        found["bundled"] = Embedder(path)
    return found


def landmarks(image: np.ndarray, finder: Finder) -> list[np.ndarray]:
    """Five landmarks of every face, from left to right."""
    return sorted((face.landmarks for face in finder.find(image)), key=lambda points: points[:, 0].mean())


def vectors(images: list[np.ndarray], points: list[np.ndarray], embedder: Embedder) -> np.ndarray:
    """Unit vectors of one face in each picture."""
    chips = [embedder.chips(image, face) for image, face in zip(images, points, strict=True)]
    return np.concatenate([embedder.unit(np.stack(chips[i : i + 32]), False) for i in range(0, len(chips), 32)])
