//! Several processes on one gallery, and processes that die.
#![cfg(feature = "gallery")]
#![allow(clippy::unwrap_used)]

#[path = "common/gallery.rs"]
#[allow(dead_code, unreachable_pub)]
mod common;

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use common::*;
use faceprint::gallery::EnrollPolicy;
use faceprint::{Error, ErrorKind, Gallery, Query};

/// What the child of a test does; nothing when this runs as a test of its own.
const ROLE: &str = "FACEPRINT_TEST_ROLE";

#[test]
fn child() {
    let Ok(role) = std::env::var(ROLE) else { return };
    let (role, path) = role.split_once(' ').unwrap();
    match role {
        "hold" => hold(Path::new(path)),
        "write" => write_until_killed(Path::new(path)),
        "fill" => write_until_refused(Path::new(path)),
        other => panic!("{other}"),
    }
}

#[test]
fn readers_see_another_process_and_a_second_writer_is_told() {
    let (folder, gallery, acme) = fresh();
    let path = folder.path().join("g.faceprint");
    added(acme.enroll(&id(1), &template(1)).unwrap());
    assert_eq!(acme.subjects().unwrap().len(), 1);
    let mut child = start("hold", &path);
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    wait_for(&mut lines, "holding");
    // The child is in the middle of a commit: readers go on with what was, a second writer is told.
    assert_eq!(acme.subjects().unwrap(), [id(1)]);
    assert!(acme.identify(&template(50), &Query::top(1).at_least(0.9)).unwrap().is_empty());
    gallery.busy_timeout(Duration::from_millis(150)).unwrap();
    let error = acme.enroll(&id(2), &template(2)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Locked, "{error}");
    assert_eq!(gallery.rotate_key(&key(3)).unwrap_err().kind(), ErrorKind::Locked);
    // It goes on; a writer that waits long enough gets its turn, and the commit is seen by the next call.
    gallery.busy_timeout(Duration::from_secs(20)).unwrap();
    child.stdin.take().unwrap().write_all(b"go\n").unwrap();
    added(acme.enroll(&id(2), &template(2)).unwrap());
    wait_for(&mut lines, "done");
    assert_eq!(
        acme.identify(&template(50), &Query::top(1).at_least(0.9)).unwrap()[0].subject,
        id(50)
    );
    assert!(child.wait().unwrap().success());
    assert_eq!(acme.subjects().unwrap(), [id(1), id(2), id(50), id(51)]);
    gallery.check().unwrap();
}

/// Enrols two people in one commit, and stops between them until it is told to go on.
fn hold(path: &Path) {
    let gallery = Gallery::open(path, &key(1)).unwrap();
    let acme = gallery.tenant(&tenant_id("acme")).unwrap();
    let batch = [(id(50), template(50)), (id(51), template(51))];
    acme.enroll_all(&batch, |done, _| {
        if done == 1 {
            say("holding");
            std::io::stdin().read_exact(&mut [0; 2]).unwrap();
        }
    })
    .unwrap();
    say("done");
}

