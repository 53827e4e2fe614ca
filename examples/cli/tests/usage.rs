//! Exit codes and messages that need no model.

mod common;

use std::fs;

use common::faceprint;

#[test]
fn help_tells_the_exit_codes() {
    let help = faceprint(["--help"]);
    assert_eq!(help.code, Some(0));
    assert!(help.stdout.contains("Exit codes"), "{}", help.stdout);
    let compare = faceprint(["compare", "--help"]).stdout;
    let words: Vec<_> = compare.split_whitespace().collect();
    assert!(words.join(" ").contains("Exit code 0: the same person; 1: different"), "{compare}");
}

#[test]
fn wrong_arguments_are_exit_code_2() {
    for args in [
        vec!["detect"],
        vec!["no-such-command"],
        vec!["compare", "a.jpg"],
        vec!["detect", "a.jpg", "--score", "2"],
        vec!["detect", "a.jpg", "--threads", "0"],
        vec!["detect", "a.jpg", "--detection-size", "big"],
        vec!["compare", "a.jpg", "b.jpg", "--threshold", "0.4", "--fmr", "1e-4"],
        vec!["eval", "lfw", "--pairs", "p", "--images", "i", "--folds", "5-2"],
        vec!["eval", "identification"],
        vec!["eval", "identification", "--images", "i", "--fpir", "0.1,2"],
        vec!["eval", "identification", "--images", "i", "--gallery", "0"],
        vec!["eval", "identification", "--images", "i", "--splits", "0"],
        vec!["eval", "identification", "--images", "no-such-folder"],
    ] {
        let run = faceprint(&args);
        assert_eq!(run.code, Some(2), "{args:?}");
        assert!(run.stderr.starts_with("error: "), "{args:?}: {}", run.stderr);
    }
}

#[test]
fn an_unknown_pack_is_an_error() {
    let run = faceprint(["detect", "a.jpg", "--pack", "no-such-pack"]);
    assert_eq!((run.code, run.stdout.as_str()), (Some(2), ""));
    assert!(
        run.stderr.starts_with("error: ") && run.stderr.contains("no-such-pack"),
        "{}",
        run.stderr
    );
}

#[test]
fn a_broken_pairs_file_is_named_with_its_line() {
    let folder = tempfile::tempdir().unwrap();
    let pairs = folder.path().join("pairs.txt");
    fs::write(&pairs, "1 1\nAnn 1 2\nAnn one Bob 1\n").unwrap();
    let images = folder.path().to_str().unwrap();
    let run = faceprint(["eval", "lfw", "--pairs", pairs.to_str().unwrap(), "--images", images]);
    assert_eq!(run.code, Some(2));
    assert!(run.stderr.contains("pairs.txt") && run.stderr.contains("line 3"), "{}", run.stderr);
}

#[test]
fn identification_needs_people_with_two_pictures() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["a", "b", "c", "d", "e", "f", "g"] {
        fs::write(folder.path().join(format!("{name}.jpg")), b"").unwrap();
    }
    let run = faceprint(["eval", "identification", "--images", folder.path().to_str().unwrap()]);
    assert_eq!(run.code, Some(2));
    assert!(run.stderr.contains("7 people with 7 pictures; needed are 6"), "{}", run.stderr);
}

#[test]
fn an_empty_known_folder_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let known = folder.path().to_str().unwrap();
    let run = faceprint(["identify", "--known", known, "probe.jpg"]);
    assert_eq!(run.code, Some(2));
    assert!(run.stderr.contains("NAME.jpg"), "{}", run.stderr);
}

#[test]
fn runtime_reports_the_pure_rust_engine() {
    let run = faceprint(["runtime", "--backend", "rten", "--json"]);
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    let report = &run.json()[0];
    assert_eq!(report["engine"], "rten");
    assert!(report["threads"].as_u64().unwrap() > 0);
    assert!(report["hint"].as_str().unwrap().contains("onnxruntime"));
}

#[test]
fn an_inference_library_that_is_asked_for_is_insisted_on() {
    let run = faceprint(["runtime", "--onnxruntime", "/no/such/libonnxruntime.so"]);
    assert_eq!(run.code, Some(2));
    assert!(run.stderr.starts_with("error: "), "{}", run.stderr);
}

#[test]
fn models_are_listed_and_a_missing_one_is_a_no() {
    let list = faceprint(["models", "list"]);
    assert_eq!(list.code, Some(0), "{}", list.stderr);
    assert!(list.stdout.contains("yunet-sface") && list.stdout.contains("Apache-2.0"));

    let empty = tempfile::tempdir().unwrap();
    let folder = empty.path().to_str().unwrap();
    let verify =
        faceprint(["models", "verify", "sface-2021dec-int8", "--models", folder, "--json"]);
    let run = &verify.json()[0];
    assert!(run["ok"].is_boolean(), "{}", verify.stdout);
    assert_eq!(verify.code, Some(if run["ok"] == true { 0 } else { 1 }));

    let place = faceprint(["models", "where", "--models", folder]);
    assert_eq!(place.code, Some(0), "{}", place.stderr);
    assert!(place.stdout.contains(folder), "{}", place.stdout);
}
