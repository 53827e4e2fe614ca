"""What the tests share: the repository's pictures, one engine, galleries that are thrown away."""

import json
import os
import pathlib
from collections.abc import Callable, Iterator

import numpy as np
import pytest

import faceprint

ROOT = pathlib.Path(__file__).resolve().parents[3]
IMAGES = ROOT / "examples" / "images"
SHARED = pathlib.Path(os.environ.get("FACEPRINT_SHARED") or ROOT.parent / "shared")
CONFORMANCE = ROOT / "core" / "testdata" / "conformance"
#: Full size with FACEPRINT_THOROUGH=1.
THOROUGH = os.environ.get("FACEPRINT_THOROUGH") == "1"
SPACE = "01" * 32


def people() -> dict[str, list[pathlib.Path]]:
    """The example people's pictures by name."""
    folders = sorted(it for it in (IMAGES / "people").iterdir() if it.is_dir())
    return {folder.name: sorted(folder.glob("*.jpg")) for folder in folders}


def shared(name: str) -> pathlib.Path:
    """A part of the shared test data, or a skipped test."""
    path = SHARED / name
    if not path.exists():
        pytest.skip(f"no {name} in the shared test data ({SHARED})")
    return path


def command() -> pathlib.Path:
    """The Rust command line, which CI builds before these tests."""
    for profile in ("debug", "release"):
        path = ROOT / "target" / profile / "faceprint"
        if path.exists():
            return path
    pytest.skip("no target/debug/faceprint; cargo build -p faceprint-cli makes it")


def unit(count: int, seed: int, dimension: int = 128) -> np.ndarray:
    """Random directions."""
    values = np.random.default_rng(seed).standard_normal((count, dimension)).astype(np.float32)
    return values / np.linalg.norm(values, axis=1, keepdims=True)


def templates(count: int, seed: int) -> list[faceprint.Template]:
    return [faceprint.Template(row, SPACE) for row in unit(count, seed)]


@pytest.fixture(scope="session")
def pack() -> faceprint.ModelPack:
    return faceprint.ModelPack.bundled()


@pytest.fixture(scope="session")
def engine() -> faceprint.Engine:
    return faceprint.Engine()


@pytest.fixture(scope="session")
def elva(engine: faceprint.Engine) -> faceprint.Sample:
    sample = engine.capture(people()["elva"][0])
    assert isinstance(sample, faceprint.Sample)
    return sample


@pytest.fixture
def gallery(tmp_path: pathlib.Path) -> Iterator[faceprint.Gallery]:
    with faceprint.Gallery.create(tmp_path / "g.faceprint", space=SPACE, key=bytes(32)) as gallery:
        yield gallery


@pytest.fixture(scope="session")
def golden() -> dict:
    return json.loads((shared("golden") / "golden.json").read_text())


@pytest.fixture
def shared_pack(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], faceprint.ModelPack]:
    """Packs of the test catalogue, whose models lie in the shared folder."""
    monkeypatch.setenv("FACEPRINT_MODELS", str(shared("models")))
    return lambda name: faceprint.ModelPack.open(ROOT / "core" / "testdata" / "catalog.toml", name)