/// `FACEPRINT_KILLS` kills, 100 unless told otherwise.
#[test]
fn what_was_acknowledged_survives_being_killed() {
    let (folder, gallery, acme) = fresh();
    let path = folder.path().join("g.faceprint");
    drop((gallery, acme));
    let kills: u64 =
        std::env::var("FACEPRINT_KILLS").ok().and_then(|it| it.parse().ok()).unwrap_or(100);
    let mut model: BTreeMap<u64, u64> = BTreeMap::new();
    let (mut acknowledged, mut surprises, mut lucky) = (0, 0, BTreeMap::new());
    for round in 0..kills {
        let mut child = start("write", &path);
        let stdout = child.stdout.take().unwrap();
        let reading = std::thread::spawn(move || {
            BufReader::new(stdout).lines().map_while(Result::ok).collect::<Vec<_>>()
        });
        std::thread::sleep(Duration::from_micros(15_000 + noise(round) % 70_000));
        child.kill().unwrap();
        child.wait().unwrap();
        let lines = reading.join().unwrap();
        // Pairs of "begin X" and "end X"; the last may be a beginning only.
        let mut open = None;
        for line in &lines {
            if let Some(begun) = line.strip_prefix("begin ") {
                open = Some(begun.to_owned());
            } else if let Some(ended) = line.strip_prefix("end ") {
                assert_eq!(open.take().as_deref(), Some(ended));
                apply(&mut model, ended);
                *lucky.entry(ended.split(' ').next().unwrap().to_owned()).or_insert(0) += 1;
                acknowledged += 1;
            }
        }
        let gallery = open_either(&path).unwrap();
        gallery.check().unwrap();
        let acme = gallery.tenant(&tenant_id("acme")).unwrap();
        let found: BTreeMap<u64, u64> = acme
            .subjects()
            .unwrap()
            .iter()
            .map(|subject| {
                let stored = acme.templates(subject).unwrap();
                assert_eq!(stored.len(), 1);
                let number = subject.as_str()[15..].parse().unwrap();
                let seed =
                    (0..3_000).find(|&seed| bits(&template(seed)) == bits(&stored[0].template));
                (number, seed.unwrap())
            })
            .collect();
        if found != model {
            // What was begun and not acknowledged is there wholly, or not at all.
            let begun = open.expect("nothing was under way");
            apply(&mut model, &begun);
            assert_eq!(found, model, "after {begun}");
            surprises += 1;
        }
    }
    println!(
        "{kills} kills, {acknowledged} acknowledged commits {lucky:?}, {surprises} that were on disk before \
         they were acknowledged"
    );
    assert!(acknowledged > kills, "{acknowledged}");
}

fn apply(model: &mut BTreeMap<u64, u64>, operation: &str) {
    let words: Vec<&str> = operation.split(' ').collect();
    match words[..] {
        ["enroll", number] => {
            model.insert(number.parse().unwrap(), number.parse().unwrap());
        }
        ["replace", number, seed] => {
            model.insert(number.parse().unwrap(), seed.parse().unwrap());
        }
        ["batch", number] => {
            let number: u64 = number.parse().unwrap();
            for number in number..number + 5 {
                model.insert(number, number);
            }
        }
        ["erase", number] => {
            model.remove(&number.parse().unwrap());
        }
        _ => {}
    }
}

fn write_until_killed(path: &Path) {
    let gallery = open_either(path).unwrap();
    let acme = gallery.tenant(&tenant_id("acme")).unwrap();
    let acme = acme.with_policy(EnrollPolicy::default().duplicate_at(None));
    let mut there: Vec<u64> =
        acme.subjects().unwrap().iter().map(|it| it.as_str()[15..].parse().unwrap()).collect();
    let start = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().subsec_nanos();
    for step in 0.. {
        let dice = noise(u64::from(start) + step);
        let nth = usize::try_from(dice / 100).unwrap() % there.len().max(1);
        let absent =
            (0..).map(|it| (dice / 100 + it) % 900).find(|it| !there.contains(it)).unwrap();
        let operation = match dice % 100 {
            0..6 => "rotate".to_owned(),
            6..12 => "rekey".to_owned(),
            12..16 => "compact".to_owned(),
            16..20 => format!("batch {}", 1_000 + (dice / 100 % 100) * 5),
            20..60 if there.len() < 40 => format!("enroll {absent}"),
            _ if there.is_empty() => format!("enroll {absent}"),
            20..75 => format!("erase {}", there[nth]),
            _ => format!("replace {} {}", there[nth], 2_000 + dice % 900),
        };
        let words: Vec<&str> = operation.split(' ').collect();
        if words[0] == "batch" && there.iter().any(|&it| it >= 1_000) {
            continue;
        }
        say(&format!("begin {operation}"));
        let number = |at: usize| words[at].parse::<u64>().unwrap();
        match words[0] {
            "rotate" => gallery.rotate_key(&key(1 + (dice / 100 % 2) as u8)).unwrap(),
            "rekey" => gallery.rekey(&key(1 + (dice / 100 % 2) as u8)).unwrap(),
            "compact" => gallery.compact().unwrap(),
            "enroll" => {
                added(acme.enroll(&id(number(1)), &template(number(1))).unwrap());
            }
            "replace" => {
                added(acme.replace(&id(number(1)), &template(number(2))).unwrap());
            }
            "erase" => {
                acme.erase(&id(number(1))).unwrap();
            }
            _ => {
                let batch: Vec<_> =
                    (number(1)..number(1) + 5).map(|it| (id(it), template(it))).collect();
                acme.enroll_all(&batch, |_, _| {}).unwrap();
            }
        }
        say(&format!("end {operation}"));
        let mut model = there.iter().map(|&it| (it, it)).collect();
        apply(&mut model, &operation);
        there = model.into_keys().collect();
    }
}

