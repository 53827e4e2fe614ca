"""Fails when the bundled pack on LFW folds 6-10 falls below what the model card says, less one fold's noise."""

import json
import sys

report = json.loads(open(sys.argv[1], encoding="utf-8").readlines()[-1])
at = {point["far"]: point["tar"] for point in report["operating_points"]}
checks = {
    "accuracy >= 0.985": report["accuracy"]["mean"] >= 0.985,
    "TAR at FAR 1e-2 >= 0.975": at[0.01] >= 0.975,
    "a face in every picture": not report["pictures_without_face"],
    "all pairs": report["pairs"] == 3000,
}
for name, holds in checks.items():
    print("ok  " if holds else "FAIL", name)
sys.exit(not all(checks.values()))
