"""Pictures without a face, drawn by code: text, textures, patterns, hand-like shapes, scrambled faces."""

from __future__ import annotations

import multiprocessing
import os
from typing import Callable

import cv2
import numpy as np

SIDE = 256
WORDS = "exit open sale 24h menu bus stop room 101 the quick report city bank coffee 2026 no entry push pull news".split()


def colour(rng: np.random.Generator) -> tuple[int, int, int]:
    if rng.random() < 0.3:  # near skin
        return int(rng.uniform(60, 235)), int(rng.uniform(45, 190)), int(rng.uniform(35, 165))
    return tuple(int(v) for v in rng.integers(0, 256, 3))  # type: ignore[return-value]


def noise(rng: np.random.Generator) -> np.ndarray:
    """Several octaves of smooth noise, tinted."""
    total = np.zeros((SIDE, SIDE, 3), np.float32)
    for octave in range(2, 9):
        channels = 3 if rng.random() < 0.4 else 1
        layer = rng.normal(0, 1, (2**octave, 2**octave, channels)).astype(np.float32)
        layer = cv2.resize(layer, (SIDE, SIDE), interpolation=cv2.INTER_CUBIC).reshape(SIDE, SIDE, channels)
        total += layer * rng.uniform(0.2, 1.0) * 2.0 ** (-octave * rng.uniform(0.0, 0.7))
    total = total / (np.abs(total).max() + 1e-6)
    return np.clip(np.array(colour(rng)) + total * rng.uniform(20, 150), 0, 255)


def gradient(rng: np.random.Generator) -> np.ndarray:
    rows, columns = np.mgrid[0:1:SIDE * 1j, 0:1:SIDE * 1j]
    angle = rng.uniform(0, 2 * np.pi)
    mix = rows * np.sin(angle) + columns * np.cos(angle)
    if rng.random() < 0.4:
        mix = np.hypot(rows - rng.random(), columns - rng.random())
    mix = ((mix - mix.min()) / (np.ptp(mix) + 1e-6))[..., None]
    return np.array(colour(rng)) * mix + np.array(colour(rng)) * (1 - mix)


