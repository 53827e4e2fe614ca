"""Step 4: what the detector finds against what SCRFD (the reference, never a teacher) finds.

    python -m detector.evaluate --model faceprint-detector-v1.onnx --models ../shared/models \
        --golden ../shared/golden --lfw ../shared/lfw --lfw-count 600 --out runs/detector/eval

Both golden pictures and LFW are looked at in their own size, padded to a multiple of 32 (longer side at most
`--longest`). A reference face counts when its shorter side is at least `--least` pixels and SCRFD scores it .5.
A detection is false when no SCRFD face of at least .3 and no YuNet face of at least .3 overlaps it (IoU .3).
"""

from __future__ import annotations

import argparse
import json
import math
import pickle
import time
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np

from .teachers import Faces, GridDetector, joined, overlap, session, suppress


class Scrfd:
    """InsightFace's SCRFD-500M as a measuring stick: 640 x 640, ratio kept, top left."""

    def __init__(self, path: Path, threads: int = 1) -> None:
        self.net = session(path, threads)

    def find(self, image: np.ndarray, score: float = 0.5) -> Faces:
        height, width = image.shape[:2]
        scale = 640 / max(height, width)
        view = cv2.resize(image, (int(width * scale), int(height * scale)))
        canvas = np.zeros((640, 640, 3), np.uint8)
        canvas[: view.shape[0], : view.shape[1]] = view
        tensor = ((canvas[..., ::-1].astype(np.float32) - 127.5) / 128).transpose(2, 0, 1)[None]
        names = ("443", "468", "493", "446", "471", "496", "449", "474", "499")
        out = [part.reshape(-1, part.shape[-1]) for part in self.net.run(names, {"input.1": np.ascontiguousarray(tensor)})]
        found = []
        for level, stride in enumerate((8, 16, 32)):
            scores = out[level][:, 0]
            hit = np.flatnonzero(scores >= score)
            side = 640 // stride
            cell = np.stack([hit // 2 % side, hit // 2 // side], 1).astype(np.float32) * stride
            box, kps = out[3 + level][hit] * stride, out[6 + level][hit].reshape(-1, 5, 2) * stride
            boxes = np.concatenate([cell - box[:, :2], cell + box[:, 2:]], 1)
            found.append(Faces(boxes, cell[:, None] + kps, scores[hit]))
        real = view.shape[0] / height
        return suppress(joined(found).moved(1 / real), 0.4)


@dataclass
class Tally:
    """One threshold's counts over one set of pictures."""

    pictures: int = 0
    faces: int = 0
    hits: int = 0
    false: int = 0
    errors: list[float] = field(default_factory=list)
    sizes_missed: list[float] = field(default_factory=list)

    def add(self, other: "Tally") -> None:
        for name, value in vars(other).items():
            setattr(self, name, getattr(self, name) + value)


def wilson(hits: int, n: int) -> tuple[float, float]:
    if n == 0:
        return 0.0, 1.0
    z, p = 1.959964, hits / n
    middle, half = p + z * z / (2 * n), z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    return (middle - half) / (1 + z * z / n), (middle + half) / (1 + z * z / n)


def compare(found: Faces, reference: Faces, doubtful: list[Faces], least: float, match: float) -> Tally:
    """`reference`: SCRFD at .5; `doubtful`: whatever excuses a detection."""
    tally = Tally(pictures=1)
    ious = overlap(reference.boxes, found.boxes)
    free = np.ones(len(found.scores), bool)
    for row in np.argsort(-reference.scores):
        side = float((reference.boxes[row, 2:] - reference.boxes[row, :2]).min())
        if side < least:
            continue
        tally.faces += 1
        order = np.where(free, ious[row], 0)
        best = int(order.argmax()) if len(order) else -1
        if best < 0 or order[best] < match:
            tally.sizes_missed.append(side)
            continue
        free[best] = False
        tally.hits += 1
        eyes = np.linalg.norm(reference.landmarks[row, 0] - reference.landmarks[row, 1])
        turned = eyes < 0.15 * side  # a profile has no distance to measure by
        if not turned:
            apart = np.linalg.norm(found.landmarks[best] - reference.landmarks[row], axis=1)
            tally.errors.append(float(apart.mean() / eyes))
    excuses = joined([reference, *doubtful])
    near = overlap(found.boxes, excuses.boxes)
    tally.false = int(((near.max(1) if near.shape[1] else np.zeros(len(found.scores))) < 0.3).sum())
    return tally


def shrunk(image: np.ndarray, longest: int) -> tuple[np.ndarray, float]:
    scale = min(1.0, longest / max(image.shape[:2]))
    if scale < 1:
        image = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    return image, scale


def sizes(detector: GridDetector, images: list[Path], known: dict[str, tuple[Faces, Faces]], threshold: float, match: float) -> list[str]:
    """The share of LFW's central faces found when the picture is scaled so that the shorter side is this long."""
    lines = []
    for side in (8, 10, 12, 16, 20, 24, 32, 48, 64, 96, 128, 192, 256, 320, 400, 512):
        hits = n = 0
        for path in images:
            image, faces = cv2.imread(str(path)), known[str(path)][0]
            if not len(faces.scores):
                continue
            middle = np.abs((faces.boxes[:, :2] + faces.boxes[:, 2:]) / 2 - 125).sum(1).argmin()
            box = faces.boxes[middle]
            scale = side / float((box[2:] - box[:2]).min())
            view = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC)
            found = detector.find(view, threshold, 0.4)
            n += 1
            hits += bool(len(found.scores) and overlap(found.boxes, box[None] * scale).max() >= match)
        low, high = wilson(hits, n)
        lines.append(f"size {side}\tfound {hits}/{n}\t{hits / max(n, 1):.3f}\t{low:.3f}..{high:.3f}")
    return lines


def draw(image: np.ndarray, faces: Faces, reference: Faces, path: Path) -> None:
    view = image.copy()
    for box in reference.boxes.round().astype(int):
        cv2.rectangle(view, box[:2].tolist(), box[2:].tolist(), (255, 128, 0), 1)
    for box, points, score in zip(faces.boxes.round().astype(int), faces.landmarks, faces.scores):
        cv2.rectangle(view, box[:2].tolist(), box[2:].tolist(), (0, 230, 0), 1)
        cv2.putText(view, f"{score:.2f}", (int(box[0]), int(max(box[1] - 2, 8))), 0, 0.32, (0, 0, 255), 1)
        for point in points.round().astype(int):
            cv2.circle(view, point.tolist(), 1, (0, 255, 255), -1)
    cv2.imwrite(str(path), view)


def speeds(paths: dict[str, Path], rounds: int = 40) -> list[str]:
    """All models in turn in one run, one thread, random pictures: the median of `rounds`."""
    nets = {name: session(path, 1) for name, path in paths.items()}
    lines = []
    for side in (320, 640):
        tensor = np.random.default_rng(0).uniform(0, 255, (1, 3, side, side)).astype(np.float32)
        times: dict[str, list[float]] = {name: [] for name in nets}
        for turn in range(rounds + 3):
            for name, net in nets.items():
                if net.get_inputs()[0].shape[2] not in (side, "height"):
                    continue
                start = time.perf_counter()
                net.run(None, {net.get_inputs()[0].name: tensor})
                if turn >= 3:
                    times[name].append(time.perf_counter() - start)
        for name, values in times.items():
            if values:
                lines.append(f"{side}\t{name}\tmedian {np.median(values) * 1e3:.2f} ms\tleast {min(values) * 1e3:.2f} ms")
    return lines


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--models", type=Path, required=True)
    parser.add_argument("--golden", type=Path, required=True)
    parser.add_argument("--lfw", type=Path)
    parser.add_argument("--lfw-count", type=int, default=600, help="0 = all")
    parser.add_argument("--longest", type=int, default=800)
    parser.add_argument("--least", type=float, default=24)
    parser.add_argument("--match", type=float, default=0.4)
    parser.add_argument("--bgr", action="store_true", help="the model takes BGR (to measure YuNet itself)")
    parser.add_argument("--thresholds", type=float, nargs="+", default=[0.3, 0.35, 0.4, 0.45, 0.5, 0.55, 0.6, 0.65, 0.7])
    parser.add_argument("--draw", type=float, default=0.5, help="threshold of the drawings")
    parser.add_argument("--references", type=Path, help="where the reference answers are kept")
    parser.add_argument("--sizes", action="store_true", help="also the range of sizes, at the threshold of --draw")
    parser.add_argument("--speed", action="store_true")
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    ours = GridDetector(options.model, rgb=not options.bgr)
    yunet = GridDetector(options.models / "yunet_n_dynamic.onnx")
    scrfd = Scrfd(options.models / "det_500m.onnx")
    report: list[str] = []
    # SCRFD's and YuNet's answers do not change: kept from run to run
    kept = options.references or options.out / "references.pickle"
    known: dict[str, tuple[Faces, Faces]] = pickle.loads(kept.read_bytes()) if kept.exists() else {}

    def run(name: str, images: list[Path], given: dict[str, Faces], drawings: bool) -> None:
        totals = {t: Tally() for t in options.thresholds}
        for path in images:
            image = cv2.imread(str(path))
            if str(path) not in known:
                known[str(path)] = scrfd.find(image, 0.3), yunet.find(image, 0.3)
            loose, other = known[str(path)]
            sure = given.get(path.name) or loose.keep(np.flatnonzero(loose.scores >= 0.5))
            view, scale = shrunk(image, options.longest)
            found = ours.find(view, min(options.thresholds), 0.4).moved(1 / scale)
            for threshold, total in totals.items():
                kept = found.keep(np.flatnonzero(found.scores >= threshold))
                one = compare(kept, sure, [loose, other], options.least, options.match)
                total.add(one)
                if threshold == options.draw and drawings:
                    draw(image, kept, sure, options.out / f"{path.stem}.png")
                    print(f"{path.name}: {one.hits}/{one.faces} of the reference, {len(kept.scores)} found, {one.false} false", flush=True)
        for threshold, t in totals.items():
            low, high = wilson(t.hits, t.faces)
            errors = np.array(t.errors or [math.nan])
            report.append(
                f"{name}\t{threshold:.2f}\t{t.pictures}\t{t.faces}\t{t.hits / max(t.faces, 1):.4f}\t{low:.4f}\t{high:.4f}"
                f"\t{t.false}\t{t.false / max(t.pictures, 1):.4f}\t{errors.mean():.4f}\t{np.median(errors):.4f}"
            )

    report.append("set\tthreshold\tpictures\tfaces\trecall\tlow\thigh\tfalse\tfalse per picture\tlandmark error\tmedian")
    cases = json.loads((options.golden / "golden.json").read_text())["cases"]
    given = {
        case["image"]: Faces(
            np.array([f["box_xyxy"] for f in case["scrfd_det_500m"]], np.float32).reshape(-1, 4),
            np.array([f["landmarks"] for f in case["scrfd_det_500m"]], np.float32).reshape(-1, 5, 2),
            np.array([f["score"] for f in case["scrfd_det_500m"]], np.float32),
        )
        for case in cases
    }
    run("golden", [options.golden / "images" / case["image"] for case in cases], given, True)
    if options.lfw:
        images = sorted(options.lfw.rglob("*.jpg"))
        if options.lfw_count:
            images = images[:: max(1, len(images) // options.lfw_count)][: options.lfw_count]
        run("lfw", images, {}, False)
        if options.sizes:
            report.extend(sizes(ours, images[:: max(1, len(images) // 60)][:60], known, options.draw, options.match))
    kept.write_bytes(pickle.dumps(known))
    if options.speed:
        report += speeds(
            {
                "ours": options.model,
                "yunet 2023mar": options.models / "face_detection_yunet_2023mar.onnx",
                "yunet s": options.models / "yunet_s_dynamic.onnx",
                "yunet n": options.models / "yunet_n_dynamic.onnx",
            }
        )
    (options.out / "report.tsv").write_text("\n".join(report) + "\n")
    print("\n".join(report))


if __name__ == "__main__":
    main()
