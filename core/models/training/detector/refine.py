"""Step 1b: better landmarks for the certain faces of a pack.

    python -m detector.refine --pack runs/detector/pack --models /data/models

YuNet's landmarks are noisy, so it has no say here: RetinaFace (MIT) looks at three scales, each also mirrored,
and Open Model Zoo's landmarks-regression-retail-0009 (Apache-2.0) at three crops, each also mirrored. A label is
.7 of the first mean and .3 of the second; where the two are far apart the face keeps its box only.
"""

from __future__ import annotations

import argparse
import multiprocessing
from pathlib import Path

import cv2
import numpy as np

from .teachers import MIRROR, RetinaFace, overlap, session

FAR = 0.16  # of the eye distance
_TOOLS: tuple | None = None


class Marker:
    """The five-point regressor: a face's square crop at 48 x 48 in, points in 0..1 of the crop out."""

    def __init__(self, path: Path) -> None:
        self.net = session(path)

    def find(self, image: np.ndarray, box: np.ndarray) -> np.ndarray:
        centre, half = (box[:2] + box[2:]) / 2, float((box[2:] - box[:2]).mean() / 2)
        found = []
        for zoom in (0.92, 1.0, 1.08):
            reach = half * zoom
            side = max(48, int(round(reach * 2 / 48)) * 48)  # a whole multiple, so that area averaging is exact
            scale = side / (2 * reach)
            move = np.float32([[scale, 0, side / 2 - centre[0] * scale], [0, scale, side / 2 - centre[1] * scale]])
            crop = cv2.warpAffine(image, move, (side, side), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
            crop = cv2.resize(crop, (48, 48), interpolation=cv2.INTER_AREA)
            for mirror in (False, True):
                view = crop[:, ::-1] if mirror else crop
                points = self.net.run(None, {"0": np.float32(view.transpose(2, 0, 1))[None]})[0].reshape(5, 2)
                if mirror:
                    points = points[list(MIRROR)] * [-1, 1] + [1, 0]
                found.append(points * 2 * reach + centre - reach)
        return np.mean(found, 0)


def start(models: str) -> None:
    global _TOOLS
    cv2.setNumThreads(1)
    folder = Path(models)
    _TOOLS = RetinaFace(folder / "retinaface_mobilenet0.25.onnx"), Marker(folder / "landmarks-regression-retail-0009.onnx")


def work(task: tuple[bytes, np.ndarray, np.ndarray, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    packed, boxes, points, kinds = task
    assert _TOOLS is not None
    retina, marker = _TOOLS
    image = cv2.imdecode(np.frombuffer(packed, np.uint8), cv2.IMREAD_COLOR)
    views = []
    for scale in (1.0, 1.5, 2.0):
        view = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC) if scale != 1 else image
        edge = int(16 * scale)
        view = cv2.copyMakeBorder(view, edge, edge, edge, edge, cv2.BORDER_CONSTANT)
        for mirror in (False, True):
            faces = retina.find(np.ascontiguousarray(view[:, ::-1]) if mirror else view, 0.3)
            faces = faces.mirrored(view.shape[1]) if mirror else faces
            views.append(faces.moved(1 / scale, -16.0))
    points, kinds = points.copy(), kinds.copy()
    for slot in np.flatnonzero((kinds == 1) | (kinds == 3)):
        seen = []
        for faces in views:
            if len(faces.scores):
                ious = overlap(faces.boxes, boxes[slot : slot + 1])[:, 0]
                best = int(ious.argmax())
                if ious[best] > 0.45:
                    seen.append(faces.landmarks[best])
        kinds[slot] = 3
        if len(seen) < 2:
            continue
        first, second = np.mean(seen, 0), marker.find(image, boxes[slot])
        size = float(np.sqrt(np.prod(boxes[slot, 2:] - boxes[slot, :2])))
        unit = max(float(np.linalg.norm(first[0] - first[1])), 0.3 * size)
        points[slot] = 0.7 * first + 0.3 * second
        if np.linalg.norm(first - second, axis=1).mean() / unit < FAR:
            kinds[slot] = 1
    return points, kinds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pack", type=Path, required=True)
    parser.add_argument("--models", type=Path, required=True)
    parser.add_argument("--jobs", type=int, default=2)
    options = parser.parse_args()
    labels = dict(np.load(options.pack / "labels.npz"))
    blob = (options.pack / "pictures.bin").read_bytes()
    offsets = labels["offsets"]
    tasks = (
        (blob[offsets[row] : offsets[row + 1]], labels["boxes"][row], labels["landmarks"][row], labels["kinds"][row])
        for row in range(len(offsets) - 1)
    )
    with multiprocessing.Pool(options.jobs, start, (str(options.models),)) as pool:
        results = []
        for result in pool.imap(work, tasks, chunksize=32):
            results.append(result)
            if len(results) % 1000 == 0:
                print(len(results), flush=True)
    # the slots with a certain face stay in front: kinds only changed between 1 and 3
    labels["landmarks"] = np.array([points for points, _ in results], np.float32)
    labels["kinds"] = np.array([kinds for _, kinds in results], np.uint8)
    np.savez_compressed(options.pack / "labels.npz", **labels)
    text = f"faces with landmarks\t{int((labels['kinds'] == 1).sum())}\nfaces with a box only\t{int((labels['kinds'] == 3).sum())}\n"
    (options.pack / "refine.tsv").write_text(text)
    print(text)


if __name__ == "__main__":
    main()
