//! Running the built command, and finding the models that lie beside a checkout.

#![allow(clippy::unwrap_used, clippy::print_stderr, reason = "part of the tests only")]

pub(crate) mod home;

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// What a run of the command left behind.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Run {
    /// Standard output as JSON, one document per line.
    pub(crate) fn json(&self) -> Vec<serde_json::Value> {
        self.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}

/// Runs `faceprint` with `args`, away from the settings of whoever runs the tests.
pub(crate) fn faceprint<S: AsRef<std::ffi::OsStr>>(args: impl IntoIterator<Item = S>) -> Run {
    faceprint_with(args, &[])
}

/// [`faceprint`] with environment variables.
pub(crate) fn faceprint_with<S: AsRef<std::ffi::OsStr>>(
    args: impl IntoIterator<Item = S>,
    env: &[(&str, &str)],
) -> Run {
    let mut command = Command::new(env!("CARGO_BIN_EXE_faceprint"));
    for name in ["PACK", "MODELS", "PASSPHRASE", "NEW_PASSPHRASE"] {
        command.env_remove(format!("FACEPRINT_{name}"));
    }
    command.args(args).envs(env.iter().copied()).stdin(Stdio::null());
    let Output { status, stdout, stderr } = command.output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Run { code: status.code(), stdout: text(stdout), stderr: text(stderr) }
}

/// The folder of models and pictures that is no part of the repository: FACEPRINT_SHARED, or `shared`
/// beside the checkout. Says so when it is not there.
#[allow(dead_code, reason = "each test file is its own program and uses what it needs")]
pub(crate) fn shared() -> Option<PathBuf> {
    let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared");
    let folder = std::env::var_os("FACEPRINT_SHARED").map_or_else(beside, PathBuf::from);
    let there = folder.join("models").is_dir().then(|| folder.canonicalize().unwrap());
    if there.is_none() {
        skipped(&format!("SKIPPED: no models at {} (set FACEPRINT_SHARED)", folder.display()));
    }
    there
}

/// Past the capture of the test harness: a test that had nothing to test should be seen.
fn skipped(message: &str) {
    use std::io::Write;
    let _ = writeln!(std::io::stderr(), "{message}");
}
