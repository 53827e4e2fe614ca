"""Galleries beside numpy and a dictionary."""

import datetime
import json
import pathlib
import time

import numpy as np
import pytest
from conftest import SPACE, templates, unit

import faceprint
from faceprint import Added, Ambiguous, Duplicate, Gallery, Match, NoMatch, Template

HOUR = datetime.timedelta(hours=1)


def now() -> datetime.datetime:
    return datetime.datetime.now(datetime.timezone.utc)


def test_identify_is_a_scan_by_numpy(gallery: Gallery) -> None:
    rows, probes = unit(2_000, seed=1), unit(100, seed=2)
    probes[:50] = rows[:50] + 0.6 * unit(50, seed=3)
    acme = gallery.tenant("acme", duplicate_at=None)
    names = [f"s{number // 2:04}" for number in range(len(rows))]  # two templates each
    added = acme.enroll_all([(name, Template(row, SPACE)) for name, row in zip(names, rows)])
    assert all(isinstance(it, Added) for it in added)
    assert acme.subjects() == sorted(set(names))

    stored = np.stack([Template(row, SPACE).to_numpy() for row in rows]).astype(float)
    all_hits = acme.identify_all([Template(probe, SPACE) for probe in probes], at_least=0.2, top=5)
    for probe, hits in zip(probes, all_hits):
        probe = Template(probe, SPACE)
        scores = stored @ probe.to_numpy().astype(float)
        best: dict[str, float] = {}
        for name, score in zip(names, scores):
            best[name] = max(score, best.get(name, -1))
        expected = sorted(best.items(), key=lambda it: -it[1])[:5]
        expected = [(name, score) for name, score in expected if score >= 0.2]
        assert [hit.subject for hit in hits] == [name for name, _ in expected]
        assert [hit.similarity for hit in hits] == pytest.approx([it for _, it in expected], abs=1e-6)
        assert hits.exact and hits.audited_recall is None
        alone = acme.identify(probe, at_least=0.2, top=5)
        assert [(it.subject, it.similarity) for it in alone] == [(it.subject, it.similarity) for it in hits]
        for hit in hits:
            assert acme.verify(hit.subject, probe) == hit.similarity
            position = int(np.argmax([s if n == hit.subject else -2 for n, s in zip(names, scores)]))
            assert hit.template == added[position].template
    roster = {"s0003", "s0004", "nobody"}
    found = acme.identify(Template(probes[0], SPACE), at_least=-1, top=9, among=roster)
    assert {hit.subject for hit in found} == {"s0003", "s0004"}
    assert list(acme.identify(Template(probes[0], SPACE), at_least=-1, top=9, among=[])) == []


def test_hits_are_a_sequence(gallery: Gallery) -> None:
    acme = gallery.tenant("acme", duplicate_at=None)
    everybody = templates(5, seed=4)
    acme.enroll_all([(f"s{number}", it) for number, it in enumerate(everybody)])
    hits = acme.identify(everybody[0], at_least=-1, top=5)
    assert len(hits) == 5 and hits[0].subject == "s0" and hits[-1] == list(hits)[4]
    assert [hit.subject for hit in hits[:2]] == [hit.subject for hit in list(hits)[:2]]
    with pytest.raises(IndexError):
        hits[5]
    match hits:
        case [first, *others]:
            assert first.similarity == pytest.approx(1) and len(others) == 4
    match acme.identify(everybody[0], at_least=1.5):
        case []:
            pass
        case other:
            pytest.fail(repr(other))


def test_outcomes_are_matched(gallery: Gallery) -> None:
    acme = gallery.tenant("acme")
    alice, stranger = templates(2, seed=5)
    twin = Template(alice.to_numpy() + 0.3 * stranger.to_numpy(), SPACE)
    match acme.enroll("alice", alice):
        case Added(template):
            assert len(template) == 32 and int(template, 16)
    strict = gallery.tenant("other", duplicate_at=0.99, near_miss_margin=0.2)
    assert strict.enroll("alice", alice).near_misses == []
    ((name, similarity),) = strict.enroll("bob", twin).near_misses
    assert name == "alice" and similarity == pytest.approx(alice.similarity(twin))
    match acme.enroll("bob", twin):
        case Duplicate(of, similarity):
            assert of == "alice" and similarity == pytest.approx(alice.similarity(twin))
        case other:
            pytest.fail(repr(other))
    assert acme.subjects() == ["alice"]
    assert isinstance(gallery.tenant("acme", duplicate_at=None).enroll("bob", twin), Added)
    match acme.decide(alice, at_least=0.4):
        case Match(subject, similarity) as verdict:
            assert subject == "alice" and similarity == pytest.approx(1) and len(verdict.template) == 32
    match acme.decide(alice, at_least=0.4, margin=0.3):
        case Ambiguous((first, second)):
            assert (first.subject, second.subject) == ("alice", "bob")
        case other:
            pytest.fail(repr(other))
    assert isinstance(acme.decide(stranger, at_least=0.9), NoMatch)
    (pair,) = acme.find_duplicates(0.6)
    match pair:
        case faceprint.DuplicatePair("alice", "bob", similarity):
            assert similarity == pytest.approx(alice.similarity(twin))


