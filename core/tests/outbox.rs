//! The queue of events: what is delivered, when, how often, and what its file shows.
#![cfg(feature = "gallery")]
#![allow(clippy::unwrap_used)]

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use faceprint::stream::{Event, Limit, Outbox, Pushed, Sighting, VisitorId, Who};
use faceprint::{Access, ErrorKind, SubjectId};

const LIMIT: Limit = Limit::refuse_new(1_000);
const LEASE: Duration = Duration::from_secs(60);

fn key(number: u8) -> Access {
    Access::key([number; 32])
}

fn at(seconds: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(1_700_000_000 + seconds)
}

fn subject(name: &str) -> SubjectId {
    name.parse().unwrap()
}

fn event(name: &str, seconds: u64) -> Event {
    let who = Who::Subject { id: subject(name), similarity: 0.75 };
    Event::new(who, at(seconds)).unwrap()
}

fn fresh() -> (tempfile::TempDir, Outbox) {
    let folder = tempfile::tempdir().unwrap();
    let outbox = Outbox::create(folder.path().join("o"), &key(1), LIMIT).unwrap();
    (folder, outbox)
}

#[test]
fn events_come_out_as_they_went_in_until_they_are_acknowledged() {
    let (folder, outbox) = fresh();
    let mut first = event("alice", 1);
    (first.track, first.quality, first.bounds.width) = (7, 61.5, 80.0);
    let stranger = Event::new(Who::Visitor(VisitorId::from_bytes([3; 8])), at(2)).unwrap();
    assert_eq!(outbox.push(&first).unwrap(), Pushed::Added { dropped: 0 });
    assert_eq!(outbox.push(&stranger).unwrap(), Pushed::Added { dropped: 0 });
    assert_eq!(outbox.push(&first).unwrap(), Pushed::Known, "one id is one event");
    assert_eq!(outbox.len().unwrap(), 2);
    let delivery = outbox.lease(at(10), LEASE).unwrap().unwrap();
    assert_eq!((&delivery.event, delivery.attempt), (&first, 1));
    // What is leased is nobody else's, also not another process's.
    let other = Outbox::open(folder.path().join("o"), &key(1), LIMIT).unwrap();
    assert_eq!(other.lease(at(10), LEASE).unwrap().unwrap().event, stranger);
    assert!(other.lease(at(69), LEASE).unwrap().is_none());
    // Whoever had it did not come back.
    let again = other.lease(at(70), LEASE).unwrap().unwrap();
    assert_eq!((again.event.id, again.attempt), (first.id, 2));
    assert!(other.ack(first.id).unwrap() && !outbox.ack(first.id).unwrap());
    assert!(outbox.ack(stranger.id).unwrap() && outbox.is_empty().unwrap());
    assert!(outbox.lease(at(9_999), LEASE).unwrap().is_none());
}

#[test]
fn failures_wait_longer_each_time() {
    let (_folder, outbox) = fresh();
    let event = event("alice", 1);
    outbox.push(&event).unwrap();
    let mut now = at(0);
    let mut waits = Vec::new();
    for attempt in 1..=15 {
        let delivery = outbox.lease(now, LEASE).unwrap().unwrap();
        assert_eq!(delivery.attempt, attempt);
        let due = outbox.retry(event.id, now).unwrap().unwrap();
        waits.push(due.duration_since(now).unwrap().as_secs());
        assert!(outbox.lease(due - Duration::from_millis(1), LEASE).unwrap().is_none());
        now = due;
    }
    assert_eq!(waits, [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 3600, 3600, 3600]);
    outbox.ack(event.id).unwrap();
    assert_eq!(outbox.retry(event.id, now).unwrap(), None);
}

