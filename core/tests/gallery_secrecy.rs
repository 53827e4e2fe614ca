//! What somebody with the files, and no key, can read from them, and what is left of the erased.
#![cfg(feature = "gallery")]
#![allow(clippy::unwrap_used)]

#[path = "common/children.rs"]
#[allow(dead_code, unreachable_pub)]
mod children;
#[path = "common/gallery.rs"]
#[allow(dead_code, unreachable_pub)]
mod common;
#[path = "common/forensics.rs"]
#[allow(dead_code, unreachable_pub)]
mod forensics;
#[path = "common/kms.rs"]
#[allow(dead_code, unreachable_pub)]
mod kms;
#[path = "common/shim.rs"]
#[allow(dead_code, unreachable_pub)]
mod shim;

use std::collections::HashSet;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::sync::Arc;

use children::{command, noise, role, say};
use common::*;
use faceprint::gallery::{Details, EnrollPolicy};
use faceprint::vector::Template;
use faceprint::{Access, Gallery, SubjectId, Tenant};
use forensics::{Loot, subject_rows};
use kms::Kms;
use rusqlite::Connection;
use shim::{Event, Shim, events};

/// People enrolled, and those of them who are erased.
const PEOPLE: u64 = 1_000;
const ERASED: std::ops::Range<u64> = 300..400;

const PASSPHRASE: &str = "the passphrase of the northern office";
const TENANTS: [&str; 2] = ["the northern office of the company", "the visitors of the company"];

/// The process that the tests start; nothing when this runs as a test of its own.
#[test]
fn child() {
    match role() {
        Some((role, path)) if role == "live" => live(Path::new(&path)),
        Some((role, path)) if role == "leak" => leak(Path::new(&path)),
        Some((role, _)) => panic!("{role}"),
        None => {}
    }
}

/// Every byte that a process writes while it fills, changes, rekeys, compacts and copies a gallery, to any file,
/// temporary ones too; and the files themselves, with shared memory, at three moments.
#[test]
fn nothing_that_was_put_in_is_readable() {
    let (folder, log) = (memory(), memory());
    fs::create_dir(folder.path().join("tmp")).unwrap();
    let mut child = command("live", &folder.path().join("g.faceprint"));
    child.env("SQLITE_TMPDIR", folder.path().join("tmp")).env("TMPDIR", folder.path().join("tmp"));
    let shim = Shim::build();
    if let Some(shim) = &shim {
        shim.log(&mut child, folder.path(), &log.path().join("log"));
    }
    let secrets = secrets();
    let windows = Windows::of(secrets.iter().map(Vec::as_slice));
    assert!(windows.set.len() > 1_900_000, "{}", windows.set.len());
    let mut child = child.spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(|it| it.unwrap());
    let mut bytes = 0;
    for moment in ["enrolled", "rekeyed", "compacted"] {
        assert!(lines.any(|line| line == moment), "the child ended before it had {moment}");
        let (read, hits) = windows.scan(folder.path());
        assert_eq!(hits, 0, "{moment}: {hits} windows of 16 bytes");
        assert!(moment != "enrolled" || folder.path().join("g.faceprint-wal").exists());
        bytes += read;
        child.stdin.as_mut().unwrap().write_all(b"\n").unwrap();
    }
    assert!(child.wait().unwrap().success());
    let (read, hits) = windows.scan(folder.path());
    assert_eq!(hits, 0, "{hits} windows of 16 bytes");
    bytes += read;
    let written = if shim.is_some() {
        let (written, hits) = windows.scan(log.path());
        assert_eq!(hits, 0, "{hits} windows of 16 bytes in what was written");
        let temporary = temporary_bytes(&log.path().join("log"));
        assert!(temporary > 1_000_000, "{temporary} bytes in temporary files");
        format!("{written} bytes written, {temporary} of them to temporary files")
    } else {
        "temporary files were not looked at".to_owned()
    };
    println!(
        "{PEOPLE} people, {} windows: 0 found in {bytes} bytes of files, and in {written}",
        windows.set.len()
    );
    // The scan finds what is there: one vector beside the gallery.
    fs::write(folder.path().join("plain"), &secrets[secrets.len() / 2]).unwrap();
    assert!(windows.scan(folder.path()).1 >= 16);
}

/// The test above can fail: a process that keeps the same people in a table of SQLite's own temporary files.
#[test]
fn what_is_written_to_temporary_files_is_seen() {
    let Some(shim) = Shim::build() else { return };
    let (folder, log) = (memory(), memory());
    let mut child = command("leak", &folder.path().join("g.faceprint"));
    child.env("SQLITE_TMPDIR", folder.path());
    shim.log(&mut child, folder.path(), &log.path().join("log"));
    assert!(child.output().unwrap().status.success());
    let secrets = secrets();
    let windows = Windows::of(secrets.iter().map(Vec::as_slice));
    assert_eq!(windows.scan(folder.path()).1, 0, "temporary files are gone when the process is");
    assert!(windows.scan(log.path()).1 > 100_000);
}

