"""What a call from Python costs more than the same call from Rust.

    cargo build -p faceprint-benches --bin calls && (cd bindings/python && maturin develop --profile dev)
    python bindings/python/benches/overhead.py target/debug/calls

Both sides are of one build profile, have one thread each and take turns; a figure is the processor time of a call in
the fastest of the rounds, which a busy machine disturbs least. It prints the table of benches/README.md.
"""

import collections
import os
import pathlib
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable

import numpy as np

from faceprint import Engine, Gallery, Image, Template

PICTURE = pathlib.Path(__file__).resolve().parents[3] / "examples" / "images" / "people" / "elva" / "1.jpg"
ROUNDS = 31
COUNTS = {"detect": 20, "embed": 20, "identify_many": 2_000, "identify_one": 2_000, "similarity": 100_000}


def gallery(path: pathlib.Path, engine: Engine) -> None:
    rows = np.random.default_rng(1).standard_normal((1_000, 512)).astype(np.float32)
    space = engine.pack.space
    with Gallery.create(path, space=space, key=bytes(32)) as made:
        many = made.tenant("many", duplicate_at=None)
        many.enroll_all([(f"s{number}", Template(row, space)) for number, row in enumerate(rows)])
        for tenant in (made.tenant("one"), many):
            tenant.enroll("elva", engine.analyze(PICTURE)[0])


def main(calls: str) -> None:
    engine = Engine(threads=1)
    picture = Image.open(PICTURE).to_numpy()
    (face,) = engine.analyze(picture)
    crop, template = engine.crop(picture, face), face.template
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder, "g.faceprint")
        gallery(path, engine)
        opened = Gallery.open(path, key=bytes(32), read_only=True)
        one, many = opened.tenant("one"), opened.tenant("many")
        ours: dict[str, Callable[[], object]] = {
            "detect": lambda: engine.detect(picture),
            "embed": lambda: engine.embed([crop]),
            "identify_many": lambda: many.identify(template, at_least=0.4),
            "identify_one": lambda: one.identify(template, at_least=0.4),
            "similarity": lambda: template.similarity(template),
        }
        # The same library on both sides.
        library = engine.backend.library
        environment = {**os.environ, **({"ORT_DYLIB_PATH": str(library)} if library else {})}
        rust = subprocess.Popen(
            [calls, PICTURE, path],
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            bufsize=1,
        )
        assert rust.stdin and rust.stdout
        times: dict[tuple[str, str], list[float]] = collections.defaultdict(list)
        for turn in range(ROUNDS):
            for name, count in COUNTS.items():
                rust.stdin.write(f"{name} {count}\n")
                times[name, "rust"].append(float(rust.stdout.readline()) / count)
                call = ours[name]
                start = time.process_time()
                for _ in range(count):
                    call()
                times[name, "python"].append((time.process_time() - start) / count)
        rust.stdin.close()
        rust.wait()
        opened.close()
    print(f"{engine.backend}\n")
    print("| call | Rust, µs | Python, µs | more, µs |\n|---|---:|---:|---:|")
    for name in COUNTS:
        fastest = [min(times[name, side][1:]) * 1e6 for side in ("rust", "python")]
        digits = 2 if fastest[0] < 100 else 0
        print(f"| {name} | {fastest[0]:.{digits}f} | {fastest[1]:.{digits}f} | {fastest[1] - fastest[0]:+.{digits}f} |")


if __name__ == "__main__":
    main(sys.argv[1])
