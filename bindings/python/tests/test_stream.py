"""From frames to events, and the queue they wait in."""

import datetime
import pathlib
import time

import numpy as np
import pytest
from conftest import people

import faceprint
from faceprint import Engine, Event, Gallery, Known, Outbox, Stream, Visitor

START = 1_700_000_000.0


def frames(name: str, count: int) -> list[np.ndarray]:
    """A picture that moves a little."""
    picture = faceprint.Image.open(people()[name][1]).to_numpy()
    return [np.roll(picture, shift % 5, axis=1) for shift in range(count)]


def test_a_visit_is_one_event(engine: Engine, elva, pack, tmp_path: pathlib.Path) -> None:
    with Gallery.create(tmp_path / "g", space=pack.space, key=bytes(32)) as gallery:
        acme = gallery.tenant("acme")
        acme.enroll("elva", elva)
        door = Stream(engine, acme, confirm_after=2, cooldown=datetime.timedelta(seconds=30))
        events, at = [], START
        for frame in frames("elva", 10):
            events += door.push(frame, at)
            at += 0.1
        (event,) = events
        match event:
            case Event(Known(subject, similarity)):
                assert subject == "elva" and similarity > 0.5
        assert START < event.at.timestamp() < at and event.at.tzinfo is not None
        assert len(event.id) == 32 and event.quality > 40 and event.bounds.width > 50
        (followed,) = door.followed()
        assert followed.who.subject == "elva" and followed.landmarks.shape == (5, 2)
        assert door.stats.frames == 10 and door.stats.events == 1 and "10 frames" in str(door.stats)
        assert [it.subject for it in door.sightings()] == ["elva"]

        door.forget("nobody")
        assert door.stats.judged == 0 and not engine.has_liveness
        later = datetime.datetime.fromtimestamp(at + 3600, datetime.timezone.utc)
        again = [it for frame in frames("elva", 4) for it in door.push(frame, later)]
        assert len(again) == 1 and again[0].id != event.id

        resumed = Stream(engine, acme, confirm_after=2, cooldown=30, resume=door.sightings())
        assert [it for frame in frames("elva", 4) for it in resumed.push(frame, later)] == []

        unknown = Stream(engine, acme, unknown_after=2)
        visits = [it for n, frame in enumerate(frames("faro", 6)) for it in unknown.push(frame, START + n)]
        (visit,) = visits
        assert isinstance(visit.who, Visitor) and len(visit.who.id) == 16
        bgr = np.ascontiguousarray(frames("elva", 1)[0][..., ::-1])
        assert Stream(engine, acme, confirm_after=1).push(bgr, START, format="bgr")[0].who.subject == "elva"
        for wrong in ({"confirm_after": 0}, {"threshold": 2.0}, {"cooldown": -1}, {"every": 0}):
            with pytest.raises(ValueError):
                Stream(engine, acme, **wrong)
    with pytest.raises(faceprint.ClosedError):
        door.push(frames("elva", 1)[0])


def test_events_wait_until_they_are_delivered(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "door.outbox"
    with Outbox.open_or_create(path, limit=3, key=bytes(32)) as outbox:
        events = [Event(Known(f"s{n}", 0.5 + n / 10), START + n) for n in range(3)]
        assert [outbox.push(event).added for event in events] == [True] * 3
        assert not outbox.push(events[0]).added and len(outbox) == 3
        with pytest.raises(faceprint.LimitReachedError) as raised:
            outbox.push(Event(Visitor("0123456789abcdef"), START))
        assert raised.value.code == 309
    assert b"s1" not in path.read_bytes()
    with Outbox.open(path, limit=3, key=bytes(32)) as outbox:
        assert sorted(it.subject for it in outbox.sightings()) == ["s0", "s1", "s2"]
        now = time.time()
        delivery = outbox.lease(now, lease=30)
        assert delivery.attempt == 1 and delivery.event.id == events[0].id
        assert delivery.event.who.subject == "s0" and delivery.event.at == events[0].at
        assert outbox.ack(delivery.event.id) and not outbox.ack(delivery.event.id)
        second = outbox.lease(now, lease=datetime.timedelta(seconds=30))
        assert second.event.id == events[1].id
        due = outbox.retry(second.event.id, now)
        assert due.timestamp() == pytest.approx(now + 1, abs=0.01)
        assert outbox.lease(now).event.id == events[2].id
        assert outbox.lease(now) is None and outbox.lease(now + 2).attempt == 2
        assert [it.id for it in outbox.peek(9)] == [it.id for it in events[1:]]
        assert outbox.erase("s2") == 1 and [it.id for it in outbox.peek(9)] == [events[1].id]
        outbox.remember([faceprint.Sighting("elva", START)])
        assert [(it.subject, it.at.timestamp()) for it in outbox.sightings()] == [("elva", START)]
    with pytest.raises(faceprint.ClosedError):
        len(outbox)
    with Outbox.open(path, limit=1, drop_oldest=True, key=bytes(32)) as outbox:
        assert outbox.push(Event(Visitor("00000000000000ff"), START)).dropped >= 1
    for call in (lambda: Visitor("text"), lambda: Event("elva", START), lambda: outbox.ack("text")):
        with pytest.raises((ValueError, TypeError)):
            call()
    with pytest.raises(faceprint.WrongKeyError):
        Outbox.open(path, limit=1, key=b"1" * 32)
