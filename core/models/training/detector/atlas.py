"""Every picture in one block of memory, with smaller copies, so that a canvas can sample any of them."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import Tensor

from .negatives import drawn, scrambled

SLOT = 256
LEVELS = 4
BASES = [sum((SLOT >> k) ** 2 for k in range(level)) for level in range(LEVELS + 1)]


@dataclass
class Atlas:
    pixels: Tensor  # int32, 0x00BBGGRR; per picture the levels one after the other
    sizes: Tensor  # n x 2: width, height
    boxes: Tensor  # n x 6 x 4
    landmarks: Tensor  # n x 6 x 5 x 2
    kinds: Tensor  # n x 6: 0 empty, 1 certain, 2 uncertain, 3 certain without landmarks
    certain: Tensor  # n: how many of the first slots are certain
    weights: Tensor  # how often a picture is drawn
    clear: Tensor  # n x 4: the largest part found without any face; width 0 where there is none
    faces: int  # pictures 0..faces hold faces, the others are negatives

    def to(self, device: torch.device) -> "Atlas":
        return Atlas(*(v.to(device) if isinstance(v, Tensor) else v for v in vars(self).values()))


def clear_part(size: np.ndarray, boxes: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """The largest of many random rectangles that touches no face, certain or not."""
    width, height = size
    grown = boxes + (boxes[:, [2, 3, 2, 3]] - boxes[:, [0, 1, 0, 1]]) * np.array([-0.2, -0.3, 0.2, 0.15])
    corner = rng.uniform(0, 1, (200, 2, 2)) * [width, height]
    low, high = corner.min(1), corner.max(1)
    touches = ((low[:, None] < grown[None, :, 2:]) & (high[:, None] > grown[None, :, :2])).all(-1).any(1)
    side = (high - low).min(1) * ~touches
    best = int(side.argmax())
    return np.concatenate([low[best], high[best]]) if side[best] >= 20 else np.zeros(4)


def pyramid(images: Tensor) -> Tensor:
    """n x 256 x 256 x 3 uint8 -> n x pixels int32, all levels."""
    parts = []
    level = images.permute(0, 3, 1, 2).float()
    for _ in range(LEVELS):
        channels = level.round().clamp(0, 255).to(torch.int32)
        parts.append((channels[:, 0] | channels[:, 1] << 8 | channels[:, 2] << 16).flatten(1))
        level = torch.nn.functional.avg_pool2d(level, 2)
    return torch.cat(parts, 1)


def load(pack: Path, device: torch.device, seed: int, negatives: int = 1500, limit: int = 0) -> Atlas:
    labels = np.load(pack / "labels.npz")
    names = (pack / "pictures.txt").read_text().split()
    blob = (pack / "pictures.bin").read_bytes()
    offsets = labels["offsets"]
    rows = np.arange(len(names))
    if limit:
        rows = np.sort(np.random.default_rng(seed).permutation(rows)[:limit])
    rng = np.random.default_rng(seed)
    share = {"portraits": 1.2, "lfw_unpaired": 1.6, "mask_mixed": 0.9, "masked": 0.6}
    boxes, kinds = labels["boxes"][rows], labels["kinds"][rows]
    sizes, clear, pending, packed, scrap = [], [], [], [], []

    def flush() -> None:
        if pending:
            packed.append(pyramid(torch.from_numpy(np.stack(pending)).to(device)))
            pending.clear()

    def add(image: np.ndarray) -> None:
        slot = np.zeros((SLOT, SLOT, 3), np.uint8)
        slot[: image.shape[0], : image.shape[1]] = image
        pending.append(slot)
        sizes.append((image.shape[1], image.shape[0]))
        if len(pending) == 512:
            flush()

    def decode(row: int) -> np.ndarray:
        data = np.frombuffer(blob, np.uint8, offsets[row + 1] - offsets[row], offsets[row])
        return np.ascontiguousarray(cv2.imdecode(data, cv2.IMREAD_COLOR)[..., ::-1])

    empty = drawn(negatives - negatives // 4, seed + 1)
    with ThreadPoolExecutor(8) as pool:
        images = list(pool.map(decode, rows))
    for place, image in enumerate(images):
        add(image)
        used = kinds[place] > 0
        clear.append(clear_part(np.array(image.shape[1::-1]), boxes[place][used], rng))
        if len(scrap) < negatives // 4 and rng.random() < 2 * negatives / 4 / len(rows):
            scrap.append(scrambled(image, boxes[place][0], rng))
    for image in scrap + empty:
        add(image)
    flush()
    weights = np.array([share.get(names[row].split("/")[0], 1.0) for row in rows], np.float32)
    return Atlas(
        pixels=torch.cat(packed).flatten(),
        sizes=torch.tensor(sizes, dtype=torch.float32, device=device),
        boxes=torch.from_numpy(boxes).to(device),
        landmarks=torch.from_numpy(labels["landmarks"][rows]).to(device),
        kinds=torch.from_numpy(kinds).to(device),
        certain=torch.from_numpy(((kinds == 1) | (kinds == 3)).sum(1)).to(device),
        weights=torch.from_numpy(weights / weights.sum()).to(device),
        clear=torch.tensor(np.array(clear), dtype=torch.float32, device=device),
        faces=len(rows),
    )
