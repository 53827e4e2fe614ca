//! Several processes on one gallery.
#![cfg(feature = "gallery")]
#![allow(clippy::unwrap_used)]

#[path = "common/children.rs"]
#[allow(dead_code, unreachable_pub)]
mod children;
#[path = "common/gallery.rs"]
#[allow(dead_code, unreachable_pub)]
mod common;

use std::io::{Read, Write};
use std::path::Path;
use std::time::Duration;

use children::{role, say, start};
use common::*;
use faceprint::{ErrorKind, Gallery, Query};

/// The process that `start` starts; nothing when this runs as a test of its own.
#[test]
fn child() {
    match role() {
        Some((role, path)) if role == "hold" => hold(Path::new(&path)),
        Some((role, _)) => panic!("{role}"),
        None => {}
    }
}

#[test]
fn readers_see_another_process_and_a_second_writer_is_told() {
    let (folder, gallery, acme) = fresh();
    let path = folder.path().join("g.faceprint");
    added(acme.enroll(&id(1), &template(1)).unwrap());
    assert_eq!(acme.subjects().unwrap().len(), 1);
    let (mut child, mut lines) = start("hold", &path);
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

fn wait_for(lines: &mut impl Iterator<Item = std::io::Result<String>>, text: &str) {
    assert!(lines.any(|line| line.unwrap() == text), "the child ended before it said {text:?}");
}