#[test]
fn an_event_that_fails_does_not_hold_up_the_others() {
    let (_folder, outbox) = fresh();
    let events = [event("a", 1), event("b", 2), event("c", 3)];
    for event in &events {
        outbox.push(event).unwrap();
    }
    assert_eq!(outbox.lease(at(0), LEASE).unwrap().unwrap().event, events[0]);
    outbox.retry(events[0].id, at(0)).unwrap();
    assert_eq!(outbox.lease(at(0), LEASE).unwrap().unwrap().event, events[1]);
    assert_eq!(outbox.lease(at(1), LEASE).unwrap().unwrap().event, events[0]);
}

#[test]
fn a_clock_set_back_does_not_strand_events() {
    let (_folder, outbox) = fresh();
    let event = event("a", 1);
    outbox.push(&event).unwrap();
    outbox.lease(at(100_000), LEASE).unwrap().unwrap();
    assert_eq!(outbox.lease(at(0), LEASE).unwrap().unwrap().event, event);
    // A lease is an hour at most, whatever was asked for.
    assert!(outbox.lease(at(59), Duration::MAX).unwrap().is_none());
    assert!(outbox.lease(at(60), Duration::MAX).unwrap().is_some());
    assert!(outbox.lease(at(60 + 3_600), LEASE).unwrap().is_some());
}

#[test]
fn the_limit_is_kept_as_chosen() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("o");
    let strict = Outbox::create(&path, &key(1), Limit::refuse_new(3)).unwrap();
    let events: Vec<_> = (0..5).map(|second| event("alice", second)).collect();
    for event in &events[..3] {
        strict.push(event).unwrap();
    }
    let error = strict.push(&events[3]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::LimitReached);
    assert!(error.to_string().contains("holds 3 events, at most 3"), "{error}");
    assert_eq!(strict.push(&events[2]).unwrap(), Pushed::Known, "also when it is full");
    // The limit belongs to the handle.
    let lenient = Outbox::open(&path, &key(1), Limit::drop_oldest(2)).unwrap();
    assert_eq!(lenient.push(&events[4]).unwrap(), Pushed::Added { dropped: 2 });
    assert_eq!(lenient.len().unwrap(), 2);
    assert_eq!(lenient.lease(at(0), LEASE).unwrap().unwrap().event, events[2]);
    for limit in [Limit::refuse_new(0), Limit::drop_oldest(0)] {
        assert_eq!(
            Outbox::open(&path, &key(1), limit).unwrap_err().kind(),
            ErrorKind::InvalidArgument
        );
    }
}

#[test]
fn sightings_are_kept_with_events_and_by_themselves() {
    let (folder, outbox) = fresh();
    outbox.push(&event("alice", 5)).unwrap();
    outbox.push(&event("bob", 6)).unwrap();
    outbox.push(&event("alice", 7)).unwrap();
    let seen = |name, seconds| Sighting { subject: subject(name), at: at(seconds) };
    assert_eq!(outbox.sightings().unwrap(), [seen("alice", 7), seen("bob", 6)]);
    // Delivery does not forget them: they say who was there, not what is to be told.
    while let Some(delivery) = outbox.lease(at(10), LEASE).unwrap() {
        outbox.ack(delivery.event.id).unwrap();
    }
    assert_eq!(outbox.sightings().unwrap().len(), 2);
    outbox.remember(&[seen("carol", 9)]).unwrap();
    drop(outbox);
    let outbox = Outbox::open(folder.path().join("o"), &key(1), LIMIT).unwrap();
    assert_eq!(outbox.sightings().unwrap(), [seen("carol", 9)]);
}

