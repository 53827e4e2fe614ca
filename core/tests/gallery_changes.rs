//! The list of changes: complete, short, and of one tenant.
#![cfg(feature = "gallery")]
#![allow(clippy::unwrap_used)]

#[path = "common/gallery.rs"]
#[allow(dead_code, unreachable_pub)]
mod common;

use std::collections::HashSet;

use common::*;
use faceprint::gallery::{Change, Cursor, Details, EnrollPolicy, SubjectRef};
use faceprint::{ErrorKind, Gallery, Tenant};

/// All changes after `cursor`, asked for page by page.
fn follow(tenant: &Tenant, cursor: &mut Cursor, limit: usize) -> Vec<Change> {
    let mut all = Vec::new();
    loop {
        let page = tenant.changes_since(cursor, limit).unwrap();
        *cursor = page.cursor;
        if page.changes.is_empty() {
            return all;
        }
        assert!(page.changes.len() <= limit);
        all.extend(page.changes);
    }
}

fn reference(change: &Change) -> SubjectRef {
    match change {
        Change::Updated { reference, .. } | Change::Erased { reference } => *reference,
    }
}

#[test]
fn each_person_is_listed_once_with_what_became_of_them_last() {
    let (folder, gallery, acme) = fresh();
    let lax = EnrollPolicy::default().duplicate_at(None);
    let acme = acme.with_policy(lax);
    let batch: Vec<_> = (0..10).map(|number| (id(number), template(number))).collect();
    acme.enroll_all(&batch, |_, _| {}).unwrap();
    let mut cursor = Cursor::start();
    // Pages end within a commit, and go on within it.
    let first = follow(&acme, &mut cursor, 3);
    assert_eq!(first.len(), 10);
    for number in 0..50 {
        let details = Details { metadata: Some(number.to_string()), ..Details::default() };
        acme.set_details(&id(4), &details).unwrap();
    }
    acme.erase(&id(1)).unwrap();
    added(acme.enroll(&id(1), &template(1)).unwrap());
    let erased = acme.subject(&id(7)).unwrap().reference;
    acme.erase(&id(7)).unwrap();
    let changes = follow(&acme, &mut cursor, 1);
    let updated = |number| Change::Updated {
        reference: acme.subject(&id(number)).unwrap().reference,
        subject: id(number),
    };
    let old = reference(&first[1]);
    assert_eq!(
        changes,
        [
            updated(4),
            Change::Erased { reference: old },
            updated(1),
            Change::Erased { reference: erased }
        ]
    );
    assert_ne!(reference(&updated(1)), old, "an enrolment's number is never given again");
    // From the start: everybody who ever was, once.
    let all = follow(&acme, &mut Cursor::start(), 1_000);
    assert_eq!(all.len(), 11);
    assert_eq!(all.iter().map(reference).collect::<HashSet<_>>().len(), 11);
    // References and cursors outlive rekeys and compaction.
    gallery.rekey(&key(2)).unwrap();
    gallery.compact().unwrap();
    assert_eq!(follow(&acme, &mut Cursor::start(), 1_000), all);
    assert!(follow(&acme, &mut cursor, 1).is_empty());
    let conn = rusqlite::Connection::open(folder.path().join("g.faceprint")).unwrap();
    let rows: i64 = conn.query_row("SELECT count(*) FROM change", [], |row| row.get(0)).unwrap();
    assert_eq!(rows, 11, "as many rows as people, however many changes");
    gallery.erase_tenant(&tenant_id("acme")).unwrap();
    let rows: i64 = conn.query_row("SELECT count(*) FROM change", [], |row| row.get(0)).unwrap();
    assert_eq!(rows, 0);
}

#[test]
fn cursors_are_of_one_tenant_of_one_gallery() {
    let (folder, gallery, acme) = fresh();
    added(acme.enroll(&id(1), &template(1)).unwrap());
    let yesterday = folder.path().join("yesterday");
    gallery.backup(&yesterday).unwrap();
    added(acme.enroll(&id(2), &template(2)).unwrap());
    let cursor = acme.changes_since(&Cursor::start(), 9).unwrap().cursor;
    let kind = |tenant: &Tenant| tenant.changes_since(&cursor, 9).unwrap_err().kind();
    let zeta = gallery.tenant(&tenant_id("zeta")).unwrap();
    assert!(zeta.changes_since(&Cursor::start(), 9).unwrap().changes.is_empty());
    assert_eq!(kind(&zeta), ErrorKind::WrongCursor);
    let (_elsewhere, _, other) = fresh();
    assert_eq!(kind(&other), ErrorKind::WrongCursor);
    let restored = Gallery::open(&yesterday, &key(1)).unwrap();
    assert_eq!(kind(&restored.tenant(&tenant_id("acme")).unwrap()), ErrorKind::WrongCursor);
    assert_eq!(acme.changes_since(&cursor, 0).unwrap_err().kind(), ErrorKind::InvalidArgument);
    gallery.erase_tenant(&tenant_id("acme")).unwrap();
    assert_eq!(kind(&gallery.tenant(&tenant_id("acme")).unwrap()), ErrorKind::WrongCursor);
}
