//! Vectors in Fernet tokens, as Python's `cryptography` makes and reads them: a way out of, or into, a
//! database that keeps one token per face. For migration only; a [gallery](crate::gallery) does more.
//!
//! A token holds the values as 32-bit little-endian floats, one after the other: numpy's `tobytes()` of a
//! `float32` array on the usual machines.
//!
//! ```python
//! token = Fernet(key).encrypt(embedding.astype("<f4").tobytes())
//! embedding = np.frombuffer(Fernet(key).decrypt(token), "<f4")
//! ```
//!
//! Many people are brought into a gallery in one commit:
//!
//! ```no_run
//! use faceprint::fernet::FernetKey;
//! use faceprint::{Gallery, SpaceId, SubjectId, Template, TenantId};
//!
//! # fn example(key: &str, rows: Vec<(String, String)>, gallery: Gallery, space: SpaceId) -> faceprint::Result<()> {
//! let key: FernetKey = key.parse()?;
//! let people = rows.iter().map(|(name, token)| {
//!     // The space of the model that made the vectors: `pack.space()`.
//!     Ok((name.parse::<SubjectId>()?, Template::new(key.open(token)?, space)))
//! });
//! let people = people.collect::<faceprint::Result<Vec<_>>>()?;
//! gallery.tenant(&"acme".parse()?)?.enroll_all(&people, |_, _| {})?;
//! # Ok(())
//! # }
//! ```

use std::fmt;
use std::str::FromStr;
use std::time::{SystemTime, UNIX_EPOCH};

use zeroize::Zeroizing;

use crate::crypto::{Key, fernet_key, fernet_open, fernet_seal};
use crate::error::{Error, ErrorKind, Result};
use crate::vector::Embedding;

/// Characters of a token, at most: a vector of about 190,000 values.
const TOKEN: usize = 1 << 20;

/// How far from 1 rounding to 32 bits takes the squared length of a vector that was scaled to unit length.
const UNIT: f64 = 1e-6;

/// A Fernet key: 44 characters of base64url, as `Fernet.generate_key()` makes them. Wiped from memory when
/// dropped, and not shown by `Debug`.
#[derive(Clone)]
pub struct FernetKey(Key);

impl FernetKey {
    /// A token of `embedding`'s values, with the time of now in the clear, as the format has it.
    ///
    /// # Errors
    /// [`ErrorKind::Io`] when the operating system gives no random bytes.
    pub fn seal(&self, embedding: &Embedding) -> Result<String> {
        let values = embedding.as_slice();
        let mut bytes = Zeroizing::new(Vec::with_capacity(4 * values.len()));
        bytes.extend(values.iter().flat_map(|value| value.to_le_bytes()));
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |it| it.as_secs());
        fernet_seal(&self.0, now, &bytes)
    }

    /// The vector in `token`, scaled to unit length; one that has it already stays bit by bit what it was.
    /// The token's age does not matter.
    ///
    /// # Errors
    /// [`ErrorKind::WrongKey`] for a token of another key, or a damaged one; [`ErrorKind::InvalidArgument`] for
    /// what is no token, and for a token of something else than a vector.
    pub fn open(&self, token: &str) -> Result<Embedding> {
        if token.len() > TOKEN {
            return Err(Error::new(
                ErrorKind::InvalidArgument,
                format!("a token of a vector has {TOKEN} characters at most, not {}", token.len()),
            ));
        }
        let bytes = fernet_open(&self.0, token)?;
        let (values, []) = bytes.as_chunks::<4>() else {
            return Err(Error::new(
                ErrorKind::InvalidArgument,
                format!("the token holds {} bytes, and no 32-bit floats", bytes.len()),
            ));
        };
        let values: Vec<f32> = values.iter().map(|value| f32::from_le_bytes(*value)).collect();
        let length: f64 = values.iter().map(|&value| f64::from(value).powi(2)).sum();
        if (length - 1.0).abs() < UNIT {
            return Embedding::from_unit(values);
        }
        Embedding::normalize(values)
    }
}

impl FromStr for FernetKey {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        fernet_key(text).map(Self).ok_or_else(|| {
            Error::new(
                ErrorKind::InvalidArgument,
                format!(
                    "a Fernet key is 44 characters of base64url, this has {} bytes",
                    text.len()
                ),
            )
        })
    }
}

impl fmt::Debug for FernetKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FernetKey(..)")
    }
}