#[test]
fn the_file_is_opened_by_its_key_only_and_shows_no_name() {
    let (folder, outbox) = fresh();
    let path = folder.path().join("o");
    outbox.push(&event("Zacharias Knatterton", 5)).unwrap();
    drop(outbox);
    let kind = |result: faceprint::Result<Outbox>| result.unwrap_err().kind();
    assert_eq!(kind(Outbox::open(&path, &key(2), LIMIT)), ErrorKind::WrongKey);
    assert_eq!(kind(Outbox::create(&path, &key(1), LIMIT)), ErrorKind::GalleryExists);
    assert_eq!(
        kind(Outbox::open(folder.path().join("no"), &key(1), LIMIT)),
        ErrorKind::GalleryNotFound
    );
    for entry in std::fs::read_dir(folder.path()).unwrap() {
        let bytes = std::fs::read(entry.unwrap().path()).unwrap();
        assert!(!bytes.windows(10).any(|part| part == b"Knatterton"));
    }
    let junk = folder.path().join("junk");
    std::fs::write(&junk, b"").unwrap();
    assert_eq!(kind(Outbox::open(&junk, &key(1), LIMIT)), ErrorKind::GalleryVersion);
    std::fs::write(&junk, [7; 4_096]).unwrap();
    assert!(Outbox::open(&junk, &key(1), LIMIT).is_err());
    let space = faceprint::SpaceId::from_bytes([1; 32]);
    let gallery = folder.path().join("g");
    drop(faceprint::Gallery::create(&gallery, &key(1), space).unwrap());
    assert_eq!(kind(Outbox::open(&gallery, &key(1), LIMIT)), ErrorKind::GalleryVersion);
    assert_eq!(
        faceprint::Gallery::open(&path, &key(1)).unwrap_err().kind(),
        ErrorKind::GalleryVersion
    );
    Outbox::open_or_create(&path, &key(1), LIMIT).unwrap();
}

#[test]
fn who_is_erased_leaves_nothing_in_any_file() {
    let (folder, outbox) = fresh();
    let path = folder.path().join("o");
    let (mut theirs, mut others) = (Vec::new(), Vec::new());
    for number in 0..300_u64 {
        let name = ["alice", "bob", "carol"][usize::try_from(number % 3).unwrap()];
        let event = event(name, number);
        outbox.push(&event).unwrap();
        if name == "bob" { theirs.push(event.id) } else { others.push(event.id) }
    }
    let stranger = Event::new(Who::Visitor(VisitorId::from_bytes([5; 8])), at(300)).unwrap();
    outbox.push(&stranger).unwrap();
    others.push(stranger.id);
    // Some are under way, or were: their rows have been written again.
    for _ in 0..6 {
        let delivery = outbox.lease(at(400), LEASE).unwrap().unwrap();
        outbox.retry(delivery.event.id, at(400)).unwrap();
    }
    assert_eq!(outbox.peek(2).unwrap().len(), 2);
    assert_eq!(outbox.peek(usize::MAX).unwrap()[1].id, theirs[0]);
    // What stands for them on the disk: the ids of the events, and the sealed bytes of those and of the sighting.
    let mut needles: Vec<Vec<u8>> = theirs.iter().map(|id| id.as_bytes().to_vec()).collect();
    let ids: Vec<String> = theirs.iter().map(|id| format!("x'{id}'")).collect();
    let sealed = format!(
        "SELECT sealed FROM event WHERE uid IN ({}) UNION ALL SELECT sealed FROM sighting WHERE id = 2",
        ids.join(",")
    );
    if let Some(sealed) = select(&path, &sealed) {
        assert_eq!(sealed.len(), 101);
        needles.extend(sealed);
    } else {
        println!("SKIPPED: the sealed bytes, no Python");
    }
    let found = |needles: &[Vec<u8>]| {
        let mut files = Vec::new();
        for entry in std::fs::read_dir(folder.path()).unwrap() {
            files.push(std::fs::read(entry.unwrap().path()).unwrap());
        }
        let holds = |needle: &&Vec<u8>| {
            files.iter().any(|file| file.windows(needle.len()).any(|part| part == &needle[..]))
        };
        needles.iter().filter(holds).count()
    };
    assert_eq!(found(&needles), needles.len());
    assert_eq!(outbox.erase(&subject("bob")).unwrap(), 100);
    assert_eq!(found(&needles), 0, "bytes of who was erased are left");
    assert_eq!(outbox.erase(&subject("bob")).unwrap(), 0, "who is not there is no error");
    let others: Vec<Vec<u8>> = others.iter().map(|id| id.as_bytes().to_vec()).collect();
    assert_eq!(found(&others), others.len());
    drop(outbox);
    // It reads back without them, and with everybody else.
    let outbox = Outbox::open(&path, &key(1), LIMIT).unwrap();
    let seen: Vec<_> = outbox.sightings().unwrap().into_iter().map(|it| it.subject).collect();
    assert_eq!(seen, [subject("alice"), subject("carol")]);
    assert_eq!(outbox.len().unwrap(), 201);
    let mut delivered = Vec::new();
    while let Some(delivery) = outbox.lease(at(9_000), LEASE).unwrap() {
        assert!(!matches!(&delivery.event.who, Who::Subject { id, .. } if id.as_str() == "bob"));
        outbox.ack(delivery.event.id).unwrap();
        delivered.push(delivery.event.id.as_bytes().to_vec());
    }
    assert_eq!(delivered, others);
}

