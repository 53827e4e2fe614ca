//! Ways into a gallery: a passphrase, a key, or a provider that holds a key for the caller.

use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;

use zeroize::Zeroizing;

use super::format::{GalleryUid, Kind, LABEL_ACCESS_KEY, Place};
use super::sqlite::damaged;
use crate::crypto::{Argon2Cost, Key, argon2id, derive, open, random, seal};
use crate::error::{Error, ErrorKind, Result};

/// Access slots a gallery has, at most.
pub(super) const SLOTS: usize = 32;

/// Bytes a provider may make of a key, at most.
const WRAPPED: usize = 64 * 1024;

/// What opens a gallery. A gallery can have several, like the slots of a LUKS disk; each opens all of it.
///
/// Secrets are wiped from memory when the value is dropped, and `Debug` shows none.
#[derive(Clone)]
pub struct Access(Kept);

#[derive(Clone)]
enum Kept {
    Passphrase(Zeroizing<String>, Argon2Cost),
    Key(Key),
    Provider(Arc<dyn KeyProvider>),
}

impl Access {
    /// A passphrase: its bytes in UTF-8, as they are (not trimmed, not normalised). A guess costs
    /// 64 MiB and three passes of Argon2id (RFC 9106's choice for machines with little memory).
    #[must_use]
    pub fn passphrase(passphrase: &str) -> Self {
        Self(Kept::Passphrase(Zeroizing::new(passphrase.to_owned()), Argon2Cost::RECOMMENDED))
    }

    /// A passphrase whose guesses cost `memory_kib` KiB (8,192 to 1,048,576), `passes` (1 to 10) and
    /// `lanes` (1 to 16), where a slot is made with it. What opens a slot is always the cost it was made with.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidArgument`] outside these ranges.
    pub fn passphrase_with_cost(
        passphrase: &str,
        memory_kib: u32,
        passes: u32,
        lanes: u32,
    ) -> Result<Self> {
        let cost = Argon2Cost { memory_kib, passes, lanes }.checked()?;
        Ok(Self(Kept::Passphrase(Zeroizing::new(passphrase.to_owned()), cost)))
    }

    /// 32 random bytes the caller keeps.
    #[must_use]
    pub fn key(key: [u8; 32]) -> Self {
        Self(Kept::Key(Key::from_array(&Zeroizing::new(key))))
    }

    /// A key that stays with a service or a chip: a KMS, Android's Keystore, the Secure Enclave.
    #[must_use]
    pub fn provider(provider: Arc<dyn KeyProvider>) -> Self {
        Self(Kept::Provider(provider))
    }

    /// What a slot for this needs. It takes a while, or asks a service: not to be done while the gallery is locked.
    pub(super) fn prepare(&self) -> Result<NewSlot> {
        let (kind, parameters, key) = match &self.0 {
            Kept::Passphrase(passphrase, cost) => {
                if passphrase.is_empty() {
                    return Err(Error::new(
                        ErrorKind::InvalidArgument,
                        "a passphrase has 1 byte or more, this has 0",
                    ));
                }
                let salt = random::<16>()?;
                let mut parameters = salt.to_vec();
                for number in [cost.memory_kib, cost.passes, cost.lanes] {
                    parameters.extend_from_slice(&number.to_be_bytes());
                }
                (SlotKind::Passphrase, parameters, argon2id(passphrase.as_bytes(), &salt, *cost)?)
            }
            Kept::Key(key) => (SlotKind::Key, Vec::new(), derive(key, LABEL_ACCESS_KEY)?),
            Kept::Provider(provider) => {
                let key = Key::generate()?;
                let wrapped = provider.wrap(key.as_bytes()).map_err(refused)?;
                if wrapped.is_empty() || wrapped.len() > WRAPPED {
                    return Err(Error::new(
                        ErrorKind::KeyProvider,
                        format!(
                            "the key provider made {} bytes of a key; 1 to {WRAPPED} can be kept",
                            wrapped.len()
                        ),
                    ));
                }
                (SlotKind::Provider, wrapped, key)
            }
        };
        Ok(NewSlot { kind, parameters, key })
    }

    /// The root key behind `slot`; none when this does not open it.
    pub(super) fn unwrap(&self, gallery: &GalleryUid, slot: &Slot) -> Result<Option<Key>> {
        let key = match (&self.0, slot.kind) {
            (Kept::Passphrase(passphrase, _), SlotKind::Passphrase) => {
                let (salt, cost) = slot.passphrase_parameters()?;
                argon2id(passphrase.as_bytes(), &salt, cost)?
            }
            (Kept::Key(key), SlotKind::Key) => derive(key, LABEL_ACCESS_KEY)?,
            (Kept::Provider(provider), SlotKind::Provider) => {
                let key = Zeroizing::new(provider.unwrap(&slot.parameters).map_err(refused)?);
                let Some(key) = Key::from_slice(&key) else {
                    return Err(Error::new(
                        ErrorKind::KeyProvider,
                        format!("the key provider gave a key of {} bytes, not 32", key.len()),
                    ));
                };
                key
            }
            _ => return Ok(None),
        };
        let root = open(&key, &slot.aad(gallery), &slot.wrapped);
        Ok(root.and_then(|root| Key::from_slice(&root)))
    }
}

