//! What is asked at a terminal: passphrases, which are not shown, and whether to erase.

#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "part of the tests only")]

use std::io::{Read, Write};
use std::path::Path;
use std::process::Child;
use std::time::{Duration, Instant};

use pty_process::blocking::{Command, Pty, open};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::termios::{LocalModes, tcgetattr};

/// A run of the command at a terminal of its own.
struct Terminal {
    pty: Pty,
    child: Child,
    seen: String,
}

impl Terminal {
    fn run(args: &[&str]) -> Self {
        let (pty, pts) = open().unwrap();
        let command = Command::new(env!("CARGO_BIN_EXE_faceprint")).args(args);
        let command = ["FACEPRINT_PASSPHRASE", "FACEPRINT_NEW_PASSPHRASE", "FACEPRINT_PACK"]
            .iter()
            .fold(command, |command, name| command.env_remove(name));
        Self { pty, child: command.spawn(pts).unwrap(), seen: String::new() }
    }

    /// Reads until `question` was asked, then gives `answer`; a secret one when nothing typed is shown.
    fn answer(&mut self, question: &str, answer: &str, is_secret: bool) {
        while !self.seen.ends_with(question) {
            assert!(self.read(), "{question:?} was not asked: {}", self.seen);
        }
        // The question may be seen a moment before the terminal is told.
        let asked = Instant::now();
        while is_secret && tcgetattr(&self.pty).unwrap().local_modes.contains(LocalModes::ECHO) {
            assert!(asked.elapsed() < Duration::from_secs(60), "the terminal shows what is typed");
        }
        self.pty.write_all(format!("{answer}\n").as_bytes()).unwrap();
    }

    /// The exit code, and everything the terminal showed.
    fn end(mut self) -> (Option<i32>, String) {
        while self.read() {}
        (self.child.wait().unwrap().code(), self.seen)
    }

    /// False at the end: an error on Linux, nothing more elsewhere.
    fn read(&mut self) -> bool {
        let mut waiting = [PollFd::new(&self.pty, PollFlags::IN)];
        let shown = poll(&mut waiting, Some(&Timespec { tv_sec: 60, tv_nsec: 0 })).unwrap();
        assert!(shown > 0, "nothing more is shown after: {}", self.seen);
        let mut bytes = [0; 4096];
        let count = self.pty.read(&mut bytes).unwrap_or(0);
        self.seen.push_str(&String::from_utf8_lossy(&bytes[..count]));
        count > 0
    }
}

const SECRET: &str = "xyzzy plugh 7";

#[test]
fn passphrases_are_asked_for_and_not_shown() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("g");
    let path = path.to_str().unwrap();

    let mut run = Terminal::run(&["gallery", "create", path]);
    run.answer("Passphrase: ", SECRET, true);
    run.answer("Passphrase again: ", "xyzzy plugh 8", true);
    let (code, seen) = run.end();
    assert_eq!(code, Some(2), "{seen}");
    assert!(seen.contains("the two passphrases differ") && !seen.contains("xyzzy"), "{seen}");
    assert!(!Path::new(path).exists());

    let mut run = Terminal::run(&["gallery", "create", path]);
    run.answer("Passphrase: ", SECRET, true);
    run.answer("Passphrase again: ", SECRET, true);
    let (code, seen) = run.end();
    assert!(code == Some(0) && !seen.contains(SECRET), "{seen}");

    let mut run = Terminal::run(&["gallery", "rotate-key", path]);
    run.answer("Passphrase: ", SECRET, true);
    run.answer("New passphrase: ", "other", true);
    run.answer("New passphrase again: ", "other", true);
    let (code, seen) = run.end();
    assert!(code == Some(0) && !seen.contains(SECRET), "{seen}");

    let mut run = Terminal::run(&["gallery", "info", path]);
    run.answer("Passphrase: ", SECRET, true);
    let (code, seen) = run.end();
    assert!(code == Some(2) && seen.contains("check the passphrase"), "{seen}");
}

#[test]
fn erasing_is_confirmed() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name).display().to_string();
    let (gallery, key) = (at("g"), at("key"));
    std::fs::write(&key, [7; 32]).unwrap();
    let end = |args: &[&str]| Terminal::run(args).end();
    assert_eq!(end(&["gallery", "create", &gallery, "--key-file", &key]).0, Some(0));
    let picture = Path::new(env!("CARGO_MANIFEST_DIR")).join("../images/people/elva/1.jpg");
    let options = ["--gallery", &gallery, "--key-file", &key];
    let enroll = [&["enroll", "elva", picture.to_str().unwrap()], &options[..]].concat();
    assert_eq!(end(&enroll).0, Some(0));

    let erase = [&["erase", "elva"], &options[..]].concat();
    for (answer, code, outcome) in
        [("no", 1, "nobody was erased"), ("", 1, "nobody"), ("y", 0, "1 person erased")]
    {
        let mut run = Terminal::run(&erase);
        run.answer("for good? [y/N] ", answer, false);
        let (found, seen) = run.end();
        assert!(found == Some(code) && seen.contains(outcome), "{seen}");
    }
}
