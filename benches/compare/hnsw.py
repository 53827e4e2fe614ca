"""Graphs beside the exact scan (ours): recall and speed of hnsw_rs (ours), hnswlib and usearch on the same vectors.

    hnsw.py vectors FOLDER [--rows N] [--lfw LFW.npy --names LFW.txt]   makes the sets of vectors
    hnsw.py measure FOLDER --graphs GRAPHS [--polite] [--lock FILE]     builds, asks, and adds lines to FOLDER/results.jsonl
    hnsw.py report FOLDER --out HNSW.md                                 writes the page and its picture

LFW.npy holds one embedding a row (`faceprint embed … --out LFW.npy`), LFW.txt the pictures' paths in that order.
GRAPHS is the program of that name from this folder's crate. Probes are asked one at a time, on one thread, which is kept
on one core where the system can do that. Times are those of the process on the core, so that others on the machine
count for little: of the goes of a hundred probes the fastest.
"""

import argparse
import fcntl
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

DIMENSION = 512
PROBES = 1000
BLOCK = 100
EF = [16, 32, 64, 128, 256, 512]
LINKS, EF_CONSTRUCTION = 32, 200
GRAPHS = ["hnsw_rs", "hnswlib", "usearch"]


def unit(rows):
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def isotropic(rng, rows):
    """Directions anywhere, which is the worst for a graph; probes at a cosine of 0.5."""
    vectors = unit(rng.standard_normal((rows, DIMENSION), np.float32))
    return vectors, near(rng, vectors)


def clustered(rng, rows):
    """A thousand groups of people who look alike, cosine 0.36 within a group; probes at a cosine of 0.5."""
    middles = unit(rng.standard_normal((1000, DIMENSION), np.float32))
    noise = unit(rng.standard_normal((rows, DIMENSION), np.float32))
    vectors = unit(0.6 * middles[rng.integers(0, 1000, rows)] + 0.8 * noise)
    return vectors, near(rng, vectors)


def near(rng, vectors):
    mates = vectors[rng.choice(len(vectors), PROBES, replace=False)]
    noise = unit(rng.standard_normal((PROBES, DIMENSION), np.float32))
    return unit(0.5 * mates + 0.75**0.5 * noise)


def faces(rng, rows, embeddings, people):
    """People drawn from the normal distribution fitted to LFW's: what differs between people, and what differs
    between two pictures of one, have the covariances measured there."""
    order = np.argsort(people, kind="stable")
    groups = np.split(order, np.flatnonzero(np.diff(people[order])) + 1)
    rest = [embeddings[group] - embeddings[group].mean(0) for group in groups if len(group) > 1]
    degrees = sum(len(it) - 1 for it in rest)
    rest = np.concatenate(rest)
    within = rest.T @ rest / degrees
    firsts = embeddings[[group[0] for group in groups]]
    middle = firsts.mean(0)
    between = np.cov(firsts.T) - within

    def draw(covariance, count):
        values, axes = np.linalg.eigh(covariance)
        spread = (axes * np.sqrt(np.maximum(values, 0))).astype(np.float32)
        return rng.standard_normal((count, DIMENSION), np.float32) @ spread.T

    persons = middle.astype(np.float32) + draw(between, rows)
    vectors = unit(persons + draw(within, rows))
    mates = rng.choice(rows, PROBES, replace=False)
    return vectors, unit(persons[mates] + draw(within, PROBES))


def make(options):
    folder = Path(options.folder)
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(1)
    sets = {"isotropic": isotropic(rng, options.rows), "clustered": clustered(rng, options.rows)}
    if options.lfw:
        embeddings = np.load(options.lfw).astype(np.float64)
        names = [Path(line).parent.name for line in Path(options.names).read_text().split()]
        people = np.unique(names, return_inverse=True)[1]
        sets["faces"] = faces(rng, options.rows, embeddings, people)
    for name, (vectors, probes) in sets.items():
        vectors.tofile(folder / f"{name}.vectors")
        probes.tofile(folder / f"{name}.probes")
        scores = [probes @ vectors[at : at + 10_000].T for at in range(0, len(vectors), 10_000)]
        scores = np.concatenate(scores, axis=1)
        best = np.argmax(scores, axis=1)
        best.astype(np.int64).tofile(folder / f"{name}.best")
        top = np.sort(np.partition(scores, -2, axis=1)[:, -2:], axis=1)
        print(name, len(vectors), "best cosine", np.quantile(top[:, 1], [0.01, 0.5, 0.99]).round(3),
              "second", np.quantile(top[:, 0], [0.01, 0.5, 0.99]).round(3), flush=True)


