//! The keys a gallery shows to other galleries: what bundles are encrypted to, and what they are signed with.

use std::fmt;
use std::str::FromStr;
use std::sync::PoisonError;

use super::Gallery;
use super::format::{LABEL_DEVICE, LABEL_SIGNER};
use crate::crypto::{
    Key, derive, hpke_open, hpke_public, hpke_seal, is_signed, sign, signer_public,
};
use crate::error::{Error, ErrorKind, Result};
use crate::id::{bytes_from_hex, hex_from_bytes};

/// What bundles for a device are encrypted to: a public key, written as `device-` and 64 hexadecimal digits.
/// It is no secret; who makes bundles has to be sure whose it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct DeviceKey(pub(super) [u8; 32]);

/// What an office signs its bundles with: a public key, written as `signer-` and 64 hexadecimal digits. It is no
/// secret; a device has to be sure whose it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SignerKey(pub(super) [u8; 32]);

impl Gallery {
    /// What bundles for this gallery are encrypted to. [`rekey`](Self::rekey) makes another, and bundles for the one
    /// before cannot be opened any more.
    ///
    /// # Errors
    /// [`ErrorKind::Internal`], which would be a bug.
    pub fn device_key(&self) -> Result<DeviceKey> {
        self.shared.identity.read().unwrap_or_else(PoisonError::into_inner).device_key()
    }

    /// What this gallery signs its bundles with. [`rekey`](Self::rekey) makes another, which devices have to be told.
    #[must_use]
    pub fn signer(&self) -> SignerKey {
        self.shared.identity.read().unwrap_or_else(PoisonError::into_inner).signer()
    }
}

/// The secrets behind both. They open nothing in a gallery file.
#[derive(Debug)]
pub(super) struct Identity {
    device: Key,
    signer: Key,
}

impl Identity {
    pub(super) fn new(root: &Key) -> Result<Self> {
        Ok(Self { device: derive(root, LABEL_DEVICE)?, signer: derive(root, LABEL_SIGNER)? })
    }

    pub(super) fn device_key(&self) -> Result<DeviceKey> {
        hpke_public(&self.device).map(DeviceKey)
    }

    pub(super) fn signer(&self) -> SignerKey {
        SignerKey(signer_public(&self.signer))
    }

    pub(super) fn sign(&self, message: &[u8]) -> [u8; 64] {
        sign(&self.signer, message)
    }

    pub(super) fn open(&self, info: &[u8], sealed: &[u8]) -> Option<zeroize::Zeroizing<Vec<u8>>> {
        hpke_open(&self.device, info, sealed)
    }
}

impl DeviceKey {
    pub(super) fn seal(&self, info: &[u8], plaintext: &[u8]) -> Result<Vec<u8>> {
        hpke_seal(&self.0, info, plaintext)
    }
}

impl SignerKey {
    pub(super) fn has_signed(&self, message: &[u8], signature: &[u8; 64]) -> bool {
        is_signed(&self.0, message, signature)
    }
}

impl fmt::Display for DeviceKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format!("device-{}", hex_from_bytes(&self.0)))
    }
}

impl FromStr for DeviceKey {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        key_from_text("device-", text).map(Self)
    }
}

impl fmt::Display for SignerKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format!("signer-{}", hex_from_bytes(&self.0)))
    }
}

impl FromStr for SignerKey {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        key_from_text("signer-", text).map(Self)
    }
}

fn key_from_text(prefix: &str, text: &str) -> Result<[u8; 32]> {
    let digits = text.strip_prefix(prefix).ok_or_else(|| {
        Error::new(
            ErrorKind::InvalidArgument,
            format!("the key begins with {prefix:?} and 64 hexadecimal digits follow"),
        )
    })?;
    bytes_from_hex("a public key", digits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_read_back_and_are_not_taken_for_one_another() {
        let identity = Identity::new(&Key::generate().unwrap()).unwrap();
        let (device, signer) = (identity.device_key().unwrap(), identity.signer());
        assert_eq!(device.to_string().parse::<DeviceKey>().unwrap(), device);
        assert_eq!(signer.to_string().parse::<SignerKey>().unwrap(), signer);
        assert!(device.to_string().parse::<SignerKey>().is_err());
        assert!(signer.to_string().parse::<DeviceKey>().is_err());
        assert!(device.to_string()[..70].parse::<DeviceKey>().is_err());
        assert!(!format!("{identity:?}").contains(|c: char| c.is_ascii_digit()));
    }
}
