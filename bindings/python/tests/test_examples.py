"""The example prints what it is to print."""

import os
import subprocess
import sys

import pytest
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
    # What the examples in every language print; the last digit may be another's on another runtime.
    expected = [line.split(" ") for line in (ROOT / "examples" / "identify.txt").read_text().splitlines()]
    assert [line[0] for line in lines] == [line[0] for line in expected] and len(lines) == 6
    for found, wanted in zip(lines, expected):
        assert [len(it) for it in found] == [len(it) for it in wanted]
        assert [float(it) for it in found[1:]] == pytest.approx([float(it) for it in wanted[1:]], abs=0.002)
