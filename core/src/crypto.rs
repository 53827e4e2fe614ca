//! Keys, the cipher around stored values, and how keys come from passphrases and from one another.
//!
//! Everything here is a standard construction, checked against its published vectors: XChaCha20-Poly1305
//! (draft-irtf-cfrg-xchacha), HKDF-SHA256 (RFC 5869), HMAC-SHA256 (RFC 4231), Argon2id (RFC 9106), HPKE (RFC 9180),
//! Ed25519 (RFC 8032), Fernet (github.com/fernet/spec).

mod aead;
mod fernet;
mod hpke;
mod kdf;
mod key;
mod sign;

pub(crate) use aead::{SEAL_OVERHEAD, open, seal};
pub(crate) use fernet::{fernet_key, fernet_open, fernet_seal};
pub(crate) use hpke::{HPKE_OVERHEAD, hpke_open, hpke_public, hpke_seal};
pub(crate) use kdf::{Argon2Cost, Mac, argon2id, derive};
pub(crate) use key::{Key, random};
pub(crate) use sign::{is_signed, sign, signer_public};

#[cfg(test)]
mod testing {
    pub(super) fn bytes_from_hex(text: &str) -> Vec<u8> {
        let pair = |at: usize| u8::from_str_radix(&text[at..at + 2], 16).unwrap();
        (0..text.len()).step_by(2).map(pair).collect()
    }
}
