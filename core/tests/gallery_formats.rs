//! Files of every format there was: each was written once and is never written again.
#![cfg(feature = "gallery")]
#![allow(clippy::unwrap_used)]

#[path = "common/gallery.rs"]
#[allow(dead_code, unreachable_pub)]
mod common;

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use common::*;
use faceprint::gallery::{BundleRequest, Change, Cursor, Details, NewTemplate};
use faceprint::{Access, ErrorKind, Gallery, Landmarks, Point, Query};
use rusqlite::Connection;
use tempfile::TempDir;

/// When the people of the files were enrolled.
fn at() -> SystemTime {
    UNIX_EPOCH + Duration::from_millis(1_700_000_000_000)
}

fn committed(version: u8) -> PathBuf {
    PathBuf::from(format!(
        "{}/testdata/gallery/v{version}/small.faceprint",
        env!("CARGO_MANIFEST_DIR")
    ))
}

/// A copy that may be changed, and the passphrase that opens it.
fn copy(version: u8) -> (TempDir, PathBuf, Access) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("small.faceprint");
    std::fs::copy(committed(version), &path).unwrap();
    (folder, path, Access::passphrase(["format one", "format two"][usize::from(version) - 1]))
}

/// What both files have of `acme`.
fn looks_right(gallery: &Gallery) {
    gallery.check().unwrap();
    let gallery = gallery.clone().with_clock(at);
    let acme = gallery.tenant(&tenant_id("acme")).unwrap();
    assert_eq!(acme.subjects().unwrap(), [id(1), id(2)]);
    let stored = acme.templates(&id(1)).unwrap();
    assert_eq!(bits(&stored[0].template), bits(&template(1)));
    assert_eq!(bits(&stored[1].template), bits(&template_in(space(2), 12)));
    assert_eq!((stored[0].quality, stored[0].landmarks), (None, None));
    assert_eq!(stored[0].enrolled_at, at());
    assert_eq!(
        acme.subject(&id(2)).unwrap().details,
        Details {
            metadata: Some("{\"floor\": 3}".into()),
            consent: Some(at()),
            expires_at: Some(at() + Duration::from_secs(3_600)),
        }
    );
    assert_eq!(acme.identify(&template(2), &Query::top(1)).unwrap()[0].subject, id(2));
    assert_eq!(gallery.info().unwrap().spaces, [space(1), space(2)]);
}

fn version(path: &Path) -> u16 {
    let conn = Connection::open(path).unwrap();
    conn.query_row("PRAGMA user_version", [], |row| row.get(0)).unwrap()
}

#[test]
fn format_1_is_read_as_it_is() {
    let (_folder, path, access) = copy(1);
    let gallery = Gallery::open_read_only(&path, &access).unwrap();
    looks_right(&gallery);
    assert_eq!(gallery.info().unwrap().format, 1);
    assert_eq!(gallery.spaces().unwrap()[1].lacking, 1);
    let acme = gallery.tenant(&tenant_id("acme")).unwrap();
    let error = acme.changes_since(&Cursor::start(), 9).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::GalleryVersion);
    let request = BundleRequest::new(
        gallery.device_key().unwrap(),
        SystemTime::now() + Duration::from_secs(60),
    );
    assert_eq!(acme.export_bundle(&request).unwrap_err().kind(), ErrorKind::GalleryVersion);
    drop((gallery, acme));
    assert_eq!(version(&path), 1);
}

#[test]
fn format_1_is_upgraded_when_it_is_opened_for_writing() {
    let (folder, path, access) = copy(1);
    let sealed = |path: &Path| -> Vec<Vec<u8>> {
        let conn = Connection::open(path).unwrap();
        let sql = "SELECT vector FROM template UNION ALL SELECT profile FROM subject \
                   UNION ALL SELECT wrapped FROM slot";
        let mut statement = conn.prepare(sql).unwrap();
        statement.query_map([], |row| row.get(0)).unwrap().map(|row| row.unwrap()).collect()
    };
    let before = sealed(&path);
    // Who reads meanwhile goes on.
    let reader = Gallery::open_read_only(&path, &access).unwrap();
    looks_right(&reader);
    let gallery = Gallery::open(&path, &access).unwrap();
    looks_right(&gallery);
    looks_right(&reader);
    assert_eq!((gallery.info().unwrap().format, reader.info().unwrap().format), (2, 2));
    assert_eq!(sealed(&path), before, "nothing is sealed again");
    let gallery = gallery.with_clock(at);
    let acme = gallery.tenant(&tenant_id("acme")).unwrap();
    let page = acme.changes_since(&Cursor::start(), 9).unwrap();
    let names = |changes: &[Change]| -> Vec<_> {
        let name = |change: &Change| match change {
            Change::Updated { subject, .. } => Some(subject.clone()),
            Change::Erased { .. } => None,
        };
        changes.iter().map(name).collect()
    };
    assert_eq!(names(&page.changes), [Some(id(1)), Some(id(2))]);
    added(acme.enroll(&id(3), &template(3)).unwrap());
    let page = acme.changes_since(&page.cursor, 9).unwrap();
    assert_eq!(names(&page.changes), [Some(id(3))]);
    assert_eq!(reader.tenant(&tenant_id("acme")).unwrap().subject(&id(3)).unwrap().templates, 1);
    // An upgraded file has the schema of a new one, after compaction too.
    gallery.compact().unwrap();
    drop((gallery, acme, reader));
    let schema = |path: &Path| -> Vec<(String, String)> {
        let conn = Connection::open(path).unwrap();
        let mut statement =
            conn.prepare("SELECT name, sql FROM sqlite_schema ORDER BY name").unwrap();
        let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
        rows.map(|row| row.unwrap()).collect()
    };
    let new = folder.path().join("new");
    drop(Gallery::create(&new, &key(1), space(1)).unwrap());
    assert_eq!(schema(&path), schema(&new));
    Gallery::open(&path, &access).unwrap().check().unwrap();
}

