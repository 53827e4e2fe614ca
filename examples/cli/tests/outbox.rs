//! `faceprint outbox`: events to whoever wants them.
#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "part of the tests only")]

mod common;

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, SystemTime};

use common::{Run, faceprint_with};
use faceprint::Access;
use faceprint::stream::{Event, Limit, Outbox, VisitorId, Who};
use serde_json::Value;

/// An outbox with events, and a place for what a command is given.
struct Office {
    folder: tempfile::TempDir,
    outbox: Outbox,
}

impl Office {
    fn new(names: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let access = Access::passphrase("a door");
        let limit = Limit::refuse_new(100);
        let outbox = Outbox::create(folder.path().join("o"), &access, limit).unwrap();
        let office = Self { folder, outbox };
        names.iter().for_each(|name| office.push(name));
        office
    }

    fn push(&self, name: &str) {
        let who = match name {
            "stranger" => Who::Visitor(VisitorId::from_bytes([7; 8])),
            "photograph" => {
                let id = VisitorId::from_bytes([8; 8]);
                Who::Suspected { id, score: 0.25, minimum: 0.5 }
            }
            name => Who::Subject { id: name.parse().unwrap(), similarity: 0.75 },
        };
        self.outbox.push(&Event::new(who, SystemTime::now()).unwrap()).unwrap();
    }

    fn got(&self) -> PathBuf {
        self.folder.path().join("got")
    }

    /// What a command was given, line by line.
    fn lines(&self) -> Vec<Value> {
        let got = fs::read_to_string(self.got()).unwrap_or_default();
        got.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    fn run(&self, command: &str, more: &[&str]) -> Run {
        let path = self.folder.path().join("o").display().to_string();
        let mut args = vec!["outbox", command, &path];
        args.extend(more);
        faceprint_with(args, &[("FACEPRINT_PASSPHRASE", "a door")])
    }

    /// A shell script that keeps what it reads, then does what `then` says with `$line`.
    fn script(&self, then: &str) -> String {
        format!("read -r line; printf '%s\\n' \"$line\" >> '{}'; {then}", self.got().display())
    }
}

fn subjects(events: &[Value]) -> Vec<&str> {
    events.iter().map(|event| event["subject"].as_str().unwrap_or("-")).collect()
}

#[test]
fn what_waits_is_shown_and_drained() {
    let office = Office::new(&["alice", "stranger", "photograph"]);
    for _ in 0..2 {
        let list = office.run("list", &[]);
        assert_eq!((list.code, list.json().len()), (Some(0), 3), "{}", list.stderr);
    }
    let drained = office.run("drain", &[]);
    assert_eq!(drained.code, Some(0), "{}", drained.stderr);
    let events = drained.json();
    assert_eq!(subjects(&events), ["alice", "-", "-"]);
    assert_eq!((&events[0]["attempt"], &events[0]["similarity"]), (&1.into(), &0.75.into()));
    assert_eq!(events[1]["visitor"], "0707070707070707");
    assert_eq!(
        (&events[2]["suspected"], &events[2]["liveness"]),
        (&"0808080808080808".into(), &0.25.into())
    );
    assert!(events[0].get("suspected").is_none() && events[0].get("frame").is_none());
    assert!(office.outbox.is_empty().unwrap());
    assert_eq!((office.run("list", &[]).code, office.run("drain", &[]).code), (Some(1), Some(0)));
}

#[test]
fn a_command_takes_events_and_what_it_refuses_comes_again() {
    let office = Office::new(&["alice", "bob", "carol"]);
    let refuse = office.script("case $line in *bob*) exit 1;; esac");
    let run = office.run("deliver", &["--", "sh", "-c", &refuse]);
    assert_eq!(run.code, Some(1), "{}", run.stderr);
    assert!(
        run.stderr.contains("2 events delivered") && run.stderr.contains("1 waiting"),
        "{}",
        run.stderr
    );
    let lines = office.lines();
    assert_eq!(subjects(&lines)[..3], ["alice", "bob", "carol"]);
    // However often it takes until the second attempt is due.
    let take = office.script(r#"test -z "$FACEPRINT_PASSPHRASE""#);
    let done = (0..200).any(|_| {
        std::thread::sleep(Duration::from_millis(50));
        office.run("deliver", &["--", "sh", "-c", &take]).code == Some(0)
    });
    assert!(done);
    let again = office.lines();
    let (first, last) = (&lines[1], again.last().unwrap());
    assert_eq!((&first["event"], &first["attempt"]), (&last["event"], &1.into()));
    assert!(last["attempt"].as_u64() >= Some(2), "{last}");
    assert!(office.outbox.is_empty().unwrap());
}

#[test]
fn commands_that_hang_or_are_not_there() {
    let office = Office::new(&["alice"]);
    let run = office.run("deliver", &["--timeout", "50ms", "--", "sleep", "600"]);
    assert_eq!(run.code, Some(1), "{}", run.stderr);
    assert!(run.stderr.contains("took longer than 50ms"), "{}", run.stderr);
    office.push("bob");
    let run = office.run("deliver", &["--", "/no/such/command"]);
    assert_eq!(run.code, Some(2));
    assert!(run.stderr.contains("/no/such/command"), "{}", run.stderr);
    assert_eq!(office.outbox.len().unwrap(), 2);
    // It need not read what it is given.
    office.push("carol");
    let run = office.run("deliver", &["--", "true"]);
    assert_eq!(run.code, Some(1), "{}", run.stderr);
    assert!(
        run.stderr.contains("0 attempts failed") || run.stderr.contains("0 failed"),
        "{}",
        run.stderr
    );
    for args in [&["--timeout", "2h", "--", "true"][..], &["--timeout", "0s", "--", "true"], &[]] {
        assert_eq!(office.run("deliver", args).code, Some(2), "{args:?}");
    }
    let path = office.folder.path().join("none").display().to_string();
    let run = faceprint_with(["outbox", "list", &path], &[("FACEPRINT_PASSPHRASE", "a door")]);
    assert_eq!(run.code, Some(2));
    assert!(run.stderr.contains("watch --outbox"), "{}", run.stderr);
}

#[test]
fn events_that_come_later_are_followed() {
    let office = Office::new(&["alice"]);
    let mut child = Command::new(env!("CARGO_BIN_EXE_faceprint"))
        .args(["outbox", "deliver", "--follow"])
        .arg(office.folder.path().join("o"))
        .args(["--", "sh", "-c", &office.script("true")])
        .env("FACEPRINT_PASSPHRASE", "a door")
        .stdin(Stdio::null())
        .spawn()
        .unwrap();
    let arrived = |count| {
        (0..6_000).any(|_| {
            std::thread::sleep(Duration::from_millis(10));
            office.lines().len() == count
        })
    };
    assert!(arrived(1));
    office.push("bob");
    assert!(arrived(2));
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(subjects(&office.lines()), ["alice", "bob"]);
}

#[test]
fn people_are_forgotten() {
    let office = Office::new(&["alice", "bob", "alice", "stranger"]);
    let run = office.run("erase", &["alice"]);
    assert_eq!(run.code, Some(2), "there is no terminal to ask at");
    let run = office.run("erase", &["alice", "nobody", "--yes", "--json"]);
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    assert_eq!(run.json()[0]["erased"]["events"], 2);
    assert_eq!(subjects(&office.run("list", &[]).json()), ["bob", "-"]);
    assert_eq!(office.outbox.sightings().unwrap().len(), 1);
}
