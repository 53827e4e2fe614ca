"""The gallery at full size, beside what Python services do instead, and writes GALLERY.md.

Each figure comes from a process of its own, so that its memory can be told. Peers keep the same number of
512-value f32 vectors in an SQLite table, in the clear or each in a Fernet token (`cryptography`), read and decrypt
all of them into one numpy matrix, and find the nearest to a probe. The other way round, `gallery.py peer …`
is such a process.
"""

import argparse
import json
import os
import pathlib
import platform
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time

DIMENSION = 512
TEMPLATE_BYTES = 4 * DIMENSION
# Of all but single enrolments, which wait for the disk: time on the core, for a machine that is not quiet.
clock = time.process_time if os.environ.get("FACEPRINT_CLOCK") == "cpu" else time.perf_counter


def main():
    if sys.argv[1:2] == ["peer"]:
        print(json.dumps(PEERS[sys.argv[2]](*sys.argv[3:])))
        return
    arguments = parse()
    before = f"load {os.getloadavg()[0]:.1f} before"
    with tempfile.TemporaryDirectory(dir=arguments.work) as folder:
        figures = measure(arguments, pathlib.Path(folder))
    out = pathlib.Path(arguments.out)
    out.write_text(page(arguments, figures, before))
    print(out.read_text())


def parse():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--stages", required=True, help="the binary gallery-stages, built with --release")
    parser.add_argument("--sizes", default="10000,100000,1000000", help="templates per gallery")
    parser.add_argument("--fernet-up-to", type=int, default=100_000, help="largest size with Fernet per row")
    parser.add_argument("--enrolments", type=int, default=1_000, help="durable enrolments one by one")
    parser.add_argument("--rounds", type=int, default=3, help="how often a gallery is opened; the fastest counts")
    parser.add_argument("--work", default=None, help="where the files are made and deleted; the default is temporary")
    parser.add_argument("--out", default=str(pathlib.Path(__file__).with_name("GALLERY.md")))
    return parser.parse_args()


def measure(arguments, folder):
    """All figures, by what was measured."""

    def ours(*words):
        return ask([arguments.stages, *words])

    def peer(*words):
        return ask([sys.executable, __file__, "peer", *words])

    figures = {"ciphers": [ours("cipher")["bytes_per_second"]], "sizes": []}
    count = str(arguments.enrolments)
    figures["enroll"] = {
        "ours": ours("enroll", str(folder / "one"), count)["seconds"],
        "plain": peer("enroll", "plain", str(folder / "plain-one"), count)["seconds"],
        "fernet": peer("enroll", "fernet", str(folder / "fernet-one"), count)["seconds"],
    }
    for size in map(int, arguments.sizes.split(",")):
        row = {"templates": size}
        kinds = ["ours", "plain"] + ["fernet"] * (size <= arguments.fernet_up_to)
        for kind in kinds:
            side = ours if kind == "ours" else lambda what, *words, kind=kind: peer(what, kind, *words)
            path = folder / f"{kind}-{size}"
            row[kind] = {"fill": side("fill", str(path), str(size))}
            rounds = [side("open", str(path)) for _ in range(arguments.rounds)]
            assert all(it["templates"] == size for it in rounds), "not all templates were read"
            fastest = min(rounds, key=lambda it: it["open"] + it["first"])
            row[kind]["open"] = fastest
            path.unlink()
        figures["sizes"].append(row)
        figures["ciphers"].append(ours("cipher")["bytes_per_second"])
    return figures


def ask(command):
    return json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout)


