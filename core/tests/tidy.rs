//! The rules of the house that a compiler does not hold: layers, file lengths, where `unsafe` and the
//! inference engines may be named, and that documents name only what is there.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "part of the tests only")]

use std::fs;
use std::path::{Path, PathBuf};

/// A module imports only from rows above its own.
const ROWS: &[&[&str]] = &[
    &["error", "id", "geometry"],
    &["image", "vector", "crypto"],
    &["align", "runtime"],
    &["pack", "index", "fernet"],
    &["detect", "embed", "quality", "liveness", "matcher"],
    &["engine", "gallery", "bench"],
    &["stream"],
    &["manual"],
];

/// What a module may import at most, where that is less than all rows above it.
const NARROWER: &[(&str, &[&str])] = &[
    // The one import within a row: parsing an identifier can fail.
    ("id", &["error"]),
    ("runtime", &["error"]),
    ("crypto", &["error"]),
    ("align", &["error", "geometry", "image"]),
    ("index", &["error", "id", "vector"]),
    ("fernet", &["error", "vector", "crypto"]),
    ("matcher", &["error", "id", "vector", "index"]),
    ("gallery", &["error", "id", "geometry", "vector", "crypto", "index", "matcher"]),
];

/// Lines of a source file before its tests.
const MAX_LINES: usize = 500;

#[test]
fn modules_import_only_from_rows_above() {
    let mut broken = Vec::new();
    for file in sources(&core().join("src")) {
        let module = module_of(&file);
        if module == "lib" {
            continue;
        }
        let row = row_of(&module).unwrap_or_else(|| panic!("{module} is in no row of the table"));
        for (line, text) in code_lines(&file) {
            for imported in crate_paths(&text) {
                let Some(imported_row) = row_of(&imported) else { continue };
                let narrower = NARROWER.iter().find(|(name, _)| *name == module);
                let allowed = narrower
                    .map_or(imported_row < row, |(_, names)| names.contains(&imported.as_str()));
                if imported != module && !allowed {
                    broken.push(format!("{}:{line}: {module} imports {imported}", show(&file)));
                }
            }
        }
    }
    assert!(broken.is_empty(), "layers are broken:\n{}", broken.join("\n"));
}

#[test]
fn engines_and_unsafe_have_one_place_each() {
    let mut broken = Vec::new();
    for file in sources(&core().join("src")) {
        let path = show(&file);
        for (line, text) in code_lines(&file) {
            let names_engine =
                text.contains("ort::") || text.contains("rten::") || text.contains("rten_tensor::");
            if names_engine && !path.starts_with("core/src/runtime/") {
                broken.push(format!("{path}:{line}: an inference engine is named outside runtime"));
            }
            if text.contains("hnsw_rs") && path != "core/src/index/hnsw/graph.rs" {
                broken.push(format!("{path}:{line}: hnsw_rs is named outside its one file"));
            }
            let is_unsafe = text.contains("unsafe {")
                || text.contains("unsafe fn")
                || text.contains("unsafe impl");
            if is_unsafe && !path.starts_with("core/src/vector/simd") {
                broken.push(format!("{path}:{line}: unsafe outside vector/simd"));
            }
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

#[test]
fn files_are_short_and_modules_have_no_mod_rs() {
    let mut broken = Vec::new();
    for folder in ["core", "ffi", "bindings", "examples", "benches"] {
        for file in sources(&root().join(folder)) {
            let lines = fs::read_to_string(&file).unwrap();
            if lines.contains("Generated from ffi/src by a test; do not edit.") {
                continue;
            }
            let lines = lines.lines().take_while(|line| *line != "#[cfg(test)]").count();
            if lines > MAX_LINES {
                broken.push(format!("{} has {lines} lines, at most {MAX_LINES}", show(&file)));
            }
            // Cargo finds code shared by test files under this name only.
            if file.ends_with("mod.rs") && !show(&file).contains("tests/common") {
                broken.push(format!("{} should be FOLDER.rs", show(&file)));
            }
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

#[test]
fn documents_name_paths_that_exist() {
    let mut broken = Vec::new();
    for file in files(&root(), &["md"]) {
        let text = fs::read_to_string(&file).unwrap();
        for (index, line) in text.lines().enumerate() {
            for path in paths_in(line) {
                let beside = file.parent().unwrap().join(&path);
                if !root().join(&path).exists() && !beside.exists() {
                    broken.push(format!("{}:{}: {path}", show(&file), index + 1));
                }
            }
        }
    }
    assert!(broken.is_empty(), "documents name what is not there:\n{}", broken.join("\n"));
}

/// Repository paths in backticks, and the targets of relative links.
fn paths_in(line: &str) -> Vec<String> {
    let folders = ["core/", "ffi/", "bindings/", "examples/", "benches/", ".ci/"];
    let quoted = line.split('`').skip(1).step_by(2).filter(|it| {
        folders.iter().any(|folder| it.starts_with(folder))
            && !it.contains([' ', '*', '{', '<', '$'])
    });
    let linked = line.split("](").skip(1).filter_map(|it| it.split([')', '#']).next());
    let linked = linked.filter(|it| !it.is_empty() && !it.contains("://") && !it.contains(' '));
    quoted.chain(linked).map(str::to_owned).collect()
}

/// `a` and `b` of `crate::a::x` and `crate::{b, …}`.
fn crate_paths(line: &str) -> Vec<String> {
    line.split("crate::")
        .skip(1)
        .flat_map(|rest| match rest.strip_prefix('{') {
            Some(list) => list.split(',').map(str::trim).map(first_word).collect(),
            None => vec![first_word(rest)],
        })
        .collect()
}

fn first_word(text: &str) -> String {
    text.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect()
}

/// Numbered lines that are not comments.
fn code_lines(file: &Path) -> Vec<(usize, String)> {
    let text = fs::read_to_string(file).unwrap();
    let lines = text.lines().enumerate().map(|(index, line)| (index + 1, line.trim().to_owned()));
    lines.filter(|(_, line)| !line.starts_with("//")).collect()
}

fn row_of(module: &str) -> Option<usize> {
    ROWS.iter().position(|row| row.contains(&module))
}

/// The module right under the crate's root that a file belongs to.
fn module_of(file: &Path) -> String {
    let inside = file.strip_prefix(core().join("src")).unwrap();
    let first = inside.components().next().unwrap();
    Path::new(&first).file_stem().unwrap().to_string_lossy().into_owned()
}

fn sources(folder: &Path) -> Vec<PathBuf> {
    files(folder, &["rs", "py", "kt", "swift", "c", "h"])
}

/// Files with one of the `endings` that belong to the repository.
fn files(folder: &Path, endings: &[&str]) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let Ok(entries) = fs::read_dir(folder) else { return found };
    for entry in entries {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() {
            let foreign = [
                "target",
                "node_modules",
                "generated",
                "runs",
                "__pycache__",
                "corpus",
                "artifacts",
            ];
            if !name.starts_with('.') && !foreign.contains(&name.as_str()) {
                found.extend(files(&path, endings));
            }
        } else if path.extension().is_some_and(|it| endings.iter().any(|ending| it == *ending)) {
            found.push(path);
        }
    }
    found.sort();
    found
}

fn show(path: &Path) -> String {
    path.strip_prefix(root()).unwrap_or(path).display().to_string()
}

fn core() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn root() -> PathBuf {
    core().parent().unwrap().to_owned()
}
