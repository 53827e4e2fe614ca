//! Bundles: some people of a tenant, encrypted to one device, signed, and valid for a time.

use std::collections::HashSet;
use std::fmt;
use std::time::SystemTime;

use zeroize::Zeroizing;

use super::changes::Cursor;
use super::identity::{DeviceKey, Identity, SignerKey};
use crate::crypto::HPKE_OVERHEAD;
use crate::error::{Error, ErrorKind, Result};
use crate::id::SubjectId;

/// Bytes a bundle has, at most: about 120,000 templates of 512 values.
pub(super) const BUNDLE: usize = 256 << 20;

/// Whom a bundle is for, until when, and who goes into it.
///
/// `Debug` shows how many people are asked for, never who.
#[derive(Clone, PartialEq, Eq)]
pub struct BundleRequest {
    pub(super) device: DeviceKey,
    pub(super) valid_until: SystemTime,
    pub(super) roster: Option<HashSet<SubjectId>>,
    pub(super) since: Cursor,
}

impl BundleRequest {
    /// Everybody, for `device`. On the device they are gone from `valid_until` on (milliseconds are kept), or
    /// from their own expiry on when that is earlier.
    #[must_use]
    pub const fn new(device: DeviceKey, valid_until: SystemTime) -> Self {
        Self { device, valid_until, roster: None, since: Cursor::start() }
    }

    /// Only subjects of `roster`: the 50 of this class.
    #[must_use]
    pub fn only<'a>(mut self, roster: impl IntoIterator<Item = &'a SubjectId>) -> Self {
        self.roster = Some(roster.into_iter().cloned().collect());
        self
    }

    /// Only what changed after `cursor`, for a device that has the rest: a delta. It renews nobody's time, and
    /// does not bring who was added to the roster and not changed; a bundle without a cursor does both.
    #[must_use]
    pub const fn since(mut self, cursor: Cursor) -> Self {
        self.since = cursor;
        self
    }
}

impl fmt::Debug for BundleRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BundleRequest")
            .field("device", &self.device)
            .field("valid_until", &self.valid_until)
            .field("roster", &self.roster.as_ref().map(HashSet::len))
            .field("since", &self.since)
            .finish()
    }
}

/// A bundle, ready to be sent.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Bundle {
    /// What the device is sent. Only the device can read it.
    pub bytes: Vec<u8>,
    /// Where a delta to this bundle begins.
    pub cursor: Cursor,
    /// People in it.
    pub subjects: u64,
    /// Marks of erased people in it: numbers, no names. They are of the whole tenant, since nobody knows any
    /// more who they were.
    pub erased: u64,
    /// Who was asked for and is not enrolled, in order of their ids' bytes.
    pub missing: Vec<SubjectId>,
}

impl fmt::Debug for Bundle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bundle")
            .field("bytes", &self.bytes.len())
            .field("cursor", &self.cursor)
            .field("subjects", &self.subjects)
            .field("erased", &self.erased)
            .field("missing", &self.missing.len())
            .finish()
    }
}

/// What an import did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Imported {
    /// People who are new here.
    pub added: u64,
    /// People who were here, with another version or another time.
    pub updated: u64,
    /// People who were here and went.
    pub erased: u64,
    /// Entries that said nothing new.
    pub unchanged: u64,
    /// Who was not brought in, because somebody of that name was enrolled here, or came from another office.
    pub conflicts: Vec<SubjectId>,
}

/// The clear part of a bundle. It is the `info` of the encryption, and signed with the rest.
///
/// magic 8 ‖ version u16 ‖ signer 32 ‖ device 32 ‖ valid until i64
const HEADER: usize = 8 + 2 + 32 + 32 + 8;
const SIGNATURE: usize = 64;
const MAGIC: &[u8; 8] = b"FPBUNDLE";
const VERSION: u16 = 1;

/// The bundle around `payload`.
pub(super) fn pack(
    identity: &Identity,
    device: &DeviceKey,
    valid_until: i64,
    payload: &[u8],
) -> Result<Vec<u8>> {
    let mut bytes = Vec::with_capacity(HEADER + payload.len() + HPKE_OVERHEAD + SIGNATURE);
    bytes.extend_from_slice(MAGIC);
    bytes.extend_from_slice(&VERSION.to_be_bytes());
    bytes.extend_from_slice(&identity.signer().0);
    bytes.extend_from_slice(&device.0);
    bytes.extend_from_slice(&valid_until.to_be_bytes());
    let sealed = device.seal(&bytes, payload)?;
    bytes.extend_from_slice(&sealed);
    let signature = identity.sign(&bytes);
    bytes.extend_from_slice(&signature);
    check_size(bytes.len())?;
    Ok(bytes)
}