def load(folder, name):
    vectors = np.fromfile(folder / f"{name}.vectors", np.float32).reshape(-1, DIMENSION)
    probes = np.fromfile(folder / f"{name}.probes", np.float32).reshape(-1, DIMENSION)
    return vectors, probes, np.fromfile(folder / f"{name}.best", np.int64)


def resident():
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmRSS"):
            return int(line.split()[1]) / 1024
    return 0.0


def child(library, folder, name, threads):
    """Builds, says so, and answers once a line comes in. The Rust program does the same."""
    vectors, probes, best = load(folder, name)
    before, started = resident(), time.process_time()
    if library == "hnswlib":
        import hnswlib

        index = hnswlib.Index("ip", DIMENSION)
        index.init_index(len(vectors), ef_construction=EF_CONSTRUCTION, M=LINKS)
        index.add_items(vectors, num_threads=threads)

        def ask(ef):
            index.set_ef(ef)
            return lambda probe: index.knn_query(probe, k=1, num_threads=1)[0][0, 0]

    else:
        from usearch.index import Index

        index = Index(ndim=DIMENSION, metric="ip", dtype="f32", connectivity=LINKS,
                      expansion_add=EF_CONSTRUCTION)
        index.add(np.arange(len(vectors)), vectors, threads=threads)

        def ask(ef):
            index.expansion_search = ef
            return lambda probe: index.search(probe, 1, threads=1).keys[0]

    print(json.dumps({"seconds": time.process_time() - started, "mib": resident() - before}), flush=True)
    sys.stdin.readline()
    for ef in EF:
        search = ask(ef)
        least = float("inf")
        found = []
        for at in range(0, len(probes), BLOCK):
            some = probes[at : at + BLOCK]
            started = time.process_time()
            found += [search(probe) for probe in some]
            least = min(least, (time.process_time() - started) / len(some))
        recall = float(np.mean(np.array(found, np.int64) == best))
        print(json.dumps({"ef": ef, "recall": recall, "ms": 1e3 * least}), flush=True)


def measure(options):
    folder = Path(options.folder)
    names = [name for name in ["isotropic", "clustered", "faces"] if (folder / f"{name}.vectors").exists()]
    for name in names if not options.only else [options.only]:
        for library in ["scan", *GRAPHS] if not options.library else [options.library]:
            ours = [options.graphs, *(folder / f"{name}.{it}" for it in ["vectors", "probes", "best"]), DIMENSION]
            if library == "scan":
                command = [*ours, "scan"]
            elif library == "hnsw_rs":
                command = [*ours, "graph", LINKS, EF_CONSTRUCTION, options.threads, *EF]
            else:
                command = [sys.executable, __file__, "child", folder, "--library", library, "--only", name,
                           "--threads", options.threads]
            program = subprocess.Popen([str(it) for it in command], text=True,
                                       stdin=subprocess.PIPE, stdout=subprocess.PIPE)
            if options.polite:
                os.setpriority(os.PRIO_PROCESS, program.pid, 10)
            built = json.loads(program.stdout.readline())
            with open(options.lock or os.devnull, "w") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX) if options.lock else None
                if options.polite:
                    os.setpriority(os.PRIO_PROCESS, program.pid, 0)
                if hasattr(os, "sched_setaffinity"):
                    os.sched_setaffinity(program.pid, {0})
                output, _ = program.communicate("ask\n")
            curve = [json.loads(line) for line in output.splitlines()]
            rows = os.path.getsize(folder / f"{name}.vectors") // (4 * DIMENSION)
            result = {"set": name, "rows": rows, "library": library, **built, "curve": curve}
            print(json.dumps(result), flush=True)
            with open(folder / "results.jsonl", "a") as results:
                results.write(json.dumps(result) + "\n")


