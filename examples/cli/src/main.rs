//! The `faceprint` command.
fn main() {}