/// The system refuses to let files grow past a limit, in the middle of commits: no disk is that full, but
/// SQLite sees the same failing writes.
#[test]
#[cfg(unix)]
fn what_was_acknowledged_survives_failing_writes() {
    let mut refused = 0;
    for blocks in (300..3_000).step_by(150) {
        let (folder, gallery, acme) = fresh();
        let path = folder.path().join("g.faceprint");
        drop((gallery, acme));
        let limited = Command::new("sh")
            .args(["-c", &format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$0\" \"$@\"")])
            .arg(std::env::current_exe().unwrap())
            .args(["--exact", "child", "--nocapture"])
            .env(ROLE, format!("fill {}", path.display()))
            .output()
            .unwrap();
        let said = String::from_utf8(limited.stdout).unwrap();
        assert!(limited.status.success(), "{blocks}: {said}");
        let acknowledged: Vec<u64> = said
            .lines()
            .filter_map(|line| line.strip_prefix("end enroll "))
            .map(|number| number.parse().unwrap())
            .collect();
        refused += said.lines().filter(|line| line.starts_with("refused")).count();
        let gallery = Gallery::open(&path, &key(1)).unwrap();
        gallery.check().unwrap();
        let acme = gallery.tenant(&tenant_id("acme")).unwrap();
        let expected: Vec<_> = acknowledged.iter().map(|&number| id(number)).collect();
        assert_eq!(acme.subjects().unwrap(), expected, "{blocks} blocks");
        added(acme.enroll(&id(9_999), &template(9_999)).unwrap());
    }
    println!("{refused} commits refused by the system");
    assert!(refused >= 18, "{refused}");
}

fn write_until_refused(path: &Path) {
    let gallery = Gallery::open(path, &key(1)).unwrap();
    let acme = gallery.tenant(&tenant_id("acme")).unwrap();
    let mut refused = 0;
    for number in 0..400 {
        match acme.enroll(&id(number), &template(number)) {
            Ok(_) => say(&format!("end enroll {number}")),
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

fn open_either(path: &Path) -> Result<Gallery, Error> {
    Gallery::open(path, &key(1)).or_else(|error| match error.kind() {
        ErrorKind::WrongKey => Gallery::open(path, &key(2)),
        _ => Err(error),
    })
}

fn start(role: &str, path: &Path) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "child", "--nocapture"])
        .env(ROLE, format!("{role} {}", path.display()))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap()
}

fn wait_for(lines: &mut impl Iterator<Item = std::io::Result<String>>, text: &str) {
    assert!(lines.any(|line| line.unwrap() == text), "the child ended before it said {text:?}");
}

/// A line of its own, at once: the test harness writes to the same place.
fn say(line: &str) {
    let mut out = std::io::stdout().lock();
    out.write_all(format!("{line}\n").as_bytes()).unwrap();
    out.flush().unwrap();
}

fn noise(seed: u64) -> u64 {
    let mut state = seed.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    state ^= state >> 29;
    state = state.wrapping_mul(0xbf58_476d_1ce4_e5b9);
    state ^ (state >> 32)
}
