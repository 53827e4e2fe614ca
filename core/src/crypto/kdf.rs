//! Keys from passphrases and from other keys, and keyed tags.

use argon2::{Algorithm, Argon2, Params, Version};
use hkdf::Hkdf;
use hmac::{Hmac, KeyInit, Mac as _};
use sha2::Sha256;
use zeroize::Zeroizing;

use super::key::Key;
use crate::error::{Error, ErrorKind, Result};

/// The key `label` names under `parent` (HKDF-SHA256, no salt: the parent is uniformly random).
pub(crate) fn derive(parent: &Key, label: &str) -> Result<Key> {
    Key::fill_with(|bytes| {
        Hkdf::<Sha256>::new(None, parent.as_bytes())
            .expand(label.as_bytes(), bytes)
            .map_err(|_| Error::new(ErrorKind::Internal, "a key could not be derived"))
    })
}

/// HMAC-SHA256 over parts. The key's own two blocks are hashed once, here.
#[derive(Clone)]
pub(crate) struct Mac(Hmac<Sha256>);

impl Mac {
    pub(crate) fn new(key: &Key) -> Self {
        // A short key is padded with zeros to a block: RFC 2104, §2.
        let mut block = Zeroizing::new([0; 64]);
        block[..32].copy_from_slice(key.as_bytes());
        Self(<Hmac<Sha256> as KeyInit>::new((&*block).into()))
    }

    pub(crate) fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    pub(crate) fn finish(self) -> [u8; 32] {
        self.0.finalize().into_bytes().into()
    }

    /// The tag of `parts`, each preceded by its length, so that no two lists give one input.
    pub(crate) fn tag(&self, parts: &[&[u8]]) -> [u8; 32] {
        let mut mac = self.clone();
        for part in parts {
            mac.update(&(part.len() as u64).to_be_bytes());
            mac.update(part);
        }
        mac.finish()
    }
}

/// HMAC-SHA256 of `message` under a key of 64 bytes at most.
pub(super) fn hmac_sha256(key: &[u8], message: &[u8]) -> [u8; 32] {
    let mut block = Zeroizing::new([0; 64]);
    block[..key.len()].copy_from_slice(key);
    let mut mac = <Hmac<Sha256> as KeyInit>::new((&*block).into());
    mac.update(message);
    mac.finalize().into_bytes().into()
}

impl std::fmt::Debug for Mac {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Mac(..)")
    }
}

/// What a guess of a passphrase costs: Argon2id's memory, passes and lanes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Argon2Cost {
    /// KiB of memory.
    pub(crate) memory_kib: u32,
    /// Passes over the memory.
    pub(crate) passes: u32,
    /// Lanes, computed one after the other here.
    pub(crate) lanes: u32,
}

impl Argon2Cost {
    /// RFC 9106 §4, the second recommended choice: 64 MiB, 3 passes, 4 lanes.
    pub(crate) const RECOMMENDED: Self = Self { memory_kib: 64 * 1024, passes: 3, lanes: 4 };
    /// From 8 MiB (what a kiosk has left) to 1 GiB.
    pub(crate) const MEMORY_KIB: std::ops::RangeInclusive<u32> = 8 * 1024..=1024 * 1024;
    /// Passes, at most.
    pub(crate) const PASSES: std::ops::RangeInclusive<u32> = 1..=10;
    /// Lanes, at most.
    pub(crate) const LANES: std::ops::RangeInclusive<u32> = 1..=16;

    /// The same cost when it is within bounds. A file says what its passphrases cost, and a file may
    /// come from anyone: unchecked, it could ask for terabytes or for weeks.
    pub(crate) fn checked(self) -> Result<Self> {
        let within = Self::MEMORY_KIB.contains(&self.memory_kib)
            && Self::PASSES.contains(&self.passes)
            && Self::LANES.contains(&self.lanes);
        if within {
            return Ok(self);
        }
        Err(Error::new(
            ErrorKind::InvalidArgument,
            format!(
                "a passphrase costs {} KiB of memory, {} passes and {} lanes; allowed are {} to {} KiB, \
                 {} to {} passes and {} to {} lanes",
                self.memory_kib,
                self.passes,
                self.lanes,
                Self::MEMORY_KIB.start(),
                Self::MEMORY_KIB.end(),
                Self::PASSES.start(),
                Self::PASSES.end(),
                Self::LANES.start(),
                Self::LANES.end(),
            ),
        ))
    }
}

