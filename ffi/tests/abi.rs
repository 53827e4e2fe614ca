//! What programs that are compiled already rely on: names, numbers, sizes and offsets.

#![allow(clippy::unwrap_used, reason = "part of the tests only")]

mod common;

use std::collections::BTreeSet;
use std::fmt::Write;
use std::process::Command;

use common::{Language, build, here, root, run, shared_library};
use faceprint::ErrorKind;
use faceprint_ffi::*;

/// `FACEPRINT_BLESS=1` writes `abi.tsv`. A line that changes or goes breaks programs: it needs another version of
/// the SONAME. Lines may be added, at the end of structures that have a `struct_size`, and not in their padding, which
/// older programs leave as it is.
#[test]
fn sizes_offsets_and_numbers_are_frozen() {
    let header = header();
    let mut lines = String::new();
    for (name, fields) in structures(&header) {
        let print = |out: &mut String, what: &str, value: &str| {
            writeln!(out, "printf(\"{what}\\t%zu\\n\", (size_t)({value}));").unwrap();
        };
        print(&mut lines, &format!("sizeof {name}"), &format!("sizeof({name})"));
        for field in fields {
            let what = format!("{name}.{field}");
            print(&mut lines, &what, &format!("offsetof({name}, {field})"));
        }
    }
    for name in enumerators(&header) {
        writeln!(lines, "printf(\"{name}\\t%lld\\n\", (long long){name});").unwrap();
    }
    let folder = tempfile::tempdir().unwrap();
    let source = folder.path().join("abi.c");
    let includes = "#include <stdio.h>\n#include \"faceprint.h\"\n";
    std::fs::write(&source, format!("{includes}int main(void) {{\n{lines}return 0;\n}}\n"))
        .unwrap();
    let found = run(&build(Language::C, &source, "abi"), &[]);
    let path = here().join("tests/abi.tsv");
    if std::env::var_os("FACEPRINT_BLESS").is_some() {
        std::fs::write(&path, &found).unwrap();
    }
    let kept = std::fs::read_to_string(&path).unwrap();
    assert!(found.lines().count() > 200);
    for (kept, found) in kept.lines().zip(found.lines()) {
        assert_eq!(kept, found, "the ABI changed: is that meant?");
    }
    assert_eq!(kept, found, "the ABI grew: run with FACEPRINT_BLESS=1");
}

/// Each field of each initializer, byte by byte.
#[test]
fn initializers_are_the_defaults() {
    let header = header();
    let mut lines = String::new();
    let mut expected = String::new();
    for (name, fields) in structures(&header) {
        let Some(defaults) = defaults(&name) else { continue };
        let initializer = format!("{}_INIT", name.to_uppercase());
        assert!(header.contains(&format!("#define {initializer}")), "no {initializer}");
        writeln!(lines, "{{ static const {name} it = {initializer};").unwrap();
        for field in fields {
            writeln!(
                lines,
                "printf(\"{name}.{field}\\t%zu\\t%zu\\t\", offsetof({name}, {field}), sizeof it.{field});\n\
                 for (size_t i = 0; i < sizeof it.{field}; i++)\n\
                 printf(\"%02x\", ((const unsigned char *)&it.{field})[i]);\nputs(\"\");"
            )
            .unwrap();
        }
        writeln!(lines, "}}").unwrap();
        writeln!(expected, "{name}").unwrap();
        let found = program(&lines);
        lines.clear();
        for line in found.lines() {
            let cells: Vec<_> = line.split('\t').collect();
            let [at, len] = [1, 2].map(|cell: usize| cells[cell].parse::<usize>().unwrap());
            let bytes: String =
                defaults[at..at + len].iter().map(|it| format!("{it:02x}")).collect();
            assert_eq!(cells[3], bytes, "{}", cells[0]);
        }
    }
    assert_eq!(expected.lines().count(), 8, "{expected}");
}

