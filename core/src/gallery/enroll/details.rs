//! What is kept with a subject besides templates.

use super::super::origin;
use super::super::record::millis_from_time;
use super::super::ring::Person;
use super::super::store::Snapshot;
use super::super::tenant::Details;
use crate::error::{Error, ErrorKind, Result};

/// Bytes of metadata, at most.
const METADATA: usize = 64 * 1024;

impl Details {
    /// Before anything is written for them.
    pub(in crate::gallery) fn check(&self) -> Result<()> {
        self.consent.map(millis_from_time).transpose()?;
        self.expires_at.map(millis_from_time).transpose()?;
        self.metadata.as_deref().map_or(Ok(()), check_metadata)
    }
}

/// Puts `details` in the place of those of `person`; whether they are others. Who was imported stays until the
/// bundle's time is over, at most.
pub(super) fn describe(at: &Snapshot<'_>, person: &mut Person, details: &Details) -> Result<bool> {
    let consent = details.consent.map(millis_from_time).transpose()?;
    let expires = details.expires_at.map(millis_from_time).transpose()?;
    let expires = origin::cap(at, person.row, expires)?;
    let profile = &mut person.profile;
    let same = profile.consent == consent
        && profile.expires == expires
        && profile.metadata == details.metadata;
    (profile.consent, profile.expires) = (consent, expires);
    profile.metadata.clone_from(&details.metadata);
    Ok(!same)
}

fn check_metadata(metadata: &str) -> Result<()> {
    if metadata.len() > METADATA {
        return Err(Error::new(
            ErrorKind::LimitReached,
            format!("the metadata has {} bytes, at most {METADATA} are kept", metadata.len()),
        ));
    }
    serde_json::from_str::<serde::de::IgnoredAny>(metadata).map(drop).map_err(|error| {
        Error::new(
            ErrorKind::InvalidArgument,
            format!("the metadata is not JSON (line {}, column {})", error.line(), error.column()),
        )
    })
}
