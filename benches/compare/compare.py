"""Asks the peers and the library the same questions in turn, and writes the table.

Questions go to one process at a time, picture by picture and round by round, all on one core, so that
whatever else the machine does weighs on all of them alike. A figure is the median over the rounds of a
picture, averaged over the pictures; with --best it is the fastest round instead of the median.
"""

import argparse
import json
import os
import pathlib
import platform
import statistics
import subprocess
import sys

STAGES = ["decode", "read and decode", "detect", "align", "embed", "whole"]


class Side:
    """A process that answers questions."""

    def __init__(self, command, core):
        pinned = ["taskset", "-c", str(core), *command] if core is not None else command
        pipe = subprocess.PIPE
        self.process = subprocess.Popen(pinned, stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL, text=True)
        self.engine = self.answer()["engine"]

    def ask(self, question, path):
        self.process.stdin.write(f"{question} {path}\n")
        self.process.stdin.flush()
        return self.answer()

    def answer(self):
        line = self.process.stdout.readline()
        if not line:
            sys.exit(f"{self.process.args} ended; run it by hand to see why")
        return json.loads(line)


class Figures:
    """Milliseconds by side, stage and picture, a sample for each round."""

    def __init__(self):
        self.samples = {}

    def add(self, side, path, times):
        for stage, value in times.items():
            self.samples.setdefault((side, stage), {}).setdefault(path, []).append(value)

    def of(self, side, stage, middle):
        pictures = self.samples.get((side, stage))
        return statistics.fmean(middle(it) for it in pictures.values()) if pictures else None

    def overhead(self, side, bare):
        """The whole pipeline over the floor measured by `bare`, as a share: the median of each picture's rounds."""
        whole, floor = self.samples[side, "whole"], self.samples[bare, "floor"]
        shares = [
            statistics.median(a / b - 1 for a, b in zip(whole[path], floor[path], strict=True)) for path in whole
        ]
        return statistics.fmean(shares)


def main():
    arguments = parse()
    shared = pathlib.Path(arguments.shared)
    environment = f"clock: {os.environ.get('FACEPRINT_CLOCK', 'wall')}, load {os.getloadavg()[0]:.1f} before"
    here = pathlib.Path(__file__).parent
    sides = {
        "peer": Side([sys.executable, str(here / "peers.py"), str(shared / "models")], arguments.core),
        "ours": Side([arguments.stages], arguments.core),
        "bare": Side([arguments.stages, "--bare"], arguments.core),
        "rten": Side([arguments.stages, "--rten"], arguments.core),
    }
    group = [str(shared / "golden/images/insightface_t1.png")]
    people = sorted((shared / "lfw/images").glob("*/*_0001.jpg"))
    recall, single = count_faces(sides, sorted((shared / "golden/images").glob("*.png")), people, arguments)
    lines = [
        "# What was measured",
        "",
        "Written by `run.sh`; see [README](../README.md) for what the rows are.",
        "",
        f"- machine: {machine()}; one thread on core {arguments.core}; {environment}",
        f"- peer: {sides['peer'].engine}",
        f"- ours: {sides['ours'].engine}",
        f"- bare runs beside ours: {sides['bare'].engine}",
        f"- pure Rust: {sides['rten'].engine}",
        f"- {arguments.rounds} rounds, {'fastest' if arguments.best else 'median'} of each picture's",
        "",
    ]
    titles = {
        "group": ("golden insightface_t1.png, 800x554 PNG, 6 faces", group),
        "one": (f"{len(single)} one-face LFW pictures, 250x250 JPEG", single),
    }
    for title, paths in titles.values():
        figures = measure(sides, paths, arguments.rounds)
        lines += table(title, figures, min if arguments.best else statistics.median)
    lines += recall
    lines.append(f"Load after: {os.getloadavg()[0]:.1f}.")
    text = "\n".join(lines) + "\n"
    print(text)
    if arguments.out:
        pathlib.Path(arguments.out).write_text(text, encoding="utf-8")


def parse():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--shared", required=True, help="folder with golden, lfw and models")
    parser.add_argument("--stages", required=True, help="the built binary `stages`")
    parser.add_argument("--pictures", type=int, default=50, help="one-face LFW pictures to time")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--recall", type=int, default=300, help="LFW pictures to count faces in; 0: all")
    parser.add_argument("--core", type=int, default=0)
    parser.add_argument("--best", action="store_true", help="fastest rounds: for a machine that is not quiet")
    parser.add_argument("--out", help="write the table here too")
    return parser.parse_args()


