"""Face alignment: least-squares similarity (Umeyama 1991) onto a 5-point template, and the crop it gives."""

from __future__ import annotations

import cv2
import numpy as np

# image-left eye, image-right eye, nose, image-left mouth corner, image-right mouth corner
ARCFACE_112 = np.array(
    [[38.2946, 51.6963], [73.5318, 51.5014], [56.0252, 71.7366], [41.5493, 92.3655], [70.7299, 92.2041]]
)
# The template of face-reidentification-retail-0095, in its 128 x 128 input.
RETAIL_128 = 128.0 * np.array(
    [[0.315569, 0.461574], [0.682623, 0.459834], [0.500262, 0.640505], [0.349472, 0.824692], [0.653436, 0.823251]]
)


def similarity(source: np.ndarray, target: np.ndarray) -> np.ndarray:
    """The 2x3 matrix of the rotation, uniform scale and shift that carries `source` nearest to `target`."""
    source, target = np.asarray(source, float), np.asarray(target, float)
    mean_s, mean_t = source.mean(0), target.mean(0)
    centred_s, centred_t = source - mean_s, target - mean_t
    u, singular, vt = np.linalg.svd(centred_t.T @ centred_s / len(source))
    sign = np.array([1.0, np.sign(np.linalg.det(u @ vt))])  # a rotation, never a mirror image
    scale = (singular * sign).sum() / centred_s.var(0).sum()
    linear = scale * (u * sign) @ vt
    return np.column_stack([linear, mean_t - linear @ mean_s])


def crop(image: np.ndarray, landmarks: np.ndarray, template: np.ndarray, size: int, margin: int = 0) -> np.ndarray:
    """The `size` x `size` aligned crop with `margin` more pixels on every side; outside the picture is 0."""
    matrix = similarity(landmarks, template + margin)
    side = size + 2 * margin
    return cv2.warpAffine(image, matrix, (side, side), flags=cv2.INTER_LINEAR, borderValue=0)


def transform(matrix: np.ndarray, points: np.ndarray) -> np.ndarray:
    """`points` (N x 2) through a 2x3 matrix."""
    return np.asarray(points) @ matrix[:, :2].T + matrix[:, 2]
