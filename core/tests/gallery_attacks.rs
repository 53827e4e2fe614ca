//! What somebody with the file, and no key, can read from it, change in it, or keep of it.
#![cfg(feature = "gallery")]
#![allow(clippy::unwrap_used)]

#[path = "common/gallery.rs"]
#[allow(dead_code, unreachable_pub)]
mod common;

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use common::*;
use faceprint::gallery::{BundleRequest, Details};
use faceprint::vector::{Embedding, Template};
use faceprint::{Error, ErrorKind, Gallery, Query, SubjectId, Tenant};
use rusqlite::Connection;

/// SQL that exchanges a column of the n-th and the m-th row.
macro_rules! swap {
    ($table:literal, $column:literal, $n:literal, $m:literal) => {
        concat!(
            "CREATE TEMP TABLE t AS SELECT id, ",
            $column,
            " AS v FROM ",
            $table,
            " ORDER BY id; ",
            "UPDATE ",
            $table,
            " SET ",
            $column,
            " = (SELECT v FROM t LIMIT 1 OFFSET ",
            $m,
            ") ",
            "WHERE id = (SELECT id FROM t LIMIT 1 OFFSET ",
            $n,
            "); ",
            "UPDATE ",
            $table,
            " SET ",
            $column,
            " = (SELECT v FROM t LIMIT 1 OFFSET ",
            $n,
            ") ",
            "WHERE id = (SELECT id FROM t LIMIT 1 OFFSET ",
            $m,
            ")"
        )
    };
}

#[test]
fn nothing_that_was_put_in_is_readable() {
    let (folder, gallery, acme) = fresh();
    let name = "Maximiliane-Charlotte of the northern office";
    let mut secrets: Vec<Vec<u8>> = vec![name.into(), "a tenant with a long name".into()];
    let tenant = gallery.tenant(&tenant_id("a tenant with a long name")).unwrap();
    let mut people = Vec::new();
    for number in 0..300_u64 {
        people.push((format!("{name} {number}").parse::<SubjectId>().unwrap(), template(number)));
        secrets.push(people[people.len() - 1].0.to_string().into_bytes());
        secrets.push(values_as_stored(&template(number)));
    }
    acme.enroll_all(&people[..200], |_, _| {}).unwrap();
    for (subject, template) in &people[200..] {
        tenant.enroll(subject, template).unwrap();
    }
    for (number, (subject, _)) in people.iter().enumerate().take(200).step_by(10) {
        let metadata = format!("{{\"diagnosis\": \"a secret of person {number}\"}}");
        secrets.push(metadata.clone().into_bytes());
        let details = Details { metadata: Some(metadata), ..Details::default() };
        acme.set_details(subject, &details).unwrap();
    }
    let windows: HashSet<&[u8]> = secrets.iter().flat_map(|it| it.windows(16)).collect();
    assert!(windows.len() > 149_000);
    // The open file with its log and shared memory; then after erasure, rekey and compaction.
    assert_eq!(hits(folder.path(), &windows), 0);
    assert!(folder.path().join("g.faceprint-wal").metadata().unwrap().len() > 0);
    acme.erase(&people[3].0).unwrap();
    gallery.rekey(&key(2)).unwrap();
    assert_eq!(hits(folder.path(), &windows), 0);
    gallery.compact().unwrap();
    assert_eq!(hits(folder.path(), &windows), 0);
    // The scan can find something: one vector and one name beside the gallery.
    fs::write(folder.path().join("plain"), &secrets[5]).unwrap();
    assert!(hits(folder.path(), &windows) > 0);
}

