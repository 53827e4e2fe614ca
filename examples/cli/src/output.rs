//! What the command says: results on standard output, everything else on standard error.

use std::io::{self, Write};

use serde::Serialize;

use crate::failure::Failure;

/// A line of the result.
pub(crate) fn line(text: impl AsRef<str>) -> Result<(), Failure> {
    Ok(writeln!(io::stdout().lock(), "{}", text.as_ref())?)
}

/// The result as one JSON document on one line, so that many of them are JSON lines.
pub(crate) fn json(document: &impl Serialize) -> Result<(), Failure> {
    line(serde_json::to_string(document).map_err(io::Error::from)?)
}

/// `1 person`, `2 people`.
pub(crate) fn count(n: u64, one: &str, many: &str) -> String {
    format!("{n} {}", if n == 1 { one } else { many })
}

/// Something the user should know that is not the result.
pub(crate) fn note(text: impl AsRef<str>) {
    // A closed standard error leaves no way to complain about it.
    let _ = writeln!(io::stderr().lock(), "{}", text.as_ref());
}

/// One line on standard error, and for scripts the same as a document on standard output.
pub(crate) fn failure(failure: &Failure, as_json: bool) {
    if failure.silent {
        return;
    }
    note(format!("error: {failure}"));
    if as_json {
        let _ = json(&serde_json::json!({ "error": failure }));
    }
}

/// A bar on standard error with the time left; invisible when that is not a terminal.
pub(crate) fn progress(total: usize, what: &'static str) -> indicatif::ProgressBar {
    let bar = indicatif::ProgressBar::new(total as u64);
    let template = "{msg} {bar:32} {pos}/{len}  {per_sec}  {eta} left";
    if let Ok(style) = indicatif::ProgressStyle::with_template(template) {
        bar.set_style(style);
    }
    bar.with_message(what)
}
