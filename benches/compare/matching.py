#!/usr/bin/env python3
"""Exact search beside faiss, usearch, hnswlib and numpy, on the same vectors, one thread each, in one run.

Makes galleries of unit vectors, runs our program `matching` and the peers in turn in this process, and writes
MATCHING.md. A time is the least of the rounds of a probe, averaged over the probes: on a busy machine the least says
most. With FACEPRINT_CLOCK=cpu both sides count the time of their thread on the core instead of the wall clock.
"""

import argparse
import json
import os
import platform
import subprocess
import tempfile
import time
from pathlib import Path

for name in ("OMP", "OPENBLAS", "MKL"):
    os.environ[f"{name}_NUM_THREADS"] = "1"

import faiss  # noqa: E402
import hnswlib  # noqa: E402
import numpy  # noqa: E402
import usearch  # noqa: E402
from usearch.index import MetricKind, search as usearch_search  # noqa: E402

DIMENSION = 512
PROBES = 64
LIMIT = 10
CPU = os.environ.get("FACEPRINT_CLOCK") == "cpu"


def now():
    return time.thread_time() if CPU else time.perf_counter()


def unit(rows):
    rows /= numpy.linalg.norm(rows, axis=1, keepdims=True)
    return rows


def isotropic(rows, random):
    """Directions anywhere: as hard as it gets for bounds, since nothing stands out."""
    gallery = numpy.empty((rows, DIMENSION), numpy.float32)
    for start in range(0, rows, 50_000):
        part = gallery[start : start + 50_000]
        part[:] = unit(random.standard_normal(part.shape, dtype=numpy.float32))
    return gallery


def clustered(rows, random):
    """A thousand groups, each with cosines of about 0.5 within."""
    middles = isotropic(1000, random)
    gallery = isotropic(rows, random)
    for start in range(0, rows, 50_000):
        part = gallery[start : start + 50_000]
        part += middles[random.integers(0, len(middles), len(part))]
        unit(part)
    return gallery


def around(faces):
    """Real templates first, then others at a cosine of about 0.8 to one of them."""

    def made(rows, random):
        gallery = isotropic(rows, random)
        for start in range(0, rows, 50_000):
            part = gallery[start : start + 50_000]
            part *= 0.6
            part += 0.8 * faces[random.integers(0, len(faces), len(part))]
            unit(part)
        gallery[: len(faces)] = faces[:rows]
        return gallery

    return made


def probes_of(gallery, random):
    """Each at a cosine of about 0.5 to somebody."""
    mates = gallery[random.integers(0, len(gallery), PROBES)]
    noise = unit(random.standard_normal(mates.shape, dtype=numpy.float32))
    return unit(0.5 * mates + 0.75**0.5 * noise)