/// The first column of what Python's sqlite3 finds; none without Python.
fn select(path: &std::path::Path, sql: &str) -> Option<Vec<Vec<u8>>> {
    let script = "import sqlite3, sys\nfor row in sqlite3.connect(sys.argv[1]).execute(sys.argv[2]): print(row[0].hex())";
    let found =
        std::process::Command::new("python3").args(["-c", script]).arg(path).arg(sql).output();
    let found = found.ok()?;
    assert!(found.status.success(), "{}", String::from_utf8_lossy(&found.stderr));
    let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap();
    let lines = String::from_utf8(found.stdout).unwrap();
    Some(lines.lines().map(|line| line.as_bytes().chunks(2).map(byte).collect()).collect())
}

/// Sealed values are bound to their rows. Python's sqlite3 moves them.
#[test]
fn what_was_moved_between_rows_does_not_open() {
    let Some(python) = ["python3", "python"].into_iter().find(|name| {
        std::process::Command::new(name)
            .arg("--version")
            .output()
            .is_ok_and(|it| it.status.success())
    }) else {
        println!("SKIPPED: no Python");
        return;
    };
    let sql = |path: &std::path::Path, sql: &str| {
        let script = "import sqlite3, sys\nc = sqlite3.connect(sys.argv[1])\nc.executescript(sys.argv[2])\nc.commit()";
        let done =
            std::process::Command::new(python).args(["-c", script]).arg(path).arg(sql).status();
        assert!(done.unwrap().success());
    };
    for (damage, in_events) in [
        ("UPDATE event SET sealed = (SELECT sealed FROM event WHERE id = 2) WHERE id = 1", true),
        ("UPDATE event SET uid = zeroblob(16) WHERE id = 1", true),
        (
            "UPDATE sighting SET sealed = (SELECT sealed FROM sighting WHERE id = 2) WHERE id = 1",
            false,
        ),
        ("UPDATE sighting SET sealed = (SELECT sealed FROM event WHERE id = 1)", false),
    ] {
        let (folder, outbox) = fresh();
        outbox.push(&event("alice", 5)).unwrap();
        outbox.push(&event("bob", 6)).unwrap();
        drop(outbox);
        let path = folder.path().join("o");
        sql(&path, damage);
        let outbox = Outbox::open(&path, &key(1), LIMIT).unwrap();
        let error = match in_events {
            true => outbox.lease(at(0), LEASE).unwrap_err(),
            false => outbox.sightings().unwrap_err(),
        };
        assert_eq!(error.kind(), ErrorKind::Integrity, "{damage}: {error}");
    }
    let (folder, outbox) = fresh();
    drop(outbox);
    let path = folder.path().join("o");
    sql(&path, "CREATE TABLE guest (id INTEGER)");
    assert_eq!(Outbox::open(&path, &key(1), LIMIT).unwrap_err().kind(), ErrorKind::Integrity);
}
