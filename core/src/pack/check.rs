//! Checks of single manifest fields; each error names the entry and the path of the field.

use std::fmt::Display;
use std::ops::RangeInclusive;

use crate::error::{Error, ErrorKind, Result};

/// Largest model file a manifest may name, and the most that is read when it names no size: bytes.
pub(crate) const MAX_MODEL_BYTES: u64 = 512 << 20;

/// The table an error is about.
pub(crate) struct Scope(String);

impl Scope {
    pub(crate) fn new(kind: &str, name: &str) -> Self {
        // The name is not yet known to be short and printable.
        let name: String = name.chars().take(64).collect();
        Self(format!("{kind} {name:?}"))
    }

    pub(crate) fn numbered(kind: &str, number: usize) -> Self {
        Self(format!("{kind} number {number}"))
    }

    pub(crate) fn error(&self, message: impl Display) -> Error {
        Error::new(ErrorKind::InvalidManifest, format!("{}: {message}", self.0))
    }

    pub(crate) fn invalid(&self, field: &str, message: impl Display) -> Error {
        self.error(format_args!("{field} {message}"))
    }
}

pub(crate) fn required<T>(scope: &Scope, field: &str, value: Option<T>) -> Result<T> {
    value.ok_or_else(|| scope.invalid(field, "is missing"))
}

/// The one of `all` that is written `value`.
pub(crate) fn word<T: Copy>(
    scope: &Scope,
    field: &str,
    value: &str,
    all: &[T],
    written: impl Fn(T) -> &'static str,
) -> Result<T> {
    all.iter().copied().find(|one| written(*one) == value).ok_or_else(|| {
        let all: Vec<_> = all.iter().copied().map(written).collect();
        scope.invalid(field, format!("is {value:?}, must be one of {}", all.join(", ")))
    })
}

/// Also refuses what compares with nothing (NaN).
pub(crate) fn range<T: PartialOrd + Display>(
    scope: &Scope,
    field: &str,
    value: T,
    range: RangeInclusive<T>,
    unit: &str,
) -> Result<()> {
    if range.contains(&value) {
        return Ok(());
    }
    let message = format!("is {value}, must be {} to {} {unit}", range.start(), range.end());
    Err(scope.invalid(field, message.trim_end()))
}

/// Names are file-system-, shell- and URL-safe everywhere.
pub(crate) fn name(scope: &Scope, field: &str, value: &str) -> Result<()> {
    let allowed = |c: u8| c.is_ascii_lowercase() || c.is_ascii_digit() || b"._-".contains(&c);
    let starts_well = value.bytes().next().is_some_and(|c| c.is_ascii_alphanumeric());
    if value.len() <= 64 && starts_well && value.bytes().all(allowed) {
        return Ok(());
    }
    Err(scope.invalid(field, "must be 1 to 64 of a-z 0-9 . _ - and start with a letter or digit"))
}

/// A name that stays inside whatever folder it is joined to, on every system.
pub(crate) fn file_name(scope: &Scope, field: &str, value: &str) -> Result<()> {
    let allowed = |c: u8| c.is_ascii_alphanumeric() || b"._-".contains(&c);
    let starts_well = value.bytes().next().is_some_and(|c| c.is_ascii_alphanumeric());
    if value.len() <= 128 && starts_well && !value.ends_with('.') && value.bytes().all(allowed) {
        return Ok(());
    }
    Err(scope.invalid(
        field,
        format!("is {value:?}, must be a file name: 1 to 128 of a-z A-Z 0-9 . _ - with no folder"),
    ))
}

pub(crate) fn text(scope: &Scope, field: &str, value: &str) -> Result<()> {
    if value.trim().is_empty() {
        return Err(scope.invalid(field, "is empty"));
    }
    Ok(())
}

pub(crate) fn sha256(scope: &Scope, field: &str, value: &str) -> Result<[u8; 32]> {
    let digit = |c: u8| char::from(c).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let mut bytes = [0; 32];
    let mut valid = value.len() == 64;
    for (byte, pair) in bytes.iter_mut().zip(value.as_bytes().chunks_exact(2)) {
        match (digit(pair[0]), digit(pair[1])) {
            (Some(high), Some(low)) => *byte = high << 4 | low,
            _ => valid = false,
        }
    }
    if !valid {
        let message = format!("has {} bytes, must be 64 hexadecimal digits", value.len());
        return Err(scope.invalid(field, message));
    }
    Ok(bytes)
}

pub(crate) fn https_url(scope: &Scope, field: &str, value: &str) -> Result<()> {
    let host = value
        .strip_prefix("https://")
        .map(|rest| rest.split(['/', '?', '#']).next().unwrap_or_default());
    let printable = value.len() <= 2048 && value.bytes().all(|c| c.is_ascii_graphic());
    match host {
        Some(host) if printable && !host.is_empty() && !host.contains('@') => Ok(()),
        _ => Err(scope.invalid(
            field,
            "must be an https:// URL of up to 2048 ASCII characters with a host and no user name",
        )),
    }
}