/// The bytes of what the library does without options. Padding is never looked at.
fn defaults(name: &str) -> Option<Vec<u8>> {
    fn bytes<T: Growing>() -> Vec<u8> {
        let mut place = std::mem::MaybeUninit::<T>::zeroed();
        place.write(T::defaults());
        let first = place.as_ptr().cast::<u8>();
        // SAFETY: as many bytes as the value has. Padding may be what it was, zero, or anything: it is copied by
        // `read_volatile`, and not compared.
        (0..size_of::<T>()).map(|at| unsafe { first.add(at).read_volatile() }).collect()
    }
    Some(match name {
        "faceprint_decode_limits" => bytes::<faceprint_decode_limits>(),
        "faceprint_engine_options" => bytes::<faceprint_engine_options>(),
        "faceprint_key_provider" => bytes::<faceprint_key_provider>(),
        "faceprint_enroll_policy" => bytes::<faceprint_enroll_policy>(),
        "faceprint_query" => bytes::<faceprint_query>(),
        "faceprint_details" => bytes::<faceprint_details>(),
        "faceprint_bundle_request" => bytes::<faceprint_bundle_request>(),
        "faceprint_stream_options" => bytes::<faceprint_stream_options>(),
        _ => return None,
    })
}

#[test]
fn the_library_exports_what_the_header_declares_and_nothing_else() {
    let output =
        Command::new("nm").args(["-D", "--defined-only"]).arg(shared_library()).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let mut exported: BTreeSet<String> =
        text.lines().filter_map(|line| Some(line.rsplit(' ').next()?.to_owned())).collect();
    let declared: BTreeSet<String> = functions(&header()).into_iter().collect();
    assert!(declared.len() > 150, "{}", declared.len());
    // In a build of the whole workspace the benches ask for graphs, and `hnsw_rs` has C functions of its own. The
    // library built alone (`-p faceprint-ffi`) has none of them.
    if exported.contains("init_hnsw_f32") {
        exported.retain(|name| name.starts_with("faceprint_"));
    }
    assert_eq!(exported, declared);
    assert!(declared.iter().all(|name| name.starts_with("faceprint_")));
}

/// The kinds of errors are read from the core's source: there is no list of them.
#[test]
fn every_kind_of_error_has_its_number() {
    let source = std::fs::read_to_string(root().join("core/src/error.rs")).unwrap();
    let body = source.split("pub enum ErrorKind {").nth(1).unwrap().split('}').next().unwrap();
    let kinds: Vec<(&str, u32)> = body
        .lines()
        .filter_map(|line| line.trim().trim_end_matches(',').split_once(" = "))
        .map(|(name, number)| (name, number.parse().unwrap()))
        .collect();
    assert!(kinds.len() > 25);
    let header = header();
    for (name, number) in kinds {
        let mut screaming = String::new();
        for c in name.chars() {
            if c.is_uppercase() {
                screaming.push('_');
            }
            screaming.push(c.to_ascii_uppercase());
        }
        let line = format!("FACEPRINT_STATUS{screaming} = {number},");
        assert!(header.contains(&line), "the header lacks {line}");
    }
    assert_eq!(status(ErrorKind::BundleExpired) as u32, 315);
}

/// What a program with these lines prints.
fn program(lines: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    let source = folder.path().join("abi.c");
    let includes = "#include <stdio.h>\n#include \"faceprint.h\"\n";
    std::fs::write(&source, format!("{includes}int main(void) {{\n{lines}return 0;\n}}\n"))
        .unwrap();
    run(&build(Language::C, &source, "abi"), &[])
}

fn header() -> String {
    std::fs::read_to_string(here().join("include/faceprint.h")).unwrap()
}

/// Names and fields.
fn structures(header: &str) -> Vec<(String, Vec<String>)> {
    let mut found = Vec::new();
    for part in header.split("typedef struct ").skip(1) {
        let Some((name, rest)) = part.split_once(" {\n") else { continue };
        if name.contains([' ', ';']) {
            continue;
        }
        let body = rest.split("\n}").next().unwrap();
        let fields = body.lines().map(str::trim).filter(|line| line.ends_with(';'));
        let fields = fields.map(|line| {
            let name = line.trim_end_matches(';').split('[').next().unwrap();
            name.rsplit([' ', '*']).next().unwrap().to_owned()
        });
        found.push((name.to_owned(), fields.collect()));
    }
    found
}

fn enumerators(header: &str) -> Vec<String> {
    let lines =
        header.lines().filter(|line| line.starts_with("  FACEPRINT_") && line.contains(" = "));
    lines.map(|line| line.trim().split(' ').next().unwrap().to_owned()).collect()
}

fn functions(header: &str) -> Vec<String> {
    let declarations = header.split("extern \"C\" {").nth(1).unwrap();
    let code: Vec<_> = declarations.lines().filter(|line| !line.trim().starts_with("//")).collect();
    let code = code.join("\n");
    let calls = code.split('(').filter_map(|part| part.rsplit([' ', '*', '\n']).next());
    calls.filter(|name| name.starts_with("faceprint_")).map(str::to_owned).collect()
}