class Ours:
    """The program `matching`, which holds the gallery and takes lines."""

    def __init__(self, program, gallery, probes, folder):
        files = [Path(folder) / "gallery.f32", Path(folder) / "probes.f32"]
        gallery.tofile(files[0])
        probes.tofile(files[1])
        command = [program, *map(str, files), str(DIMENSION)]
        pipe = subprocess.PIPE
        self.process = subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True)
        self.about = json.loads(self.process.stdout.readline())

    def ask(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def least(self, line, rounds):
        return float(numpy.min([self.ask(line) for _ in range(rounds)], axis=0).mean())

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def least(rounds, calls):
    """Milliseconds: the least of the rounds of each call, averaged."""
    times = []
    for _ in range(rounds):
        times.append([])
        for call in calls:
            started = now()
            call()
            times[-1].append(1e3 * (now() - started))
    return float(numpy.min(times, axis=0).mean())


def numpy_top(gallery, probes):
    scores = probes @ gallery.T
    return numpy.argpartition(scores, -LIMIT, axis=1)[:, -LIMIT:]


def peers(gallery, probes, rounds, batch_rounds):
    """Rows of (name, single ms, batch ms)."""
    flat = faiss.IndexFlatIP(DIMENSION)
    flat.add(gallery)
    quantizer = faiss.ScalarQuantizer.QT_8bit
    eight = faiss.IndexScalarQuantizer(DIMENSION, quantizer, faiss.METRIC_INNER_PRODUCT)
    eight.train(gallery[:50_000])
    eight.add(gallery)
    brute = hnswlib.BFIndex(space="ip", dim=DIMENSION)
    brute.init_index(max_elements=len(gallery))
    brute.set_num_threads(1)
    brute.add_items(gallery)
    searches = {
        "faiss IndexFlatIP": lambda it: flat.search(it, LIMIT),
        "faiss IndexScalarQuantizer 8 bit (not exact)": lambda it: eight.search(it, LIMIT),
        "usearch exact": lambda it: usearch_search(
            gallery, it, LIMIT, MetricKind.IP, exact=True, threads=1
        ),
        "hnswlib BFIndex": lambda it: brute.knn_query(it, LIMIT, num_threads=1),
        "numpy": lambda it: numpy_top(gallery, it),
    }
    for name, search in searches.items():
        single = least(rounds, [lambda row=row: search(probes[row : row + 1]) for row in range(8)])
        yield name, single, least(batch_rounds, [lambda: search(probes)])


def agreement(ours, gallery, probes):
    """Subjects of our best ten that are in faiss's, and the greatest difference of a similarity."""
    flat = faiss.IndexFlatIP(DIMENSION)
    flat.add(gallery)
    scores, found = flat.search(probes, LIMIT)
    same, apart = 0, 0.0
    for answer, ids, values in zip(ours.ask(f"answers {LIMIT}"), found, scores):
        same += len({subject for subject, _ in answer} & set(ids.tolist()))
        apart = max(apart, max(abs(value - other) for (_, value), other in zip(answer, values)))
    return same / found.size, apart


def measure(kind, make, rows, args, folder):
    random = numpy.random.default_rng(rows)
    gallery = make(rows, random)
    probes = probes_of(gallery, random)
    rounds = max(3, min(30, 2_000_000 // rows)) * args.rounds
    batch_rounds = 2 * args.rounds if rows >= 500_000 else 3 * args.rounds
    ours = Ours(args.program, gallery, probes, folder)
    lines = {
        "single": (f"single {LIMIT} -1 1", rounds),
        "threshold": (f"single {LIMIT} 0.3 1", rounds),
        "batch": (f"batch {LIMIT} -1 1", batch_rounds),
        "batch_threshold": (f"batch {LIMIT} 0.3 1", batch_rounds),
        "roster": (f"roster 50 {LIMIT}", rounds),
    }
    times = {name: ours.least(line, count) for name, (line, count) in lines.items()}
    same, apart = agreement(ours, gallery, probes)
    ours.close()
    table = [("faceprint", times["single"], times["batch"])]
    table.append(("faceprint, at least 0.3", times["threshold"], times["batch_threshold"]))
    if kind == "isotropic":
        table.extend(peers(gallery, probes, max(2, rounds // 3), args.rounds))
    result = {"kind": kind, "rows": rows, "table": table, "roster": times["roster"], "about": ours.about}
    print(json.dumps(result), flush=True)
    print(f"  best ten shared with faiss: {same:.4f}, scores apart by {apart:.1e} at most", flush=True)
    return result | {"same": same, "apart": apart}


def report(results, args):
    cpu = next(
        (it.split(":")[1].strip() for it in open("/proc/cpuinfo") if it.startswith("model name")),
        platform.processor(),
    )
    clock = "time on the core" if CPU else "wall clock"
    lines = [
        "# Matching beside its peers",
        "",
        "Written by `benches/compare/matching.py`, which says what is measured.",
        "",
        f"{cpu}, {os.cpu_count()} cores, one thread used; kernel {results[0]['about']['kernel']}; {clock}, the least of",
        f"several rounds. faiss-cpu {faiss.__version__}, usearch {usearch.__version__}, hnswlib "
        f"{args.hnswlib}, numpy {numpy.__version__}. {DIMENSION} values, best {LIMIT}; a batch is {PROBES} probes.",
        "Times in milliseconds; in brackets how many times as long as ours without a threshold.",
    ]
    for result in results:
        _, single, batch = result["table"][0]
        lines += [
            "",
            f"## {result['rows']:,} templates, {result['kind']}",
            "",
            "| | one probe | batch of 64 |",
            "|---|---|---|",
        ]
        for name, one, many in result["table"]:
            ratios = ("", "") if name.startswith("face") else (f" ({one / single:.1f})", f" ({many / batch:.1f})")
            lines.append(f"| {name} | {one:.3f}{ratios[0]} | {many:.1f}{ratios[1]} |")
        lines += [
            "",
            f"A roster of 50: {result['roster']:.4f} ms, {single / result['roster']:.0f} times faster than everybody. Of our "
            f"best ten {result['same']:.2%} are faiss's too; scores differ by {result['apart']:.0e} at most.",
        ]
    args.out.write_text("\n".join(lines) + "\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--program", required=True, help="our binary `matching`")
    parser.add_argument("--faces", type=Path, help="templates as .npy, for vectors around real faces")
    parser.add_argument("--rows", type=int, nargs="+", default=[5_000, 10_000, 100_000, 1_000_000])
    parser.add_argument("--rounds", type=int, default=1, help="multiplies the rounds")
    parser.add_argument("--out", type=Path, default=Path(__file__).with_name("MATCHING.md"))
    args = parser.parse_args()
    from importlib.metadata import version

    args.hnswlib = version("hnswlib")
    faiss.omp_set_num_threads(1)
    kinds = {"isotropic": isotropic, "clustered": clustered}
    if args.faces:
        kinds["around real faces"] = around(unit(numpy.load(args.faces).astype(numpy.float32)))
    results = []
    with tempfile.TemporaryDirectory() as folder:
        for rows in args.rows:
            for kind, make in kinds.items():
                results.append(measure(kind, make, rows, args, folder))
                report(results, args)


if __name__ == "__main__":
    main()
