//! What works on a fresh machine: the bundled pack, and the generated people of `examples/images`.

#![allow(clippy::unwrap_used, reason = "part of the tests only")]

mod common;

use std::fs;
use std::path::Path;

use common::faceprint;

fn image(name: &str) -> String {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../images").join(name).display().to_string()
}

/// The README's main job.
#[test]
fn the_group_picture_is_named_and_drawn() {
    let folder = tempfile::tempdir().unwrap();
    let drawing = folder.path().join("group.png").display().to_string();
    let (known, group) = (image("people"), image("group.jpg"));
    let run = faceprint(["identify", "--known", &known, &group, "--draw", &drawing]);
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    for name in ["benno", "elva", "doran", "faro", "gisa"] {
        let line = run.stdout.lines().find(|line| line.trim_start().starts_with(name)).unwrap();
        assert!(line.ends_with("known"), "{line}");
    }
    assert!(run.stdout.contains("6 faces, 5 known"), "{}", run.stdout);
    assert!(fs::metadata(&drawing).unwrap().len() > 10_000);
}

#[test]
fn compare_answers_by_its_exit_code() {
    let (elva, again, gisa) =
        (image("people/elva/1.jpg"), image("probes/elva-3.jpg"), image("people/gisa/1.jpg"));
    assert_eq!(faceprint(["compare", &elva, &again]).code, Some(0));
    assert_eq!(faceprint(["compare", &elva, &gisa]).code, Some(1));
    let missing = faceprint(["compare", &elva, "no-such-picture.jpg", "--json"]);
    assert_eq!(missing.code, Some(2));
    assert!(missing.stderr.starts_with("error: "), "{}", missing.stderr);
    assert_eq!(missing.json()[0]["error"]["kind"], "Io");
}

#[test]
fn a_stranger_is_a_no() {
    let run =
        faceprint(["identify", "--known", &image("people"), &image("probes/unknown-1-1.jpg")]);
    assert_eq!(run.code, Some(1), "{}{}", run.stdout, run.stderr);
}