impl fmt::Debug for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            Kept::Passphrase(..) => "Access::passphrase(..)",
            Kept::Key(_) => "Access::key(..)",
            Kept::Provider(_) => "Access::provider(..)",
        })
    }
}

fn refused(error: Box<dyn StdError + Send + Sync>) -> Error {
    Error::with_source(ErrorKind::KeyProvider, "the key provider refused", error)
}

/// Encrypts and decrypts 32-byte keys with a key that never leaves its place.
///
/// A provider that can *rotate* its key and destroy the old one is what makes erasure reach old copies of the
/// file: see [what a gallery protects against](crate::manual::threats).
pub trait KeyProvider: Send + Sync {
    /// `key` (32 secret bytes) encrypted, 1 to 65,536 bytes. They are stored in the file as they are, and should
    /// say which version of the provider's key made them.
    ///
    /// # Errors
    /// Whatever keeps the provider from it; reported as [`ErrorKind::KeyProvider`].
    fn wrap(&self, key: &[u8; 32]) -> Result<Vec<u8>, Box<dyn StdError + Send + Sync>>;

    /// The 32 bytes that [`wrap`](Self::wrap) was given. The bytes are wiped after use.
    ///
    /// # Errors
    /// Whatever keeps the provider from it, for example that the key was destroyed.
    fn unwrap(&self, wrapped: &[u8]) -> Result<Vec<u8>, Box<dyn StdError + Send + Sync>>;
}

/// The number of an access slot within its gallery; never given twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SlotId(pub(super) i64);

impl fmt::Display for SlotId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// What kind of secret opens an access slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SlotKind {
    /// [`Access::passphrase`].
    Passphrase = 1,
    /// [`Access::key`].
    Key = 2,
    /// [`Access::provider`].
    Provider = 3,
}

/// A slot that is not stored yet.
pub(super) struct NewSlot {
    kind: SlotKind,
    parameters: Vec<u8>,
    key: Key,
}

impl NewSlot {
    /// The row around `root`.
    pub(super) fn seal(self, gallery: &GalleryUid, id: i64, root: &Key) -> Result<Slot> {
        let Self { kind, parameters, key } = self;
        let mut slot = Slot { id, kind, parameters, wrapped: Vec::new() };
        slot.wrapped = seal(&key, &slot.aad(gallery), root.as_bytes())?;
        Ok(slot)
    }
}

/// A row of the table of slots.
pub(super) struct Slot {
    pub(super) id: i64,
    pub(super) kind: SlotKind,
    pub(super) parameters: Vec<u8>,
    pub(super) wrapped: Vec<u8>,
}

impl Slot {
    pub(super) fn from_row(
        id: i64,
        kind: i64,
        parameters: Vec<u8>,
        wrapped: Vec<u8>,
    ) -> Result<Self> {
        let kind = match kind {
            1 => SlotKind::Passphrase,
            2 => SlotKind::Key,
            3 => SlotKind::Provider,
            other => {
                return Err(damaged(format!("access slot {id} is of the unknown kind {other}")));
            }
        };
        Ok(Self { id, kind, parameters, wrapped })
    }

    fn aad(&self, gallery: &GalleryUid) -> Vec<u8> {
        let mut aad = Place::gallery(Kind::Root, self.id).aad(gallery);
        aad.push(self.kind as u8);
        aad.extend_from_slice(&self.parameters);
        aad
    }

    fn passphrase_parameters(&self) -> Result<([u8; 16], Argon2Cost)> {
        let wrong = || damaged(format!("access slot {} has malformed parameters", self.id));
        let (salt, numbers) = self.parameters.split_first_chunk::<16>().ok_or_else(wrong)?;
        let (numbers, []) = numbers.as_chunks::<4>() else { return Err(wrong()) };
        let &[memory_kib, passes, lanes] = numbers else { return Err(wrong()) };
        let [memory_kib, passes, lanes] = [memory_kib, passes, lanes].map(u32::from_be_bytes);
        let cost = Argon2Cost { memory_kib, passes, lanes };
        let cost = cost
            .checked()
            .map_err(|error| damaged(format!("in access slot {}: {error}", self.id)))?;
        Ok((*salt, cost))
    }
}