#[test]
fn erased_bytes_are_gone_after_compaction() {
    let (folder, gallery, acme) = fresh();
    let people: Vec<_> = (0..100).map(|number| (id(number), template(number))).collect();
    acme.enroll_all(&people, |_, _| {}).unwrap();
    let path = folder.path().join("g.faceprint");
    let before = blobs(&path);
    for number in (0..100).step_by(10) {
        acme.erase(&id(number)).unwrap();
    }
    let after = blobs(&path);
    let erased: Vec<_> = before.difference(&after).collect();
    assert!(erased.len() >= 10 * 3, "{} erased values", erased.len());
    let windows: HashSet<&[u8]> = erased.iter().flat_map(|it| it.windows(16)).collect();
    assert!(hits(folder.path(), &windows) > 0, "the log still has them");
    gallery.compact().unwrap();
    assert_eq!(hits(folder.path(), &windows), 0);
    drop((gallery, acme));
    assert_eq!(hits(folder.path(), &windows), 0);
    let gallery = Gallery::open(&path, &key(1)).unwrap();
    assert_eq!(gallery.info().unwrap().subjects, 90);
}

#[test]
fn sealed_values_open_in_their_own_place_only() {
    let scene = Scene::new();
    let other = Scene::new();
    // SQL that moves a sealed value; a call that meets it while the gallery is open, where there is one.
    let moves: &[Move] = &[
        // Between templates of one subject, of two, of two tenants, and between spaces.
        (swap!("template", "vector", 0, 1), |acme| acme.templates(&id(1)).err()),
        (swap!("template", "vector", 0, 3), |acme| acme.templates(&id(1)).err()),
        (swap!("template", "vector", 0, 4), |acme| acme.templates(&id(1)).err()),
        (
            "UPDATE template SET space = (SELECT max(id) FROM space) \
             WHERE id = (SELECT min(id) FROM template)",
            |acme| acme.templates(&id(1)).err(),
        ),
        // A template given to somebody else.
        (
            "UPDATE template SET subject = (SELECT id FROM subject ORDER BY id LIMIT 1 OFFSET 1) \
             WHERE id = (SELECT min(id) FROM template)",
            |acme| acme.templates(&id(2)).err(),
        ),
        (swap!("subject", "profile", 0, 1), |acme| acme.subject(&id(1)).err()),
        (swap!("subject", "profile", 0, 2), |acme| acme.subject(&id(1)).err()),
        (swap!("subject", "key", 0, 1), |acme| acme.subject(&id(1)).err()),
        (swap!("subject", "key", 0, 2), |acme| acme.subject(&id(1)).err()),
        (swap!("tenant", "counts", 0, 1), |acme| acme.enroll(&id(9), &template(9)).err()),
        (swap!("tenant", "name", 0, 1), |_| None),
        (swap!("tenant", "key", 0, 1), |_| None),
    ];
    for (sql, meets) in moves {
        scene.restore();
        let gallery = Gallery::open(&scene.path, &key(1)).unwrap();
        let acme = gallery.tenant(&tenant_id("acme")).unwrap();
        acme.subjects().unwrap();
        scene.run(sql);
        if let Some(error) = meets(&acme) {
            assert_eq!(error.kind(), ErrorKind::Integrity, "{sql}: {error}");
        } else {
            assert!(sql.contains("tenant SET name") || sql.contains("tenant SET key"), "{sql}");
        }
        assert_eq!(gallery.check().unwrap_err().kind(), ErrorKind::Integrity, "{sql}");
        drop((gallery, acme));
        assert_eq!(scene.open().unwrap_err().kind(), ErrorKind::Integrity, "{sql}");
    }
    // From another gallery, opened by the same key.
    for (table, column) in
        [("template", "vector"), ("subject", "profile"), ("subject", "key"), ("tenant", "key")]
    {
        scene.restore();
        let conn = Connection::open(&scene.path).unwrap();
        conn.execute("ATTACH ? AS other", [other.path.to_str().unwrap()]).unwrap();
        let sql = format!(
            "UPDATE {table} SET {column} = (SELECT {column} FROM other.{table} o WHERE o.id = {table}.id)"
        );
        assert!(conn.execute(&sql, []).unwrap() > 0);
        drop(conn);
        assert_eq!(scene.open().unwrap_err().kind(), ErrorKind::Integrity, "{sql}");
    }
    for table in ["head", "gallery"] {
        scene.restore();
        let conn = Connection::open(&scene.path).unwrap();
        conn.execute("ATTACH ? AS other", [other.path.to_str().unwrap()]).unwrap();
        conn.execute(&format!("DELETE FROM {table}"), []).unwrap();
        conn.execute(&format!("INSERT INTO {table} SELECT * FROM other.{table}"), []).unwrap();
        drop(conn);
        let kind = scene.open().unwrap_err().kind();
        assert!(matches!(kind, ErrorKind::Integrity | ErrorKind::WrongKey), "{table}: {kind:?}");
    }
}

