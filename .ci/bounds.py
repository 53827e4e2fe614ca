"""Fails when the bundled pack on LFW folds 6-10 falls below what the model card says, less its noise.

Takes the report of `faceprint eval lfw` or of `faceprint eval identification`.
"""

import json
import sys


def verification(report):
    at = {point["far"]: point["tar"] for point in report["operating_points"]}
    yield "accuracy >= 0.985", report["accuracy"]["mean"] >= 0.985
    yield "TAR at FAR 1e-2 >= 0.975", at[0.01] >= 0.975
    yield "all pairs", report["pairs"] == 3000


def identification(report):
    """FNIR as the card has it; thresholds keep their FPIR, the pack's own and those learned from other people."""
    galleries = {gallery["size"]: gallery for gallery in report["galleries"]}
    yield "galleries up to two thirds of the people", sorted(galleries) == [100, 500, 1000, 1463]
    for size, fpir, most in [(100, 0.01, 0.18), (1000, 0.1, 0.17), (1000, 0.01, 0.32)]:
        points = {point["fpir"]: point for point in galleries[size]["operating_points"]}
        fnir = points[fpir]["measured"]["fnir"]["rate"]
        yield f"FNIR {fnir:.4f} at FPIR {fpir} among {size} <= {most}", fnir <= most
    for size, gallery in sorted(galleries.items()):
        for point in gallery["operating_points"]:
            rate = point["pack"]["fpir"]["rate"]
            yield f"FPIR {rate:.5f} at the pack's threshold for {point['fpir']} among {size}", rate <= point["fpir"]
    for promise in report["held_out"]:
        low, high = promise["fpir"]["interval"]
        name = f"FPIR [{low:.5f}, {high:.5f}] on other people for {promise['claimed']} among {promise['gallery']}"
        yield name, low <= promise["claimed"] and high >= promise["at_least"]
    yield "six promises on other people", len(report["held_out"]) == 6
    tail = report["impostors"]["tail"]
    yield "a tail as in the manifest", abs(tail["scale"] - 0.0437) < 0.002 and abs(tail["shape"] + 0.078) < 0.02


report = json.load(open(sys.argv[1], encoding="utf-8"))
checks = dict(identification(report) if "galleries" in report else verification(report))
checks["a face in every picture"] = not report["pictures_without_face"]
for name, holds in checks.items():
    print("ok  " if holds else "FAIL", name)
sys.exit(not all(checks.values()))