def test_what_is_kept_with_people(gallery: Gallery) -> None:
    acme = gallery.tenant("acme")
    alice, other = templates(2, seed=6)
    consent, expires = now(), now() + HOUR
    metadata = {"door": ["north", 2], "größe": None}
    acme.enroll(
        "alice", alice, quality=77.5, landmarks=np.arange(10).reshape(5, 2),
        metadata=metadata, consent=consent, expires_at=expires,
    )
    subject = acme.subject("alice")
    assert subject.metadata == metadata and subject.templates == 1
    for kept, given in ((subject.consent, consent), (subject.expires_at, expires)):
        assert abs(kept - given) < datetime.timedelta(milliseconds=1) and kept.tzinfo is not None
    assert abs(subject.enrolled_at - now()) < HOUR
    (stored,) = acme.templates("alice")
    assert stored.template == alice and stored.quality == 77.5
    assert np.array_equal(stored.landmarks, np.arange(10).reshape(5, 2))
    # Without any, what was there stays; with one, it takes the place of all.
    acme.enroll("alice", alice)
    assert acme.subject("alice").metadata == metadata and acme.subject("alice").consent == subject.consent
    acme.enroll("alice", alice, metadata=[1])
    assert acme.subject("alice").metadata == [1] and acme.subject("alice").consent is None
    acme.set_details("alice", metadata="only this")
    assert acme.subject("alice").metadata == "only this" and acme.subject("alice").consent is None
    acme.set_details("alice", expires_at=time.time() - 1)
    assert acme.subjects() == [] and list(acme.identify(alice, at_least=0.4)) == []
    with pytest.raises(faceprint.SubjectNotFoundError) as raised:
        acme.subject("alice")
    assert raised.value.code == 306 and isinstance(raised.value, LookupError)
    assert acme.purge_expired().subjects == 1
    with pytest.raises(TypeError, match="time zone"):
        acme.enroll("alice", other, consent=datetime.datetime.now())
    with pytest.raises(TypeError):
        acme.enroll("alice", other, metadata={1, 2})
    assert acme.subjects() == []  # refused before anything was stored


def test_samples_and_faces_bring_what_is_known(engine, elva, pack, tmp_path: pathlib.Path) -> None:
    with Gallery.create(tmp_path / "g", space=pack.space, key=bytes(32)) as gallery:
        acme = gallery.tenant("acme")
        acme.enroll("elva", elva)
        (stored,) = acme.templates("elva")
        assert stored.quality == elva.quality.score
        assert np.array_equal(stored.landmarks, elva.detection.landmarks)
        assert acme.identify(elva, at_least=0.5)[0].subject == "elva"
        assert acme.verify("elva", elva.template) == pytest.approx(1)


def test_templates_are_replaced_and_removed(gallery: Gallery) -> None:
    acme = gallery.tenant("acme", templates_per_subject=2)
    one, two, three = templates(3, seed=7)
    acme.enroll("alice", one)
    acme.enroll("alice", two)
    with pytest.raises(faceprint.LimitReachedError, match="at most 2"):
        acme.enroll("alice", three)
    assert isinstance(acme.replace("alice", three), Added)
    (left,) = acme.templates("alice")
    assert left.template == three
    acme.remove_template("alice", left.id)
    assert acme.templates("alice") == () and acme.subjects() == ["alice"]
    erased = acme.erase("alice")
    assert (erased.subjects, erased.templates) == (1, 0)
    with pytest.raises(faceprint.SubjectNotFoundError):
        acme.erase("alice")


