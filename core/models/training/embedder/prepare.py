"""Step 1: find the faces of the training pictures and write loosely aligned crops.

A crop is 144 x 144: the ArcFace 112 template with 16 more pixels on every side, so that the random shifts, turns and
scales of training stay inside the picture. `faces.tsv` beside them lists every crop with its source and landmarks.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from pathlib import Path

import cv2
import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from common.align import ARCFACE_112, crop, similarity, transform  # noqa: E402
from common.faces import Face, Finder  # noqa: E402

SETS = ("portraits", "lfw_unpaired", "mask_mixed", "masked")
MARGIN = 16


def difference_hash(image: np.ndarray) -> bytes:
    """Equal for re-encodings of one crop: the signs of the brightness steps of a 17 x 16 thumbnail."""
    small = cv2.resize(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY), (17, 16), interpolation=cv2.INTER_AREA)
    return np.packbits(small[:, 1:] > small[:, :-1]).tobytes()


def usable(face: Face, min_eyes: float) -> bool:
    """Big enough, and its landmarks fit the template: a wrong or a full-profile face does not."""
    if face.eye_distance < min_eyes:
        return False
    fitted = transform(similarity(face.landmarks, ARCFACE_112), face.landmarks)
    return float(np.linalg.norm(fitted - ARCFACE_112, axis=1).mean()) < 9.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pictures", type=Path, required=True, help="folder with one folder for each set")
    parser.add_argument("--detector", type=Path, required=True, help="YuNet ONNX file")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--limit", type=int, default=0, help="pictures of each set (0: all)")
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    finder, seen, counts = Finder(args.detector), set(), Counter()
    with open(args.out / "faces.tsv", "w") as table:
        print("crop\tsource\tface\tscore\teye_distance\t" + "\t".join(f"x{i}\ty{i}" for i in range(5)), file=table)
        for name in SETS:
            pictures = sorted((args.pictures / name).glob("*.jpg"))[: args.limit or None]
            for path in pictures:
                counts[name, "pictures"] += 1
                image = cv2.imread(str(path))
                faces = finder.find(image) if image is not None else []
                # the main face, and at most three others that are large enough to be worth it
                kept = [f for i, f in enumerate(faces[:4]) if usable(f, 10.0 if i == 0 else 16.0)]
                counts[name, "without a face"] += not kept
                for index, face in enumerate(kept):
                    chip = crop(image, face.landmarks, ARCFACE_112, 112, MARGIN)
                    mark = difference_hash(chip)
                    if mark in seen:
                        counts[name, "duplicates"] += 1
                        continue
                    seen.add(mark)
                    file = f"{name}_{path.stem}_{index}.webp"
                    cv2.imwrite(str(args.out / file), chip, [cv2.IMWRITE_WEBP_QUALITY, 88])
                    counts[name, "crops"] += 1
                    numbers = [face.score, face.eye_distance, *face.landmarks.reshape(-1)]
                    print(file, f"{name}/{path.name}", index, *(f"{n:.3f}" for n in numbers), sep="\t", file=table)
    for (name, what), n in sorted(counts.items()):
        print(f"{name}\t{what}\t{n}")


if __name__ == "__main__":
    main()