def measure(sides, paths, rounds):
    figures = Figures()
    for path in paths:
        for round_ in range(rounds + 1):
            # The pure-Rust runtime is several times slower and not what is compared.
            names = ["peer", "ours", "bare"] + (["rten"] if round_ < 3 else [])
            for name in names if round_ % 2 else names[::-1]:
                times = sides[name].ask("time", path)
                if round_ > 0:
                    figures.add(name, path, times)
    return figures


def table(title, figures, middle):
    def cell(value):
        return "" if value is None else f"{value:.2f}"

    def row(name, peer, ours, rten):
        ratio = f"{peer / ours:.2f}" if peer and ours else ""
        pure = f"{peer / rten:.2f}" if peer and rten else ""
        return f"| {name} | {cell(peer)} | {cell(ours)} | {ratio} | {cell(rten)} | {pure} |"

    def of(side, stage):
        return figures.of(side, stage, middle)

    lines = [
        f"## {title}",
        "",
        "| ms a picture | peer | ours | peer / ours | ours, pure Rust | peer / pure Rust |",
        "|---|---:|---:|---:|---:|---:|",
    ]
    lines += [row(stage, *(of(side, stage) for side in ("peer", "ours", "rten"))) for stage in STAGES]
    for stage in ("detect", "whole"):
        automatic = (of(side, f"{stage} auto") for side in ("ours", "rten"))
        lines.append(row(f"{stage}, automatic size", of("peer", stage), *automatic))
    for stage in ("detect", "embed"):
        bare = (of(side, f"bare {stage}") for side in ("peer", "bare"))
        lines.append(row(f"{stage}, bare runs", *bare, None))
    lines.append(row("YuNet, own size", *(of(side, "yunet") for side in ("peer", "ours", "rten"))))
    lines += [
        row("decode and bare runs", of("peer", "floor"), of("bare", "floor"), None),
        "",
        f"The whole pipeline over decoding and bare runs: ours {figures.overhead('ours', 'bare'):+.1%}, "
        f"peer {figures.overhead('peer', 'peer'):+.1%} (median of the rounds), ours "
        f"{of('ours', 'whole') / of('bare', 'floor') - 1:+.1%} by the table.",
        "",
    ]
    return lines


def count_faces(sides, golden, people, arguments):
    """Faces found by each, and which of the reference's were found; also pictures with one face."""
    step = max(1, len(people) // arguments.recall) if arguments.recall else 1
    people = people[::step]
    lines = [
        "## Faces found",
        "",
        "The reference is InsightFace at 640x640; found means a box with an overlap (IoU) of at least 0.5. Of all faces "
        "that the reference or our automatic size finds, the last two columns say who finds how many.",
        "",
        "| pictures | reference | ours 640 | found | ours automatic | found | of all: reference | of all: automatic |",
        "|---|---:|---:|---:|---:|---:|---:|---:|",
    ]
    single = []
    for name, paths in (("golden", golden), ("LFW", people)):
        total, counts, found, lost = 0, [0, 0], [0, 0], 0
        for path in map(str, paths):
            reference = sides["peer"].ask("faces", path)["square"]
            ours = sides["ours"].ask("faces", path)
            total += len(reference)
            for index, size in enumerate(("square", "auto")):
                counts[index] += len(ours[size])
                found[index] += sum(any(iou(a, b) >= 0.5 for b in ours[size]) for a in reference)
            lost += not reference and bool(ours["auto"])
            if name == "LFW" and len(reference) == 1 and len(ours["auto"]) == 1:
                single.append(path)
        everybody = total + counts[1] - found[1]
        shares = [f"{it:.2%}" for it in (*(it / total for it in found), total / everybody, counts[1] / everybody)]
        lines.append(
            f"| {len(paths)} {name} | {total} | {counts[0]} | {shares[0]} | {counts[1]} | {' | '.join(shares[1:])} |"
        )
        lines.append(f"| … in which only the automatic size finds a face | {lost} | | | | | | |")
    step = max(1, len(single) // arguments.pictures)
    return [*lines, ""], single[::step][: arguments.pictures]


def iou(a, b):
    width = min(a[2], b[2]) - max(a[0], b[0])
    height = min(a[3], b[3]) - max(a[1], b[1])
    shared = max(width, 0) * max(height, 0)
    return shared / ((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - shared)


def machine():
    model = platform.processor()
    text = subprocess.run(["lscpu"], capture_output=True, text=True, check=False).stdout
    found = dict(line.split(":", 1) for line in text.splitlines() if ":" in line)
    model = found.get("Model name", model).strip()
    family = found.get("CPU family", "").strip()
    return f"{model} (family {family}), {os.cpu_count()} cores, {platform.system()} {platform.machine()}"


if __name__ == "__main__":
    main()