def test_a_batch_is_all_or_nothing(gallery: Gallery) -> None:
    acme = gallery.tenant("acme")
    good, other = templates(2, seed=8), Template(unit(1, seed=9)[0], "02" * 32)
    with pytest.raises(faceprint.SpaceMismatchError):
        acme.enroll_all([("a", good[0]), ("b", other)])
    assert acme.subjects() == []
    told: list[tuple[int, int]] = []
    outcomes = acme.enroll_all(
        ((name, it) for name, it in zip("abc", [*good, good[0]])), progress=lambda *it: told.append(it)
    )
    assert [type(it) for it in outcomes] == [Added, Added, Duplicate]
    assert told == [(1, 3), (2, 3), (3, 3)]
    for wrong in ([("a",)], [5], [("a", "b")], [(1, good[0])]):
        with pytest.raises((TypeError, ValueError)):
            acme.enroll_all(wrong)


def test_tenants_know_nothing_of_each_other(gallery: Gallery) -> None:
    alice = templates(1, seed=10)[0]
    acme, other = gallery.tenant("acme"), gallery.tenant("other")
    acme.enroll("alice", alice)
    assert list(other.identify(alice, at_least=-1)) == [] and other.subjects() == []
    assert gallery.tenants() == ["acme", "other"] and acme.name == "acme"
    assert gallery.erase_tenant("acme").subjects == 1
    with pytest.raises(faceprint.TenantNotFoundError):
        acme.subjects()
    assert gallery.tenants() == ["other"]


