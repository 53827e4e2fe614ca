"""Step 2b: a better landmark readout on the trained, frozen network, on a CPU in minutes.

    python -m detector.readout --pack runs/detector/pack --checkpoint runs/detector/last.pt --out runs/detector/final.pt

The landmark part of each head is linear in one cell's features. Here every certain face is warped at random
onto small canvases, the features around the cells that answer for it are kept, and a small readout of the 3 x 3
cells around each is trained on them: the old linear part plus a hidden layer. Nothing else of the network changes.
"""

from __future__ import annotations

import argparse
import math
import multiprocessing
import time
from pathlib import Path

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .network import STRIDES, Detector, Readout
from .teachers import MIRROR

SIDE = 320
_STATE: dict = {}


def start(pack: str, checkpoint: str, seed: int) -> None:
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    state = torch.load(checkpoint, map_location="cpu", weights_only=False)
    net = Detector(**state["shape"]).eval()
    net.load_state_dict(state["average"], strict=False)
    folder = Path(pack)
    labels = np.load(folder / "labels.npz")
    _STATE.update(net=net, blob=(folder / "pictures.bin").read_bytes(), labels={k: labels[k] for k in labels}, seed=seed)


def warped(row: int, view: int) -> tuple[np.ndarray, np.ndarray, np.ndarray] | None:
    """A random canvas with the picture, and its first face's box and landmarks there."""
    labels, rng = _STATE["labels"], np.random.default_rng((_STATE["seed"], row, view))
    slots = np.flatnonzero(labels["kinds"][row] == 1)
    if not len(slots):
        return None
    slot = int(rng.choice(slots))
    box, points = labels["boxes"][row, slot], labels["landmarks"][row, slot]
    offsets = labels["offsets"]
    packed = np.frombuffer(_STATE["blob"], np.uint8, offsets[row + 1] - offsets[row], offsets[row])
    image = np.ascontiguousarray(cv2.imdecode(packed, cv2.IMREAD_COLOR)[..., ::-1])
    size = float(np.sqrt(np.prod(box[2:] - box[:2])))
    scale = min(math.exp(rng.uniform(math.log(18), math.log(230))) / size, 4.0)
    turn = math.radians(rng.normal(0, 12) if rng.random() < 0.85 else rng.uniform(-45, 45))
    mirror = -1.0 if rng.random() < 0.5 else 1.0
    spread = scale * np.array([mirror * math.exp(rng.normal(0, 0.04)), 1.0])
    linear = np.array([[math.cos(turn), -math.sin(turn)], [math.sin(turn), math.cos(turn)]]) * spread
    target = np.clip(rng.uniform(0, SIDE, 2), 0.35 * size * scale, SIDE - 0.35 * size * scale)
    middle = (box[:2] + box[2:]) / 2
    matrix = np.concatenate([linear, (target - linear @ middle)[:, None]], 1)
    if scale < 0.7:  # average before thinning out
        small = cv2.resize(image, None, fx=scale * 1.2, fy=scale * 1.2, interpolation=cv2.INTER_AREA)
        shrink = np.array([image.shape[1] / small.shape[1], image.shape[0] / small.shape[0]])
        move = matrix.copy()
        move[:, :2] = matrix[:, :2] * shrink
        move[:, 2] = matrix[:, 2]
    else:
        small, move = image, matrix
    # pixel centres are at .5 in the labels' frame, at 0 in OpenCV's
    move = move.copy()
    move[:, 2] += move[:, :2] @ [0.5, 0.5] - 0.5
    edge = cv2.BORDER_REPLICATE if rng.random() < 0.3 else cv2.BORDER_CONSTANT
    canvas = cv2.warpAffine(small, move, (SIDE, SIDE), flags=cv2.INTER_LINEAR, borderMode=edge, borderValue=rng.uniform(0, 255, 3).tolist())
    canvas = canvas.astype(np.float32)
    if rng.random() < 0.25:
        canvas = cv2.GaussianBlur(canvas, (0, 0), rng.uniform(0.4, 1.3))
    canvas = (canvas - 128) * math.exp(rng.normal(0, 0.15)) + 128 + rng.normal(0, 14) + rng.normal(0, 5, 3)
    if rng.random() < 0.1:
        canvas = np.repeat(canvas.mean(2, keepdims=True), 3, 2)
    if rng.random() < 0.3:
        canvas = canvas + rng.normal(0, rng.uniform(1, 9), canvas.shape)
    marks = points @ linear.T + matrix[:, 2]
    half = (box[2:] - box[:2]) / 2
    reach = np.sqrt((linear**2) @ (half**2))
    if mirror < 0:
        marks = marks[list(MIRROR)]
    return np.clip(canvas, 0, 255), np.concatenate([target - reach, target + reach]), marks