def page(arguments, figures, before):
    cipher = max(figures["ciphers"])
    lines = [
        "# What a gallery costs",
        "",
        "Written by `gallery.py`; [README](../README.md) says what the rows are and how to measure again.",
        "",
        f"- {time.strftime('%Y-%m-%d')}; {machine()}; {before}, {os.getloadavg()[0]:.1f} after",
        f"- templates of {DIMENSION} f32 values ({TEMPLATE_BYTES:,} bytes), random; one per subject, one tenant",
        f"- clock: {'time on the core' if clock is time.process_time else 'wall'}, of single enrolments: wall; "
        f"opened {arguments.rounds} times each, the fastest counts; files lie in the system's cache",
        f"- peers: Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}, {versions()}",
        f"- the cipher alone (XChaCha20-Poly1305, one thread, values of {TEMPLATE_BYTES:,} bytes): "
        f"{cipher / 1e9:.2f} GB/s",
        "",
        "## One enrolment, on disk when it returns",
        "",
        "Ours looks for duplicates in the same commit; the peers do not.",
        "",
        f"| {arguments.enrolments:,} one by one | median ms | 99th percentile ms |",
        "|---|---:|---:|",
    ]
    for kind, seconds in figures["enroll"].items():
        percentiles = statistics.quantiles(seconds, n=100)
        lines.append(f"| {NAMES[kind]} | {percentiles[49] * 1e3:.2f} | {percentiles[98] * 1e3:.2f} |")
    lines += [
        "",
        "## Many",
        "",
        "Writing: `enroll_all` without the check for duplicates, 100,000 in a durable commit; the peers one commit for all. "
        "Opening: from the closed file to the first answer of `identify` among all, that is with every row "
        "verified and every template decrypted. GB/s are bytes of template values.",
        "",
        "| templates | | write s | templates/s | bytes each in the file | open s | first identify s | together s | GB/s | "
        "of the cipher's | peak memory MB | next identify ms |",
        "|---:|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for row in figures["sizes"]:
        size = row["templates"]
        for kind in [it for it in NAMES if it in row]:
            fill, opened = row[kind]["fill"], row[kind]["open"]
            write, total = sum(fill["seconds"]), opened["open"] + opened["first"]
            speed = size * TEMPLATE_BYTES / total
            share = f"{speed / cipher:.0%}" if kind == "ours" else ""
            lines.append(
                f"| {size:,} | {NAMES[kind]} | {write:.2f} | {size / write:,.0f} | {fill['file_bytes'] / size:,.0f} | "
                f"{opened['open']:.3f} | {opened['first']:.3f} | {total:.3f} | {speed / 1e9:.3f} | {share} | "
                f"{opened['peak_bytes'] / 1e6:,.0f} | {opened['next'] * 1e3:.2f} |"
            )
    left_out = [row["templates"] for row in figures["sizes"] if "fernet" not in row]
    if left_out:
        lines += ["", f"Fernet was not measured at {', '.join(f'{it:,}' for it in left_out)}: it grows with the number of rows."]
    return "\n".join(lines) + "\n"


NAMES = {"ours": "gallery", "plain": "Python, SQLite, plain f32", "fernet": "Python, SQLite, Fernet per row"}


def machine():
    cpu = "unknown processor"
    info = pathlib.Path("/proc/cpuinfo")
    if info.exists():
        names = [line.split(":")[1].strip() for line in info.read_text().splitlines() if line.startswith("model name")]
        cpu = names[0] if names else cpu
    return f"{cpu}, {os.cpu_count()} cores, {platform.system()} {platform.machine()}"


def versions():
    from importlib.metadata import version

    return f"numpy {version('numpy')}, cryptography {version('cryptography')}"


# The peers: a table of ids and vectors, as services without a gallery keep it.


def connect(path):
    conn = sqlite3.connect(path)
    conn.executescript("PRAGMA page_size = 16384; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL")
    conn.execute("CREATE TABLE IF NOT EXISTS template (id TEXT PRIMARY KEY, vector BLOB NOT NULL)")
    return conn


def vectors(count, seed=1):
    import numpy

    matrix = numpy.random.default_rng(seed).uniform(-1, 1, (count, DIMENSION)).astype(numpy.float32)
    matrix /= numpy.linalg.norm(matrix, axis=1, keepdims=True)
    return matrix


def seal_with(kind):
    """Functions that seal and open one blob."""
    if kind == "plain":
        return bytes, bytes
    import base64

    from cryptography.fernet import Fernet

    fernet = Fernet(base64.urlsafe_b64encode(bytes([7] * 32)))
    return fernet.encrypt, fernet.decrypt


def peer_enroll(kind, path, count):
    matrix, (seal, _) = vectors(int(count)), seal_with(kind)
    conn, seconds = connect(path), []
    for number, vector in enumerate(matrix):
        start = time.perf_counter()
        with conn:
            conn.execute("INSERT INTO template VALUES (?, ?)", (f"person {number:07}", seal(vector.tobytes())))
        seconds.append(time.perf_counter() - start)
    return {"seconds": seconds, "peak_bytes": peak_bytes()}


def peer_fill(kind, path, count):
    count, (seal, _) = int(count), seal_with(kind)
    conn, seconds = connect(path), 0.0
    for first in range(0, count, 100_000):
        matrix = vectors(min(count - first, 100_000), first)
        start = clock()
        rows = ((f"person {first + nth:07}", seal(vector.tobytes())) for nth, vector in enumerate(matrix))
        conn.executemany("INSERT INTO template VALUES (?, ?)", rows)
        seconds += clock() - start
    start = clock()
    conn.commit()
    conn.close()
    seconds += clock() - start
    return {"seconds": [seconds], "file_bytes": os.path.getsize(path), "peak_bytes": peak_bytes()}


def peer_open(kind, path):
    import numpy

    _, unseal = seal_with(kind)
    probe = vectors(6, 0)[5]
    start = clock()
    conn = connect(path)
    opened = clock() - start
    start = clock()
    (count,) = conn.execute("SELECT count(*) FROM template").fetchone()
    ids, matrix = [], numpy.empty((count, DIMENSION), numpy.float32)
    for row, (name, vector) in enumerate(conn.execute("SELECT id, vector FROM template ORDER BY rowid")):
        ids.append(name)
        matrix[row] = numpy.frombuffer(unseal(vector), numpy.float32)
    nearest = ids[int(numpy.argmax(matrix @ probe))]
    first = clock() - start
    assert len(ids) == count and nearest.startswith("person")
    start = clock()
    ids[int(numpy.argmax(matrix @ probe))]
    following = clock() - start
    return {"open": opened, "first": first, "next": following, "templates": count, "peak_bytes": peak_bytes()}


def peak_bytes():
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


PEERS = {"enroll": peer_enroll, "fill": peer_fill, "open": peer_open}

if __name__ == "__main__":
    main()
