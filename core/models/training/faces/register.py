"""Step 1: bring the training faces into dense correspondence, so that many can be averaged without blur.

    python -m faces.register --faces ../train-data --out ../train-data/faces

Reads the embedder's `crops/faces.tsv`, `originals/` and `teacher_targets.npy`. Every unmasked face is put into a
192 x 192 frame by its five landmarks, warped smoothly so that the landmarks lie on the template, and then moved by
optical flow onto the mean of all faces. Writes the textures in that common shape (`textures.npy`), where each lies
inside its source picture (`inside.npy`) and `faces.npz`: the flows, a description of pose and light, and the identity.
"""

from __future__ import annotations

import argparse
import csv
from pathlib import Path

import cv2
import numpy as np

from common.align import ARCFACE_112, similarity, transform

SIDE, EYES, COARSE = 192, 44.0, 48
# The ArcFace template, smaller in a larger frame, so that hair and some background are in the picture.
TEMPLATE = (ARCFACE_112 - [56.0, 72.0]) * (EYES / 35.24) + [96.0, 112.0]
UNIT = 4.6  # pixels per unit of a landmark offset
GRID = np.stack(np.meshgrid(np.arange(SIDE), np.arange(SIDE)), -1).astype(np.float32)
# Landmark offsets x0 y0 .. x4 y4, then four numbers of light and picture quality.
STYLE = ("sharpness", "colour", "luminance", "light from the left")


def unmasked(names: list[str], targets: np.ndarray) -> np.ndarray:
    """Ridge regression of "from the masked set" on the identity vectors: True where a face looks unmasked."""
    kind = np.array([name.split("_0")[0] for name in names])
    masked, known = kind == "masked", kind != "mask_mixed"
    weight = np.where(masked, (known & ~masked).sum() / masked.sum(), 1.0)
    x = np.column_stack([targets, np.ones(len(targets))])
    weighted = x[known] * weight[known, None]
    label = np.where(masked, 1.0, -1.0)[known]
    return x @ np.linalg.solve(weighted.T @ x[known] + 5.0 * np.eye(x.shape[1]), weighted.T @ label) < -0.2


def style(view: np.ndarray) -> list[float]:
    """The four style numbers of one view, each near unit range."""
    lab = cv2.cvtColor(view, cv2.COLOR_BGR2LAB).astype(np.float32)[66:162, 52:140]
    sharp = np.log(cv2.Laplacian(lab[..., 0], cv2.CV_32F).var() + 1.0)
    colour = np.hypot(lab[..., 1] - 128, lab[..., 2] - 128).mean()
    left, right = lab[:, :44, 0].mean(), lab[:, 44:, 0].mean()
    return [(sharp - 4.5) / 2, (colour - 18) / 8, (lab[..., 0].mean() - 140) / 40, (left - right) / 30]


def spread(offsets: np.ndarray, width: float = 31.0) -> np.ndarray:
    """A smooth displacement field (pixels) that takes the template's landmarks by `offsets` (5 x 2, pixels)."""
    kernel = np.exp(-(((TEMPLATE[:, None] - TEMPLATE[None]) ** 2).sum(-1)) / (2 * width**2))
    weights = np.linalg.solve(kernel + 1e-3 * np.eye(5), offsets)
    far = ((GRID[:, :, None] - TEMPLATE[None, None]) ** 2).sum(-1)
    return (np.exp(-far / (2 * width**2)) @ weights).astype(np.float32)


def near_face() -> np.ndarray:
    """1 on the face, falling to 0 towards hair and background, where flow between two people means nothing."""
    away = np.hypot((GRID[..., 0] - 96) / 57, (GRID[..., 1] - 110) / 71)
    return np.clip((1.25 - away) / 0.4, 0, 1)[..., None].astype(np.float32)


def luminance(image: np.ndarray) -> np.ndarray:
    """Grey, with slow changes of light divided out, for the flow."""
    grey = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY).astype(np.float32)
    flat = grey - cv2.GaussianBlur(grey, (0, 0), 14)
    size = np.sqrt(cv2.GaussianBlur(flat**2, (0, 0), 20)) + 6
    return np.clip(128 + 45 * flat / size, 0, 255).astype(np.uint8)


