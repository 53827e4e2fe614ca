"""Step 3: does every detector find the generated faces, does every embedder tell them apart, is none a copy?

    python -m faces.check --images examples/images --models ../shared/models --bundled core/models --pack PACK

Prints what the detectors find and how alike the pictures are; `--crops` (the embedder's crops) adds the nearest
training face of every generated one.
"""

from __future__ import annotations

import argparse
import csv
from collections import defaultdict
from pathlib import Path

import cv2
import numpy as np

from common.align import ARCFACE_112
from common.faces import Finder

from .judges import detectors, embedders, landmarks, vectors


def read(folder: Path) -> dict[str, list[str]]:
    """Picture -> the people in it, from left to right."""
    who = defaultdict(list)
    for row in csv.DictReader(open(folder / "faces.tsv"), delimiter="\t"):
        who[row["picture"]].append(row["person"])
    return dict(who)


def found(images: dict[str, np.ndarray], who: dict[str, list[str]], judges: dict[str, object]) -> None:
    print(f"Detection, score 0.5: pictures (of {len(images)}) where exactly the right number of faces is found\n")
    print("| detector | as it is | longest side 640 | least score | wrong |\n|---|---|---|---|---|")
    for name, judge in judges.items():
        right, wrong, least = [0, 0], set(), 1.0
        for path, image in images.items():
            scale = 640 / max(image.shape[:2])
            for k, view in enumerate((image, cv2.resize(image, None, fx=scale, fy=scale))):
                scores = judge.find(view, 0.5).scores  # type: ignore[attr-defined]
                right[k] += len(scores) == len(who[path])
                least = min([least, *scores])
                if len(scores) != len(who[path]):
                    wrong.add(f"{path} ({len(scores)})")
        print(f"| {name} | {right[0]} | {right[1]} | {least:.2f} | {', '.join(sorted(wrong)) or 'none'} |", flush=True)


def training(args: argparse.Namespace) -> tuple[list[str], list[np.ndarray], list[np.ndarray]]:
    """Every face the model was made of, with the landmarks its crop has."""
    table = csv.DictReader(open(args.crops / "faces.tsv"), delimiter="\t")
    wanted = set(np.load(args.pack / "faces.npz")["name"])
    names, images = [], []
    for row in table:
        if row["crop"] in wanted:
            names.append(row["crop"])
            images.append(cv2.imread(str(args.crops / row["crop"])))
    return names, images, [ARCFACE_112 + 16.0] * len(names)


def main() -> None:
    parse = argparse.ArgumentParser()
    parse.add_argument("--images", type=Path, required=True)
    parse.add_argument("--models", type=Path, required=True)
    parse.add_argument("--bundled", type=Path)
    parse.add_argument("--pack", type=Path)
    parse.add_argument("--crops", type=Path)
    args = parse.parse_args()
    who = read(args.images)
    images = {path: cv2.imread(str(args.images / path)) for path in who}
    found(images, who, detectors(args.models, args.bundled))

    finder = Finder(args.models / "face_detection_yunet_2023mar.onnx")
    pictures, points, people, paths = [], [], [], []
    for path, image in images.items():
        faces = landmarks(image, finder)
        assert len(faces) == len(who[path]), path
        pictures += [image] * len(faces)
        points += faces
        people += who[path]
        paths += [path] * len(faces)
    person = np.array(people)
    same = (person[:, None] == person[None]) & ~np.eye(len(person), dtype=bool)
    different = person[:, None] != person[None]
    print(f"\nSimilarity (cosine) of all pairs: {same.sum() // 2} of one person, {different.sum() // 2} of two\n")
    print("| embedder | one person: least | 5 % | median | two people: median | 95 % | greatest | which |")
    print("|---|---|---|---|---|---|---|---|")
    known = embedders(args.models, args.bundled)
    made = {name: vectors(pictures, points, embedder) for name, embedder in known.items()}
    for name, unit in made.items():
        scores = unit @ unit.T
        low, high = np.percentile(scores[same], [0, 5, 50]), np.percentile(scores[different], [50, 95, 100])
        i, j = np.unravel_index(np.argmax(np.where(different, scores, -1)), scores.shape)
        numbers = " | ".join(f"{v:.2f}" for v in [*low, *high])
        print(f"| {name} | {numbers} | {paths[i]} {person[i]}, {paths[j]} {person[j]} |")
    if args.crops is None:
        return
    names, crops, marks = training(args)
    print(f"\nNearest of the {len(names)} training faces the model was made of: greatest cosine of any picture\n")
    print("| person | " + " | ".join(known) + " |\n|---|" + "---|" * len(known))
    nearest, usual = {}, []
    for name, embedder in known.items():
        cache = args.pack / f"vectors-{name}.npy"
        if not cache.exists():
            np.save(cache, vectors(crops, marks, embedder))
        unit = np.load(cache)
        nearest[name] = made[name] @ unit.T
        usual.append(np.median((unit @ unit.T - 2 * np.eye(len(unit))).max(1)))
    for one in sorted(set(people)):
        cells = []
        for table in nearest.values():
            rows = table[person == one]
            cells.append(f"{rows.max():.2f} ({names[int(rows.max(0).argmax())].split('.')[0]})")
        print(f"| {one} | " + " | ".join(cells) + " |")
    print("| a training face to the other training faces, median | " + " | ".join(f"{v:.2f}" for v in usual) + " |")


if __name__ == "__main__":
    main()
