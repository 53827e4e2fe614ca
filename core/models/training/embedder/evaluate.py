"""Step 5: measure embedders on LFW folds 6-10 (research benchmark: measured with, never trained on).

Faces are found by YuNet, aligned by our Umeyama and embedded by ONNX Runtime on the CPU. Every model sees the same crops.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path

import cv2
import numpy as np
import onnxruntime as ort

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from common.align import ARCFACE_112, RETAIL_128, crop  # noqa: E402
from common.faces import Finder  # noqa: E402
from common.stats import cross_identity_scores, fold_accuracy, threshold_at, wilson  # noqa: E402

RATES = (1e-1, 3e-2, 1e-2, 3e-3, 1e-3, 3e-4, 1e-4, 1e-5)


def read_pairs(path: Path) -> tuple[list[tuple[str, str]], np.ndarray, np.ndarray]:
    """Pairs of file names, whether they show one person, and the fold of each."""
    lines = [line.split() for line in path.read_text().splitlines()]
    folds, each = int(lines[0][0]), int(lines[0][1])
    name = lambda person, number: f"{person}/{person}_{int(number):04d}.jpg"  # noqa: E731
    pairs, same = [], []
    for line in lines[1:]:
        same.append(len(line) == 3)
        first, second = (line[0], line[1]), ((line[0], line[2]) if len(line) == 3 else (line[2], line[3]))
        pairs.append((name(*first), name(*second)))
    return pairs, np.array(same), np.repeat(np.arange(folds), 2 * each)


def landmarks_of(lfw: Path, files: list[str], detector: Path) -> dict[str, np.ndarray]:
    """Landmarks of the face nearest to the picture's centre (LFW's subject is centred), by its area too."""
    finder, found = Finder(detector), {}
    for file in files:
        image = cv2.imread(str(lfw / "images" / file))
        height, width = image.shape[:2]
        best, best_rank = None, -np.inf
        for face in finder.find(image):
            x, y, w, h = face.box
            rank = w * h - 2.0 * ((x + w / 2 - width / 2) ** 2 + (y + h / 2 - height / 2) ** 2)
            if rank > best_rank:
                best, best_rank = face, rank
        if best is not None:
            found[file] = best.landmarks
    return found


class Embedder:
    """An ONNX embedder with the contract of ArcFace, or the retail teacher with its own."""

    def __init__(self, path: Path) -> None:
        options = ort.SessionOptions()
        options.intra_op_num_threads = 1
        options.log_severity_level = 3  # w600k_mbf's file declares a fixed batch: a warning for every run
        self.session = ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        self.input = self.session.get_inputs()[0].name
        self.name = path.stem
        self.retail = "retail-0095" in self.name

    def chips(self, image: np.ndarray, landmarks: np.ndarray) -> np.ndarray:
        if self.retail:
            return crop(image, landmarks, RETAIL_128, 128).astype(np.float32).transpose(2, 0, 1)
        chip = crop(image, landmarks, ARCFACE_112, 112)[:, :, ::-1].astype(np.float32)
        return (chip.transpose(2, 0, 1) - 127.5) / 127.5

    def embed(self, batch: np.ndarray) -> np.ndarray:
        return self.session.run(None, {self.input: np.ascontiguousarray(batch)})[0].reshape(len(batch), -1)

    def unit(self, batch: np.ndarray, flip: bool) -> np.ndarray:
        vectors = self.embed(batch)
        if flip:
            vectors = vectors + self.embed(batch[:, :, :, ::-1])
        return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def milliseconds(models: list[Embedder], batches: list[np.ndarray], rounds: int = 100) -> list[tuple[float, float]]:
    """Median and least time of one face on one thread; the models take turns, so that all meet the same machine."""
    times: list[list[float]] = [[] for _ in models]
    for i in range(rounds):
        for model, batch, mine in zip(models, batches, times):
            start = time.perf_counter()
            model.embed(batch[i % len(batch)][None])
            mine.append(1e3 * (time.perf_counter() - start))
    return [(float(np.median(mine)), float(np.min(mine))) for mine in times]


def embed_all(model: Embedder, lfw: Path, found: dict[str, np.ndarray], flip: bool) -> np.ndarray:
    rows, files = [], list(found)
    for start in range(0, len(files), 64):
        part = files[start : start + 64]
        chips = np.stack([model.chips(cv2.imread(str(lfw / "images" / f)), found[f]) for f in part])
        rows.append(model.unit(chips, flip))
    return np.concatenate(rows)


def measure(unit: np.ndarray, files: list[str], pairs: list, same: np.ndarray, fold: np.ndarray) -> dict:
    """A pair with a face that was not found scores -1: a rejection, counted in every number."""
    row = {file: i for i, file in enumerate(files)}
    scores = np.array([unit[row[a]] @ unit[row[b]] if a in row and b in row else -1.0 for a, b in pairs])
    right, each = fold_accuracy(scores, same, fold)
    result: dict = {"pairs": len(pairs), "accuracy": right / len(pairs), "accuracy_ci": wilson(right, len(pairs))}
    result["fold_accuracy"] = each
    genuine, impostor = scores[same], scores[~same]
    for rate in (1e-2, 1e-3):
        accepted = int((genuine >= threshold_at(impostor, rate)).sum())
        result[f"tar_at_far_{rate:g}"] = {"tar": accepted / len(genuine), "ci": wilson(accepted, len(genuine))}
    who = np.array([file.split("/")[0] for file in files])
    others = cross_identity_scores(unit.astype(np.float32), who)
    points = []
    for rate in RATES:
        threshold = threshold_at(others, rate)
        false = int((others >= threshold).sum())
        accepted = int((genuine >= threshold).sum())
        points.append(
            {"threshold": threshold, "fmr": false / len(others), "fmr_ci": wilson(false, len(others)),
             "false_matches": false, "tmr": accepted / len(genuine), "tmr_ci": wilson(accepted, len(genuine))}
        )
    result["operating_points"] = {"impostor_pairs": len(others), "people": len(set(who)),
                                  "pictures": len(files), "genuine_pairs": len(genuine), "points": points}
    return result


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("models", type=Path, nargs="+")
    parser.add_argument("--lfw", type=Path, required=True)
    parser.add_argument("--detector", type=Path, required=True)
    parser.add_argument("--flip", action="store_true", help="average with the mirrored crop")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--vectors", type=Path, help="folder for the unit vectors, one .npy for each model")
    args = parser.parse_args()
    pairs, same, fold = read_pairs(args.lfw / "pairs.txt")
    files = sorted({file for pair in pairs for file in pair})
    found = landmarks_of(args.lfw, files, args.detector)
    print(f"{len(files)} pictures, {len(files) - len(found)} without a face")
    models, results = [Embedder(path) for path in args.models], {}
    some = list(found)[:16]
    batches = [np.stack([m.chips(cv2.imread(str(args.lfw / "images" / f)), found[f]) for f in some]) for m in models]
    for model, (median, least) in zip(models, milliseconds(models, batches)):
        unit = embed_all(model, args.lfw, found, args.flip)
        result = measure(unit, list(found), pairs, same, fold) | {"ms_median": median, "ms_min": least}
        results[model.name] = result
        if args.vectors:
            args.vectors.mkdir(parents=True, exist_ok=True)
            np.save(args.vectors / f"{model.name}.npy", unit)
        low, high = result["accuracy_ci"]
        tars = " ".join(f"TAR@{r:g} {result[f'tar_at_far_{r:g}']['tar']:.4f}" for r in (1e-2, 1e-3))
        print(f"{model.name}: {100 * result['accuracy']:.2f} % [{100 * low:.2f}, {100 * high:.2f}] {tars} "
              f"{median:.2f} ms (min {least:.2f})", flush=True)
        for p in result["operating_points"]["points"]:
            print(f"  FMR {p['fmr']:.2e} at {p['threshold']:.4f}: TMR {p['tmr']:.4f}")
    if args.json:
        args.json.write_text(json.dumps(results, indent=1))


if __name__ == "__main__":
    main()
