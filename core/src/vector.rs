//! Embeddings, templates and their similarity.

#[allow(unsafe_code)]
#[cfg_attr(not(feature = "gallery"), allow(dead_code, reason = "only galleries have codes"))]
pub(crate) mod simd;

use std::fmt;

use crate::error::{Error, ErrorKind, Result};
use crate::id::SpaceId;
use crate::vector::simd::Kernel;

/// A face as a direction: finite values of unit Euclidean length, by construction.
#[derive(Clone, PartialEq)]
pub struct Embedding(Box<[f32]>);

impl Embedding {
    /// `values` divided by their length. Lengths are summed in `f64`.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidArgument`] for no values, for a value that is not finite, and for a
    /// length of zero, which has no direction.
    pub fn normalize(values: impl Into<Vec<f32>>) -> Result<Self> {
        let mut values: Vec<f32> = values.into();
        if let Some(index) = values.iter().position(|value| !value.is_finite()) {
            return Err(Error::new(
                ErrorKind::InvalidArgument,
                format!("value {index} of {} in the embedding is not finite", values.len()),
            ));
        }
        let length = values.iter().map(|&value| f64::from(value).powi(2)).sum::<f64>().sqrt();
        if length == 0.0 {
            return Err(Error::new(
                ErrorKind::InvalidArgument,
                format!("an embedding of {} values has length zero", values.len()),
            ));
        }
        for value in &mut values {
            #[expect(
                clippy::cast_possible_truncation,
                reason = "a quotient in -1..=1 rounds to f32"
            )]
            {
                *value = (f64::from(*value) / length) as f32;
            }
        }
        Ok(Self(values.into_boxed_slice()))
    }

    /// Values that [`as_slice`](Self::as_slice) gave earlier, bit by bit the same.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidArgument`] when they are not finite or not of unit length.
    #[cfg(feature = "gallery")]
    pub(crate) fn from_unit(values: Vec<f32>) -> Result<Self> {
        let length: f64 = values.iter().map(|&value| f64::from(value).powi(2)).sum();
        if !length.is_finite() || (length - 1.0).abs() > 1e-3 {
            return Err(Error::new(
                ErrorKind::InvalidArgument,
                format!("an embedding of {} values is not of unit length", values.len()),
            ));
        }
        Ok(Self(values.into_boxed_slice()))
    }

    /// The values; their squares sum to 1.
    #[must_use]
    pub const fn as_slice(&self) -> &[f32] {
        &self.0
    }

    /// The number of values.
    #[must_use]
    pub const fn dimension(&self) -> usize {
        self.0.len()
    }
}

/// What recognises a person does not stay in memory that was given back.
#[cfg(feature = "gallery")]
impl Drop for Embedding {
    fn drop(&mut self) {
        zeroize::Zeroize::zeroize(&mut self.0[..]);
    }
}

/// Biometric data does not belong in logs: only the dimension is shown.
impl fmt::Debug for Embedding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Embedding({} values)", self.0.len())
    }
}

/// One embedding bound to the space it lives in.
#[derive(Clone, Debug, PartialEq)]
pub struct Template {
    embedding: Embedding,
    space: SpaceId,
}

impl Template {
    /// `embedding` as made by the embedder of `space`.
    #[must_use]
    pub const fn new(embedding: Embedding, space: SpaceId) -> Self {
        Self { embedding, space }
    }

    /// The direction.
    #[must_use]
    pub const fn embedding(&self) -> &Embedding {
        &self.embedding
    }

    /// The space it lives in.
    #[must_use]
    pub const fn space(&self) -> SpaceId {
        self.space
    }

    /// Cosine similarity to `other`.
    ///
    /// # Errors
    /// [`ErrorKind::SpaceMismatch`] when the two were made by different embedders or preprocessing.
    pub fn similarity(&self, other: &Self) -> Result<Similarity> {
        if self.space != other.space || self.embedding.dimension() != other.embedding.dimension() {
            return Err(Error::new(
                ErrorKind::SpaceMismatch,
                format!(
                    "templates of two spaces cannot be compared ({} values in {:.8}, {} values in {:.8}); \
                     embed both pictures with the same pack",
                    self.embedding.dimension(),
                    self.space,
                    other.embedding.dimension(),
                    other.space
                ),
            ));
        }
        Ok(Similarity::between(self.embedding.as_slice(), other.embedding.as_slice()))
    }
}

/// Cosine of the angle between two embeddings: -1 (opposite) to 1 (equal).
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
pub struct Similarity(f32);

impl Similarity {
    /// Cosine of two unit vectors of one length.
    pub(crate) fn between(a: &[f32], b: &[f32]) -> Self {
        Self::with(Kernel::best(), a, b)
    }

    /// The same by a given kernel: all give the same bits.
    pub(crate) fn with(kernel: Kernel, a: &[f32], b: &[f32]) -> Self {
        Self(kernel.dot(a, b).clamp(-1.0, 1.0))
    }

    /// What a cosine is at least, not one itself.
    #[cfg(feature = "gallery")]
    pub(crate) const fn at_least(value: f32) -> Self {
        Self(value.clamp(-1.0, 1.0))
    }

    /// The cosine, -1..=1.
    #[must_use]
    pub const fn value(self) -> f32 {
        self.0
    }
}

/// Shows `precision` digits, three by default.
impl fmt::Display for Similarity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.*}", f.precision().unwrap_or(3), self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn embeddings_have_unit_length_whatever_they_come_from() {
        for values in [vec![3.0, 4.0], vec![1e-30, 1e-30, 1e-30], vec![3e38; 512]] {
            let embedding = Embedding::normalize(values).unwrap();
            let length: f32 = embedding.as_slice().iter().map(|v| v * v).sum();
            assert!((length - 1.0).abs() < 1e-5, "{length}");
        }
    }

    #[test]
    fn what_has_no_direction_is_refused() {
        for values in [vec![], vec![0.0; 8], vec![1.0, f32::NAN], vec![f32::INFINITY, 1.0]] {
            let kind = Embedding::normalize(values).unwrap_err().kind();
            assert_eq!(kind, ErrorKind::InvalidArgument);
        }
    }

    #[test]
    fn spaces_do_not_mix() {
        let embedding = Embedding::normalize(vec![1.0, 2.0]).unwrap();
        let a = Template::new(embedding.clone(), SpaceId::from_bytes([1; 32]));
        let b = Template::new(embedding, SpaceId::from_bytes([2; 32]));
        assert_eq!(a.similarity(&b).unwrap_err().kind(), ErrorKind::SpaceMismatch);
        assert!((a.similarity(&a).unwrap().value() - 1.0).abs() < 1e-6);
    }

    #[test]
    fn debug_shows_no_values() {
        let embedding = Embedding::normalize(vec![0.6, 0.8]).unwrap();
        assert_eq!(format!("{embedding:?}"), "Embedding(2 values)");
    }
}
