//! Identifiers that are stored and compared, and never ordered by meaning.

use std::fmt;
use std::str::FromStr;

use crate::error::{Error, ErrorKind, Result};

/// The embedding space a template lives in: SHA-256 over the embedder file's hash, its preprocessing,
/// its alignment template and its dimension. Two templates are comparable exactly when these are equal.
///
/// Written as 64 lowercase hexadecimal digits; `{:.8}` shows the first eight.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct SpaceId([u8; 32]);

impl SpaceId {
    /// From the 32 bytes of [`as_bytes`](Self::as_bytes).
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The 32 bytes, as stored.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl FromStr for SpaceId {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        bytes_from_hex("a space id", text).map(Self)
    }
}

impl fmt::Display for SpaceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&hex_from_bytes(&self.0))
    }
}

impl fmt::Debug for SpaceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SpaceId({self})")
    }
}

/// One stored template of a subject: 16 random bytes, written as 32 lowercase hexadecimal digits. It
/// says nothing of whom it belongs to.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TemplateId([u8; 16]);

impl TemplateId {
    /// From the 16 bytes of [`as_bytes`](Self::as_bytes).
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// The 16 bytes, as stored.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

impl FromStr for TemplateId {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        bytes_from_hex("a template id", text).map(Self)
    }
}

impl fmt::Display for TemplateId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&hex_from_bytes(&self.0))
    }
}

impl fmt::Debug for TemplateId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TemplateId({self})")
    }
}

/// A person, by the name the caller knows them under: UTF-8, 1 to 255 bytes, no control characters.
/// Compared byte by byte; ordered by bytes.
///
/// `Display` shows the name, for whoever may see it; `Debug` does not, because it ends up in logs.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SubjectId(Box<str>);

impl SubjectId {
    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for SubjectId {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        checked_name("a subject id", text).map(Self)
    }
}

impl fmt::Display for SubjectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl fmt::Debug for SubjectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SubjectId({} bytes)", self.0.len())
    }
}

/// One customer, site or class of a gallery, by name: UTF-8, 1 to 255 bytes, no control characters.
///
/// `Display` shows the name; `Debug` does not.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TenantId(Box<str>);

impl TenantId {
    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for TenantId {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        checked_name("a tenant id", text).map(Self)
    }
}

impl fmt::Display for TenantId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl fmt::Debug for TenantId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TenantId({} bytes)", self.0.len())
    }
}

fn checked_name(what: &str, text: &str) -> Result<Box<str>> {
    if text.is_empty() || text.len() > 255 {
        return Err(Error::new(
            ErrorKind::InvalidArgument,
            format!("{what} has 1 to 255 bytes of UTF-8, this has {}", text.len()),
        ));
    }
    if let Some(at) = text.chars().position(char::is_control) {
        return Err(Error::new(
            ErrorKind::InvalidArgument,
            format!("{what} has no control characters, this has one as character {}", at + 1),
        ));
    }
    Ok(text.into())
}

pub(crate) fn bytes_from_hex<const N: usize>(what: &str, text: &str) -> Result<[u8; N]> {
    let wrong = || {
        Error::new(
            ErrorKind::InvalidArgument,
            format!("{what} is {} hexadecimal digits, this has {} bytes", 2 * N, text.len()),
        )
    };
    if text.len() != 2 * N || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err(wrong());
    }
    let mut bytes = [0; N];
    for (byte, pair) in bytes.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
        let pair = std::str::from_utf8(pair).map_err(|_| wrong())?;
        *byte = u8::from_str_radix(pair, 16).map_err(|_| wrong())?;
    }
    Ok(bytes)
}

pub(crate) fn hex_from_bytes(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_checked_once_and_never_logged() {
        for wrong in ["", "a\nb", "\u{7f}", &"x".repeat(256)] {
            assert_eq!(wrong.parse::<SubjectId>().unwrap_err().kind(), ErrorKind::InvalidArgument);
            assert_eq!(wrong.parse::<TenantId>().unwrap_err().kind(), ErrorKind::InvalidArgument);
        }
        let name: SubjectId = "Zoë Ångström".parse().unwrap();
        assert_eq!(name.to_string(), "Zoë Ångström");
        assert_eq!(format!("{name:?}"), "SubjectId(15 bytes)");
        let tenant: TenantId = "acme".parse().unwrap();
        assert_eq!(format!("{tenant:?}"), "TenantId(4 bytes)");
        assert!("x".repeat(255).parse::<SubjectId>().is_ok());
    }

    #[test]
    fn hexadecimal_ids_read_back() {
        let id = TemplateId::from_bytes([0xab; 16]);
        assert_eq!(id.to_string().parse::<TemplateId>().unwrap(), id);
        assert!("ab".parse::<TemplateId>().is_err());
        assert!(format!("é{}", "a".repeat(30)).parse::<TemplateId>().is_err());
    }
}
