//! Processes that are killed while they fill and empty an outbox.
#![cfg(feature = "gallery")]
#![allow(clippy::unwrap_used)]

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, SystemTime};

use faceprint::Access;
use faceprint::stream::{Event, Limit, Outbox, Who};

const ROLE: &str = "FACEPRINT_TEST_OUTBOX";
const LIMIT: Limit = Limit::refuse_new(1_000_000);

fn open(path: &Path) -> Outbox {
    Outbox::open(path, &Access::key([1; 32]), LIMIT).unwrap()
}

/// What the child does; nothing when this runs as a test of its own.
#[test]
fn child() {
    let Ok(role) = std::env::var(ROLE) else { return };
    let (first, path) = role.split_once(' ').unwrap();
    let outbox = open(Path::new(path));
    let first: u64 = first.parse().unwrap();
    for number in first.. {
        let id = format!("event {number}").parse().unwrap();
        let event = Event::new(Who::Subject { id, similarity: 1.0 }, SystemTime::now()).unwrap();
        say(&format!("pushing {number} {}", event.id));
        outbox.push(&event).unwrap();
        say(&format!("pushed {number} {}", event.id));
        // Two steps forward, one back, now and then more: the queue neither runs dry nor full.
        for _ in 0..number % 3 {
            deliver(&outbox, number);
        }
    }
}

fn deliver(outbox: &Outbox, number: u64) {
    let lease = Duration::from_millis(1 + number % 50);
    let Some(delivery) = outbox.lease(SystemTime::now(), lease).unwrap() else { return };
    let event = delivery.event;
    say(&format!("got {} {}", content(&event), event.id));
    if number.is_multiple_of(5) {
        outbox.retry(event.id, SystemTime::now() - Duration::from_secs(3_600)).unwrap();
    } else {
        outbox.ack(event.id).unwrap();
        say(&format!("done {} {}", content(&event), event.id));
    }
}

/// `FACEPRINT_KILLS` kills, 60 unless told otherwise: every event whose push returned is delivered, each under one id,
/// and none again that was acknowledged.
#[test]
fn no_event_is_lost_and_none_has_two_ids() {
    let kills: u64 =
        std::env::var("FACEPRINT_KILLS").ok().and_then(|it| it.parse().ok()).unwrap_or(60);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("o");
    drop(Outbox::create(&path, &Access::key([1; 32]), LIMIT).unwrap());
    let mut log = Log::default();
    for round in 0..kills {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "child", "--nocapture"])
            .env(ROLE, format!("{} {}", log.next, path.display()))
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        // It lives from its first push on, for a time that depends on nothing.
        for line in lines.by_ref().map_while(Result::ok) {
            log.read(&line);
            if line.starts_with("pushing") {
                break;
            }
        }
        let reading = std::thread::spawn(move || lines.map_while(Result::ok).collect::<Vec<_>>());
        std::thread::sleep(Duration::from_micros(noise(round) % 80_000));
        child.kill().unwrap();
        child.wait().unwrap();
        reading.join().unwrap().iter().for_each(|line| log.read(line));
    }
    // What is left is delivered too.
    let outbox = open(&path);
    let far = SystemTime::now() + Duration::from_secs(7_200);
    while let Some(delivery) = outbox.lease(far, Duration::from_secs(60)).unwrap() {
        let event = delivery.event;
        log.read(&format!("got {} {}", content(&event), event.id));
        assert!(outbox.ack(event.id).unwrap());
        log.read(&format!("done {} {}", content(&event), event.id));
    }
    assert!(outbox.is_empty().unwrap());
    let lost: Vec<_> = log.pushed.difference(&log.delivered).collect();
    println!(
        "{kills} kills, {} events pushed for sure and {} begun, {} deliveries, {} lost",
        log.pushed.len(),
        log.ids.len(),
        log.deliveries,
        lost.len()
    );
    assert!(lost.is_empty(), "{lost:?}");
    assert!(log.pushed.len() as u64 > kills / 4, "{}", log.pushed.len());
}

/// What the children said.
#[derive(Default)]
struct Log {
    next: u64,
    ids: BTreeMap<u64, String>,
    pushed: BTreeSet<u64>,
    delivered: BTreeSet<u64>,
    done: BTreeSet<u64>,
    deliveries: u64,
}

impl Log {
    fn read(&mut self, line: &str) {
        let words: Vec<&str> = line.split(' ').collect();
        let [word, number, id] = words[..] else { return };
        let Ok(number) = number.parse::<u64>() else { return };
        match word {
            // The beginning of a line may be another's, the harness's: the number is not.
            "pushing" => {
                self.next = number + 1;
                assert!(self.ids.insert(number, id.to_owned()).is_none(), "{number} twice");
            }
            "pushed" => drop(self.pushed.insert(number)),
            "got" => {
                assert_eq!(self.ids[&number], id, "event {number} has two ids");
                assert!(!self.done.contains(&number), "event {number} came after it was done");
                self.delivered.insert(number);
                self.deliveries += 1;
            }
            "done" => drop(self.done.insert(number)),
            _ => {}
        }
    }
}

fn content(event: &Event) -> u64 {
    let Who::Subject { id, .. } = &event.who else { panic!() };
    id.as_str()["event ".len()..].parse().unwrap()
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
