"""Step 1: label the pictures with the teachers and pack both for the training machine.

    python -m detector.prepare --pictures /data/originals --models /data/models --out runs/detector

Writes `labels.npz` (rows in the order of `pictures.txt`) and `pictures.bin`: the JPEG/WebP bytes of every
picture that holds a certain face, one after the other. Exact and near duplicates are dropped.
"""

from __future__ import annotations

import argparse
import hashlib
import multiprocessing
from collections import Counter
from pathlib import Path

import cv2
import numpy as np

from .teachers import Consensus, Faces

SLOTS = 6  # faces kept per picture, certain ones first
_CONSENSUS: Consensus | None = None


def fingerprint(image: np.ndarray) -> bytes:
    """A 256-bit difference hash: equal for pictures that differ by compression only."""
    small = cv2.resize(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY), (17, 16), interpolation=cv2.INTER_AREA)
    return np.packbits(small[:, 1:] > small[:, :-1]).tobytes()


def start(models: str) -> None:
    global _CONSENSUS
    cv2.setNumThreads(1)
    folder = Path(models)
    _CONSENSUS = Consensus(folder / "yunet_n_dynamic.onnx", folder / "retinaface_mobilenet0.25.onnx")


def work(task: tuple[str, int]) -> tuple[str, bytes, bytes, tuple[int, int], tuple[Faces, Faces, Faces]] | None:
    path, quality = task
    image = cv2.imread(path)
    if image is None:
        return None
    if max(image.shape[:2]) > 256:
        scale = 256 / max(image.shape[:2])
        image = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    assert _CONSENSUS is not None
    faces = _CONSENSUS.label(image)
    packed = cv2.imencode(".webp", image, [cv2.IMWRITE_WEBP_QUALITY, quality])[1].tobytes()
    return path, fingerprint(image), packed, image.shape[:2], faces


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pictures", type=Path, required=True)
    parser.add_argument("--models", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--quality", type=int, default=82)
    parser.add_argument("--limit", type=int, default=0, help="only so many pictures, for a trial")
    parser.add_argument("--jobs", type=int, default=2)
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)

    tasks, seen, count = [], set(), Counter()
    for path in sorted(options.pictures.rglob("*.jpg")):
        digest = hashlib.sha256(path.read_bytes()).digest()
        count["pictures"] += 1
        if digest in seen:
            count["exact duplicates"] += 1
            continue
        seen.add(digest)
        tasks.append((str(path), options.quality))
    if options.limit:
        tasks = tasks[:: max(1, len(tasks) // options.limit)]

    names, blobs, sizes, boxes, points, kinds, prints = [], [], [], [], [], [], set()
    with multiprocessing.Pool(options.jobs, start, (str(options.models),)) as pool:
        for result in pool.imap(work, tasks, chunksize=16):
            if result is None:
                count["unreadable"] += 1
                continue
            path, print_, packed, size, (certain, unmarked, uncertain) = result
            if print_ in prints:
                count["near duplicates"] += 1
                continue
            prints.add(print_)
            if not len(certain.scores):
                count["no certain face"] += 1
                continue
            order = np.argsort(-np.prod(certain.boxes[:, 2:] - certain.boxes[:, :2], axis=1))
            row = np.zeros((SLOTS, 4), np.float32), np.zeros((SLOTS, 5, 2), np.float32), np.zeros(SLOTS, np.uint8)
            slot = 0
            for kind, faces in ((1, certain.keep(order)), (3, unmarked), (2, uncertain)):
                for face in range(len(faces.scores)):
                    if slot == SLOTS:
                        break
                    row[0][slot], row[1][slot], row[2][slot] = faces.boxes[face], faces.landmarks[face], kind
                    slot += 1
                    count[("", "certain faces", "uncertain faces", "faces without landmarks")[kind]] += 1
            names.append(str(Path(path).relative_to(options.pictures)))
            blobs.append(packed)
            sizes.append(size)
            boxes.append(row[0])
            points.append(row[1])
            kinds.append(row[2])
            count[f"kept from {names[-1].split('/')[0]}"] += 1
            if len(names) % 500 == 0:
                print(dict(count), flush=True)
    offsets = np.cumsum([0] + [len(blob) for blob in blobs]).astype(np.int64)
    (options.out / "pictures.bin").write_bytes(b"".join(blobs))
    (options.out / "pictures.txt").write_text("\n".join(names) + "\n")
    np.savez_compressed(
        options.out / "labels.npz",
        offsets=offsets,
        sizes=np.array(sizes, np.int32),
        boxes=np.array(boxes),
        landmarks=np.array(points),
        kinds=np.array(kinds),  # 0 empty, 1 certain, 2 uncertain, 3 certain without landmarks
    )
    report = "".join(f"{key}\t{value}\n" for key, value in sorted(count.items()))
    (options.out / "prepare.tsv").write_text(report)
    print(report, f"packed {offsets[-1] / 2**20:.1f} MiB")


if __name__ == "__main__":
    main()
