//! People to enrol: random unit vectors, the same for the same seed.

use chacha20poly1305::aead::{AeadInOut, KeyInit};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use faceprint::gallery::EnrollPolicy;
use faceprint::vector::Embedding;
use faceprint::{Access, Error, Gallery, SpaceId, SubjectId, Template, Tenant};

use crate::clock::Stopwatch;

/// Values per template, as of the usual embedders.
pub const DIMENSION: usize = 512;
/// Bytes of one template's values.
pub const TEMPLATE_BYTES: usize = 4 * DIMENSION;

/// What opens the galleries that are measured: no passphrase, whose price is its purpose.
#[must_use]
pub fn access() -> Access {
    Access::key([7; 32])
}

/// The space of the vectors.
#[must_use]
pub fn space() -> SpaceId {
    SpaceId::from_bytes([7; 32])
}

/// The tenant that is measured, with or without the check for duplicates.
///
/// # Errors
/// Those of [`Gallery::tenant`].
pub fn tenant(gallery: &Gallery, check: bool) -> Result<Tenant, Error> {
    let tenant = gallery.tenant(&"acme".parse()?)?;
    let policy = EnrollPolicy::default();
    Ok(tenant.with_policy(if check { policy } else { policy.duplicate_at(None) }))
}

/// Person `number`.
///
/// # Errors
/// None that happens: the names are short.
pub fn person(number: u64) -> Result<(SubjectId, Template), Error> {
    Ok((format!("person {number:07}").parse()?, template(number)?))
}

/// A vector in a direction of its own: each value is uniform, by xorshift64.
///
/// # Errors
/// None that happens: the values are finite and not all zero.
pub fn template(seed: u64) -> Result<Template, Error> {
    let mut state = (seed + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let values: Vec<f32> = (0..DIMENSION)
        .map(|_| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            (state >> 40) as f32 / (1_u64 << 23) as f32 - 1.0
        })
        .collect();
    Ok(Template::new(Embedding::normalize(values)?, space()))
}

/// Seconds that the cipher alone takes to open `count` sealed values as long as a template's, on one thread, in place.
///
/// # Panics
/// When the cipher does not open what it sealed.
#[must_use]
pub fn cipher_seconds(count: usize) -> f64 {
    let cipher = XChaCha20Poly1305::new((&[7; 32]).into());
    let nonce = XNonce::from([7; 24]);
    let mut sealed = vec![7; TEMPLATE_BYTES];
    let tag = cipher.encrypt_inout_detached(&nonce, &[7; 91], sealed.as_mut_slice().into());
    let tag = tag.unwrap_or_else(|_| unreachable!("two kilobytes can be sealed"));
    let mut buffer = vec![0; TEMPLATE_BYTES];
    let start = Stopwatch::start();
    for _ in 0..count {
        buffer.copy_from_slice(&sealed);
        let opened =
            cipher.decrypt_inout_detached(&nonce, &[7; 91], buffer.as_mut_slice().into(), &tag);
        assert!(opened.is_ok(), "the cipher opens what it sealed");
    }
    start.seconds()
}