def sampled(image: np.ndarray, displacement: np.ndarray) -> np.ndarray:
    return cv2.remap(image, GRID + displacement, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)


def coarse(field: np.ndarray) -> np.ndarray:
    return cv2.resize(field, (COARSE, COARSE), interpolation=cv2.INTER_AREA)


def fine(field: np.ndarray) -> np.ndarray:
    return cv2.resize(field.astype(np.float32), (SIDE, SIDE), interpolation=cv2.INTER_CUBIC)


def read(args: argparse.Namespace) -> tuple[list[np.ndarray], list[np.ndarray], dict[str, np.ndarray]]:
    rows = list(csv.DictReader(open(args.faces / "crops/faces.tsv"), delimiter="\t"))
    targets = np.load(args.faces / "teacher_targets.npy").astype(np.float32)
    clear = unmasked([row["crop"] for row in rows], targets)
    views, insides, kept = [], [], {"name": [], "identity": [], "offsets": [], "style": []}
    for row, identity, usable in zip(rows, targets, clear, strict=True):
        if not usable or float(row["eye_distance"]) < 32:
            continue
        points = np.array([[float(row[f"x{i}"]), float(row[f"y{i}"])] for i in range(5)])
        image = cv2.imread(str(args.faces / "originals" / row["source"]))
        matrix = similarity(points, TEMPLATE)
        offsets = transform(matrix, points) - TEMPLATE
        view = cv2.warpAffine(image, matrix, (SIDE, SIDE), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
        seen = np.full(image.shape[:2], 255, np.uint8)
        inside = cv2.warpAffine(seen, matrix, (SIDE, SIDE), flags=cv2.INTER_LINEAR)
        numbers = style(view)
        if inside.mean() < 0.64 * 255 or numbers[1] < -1.8 or np.abs(offsets).max() > 4 * UNIT:
            continue  # mostly outside its picture, or grey, or far from frontal
        views.append(view)
        insides.append(inside)
        for key, value in (("name", row["crop"]), ("identity", identity), ("offsets", offsets), ("style", numbers)):
            kept[key].append(value)
    return views, insides, {key: np.array(value) for key, value in kept.items()}


def main() -> None:
    parse = argparse.ArgumentParser()
    parse.add_argument("--faces", type=Path, required=True)
    parse.add_argument("--out", type=Path, required=True)
    parse.add_argument("--rounds", type=int, default=2)
    args = parse.parse_args()
    cv2.setNumThreads(1)
    views, insides, table = read(args)
    print(len(views), "faces", flush=True)
    first = [spread(offsets) for offsets in table["offsets"]]
    textures = np.stack([sampled(view, field) for view, field in zip(views, first, strict=True)])
    flow = cv2.DISOpticalFlow_create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    where, total = near_face(), [coarse(field) for field in first]
    for _ in range(args.rounds):
        mean = luminance(textures.mean(0, dtype=np.float32).astype(np.uint8))
        for i, (view, field) in enumerate(zip(views, first, strict=True)):
            moved = flow.calc(mean, luminance(sampled(view, field)), None)
            moved = cv2.GaussianBlur(np.clip(moved, -9, 9), (0, 0), 5) * where
            both = moved + sampled(field, moved)
            textures[i], total[i] = sampled(view, both), coarse(both)
        print("round done", flush=True)
    args.out.mkdir(parents=True, exist_ok=True)
    np.save(args.out / "textures.npy", textures)
    np.save(args.out / "inside.npy", np.stack([cv2.resize(mask, (96, 96)) for mask in insides]))
    description = np.column_stack([table["offsets"].reshape(-1, 10) / UNIT, table["style"]]).astype(np.float32)
    np.savez(args.out / "faces.npz", name=table["name"], identity=table["identity"], description=description,
             flow=np.stack(total).astype(np.float16))
    cv2.imwrite(str(args.out / "mean.png"), textures.mean(0, dtype=np.float32).astype(np.uint8))


if __name__ == "__main__":
    main()
