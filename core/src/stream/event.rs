//! What a stream says.

use std::fmt;
use std::str::FromStr;
use std::time::SystemTime;

use crate::crypto::random;
use crate::error::{Error, Result};
use crate::geometry::Rect;
use crate::id::{SubjectId, bytes_from_hex, hex_from_bytes};

/// A visit was confirmed, or an attack is suspected.
///
/// `Debug` shows no name.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Event {
    /// What tells this event from every other, wherever and whenever it was made: delivered twice, it is one.
    pub id: EventId,
    /// The time of the frame that decided it.
    pub at: SystemTime,
    /// The path of the face in its stream.
    pub track: u64,
    /// Where the face was, pixels of the frame.
    pub bounds: Rect,
    /// How good the face was as a sample, 0..=100.
    pub quality: f32,
    /// Who.
    pub who: Who,
}

/// Whose visit it is.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Who {
    /// Somebody of the gallery.
    Subject {
        /// Who.
        id: SubjectId,
        /// Similarity of the path's fused template to their best one, -1..=1.
        similarity: f32,
    },
    /// Somebody the gallery does not know.
    Visitor(VisitorId),
    /// A presentation attack is suspected (ISO/IEC 30107-3): the face did not pass for alive, and nobody asked whose it is.
    /// Only where [`StreamBuilder::liveness`](super::StreamBuilder::liveness) asks for it.
    Suspected {
        /// The same for the same face while the stream lives; no visitor has it.
        id: VisitorId,
        /// The median liveness score of the frames that were judged, 0..=1.
        score: f32,
        /// The least score of a live face, 0..=1.
        minimum: f32,
    },
}

/// 16 random bytes, written as 32 lowercase hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EventId([u8; 16]);

/// An unknown person within the life of one stream: 8 random bytes, written as 16 hexadecimal digits. Nothing
/// connects them with an id of another stream, or of the same one after a restart.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct VisitorId([u8; 8]);

impl Event {
    /// An event with a random id, of something else than a stream: track 0, an empty box, quality 0.
    ///
    /// # Errors
    /// [`Io`](crate::ErrorKind::Io) when the operating system gives no random bytes.
    pub fn new(who: Who, at: SystemTime) -> Result<Self> {
        let id = EventId::random()?;
        Ok(Self { id, at, track: 0, bounds: Rect::default(), quality: 0.0, who })
    }
}

impl EventId {
    pub(super) fn random() -> Result<Self> {
        random().map(Self)
    }

    /// From the bytes of [`as_bytes`](Self::as_bytes).
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// The bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

impl VisitorId {
    pub(super) fn random() -> Result<Self> {
        random().map(Self)
    }

    /// From the bytes of [`as_bytes`](Self::as_bytes).
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 8]) -> Self {
        Self(bytes)
    }

    /// The bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 8] {
        &self.0
    }
}

impl FromStr for EventId {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        bytes_from_hex("an event id", text).map(Self)
    }
}

impl fmt::Display for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&hex_from_bytes(&self.0))
    }
}

impl fmt::Debug for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "EventId({self})")
    }
}

impl fmt::Display for VisitorId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&hex_from_bytes(&self.0))
    }
}

impl fmt::Debug for VisitorId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "VisitorId({self})")
    }
}
