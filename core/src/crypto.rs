//! Keys, the cipher around stored values, and how keys come from passphrases and from one another.
//!
//! Everything here is a standard construction, checked against its published vectors: XChaCha20-Poly1305
//! (draft-irtf-cfrg-xchacha), HKDF-SHA256 (RFC 5869), HMAC-SHA256 (RFC 4231), Argon2id (RFC 9106).

mod aead;
mod kdf;
mod key;

pub(crate) use aead::{SEAL_OVERHEAD, open, seal};
pub(crate) use kdf::{Argon2Cost, Mac, argon2id, derive};
pub(crate) use key::{Key, random};
