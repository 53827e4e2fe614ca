"""Every name that bindings/surface.tsv gives for Python is one of the package."""

import inspect
import re

import pytest
from conftest import ROOT

import faceprint


def cells() -> list[str]:
    lines = (ROOT / "bindings" / "surface.tsv").read_text().splitlines()
    assert lines[0] == "core\tc\tpython" and len(lines) > 400
    return sorted({cell for line in lines[1:] if not (cell := line.split("\t")[2]).startswith("- ")})


@pytest.mark.parametrize("cell", cells())
def test_a_name(cell: str) -> None:
    name, _, argument = cell.rstrip(")").partition("(")
    thing = faceprint
    for part in name.split("."):
        thing = getattr(thing, part)
    if argument:
        assert argument in inspect.signature(thing).parameters
    assert re.fullmatch(r"[\w.]+(\(\w+\))?", cell)
