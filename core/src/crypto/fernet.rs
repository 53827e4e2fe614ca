//! Fernet tokens (github.com/fernet/spec, version 0x80): AES-128-CBC with PKCS #7 padding, then HMAC-SHA256.
//! In base64url: version u8 ‖ seconds since 1970 u64 ‖ initialization vector 16 ‖ ciphertext ‖ tag 32.

use aes::Aes128;
use aes::cipher::block_padding::Pkcs7;
use aes::cipher::{BlockModeDecrypt, BlockModeEncrypt, KeyIvInit};
use base64ct::{Base64Url, Encoding};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use super::kdf::hmac_sha256;
use super::key::{Key, random};
use crate::error::{Error, ErrorKind, Result};

const VERSION: u8 = 0x80;
const HEAD: usize = 1 + 8 + 16;
const BLOCK: usize = 16;

/// The key in `text`: 16 bytes that sign, 16 that encrypt, in base64url; none for anything else.
pub(crate) fn fernet_key(text: &str) -> Option<Key> {
    let mut bytes = Zeroizing::new([0; 33]);
    let key = Base64Url::decode(text, &mut bytes[..]).ok()?;
    Key::from_slice(key)
}

/// A token of `plaintext`, made `now` (seconds since 1970).
pub(crate) fn fernet_seal(key: &Key, now: u64, plaintext: &[u8]) -> Result<String> {
    seal_with(key, now, random()?, plaintext)
}

/// What went into `token`.
///
/// # Errors
/// [`ErrorKind::InvalidArgument`] when it is no token, [`ErrorKind::WrongKey`] when it is of another key, or not as
/// it was made.
pub(crate) fn fernet_open(key: &Key, token: &str) -> Result<Zeroizing<Vec<u8>>> {
    let malformed = || {
        Error::new(
            ErrorKind::InvalidArgument,
            format!("{} characters are no Fernet token of version 0x80", token.len()),
        )
    };
    let bytes = Base64Url::decode_vec(token).map_err(|_| malformed())?;
    let (signed, tag) = bytes.split_last_chunk::<32>().ok_or_else(malformed)?;
    let (head, ciphertext) = signed.split_first_chunk::<HEAD>().ok_or_else(malformed)?;
    if head[0] != VERSION || ciphertext.is_empty() || ciphertext.len() % BLOCK != 0 {
        return Err(malformed());
    }
    let refused = || {
        Error::new(
            ErrorKind::WrongKey,
            "the Fernet token was made with another key, or is damaged; check the key",
        )
    };
    let (signing, encryption) = halves(key);
    if !bool::from(hmac_sha256(signing, signed).ct_eq(tag)) {
        return Err(refused());
    }
    let iv: [u8; BLOCK] = std::array::from_fn(|at| head[9 + at]);
    let mut buffer = Zeroizing::new(ciphertext.to_vec());
    let length = cbc::Decryptor::<Aes128>::new_from_slices(encryption, &iv)
        .map_err(|_| malformed())?
        .decrypt_padded::<Pkcs7>(&mut buffer)
        .map_err(|_| refused())?
        .len();
    buffer.truncate(length);
    Ok(buffer)
}

fn seal_with(key: &Key, now: u64, iv: [u8; BLOCK], plaintext: &[u8]) -> Result<String> {
    let (signing, encryption) = halves(key);
    let padded = (plaintext.len() / BLOCK + 1) * BLOCK;
    let mut token = Vec::with_capacity(HEAD + padded + 32);
    token.push(VERSION);
    token.extend_from_slice(&now.to_be_bytes());
    token.extend_from_slice(&iv);
    token.extend_from_slice(plaintext);
    token.resize(HEAD + padded, 0);
    let failed = || Error::new(ErrorKind::Internal, "a Fernet token could not be encrypted");
    cbc::Encryptor::<Aes128>::new_from_slices(encryption, &iv)
        .map_err(|_| failed())?
        .encrypt_padded::<Pkcs7>(&mut token[HEAD..], plaintext.len())
        .map_err(|_| failed())?;
    let tag = hmac_sha256(signing, &token);
    token.extend_from_slice(&tag);
    Ok(Base64Url::encode_string(&token))
}

