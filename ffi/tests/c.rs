//! The programs in `tests/c`, built as C11 and as C++17 with every warning an error, run plain and under valgrind.

#![allow(clippy::unwrap_used, clippy::print_stderr, reason = "part of the tests only")]

mod common;

use std::path::Path;
use std::process::Command;

use common::{Built, Language, build, has, here, root, run};

const PROGRAMS: [&str; 6] = ["errors", "capture", "gallery", "events", "conformance", "threads"];

#[test]
fn programs_pass_as_c() {
    for name in PROGRAMS {
        run(&program(name, Language::C), &[]);
    }
}

#[test]
fn programs_pass_as_cpp() {
    for name in PROGRAMS {
        run(&program(name, Language::Cpp), &[("QUICK", "1")]);
    }
}

#[test]
fn the_wrapper_for_cpp_passes() {
    run(&build(Language::Cpp, &here().join("tests/c/wrapper.cpp"), "wrapper"), &[]);
}

/// What examples/identify.txt says, as in every language.
#[test]
fn the_examples_say_the_same() {
    let c = build(Language::C, &root().join("examples/c/identify.c"), "identify");
    let cpp = build(Language::Cpp, &root().join("examples/cpp/identify.cpp"), "identify");
    let said = |built: &Built| {
        let mut command = Command::new(&built.path);
        command.arg(root().join("examples/images"));
        built.check(command)
    };
    let (c, cpp) = (said(&c), said(&cpp));
    assert_eq!(c, cpp);
    let wanted = std::fs::read_to_string(root().join("examples/identify.txt")).unwrap();
    assert_eq!(c.lines().count(), wanted.lines().count(), "{c}");
    for (line, wanted) in c.lines().zip(wanted.lines()) {
        let parts = |line: &str| {
            let (name, similarity) = line.split_once(' ').unwrap_or((line, "0"));
            (name.to_owned(), similarity.parse::<f32>().unwrap())
        };
        let (found, wanted) = (parts(line), parts(wanted));
        // The last digit may be another's on another runtime.
        assert!(found.0 == wanted.0 && (found.1 - wanted.1).abs() < 0.0025, "{c}");
    }
}

/// `FACEPRINT_THOROUGH=1` makes 10,000 rounds.
#[test]
fn memory_stays_what_it_was() {
    let thorough = std::env::var_os("FACEPRINT_THOROUGH").is_some();
    let built = program("leaks", Language::C);
    let said = run(&built, &[("ROUNDS", if thorough { "10000" } else { "500" })]);
    eprint!("{said}");
}

/// The three that infer take minutes each there, and are run with `FACEPRINT_THOROUGH=1`.
#[test]
fn valgrind_finds_nothing() {
    if !has("valgrind") {
        common::skipped("SKIPPED: valgrind is not installed");
        return;
    }
    let thorough = std::env::var_os("FACEPRINT_THOROUGH").is_some();
    let quick = ["errors", "gallery", "events"];
    for name in if thorough { &PROGRAMS[..] } else { &quick } {
        let built = program(name, Language::C);
        let mut command = Command::new("valgrind");
        command
            .args(["--quiet", "--leak-check=full", "--show-leak-kinds=definite,indirect"])
            .args(["--errors-for-leak-kinds=definite,indirect", "--error-exitcode=9"])
            .arg(&built.path);
        // ONNX Runtime is not under test.
        command.env_remove("ORT_DYLIB_PATH").env("QUICK", "1");
        built.check(command);
    }
}

fn program(name: &str, language: Language) -> Built {
    build(language, &here().join(format!("tests/c/{name}.c")), name)
}

#[test]
fn the_programs_are_all_there() {
    let files = std::fs::read_dir(here().join("tests/c")).unwrap();
    let names: Vec<_> = files.map(|it| it.unwrap().path()).collect();
    let is_c = |path: &&std::path::PathBuf| path.extension().is_some_and(|it| it == "c");
    for path in names.iter().filter(is_c) {
        let name = Path::new(path).file_stem().unwrap().to_str().unwrap();
        assert!(
            [&PROGRAMS[..], &["leaks", "exchange"]].concat().contains(&name),
            "{name} is run by nobody"
        );
    }
}
