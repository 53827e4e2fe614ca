"""Verification statistics: k-fold accuracy, TAR at FAR, thresholds at false-match rates, Wilson intervals."""

from __future__ import annotations

import numpy as np


def wilson(hits: int, n: int, z: float = 1.959964) -> tuple[float, float]:
    """95 % confidence interval of a proportion."""
    if n == 0:
        return 0.0, 1.0
    p, q = hits / n, z * z / n
    middle, half = p + q / 2, z * np.sqrt(p * (1 - p) / n + q / (4 * n))
    return float((middle - half) / (1 + q)), float((middle + half) / (1 + q))


def best_threshold(scores: np.ndarray, same: np.ndarray) -> float:
    """The threshold (same at or above it) with the most right answers; the middle of the gap it lies in."""
    order = np.argsort(scores, kind="stable")
    ranked, genuine = scores[order], same[order]
    right = np.concatenate([[0], np.cumsum(~genuine)]) + np.concatenate([np.cumsum(genuine[::-1])[::-1], [0]])
    k = int(np.argmax(right))
    low = ranked[k - 1] if k > 0 else ranked[0] - 1e-3
    return float((low + (ranked[k] if k < len(ranked) else ranked[-1] + 1e-3)) / 2)


def fold_accuracy(scores: np.ndarray, same: np.ndarray, fold: np.ndarray) -> tuple[int, list[float]]:
    """Right answers when every fold is judged with the threshold chosen on the other folds; accuracy of each fold."""
    right, each = 0, []
    for k in np.unique(fold):
        threshold = best_threshold(scores[fold != k], same[fold != k])
        hits = (scores[fold == k] >= threshold) == same[fold == k]
        right, each = right + int(hits.sum()), [*each, float(hits.mean())]
    return right, each


def threshold_at(impostors: np.ndarray, rate: float) -> float:
    """The lowest threshold that at most `rate` of the impostor scores reach."""
    ranked = np.sort(impostors)[::-1]
    allowed = int(np.floor(rate * len(ranked)))
    return float(np.nextafter(ranked[allowed], np.float32(2), dtype=np.float32))


def cross_identity_scores(unit: np.ndarray, who: np.ndarray) -> np.ndarray:
    """The cosine of every pair of pictures of different people."""
    rows = [
        (unit[i + 1 :] @ unit[i])[who[i + 1 :] != who[i]].astype(np.float32) for i in range(len(unit) - 1)
    ]
    return np.concatenate(rows)