#[test]
fn rows_taken_out_added_or_put_back_are_found() {
    let scene = Scene::new();
    let mut tried = 0;
    let tables =
        ["gallery", "head", "slot", "space", "tenant", "subject", "template", "change", "origin"];
    for table in tables {
        scene.restore();
        let rows: Vec<i64> = {
            let conn = Connection::open(&scene.path).unwrap();
            let mut statement = conn.prepare(&format!("SELECT id FROM {table}")).unwrap();
            let rows = statement.query_map([], |row| row.get(0)).unwrap();
            rows.map(|row| row.unwrap()).collect()
        };
        assert!(!rows.is_empty(), "{table}");
        for row in &rows {
            scene.restore();
            scene.run(&format!("DELETE FROM {table} WHERE id = {row}"));
            let error = scene.open().unwrap_err();
            // Without the slot of this key there is no way in.
            assert!(
                error.kind() == ErrorKind::Integrity
                    || (table == "slot" && error.kind() == ErrorKind::WrongKey),
                "{table} {row}: {error}"
            );
            if table == "head" {
                continue;
            }
            scene.restore();
            scene.run("DROP INDEX subject_by_tag; DROP INDEX origin_by_source");
            scene.run(&format!("CREATE TEMP TABLE t AS SELECT * FROM {table} WHERE id = {row}; UPDATE t SET id = 987654; INSERT INTO {table} SELECT * FROM t"));
            if table != "subject" {
                scene.run("CREATE UNIQUE INDEX subject_by_tag ON subject (tenant, tag)");
            }
            if table != "origin" {
                scene.run(
                    "CREATE UNIQUE INDEX origin_by_source ON origin (tenant, source, subject)",
                );
            }
            assert_eq!(
                scene.open().unwrap_err().kind(),
                ErrorKind::Integrity,
                "{table} {row} twice"
            );
            tried += 2;
        }
    }
    assert!(tried > 30, "{tried}");
    for sql in [
        "CREATE TABLE more (x)",
        "CREATE TRIGGER t AFTER INSERT ON template BEGIN DELETE FROM template; END",
        "CREATE VIEW v AS SELECT 1",
        "UPDATE gallery SET epoch = 1",
        "UPDATE gallery SET created = created + 1",
        "UPDATE template SET tenant = (SELECT max(id) FROM tenant)",
        "UPDATE origin SET valid_until = valid_until + 1",
        "UPDATE change SET sequence = sequence + 1 WHERE id = (SELECT max(id) FROM change)",
    ] {
        scene.restore();
        scene.run(sql);
        assert_eq!(scene.open().unwrap_err().kind(), ErrorKind::Integrity, "{sql}");
    }
    // Yesterday's rows in today's file, table by table.
    scene.restore();
    let yesterday = scene.folder.path().join("yesterday");
    fs::copy(&scene.path, &yesterday).unwrap();
    let gallery = scene.open().unwrap();
    let acme = gallery.tenant(&tenant_id("acme")).unwrap();
    acme.set_details(&id(1), &Details { metadata: Some("1".into()), ..Details::default() })
        .unwrap();
    acme.erase(&id(2)).unwrap();
    acme.enroll(&id(5), &template(5)).unwrap();
    gallery.compact().unwrap();
    drop((gallery, acme));
    let today = fs::read(&scene.path).unwrap();
    for table in ["head", "tenant", "subject", "template", "change"] {
        fs::write(&scene.path, &today).unwrap();
        let conn = Connection::open(&scene.path).unwrap();
        conn.execute("ATTACH ? AS old", [yesterday.to_str().unwrap()]).unwrap();
        conn.execute(&format!("DELETE FROM {table}"), []).unwrap();
        conn.execute(&format!("INSERT INTO {table} SELECT * FROM old.{table}"), []).unwrap();
        drop(conn);
        assert_eq!(scene.open().unwrap_err().kind(), ErrorKind::Integrity, "{table} put back");
    }
}

