"""The stubs are the module, and a strict type checker takes them."""

import os
import pathlib
import subprocess
import sys

import pytest
from conftest import ROOT

import faceprint

pytest.importorskip("mypy")
PACKAGE = ROOT / "bindings" / "python"


def run(*arguments: object) -> None:
    folder = pathlib.Path(faceprint.__file__).parents[1]
    installed = folder.name == "site-packages"
    done = subprocess.run(
        [sys.executable, "-m", *map(str, arguments)],
        env={**os.environ, **({} if installed else {"MYPYPATH": str(folder)})},
        capture_output=True,
        text=True,
        cwd=PACKAGE,
        timeout=600,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_stubs_are_the_module() -> None:
    allowed = PACKAGE / "tests" / "stubtest_allowlist.txt"
    run("mypy.stubtest", "faceprint", "--allowlist", allowed, "--mypy-config-file", PACKAGE / "pyproject.toml")


def test_examples_are_typed(tmp_path: pathlib.Path) -> None:
    run("mypy", "--strict", "--cache-dir", tmp_path, "tests/typed.py", *sorted((ROOT / "examples/python").glob("*.py")))
