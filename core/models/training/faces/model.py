"""A linear model of faces in dense correspondence, and people composed in it.

A texture (in the common shape) and a shape (where each of its points lies in the picture) are, each,
mean + slope x description + identity. The slope, fitted over all training faces, is what pose, expression and light do;
a generated person's identity is the weighted mean of what is left of many different people, drawn apart from the mean
a little (`Person.strength`) because averaging brings everyone nearer to it.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from .register import COARSE, GRID, SIDE, fine

NOSE_X, NOSE_Y, MOUTH_LEFT, MOUTH_RIGHT = 4, 5, 6, 8
SHARP, COLOUR, LUMINANCE, FROM_LEFT = 10, 11, 12, 13


@dataclass
class Person:
    texture: np.ndarray  # SIDE x SIDE x 3, difference from the mean with the described part taken out
    shape: np.ndarray  # COARSE x COARSE x 2, likewise
    description: np.ndarray  # the parents' mean, where this person's pictures vary around
    parents: list[int]
    weights: np.ndarray
    strength: float = 1.25


class Model:
    def __init__(self, folder: Path) -> None:
        table = np.load(folder / "faces.npz")
        self.names, self.description = table["name"], table["description"].astype(np.float64)
        identity = table["identity"].astype(np.float64)
        self.identity = identity / np.linalg.norm(identity, axis=1, keepdims=True)
        self.flow = table["flow"]
        self.textures = np.load(folder / "textures.npy", mmap_mode="r")
        self.inside = np.load(folder / "inside.npy", mmap_mode="r")
        fitted = folder / "slopes.npz"
        if not fitted.exists():
            np.savez(fitted, **self._fit())
        slopes = np.load(fitted)
        self.texture_slope, self.shape_slope = slopes["texture"], slopes["shape"]

    def _inputs(self) -> np.ndarray:
        return np.column_stack([self.description, np.ones(len(self.description))])

    def _fit(self) -> dict[str, np.ndarray]:
        """Ridge regression of textures and shapes on the descriptions; the last row is the mean at description 0."""
        x = self._inputs()
        solved = np.linalg.solve(x.T @ x + 20.0 * np.diag([1.0] * 14 + [0.0]), x.T)
        texture = np.zeros((x.shape[1], SIDE * SIDE * 3), np.float32)
        for start in range(0, len(x), 256):
            some = self.textures[start : start + 256].reshape(-1, SIDE * SIDE * 3).astype(np.float32)
            texture += solved[:, start : start + 256].astype(np.float32) @ some
        shape = solved @ self.flow.reshape(len(x), -1).astype(np.float64)
        return {"texture": texture, "shape": shape.astype(np.float32)}

    def direction(self, place: int | tuple[int, int]) -> np.ndarray:
        """How the landmarks move, on average, as one offset (or the difference of two) grows by its own deviation."""
        centred = self.description - self.description.mean(0)
        drive = centred[:, place] if isinstance(place, int) else centred[:, place[0]] - centred[:, place[1]]
        moved = centred.T @ drive / (drive @ drive) * drive.std()
        moved[10:] = 0
        return moved

    def compose(self, rng: np.random.Generator, seed: int, count: int = 10, among: int = 40) -> Person:
        """Someone new from `count` people out of the `among` who are like face `seed`, which itself is left out."""
        likeness = self.identity @ self.identity[seed]
        order = [i for i in np.argsort(likeness)[::-1] if likeness[i] < 0.75][:among]
        parents: list[int] = []
        for i in rng.permutation(order):
            if len(parents) < count and all(self.identity[i] @ self.identity[j] < 0.6 for j in parents):
                parents.append(int(i))
        weights = rng.dirichlet(np.full(len(parents), 40.0))
        x = self._inputs()
        texture, total = np.zeros((SIDE, SIDE, 3), np.float32), np.zeros((SIDE, SIDE, 1), np.float32)
        shape = np.zeros((COARSE, COARSE, 2))
        for i, weight in zip(parents, weights, strict=True):
            rest = self.textures[i] - (x[i] @ self.texture_slope).reshape(SIDE, SIDE, 3)
            seen = cv2.resize(self.inside[i], (SIDE, SIDE))[..., None].astype(np.float32) / 255 + 0.02
            texture, total = texture + weight * seen * rest, total + weight * seen
            shape += weight * (self.flow[i] - (x[i] @ self.shape_slope).reshape(COARSE, COARSE, 2))
        texture = (texture / total).astype(np.float32)
        return Person(texture, shape, weights @ self.description[parents], parents, weights)

    def render(self, person: Person, description: np.ndarray) -> np.ndarray:
        """The picture (SIDE x SIDE x 3, float 0..255) of a person in one pose, expression and light."""
        x = np.append(description, 1.0)
        texture = (x @ self.texture_slope).reshape(SIDE, SIDE, 3) + person.strength * person.texture
        shape = (x @ self.shape_slope).reshape(COARSE, COARSE, 2) + person.strength * person.shape
        shape = cv2.GaussianBlur(fine(shape), (0, 0), 2)
        where = np.zeros_like(shape)
        for _ in range(12):  # the inverse of "template point -> picture point"
            where = -cv2.remap(shape, GRID + where, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        texture = np.clip(texture, 0, 255).astype(np.float32)
        return cv2.remap(texture, GRID + where, None, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE).clip(0, 255)
