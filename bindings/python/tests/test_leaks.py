"""Objects made, used and freed many times over: the process does not grow."""

import gc
import os
import pathlib

import numpy as np
import pytest
from conftest import SPACE, THOROUGH, people, templates

import faceprint

ROUNDS = 10_000 if THOROUGH else 600
PAGE = os.sysconf("SC_PAGE_SIZE") if hasattr(os, "sysconf") else 4096


def resident() -> int:
    gc.collect()
    return int(pathlib.Path("/proc/self/statm").read_text().split()[1]) * PAGE


@pytest.mark.skipif(not pathlib.Path("/proc/self/statm").exists(), reason="no /proc here")
@pytest.mark.parametrize("what", ["image", "detect", "template", "gallery", "tenant", "errors", "outbox"])
def test_memory_is_flat(what: str, pack, tmp_path: pathlib.Path) -> None:
    small = faceprint.Engine(pack, detection_size=32)
    picture = np.zeros((32, 32, 3), np.uint8)
    file = people()["elva"][0].read_bytes()
    everybody = templates(50, seed=1)
    path = tmp_path / "g"
    gallery = faceprint.Gallery.create(path, space=SPACE, key=bytes(32))
    acme = gallery.tenant("acme", duplicate_at=None)
    acme.enroll_all([(f"s{n}", it) for n, it in enumerate(everybody)])
    box = faceprint.Outbox.create(tmp_path / "o", limit=10, drop_oldest=True, key=bytes(32))

    def errors(_: int) -> None:
        for call in (lambda: acme.erase("nobody"), lambda: small.detect(b"x"), lambda: pack.threshold(9.0)):
            with pytest.raises(faceprint.FaceprintError):
                call()

    def in_outbox(number: int) -> None:
        box.push(faceprint.Event(faceprint.Known("a", 0.5), number))
        assert (delivery := box.lease()) is not None and box.ack(delivery.event.id)

    def one_gallery(_: int) -> None:
        with faceprint.Gallery.open(path, key=bytes(32)) as other:
            assert other.tenant("acme").identify(everybody[0], at_least=0.9)[0].subject == "s0"

    work = {
        "image": lambda n: faceprint.Image(faceprint.Image.decode(file).to_numpy()[n % 7 :]).to_numpy(),
        "detect": lambda n: small.detect(picture[:, ::-1] if n % 2 else picture),
        "template": lambda n: faceprint.Template(everybody[n % 50].to_numpy(), SPACE).similarity(everybody[0]),
        "gallery": one_gallery,
        "tenant": lambda n: (gallery.tenant("acme").identify_all(everybody, at_least=0.2), acme.templates("s1")),
        "errors": errors,
        "outbox": in_outbox,
    }[what]
    # What is slow is done less often; the growth that is allowed is for all rounds together.
    rounds = ROUNDS if what in ("detect", "template", "errors") or THOROUGH else ROUNDS // 4
    for number in range(rounds // 5 + 20):
        work(number)
    before = resident()
    for number in range(rounds):
        work(number)
    grown = resident() - before
    assert grown < 4_000_000, f"{grown} bytes in {rounds} rounds"
    gallery.close()


@pytest.mark.skipif(not pathlib.Path("/proc/self/statm").exists(), reason="no /proc here")
def test_engines_are_freed(pack) -> None:
    picture = faceprint.Image.open(people()["elva"][0])
    for backend in ("rten", "auto"):
        for _ in range(5):
            faceprint.Engine(pack, backend=backend, threads=1).detect(picture)
        before = resident()
        for _ in range(60 if THOROUGH else 15):
            faceprint.Engine(pack, backend=backend, threads=1).detect(picture)
        # One engine holds about 20 MB.
        assert resident() - before < 15_000_000, backend
