"""Step 2: the pictures of `examples/images`: people who do not exist, several pictures of each, and one group.

    python -m faces.make --pack ../train-data/faces --out examples/images

Deterministic: the same pack gives the same pictures. `faces.tsv` says who is in which picture, from left to right.
"""

from __future__ import annotations

import argparse
import shutil
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np

from .finish import NECK, Shot, clothes, developed, frame, grained, placed, portrait, quiet, wall
from .model import FROM_LEFT, LUMINANCE, MOUTH_LEFT, MOUTH_RIGHT, NOSE_X, NOSE_Y, SHARP, Model, Person

# Number of the drawing that gave each person: chosen among 160, for variety and for being plainly adult, by eye and so
# that the two permissive embedders hold them well apart.
KNOWN = {"alva": 20, "benno": 80, "cira": 22, "doran": 147, "elva": 101, "faro": 46, "gisa": 17, "hemo": 31}
UNKNOWN = {"unknown-1": 96, "unknown-2": 57}
GROUP = ("benno", "elva", "doran", "unknown-2", "faro", "gisa")
# turn of the head, nod, smile, light from the left, luminance: in deviations of the training faces
POSES = (
    (0.1, 0.1, 0.2, 0.2, 0.1),
    (1.4, -0.3, 1.2, 0.8, 0.0),
    (-1.3, 0.2, -0.4, -0.9, -0.3),
    (0.5, 1.1, 1.7, -0.3, 0.4),
    (-0.7, -1.0, 0.8, 1.3, -0.5),
)
SHOTS = (
    Shot(backdrop=(122, 120, 116)),
    Shot(turn=-5, zoom=1.04, shift=(0.02, -0.01), warmth=0.04, brightness=1.04, backdrop=(92, 112, 138)),
    Shot(turn=4, zoom=1.08, shift=(-0.03, 0.02), warmth=-0.04, gamma=1.08, backdrop=(132, 118, 96)),
    Shot(turn=7, zoom=0.92, shift=(-0.02, 0.01), brightness=1.08, gamma=0.92, grain=4.0, backdrop=(176, 180, 182)),
    Shot(turn=-8, zoom=1.0, shift=(0.03, 0.0), brightness=0.84, blur=0.7, grain=5.0, backdrop=(58, 66, 62)),
)
CLOTHS = ((96, 62, 44), (60, 60, 64), (52, 84, 60), (56, 58, 118), (128, 118, 104), (44, 44, 48), (150, 150, 156))


class Studio:
    def __init__(self, model: Model) -> None:
        self.model = model
        self.moves = [model.direction(place) for place in (NOSE_X, NOSE_Y, (MOUTH_RIGHT, MOUTH_LEFT))]
        self.moves += [np.eye(14)[FROM_LEFT], np.eye(14)[LUMINANCE]]

    def person(self, number: int) -> Person:
        rng = np.random.default_rng(number)
        return self.model.compose(rng, int(rng.integers(len(self.model.identity))))

    def take(self, person: Person, pose: tuple[float, ...], rng: np.random.Generator) -> np.ndarray:
        """One small picture: the pose asked for, give or take a little."""
        amounts = np.array(pose) + rng.normal(0, 0.15, len(pose))
        description = person.description + sum(a * move for a, move in zip(amounts, self.moves, strict=True))
        description[SHARP] += 0.5
        return self.model.render(person, description)


def group(studio: Studio, people: dict[str, Person], rng: np.random.Generator, size: tuple[int, int]) -> np.ndarray:
    """Everyone of `GROUP` side by side before one wall, the ones in front a little larger and lower."""
    colour = (112.0, 122.0, 128.0)
    canvas = wall(size, colour, rng)
    step = size[0] / (len(GROUP) + 0.25)
    scales = np.array([1.22, 1.38, 1.26, 1.40, 1.24, 1.34])
    for place in np.argsort(scales):  # the far ones first
        pose = tuple(np.clip(rng.normal(0, 1, 5), -1.2, 1.2) * [0.8, 0.6, 1.0, 0.4, 0.2] + [0, 0, 0.4, 0.3, 0])
        picture = quiet(studio.take(people[GROUP[place]], pose, rng).astype(np.float32), colour)
        centre = (step * (place + 0.625), size[1] * 0.44 + 140 * (scales[place] - 1.3))
        matrix = frame(centre, float(rng.uniform(-5, 5)), scales[place])
        canvas = placed(canvas, picture, matrix)
        canvas = clothes(canvas, matrix @ NECK, scales[place], CLOTHS[place], rng)
    return grained(developed(canvas, Shot(warmth=0.02)), 3.0, rng)


def main() -> None:
    parse = argparse.ArgumentParser()
    parse.add_argument("--pack", type=Path, required=True)
    parse.add_argument("--out", type=Path, required=True)
    parse.add_argument("--quality", type=int, default=88)
    args = parse.parse_args()
    studio = Studio(Model(args.pack))
    for folder in ("people", "probes"):
        shutil.rmtree(args.out / folder, ignore_errors=True)
    rows, people, drawings = [], {}, {**KNOWN, **UNKNOWN}
    for number, (name, seed) in enumerate(drawings.items()):
        people[name] = studio.person(seed)
        rng = np.random.default_rng(7000 + seed)
        for k, (pose, shot) in enumerate(zip(POSES, SHOTS, strict=True)):
            if name in UNKNOWN and k not in (0, 1, 3):
                continue
            mirrored = (-pose[0], *pose[1:3], -pose[3], pose[4]) if number % 2 else pose
            dressed = replace(shot, cloth=CLOTHS[(3 * number + k) % len(CLOTHS)])
            picture = portrait(studio.take(people[name], mirrored, rng), dressed, rng)
            path = f"people/{name}/{k + 1}.jpg" if name in KNOWN and k < 2 else f"probes/{name}-{k + 1}.jpg"
            (args.out / path).parent.mkdir(parents=True, exist_ok=True)
            cv2.imwrite(str(args.out / path), picture, [cv2.IMWRITE_JPEG_QUALITY, args.quality])
            rows.append((path, name, seed))
    picture = group(studio, people, np.random.default_rng(11), (1080, 380))
    cv2.imwrite(str(args.out / "group.jpg"), picture, [cv2.IMWRITE_JPEG_QUALITY, args.quality])
    rows += [("group.jpg", name, drawings[name]) for name in GROUP]
    with open(args.out / "faces.tsv", "w") as table:
        table.write("picture\tperson\tdrawing\n")
        table.writelines(f"{path}\t{name}\t{seed}\n" for path, name, seed in rows)


if __name__ == "__main__":
    main()