#[test]
fn a_file_of_format_1_that_was_tampered_with_is_not_upgraded() {
    for sql in [
        "DELETE FROM change",
        "DELETE FROM change WHERE id = (SELECT max(id) FROM change)",
        "UPDATE change SET sequence = sequence + 1",
        "UPDATE template SET subject = (SELECT max(id) FROM subject)",
    ] {
        let (_folder, path, access) = copy(1);
        Connection::open(&path).unwrap().execute_batch(sql).unwrap();
        for open in [Gallery::open, Gallery::open_read_only] {
            let error = open(path.as_path(), &access).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Integrity, "{sql}");
        }
        assert_eq!(version(&path), 1, "{sql}");
    }
}

#[test]
fn the_committed_file_of_format_2_opens() {
    let (_folder, path, access) = copy(2);
    for open in [Gallery::open_read_only, Gallery::open] {
        let gallery = open(path.as_path(), &access).unwrap();
        looks_right(&gallery);
        let gallery = gallery.with_clock(at);
        let info = gallery.info().unwrap();
        assert_eq!((info.format, info.tenants, info.subjects, info.templates), (2, 2, 3, 4));
        let zeta = gallery.tenant(&tenant_id("zeta")).unwrap();
        let stored = zeta.templates(&id(9)).unwrap();
        assert_eq!(stored[0].quality, Some(0.75));
        assert_eq!(stored[0].landmarks, Some(landmarks()));
        let acme = gallery.tenant(&tenant_id("acme")).unwrap();
        let changes = acme.changes_since(&Cursor::start(), 9).unwrap().changes;
        assert!(matches!(
            &changes[..],
            [Change::Updated { .. }, Change::Updated { .. }, Change::Erased { .. }]
        ));
        // The bundle that was brought in is known.
        let bundle = std::fs::read(committed(2).with_file_name("small.bundle")).unwrap();
        let signer = std::fs::read_to_string(committed(2).with_file_name("signer")).unwrap();
        let imported = zeta.import_bundle(&bundle, &signer.trim().parse().unwrap());
        match imported {
            Ok(imported) => assert_eq!((imported.added, imported.unchanged), (0, 1)),
            Err(error) => assert_eq!(error.kind(), ErrorKind::InvalidArgument, "for reading only"),
        }
    }
}

fn landmarks() -> Landmarks {
    Landmarks::from_points([1.0, 2.0, 3.0, 4.0, 5.0].map(|x| Point::new(x, 10.5 * x)))
}

/// Writes what the test above reads: once, never again.
#[test]
#[ignore = "writes core/testdata/gallery/v2"]
fn write_the_file_of_format_2() {
    let path = committed(2);
    let beside = |name| path.with_file_name(name);
    let gallery = Gallery::create(&path, &cheap("format two"), space(1)).unwrap();
    let gallery = gallery.with_clock(at);
    gallery.add_space(space(2)).unwrap();
    let acme = gallery.tenant(&tenant_id("acme")).unwrap();
    acme.enroll(&id(1), &template(1)).unwrap();
    acme.enroll(&id(1), &template_in(space(2), 12)).unwrap();
    acme.enroll(&id(2), &template(2)).unwrap();
    let details = Details {
        metadata: Some("{\"floor\": 3}".into()),
        consent: Some(at()),
        expires_at: Some(at() + Duration::from_secs(3_600)),
    };
    acme.set_details(&id(2), &details).unwrap();
    acme.enroll(&id(3), &template(3)).unwrap();
    acme.erase(&id(3)).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let office = Gallery::create(folder.path().join("office"), &key(1), space(1)).unwrap();
    let office = office.with_clock(at);
    let people = office.tenant(&tenant_id("people")).unwrap();
    let template = template(9);
    let template = NewTemplate::from(&template).quality(0.75).landmarks(landmarks());
    added(people.enroll(&id(9), template).unwrap());
    let valid_until = at() + Duration::from_secs(1_000_000_000);
    let request = BundleRequest::new(gallery.device_key().unwrap(), valid_until);
    let bundle = people.export_bundle(&request).unwrap().bytes;
    let zeta = gallery.tenant(&tenant_id("zeta")).unwrap();
    assert_eq!(zeta.import_bundle(&bundle, &office.signer()).unwrap().added, 1);
    std::fs::write(beside("small.bundle"), &bundle).unwrap();
    std::fs::write(beside("signer"), format!("{}\n", office.signer())).unwrap();
    gallery.compact().unwrap();
}
