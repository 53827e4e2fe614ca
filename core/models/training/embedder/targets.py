"""Step 2: the teachers' 512-d targets of the unaugmented crops (rows as in faces.tsv), and the held-out crops.

Training runs the teachers on every augmented view and reads no stored target; these choose the 500 crops of
`held_out.txt`, people that no other crop shows (no cosine of 0.4 or more), and serve reports and the example faces.
"""

from __future__ import annotations

import argparse
import csv
import sys
from pathlib import Path

import cv2
import numpy as np
import torch

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from common.teachers import Teachers  # noqa: E402


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--crops", type=Path, required=True)
    parser.add_argument("--teachers", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--retail-weight", type=float, default=0.6)
    parser.add_argument("--held-out", type=int, default=500)
    args = parser.parse_args()
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    teachers = Teachers(args.teachers, args.retail_weight).eval().to(device)
    with open(args.crops / "faces.tsv") as table:
        names = [row["crop"] for row in csv.DictReader(table, delimiter="\t")]
    rows = []
    for start in range(0, len(names), 64):
        chips = np.stack([cv2.imread(str(args.crops / n))[16:128, 16:128, ::-1] for n in names[start : start + 64]])
        view = torch.tensor(chips.transpose(0, 3, 1, 2).astype(np.float32) / 127.5 - 1).to(device)
        with torch.inference_mode():
            rows.append(teachers(view).cpu().numpy())
    targets = np.concatenate(rows)
    np.save(args.out, targets.astype(np.float16))
    nearest = np.full(len(targets), -1.0)
    for start in range(0, len(targets), 1024):
        scores = targets[start : start + 1024] @ targets.T
        scores[np.arange(len(scores)), np.arange(start, start + len(scores))] = -1
        nearest[start : start + 1024] = scores.max(1)
    alone = np.flatnonzero(nearest < 0.4)
    chosen = np.sort(np.random.default_rng(1).choice(alone, min(args.held_out, len(alone) // 2), replace=False))
    (args.crops / "held_out.txt").write_text("".join(names[i] + "\n" for i in chosen))
    print(f"{len(targets)} crops, {len(alone)} without a neighbour, {len(chosen)} held out; "
          f"{int((nearest > 0.9).sum())} have a near-duplicate (cosine above 0.9)")


if __name__ == "__main__":
    main()
