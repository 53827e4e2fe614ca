//! What sealed values hold, byte by byte.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use zeroize::Zeroizing;

use super::template::Picture;
use crate::error::{Error, ErrorKind, Result};
use crate::id::TemplateId;
use crate::vector::Embedding;

/// A length that hides the lengths of names.
const PROFILE_STEP: usize = 64;
const TENANT_NAME: usize = 256;

/// What is known of a subject besides templates. Times are milliseconds since 1970 UTC.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Profile {
    pub(super) id: String,
    pub(super) enrolled: i64,
    pub(super) consent: Option<i64>,
    pub(super) expires: Option<i64>,
    pub(super) metadata: Option<String>,
}

impl Profile {
    pub(super) fn is_expired(&self, now: i64) -> bool {
        self.expires.is_some_and(|expires| expires <= now)
    }

    pub(super) fn to_bytes(&self) -> Result<Zeroizing<Vec<u8>>> {
        let metadata = self.metadata.as_deref().unwrap_or_default();
        let used = 1 + self.id.len() + 1 + 3 * 8 + 4 + metadata.len();
        let mut bytes = Zeroizing::new(Vec::with_capacity(used.next_multiple_of(PROFILE_STEP)));
        bytes.push(u8::try_from(self.id.len()).map_err(too_long)?);
        bytes.extend_from_slice(self.id.as_bytes());
        bytes.push(
            u8::from(self.consent.is_some())
                | u8::from(self.expires.is_some()) << 1
                | u8::from(self.metadata.is_some()) << 2,
        );
        for time in [self.enrolled, self.consent.unwrap_or(0), self.expires.unwrap_or(0)] {
            bytes.extend_from_slice(&time.to_be_bytes());
        }
        bytes.extend_from_slice(&u32::try_from(metadata.len()).map_err(too_long)?.to_be_bytes());
        bytes.extend_from_slice(metadata.as_bytes());
        let padded = bytes.len().next_multiple_of(PROFILE_STEP);
        bytes.resize(padded, 0);
        Ok(bytes)
    }

    pub(super) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (&length, rest) = bytes.split_first()?;
        let (id, rest) = rest.split_at_checked(usize::from(length))?;
        let (&flags, rest) = rest.split_first()?;
        let (times, rest) = rest.split_first_chunk::<24>()?;
        let (length, rest) = rest.split_first_chunk::<4>()?;
        let metadata = rest.get(..usize::try_from(u32::from_be_bytes(*length)).ok()?)?;
        let (times, _) = times.as_chunks::<8>();
        let &[enrolled, consent, expires] = times else { return None };
        let text = |bytes: &[u8]| std::str::from_utf8(bytes).ok().map(str::to_owned);
        Some(Self {
            id: text(id)?,
            enrolled: i64::from_be_bytes(enrolled),
            consent: (flags & 1 != 0).then(|| i64::from_be_bytes(consent)),
            expires: (flags & 2 != 0).then(|| i64::from_be_bytes(expires)),
            metadata: if flags & 4 != 0 { Some(text(metadata)?) } else { None },
        })
    }
}

/// A stored template before it is sealed.
pub(super) struct Record {
    pub(super) id: TemplateId,
    pub(super) enrolled: i64,
    pub(super) embedding: Embedding,
    pub(super) picture: Picture,
}

impl Record {
    pub(super) fn to_bytes(&self) -> Result<Zeroizing<Vec<u8>>> {
        let values = self.embedding.as_slice();
        let mut bytes = Zeroizing::new(Vec::with_capacity(28 + 4 * values.len() + 64));
        bytes.extend_from_slice(self.id.as_bytes());
        bytes.extend_from_slice(&self.enrolled.to_be_bytes());
        bytes.extend_from_slice(&u32::try_from(values.len()).map_err(too_long)?.to_be_bytes());
        for value in values {
            bytes.extend_from_slice(&value.to_le_bytes());
        }
        self.picture.write(&mut bytes);
        Ok(bytes)
    }

    pub(super) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (id, rest) = bytes.split_first_chunk::<16>()?;
        let (enrolled, rest) = rest.split_first_chunk::<8>()?;
        let (count, rest) = rest.split_first_chunk::<4>()?;
        let length = usize::try_from(u32::from_be_bytes(*count)).ok()?.checked_mul(4)?;
        let (values, picture) = rest.split_at_checked(length)?;
        let (values, _) = values.as_chunks::<4>();
        let values: Vec<f32> = values.iter().map(|value| f32::from_le_bytes(*value)).collect();
        Some(Self {
            id: TemplateId::from_bytes(*id),
            enrolled: i64::from_be_bytes(*enrolled),
            embedding: Embedding::from_unit(values).ok()?,
            picture: Picture::read(picture)?,
        })
    }
}

