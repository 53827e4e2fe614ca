"""The mean face of core/src/quality/pose.rs: heights and depths of five landmarks from many unlabelled faces.

    python common/mean_face.py W/crops/faces.tsv lfw_unpaired

Prints medians over the faces of the sets named. A single face's foreshortening says little about its turn, since people
differ; the median over faces that are turned alike says it to a few percent, and from the turn and the nose's shift
follows the nose's depth.
"""
import sys

import numpy as np

INTER_EYE = 63.0  # millimetres between the pupils: Dodgson 2004
MIN_SCORE, MIN_EYES = 0.8, 25.0  # detection score, pixels between the eyes


def landmarks(table, sets):
    rows = [line.split("\t") for line in open(table).read().splitlines()[1:]]
    good = lambda row: float(row[3]) > MIN_SCORE and float(row[4]) > MIN_EYES
    chosen = [row[5:15] for row in rows if row[0].startswith(tuple(sets)) and good(row)]
    return np.array(chosen, float).reshape(-1, 5, 2)


def upright(points):
    """Turned so that the eyes are level, from their middle, in units of the drop from eyes to mouth."""
    eyes, across = (points[:, 0] + points[:, 1]) / 2, points[:, 1] - points[:, 0]
    angle = -np.arctan2(across[:, 1], across[:, 0])
    turn = np.stack([np.cos(angle), -np.sin(angle), np.sin(angle), np.cos(angle)], 1).reshape(-1, 2, 2)
    level = np.einsum("nij,nkj->nki", turn, points - eyes[:, None])
    drop = (level[:, 3, 1] + level[:, 4, 1]) / 2
    return level / drop[:, None, None]


def main(table, *sets):
    points = upright(landmarks(table, sets))
    eyes = points[:, 1, 0] - points[:, 0, 0]
    nose, mouth = points[:, 2], (points[:, 3] + points[:, 4]) / 2
    width = np.linalg.norm(points[:, 4] - points[:, 3], axis=1)
    frontal = np.abs(nose[:, 0]) < 0.05
    drop = INTER_EYE / np.median(eyes[frontal])
    print(f"{len(points)} faces, {frontal.sum()} frontal; millimetres for {INTER_EYE} between the pupils:")
    print(f"mouth {drop:.1f} below the eyes, {np.median(width[frontal]) * drop:.1f} wide")
    print(f"nose {np.median(nose[frontal, 1]) * drop:.1f} below the eyes")
    for low, high in [(0.1, 0.2), (0.2, 0.3), (0.3, 0.4)]:
        turned = (np.abs(nose[:, 0]) > low) & (np.abs(nose[:, 0]) < high)
        cosine = np.median(eyes[turned]) / np.median(eyes[frontal])
        sine = np.sqrt(1 - cosine**2)
        side = np.sign(nose[turned, 0])
        nose_depth = np.median(nose[turned, 0] * side) * drop / sine
        mouth_depth = np.median(mouth[turned, 0] * side) * drop / sine
        yaw = np.degrees(np.arccos(cosine))
        print(f"turned {yaw:.0f} degrees ({turned.sum()}): nose {nose_depth:.1f} and mouth {mouth_depth:.1f} before the eyes")


if __name__ == "__main__":
    main(*sys.argv[1:])
