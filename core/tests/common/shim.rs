//! `failing_io.c`, compiled and loaded into children.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use crate::children::announce;

/// The compiled file layer.
pub struct Shim {
    folder: TempDir,
}

impl Shim {
    /// None, after saying so, where it cannot be had.
    pub fn build() -> Option<Self> {
        if !cfg!(all(target_os = "linux", target_env = "gnu")) {
            announce("SKIPPED: failing files; the file layer is made for Linux with glibc");
            return None;
        }
        let source = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/common/failing_io.c");
        let folder = tempfile::tempdir().unwrap();
        let compiler = std::env::var("CC").unwrap_or_else(|_| "cc".to_owned());
        let compiled = Command::new(&compiler)
            .args(["-shared", "-fPIC", "-O1", "-Wall", "-Werror", source, "-o"])
            .arg(library(&folder))
            .arg("-ldl")
            .status();
        match compiled {
            Ok(status) => assert!(status.success(), "{source} does not compile"),
            Err(error) => {
                announce(&format!("SKIPPED: failing files; {compiler}: {error}"));
                return None;
            }
        }
        Some(Self { folder })
    }

    /// Puts the layer between `child` and the files in `folder`.
    pub fn watch(&self, child: &mut Command, folder: &Path) {
        fs::write(self.counts_file(), [0; 16]).unwrap();
        child.env("LD_PRELOAD", library(&self.folder));
        child.env("FACEPRINT_IO_FOLDER", folder.canonicalize().unwrap());
        child.env("FACEPRINT_IO_COUNT", self.counts_file());
    }

    /// [`watch`](Self::watch), and keeps every operation with its bytes in the file `log`, elsewhere.
    pub fn log(&self, child: &mut Command, folder: &Path, log: &Path) {
        self.watch(child, folder);
        child.env("FACEPRINT_IO_LOG", log);
    }

    /// Operations that the last child made, and those of them that failed.
    pub fn counts(&self) -> (u64, u64) {
        let bytes = fs::read(self.counts_file()).unwrap();
        let (numbers, []) = bytes.as_chunks::<8>() else { panic!("{} bytes", bytes.len()) };
        (u64::from_le_bytes(numbers[0]), u64::from_le_bytes(numbers[1]))
    }

    fn counts_file(&self) -> PathBuf {
        self.folder.path().join("counts")
    }
}

fn library(folder: &TempDir) -> PathBuf {
    folder.path().join("failing_io.so")
}

/// An operation on a file, as it was asked for.
pub enum Event {
    Write { name: String, offset: usize, bytes: Vec<u8> },
    Truncate { name: String, length: usize },
    Sync { name: String },
}

/// The operations in a log, in order.
pub fn events(log: &Path) -> Vec<Event> {
    let log = fs::read(log).unwrap();
    let mut rest = &log[..];
    let mut events = Vec::new();
    while !rest.is_empty() {
        let end = rest.iter().position(|&byte| byte == b'\n').unwrap();
        let line = std::str::from_utf8(&rest[..end]).unwrap();
        rest = &rest[end + 1..];
        let [what, name, offset, length] = line.split(' ').collect::<Vec<_>>()[..] else {
            panic!("{line}")
        };
        let (name, length) = (name.to_owned(), length.parse().unwrap());
        events.push(match what {
            "write" => {
                let (bytes, after) = rest.split_at(length);
                rest = after;
                Event::Write { name, offset: offset.parse().unwrap(), bytes: bytes.to_vec() }
            }
            "truncate" => Event::Truncate { name, length },
            _ => Event::Sync { name },
        });
    }
    events
}