/// The key of `passphrase` and `salt` at `cost` (Argon2id, version 0x13).
pub(crate) fn argon2id(passphrase: &[u8], salt: &[u8; 16], cost: Argon2Cost) -> Result<Key> {
    let failed = |_| Error::new(ErrorKind::Internal, "Argon2id refused its parameters");
    let cost = cost.checked()?;
    let params = Params::new(cost.memory_kib, cost.passes, cost.lanes, Some(32)).map_err(failed)?;
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    Key::fill_with(|bytes| argon2.hash_password_into(passphrase, salt, bytes).map_err(failed))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::testing::bytes_from_hex;

    /// RFC 5869, A.1 and A.3, through the crate this module calls; `derive` is A.3's form (no salt).
    #[test]
    fn hkdf_gives_the_published_keys() {
        let mut okm = [0; 42];
        let salt: Vec<u8> = (0..=12).collect();
        let info: Vec<u8> = (0xf0..=0xf9).collect();
        Hkdf::<Sha256>::new(Some(&salt), &[0x0b; 22]).expand(&info, &mut okm).unwrap();
        assert_eq!(
            okm[..],
            bytes_from_hex(
                "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865"
            )
        );
        Hkdf::<Sha256>::new(None, &[0x0b; 22]).expand(&[], &mut okm).unwrap();
        assert_eq!(
            okm[..],
            bytes_from_hex(
                "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8"
            )
        );
        let parent = Key::from_slice(&[7; 32]).unwrap();
        assert!(derive(&parent, "a").unwrap() != derive(&parent, "b").unwrap());
    }

    /// RFC 4231, test cases 1 and 2 (keys padded to 32 bytes give the same tag).
    #[test]
    fn hmac_gives_the_published_tags() {
        let tag = |key: &[u8], text: &[u8]| {
            let mut padded = [0; 32];
            padded[..key.len()].copy_from_slice(key);
            let mut mac = Mac::new(&Key::from_slice(&padded).unwrap());
            mac.update(text);
            mac.finish().to_vec()
        };
        assert_eq!(
            tag(&[0x0b; 20], b"Hi There"),
            bytes_from_hex("b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7")
        );
        assert_eq!(
            tag(b"Jefe", b"what do ya want for nothing?"),
            bytes_from_hex("5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843")
        );
    }

    #[test]
    fn lists_of_parts_do_not_run_together() {
        let mac = Mac::new(&Key::from_slice(&[1; 32]).unwrap());
        assert_ne!(mac.tag(&[b"ab", b"c"]), mac.tag(&[b"a", b"bc"]));
        assert_ne!(mac.tag(&[b"ab"]), mac.tag(&[b"ab", b""]));
    }

    /// RFC 9106 §5.3, with its secret and associated data, through the crate this module calls.
    #[test]
    fn argon2id_gives_the_published_tag() {
        let mut params = argon2::ParamsBuilder::new();
        params.m_cost(32).t_cost(3).p_cost(4).output_len(32);
        params.data(argon2::AssociatedData::new(&[4; 12]).unwrap());
        let argon2 = Argon2::new_with_secret(
            &[3; 8],
            Algorithm::Argon2id,
            Version::V0x13,
            params.build().unwrap(),
        )
        .unwrap();
        let mut tag = [0; 32];
        argon2.hash_password_into(&[1; 32], &[2; 16], &mut tag).unwrap();
        assert_eq!(
            tag[..],
            bytes_from_hex("0d640df58d78766c08c037a34a8b53c9d01ef0452d75b65eb52520e96b01e659")
        );
    }

    #[test]
    fn hostile_costs_are_refused_before_memory_is_asked_for() {
        let hostile = [
            (u32::MAX, 1, 1),
            (8 * 1024, u32::MAX, 1),
            (8 * 1024, 1, u32::MAX),
            (0, 1, 1),
            (8 * 1024, 0, 1),
            (8 * 1024, 1, 0),
            (2 * 1024 * 1024, 1, 1),
        ];
        for (memory_kib, passes, lanes) in hostile {
            let cost = Argon2Cost { memory_kib, passes, lanes };
            let error = argon2id(b"x", &[0; 16], cost).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidArgument);
        }
    }
}
