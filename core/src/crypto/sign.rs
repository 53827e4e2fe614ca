//! Ed25519 (RFC 8032) signatures.

use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};

use super::key::Key;

/// The public key of `secret`.
pub(crate) fn signer_public(secret: &Key) -> [u8; 32] {
    SigningKey::from_bytes(secret.as_bytes()).verifying_key().to_bytes()
}

/// The signature of `message`.
pub(crate) fn sign(secret: &Key, message: &[u8]) -> [u8; 64] {
    SigningKey::from_bytes(secret.as_bytes()).sign(message).to_bytes()
}

/// Whether `signature` is that of `message` by the secret of `public`. Weak keys sign nothing.
pub(crate) fn is_signed(public: &[u8; 32], message: &[u8], signature: &[u8; 64]) -> bool {
    VerifyingKey::from_bytes(public)
        .is_ok_and(|key| key.verify_strict(message, &Signature::from_bytes(signature)).is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::testing::bytes_from_hex;

    /// RFC 8032, 7.1, tests 1 and 2.
    #[test]
    fn the_published_signatures() {
        for (secret, public, message, signature) in [
            (
                "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
                "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
                "",
                "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
            ),
            (
                "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
                "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
                "72",
                "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
            ),
        ] {
            let secret = Key::from_slice(&bytes_from_hex(secret)).unwrap();
            let message = bytes_from_hex(message);
            assert_eq!(signer_public(&secret)[..], bytes_from_hex(public));
            assert_eq!(sign(&secret, &message)[..], bytes_from_hex(signature));
        }
    }

    #[test]
    fn every_changed_bit_is_refused() {
        let secret = Key::generate().unwrap();
        let (public, signature) = (signer_public(&secret), sign(&secret, b"message"));
        assert!(is_signed(&public, b"message", &signature));
        assert!(!is_signed(&public, b"massage", &signature));
        assert!(!is_signed(&signer_public(&Key::generate().unwrap()), b"message", &signature));
        for bit in 0..64 * 8 {
            let mut changed = signature;
            changed[bit / 8] ^= 1 << (bit % 8);
            assert!(!is_signed(&public, b"message", &changed), "bit {bit}");
        }
        // The neutral element as a key would sign anything.
        let mut neutral = [0; 32];
        neutral[0] = 1;
        let mut signature = [0; 64];
        signature[0] = 1;
        assert!(!is_signed(&neutral, b"message", &signature));
    }
}
