//! XChaCha20-Poly1305: a sealed value is nonce (24 bytes) ‖ ciphertext ‖ authenticator (16 bytes).

use chacha20poly1305::aead::{AeadInOut, KeyInit};
use chacha20poly1305::{Tag, XChaCha20Poly1305, XNonce};
use zeroize::Zeroizing;

use super::key::{Key, random};
use crate::error::{Error, ErrorKind, Result};

/// Bytes a sealed value is longer than what it holds.
pub(crate) const SEAL_OVERHEAD: usize = NONCE + TAG;

const NONCE: usize = 24;
const TAG: usize = 16;

/// `plaintext` under `key`, with a random nonce (192 bits: they do not meet by chance), bound to `aad`.
pub(crate) fn seal(key: &Key, aad: &[u8], plaintext: &[u8]) -> Result<Vec<u8>> {
    seal_with(key, random()?, aad, plaintext)
}

/// What [`seal`] was given; none when the key, the `aad` or a single bit is another. Callers know what
/// that means and say it.
pub(crate) fn open(key: &Key, aad: &[u8], sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let (nonce, rest) = sealed.split_first_chunk::<NONCE>()?;
    let (ciphertext, tag) = rest.split_last_chunk::<TAG>()?;
    let mut buffer = Zeroizing::new(ciphertext.to_vec());
    XChaCha20Poly1305::new(key.as_bytes().into())
        .decrypt_inout_detached(
            &XNonce::from(*nonce),
            aad,
            buffer.as_mut_slice().into(),
            &Tag::from(*tag),
        )
        .ok()?;
    Some(buffer)
}

fn seal_with(key: &Key, nonce: [u8; NONCE], aad: &[u8], plaintext: &[u8]) -> Result<Vec<u8>> {
    // Encrypted in place, within one allocation: no copy of the plaintext is left in freed memory.
    let mut sealed = Vec::with_capacity(plaintext.len() + SEAL_OVERHEAD);
    sealed.extend_from_slice(&nonce);
    sealed.extend_from_slice(plaintext);
    let tag = XChaCha20Poly1305::new(key.as_bytes().into())
        .encrypt_inout_detached(&XNonce::from(nonce), aad, (&mut sealed[NONCE..]).into())
        .map_err(|_| {
            Error::new(ErrorKind::Internal, format!("{} bytes cannot be sealed", plaintext.len()))
        })?;
    sealed.extend_from_slice(&tag);
    Ok(sealed)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// draft-irtf-cfrg-xchacha-03, A.3.1.
    #[test]
    fn the_published_vector() {
        let key: Vec<u8> = (0x80..=0x9f).collect();
        let key = Key::from_slice(&key).unwrap();
        let mut nonce = [0; NONCE];
        for (byte, value) in nonce.iter_mut().zip(0x40..) {
            *byte = value;
        }
        let aad = [0x50, 0x51, 0x52, 0x53, 0xc0, 0xc1, 0xc2, 0xc3, 0xc4, 0xc5, 0xc6, 0xc7];
        let text =
            b"Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the \
                     future, sunscreen would be it.";
        let sealed = seal_with(&key, nonce, &aad, text).unwrap();
        assert_eq!(sealed[NONCE..NONCE + 8], [0xbd, 0x6d, 0x17, 0x9d, 0x3e, 0x83, 0xd4, 0x3b]);
        assert_eq!(
            sealed[NONCE + text.len()..],
            [
                0xc0, 0x87, 0x59, 0x24, 0xc1, 0xc7, 0x98, 0x79, 0x47, 0xde, 0xaf, 0xd8, 0x78, 0x0a,
                0xcf, 0x49
            ]
        );
        assert_eq!(&open(&key, &aad, &sealed).unwrap()[..], text);
    }

    #[test]
    fn every_changed_bit_is_refused() {
        let key = Key::generate().unwrap();
        let sealed = seal(&key, b"aad", b"secret").unwrap();
        assert_eq!(&open(&key, b"aad", &sealed).unwrap()[..], b"secret");
        assert!(open(&key, b"AAD", &sealed).is_none());
        assert!(open(&Key::generate().unwrap(), b"aad", &sealed).is_none());
        for bit in 0..sealed.len() * 8 {
            let mut changed = sealed.clone();
            changed[bit / 8] ^= 1 << (bit % 8);
            assert!(open(&key, b"aad", &changed).is_none(), "bit {bit}");
        }
        for length in 0..sealed.len() {
            assert!(open(&key, b"aad", &sealed[..length]).is_none());
        }
        assert_ne!(sealed, seal(&key, b"aad", b"secret").unwrap());
    }
}