/// Until when the bundle is valid, and its payload. Nothing is decrypted before the signature is known to be
/// `signer`'s, and nothing parsed but numbers at fixed places.
pub(super) fn unpack(
    identity: &Identity,
    signer: &SignerKey,
    now: i64,
    bytes: &[u8],
) -> Result<(i64, Zeroizing<Vec<u8>>)> {
    check_size(bytes.len())?;
    let malformed = || damaged(format!("{} bytes are too few", bytes.len()));
    let (signed, signature) = bytes.split_last_chunk::<SIGNATURE>().ok_or_else(malformed)?;
    let (header, sealed) = signed.split_first_chunk::<HEADER>().ok_or_else(malformed)?;
    if !header.starts_with(MAGIC) {
        return Err(damaged("it does not begin as one"));
    }
    let version = u16::from_be_bytes([header[8], header[9]]);
    if version != VERSION {
        return Err(Error::new(
            ErrorKind::GalleryVersion,
            format!(
                "the bundle has format {version}, this version of faceprint reads {VERSION}; update it"
            ),
        ));
    }
    if header[10..42] != signer.0 {
        return Err(Error::new(
            ErrorKind::BundleSigner,
            "the bundle says that another office signed it; if the office's gallery was rekeyed, ask it for \
             its new signer key",
        ));
    }
    if !signer.has_signed(signed, signature) {
        return Err(damaged("its signature does not fit"));
    }
    if header[42..74] != identity.device_key()?.0 {
        return Err(Error::new(
            ErrorKind::BundleDevice,
            "the bundle is for another device; if this gallery was rekeyed, give the office its new device key",
        ));
    }
    let valid_until = i64::from_be_bytes(std::array::from_fn(|at| header[74 + at]));
    if valid_until <= now {
        return Err(Error::new(
            ErrorKind::BundleExpired,
            format!(
                "the bundle's time was over {} s ago; ask the office for another",
                now.saturating_sub(valid_until) / 1_000
            ),
        ));
    }
    let payload = identity.open(header, sealed).ok_or_else(|| damaged("it does not open"))?;
    Ok((valid_until, payload))
}

/// The bundle is not as the office made it.
pub(super) fn damaged(what: impl fmt::Display) -> Error {
    Error::new(
        ErrorKind::BundleDamaged,
        format!("this is no bundle, or it was changed on the way: {what}; ask for it again"),
    )
}

pub(super) fn check_size(bytes: usize) -> Result<()> {
    if bytes <= BUNDLE {
        return Ok(());
    }
    Err(Error::new(
        ErrorKind::LimitReached,
        format!("a bundle has {BUNDLE} bytes at most, not {bytes}; make several of fewer people"),
    ))
}

/// For the fuzzer: any bytes as a bundle, and as what a bundle holds.
#[cfg(fuzzing)]
pub fn fuzz_bundle(bytes: &[u8]) {
    let root = crate::crypto::Key::from_array(&[7; 32]);
    let identity = Identity::new(&root).expect("keys can be derived");
    let (device, signer) = (identity.device_key().expect("a public key"), identity.signer());
    assert!(unpack(&identity, &signer, 0, bytes).is_err(), "a signature was forged");
    let bundle = pack(&identity, &device, 1, bytes).expect("small enough");
    let (valid_until, payload) = unpack(&identity, &signer, 0, &bundle).expect("just packed");
    assert_eq!((valid_until, &payload[..]), (1, bytes));
    let Ok((source, entries)) = super::payload::parse(bytes) else { return };
    let mut again = super::payload::PayloadWriter::new();
    for entry in &entries {
        match &entry.person {
            None => again.erased(entry.row, entry.sequence),
            Some(person) => {
                let templates: Vec<_> =
                    person.templates.iter().map(|(it, record)| (*it, record)).collect();
                again
                    .person(entry.row, entry.sequence, &person.profile, &templates)
                    .expect("what was read can be written");
            }
        }
    }
    let again =
        super::payload::parse(&again.finish(&source)).expect("what was written can be read");
    assert_eq!((again.0, again.1.len()), (source, entries.len()));
}