fn live(path: &Path) {
    let gallery = Gallery::create(path, &cheap(PASSPHRASE), space(1)).unwrap();
    let policy = EnrollPolicy::default().duplicate_at(None);
    let [north, visitors] =
        TENANTS.map(|name| gallery.tenant(&tenant_id(name)).unwrap().with_policy(policy));
    let everybody: Vec<_> = (0..PEOPLE).map(|number| (name(number), template(number))).collect();
    let (first, rest) = everybody.split_at(everybody.len() / 2);
    north.enroll_all(first, |_, _| {}).unwrap();
    for (subject, template) in rest {
        added(visitors.enroll(subject, template).unwrap());
    }
    for (number, (subject, _)) in everybody.iter().enumerate() {
        let tenant = if number < first.len() { &north } else { &visitors };
        let details = Details { metadata: Some(metadata(number as u64)), ..Details::default() };
        tenant.set_details(subject, &details).unwrap();
    }
    pause("enrolled");
    for (subject, _) in &everybody[..20] {
        north.erase(subject).unwrap();
    }
    added(north.replace(&everybody[30].0, &everybody[3].1).unwrap());
    gallery.rotate_key(&key(2)).unwrap();
    gallery.rekey(&cheap(PASSPHRASE)).unwrap();
    pause("rekeyed");
    gallery.compact().unwrap();
    gallery.backup(path.with_file_name("copy.faceprint")).unwrap();
    gallery.check().unwrap();
    pause("compacted");
}

fn leak(path: &Path) {
    let conn = Connection::open(path).unwrap();
    conn.execute("CREATE TEMP TABLE plain (value)", []).unwrap();
    for secret in secrets() {
        conn.execute("INSERT INTO plain VALUES (?)", [secret]).unwrap();
    }
}

fn pause(moment: &str) {
    say(moment);
    std::io::stdin().read_line(&mut String::new()).unwrap();
}

#[test]
fn erased_bytes_are_gone_after_compaction() {
    let folder = memory();
    let path = folder.path().join("g.faceprint");
    let (gallery, acme) = filled(&path, &key(1));
    let before = sealed(&path);
    for number in ERASED {
        acme.erase(&id(number)).unwrap();
    }
    let after = sealed(&path);
    let erased: Vec<_> = before.difference(&after).collect();
    // Tag, key, profile and template of each, and the tenant's counts.
    let count = usize::try_from(ERASED.end - ERASED.start).unwrap();
    assert_eq!(erased.len(), 4 * count + 1);
    let windows = Windows::of(erased.iter().map(|it| it.as_slice()));
    assert!(windows.scan(folder.path()).1 > 0, "the log still has them");
    gallery.backup(folder.path().join("copy.faceprint")).unwrap();
    gallery.compact().unwrap();
    let (bytes, hits) = windows.scan(folder.path());
    assert_eq!(hits, 0);
    drop((gallery, acme));
    assert_eq!(windows.scan(folder.path()).1, 0);
    println!(
        "{count} of {PEOPLE} erased: none of their {} windows in {bytes} bytes",
        windows.set.len()
    );
    for name in ["g.faceprint", "copy.faceprint"] {
        let gallery = Gallery::open(folder.path().join(name), &key(1)).unwrap();
        assert_eq!(gallery.info().unwrap().subjects, PEOPLE - count as u64);
    }
}

/// Old copies of the file: a provider that rotates makes them worthless, a bare passphrase does not.
#[test]
fn an_old_copy_is_dead_once_the_provider_rotated() {
    let folder = memory();
    let (path, old) = (folder.path().join("g.faceprint"), folder.path().join("old.faceprint"));
    let count = ERASED.end - ERASED.start;
    let kms = Arc::new(Kms::default());
    let access = Access::provider(kms.clone());
    let (gallery, acme) = filled(&path, &access);
    gallery.backup(&old).unwrap();
    for number in ERASED {
        acme.erase(&id(number)).unwrap();
    }
    kms.rotate();
    gallery.rekey(&access).unwrap();
    gallery.compact().unwrap();
    assert_eq!(recovered(&old, &access), count, "the provider's old key is still there");
    let left: HashSet<i64> = subject_rows(&path).into_iter().collect();
    let is_erased = |row| !left.contains(&row);
    let yesterday = Loot::of(&old, &kms);
    assert_eq!(
        yesterday.opened(&old, is_erased) as u64,
        count,
        "they do not open what they should"
    );
    kms.destroy_old();
    assert_eq!(recovered(&old, &access), 0);
    assert_eq!(gallery.info().unwrap().subjects, PEOPLE - count);
    assert_eq!(recovered(&path, &access), 0);
    // Somebody who checks nothing, and tries every key there is today on everything in the old copy.
    let today = Loot::of(&path, &kms);
    assert_eq!(today.opened(&path, |_| true) as u64, PEOPLE - count);
    assert_eq!(today.opened(&old, is_erased), 0);
    assert!(Loot::of(&old, &kms).is_empty());

    let (path, old) = (folder.path().join("bare.faceprint"), folder.path().join("bare.old"));
    let access = cheap(PASSPHRASE);
    let (gallery, acme) = filled(&path, &access);
    gallery.backup(&old).unwrap();
    for number in ERASED {
        acme.erase(&id(number)).unwrap();
    }
    gallery.rekey(&access).unwrap();
    gallery.compact().unwrap();
    assert_eq!(recovered(&path, &access), 0);
    assert_eq!(recovered(&old, &access), count, "the documented limit of a bare passphrase");
}

