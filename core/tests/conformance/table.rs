//! Lines of cells between tabs.

use std::ops::Index;
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::Arc;

/// One line, by the names in the first one.
#[derive(Debug)]
pub(crate) struct Row {
    names: Arc<Vec<String>>,
    cells: Vec<String>,
}

pub(crate) fn rows(file: &str) -> Vec<Row> {
    let text = std::fs::read_to_string(folder().join(file)).unwrap();
    let cells = |line: &str| line.split('\t').map(str::to_owned).collect::<Vec<_>>();
    let mut lines = text.lines().map(cells);
    let names = Arc::new(lines.next().unwrap());
    let rows: Vec<_> = lines.map(|cells| Row { names: Arc::clone(&names), cells }).collect();
    assert!(rows.len() > 10 && rows.iter().all(|row| row.cells.len() == row.names.len()), "{file}");
    rows
}

pub(crate) fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("testdata/conformance")
}

pub(crate) fn images() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../examples/images")
}

impl Row {
    pub(crate) fn number<T: FromStr>(&self, name: &str) -> T {
        let cell = &self[name];
        cell.parse().unwrap_or_else(|_| panic!("{name} is {cell:?}"))
    }
}

impl Index<&str> for Row {
    type Output = String;

    fn index(&self, name: &str) -> &String {
        let at = self.names.iter().position(|it| it == name);
        &self.cells[at.unwrap_or_else(|| panic!("no column {name}"))]
    }
}
