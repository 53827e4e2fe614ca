//! `bindings/surface.tsv` names every public item of the core in C and in Python, or says why it is not there.
//!
//! Columns `core c python`. A name is one of the header, or of the stub; `structure.field` and `Class.method` as well,
//! `Class(argument)` for arguments of a constructor. `-` and a reason stand for what is left out on purpose.

#![allow(clippy::unwrap_used, reason = "part of the tests only")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

#[test]
fn every_public_item_is_named_once() {
    let items = items();
    assert!(items.len() > 400, "{}", items.len());
    let rows = rows();
    let missing: Vec<_> = items.iter().filter(|item| !rows.contains_key(*item)).collect();
    let gone: Vec<_> = rows.keys().filter(|item| !items.contains(*item)).collect();
    assert!(missing.is_empty(), "not in bindings/surface.tsv: {missing:?}");
    assert!(gone.is_empty(), "in bindings/surface.tsv, and no item of the core: {gone:?}");
}

#[test]
fn names_in_c_are_in_the_header() {
    let header = fs::read_to_string(root().join("ffi/include/faceprint.h")).unwrap();
    let words: BTreeSet<&str> = header.split(|c: char| !is_word(c)).collect();
    for (item, [c, _]) in rows() {
        let there = c.split('.').all(|word| words.contains(word));
        assert!(there || is_reason(&c), "{item} is {c:?} in C");
    }
}

#[test]
fn names_in_python_are_in_the_stub() {
    let stub = root().join("bindings/python/python/faceprint/_faceprint.pyi");
    let Ok(stub) = fs::read_to_string(stub) else { return };
    let words: BTreeSet<&str> = stub.split(|c: char| !is_word(c)).collect();
    for (item, [_, python]) in rows() {
        let mut names = python.split(|c: char| !is_word(c)).filter(|name| !name.is_empty());
        let there = !python.is_empty() && names.all(|name| words.contains(name));
        assert!(there && python != "?" || is_reason(&python), "{item} is {python:?} in Python");
    }
}

/// A dash and more than a word.
fn is_reason(cell: &str) -> bool {
    cell.strip_prefix("- ").is_some_and(|reason| reason.contains(' '))
}

fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

fn rows() -> BTreeMap<String, [String; 2]> {
    let text = fs::read_to_string(root().join("bindings/surface.tsv")).unwrap();
    let mut rows = BTreeMap::new();
    for line in text.lines().skip(1) {
        let cells: Vec<_> = line.split('\t').map(str::to_owned).collect();
        let [item, c, python] = <[String; 3]>::try_from(cells).unwrap();
        assert!(rows.insert(item, [c, python]).is_none(), "{line} is there twice");
    }
    rows
}

/// Types and traits by name, `Type::method`, and functions and constants with their first module. The lint
/// `unreachable_pub` sees to it that what is `pub` is public.
fn items() -> BTreeSet<String> {
    let mut items = BTreeSet::new();
    for file in files(&core().join("src")) {
        let inside = file.strip_prefix(core().join("src")).unwrap().to_owned();
        let name = inside.to_str().unwrap();
        let hidden = ["lib.rs", "bench", "manual", "runtime/graph.rs"];
        if hidden.iter().any(|it| name.starts_with(it)) || name.ends_with("tests.rs") {
            continue;
        }
        let module = name.split('/').next().unwrap().trim_end_matches(".rs").to_owned();
        collect(&fs::read_to_string(&file).unwrap(), &module, &mut items);
    }
    items
}

fn collect(text: &str, module: &str, items: &mut BTreeSet<String>) {
    let mut owner: Option<String> = None;
    let mut in_trait = false;
    for line in text.lines().take_while(|line| *line != "#[cfg(test)]") {
        if let Some((kind, name)) = public(line) {
            in_trait = kind == "trait";
            owner = in_trait.then(|| name.clone());
            let is_type = ["struct", "enum", "trait"].contains(&kind);
            // Public in builds for fuzzing only.
            if !name.starts_with("fuzz_") {
                items.insert(if is_type { name } else { format!("{module}::{name}") });
            }
        } else if let Some(rest) = line.strip_prefix("impl") {
            in_trait = false;
            owner = implemented(rest);
        } else if line.starts_with('}') {
            owner = None;
            in_trait = false;
        } else if let (Some(owner), Some(line)) = (&owner, line.strip_prefix("    ")) {
            let line = if in_trait { format!("pub {line}") } else { line.to_owned() };
            if let Some((_, name)) =
                public(&line).filter(|(kind, _)| ["fn", "const"].contains(kind))
            {
                items.insert(format!("{owner}::{name}"));
            }
        }
    }
}

/// What kind of item the line begins, and its name.
fn public(line: &str) -> Option<(&'static str, String)> {
    let mut words =
        line.strip_prefix("pub ")?.split(|c: char| !is_word(c)).filter(|it| !it.is_empty());
    let mut word = words.next()?;
    let mut was_const = false;
    while ["const", "unsafe", "async"].contains(&word) {
        was_const |= word == "const";
        word = words.next()?;
    }
    let kinds = ["struct", "enum", "trait", "fn", "type"];
    match kinds.into_iter().find(|kind| *kind == word) {
        Some(kind) => Some((kind, words.next()?.to_owned())),
        None => was_const.then(|| ("const", word.to_owned())),
    }
}

/// The type of an `impl` that is of no trait.
fn implemented(rest: &str) -> Option<String> {
    if rest.contains(" for ") {
        return None;
    }
    let mut depth = 0;
    let after = rest.find(|c| {
        depth += i32::from(c == '<') - i32::from(c == '>');
        depth == 0 && c == ' '
    })?;
    let name: String = rest[after + 1..].chars().take_while(|c| is_word(*c)).collect();
    Some(name)
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else if path.extension().is_some_and(|it| it == "rs") {
            found.push(path);
        }
    }
    found
}

fn core() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn root() -> PathBuf {
    core().parent().unwrap().to_owned()
}