/// How many of the erased somebody gets back, bit by bit, from the file at `path` with `access`.
fn recovered(path: &Path, access: &Access) -> u64 {
    let Ok(gallery) = Gallery::open_read_only(path, access) else { return 0 };
    let Ok(acme) = gallery.tenant(&tenant_id("acme")) else { return 0 };
    let is_back = |number: &u64| {
        acme.templates(&id(*number))
            .is_ok_and(|it| bits(&it[0].template) == bits(&template(*number)))
    };
    ERASED.filter(is_back).count() as u64
}

/// A gallery with everybody in one tenant.
fn filled(path: &Path, access: &Access) -> (Gallery, Tenant) {
    let gallery = Gallery::create(path, access, space(1)).unwrap();
    let acme = gallery.tenant(&tenant_id("acme")).unwrap();
    let acme = acme.with_policy(EnrollPolicy::default().duplicate_at(None));
    let people: Vec<_> = (0..PEOPLE).map(|number| (id(number), template(number))).collect();
    acme.enroll_all(&people, |_, _| {}).unwrap();
    (gallery, acme)
}

fn name(number: u64) -> SubjectId {
    format!("Maximiliane-Charlotte {number} of the northern office").parse().unwrap()
}

/// JSON that is nobody else's, and long: what does not fit SQLite's cache goes to temporary files.
fn metadata(number: u64) -> String {
    let badges: Vec<_> =
        (0..60_u64).map(|badge| format!("badge {:016x}", noise(number * 60 + badge))).collect();
    serde_json::json!({ "badges": badges, "seen": "every morning; ".repeat(800) }).to_string()
}

/// Everything that is put in, as bytes.
fn secrets() -> Vec<Vec<u8>> {
    let person = |number| {
        let template: Template = template(number);
        let values =
            template.embedding().as_slice().iter().flat_map(|it| it.to_le_bytes()).collect();
        [name(number).to_string().into_bytes(), metadata(number).into_bytes(), values]
    };
    let names = TENANTS.iter().chain([&PASSPHRASE]).map(|it| it.as_bytes().to_vec());
    names.chain((0..PEOPLE).flat_map(person)).collect()
}

/// Every sealed value in the file, and the tags of people.
fn sealed(path: &Path) -> HashSet<Vec<u8>> {
    let conn = Connection::open(path).unwrap();
    let mut found = HashSet::new();
    for sql in [
        "SELECT key FROM subject",
        "SELECT profile FROM subject",
        "SELECT tag FROM subject",
        "SELECT vector FROM template",
        "SELECT counts FROM tenant",
    ] {
        let mut statement = conn.prepare(sql).unwrap();
        let rows = statement.query_map([], |row| row.get(0)).unwrap();
        found.extend(rows.map(|row| row.unwrap()));
    }
    found
}

/// Bytes that were written to SQLite's temporary files: those that are neither the gallery nor its copy.
fn temporary_bytes(log: &Path) -> usize {
    let written = |event| match event {
        Event::Write { name, bytes, .. } if !name.contains(".faceprint") => bytes.len(),
        _ => 0,
    };
    events(log).into_iter().map(written).sum()
}

/// All runs of 16 bytes of what is looked for.
struct Windows {
    set: HashSet<u128>,
    /// One bit for each start of a window, by a hash of it: most places of a file need no look at the set.
    starts: Vec<u64>,
}

impl Windows {
    fn of<'a>(all: impl Iterator<Item = &'a [u8]>) -> Self {
        let mut windows = Self { set: HashSet::new(), starts: vec![0; 1 << 20] };
        for bytes in all {
            for window in bytes.windows(16) {
                let (word, bit) = start(window);
                windows.starts[word] |= bit;
                windows.set.insert(u128::from_le_bytes(window.try_into().unwrap()));
            }
        }
        windows
    }

    /// Bytes in all files below `folder`, and how many windows of them are looked for.
    fn scan(&self, folder: &Path) -> (usize, usize) {
        let mut sum = (0, 0);
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let (bytes, hits) = if path.is_dir() {
                self.scan(&path)
            } else {
                let bytes = fs::read(path).unwrap();
                (bytes.len(), bytes.windows(16).filter(|it| self.has(it)).count())
            };
            sum = (sum.0 + bytes, sum.1 + hits);
        }
        sum
    }

    fn has(&self, window: &[u8]) -> bool {
        let (word, bit) = start(window);
        self.starts[word] & bit != 0
            && self.set.contains(&u128::from_le_bytes(window.try_into().unwrap()))
    }
}

/// Word and bit of a window's first eight bytes.
fn start(window: &[u8]) -> (usize, u64) {
    let start = u64::from_le_bytes(window[..8].try_into().unwrap());
    let hash = start.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 38;
    ((hash >> 6) as usize, 1 << (hash & 63))
}
