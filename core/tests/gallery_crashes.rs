//! Processes that are killed and files that fail: what was acknowledged is there, and nothing is half-done.
#![cfg(all(feature = "gallery", unix))]
#![allow(clippy::unwrap_used)]

#[path = "common/children.rs"]
#[allow(dead_code, unreachable_pub)]
mod children;
#[path = "common/gallery.rs"]
#[allow(dead_code, unreachable_pub)]
mod common;
#[path = "common/operations.rs"]
#[allow(dead_code, unreachable_pub)]
mod operations;
#[path = "common/shim.rs"]
#[allow(dead_code, unreachable_pub)]
mod shim;

use std::collections::BTreeMap;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::mpsc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use children::{as_role, command, noise, role, say, start, thorough};
use common::*;
use faceprint::{Error, ErrorKind, Gallery, Tenant};
use operations::{Operation, State, open, people, tenant};
use shim::Shim;

/// The process that the tests start; nothing when this runs as a test of its own.
#[test]
fn child() {
    let Some((role, path)) = role() else { return };
    let path = Path::new(&path);
    match role.as_str() {
        "write" => write_until_killed(path),
        "fill" => write_until_refused(path),
        "survive" => write_on_failing_files(path),
        other => panic!("{other}"),
    }
}

/// `FACEPRINT_KILLS` transactions are killed under way: 60 unless told otherwise, 2,000 with
/// `FACEPRINT_THOROUGH`.
#[test]
fn what_was_acknowledged_survives_being_killed() {
    let (folder, gallery, acme) = fresh();
    let path = folder.path().join("g.faceprint");
    drop((gallery, acme));
    let asked = std::env::var("FACEPRINT_KILLS").ok().map(|it| it.parse().unwrap());
    let wanted: usize = asked.unwrap_or(if thorough() { 2_000 } else { 60 });
    let mut state = State::new();
    let (mut kills, mut early) = (0_u64, 0);
    let (mut acknowledged, mut killed) = (BTreeMap::new(), BTreeMap::new());
    while killed.values().sum::<usize>() < wanted {
        let (mut child, lines) = start("write", &path);
        let (begun, beginning) = mpsc::channel();
        let reading = std::thread::spawn(move || {
            let lines = lines.map_while(Result::ok);
            // Nobody listens after the first.
            let tell = |line: &String| _ = begun.send(line.starts_with("begin"));
            lines.inspect(tell).collect::<Vec<_>>()
        });
        assert!(beginning.iter().any(|begun| begun), "the child did nothing");
        std::thread::sleep(Duration::from_micros(noise(kills) % 50_000));
        child.kill().unwrap();
        assert_eq!(child.wait().unwrap().signal(), Some(9), "the child ended on its own");
        kills += 1;
        // Pairs of "begin X" and "end X"; the last may be a beginning only.
        let mut under_way: Option<Operation> = None;
        for line in reading.join().unwrap() {
            if let Some(begun) = line.strip_prefix("begin ") {
                under_way = Some(begun.parse().unwrap());
            } else if let Some(ended) = line.strip_prefix("end ") {
                let operation = under_way.take().unwrap();
                assert_eq!(operation.to_string(), ended);
                state.apply(&operation);
                *acknowledged.entry(operation.name()).or_insert(0_usize) += 1;
            }
        }
        let found = State::read(&path);
        if let Some(operation) = under_way {
            *killed.entry(operation.name()).or_insert(0_usize) += 1;
            // What was begun and not acknowledged is there wholly, or not at all.
            let after = state.after(&operation);
            if found == after && found != state {
                state = after;
                early += 1;
            }
        }
        assert_eq!(found, state, "after {kills} kills");
    }
    println!(
        "{kills} kills, {} within a transaction {killed:?}; {} acknowledged commits {acknowledged:?}: 0 lost; \
         {early} were on disk before they were acknowledged, none was half-done",
        killed.values().sum::<usize>(),
        acknowledged.values().sum::<usize>(),
    );
    assert!(acknowledged.values().sum::<usize>() > wanted);
}

fn write_until_killed(path: &Path) {
    let (gallery, acme, key) = open(path).unwrap();
    let mut state = State { people: people(&acme).unwrap(), key };
    let start = u64::from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().subsec_nanos());
    for step in 0.. {
        let operation = Operation::choose(noise(start + step), &state);
        say(&format!("begin {operation}"));
        operation.run(&gallery, &acme).unwrap();
        say(&format!("end {operation}"));
        state.apply(&operation);
    }
}

