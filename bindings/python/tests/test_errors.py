"""The exceptions, beside the kinds of the core."""

import pickle
import re

import pytest
from conftest import ROOT

import faceprint
from faceprint._errors import by_code

KINDS = dict(
    re.findall(r"^    (\w+) = (\d+),", (ROOT / "core" / "src" / "error.rs").read_text(), re.MULTILINE)
)
OTHER_NAMES = {"Io": "FileError", "Download": "DownloadError", "Internal": "InternalError"}


def test_every_kind_has_an_exception_of_its_own() -> None:
    assert len(KINDS) > 25
    groups = {
        1: faceprint.UsageError, 2: faceprint.PackError, 3: faceprint.GalleryError, 4: faceprint.HostError,
        9: faceprint.InternalError,
    }  # fmt: skip
    for kind, code in KINDS.items():
        name = OTHER_NAMES.get(kind, f"{kind}Error")
        found = getattr(faceprint, name)
        assert by_code(int(code)) is found and found.code == int(code), kind
        assert issubclass(found, groups[int(code) // 100]) and issubclass(found, faceprint.FaceprintError)
        assert found.__doc__ and found.__module__ == "faceprint"
    assert len({by_code(int(code)) for code in KINDS.values()}) == len(KINDS)


def test_kinds_of_later_versions_have_their_groups() -> None:
    assert by_code(399) is faceprint.GalleryError and by_code(777) is faceprint.FaceprintError


def test_builtin_bases() -> None:
    for name in ("InvalidArgument", "InvalidImage", "LimitExceeded", "SpaceMismatch", "Closed", "Forked"):
        assert issubclass(getattr(faceprint, f"{name}Error"), ValueError)
    for name in ("Subject", "Tenant", "Template"):
        assert issubclass(getattr(faceprint, f"{name}NotFoundError"), LookupError)
    assert issubclass(faceprint.FileError, OSError)


def test_exceptions_carry_their_number_and_can_be_pickled() -> None:
    with pytest.raises(faceprint.InvalidArgumentError) as raised:
        faceprint.ModelPack.bundled().threshold(2.0)
    error = raised.value
    assert error.code == 100 and str(error).startswith("fmr 2")
    copy = pickle.loads(pickle.dumps(error))
    assert type(copy) is type(error) and copy.code == 100 and str(copy) == str(error)


def test_everything_is_documented() -> None:
    for name in faceprint.__all__:
        thing = getattr(faceprint, name)
        if not isinstance(thing, type):
            continue
        assert thing.__doc__, name
        for member, value in vars(thing).items():
            if not member.startswith("_") and thing.__module__ == "faceprint" and member != "code":
                assert value.__doc__, f"{name}.{member}"
