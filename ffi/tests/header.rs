//! `include/faceprint.h` is what these sources say; `FACEPRINT_BLESS=1` writes it.

#![allow(clippy::unwrap_used, reason = "part of the tests only")]

use std::fmt::Write;
use std::path::{Path, PathBuf};

#[test]
fn the_header_is_what_the_sources_say() {
    let path = here().join("include/faceprint.h");
    let made = header();
    if std::env::var_os("FACEPRINT_BLESS").is_some() {
        std::fs::write(&path, &made).unwrap();
    }
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    let differs = kept.lines().zip(made.lines()).position(|(kept, made)| kept != made);
    assert!(kept == made, "stale from line {differs:?} on: run with FACEPRINT_BLESS=1");
}

#[test]
fn every_source_is_in_the_header() {
    for entry in std::fs::read_dir(here().join("src")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let name = name.trim_end_matches(".rs");
        let known = faceprint_ffi::FILES.contains(&name) || ["lib", "boundary"].contains(&name);
        assert!(known, "{name}.rs is not in FILES");
    }
}

fn header() -> String {
    let folder = tempfile::tempdir().unwrap();
    let source = folder.path().join("all.rs");
    std::fs::write(&source, sources()).unwrap();
    let config = cbindgen::Config {
        language: cbindgen::Language::C,
        cpp_compat: true,
        style: cbindgen::Style::Both,
        usize_is_size_t: true,
        line_length: 118,
        header: Some(faceprint_ffi::HEADER.to_owned()),
        include_guard: Some("FACEPRINT_H".to_owned()),
        no_includes: true,
        sys_includes: ["stdbool.h", "stddef.h", "stdint.h"].map(str::to_owned).into(),
        after_includes: Some(versions()),
        trailer: Some(INITIALIZERS.to_owned()),
        documentation_style: cbindgen::DocumentationStyle::C99,
        enumeration: cbindgen::EnumConfig {
            rename_variants: cbindgen::RenameRule::QualifiedScreamingSnakeCase,
            ..Default::default()
        },
        export: cbindgen::ExportConfig { include: enums(&sources()), ..Default::default() },
        function: cbindgen::FunctionConfig {
            args: cbindgen::Layout::Auto,
            sort_by: None,
            ..Default::default()
        },
        ..Default::default()
    };
    let bindings =
        cbindgen::Builder::new().with_config(config).with_src(&source).generate().unwrap();
    let mut bytes = Vec::new();
    bindings.write(&mut bytes);
    String::from_utf8(bytes).unwrap()
}

/// All sources with the arguments' types as C has them: they are transparent.
fn sources() -> String {
    let mut all = String::new();
    for name in faceprint_ffi::FILES {
        let text = std::fs::read_to_string(here().join(format!("src/{name}.rs"))).unwrap();
        for line in text.lines().filter(|line| !line.starts_with("//!")) {
            writeln!(all, "{line}").unwrap();
        }
    }
    for (name, pointer) in [("Items<", "*const "), ("Options<", "*const "), ("Out<", "*mut ")] {
        all = pointers(&all, name, pointer);
    }
    all = words(&all, "Text", "*const c_char");
    words(&all, "Flag", "bool")
}

/// `Name<T>` as `pointer T`.
fn pointers(text: &str, name: &str, pointer: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find(name) {
        let (before, inside) = (&rest[..at], &rest[at + name.len()..]);
        out += before;
        if before.ends_with(|c: char| c.is_alphanumeric() || c == '_') {
            out += name;
            rest = inside;
            continue;
        }
        let mut depth = 1;
        let end = inside.find(|c| {
            depth += i32::from(c == '<') - i32::from(c == '>');
            depth == 0
        });
        let end = end.unwrap();
        out += pointer;
        out += &pointers(&inside[..end], name, pointer);
        rest = &inside[end + 1..];
    }
    out + rest
}

