//! What of a template is in memory, and where the rest is read.

use super::best::Best;
use super::code::LAST;
use super::exact::Left;
use super::{Index, Owner, Search};
use crate::error::{Error, ErrorKind, Result};
use crate::vector::simd::{LANES, Line, coarse_lines, plane_bytes};
use crate::vector::{Embedding, Similarity};

/// What an open gallery holds of each template in memory. Answers are the same, bit by bit.
///
/// | values of a template | 128 | 256 | 512 |
/// |---|---:|---:|---:|
/// | `Full`, bytes | 656 | 1,296 | 2,576 |
/// | `Lean`, bytes | 144 | 272 | 528 |
///
/// To these come, in either, ids and their tables, about 100 bytes a template, and what is known of each person, about 450
/// bytes. Less memory is no protection: codes tell of a face nearly what its values do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "values are in memory or they are not")]
pub enum Memory {
    /// Its codes, which are scanned, and its values, which decide.
    #[default]
    Full,
    /// Its codes alone. The values of the few templates that codes do not decide about are read from the file, opened,
    /// and wiped again, for every answer.
    Lean,
}

impl Memory {
    /// Bytes of a template with `dimension` values, without ids.
    ///
    /// ```
    /// # use faceprint::gallery::Memory;
    /// assert_eq!(Memory::Full.bytes_per_template(512), 2_576);
    /// assert_eq!(Memory::Lean.bytes_per_template(512), 528);
    /// ```
    #[must_use]
    pub const fn bytes_per_template(self, dimension: usize) -> usize {
        let lines = coarse_lines(dimension);
        let codes = lines * size_of::<Line>() / LANES + (1 + LAST) * plane_bytes(dimension);
        // A scale, and what codes leave out: by four bits, by five and by eight.
        codes + 4 * size_of::<f32>() + self.values(dimension) * size_of::<f32>()
    }

    /// Values of a template that are in memory.
    pub(super) const fn values(self, dimension: usize) -> usize {
        match self {
            Self::Full => dimension,
            Self::Lean => 0,
        }
    }
}

/// Reads the values of a template that are not in memory.
pub(crate) type Read<'a> = &'a dyn Fn(Owner) -> Result<Embedding>;

/// The [`Read`] of an index that has all values in memory.
pub(crate) fn nothing(_: Owner) -> Result<Embedding> {
    Err(Error::new(ErrorKind::Internal, "the values of a template are in memory no more"))
}

/// Values from memory, or read.
#[derive(Debug)]
pub(crate) enum Values<'a> {
    Held(&'a [f32]),
    Read(Embedding),
}

impl Values<'_> {
    pub(crate) fn as_slice(&self) -> &[f32] {
        match self {
            Self::Held(values) => values,
            Self::Read(embedding) => embedding.as_slice(),
        }
    }
}

impl Index {
    /// The vectors of `subject`, in no order.
    ///
    /// # Errors
    /// Those of `read`.
    pub(crate) fn vectors_of(&self, subject: i64, read: Read<'_>) -> Result<Vec<Values<'_>>> {
        let values = |row| match self.vectors.memory() {
            Memory::Full => Ok(Values::Held(self.vectors.row(row))),
            Memory::Lean => self.read(row, read).map(Values::Read),
        };
        self.people.rows_of(subject).map(values).collect()
    }

    /// Decides about the rows that were put down. A row is read while it may enter: those that may be most
    /// similar come first, and raise the floor.
    pub(super) fn settle(
        &self,
        found: Best,
        probe: &[f32],
        search: &Search<'_>,
        read: Read<'_>,
    ) -> Result<Best> {
        let mut best = Best::new(search.limit, search.at_least);
        for Left { most, row, .. } in found.into_put_down() {
            if most < best.floor() {
                break;
            }
            let values = self.read(row, read)?;
            let similarity = Similarity::with(self.vectors.kernel(), probe, values.as_slice());
            best.offer(self.people.owner(row), similarity);
        }
        Ok(best)
    }

    fn read(&self, row: usize, read: Read<'_>) -> Result<Embedding> {
        let embedding = read(self.people.owner(row))?;
        self.check_dimension(embedding.dimension())?;
        Ok(embedding)
    }
}
