//! 32 secret bytes, and where randomness comes from.

use std::fmt;

use subtle::ConstantTimeEq;
use zeroize::Zeroize;

use crate::error::{Error, ErrorKind, Result};

/// A 256-bit secret: wiped when dropped, compared in constant time, never shown.
#[derive(Clone)]
pub(crate) struct Key(Box<[u8; 32]>);

impl Key {
    /// A key from the operating system's generator.
    pub(crate) fn generate() -> Result<Self> {
        let mut key = Self(Box::new([0; 32]));
        fill(&mut key.0[..])?;
        Ok(key)
    }

    /// A copy of `bytes`.
    pub(crate) fn from_array(bytes: &[u8; 32]) -> Self {
        Self(Box::new(*bytes))
    }

    /// The same bytes; none when there are not 32 of them.
    pub(crate) fn from_slice(bytes: &[u8]) -> Option<Self> {
        let mut key = Self(Box::new([0; 32]));
        if bytes.len() != key.0.len() {
            return None;
        }
        key.0.copy_from_slice(bytes);
        Some(key)
    }

    /// A key written by `fill` in place, so that no copy stays behind.
    pub(crate) fn fill_with<E>(
        fill: impl FnOnce(&mut [u8; 32]) -> Result<(), E>,
    ) -> Result<Self, E> {
        let mut key = Self(Box::new([0; 32]));
        fill(&mut key.0)?;
        Ok(key)
    }

    pub(crate) const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl Drop for Key {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl PartialEq for Key {
    fn eq(&self, other: &Self) -> bool {
        self.0.ct_eq(&*other.0).into()
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(..)")
    }
}

/// `N` bytes from the operating system's generator.
pub(crate) fn random<const N: usize>() -> Result<[u8; N]> {
    let mut bytes = [0; N];
    fill(&mut bytes)?;
    Ok(bytes)
}

fn fill(bytes: &mut [u8]) -> Result<()> {
    getrandom::fill(bytes).map_err(|error| {
        Error::with_source(ErrorKind::Io, "the operating system gave no random bytes", error)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_random_and_not_shown() {
        let (a, b) = (Key::generate().unwrap(), Key::generate().unwrap());
        assert!(a != b && a == a.clone());
        assert_eq!(format!("{a:?}"), "Key(..)");
        assert!(Key::from_slice(&[0; 31]).is_none());
    }
}
