//! Ways into a gallery, files that are none, copies, and the committed file of format 1.
#![cfg(feature = "gallery")]
#![allow(clippy::unwrap_used)]

#[path = "common/gallery.rs"]
#[allow(dead_code, unreachable_pub)]
mod common;
#[path = "common/kms.rs"]
#[allow(dead_code, unreachable_pub)]
mod kms;

use std::sync::Arc;

use common::*;
use faceprint::gallery::{HeadToken, SlotKind};
use faceprint::{Access, ErrorKind, Gallery};
use kms::Kms;

#[test]
fn every_slot_opens_and_nothing_else_does() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("g.faceprint");
    let kms = Arc::new(Kms::default());
    let gallery = Gallery::create(&path, &cheap("open sesame"), space(1)).unwrap();
    let by_key = gallery.add_access(&key(7)).unwrap();
    gallery.add_access(&Access::provider(kms.clone())).unwrap();
    let kinds: Vec<_> = gallery.slots().unwrap().iter().map(|slot| slot.kind).collect();
    assert_eq!(kinds, [SlotKind::Passphrase, SlotKind::Key, SlotKind::Provider]);
    for access in [&cheap("open sesame"), &key(7), &Access::provider(kms.clone())] {
        Gallery::open(&path, access).unwrap();
    }
    let wrong = [cheap("Open sesame"), cheap(""), key(8), Access::passphrase("open sesame ")];
    for access in &wrong {
        assert_eq!(Gallery::open(&path, access).unwrap_err().kind(), ErrorKind::WrongKey);
    }
    let stranger = Access::provider(Arc::new(Kms::default()));
    assert_eq!(Gallery::open(&path, &stranger).unwrap_err().kind(), ErrorKind::KeyProvider);
    gallery.remove_access(by_key).unwrap();
    assert_eq!(gallery.remove_access(by_key).unwrap_err().kind(), ErrorKind::InvalidArgument);
    assert_eq!(Gallery::open(&path, &key(7)).unwrap_err().kind(), ErrorKind::WrongKey);
    gallery.rotate_key(&cheap("new words")).unwrap();
    assert_eq!(
        Gallery::open(&path, &cheap("open sesame")).unwrap_err().kind(),
        ErrorKind::WrongKey
    );
    Gallery::open(&path, &cheap("new words")).unwrap();
    Gallery::open(&path, &Access::provider(kms)).unwrap();
    let last = gallery.slots().unwrap();
    gallery.remove_access(last[0].id).unwrap();
    let error = gallery.remove_access(last[1].id).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidArgument);
    for number in 0..31 {
        gallery.add_access(&key(100 + number)).unwrap();
    }
    assert_eq!(gallery.add_access(&key(99)).unwrap_err().kind(), ErrorKind::LimitReached);
    Gallery::open(&path, &key(130)).unwrap();
}

#[test]
fn files_that_are_no_gallery_are_told_apart() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("g.faceprint");
    assert_eq!(Gallery::open(&path, &key(1)).unwrap_err().kind(), ErrorKind::GalleryNotFound);
    let error = Gallery::create(&path, &Access::passphrase(""), space(1)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidArgument);
    assert!(!path.exists(), "a failed creation leaves nothing");
    Gallery::create(&path, &key(1), space(1)).unwrap();
    let error = Gallery::create(&path, &key(1), space(1)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::GalleryExists);
    Gallery::open(&path, &key(1)).unwrap();
    let text = folder.path().join("text");
    std::fs::write(&text, "not a database, but long enough to be looked at as one".repeat(40))
        .unwrap();
    let error = Gallery::open(&text, &key(1)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Integrity);
    assert!(error.to_string().contains("is no gallery"), "{error}");
    let empty = folder.path().join("empty");
    std::fs::write(&empty, "").unwrap();
    assert_eq!(Gallery::open(&empty, &key(1)).unwrap_err().kind(), ErrorKind::GalleryVersion);
    let foreign = folder.path().join("foreign");
    let conn = rusqlite::Connection::open(&foreign).unwrap();
    conn.execute_batch("CREATE TABLE t (x)").unwrap();
    drop(conn);
    let before = std::fs::read(&foreign).unwrap();
    assert_eq!(Gallery::open(&foreign, &key(1)).unwrap_err().kind(), ErrorKind::GalleryVersion);
    assert_eq!(std::fs::read(&foreign).unwrap(), before, "somebody else's file was changed");
    for (version, kind) in [
        (0, ErrorKind::GalleryVersion),
        (1, ErrorKind::Integrity),
        (3, ErrorKind::GalleryVersion),
        (70_000, ErrorKind::GalleryVersion),
    ] {
        let conn = rusqlite::Connection::open(&path).unwrap();
        conn.execute_batch(&format!("PRAGMA user_version = {version}")).unwrap();
        drop(conn);
        assert_eq!(Gallery::open(&path, &key(1)).unwrap_err().kind(), kind, "{version}");
    }
}

