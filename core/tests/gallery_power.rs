//! Power cuts: what the system was told to write and not yet to sync may be on the disk, in part, or not.
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
use std::fs;
use std::io::Write;
use std::path::Path;

use children::{command, noise, role, thorough};
use common::*;
use faceprint::Gallery;
use operations::{Operation, State, open, people, tenant};
use shim::{Event, Shim, events};

/// The file in which the child says what it begins and what was acknowledged, among the files of the gallery.
const SAID: &str = "said";
/// Bytes that a disk writes at once.
const SECTOR: usize = 512;

/// 12 operations, 100 with `FACEPRINT_THOROUGH`; the power is cut after each write, truncation and sync.
#[test]
fn what_was_acknowledged_survives_power_cuts() {
    let Some(shim) = Shim::build() else { return };
    let (folder, log, after) = (memory(), memory(), memory());
    let path = folder.path().join("g.faceprint");
    let gallery = Gallery::create(&path, &key(1), space(1)).unwrap();
    drop((tenant(&gallery).unwrap(), gallery));
    let mut disk = Disk::default();
    disk.file("g.faceprint").synced = fs::read(&path).unwrap();
    let log = log.path().join("log");
    let mut child = command("write", &path);
    shim.log(&mut child, folder.path(), &log);
    assert!(child.output().unwrap().status.success());

    let (mut state, mut under_way) = (State::new(), None::<Operation>);
    let (mut cuts, mut acknowledged, mut early) = (0_u64, 0, 0);
    for event in events(&log) {
        if let Event::Write { name, bytes, .. } = &event
            && name == SAID
        {
            match std::str::from_utf8(bytes).unwrap().trim_end().split_once(' ').unwrap() {
                ("begin", operation) => under_way = Some(operation.parse().unwrap()),
                _ => {
                    state.apply(&under_way.take().unwrap());
                    acknowledged += 1;
                }
            }
        } else {
            disk.take(event);
        }
        for luck in [Luck::None, Luck::All, Luck::Some(cuts)] {
            disk.cut(luck, after.path());
            let found = State::read(&after.path().join("g.faceprint"));
            if found != state {
                let begun = under_way.as_ref().unwrap_or_else(|| {
                    panic!("cut {cuts} ({luck:?}): {found:?} is there, {state:?} was acknowledged")
                });
                assert_eq!(found, state.after(begun), "cut {cuts} ({luck:?}) within {begun}");
                early += 1;
            }
            cuts += 1;
        }
    }
    println!(
        "{cuts} power cuts in {acknowledged} operations: 0 acknowledged commits lost; {early} times a commit \
         was on disk before it was acknowledged, none was half-done"
    );
    assert!(acknowledged >= 12 && cuts > 500, "{acknowledged} operations, {cuts} cuts");
}

/// The process that the test starts; nothing when this runs as a test of its own.
#[test]
fn child() {
    let Some((_, path)) = role() else { return };
    let path = Path::new(&path);
    let (gallery, acme, key) = open(path).unwrap();
    let mut state = State { people: people(&acme).unwrap(), key };
    let mut said = fs::File::create(path.with_file_name(SAID)).unwrap();
    for step in 0..if thorough() { 100 } else { 12 } {
        let operation = match step {
            // Each kind at least once.
            5 => Operation::Rekey(2),
            7 => Operation::Compact,
            _ => Operation::choose(noise(step), &state),
        };
        said.write_all(format!("begin {operation}\n").as_bytes()).unwrap();
        operation.run(&gallery, &acme).unwrap();
        said.write_all(format!("end {operation}\n").as_bytes()).unwrap();
        state.apply(&operation);
    }
    // The gallery is not closed: nothing is tidied up before the power goes.
    std::process::exit(0);
}

/// Files as a disk has them, and what it was told since it was last told to sync.
#[derive(Default)]
struct Disk {
    files: BTreeMap<String, File>,
}

#[derive(Default)]
struct File {
    synced: Vec<u8>,
    pending: Vec<Event>,
}

/// What of the pending reaches the disk when the power is cut.
#[derive(Clone, Copy, Debug)]
enum Luck {
    None,
    All,
    /// By the dice: operations, and the sectors of a write.
    Some(u64),
}

impl Disk {
    fn file(&mut self, name: &str) -> &mut File {
        self.files.entry(name.to_owned()).or_default()
    }

    fn take(&mut self, event: Event) {
        match &event {
            Event::Write { name, .. } | Event::Truncate { name, .. } => {
                let name = name.clone();
                self.file(&name).pending.push(event);
            }
            Event::Sync { name } => {
                let File { synced, pending } = self.file(name);
                pending.drain(..).for_each(|event| apply(synced, &event, |_| true));
            }
        }
    }

    /// Writes what is left of the gallery and its log to `folder`. The shared memory was in memory.
    fn cut(&self, luck: Luck, folder: &Path) {
        let _ = fs::remove_file(folder.join("g.faceprint-shm"));
        for name in ["g.faceprint", "g.faceprint-wal"] {
            let _ = fs::remove_file(folder.join(name));
            let Some(file) = self.files.get(name) else { continue };
            let mut bytes = file.synced.clone();
            for (nth, event) in file.pending.iter().enumerate() {
                let coin = |sector| match luck {
                    Luck::None => false,
                    Luck::All => true,
                    Luck::Some(dice) => {
                        let roll = noise(dice * 1_000 + nth as u64);
                        // One in two whole, one in four in part.
                        roll.is_multiple_of(2)
                            || roll % 4 == 1 && noise(roll ^ sector).is_multiple_of(2)
                    }
                };
                apply(&mut bytes, event, coin);
            }
            fs::write(folder.join(name), bytes).unwrap();
        }
    }
}

/// What an operation does to a file, where only some sectors of a write may arrive.
fn apply(file: &mut Vec<u8>, event: &Event, arrives: impl Fn(u64) -> bool) {
    match event {
        Event::Write { offset, bytes, .. } => {
            for (nth, sector) in bytes.chunks(SECTOR).enumerate() {
                if arrives(nth as u64) {
                    let start = offset + nth * SECTOR;
                    file.resize(file.len().max(start + sector.len()), 0);
                    file[start..start + sector.len()].copy_from_slice(sector);
                }
            }
        }
        Event::Truncate { length, .. } => {
            if arrives(0) {
                file.resize(*length, 0);
            }
        }
        Event::Sync { .. } => {}
    }
}
