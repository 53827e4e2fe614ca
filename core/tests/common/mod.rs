//! What several test files share.
#![allow(dead_code, unreachable_pub, clippy::unwrap_used, clippy::print_stderr)]

use std::path::PathBuf;

/// The folder of test data beside the project: `FACEPRINT_SHARED`, or `../shared` beside the
/// repository. `None`, after saying so, when it is not there; the test then has nothing to test.
pub fn shared() -> Option<PathBuf> {
    let folder = std::env::var_os("FACEPRINT_SHARED").map_or_else(
        || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared"),
        PathBuf::from,
    );
    if folder.join("golden/golden.json").is_file() {
        return Some(folder);
    }
    eprintln!("SKIPPED: no test data in {}; set FACEPRINT_SHARED", folder.display());
    None
}