/// What signs, and what encrypts.
fn halves(key: &Key) -> (&[u8], &[u8]) {
    key.as_bytes().split_at(16)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "cw_0x689RpI-jtRR7oE8h_eQsKImvJapLeSbXpwF4e4=";

    /// generate.json and verify.json of the specification.
    #[test]
    fn the_published_token() {
        let key = fernet_key(SECRET).unwrap();
        let token = "gAAAAAAdwJ6wAAECAwQFBgcICQoLDA0ODy021cpGVWKZ_eEwCGM4BLLF_5CV9dOPmrhuVUPgJobwOz7JcbmrR64jVmpU4IwqDA==";
        let iv = std::array::from_fn(|at| u8::try_from(at).unwrap());
        assert_eq!(seal_with(&key, 499_162_800, iv, b"hello").unwrap(), token);
        assert_eq!(&fernet_open(&key, token).unwrap()[..], b"hello");
    }

    /// invalid.json of the specification. Its "far-future TS" and "expired TTL" are refused for their age; age is
    /// no reason here, and both open.
    #[test]
    fn the_published_invalid_tokens() {
        let key = fernet_key(SECRET).unwrap();
        for (what, token, expected) in [
            (
                "incorrect mac",
                "gAAAAAAdwJ6xAAECAwQFBgcICQoLDA0OD3HkMATM5lFqGaerZ-fWPAl1-szkFVzXTuGb4hR8AKtwcaX1YdykQUFBQUFBQUFBQQ==",
                Err(ErrorKind::WrongKey),
            ),
            (
                "too short",
                "gAAAAAAdwJ6xAAECAwQFBgcICQoLDA0OD3HkMATM5lFqGaerZ-fWPA==",
                Err(ErrorKind::InvalidArgument),
            ),
            (
                "invalid base64",
                "%%%%%%%%%%%%%AECAwQFBgcICQoLDA0OD3HkMATM5lFqGaerZ-fWPAl1-szkFVzXTuGb4hR8AKtwcaX1YdykRtfsH-p1YsUD2Q==",
                Err(ErrorKind::InvalidArgument),
            ),
            (
                "payload size not multiple of block size",
                "gAAAAAAdwJ6xAAECAwQFBgcICQoLDA0OD3HkMATM5lFqGaerZ-fWPOm73QeoCk9uGib28Xe5vz6oxq5nmxbx_v7mrfyudzUm",
                Err(ErrorKind::InvalidArgument),
            ),
            (
                "payload padding error",
                "gAAAAAAdwJ6xAAECAwQFBgcICQoLDA0ODz4LEpdELGQAad7aNEHbf-JkLPIpuiYRLQ3RtXatOYREu2FWke6CnJNYIbkuKNqOhw==",
                Err(ErrorKind::WrongKey),
            ),
            (
                "far-future TS",
                "gAAAAAAdwStRAAECAwQFBgcICQoLDA0OD3HkMATM5lFqGaerZ-fWPAnja1xKYyhd-Y6mSkTOyTGJmw2Xc2a6kBd-iX9b_qXQcw==",
                Ok(""),
            ),
            (
                "expired TTL",
                "gAAAAAAdwJ6xAAECAwQFBgcICQoLDA0OD3HkMATM5lFqGaerZ-fWPAl1-szkFVzXTuGb4hR8AKtwcaX1YdykRtfsH-p1YsUD2Q==",
                Ok(""),
            ),
            (
                "incorrect IV",
                "gAAAAAAdwJ6xBQECAwQFBgcICQoLDA0OD3HkMATM5lFqGaerZ-fWPAkLhFLHpGtDBRLRTZeUfWgHSv49TF2AUEZ1TIvcZjK1zQ==",
                Err(ErrorKind::WrongKey),
            ),
            (
                "very short payload size",
                "gAAAAABdnQ1TUKh2OE_ggbyCIxfg",
                Err(ErrorKind::InvalidArgument),
            ),
            ("super short payload size", "gAAA", Err(ErrorKind::InvalidArgument)),
        ] {
            let opened = fernet_open(&key, token).map(|it| String::from_utf8(it.to_vec()).unwrap());
            assert_eq!(opened.as_deref().map_err(Error::kind), expected, "{what}");
        }
    }

    #[test]
    fn every_length_reads_back_and_every_changed_byte_is_refused() {
        let key = Key::generate().unwrap();
        for length in 0..50 {
            let plaintext = vec![7; length];
            let token = fernet_seal(&key, 1, &plaintext).unwrap();
            assert_eq!(fernet_open(&key, &token).unwrap()[..], plaintext);
        }
        let token = fernet_seal(&key, 1, b"a secret").unwrap();
        for at in 0..token.len() {
            let other = if token.as_bytes()[at] == b'A' { "B" } else { "A" };
            let mut changed = token.clone();
            changed.replace_range(at..=at, other);
            assert!(fernet_open(&key, &changed).is_err(), "{at}");
            assert!(fernet_open(&key, &token[..at]).is_err(), "{at}");
        }
        for wrong in ["", "AAAA", &SECRET[1..], &SECRET.replace('=', "")] {
            assert!(fernet_key(wrong).is_none(), "{wrong}");
        }
    }
}
