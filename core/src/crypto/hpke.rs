//! HPKE (RFC 9180), base mode, DHKEM(X25519, HKDF-SHA256) / HKDF-SHA256 / ChaCha20-Poly1305: what is sealed to
//! a public key is encapsulated key (32 bytes) ‖ ciphertext ‖ authenticator (16 bytes).

use hpke::aead::{AeadTag, ChaCha20Poly1305};
use hpke::kdf::HkdfSha256;
use hpke::kem::X25519HkdfSha256;
use hpke::{Deserializable, Kem, OpModeR, OpModeS, Serializable};
use zeroize::Zeroizing;

use super::key::{Key, random};
use crate::error::{Error, ErrorKind, Result};

/// Bytes a value sealed to a public key is longer than what it holds.
pub(crate) const HPKE_OVERHEAD: usize = ENCAPSULATED + TAG;

const ENCAPSULATED: usize = 32;
const TAG: usize = 16;

type Secret = <X25519HkdfSha256 as Kem>::PrivateKey;

/// The public key of `secret`.
pub(crate) fn hpke_public(secret: &Key) -> Result<[u8; 32]> {
    let public = X25519HkdfSha256::sk_to_pk(&secret_key(secret)?);
    Ok(public.to_bytes().into())
}

/// `plaintext` for whoever has the secret of `public`, bound to `info`.
///
/// # Errors
/// [`ErrorKind::InvalidArgument`] when `public` is none of X25519 (a point of low order).
pub(crate) fn hpke_seal(public: &[u8; 32], info: &[u8], plaintext: &[u8]) -> Result<Vec<u8>> {
    let refused = |_| {
        Error::new(ErrorKind::InvalidArgument, "the device's key is no public key of a gallery")
    };
    // Drawing the ephemeral key panics where the system has no randomness: that is found out here, as an error.
    random::<32>()?;
    let recipient = Deserializable::from_bytes(public).map_err(refused)?;
    let (encapsulated, mut context) = hpke::setup_sender::<
        ChaCha20Poly1305,
        HkdfSha256,
        X25519HkdfSha256,
    >(&OpModeS::Base, &recipient, info)
    .map_err(refused)?;
    // Encrypted in place, within one allocation: no copy of the plaintext is left in freed memory.
    let mut sealed = Vec::with_capacity(plaintext.len() + HPKE_OVERHEAD);
    sealed.extend_from_slice(&encapsulated.to_bytes());
    sealed.extend_from_slice(plaintext);
    let tag =
        context.seal_inout_detached((&mut sealed[ENCAPSULATED..]).into(), &[]).map_err(|_| {
            Error::new(ErrorKind::Internal, format!("{} bytes cannot be sealed", plaintext.len()))
        })?;
    sealed.extend_from_slice(&tag.to_bytes());
    Ok(sealed)
}

/// What [`hpke_seal`] was given; none when the key, the `info` or a single bit is another.
pub(crate) fn hpke_open(secret: &Key, info: &[u8], sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let (encapsulated, rest) = sealed.split_first_chunk::<ENCAPSULATED>()?;
    let (ciphertext, tag) = rest.split_last_chunk::<TAG>()?;
    let mut context = hpke::setup_receiver::<ChaCha20Poly1305, HkdfSha256, X25519HkdfSha256>(
        &OpModeR::Base,
        &secret_key(secret).ok()?,
        &Deserializable::from_bytes(encapsulated).ok()?,
        info,
    )
    .ok()?;
    let mut buffer = Zeroizing::new(ciphertext.to_vec());
    let tag = AeadTag::from_bytes(tag).ok()?;
    context.open_inout_detached(buffer.as_mut_slice().into(), &[], &tag).ok()?;
    Some(buffer)
}

fn secret_key(secret: &Key) -> Result<Secret> {
    Secret::from_bytes(secret.as_bytes())
        .map_err(|_| Error::new(ErrorKind::Internal, "32 bytes are no X25519 key"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::testing::bytes_from_hex;

    /// RFC 9180, A.2.1: the keys, and the first message, through the crate this module calls.
    #[test]
    fn the_published_vector() {
        let secret = "8057991eef8f1f1af18f4a9491d16a1ce333f695d4db8e38da75975c4478e0fb";
        let secret = Key::from_slice(&bytes_from_hex(secret)).unwrap();
        let public = "4310ee97d88cc1f088a5576c77ab0cf5c3ac797f3d95139c6c84b5429c59662a";
        assert_eq!(hpke_public(&secret).unwrap()[..], bytes_from_hex(public));
        let encapsulated = "1afa08d3dec047a643885163f1180476fa7ddb54c6a8029ea33f95796bf2ac4a";
        let opened = hpke::single_shot_open::<ChaCha20Poly1305, HkdfSha256, X25519HkdfSha256>(
            &OpModeR::Base,
            &secret_key(&secret).unwrap(),
            &Deserializable::from_bytes(&bytes_from_hex(encapsulated)).unwrap(),
            &bytes_from_hex("4f6465206f6e2061204772656369616e2055726e"),
            &bytes_from_hex(
                "1c5250d8034ec2b784ba2cfd69dbdb8af406cfe3ff938e131f0def8c8b60b4db21993c62ce81883d2dd1b51a28",
            ),
            b"Count-0",
        );
        assert_eq!(opened.unwrap(), b"Beauty is truth, truth beauty");
    }

    #[test]
    fn every_changed_bit_is_refused() {
        let secret = Key::generate().unwrap();
        let public = hpke_public(&secret).unwrap();
        let sealed = hpke_seal(&public, b"info", b"secret").unwrap();
        assert_eq!(sealed.len(), 6 + HPKE_OVERHEAD);
        assert_eq!(&hpke_open(&secret, b"info", &sealed).unwrap()[..], b"secret");
        assert!(hpke_open(&secret, b"INFO", &sealed).is_none());
        assert!(hpke_open(&Key::generate().unwrap(), b"info", &sealed).is_none());
        for bit in 0..sealed.len() * 8 {
            let mut changed = sealed.clone();
            changed[bit / 8] ^= 1 << (bit % 8);
            // X25519 ignores the highest bit of a point; HPKE hashes the bytes all the same.
            assert!(hpke_open(&secret, b"info", &changed).is_none(), "bit {bit}");
        }
        for length in 0..sealed.len() {
            assert!(hpke_open(&secret, b"info", &sealed[..length]).is_none());
        }
        assert_eq!(
            hpke_seal(&[0; 32], b"", b"").unwrap_err().kind(),
            ErrorKind::InvalidArgument,
            "a point of low order"
        );
    }
}
