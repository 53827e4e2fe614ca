//! Children of a test: the test's own binary, told by the environment what to do.

use std::io::{BufRead, BufReader, Lines, Write};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};

/// What the child does, and the path of its gallery.
const ROLE: &str = "FACEPRINT_TEST_ROLE";

/// The role of this process and its gallery; none when it is no child. The test that asks is called `child`.
pub fn role() -> Option<(String, String)> {
    let role = std::env::var(ROLE).ok()?;
    let (role, path) = role.split_once(' ').unwrap();
    Some((role.to_owned(), path.to_owned()))
}

/// The command that runs this binary as `role`.
pub fn command(role: &str, path: &Path) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    as_role(&mut command, role, path);
    command.args(["--exact", "child", "--nocapture"]);
    command
}

/// Tells a command that ends up in this binary what to do there.
pub fn as_role(command: &mut Command, role: &str, path: &Path) {
    command.env(ROLE, format!("{role} {}", path.display()));
    command.stdin(Stdio::piped()).stdout(Stdio::piped());
}

/// A child at work, and what it says.
pub fn start(role: &str, path: &Path) -> (Child, Lines<BufReader<ChildStdout>>) {
    let mut child = command(role, path).spawn().unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    (child, lines)
}

/// A line of its own, at once: the test harness writes to the same place.
pub fn say(line: &str) {
    let mut out = std::io::stdout().lock();
    out.write_all(format!("{line}\n").as_bytes()).unwrap();
    out.flush().unwrap();
}

/// Past the capture of the test harness: a test that had nothing to test should be seen.
pub fn announce(message: &str) {
    let _ = writeln!(std::io::stderr(), "{message}");
}

/// Whether the tests run at full size: hours are not counted then.
pub fn thorough() -> bool {
    std::env::var_os("FACEPRINT_THOROUGH").is_some()
}

/// A number that looks random and is the same for the same seed.
pub fn noise(seed: u64) -> u64 {
    let mut state = seed.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    state ^= state >> 29;
    state = state.wrapping_mul(0xbf58_476d_1ce4_e5b9);
    state ^ (state >> 32)
}
