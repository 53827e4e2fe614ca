"""A program that a strict type checker takes, or refuses where it should. It is checked and never run."""

import pathlib

import numpy as np
from typing_extensions import assert_never, assert_type

from faceprint import (
    Added,
    Ambiguous,
    Capture,
    Duplicate,
    Engine,
    Gallery,
    Hit,
    KeyProvider,
    Match,
    ModelPack,
    NoMatch,
    Rejected,
    Sample,
    Template,
)


class Kms:
    def wrap(self, key: bytes, /) -> bytes:
        return key

    def unwrap(self, wrapped: bytes, /) -> bytes:
        return wrapped


def everything(capture: Capture, folder: pathlib.Path) -> str:
    match capture:
        case Rejected(issues):
            return ", ".join(issue.name for issue in issues)
        case Sample(template, quality):
            assert_type(template, Template)
            assert_type(quality.score, float)
        case _:
            assert_never(capture)
    provider: KeyProvider = Kms()
    engine = Engine(ModelPack.bundled(), policy="enrollment")
    frame = np.zeros((4, 4, 3), np.uint8)
    engine.detect(frame, format="bgr")
    engine.detect(frame, format="yuv")  # type: ignore[arg-type]
    engine.detect(5)  # type: ignore[arg-type]
    with Gallery.open(folder / "g", provider=provider) as gallery:
        acme = gallery.tenant("acme")
        match acme.enroll("alice", template):
            case Added(stored):
                assert_type(stored, str)
            case Duplicate(of, similarity):
                assert_type(of, str)
                assert_type(similarity, float)
        acme.identify(template)  # type: ignore[call-arg]
        hits = acme.identify(capture, at_least=0.4, top=3, among={"alice"})
        assert_type(hits[0], Hit)
        assert_type([hit.subject for hit in hits], list[str])
        match acme.decide(template, at_least=0.4):
            case Match(subject):
                return subject
            case Ambiguous(several):
                return several[0].subject
            case NoMatch():
                return ""