/// The system refuses to let files grow past a limit, in the middle of commits: no disk is that full, but
/// SQLite sees the same failing writes.
#[test]
fn what_was_acknowledged_survives_a_full_disk() {
    let mut refused = 0;
    for blocks in (300..3_000).step_by(150) {
        let (folder, gallery, acme) = fresh();
        let path = folder.path().join("g.faceprint");
        drop((gallery, acme));
        let mut limited = Command::new("sh");
        limited
            .args(["-c", &format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$0\" \"$@\"")])
            .arg(std::env::current_exe().unwrap())
            .args(["--exact", "child", "--nocapture"]);
        as_role(&mut limited, "fill", &path);
        let limited = limited.output().unwrap();
        let said = String::from_utf8(limited.stdout).unwrap();
        assert!(limited.status.success(), "{blocks}: {said}");
        let acknowledged: Vec<u64> = said
            .lines()
            .filter_map(|line| line.strip_prefix("end enroll "))
            .map(|number| number.parse().unwrap())
            .collect();
        refused += said.lines().filter(|line| line.starts_with("refused")).count();
        let expected = acknowledged.iter().map(|&number| (number, number)).collect();
        assert_eq!(State::read(&path), State { people: expected, key: 1 }, "{blocks} blocks");
        let (_gallery, acme, _) = open(&path).unwrap();
        added(acme.enroll(&id(9_999), &template(9_999)).unwrap());
    }
    println!("{refused} commits refused by the system");
    assert!(refused >= 18, "{refused}");
}

fn write_until_refused(path: &Path) {
    let (gallery, acme, _) = open(path).unwrap();
    let mut refused = 0;
    for number in 0..400 {
        match Operation::Enroll(number).run(&gallery, &acme) {
            Ok(()) => say(&format!("end enroll {number}")),
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::Io, "{error}");
                say(&format!("refused {number}"));
                refused += 1;
            }
        }
        // What was there before is still answered.
        assert!(acme.subjects().is_ok());
        if refused == 5 {
            break;
        }
    }
}

/// Ways to fail, see `failing_io.c`.
const FAILURES: [&str; 6] = ["eio", "enospc", "gone", "full", "torn", "short"];

/// Each write, sync and truncation in the life of a gallery fails once, in one way each, and in every way
/// with `FACEPRINT_THOROUGH`.
#[test]
fn what_was_acknowledged_survives_failing_files() {
    let Some(shim) = Shim::build() else { return };
    let whole = Life::live(&shim, None);
    whole.judge();
    let (operations, none) = shim.counts();
    assert!(operations > 200, "the file layer saw {operations} operations only");
    assert_eq!((none, whole.count("refused")), (0, 0));
    assert_eq!(whole.count("end"), PLAN.len() + 2, "{:?}", whole.said);
    let (mut lives, mut failed, mut refused, mut reopened, mut stuck) = (0, 0, 0, 0, 0);
    for number in 1..=operations {
        for (nth, how) in FAILURES.iter().enumerate() {
            if !thorough() && number % FAILURES.len() as u64 != nth as u64 {
                continue;
            }
            let life = Life::live(&shim, Some(&format!("{number} {how}")));
            life.judge();
            lives += 1;
            failed += shim.counts().1;
            refused += life.count("refused");
            reopened += life.count("opened");
            stuck += life.count("stuck");
        }
    }
    println!(
        "{operations} operations on files in one life; {lives} lives with failures: {failed} operations failed, \
         {refused} calls refused with a typed error, {reopened} times opened again, {stuck} times in vain; \
         0 acknowledged commits lost, none half-done"
    );
    assert!(failed >= lives * 4 / 5, "{failed} of {lives}");
    assert!(refused > 0 && reopened > 0 && stuck > 0);
}

/// What a gallery goes through between its creation and its backup.
const PLAN: [&str; 16] = [
    "enroll 0",
    "enroll 1",
    "enroll 2",
    "batch 1000",
    "replace 1 2001",
    "erase 2",
    "rotate 2",
    "enroll 5",
    "rekey 1",
    "erase 1003",
    "compact",
    "enroll 6",
    "replace 0 2000",
    "rotate 2",
    "enroll 7",
    "erase 1000",
];

/// A process that makes a gallery and goes through the plan.
struct Life {
    folder: tempfile::TempDir,
    failure: String,
    said: Vec<String>,
}

impl Life {
    fn live(shim: &Shim, failure: Option<&str>) -> Self {
        let folder = memory();
        let mut child = command("survive", &folder.path().join("g.faceprint"));
        shim.watch(&mut child, folder.path());
        if let Some(failure) = failure {
            child.env("FACEPRINT_IO_FAIL", failure);
        }
        let failure = failure.unwrap_or("nothing").to_owned();
        let ended = child.output().unwrap();
        let said = String::from_utf8(ended.stdout).unwrap();
        let errors = String::from_utf8_lossy(&ended.stderr);
        assert!(ended.status.success(), "{failure} failed: {said}{errors}");
        Self { folder, failure, said: said.lines().map(str::to_owned).collect() }
    }