#[test]
fn hostile_passphrase_costs_are_bounded() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("g.faceprint");
    drop(Gallery::create(&path, &cheap("words"), space(1)).unwrap());
    for (memory, passes, lanes) in
        [(u32::MAX, 1, 1), (8 * 1024, u32::MAX, 1), (8 * 1024, 1, u32::MAX), (0, 0, 0)]
    {
        let mut parameters = vec![7; 16];
        for number in [memory, passes, lanes] {
            parameters.extend_from_slice(&number.to_be_bytes());
        }
        let conn = rusqlite::Connection::open(&path).unwrap();
        conn.execute("UPDATE slot SET parameters = ?", [parameters]).unwrap();
        drop(conn);
        let error = Gallery::open(&path, &cheap("words")).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Integrity, "{error}");
    }
    assert!(Access::passphrase_with_cost("words", 1, 1, 1).is_err());
}

#[test]
fn a_restored_old_file_is_told_from_todays() {
    let (folder, gallery, acme) = fresh();
    let (path, old) = (folder.path().join("g.faceprint"), folder.path().join("old.faceprint"));
    acme.enroll(&id(1), &template(1)).unwrap();
    gallery.backup(&old).unwrap();
    let yesterday = gallery.head().unwrap();
    gallery.check_head(&yesterday).unwrap();
    acme.erase(&id(1)).unwrap();
    let today: HeadToken = gallery.head().unwrap().to_string().parse().unwrap();
    gallery.check_head(&yesterday).unwrap();
    gallery.check_head(&today).unwrap();
    gallery.rekey(&key(1)).unwrap();
    gallery.check_head(&today).unwrap();
    drop((gallery, acme));
    std::fs::copy(&old, &path).unwrap();
    let gallery = Gallery::open(&path, &key(1)).unwrap();
    gallery.check_head(&yesterday).unwrap();
    assert_eq!(gallery.check_head(&today).unwrap_err().kind(), ErrorKind::Integrity);
    // Another history of the same length.
    gallery.tenant(&tenant_id("acme")).unwrap().enroll(&id(9), &template(9)).unwrap();
    assert_eq!(gallery.head().unwrap().sequence(), today.sequence());
    assert_eq!(gallery.check_head(&today).unwrap_err().kind(), ErrorKind::Integrity);
    let (_folder, other, _) = fresh();
    assert_eq!(other.check_head(&yesterday).unwrap_err().kind(), ErrorKind::Integrity);
}

#[test]
fn a_backup_is_a_gallery() {
    let (folder, gallery, acme) = fresh();
    let copy = folder.path().join("copy.faceprint");
    acme.enroll(&id(1), &template(1)).unwrap();
    gallery.backup(&copy).unwrap();
    assert_eq!(gallery.backup(&copy).unwrap_err().kind(), ErrorKind::GalleryExists);
    acme.enroll(&id(2), &template(2)).unwrap();
    let copied = Gallery::open(&copy, &key(1)).unwrap();
    copied.check().unwrap();
    assert_eq!(copied.tenant(&tenant_id("acme")).unwrap().subjects().unwrap(), [id(1)]);
    let left: Vec<_> =
        std::fs::read_dir(folder.path()).unwrap().map(|it| it.unwrap().file_name()).collect();
    assert!(!left.iter().any(|it| it.to_string_lossy().contains("partial")), "{left:?}");
    #[cfg(unix)]
    for path in [copy, folder.path().join("g.faceprint")] {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(std::fs::metadata(path).unwrap().permissions().mode() & 0o777, 0o600);
    }
}
