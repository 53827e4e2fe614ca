"""Bundles to devices, and changes for copies elsewhere."""

import datetime
import pathlib

import pytest
from conftest import SPACE, templates

import faceprint
from faceprint import Gallery, SubjectErased, SubjectUpdated


def soon() -> datetime.datetime:
    return datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(hours=1)


def test_a_bundle_travels(gallery: Gallery, tmp_path: pathlib.Path) -> None:
    everybody = templates(10, seed=1)
    acme = gallery.tenant("acme")
    acme.enroll_all([(f"s{number}", it) for number, it in enumerate(everybody)])
    with Gallery.create(tmp_path / "device", space=SPACE, key=b"d" * 32) as device:
        room = device.tenant("room 12")
        to, signer = device.device_key(), gallery.signer()
        assert to.startswith("device-") and signer.startswith("signer-")
        bundle = acme.export_bundle(to, soon(), only=["s1", "s2", "nobody"])
        assert (bundle.subjects, bundle.missing) == (2, ["nobody"])
        assert b"s1" not in bundle.data
        imported = room.import_bundle(bundle.data, signer)
        assert (imported.added, imported.conflicts) == (2, [])
        assert room.subjects() == ["s1", "s2"] and room.templates("s1")[0].template == everybody[1]
        assert room.import_bundle(bundle.data, signer).unchanged == 2

        acme.erase("s1")
        delta = acme.export_bundle(to, soon(), since=bundle.cursor)
        assert room.import_bundle(delta.data, signer).erased == 1
        assert room.subjects() == ["s2"]

        damaged = bytearray(bundle.data)
        damaged[-1] ^= 1
        for call, error, code in (
            (lambda: room.import_bundle(bytes(damaged), signer), faceprint.BundleDamagedError, 312),
            (lambda: room.import_bundle(bundle.data, device.signer()), faceprint.BundleSignerError, 313),
            (lambda: acme.import_bundle(bundle.data, signer), faceprint.BundleDeviceError, 314),
        ):
            with pytest.raises(error) as raised:
                call()
            assert raised.value.code == code and isinstance(raised.value, faceprint.BundleError)


def test_a_mirror_misses_nothing(gallery: Gallery) -> None:
    acme = gallery.tenant("acme", duplicate_at=None)
    acme.enroll_all([(f"s{number:02}", it) for number, it in enumerate(templates(25, seed=2))])
    acme.erase("s03")
    acme.set_details("s04", metadata=1)
    mirror: dict[str, str] = {}
    cursor = None
    while (page := acme.changes_since(cursor, limit=7)).changes:
        assert len(page.changes) <= 7
        for change in page.changes:
            match change:
                case SubjectUpdated(reference, subject):
                    mirror[reference] = subject
                    assert acme.subject(subject).reference == reference
                case SubjectErased(reference):
                    mirror.pop(reference, None)
        cursor = page.cursor
    assert sorted(mirror.values()) == acme.subjects()
    assert acme.changes_since(cursor).cursor == cursor
    with pytest.raises(faceprint.WrongCursorError) as raised:
        gallery.tenant("other").changes_since(cursor)
    assert raised.value.code == 311