/// All bytes with `FACEPRINT_THOROUGH` set; else those that mean something, and one in 97 of the zeros of
/// free space.
#[test]
fn no_flipped_byte_gives_a_wrong_answer() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("g.faceprint");
    let small = |seed: usize| {
        let mut values = vec![0.1; 6];
        values[seed] = 1.0;
        Template::new(Embedding::normalize(values).unwrap(), space(1))
    };
    let gallery = Gallery::create(&path, &key(1), space(1)).unwrap();
    let acme = gallery.tenant(&tenant_id("acme")).unwrap();
    for number in 0..3 {
        acme.enroll(&id(number as u64), &small(number)).unwrap();
    }
    acme.enroll(&id(0), &small(4)).unwrap();
    gallery.compact().unwrap();
    drop((gallery, acme));
    let answer = |path: &Path, writable: bool| -> Result<String, Error> {
        let open = if writable { Gallery::open } else { Gallery::open_read_only };
        let gallery = open(path, &key(1))?;
        let acme = gallery.tenant(&tenant_id("acme"))?;
        let mut answer = String::new();
        for subject in acme.subjects()? {
            let details = acme.subject(&subject)?;
            answer += &format!("{subject} {} {:?} ", details.templates, details.details);
            for stored in acme.templates(&subject)? {
                answer += &format!("{} {:?} ", stored.id, bits(&stored.template));
            }
        }
        for seed in 0..3 {
            for hit in acme.identify(&small(seed), &Query::top(3))? {
                answer += &format!("{} {} ", hit.subject, hit.similarity.value().to_bits());
            }
            answer += &format!("{:?} ", acme.verify(&id(seed as u64), &small(seed))?);
        }
        Ok(answer)
    };
    let right = answer(&path, true).unwrap();
    let bytes = fs::read(&path).unwrap();
    let thorough = std::env::var_os("FACEPRINT_THOROUGH").is_some();
    let meaningful = |at: usize| {
        let around = &bytes[at.saturating_sub(8)..(at + 9).min(bytes.len())];
        thorough || at.is_multiple_of(97) || around.iter().any(|&byte| byte != 0)
    };
    let positions: Vec<usize> = (0..bytes.len()).filter(|&at| meaningful(at)).collect();
    let counts: Vec<(usize, usize)> = std::thread::scope(|scope| {
        let work = |part: usize| {
            let (bytes, right, positions, folder) = (&bytes, &right, &positions, folder.path());
            let answer = &answer;
            move || {
                let mine = folder.join(format!("flip{part}"));
                let (mut refused, mut same) = (0, 0);
                for &at in positions.iter().skip(part).step_by(2) {
                    let mut flipped = bytes.clone();
                    flipped[at] ^= 1 << (at % 8);
                    fs::write(&mine, &flipped).unwrap();
                    match answer(&mine, at.is_multiple_of(16)) {
                        Ok(answer) => {
                            assert_eq!(&answer, right, "byte {at} flipped");
                            same += 1;
                        }
                        Err(error) => {
                            assert_ne!(error.kind(), ErrorKind::Internal, "byte {at}: {error}");
                            refused += 1;
                        }
                    }
                    for ending in ["-wal", "-shm"] {
                        let _ = fs::remove_file(folder.join(format!("flip{part}{ending}")));
                    }
                }
                (refused, same)
            }
        };
        let threads = [scope.spawn(work(0)), scope.spawn(work(1))];
        threads.map(|thread| thread.join().unwrap()).to_vec()
    });
    let (refused, same) = counts.iter().fold((0, 0), |sum, it| (sum.0 + it.0, sum.1 + it.1));
    println!(
        "{} of {} bytes flipped: {refused} refused, {same} harmless",
        positions.len(),
        bytes.len()
    );
    assert!(refused > 3_000, "{refused}");
}

