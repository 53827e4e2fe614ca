"""The example prints what it is to print."""

import os
import subprocess
import sys

from conftest import ROOT


def test_identify() -> None:
    done = subprocess.run(
        [sys.executable, ROOT / "examples" / "python" / "identify.py"],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(it for it in sys.path if it)},
        capture_output=True,
        text=True,
        timeout=300,
        check=True,
    )
    assert done.stderr == ""
    lines = [line.split(" ") for line in done.stdout.splitlines()]
    # From left to right; the Rust command line names the same five, with the same similarities.
    assert [line[0] for line in lines] == ["benno", "elva", "doran", "unknown", "faro", "gisa"]
    assert all(float(line[1]) > 0.85 and len(line[1]) == 5 for line in lines if line[0] != "unknown")