def work(task: tuple[int, int]) -> list[tuple[int, np.ndarray, np.ndarray, float]]:
    """(level, 3 x 3 x 64 features, landmarks minus the old readout in cells, size in cells) of a face's cells."""
    made = warped(*task)
    if made is None:
        return []
    canvas, box, marks = made
    net: Detector = _STATE["net"]
    samples = []
    with torch.inference_mode():
        levels = net.features(torch.from_numpy(np.ascontiguousarray(canvas.transpose(2, 0, 1), np.float32))[None])
        answers = []
        for level, feature in enumerate(levels):
            out = net.heads[level](feature)[0]
            score = (out[0].sigmoid() * out[1].sigmoid()).sqrt()
            stride, side = STRIDES[level], score.shape[0]
            row, column = np.mgrid[:side, :side]
            x, y = (column + 0.5) * stride, (row + 0.5) * stride
            inside = (x > box[0]) & (x < box[2]) & (y > box[1]) & (y < box[3])
            answers.append((np.where(inside, score.numpy(), 0), out[6:].numpy(), F.pad(feature[0], (1, 1, 1, 1)).numpy()))
        best = max(float(score.max()) for score, _, _ in answers)
        if best < 0.2:
            return []
        for level, (score, _, padded) in enumerate(answers):
            rows, columns = np.nonzero(score > 0.8 * best)
            order = np.argsort(-score[rows, columns])[:5]
            for r, c in zip(rows[order], columns[order]):
                wanted = marks / STRIDES[level] - [c, r]
                size = float(np.sqrt(np.prod(box[2:] - box[:2]))) / STRIDES[level]
                samples.append((level, padded[:, r : r + 3, c : c + 3].astype(np.float16), wanted.reshape(-1).astype(np.float32), size))
    return samples


def begin(readout: Readout, head: nn.Conv2d) -> Readout:
    """The old readout exactly, and a hidden layer that adds next to nothing yet."""
    nn.init.kaiming_normal_(readout.hidden.weight, mode="fan_in", nonlinearity="relu")
    nn.init.zeros_(readout.hidden.bias)
    nn.init.normal_(readout.out.weight, std=0.01)
    readout.line.weight.data.copy_(head.weight[6:])
    readout.line.bias.data.copy_(head.bias[6:])
    return readout


def fit(readout: Readout, data: tuple[Tensor, Tensor, Tensor], held: Tensor, epochs: int, seed: int) -> tuple[float, float]:
    """Trains; returns the held-out error (share of the face's size) before and after."""
    features, wanted, size = data
    generator = torch.Generator().manual_seed(seed)

    def errors(pick: Tensor) -> float:
        with torch.no_grad():
            got = torch.cat([readout(part.float())[:, :, 1, 1] for part in features[pick].split(4096)])
        apart = (got - wanted[pick]).view(-1, 5, 2).norm(dim=2).mean(1)
        return float((apart / size[pick]).mean())

    before = errors(held.nonzero()[:, 0])
    train = (~held).nonzero()[:, 0]
    optimiser = torch.optim.AdamW(readout.parameters(), lr=2e-3, weight_decay=0.02)
    batch = 512
    total = epochs * (len(train) // batch)
    step = 0
    for _ in range(epochs):
        order = train[torch.randperm(len(train), generator=generator)]
        for part in order.split(batch)[: len(train) // batch]:
            for group in optimiser.param_groups:
                group["lr"] = 2e-3 * 0.5 * (1 + math.cos(math.pi * step / total))
            x = features[part].float()
            centre = F.conv2d(x, readout.hidden.weight, readout.hidden.bias)[:, :, 0, 0]
            got = readout.line(x[:, :, 1:2, 1:2])[:, :, 0, 0] + F.linear(F.relu(centre), readout.out.weight[:, :, 0, 0])
            error = (got - wanted[part]) / size[part][:, None]
            loss = F.smooth_l1_loss(error, torch.zeros_like(error), beta=0.01)
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            step += 1
    return before, errors(held.nonzero()[:, 0])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pack", type=Path, required=True)
    parser.add_argument("--checkpoint", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--views", type=int, default=3, help="random canvases per picture")
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--hidden", type=int, nargs=3, default=[0, 22, 22], help="per stride; 0 = keep the old readout")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--every", type=int, default=1, help="only every so many pictures, for a trial")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--cache", type=Path, help="keep the features here and use them when they are there")
    options = parser.parse_args()
    begun = time.time()
    if options.cache and options.cache.exists():
        levels = torch.load(options.cache)
    else:
        rows = range(0, len(np.load(options.pack / "labels.npz")["offsets"]) - 1, options.every)
        tasks = [(row, view) for row in rows for view in range(options.views)]
        kept: list[list] = [[], [], []]
        with multiprocessing.Pool(options.jobs, start, (str(options.pack), str(options.checkpoint), options.seed)) as pool:
            for task, samples in zip(tasks, pool.imap(work, tasks, chunksize=32)):
                for level, *rest in samples:
                    kept[level].append((*rest, task[0] % 20 == 0))
        levels = []
        for part in kept:
            stacked = [np.stack([sample[place] for sample in part]) for place in range(4)]
            levels.append(tuple(torch.from_numpy(v) for v in stacked))
        if options.cache:
            torch.save(levels, options.cache)
    print([len(part[0]) for part in levels], "cells,", f"{time.time() - begun:.0f} s", flush=True)
    torch.manual_seed(options.seed)
    state = torch.load(options.checkpoint, map_location="cpu", weights_only=False)
    net = Detector(**state["shape"])
    net.load_state_dict(state["average"], strict=False)
    for level, (features, wanted, size, held) in enumerate(levels):
        if not options.hidden[level]:
            continue
        readout = begin(Readout(features.shape[1], options.hidden[level]), net.heads[level])
        before, after = fit(readout, (features, wanted, size.float()), held, options.epochs, options.seed)
        net.readouts[level] = readout
        print(f"stride {STRIDES[level]}: held-out landmark error {before:.4f} -> {after:.4f} of the face's size, {time.time() - begun:.0f} s", flush=True)
    state["shape"]["readouts"] = tuple(options.hidden)
    state["average"] = net.state_dict()
    torch.save({key: state[key] for key in ("shape", "average", "step")}, options.out)


if __name__ == "__main__":
    main()