/// `: Word` and `Word` behind a pointer, as the type of a field or an argument.
fn words(text: &str, word: &str, with: &str) -> String {
    [",", "\n", ")", "\r", ">"].iter().fold(text.to_owned(), |text, end| {
        let text = text.replace(&format!(": {word}{end}"), &format!(": {with}{end}"));
        let text = text.replace(&format!("const {word}{end}"), &format!("const {with}{end}"));
        text.replace(&format!("mut {word}{end}"), &format!("mut {with}{end}"))
    })
}

/// Enumerations whose numbers are handed over as integers, which no call names.
fn enums(text: &str) -> Vec<String> {
    let named = text.lines().filter_map(|line| line.strip_prefix("pub enum "));
    named.map(|line| line.trim_end_matches(" {").to_owned()).collect()
}

fn versions() -> String {
    let [major, minor, patch] = [
        env!("CARGO_PKG_VERSION_MAJOR"),
        env!("CARGO_PKG_VERSION_MINOR"),
        env!("CARGO_PKG_VERSION_PATCH"),
    ];
    format!(
        "\n/* The version of this header; faceprint_version() is that of the library. */\n\
         #define FACEPRINT_VERSION \"{}\"\n\
         #define FACEPRINT_VERSION_MAJOR {major}\n\
         #define FACEPRINT_VERSION_MINOR {minor}\n\
         #define FACEPRINT_VERSION_PATCH {patch}\n\n\
         /* No time at all. */\n\
         #define FACEPRINT_NO_TIME INT64_MIN\n\n\
         /* A share for which the pack has a default. */\n\
         #define FACEPRINT_DEFAULT_SHARE (-1.0f)\n",
        env!("CARGO_PKG_VERSION")
    )
}

const INITIALIZERS: &str = "\
/* Initializers. What they leave to the library is what it does when NULL is given. */

#define FACEPRINT_IMAGE(data, len, width, height, format) \\
  { (data), (len), 0, (width), (height), (format), 1, NULL, 0 }

#define FACEPRINT_DECODE_LIMITS_INIT \\
  { sizeof(faceprint_decode_limits), 100000000, 536870912, 67108864 }

#define FACEPRINT_ENGINE_OPTIONS_INIT \\
  { sizeof(faceprint_engine_options), FACEPRINT_BACKEND_CHOICE_AUTO, FACEPRINT_PROVIDER_CPU, NULL, \\
    FACEPRINT_DEFAULT, FACEPRINT_DEFAULT, FACEPRINT_DEFAULT, FACEPRINT_DETECTION_SIZE_AUTO, \\
    FACEPRINT_DEFAULT_SHARE, FACEPRINT_DEFAULT_SHARE, false, false, NULL, NULL, 0 }

#define FACEPRINT_KEY_PROVIDER_INIT \\
  { sizeof(faceprint_key_provider), NULL, NULL, NULL, NULL }

#define FACEPRINT_ENROLL_POLICY_INIT \\
  { sizeof(faceprint_enroll_policy), 0.6f, true, 10, 1000000, 0.1f }

#define FACEPRINT_NEW_TEMPLATE_INIT { NULL, NULL, NULL, NULL, NULL }

#define FACEPRINT_QUERY_INIT \\
  { sizeof(faceprint_query), 1, -1.0f, 0.0f, NULL, 0 }

#define FACEPRINT_DETAILS_INIT \\
  { sizeof(faceprint_details), NULL, FACEPRINT_NO_TIME, FACEPRINT_NO_TIME }

#define FACEPRINT_BUNDLE_REQUEST_INIT \\
  { sizeof(faceprint_bundle_request), NULL, FACEPRINT_NO_TIME, NULL, 0, NULL }

#define FACEPRINT_STREAM_OPTIONS_INIT \\
  { sizeof(faceprint_stream_options), FACEPRINT_DEFAULT_SHARE, 3, 6, 30000, 5000, 2000, 10.0f, 0.6f, 1, \\
    0 }
";

fn here() -> &'static Path {
    static HERE: std::sync::OnceLock<PathBuf> = std::sync::OnceLock::new();
    HERE.get_or_init(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")))
}
