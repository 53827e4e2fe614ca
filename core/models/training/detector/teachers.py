"""The two teachers, YuNet and RetinaFace, both under permissive licences, and what they agree on.

Each looks at a picture at two scales and mirrored. A face that both find is a label: the mean of the
teachers' boxes and landmarks. What only one finds, or both find weakly, is "uncertain" and must be left
out of the loss, so that training neither rewards nor punishes it.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import onnxruntime as ort

MIRROR = (1, 0, 2, 4, 3)  # what a landmark becomes when the picture is flipped


@dataclass
class Faces:
    boxes: np.ndarray  # n x 4: x1 y1 x2 y2
    landmarks: np.ndarray  # n x 5 x 2
    scores: np.ndarray  # n

    def keep(self, index: np.ndarray) -> "Faces":
        return Faces(self.boxes[index], self.landmarks[index], self.scores[index])

    def moved(self, scale: float, offset: float = 0.0) -> "Faces":
        return Faces(self.boxes * scale + offset, self.landmarks * scale + offset, self.scores)

    def mirrored(self, width: float) -> "Faces":
        boxes = self.boxes[:, [2, 1, 0, 3]].copy()
        boxes[:, [0, 2]] = width - boxes[:, [0, 2]]
        points = self.landmarks[:, MIRROR].copy()
        points[..., 0] = width - points[..., 0]
        return Faces(boxes, points, self.scores)


def session(path: str | Path, threads: int = 1) -> ort.InferenceSession:
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    return ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def overlap(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Intersection over union of every box of `a` with every box of `b`."""
    low = np.maximum(a[:, None, :2], b[None, :, :2])
    high = np.minimum(a[:, None, 2:], b[None, :, 2:])
    shared = np.prod(np.clip(high - low, 0, None), axis=-1)
    areas = [np.prod(np.clip(x[:, 2:] - x[:, :2], 0, None), axis=-1) for x in (a, b)]
    return shared / np.maximum(areas[0][:, None] + areas[1][None] - shared, 1e-9)


def suppress(faces: Faces, limit: float) -> Faces:
    """Greedy non-maximum suppression, best score first."""
    faces = faces.keep(np.argsort(-faces.scores, kind="stable"))
    ious = overlap(faces.boxes, faces.boxes)
    alive = np.ones(len(faces.scores), bool)
    for row in range(len(alive)):
        if alive[row]:
            alive[row + 1 :] &= ious[row, row + 1 :] <= limit
    return faces.keep(np.flatnonzero(alive))


def pad_to(image: np.ndarray, multiple: int = 32) -> np.ndarray:
    height, width = image.shape[:2]
    return np.pad(image, ((0, -height % multiple), (0, -width % multiple), (0, 0)))