def pattern(rng: np.random.Generator) -> np.ndarray:
    """Stripes, checkers, dots, grids, bricks."""
    image = np.empty((SIDE, SIDE, 3), np.float32)
    image[:] = colour(rng)
    ink, step, kind = colour(rng), int(rng.integers(4, 48)), int(rng.integers(5))
    rows, columns = np.mgrid[0:SIDE, 0:SIDE]
    angle = rng.uniform(0, np.pi)
    u, v = columns * np.cos(angle) + rows * np.sin(angle), rows * np.cos(angle) - columns * np.sin(angle)
    wave = rng.uniform(0, 6) * np.sin(v / rng.uniform(8, 60))
    if kind == 0:
        mask = ((u + wave) % step) < step * rng.uniform(0.2, 0.7)
    elif kind == 1:
        mask = ((u // step).astype(int) + (v // step).astype(int)) % 2 == 0
    elif kind == 2:
        mask = np.hypot(u % step - step / 2, v % step - step / 2) < step * rng.uniform(0.15, 0.5)
    elif kind == 3:
        mask = (u % step < 2 + step * 0.1) | (v % step < 2 + step * 0.1)
    else:
        mask = (v % step < 2) | ((u + (v // step) % 2 * step) % (2 * step) < 3)
    image[mask] = ink
    return image


def text(rng: np.random.Generator) -> np.ndarray:
    image = gradient(rng) if rng.random() < 0.4 else np.full((SIDE, SIDE, 3), colour(rng), np.float32)
    image = np.ascontiguousarray(np.clip(image, 0, 255).astype(np.uint8))
    size, y, font = rng.uniform(0.3, 2.2), 0.0, int(rng.integers(0, 8))
    ink = tuple(float(255 - v) for v in image[SIDE // 2, SIDE // 2]) if rng.random() < 0.7 else colour(rng)
    while y < SIDE + 30:
        y += 30 * size * rng.uniform(0.8, 1.5)
        line = " ".join(str(rng.choice(WORDS)) for _ in range(8))
        line = line.upper() if rng.random() < 0.4 else line
        place = (int(rng.uniform(-20, 20)), int(y))
        cv2.putText(image, line, place, font, size, ink, max(1, int(size * rng.uniform(1, 3))), cv2.LINE_AA)
    return image


def hand(rng: np.random.Generator) -> np.ndarray:
    """A palm and fingers in a skin tone: rounded, warm, and no face."""
    image = np.ascontiguousarray(np.clip(gradient(rng) if rng.random() < 0.5 else noise(rng), 0, 255).astype(np.uint8))
    base = np.array([225, 172, 140], np.float32) * rng.uniform(0.3, 1.1) + rng.normal(0, 8, 3)
    for _ in range(int(rng.integers(1, 3))):
        centre = rng.uniform(60, 196, 2)
        radius = rng.uniform(22, 60)
        turn = rng.uniform(0, 2 * np.pi)
        skin = tuple(float(v) for v in base)
        cv2.ellipse(image, tuple(int(v) for v in centre), (int(radius), int(radius * 1.25)), np.degrees(turn), 0, 360, skin, -1)
        for finger in range(int(rng.integers(0, 6))):
            angle = turn + (finger - 2) * rng.uniform(0.22, 0.4)
            tip = centre + radius * rng.uniform(1.6, 2.8) * np.array([np.cos(angle), np.sin(angle)])
            start = centre + radius * 0.6 * np.array([np.cos(angle), np.sin(angle)])
            width = max(3, int(radius * rng.uniform(0.28, 0.42)))
            shade = tuple(float(v * rng.uniform(0.85, 1.05)) for v in base)
            cv2.line(image, tuple(int(v) for v in start), tuple(int(v) for v in tip), shade, width, cv2.LINE_AA)
    return cv2.GaussianBlur(image, (0, 0), rng.uniform(0.6, 3.0)).astype(np.float32) + noise(rng) * 0.1 - 12


def shapes(rng: np.random.Generator) -> np.ndarray:
    """Boxes, discs, lines: furniture, windows, wheels, balls."""
    image = np.ascontiguousarray(gradient(rng).astype(np.uint8))
    for _ in range(int(rng.integers(3, 30))):
        a, b = rng.integers(-20, SIDE + 20, 2), rng.integers(-20, SIDE + 20, 2)
        fill = -1 if rng.random() < 0.6 else int(rng.integers(1, 9))
        kind = rng.integers(4)
        if kind == 0:
            cv2.rectangle(image, tuple(map(int, a)), tuple(map(int, b)), colour(rng), fill)
        elif kind == 1:
            cv2.circle(image, tuple(map(int, a)), int(rng.integers(3, 70)), colour(rng), fill, cv2.LINE_AA)
        elif kind == 2:
            axes = (int(rng.integers(4, 80)), int(rng.integers(4, 80)))
            cv2.ellipse(image, tuple(map(int, a)), axes, float(rng.uniform(0, 180)), 0, 360, colour(rng), fill, cv2.LINE_AA)
        else:
            cv2.line(image, tuple(map(int, a)), tuple(map(int, b)), colour(rng), int(rng.integers(1, 14)), cv2.LINE_AA)
    return image


MAKERS: list[Callable[[np.random.Generator], np.ndarray]] = [noise, gradient, pattern, text, text, hand, hand, shapes]


def one(task: tuple[int, int]) -> np.ndarray:
    seed, place = task
    rng = np.random.default_rng(task)
    image = np.clip(MAKERS[place % len(MAKERS)](rng), 0, 255)
    if rng.random() < 0.3:
        image = image + rng.normal(0, rng.uniform(2, 18), image.shape)
    return np.clip(image, 0, 255).astype(np.uint8)


def drawn(count: int, seed: int) -> list[np.ndarray]:
    """`count` RGB pictures of 256 x 256; call it before the GPU is in use, since it forks."""
    tasks = [(seed, place) for place in range(count)]
    jobs = min(len(os.sched_getaffinity(0)), 12)
    if jobs < 3:
        return [one(task) for task in tasks]
    with multiprocessing.get_context("fork").Pool(jobs) as pool:
        return pool.map(one, tasks, chunksize=16)


def scrambled(image: np.ndarray, box: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A face cut into blocks that are shuffled and turned: all its parts and colours, and no face."""
    x1, y1, x2, y2 = (int(v) for v in box)
    height, width = image.shape[:2]
    crop = image[max(y1, 0) : min(y2, height), max(x1, 0) : min(x2, width)]
    if min(crop.shape[:2]) < 8:
        crop = image
    cells = int(rng.integers(3, 7))
    side = SIDE // cells
    crop = cv2.resize(crop, (side * cells, side * cells), interpolation=cv2.INTER_LINEAR)
    blocks = [crop[r * side : (r + 1) * side, c * side : (c + 1) * side] for r in range(cells) for c in range(cells)]
    turned = [np.rot90(blocks[place], int(rng.integers(4))) for place in rng.permutation(len(blocks))]
    rows = [np.concatenate(turned[r * cells : (r + 1) * cells], 1) for r in range(cells)]
    image = cv2.resize(np.concatenate(rows, 0), (SIDE, SIDE))
    return cv2.GaussianBlur(image, (0, 0), rng.uniform(0.5, 6.0)) if rng.random() < 0.5 else image