    fn count(&self, word: &str) -> usize {
        self.said.iter().filter(|line| line.split(' ').next() == Some(word)).count()
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("g.faceprint")
    }

    /// Holds what the process said against what the file holds now.
    fn judge(&self) {
        let context = format!("{} failed; {:?}", self.failure, self.said);
        // What was acknowledged; and what a refused call may have left, wholly, until the next commit.
        let mut state: Option<State> = None;
        let mut possible: Vec<State> = Vec::new();
        for line in &self.said {
            let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
            match (word, rest) {
                ("end", "create") => state = Some(State::new()),
                ("end" | "refused", "backup") | ("refused", "create") => {}
                ("end", operation) => {
                    state.as_mut().unwrap().apply(&operation.parse().unwrap());
                    possible.clear();
                }
                ("refused", operation) => {
                    possible.push(state.as_ref().unwrap().after(&operation.parse().unwrap()));
                }
                ("sees" | "opened", _) => {
                    let known = std::iter::once(state.as_ref().unwrap()).chain(&possible);
                    let mut seen = known.filter(|it| {
                        rest == format!("{:?}", it.people)
                            || rest == format!("{} {:?}", it.key, it.people)
                    });
                    let seen = seen.next().cloned();
                    state = Some(seen.unwrap_or_else(|| panic!("{line} is half-done: {context}")));
                }
                _ => {}
            }
        }
        let Some(state) = state else {
            assert!(!self.path().exists(), "a failed creation left something: {context}");
            return;
        };
        let found = State::read(&self.path());
        assert!(
            found == state || possible.contains(&found),
            "{found:?} is neither {state:?} nor any of {possible:?}: {context}"
        );
        let copy = self.folder.path().join("copy.faceprint");
        if self.said.iter().any(|it| it == "end backup") {
            assert_eq!(State::read(&copy).people, found.people, "{context}");
        } else {
            assert!(!copy.exists(), "a failed backup left something: {context}");
        }
        let (_gallery, acme, _) = open(&self.path()).unwrap();
        added(acme.enroll(&id(9_999), &template(9_999)).unwrap());
    }
}

/// Goes through the plan. After a refusal it looks at what is there and goes on, or opens the gallery again.
fn write_on_failing_files(path: &Path) {
    let create = || tell("create", Gallery::create(path, &key(1), space(1)));
    let Some(gallery) = (0..3).find_map(|_| create()) else { return };
    let mut held = tenant(&gallery).ok().map(|acme| (gallery, acme, BTreeMap::new()));
    for (nth, operation) in PLAN.iter().enumerate() {
        let operation: Operation = operation.parse().unwrap();
        let Some((gallery, acme, known)) = held.take().or_else(|| open_again(path)) else { return };
        let mut state = State { people: known, key: 1 };
        if !state.allows(&operation) {
            held = Some((gallery, acme, state.people));
        } else if tell(&operation.to_string(), operation.run(&gallery, &acme)).is_some() {
            state.apply(&operation);
            held = Some((gallery, acme, state.people));
        } else {
            match people(&acme) {
                Ok(seen) => {
                    say(&format!("sees {seen:?}"));
                    held = (nth % 2 == 0).then_some((gallery, acme, seen));
                }
                Err(error) => expect(&error, "what is there"),
            }
        }
    }
    if let Some((gallery, _, _)) = held.or_else(|| open_again(path)) {
        tell("backup", gallery.backup(path.with_file_name("copy.faceprint")));
    }
}

/// Three attempts to open the gallery and to see who is there.
fn open_again(path: &Path) -> Option<(Gallery, Tenant, BTreeMap<u64, u64>)> {
    for _ in 0..3 {
        match open(path).and_then(|(gallery, acme, key)| {
            people(&acme).map(|people| (gallery, acme, people, key))
        }) {
            Ok((gallery, acme, people, key)) => {
                say(&format!("opened {key} {people:?}"));
                return Some((gallery, acme, people));
            }
            Err(error) => {
                expect(&error, "opening");
                say("stuck");
            }
        }
    }
    None
}

/// Says whether a call was acknowledged or refused.
fn tell<T>(call: &str, outcome: Result<T, Error>) -> Option<T> {
    match outcome {
        Ok(done) => {
            say(&format!("end {call}"));
            Some(done)
        }
        Err(error) => {
            expect(&error, call);
            say(&format!("refused {call}"));
            None
        }
    }
}

/// Failing files are told apart from damaged ones. A rekey that was refused may have reached the file.
fn expect(error: &Error, call: &str) {
    assert!(matches!(error.kind(), ErrorKind::Io | ErrorKind::WrongKey), "{call}: {error}");
}
