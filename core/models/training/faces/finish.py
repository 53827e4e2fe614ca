"""From the model's small picture to a portrait: quiet background, size, turn, colour of the light, grain."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from .register import GRID, SIDE

NECK = np.array([SIDE / 2, 169.0, 1.0])  # where the collar meets the neck in the small picture


@dataclass
class Shot:
    """What one picture is taken like. Angles in degrees, shifts in parts of the frame."""

    turn: float = 0.0
    zoom: float = 1.0
    shift: tuple[float, float] = (0.0, 0.0)
    warmth: float = 0.0  # above 0: redder, below: bluer
    brightness: float = 1.0
    gamma: float = 1.0
    blur: float = 0.0
    grain: float = 2.5
    backdrop: tuple[float, float, float] = (120.0, 118.0, 112.0)  # blue, green, red
    cloth: tuple[float, float, float] = (90.0, 70.0, 60.0)


def around_head() -> np.ndarray:
    """0 on head, hair and neck, rising to 1 in the background."""
    head = np.hypot((GRID[..., 0] - 96) / 60, (GRID[..., 1] - 95) / 86)
    neck = np.hypot((GRID[..., 0] - 96) / 46, (GRID[..., 1] - 190) / 60)
    return np.clip((np.minimum(head, neck) - 0.95) / 0.28, 0, 1)[..., None].astype(np.float32)


def quiet(picture: np.ndarray, backdrop: tuple[float, float, float], mix: float = 0.75) -> np.ndarray:
    """The averaged background, which is restless, made soft and drawn towards one colour that darkens downwards."""
    away = around_head()
    soft = cv2.GaussianBlur(picture, (0, 0), 5) * (1 - away) + cv2.GaussianBlur(picture, (0, 0), 16) * away
    wall = np.array(backdrop, np.float32) * (1.12 - 0.3 * GRID[..., 1:] / SIDE)
    return picture * (1 - away) + away * ((1 - mix * away) * soft + mix * away * wall)


def wall(size: tuple[int, int], colour: tuple[float, float, float], rng: np.random.Generator) -> np.ndarray:
    """A backdrop, darker downwards and away from its light, with slow changes in tone."""
    width, height = size
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    fall = 1.14 - 0.3 * y / height - 0.14 * np.abs(x / width - rng.uniform(0.2, 0.8))
    tone = cv2.GaussianBlur(rng.normal(0, 1, (height, width, 3)).astype(np.float32), (0, 0), 40)
    tone /= tone.std()
    return np.array(colour, np.float32) * fall[..., None] + 2.5 * tone + 6 * tone.mean(-1, keepdims=True)


def clothes(canvas: np.ndarray, neck: np.ndarray, scale: float, colour: tuple[float, float, float],
            rng: np.random.Generator) -> np.ndarray:
    """Shoulders in one plain cloth below the point `neck`; `scale`: pixels of the canvas per pixel of the model."""
    height, width = canvas.shape[:2]
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    aside, below = np.abs(x - neck[0]) / scale, (y - neck[1]) / scale
    collar = 12 * np.clip(1 - (aside / 34) ** 2, 0, 1)
    edge = collar + 36 * (np.clip(aside - 34, 0, None) / 66) ** 1.6 + 0.5 * np.clip(aside - 98, 0, None) ** 1.5  # arms
    cover = cv2.GaussianBlur((below > edge).astype(np.float32), (0, 0), 0.8 * scale)[..., None]
    folds = cv2.GaussianBlur(rng.normal(0, 1, (height, width)).astype(np.float32), (0, 0), 5 * scale, sigmaY=14 * scale)
    weave = cv2.GaussianBlur(rng.normal(0, 1, (height, width)).astype(np.float32), (0, 0), 0.8)
    light = 1.05 - 0.0022 * aside - 0.0012 * np.clip(below - edge, 0, None) + 0.05 * folds / folds.std() + 0.06 * weave
    return canvas * (1 - cover) + cover * np.array(colour, np.float32) * light[..., None]


def placed(canvas: np.ndarray, picture: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    """The person of a small picture in front of the canvas; `matrix`: from the picture into the canvas."""
    alpha = cv2.GaussianBlur(1 - np.clip(1.6 * around_head()[..., 0], 0, 1), (0, 0), 3)
    edge = np.minimum(np.minimum(GRID[..., 0], SIDE - 1 - GRID[..., 0]), GRID[..., 1])
    alpha *= np.clip(edge / 14, 0, 1) * np.clip((SIDE - 3 - GRID[..., 1]) / 8, 0, 1)
    size = canvas.shape[1::-1]
    alpha = cv2.warpAffine(alpha, matrix, size, flags=cv2.INTER_LINEAR)[..., None]
    moved = cv2.warpAffine(picture, matrix, size, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    return canvas * (1 - alpha) + alpha * moved


def frame(centre: tuple[float, float], turn: float, scale: float) -> np.ndarray:
    """The matrix that turns a small picture, enlarges it and puts its middle at `centre`."""
    matrix = cv2.getRotationMatrix2D((SIDE / 2, SIDE / 2), turn, scale)
    matrix[:, 2] += np.array(centre) - SIDE / 2
    return matrix


def portrait(picture: np.ndarray, shot: Shot, rng: np.random.Generator, side: int = 384) -> np.ndarray:
    """The finished picture, `side` x `side`, 8-bit BGR: enough room around the head for every detector."""
    canvas = wall((side, side), shot.backdrop, rng)
    scale = side / SIDE * 0.7 * shot.zoom
    centre = (side * (0.5 + shot.shift[0]), side * (0.40 + shot.shift[1]))
    matrix = frame(centre, shot.turn, scale)
    canvas = placed(canvas, quiet(picture.astype(np.float32), shot.backdrop), matrix)
    canvas = clothes(canvas, matrix @ NECK, scale, shot.cloth, rng)
    return grained(developed(canvas, shot), shot.grain, rng)


def developed(picture: np.ndarray, shot: Shot) -> np.ndarray:
    """Sharpness, exposure and colour of the light."""
    crisp = picture + 0.9 * (picture - cv2.GaussianBlur(picture, (0, 0), 2.0))
    crisp = crisp if shot.blur == 0 else cv2.GaussianBlur(crisp, (0, 0), shot.blur)
    tone = 255 * (np.clip(crisp, 0, 255) / 255) ** shot.gamma * shot.brightness
    return tone * np.array([1 - shot.warmth, 1.0, 1 + shot.warmth], np.float32)


def grained(picture: np.ndarray, grain: float, rng: np.random.Generator) -> np.ndarray:
    """Film grain: averaging has taken the skin's, and a detector trained on photographs expects some."""
    noise = cv2.GaussianBlur(rng.normal(0, 1, picture.shape[:2]).astype(np.float32), (0, 0), 0.7)
    return np.clip(picture + (grain / noise.std() * noise)[..., None], 0, 255).round().astype(np.uint8)