/// SQL, and a call of an open gallery that meets what it moved.
type Move = (&'static str, fn(&Tenant) -> Option<Error>);

/// A gallery with two tenants, two spaces and two slots, in the state it was made in.
struct Scene {
    folder: tempfile::TempDir,
    path: PathBuf,
    bytes: Vec<u8>,
}

impl Scene {
    fn new() -> Self {
        let (folder, gallery, acme) = fresh();
        gallery.add_space(space(2)).unwrap();
        gallery.add_access(&key(9)).unwrap();
        acme.enroll(&id(1), &template(1)).unwrap();
        acme.enroll(&id(1), &template(11)).unwrap();
        acme.enroll(&id(1), &template_in(space(2), 11)).unwrap();
        acme.enroll(&id(2), &template(2)).unwrap();
        let zeta = gallery.tenant(&tenant_id("zeta")).unwrap();
        zeta.enroll(&id(1), &template(1)).unwrap();
        let until = SystemTime::now() + Duration::from_secs(3_600);
        let request = BundleRequest::new(gallery.device_key().unwrap(), until);
        let (_office_folder, office, people) = fresh();
        people.enroll(&id(8), &template(8)).unwrap();
        let bundle = people.export_bundle(&request).unwrap().bytes;
        assert_eq!(zeta.import_bundle(&bundle, &office.signer()).unwrap().added, 1);
        gallery.compact().unwrap();
        let path = folder.path().join("g.faceprint");
        drop((gallery, acme, zeta));
        let bytes = fs::read(&path).unwrap();
        Self { folder, path, bytes }
    }

    fn restore(&self) {
        for ending in ["-wal", "-shm"] {
            let _ = fs::remove_file(self.folder.path().join(format!("g.faceprint{ending}")));
        }
        fs::write(&self.path, &self.bytes).unwrap();
    }

    fn run(&self, sql: &str) {
        Connection::open(&self.path).unwrap().execute_batch(sql).unwrap();
    }

    fn open(&self) -> Result<Gallery, Error> {
        Gallery::open(&self.path, &key(1))
    }
}

fn values_as_stored(template: &Template) -> Vec<u8> {
    template.embedding().as_slice().iter().flat_map(|value| value.to_le_bytes()).collect()
}

/// Every sealed value in the file.
fn blobs(path: &Path) -> HashSet<Vec<u8>> {
    let conn = Connection::open(path).unwrap();
    let mut found = HashSet::new();
    for (table, column) in [("subject", "key"), ("subject", "profile"), ("template", "vector")] {
        let mut statement = conn.prepare(&format!("SELECT {column} FROM {table}")).unwrap();
        let rows = statement.query_map([], |row| row.get(0)).unwrap();
        found.extend(rows.map(|row| row.unwrap()));
    }
    found
}

/// How many 16-byte windows of the files in `folder` are among `windows`.
fn hits(folder: &Path, windows: &HashSet<&[u8]>) -> usize {
    // A cheap first look at two bytes keeps the scan short.
    let mut starts = vec![false; 1 << 16];
    for window in windows {
        starts[usize::from(u16::from_be_bytes([window[0], window[1]]))] = true;
    }
    let files = fs::read_dir(folder).unwrap().map(|it| fs::read(it.unwrap().path()).unwrap());
    files
        .map(|bytes| {
            let candidates = bytes
                .windows(16)
                .filter(|window| starts[usize::from(u16::from_be_bytes([window[0], window[1]]))]);
            candidates.filter(|window| windows.contains(window)).count()
        })
        .sum()
}