class GridDetector:
    """YuNet and every network that speaks its contract, ours too: 12 outputs on strides 8, 16 and 32."""

    def __init__(self, path: str | Path, rgb: bool = False, threads: int = 1) -> None:
        self.net = session(path, threads)
        self.rgb = rgb
        self.name = self.net.get_inputs()[0].name
        self.outputs = [f"{kind}_{stride}" for stride in (8, 16, 32) for kind in ("cls", "obj", "bbox", "kps")]

    def tensor(self, image: np.ndarray) -> np.ndarray:
        padded = pad_to(image[..., ::-1] if self.rgb else image)
        return np.ascontiguousarray(padded.transpose(2, 0, 1)[None], dtype=np.float32)

    def find(self, image: np.ndarray, score: float = 0.5, nms: float = 0.3) -> Faces:
        tensor = self.tensor(image)
        raw = self.net.run(self.outputs, {self.name: tensor})
        found = []
        for place, stride in enumerate((8, 16, 32)):
            cls, obj, box, kps = (part[0] for part in raw[place * 4 : place * 4 + 4])
            scores = np.sqrt(np.clip(cls[:, 0], 0, 1) * np.clip(obj[:, 0], 0, 1))
            hit = np.flatnonzero(scores >= score)
            columns = tensor.shape[3] // stride
            cell = np.stack([hit % columns, hit // columns], 1).astype(np.float32)
            centre = (cell + box[hit, :2]) * stride
            half = np.exp(np.minimum(box[hit, 2:], 8)) * stride / 2
            points = (cell[:, None] + kps[hit].reshape(-1, 5, 2)) * stride
            found.append(Faces(np.concatenate([centre - half, centre + half], 1), points, scores[hit]))
        return suppress(joined(found), nms)


class RetinaFace:
    """biubug6's RetinaFace with MobileNet 0.25 (MIT)."""

    STEPS = ((8, (16, 32)), (16, (64, 128)), (32, (256, 512)))

    def __init__(self, path: str | Path, threads: int = 1) -> None:
        self.net = session(path, threads)
        self.name = self.net.get_inputs()[0].name

    def find(self, image: np.ndarray, score: float = 0.5, nms: float = 0.4) -> Faces:
        padded = pad_to(image).astype(np.float32)
        height, width = padded.shape[:2]
        tensor = (padded - np.float32([104, 117, 123])).transpose(2, 0, 1)[None]
        loc, conf, marks = self.net.run(["loc", "conf", "iou"], {self.name: np.ascontiguousarray(tensor)})
        scores = conf[0, :, 1]
        hit = np.flatnonzero(scores >= score)
        priors = self._priors(height, width)[hit]
        centre = priors[:, :2] + loc[0, hit, :2] * 0.1 * priors[:, 2:]
        half = priors[:, 2:] * np.exp(loc[0, hit, 2:] * 0.2) / 2
        points = priors[:, None, :2] + marks[0, hit].reshape(-1, 5, 2) * 0.1 * priors[:, None, 2:]
        return suppress(Faces(np.concatenate([centre - half, centre + half], 1), points, scores[hit]), nms)

    def _priors(self, height: int, width: int) -> np.ndarray:
        parts = []
        for step, sizes in self.STEPS:
            rows, columns = np.mgrid[: -(-height // step), : -(-width // step)]
            centre = (np.stack([columns, rows], -1).reshape(-1, 1, 2) + 0.5) * step
            size = np.broadcast_to(np.array(sizes, np.float32)[None, :, None], (len(centre), len(sizes), 2))
            parts.append(np.concatenate([np.broadcast_to(centre, size.shape), size], -1).reshape(-1, 4))
        return np.concatenate(parts)


def joined(parts: list[Faces]) -> Faces:
    return Faces(*(np.concatenate([getattr(part, name) for part in parts]) for name in ("boxes", "landmarks", "scores")))


class Consensus:
    """Both teachers' views of one picture, matched."""

    def __init__(self, yunet: str | Path, retinaface: str | Path, threads: int = 1) -> None:
        self.teachers = (GridDetector(yunet, threads=threads), RetinaFace(retinaface, threads))

    def label(
        self, image: np.ndarray, least: float = 0.5, together: float = 1.35, floor: float = 0.2, border: int = 24
    ) -> tuple[Faces, Faces, Faces]:
        """The certain faces, those certain but for their landmarks, and the uncertain ones."""
        views: list[list[Faces]] = []
        for teacher in self.teachers:
            found = []
            for scale, mirror in ((1.0, False), (2.0, False), (2.0, True)):
                view = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC) if scale != 1 else image
                edge = int(border * scale)
                view = cv2.copyMakeBorder(view, edge, edge, edge, edge, cv2.BORDER_CONSTANT)
                faces = teacher.find(np.ascontiguousarray(view[:, ::-1]) if mirror else view, floor)
                faces = faces.mirrored(view.shape[1]) if mirror else faces
                found.append(faces.moved(1 / scale, -float(border)))
            views.append(found)
        everything = joined([faces for found in views for faces in found])
        seeds = suppress(everything, 0.35)
        certain: list[tuple[np.ndarray, np.ndarray, float]] = []
        unmarked: list[tuple[np.ndarray, np.ndarray, float]] = []
        uncertain: list[tuple[np.ndarray, np.ndarray, float]] = []
        for row in range(len(seeds.scores)):
            means, best = [], []
            for found in views:
                group = joined(found)
                near = np.flatnonzero(overlap(group.boxes, seeds.boxes[row : row + 1])[:, 0] > 0.45)
                strong = near[group.scores[near] > 0.5 * group.scores[near].max()] if len(near) else near
                best.append(float(group.scores[near].max()) if len(near) else 0.0)
                if len(strong):
                    weights = group.scores[strong] / group.scores[strong].sum()
                    means.append((np.tensordot(weights, group.boxes[strong], 1), np.tensordot(weights, group.landmarks[strong], 1)))
            if len(means) == 2 and min(best) >= least and sum(best) >= together:
                eyes = np.linalg.norm(means[0][1][0] - means[0][1][1]) + 1e-6
                size = np.sqrt(np.prod(means[0][0][2:] - means[0][0][:2]))
                apart = np.linalg.norm(means[0][1] - means[1][1], axis=1).mean() / max(eyes, 0.3 * size)
                box, points = (np.mean([mean[part] for mean in means], axis=0) for part in (0, 1))
                (certain if apart < 0.2 else unmarked).append((box, points, min(best)))
            else:
                uncertain.append((seeds.boxes[row], seeds.landmarks[row], max(best)))
        return tuple(
            Faces(
                np.array([r[0] for r in rows], np.float32).reshape(-1, 4),
                np.array([r[1] for r in rows], np.float32).reshape(-1, 5, 2),
                np.array([r[2] for r in rows], np.float32),
            )
            for rows in (certain, unmarked, uncertain)
        )  # type: ignore[return-value]