def test_closing(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "g.faceprint"
    with Gallery.create(path, space=SPACE, passphrase="correct horse", cost=(8192, 1, 1)) as gallery:
        acme = gallery.tenant("acme")
        acme.enroll("alice", templates(1, seed=11)[0])
        assert not gallery.closed and gallery.path == path
    assert gallery.closed and "closed" in repr(gallery)
    # The file is let go of: its log is merged and gone.
    assert [it.name for it in tmp_path.iterdir()] == ["g.faceprint"]
    for call in (acme.subjects, gallery.tenants, lambda: gallery.tenant("acme"), lambda: acme.with_index(None)):
        with pytest.raises(faceprint.ClosedError) as raised:
            call()
        assert isinstance(raised.value, ValueError) and raised.value.code == 100
    gallery.close()
    with Gallery.open(path, passphrase="correct horse", read_only=True) as gallery:
        acme = gallery.tenant("acme")
        assert acme.subjects() == ["alice"]
        with pytest.raises(faceprint.FaceprintError):
            acme.erase("alice")


def test_lean_memory(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "g.faceprint"
    probe = templates(1, seed=12)[0]
    with Gallery.create(path, space=SPACE, passphrase="correct horse", cost=(8192, 1, 1)) as gallery:
        acme = gallery.tenant("acme")
        acme.enroll("alice", templates(1, seed=11)[0])
        full = acme.identify(probe, at_least=-1.0)
    with Gallery.open(path, passphrase="correct horse", lean_memory=True) as gallery:
        acme = gallery.tenant("acme")
        lean = acme.identify(probe, at_least=-1.0)
        assert [(it.subject, it.similarity) for it in lean] == [(it.subject, it.similarity) for it in full] != []
        with pytest.raises(faceprint.FaceprintError):
            acme.with_index(0.9)


def test_upkeep(gallery: Gallery, tmp_path: pathlib.Path) -> None:
    acme = gallery.tenant("acme", duplicate_at=None)
    before = gallery.head()
    acme.enroll_all([(f"s{number}", it) for number, it in enumerate(templates(300, seed=12))])
    info = gallery.info()
    assert (info.tenants, info.subjects, info.templates, info.spaces) == (1, 300, 300, [SPACE])
    assert [slot.kind for slot in info.slots] == ["key"] and abs(info.created_at - now()) < HOUR
    gallery.check()
    gallery.check_head(before)
    gallery.check_head(gallery.head())
    gallery.backup(tmp_path / "copy")
    for number in range(250):
        acme.erase(f"s{number}")
    gallery.compact()
    assert gallery.info().bytes < info.bytes
    newest = gallery.head()
    with Gallery.open(tmp_path / "copy", key=bytes(32)) as old:
        assert len(old.tenant("acme").subjects()) == 300
        with pytest.raises(faceprint.IntegrityError):
            old.check_head(newest)
    with pytest.raises(faceprint.GalleryExistsError):
        gallery.backup(tmp_path / "copy")


def test_from_one_space_to_the_next(gallery: Gallery) -> None:
    acme = gallery.tenant("acme")
    new = "02" * 32
    acme.enroll("alice", templates(1, seed=13)[0])
    gallery.add_space(new)
    acme.enroll("alice", Template(unit(1, seed=14)[0], new))
    acme.enroll("bob", Template(unit(1, seed=15)[0], new))
    report = {it.space: (it.subjects, it.lacking, it.templates) for it in gallery.spaces()}
    assert report == {SPACE: (1, 1, 1), new: (2, 0, 2)}
    assert [it.subjects for it in acme.spaces()] == [1, 2]
    with pytest.raises(faceprint.InvalidArgumentError):
        gallery.remove_space(new)  # bob would be stranded
    gallery.remove_space(SPACE)
    assert [it.space for it in gallery.spaces()] == [new]


def test_an_index_is_asked_for(gallery: Gallery) -> None:
    acme = gallery.tenant("acme", duplicate_at=None)
    acme.enroll_all([(f"s{number}", it) for number, it in enumerate(templates(50, seed=16))])
    graph = acme.with_index(0.9)
    assert graph.index_state(SPACE).state == "small" and acme.index_state(SPACE).state == "exact"
    assert graph.identify(templates(1, seed=16)[0], at_least=0.5)[0].subject == "s0"
    with pytest.raises(faceprint.InvalidArgumentError):
        acme.with_index(2.0)
    gallery.close()
    with pytest.raises(faceprint.ClosedError):
        graph.subjects()


def test_a_damaged_file_is_found(gallery: Gallery) -> None:
    everybody = [(f"alice {number}", it) for number, it in enumerate(templates(100, seed=17))]
    gallery.tenant("acme").enroll_all(everybody)
    gallery.close()
    path = pathlib.Path(gallery.path)
    data = path.read_bytes()
    assert b"alice" not in data and b"acme" not in data
    found = 0
    for position in range(20_000, len(data), 8_009):
        damaged = bytearray(path.read_bytes())
        damaged[position] ^= 0xFF
        other = path.with_name("damaged")
        other.write_bytes(damaged)
        try:
            with Gallery.open(other, key=bytes(32)) as opened:
                opened.check()
                assert len(opened.tenant("acme").subjects()) == 100
        except faceprint.FaceprintError as error:
            assert error.code in (302, 303, 305)
            found += 1
        for left in other.parent.glob("damaged*"):
            left.unlink()
    assert found > 5
    with pytest.raises(faceprint.GalleryNotFoundError):
        Gallery.open(path.with_name("missing"), key=bytes(32))


def test_wrong_arguments(gallery: Gallery, tmp_path: pathlib.Path) -> None:
    acme, alice = gallery.tenant("acme"), templates(1, seed=18)[0]
    for call in (
        lambda: acme.enroll("", alice),
        lambda: acme.enroll("a\nb", alice),
        lambda: acme.enroll("x" * 256, alice),
        lambda: gallery.tenant(""),
        lambda: acme.changes_since("text"),
        lambda: acme.changes_since(limit=0),
        lambda: gallery.check_head("text"),
        lambda: gallery.remove_access(99),
        lambda: acme.enroll("a", alice, quality=float("nan")),
        lambda: Gallery.create(tmp_path / "x", space=SPACE, passphrase=""),
        lambda: Gallery.create(tmp_path / "x", space=SPACE, key=b"short"),
        lambda: Gallery.create(tmp_path / "x", space="text", key=bytes(32)),
        lambda: Gallery.create(tmp_path / "x", space=SPACE, passphrase="p", cost=(1, 1, 1)),
    ):
        with pytest.raises(ValueError) as raised:
            call()
        assert isinstance(raised.value, faceprint.UsageError) and raised.value.code == 100
    for call in (
        lambda: acme.identify(alice),
        lambda: acme.identify("alice", at_least=0.1),
        lambda: acme.identify(alice, at_least=0.1, among="alice"),
        lambda: acme.enroll(5, alice),
        lambda: gallery.busy_timeout("long"),
        lambda: Gallery.open(gallery.path),
        lambda: Gallery.open(gallery.path, passphrase="p", key=bytes(32)),
        lambda: Gallery.create(tmp_path / "x", space=SPACE, key=bytes(32), cost=(8192, 1, 1)),
        lambda: Gallery(),
    ):
        with pytest.raises(TypeError):
            call()
    assert not (tmp_path / "x").exists()
    gallery.busy_timeout(0.5)
    gallery.busy_timeout(datetime.timedelta(seconds=1))
    assert json.loads(json.dumps(gallery.info().spaces)) == [SPACE]