pub(super) fn tenant_name_to_bytes(name: &str) -> Result<Zeroizing<Vec<u8>>> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(TENANT_NAME));
    bytes.push(u8::try_from(name.len()).map_err(too_long)?);
    bytes.extend_from_slice(name.as_bytes());
    bytes.resize(TENANT_NAME, 0);
    Ok(bytes)
}

pub(super) fn tenant_name_from_bytes(bytes: &[u8]) -> Option<&str> {
    let (&length, rest) = bytes.split_first()?;
    std::str::from_utf8(rest.get(..usize::from(length))?).ok()
}

/// How many subjects and templates a tenant has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Counts {
    pub(super) subjects: u64,
    pub(super) templates: u64,
}

impl Counts {
    pub(super) fn to_bytes(self) -> [u8; 16] {
        (u128::from(self.subjects) << 64 | u128::from(self.templates)).to_be_bytes()
    }

    pub(super) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (subjects, rest) = bytes.split_first_chunk::<8>()?;
        let templates = rest.try_into().ok()?;
        Some(Self {
            subjects: u64::from_be_bytes(*subjects),
            templates: u64::from_be_bytes(templates),
        })
    }
}

/// Milliseconds since 1970 UTC.
///
/// # Errors
/// [`ErrorKind::InvalidArgument`] before 1970 and after the year 292 million.
pub(super) fn millis_from_time(time: SystemTime) -> Result<i64> {
    let since = time.duration_since(UNIX_EPOCH).ok();
    since.and_then(|since| i64::try_from(since.as_millis()).ok()).ok_or_else(|| {
        Error::new(ErrorKind::InvalidArgument, "a time lies before 1970 or too far ahead")
    })
}

pub(super) fn time_from_millis(millis: i64) -> SystemTime {
    let millis = Duration::from_millis(u64::try_from(millis).unwrap_or(0));
    UNIX_EPOCH.checked_add(millis).unwrap_or(UNIX_EPOCH)
}

fn too_long(_: std::num::TryFromIntError) -> Error {
    Error::new(ErrorKind::Internal, "a value is too long for its record")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::geometry::{Landmarks, Point};

    #[test]
    fn profiles_read_back_and_no_cut_one_panics() {
        let profile = Profile {
            id: "Zoë".into(),
            enrolled: 5,
            consent: Some(0),
            expires: None,
            metadata: Some("{\"a\":1}".into()),
        };
        let bytes = profile.to_bytes().unwrap();
        assert_eq!(bytes.len(), 64);
        assert_eq!(Profile::from_bytes(&bytes), Some(profile));
        for length in 0..40 {
            assert_eq!(Profile::from_bytes(&bytes[..length]), None, "{length}");
        }
    }

    #[test]
    fn templates_read_back_bit_by_bit() {
        let embedding = Embedding::normalize(vec![0.1, -0.0, 1e-30, 7.0]).unwrap();
        let mut record = Record {
            id: TemplateId::from_bytes([9; 16]),
            enrolled: 1,
            embedding,
            picture: Picture::default(),
        };
        let bits = |it: &Record| -> Vec<u32> {
            it.embedding.as_slice().iter().map(|value| value.to_bits()).collect()
        };
        let plain = record.to_bytes().unwrap();
        let landmarks = Landmarks::from_points([Point::new(1.5, -2.0); 5]);
        for (quality, landmarks) in
            [(None, None), (Some(0.0), None), (None, Some(landmarks)), (Some(0.5), Some(landmarks))]
        {
            record.picture = Picture { quality, landmarks };
            let bytes = record.to_bytes().unwrap();
            let read = Record::from_bytes(&bytes).unwrap();
            assert_eq!(bits(&read), bits(&record));
            assert_eq!(read.picture, record.picture);
            // Cut right behind its values, a record is that of a template without a picture.
            for length in (0..bytes.len()).filter(|length| *length != plain.len()) {
                assert!(Record::from_bytes(&bytes[..length]).is_none(), "{length}");
            }
        }
    }

    #[test]
    fn counts_and_times_read_back() {
        let counts = Counts { subjects: 3, templates: u64::MAX };
        assert_eq!(Counts::from_bytes(&counts.to_bytes()), Some(counts));
        assert_eq!(millis_from_time(time_from_millis(1_234)).unwrap(), 1_234);
        assert!(millis_from_time(UNIX_EPOCH - Duration::from_secs(1)).is_err());
    }
}