def report(options):
    results = {}
    for line in (Path(options.folder) / "results.jsonl").read_text().splitlines():
        result = json.loads(line)
        results[result["set"], result["library"]] = result
    names = [name for name in ["faces", "clustered", "isotropic"] if {(name, "scan"), (name, "hnsw_rs")} <= results.keys()]
    out = Path(options.out)
    text = []
    for name in names:
        [scan] = results[name, "scan"]["curve"]
        rows, present = results[name, "scan"]["rows"], [it for it in GRAPHS if (name, it) in results]
        text += [f"### {name}, {rows:,} × {DIMENSION}", "",
                 f"The scan: recall {scan['recall']:.3f}, **{1000 / scan['ms']:,.0f} probes a second** ({scan['ms']:.2f} ms).", "",
                 "| ef | " + " | ".join(f"{it}: recall@1 | a second" for it in present) + " |",
                 "|---:|" + "---:|---:|" * len(present)]
        for at, ef in enumerate(EF):
            cells = [results[name, it]["curve"][at] for it in present]
            text.append(f"| {ef} | " + " | ".join(f"{it['recall']:.3f} | {1000 / it['ms']:,.0f}" for it in cells) + " |")
        cells = [results[name, it] for it in present]
        scanned = rows / scan["ms"]
        visits = [it["ms"] * scanned / (it["ef"] * LINKS) for it in results[name, "hnsw_rs"]["curve"]]
        text += ["| build, s | " + " | ".join(f"{it['seconds']:.0f} | " for it in cells) + " |",
                 "| memory, MiB | " + " | ".join(f"{it['mib']:.0f} | " for it in cells) + " |", "",
                 f"The scan's codes and values were ready after {results[name, 'scan']['seconds']:.1f} s, in {results[name, 'scan']['mib']:.0f} MiB. "
                 "Rows it passes while hnsw_rs takes one unit of ef and links: " + ", ".join(f"{it:.0f}" for it in visits)
                 + f" (ef {EF[0]} to {EF[-1]}); while one row is looked at alone: {scan['alone_us'] / 1000 * scanned:.0f}.", ""]
    page = out.read_text()
    begin, end = "<!-- measured -->\n", "<!-- /measured -->"
    head, rest = page.split(begin)
    out.write_text(head + begin + "\n".join(text) + end + rest.split(end)[1])
    out.with_suffix(".svg").write_text(picture(results, names))


def picture(results, names):
    """Recall over probes a second, one panel for each set; the scan is a dashed line."""
    width, height, left, top = 300, 220, 46, 34
    colors = {"hnsw_rs": "#c0392b", "hnswlib": "#2471a3", "usearch": "#1e8449"}
    low, high = np.log10(20), np.log10(20_000)
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{len(names) * (width + left) + 20}" '
             f'height="{height + 90}" font-family="sans-serif" font-size="11">',
             '<rect width="100%" height="100%" fill="white"/>']
    for number, name in enumerate(names):
        x0 = left + number * (width + left)

        def x(ms):
            return x0 + (np.log10(1000 / ms) - low) / (high - low) * width

        def y(recall):
            return top + (1 - recall) * height

        parts.append(f'<text x="{x0}" y="{top - 14}" font-weight="bold">{name}</text>')
        parts.append(f'<rect x="{x0}" y="{top}" width="{width}" height="{height}" fill="none" stroke="#999"/>')
        for speed in [20, 200, 2000, 20_000]:
            parts.append(f'<text x="{x(1000 / speed):.1f}" y="{top + height + 14}" text-anchor="middle">{speed} / s</text>')
        for recall in [0, 0.25, 0.5, 0.75, 1]:
            parts.append(f'<text x="{x0 - 5}" y="{y(recall) + 4:.1f}" text-anchor="end">{recall:g}</text>')
        scan = x(results[name, "scan"]["curve"][0]["ms"])
        parts.append(f'<line x1="{scan:.1f}" x2="{scan:.1f}" y1="{top}" y2="{top + height}" stroke="black" '
                     'stroke-dasharray="4 3"/>')
        for library, color in colors.items():
            curve = results.get((name, library), {"curve": []})["curve"]
            points = " ".join(f"{x(it['ms']):.1f},{y(it['recall']):.1f}" for it in curve)
            parts.append(f'<polyline points="{points}" fill="none" stroke="{color}" stroke-width="2"/>')
    for at, (library, color) in enumerate([*colors.items(), ("faceprint's scan (exact)", "black")]):
        x0 = left + at * 110
        parts.append(f'<rect x="{x0}" y="{top + height + 34}" width="12" height="4" fill="{color}"/>')
        parts.append(f'<text x="{x0 + 18}" y="{top + height + 40}">{library}</text>')
    return "\n".join([*parts, "</svg>"]) + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("command", choices=["vectors", "measure", "report", "child"])
    parser.add_argument("folder")
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--lfw")
    parser.add_argument("--names")
    parser.add_argument("--graphs")
    parser.add_argument("--only", help="one set of vectors")
    parser.add_argument("--library", choices=["scan", *GRAPHS], help="one library")
    parser.add_argument("--threads", type=int, default=2, help="of the build")
    parser.add_argument("--polite", action="store_true", help="build at a low priority; needs the right to raise it again")
    parser.add_argument("--lock", help="held while asking, so that one program measures at a time")
    parser.add_argument("--out")
    options = parser.parse_args()
    if options.command == "vectors":
        make(options)
    elif options.command == "measure":
        measure(options)
    elif options.command == "report":
        report(options)
    else:
        child(options.library, Path(options.folder), options.only, options.threads)


if __name__ == "__main__":
    main()
