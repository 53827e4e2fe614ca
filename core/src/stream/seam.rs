//! What a stream sees through, and who tells it who somebody is.

use crate::detect::Detection;
use crate::engine::Engine;
use crate::error::{Error, ErrorKind, Result};
use crate::gallery::Tenant;
use crate::id::SubjectId;
use crate::image::ImageView;
use crate::liveness::Liveness;
use crate::matcher::Query;
use crate::quality::Policy;
use crate::vector::Template;

/// False match rate of the threshold that an [`Engine`] suggests for streams: one stranger in ten thousand
/// passes for somebody. Each face meets every subject, and only once in a visit.
const FMR: f64 = 1e-4;

/// What finds and describes faces in frames of type `F`: an [`Engine`] in pictures, anything in anything else.
pub trait Observe<F: ?Sized> {
    /// The faces in `frame`. Those with a low score continue paths and begin none; see
    /// [`StreamBuilder::sure_score`](super::StreamBuilder::sure_score).
    ///
    /// # Errors
    /// The observer's own.
    fn detect(&self, frame: &F) -> Result<Vec<Detection>>;

    /// How good the face is as a sample, 0..=100; none when a template of it would be meaningless. It is asked
    /// of each face in each frame, so it should be much cheaper than a template.
    ///
    /// # Errors
    /// The observer's own.
    fn quality(&self, frame: &F, face: &Detection) -> Result<Option<f32>>;

    /// The template of the face. All are of one space.
    ///
    /// # Errors
    /// The observer's own.
    fn describe(&self, frame: &F, face: &Detection) -> Result<Template>;

    /// From which similarity on, -1..=1, two templates are of one person: what holds where
    /// [`StreamBuilder::threshold`](super::StreamBuilder::threshold) was not given.
    ///
    /// # Errors
    /// When none is known.
    fn threshold(&self) -> Result<f32>;

    /// Whether [`liveness`](Self::liveness) has an answer. It has none unless an observer says so.
    fn judges_liveness(&self) -> bool {
        false
    }

    /// Whether the face is alive, as far as this frame tells. Asked only where
    /// [`StreamBuilder::liveness`](super::StreamBuilder::liveness) says so, of each face that is described.
    ///
    /// # Errors
    /// The observer's own; [`InvalidArgument`](ErrorKind::InvalidArgument) when it judges none.
    fn liveness(&self, frame: &F, face: &Detection) -> Result<Liveness> {
        let _ = (frame, face);
        Err(no_liveness())
    }
}

pub(super) fn no_liveness() -> Error {
    Error::new(
        ErrorKind::InvalidArgument,
        "the stream is to judge liveness, and what it sees through does not: build the engine with .liveness(true)",
    )
}

/// Who knows people: a [`Tenant`], or anything else.
pub trait Recognize {
    /// The person most similar to `probe` with their similarity, -1..=1, when that is at least `at_least`.
    ///
    /// # Errors
    /// The implementation's own.
    fn recognize(&self, probe: &Template, at_least: f32) -> Result<Option<(SubjectId, f32)>>;
}

/// Faces have to pass [`Policy::surveillance`] to be described.
impl Observe<ImageView<'_>> for Engine {
    fn detect(&self, frame: &ImageView<'_>) -> Result<Vec<Detection>> {
        Self::detect(self, frame)
    }

    fn quality(&self, frame: &ImageView<'_>, face: &Detection) -> Result<Option<f32>> {
        let quality = Self::quality(self, frame, face)?;
        Ok(Policy::surveillance().judge(&quality).is_empty().then_some(quality.score))
    }

    fn describe(&self, frame: &ImageView<'_>, face: &Detection) -> Result<Template> {
        self.template(frame, &face.landmarks)
    }

    fn threshold(&self) -> Result<f32> {
        Self::threshold(self, FMR)
    }

    fn judges_liveness(&self) -> bool {
        self.has_liveness()
    }

    fn liveness(&self, frame: &ImageView<'_>, face: &Detection) -> Result<Liveness> {
        Self::liveness(self, frame, face)
    }
}

impl Recognize for Tenant {
    fn recognize(&self, probe: &Template, at_least: f32) -> Result<Option<(SubjectId, f32)>> {
        let hits = self.identify(probe, &Query::top(1).at_least(at_least))?;
        Ok(hits.into_iter().next().map(|hit| (hit.subject, hit.similarity.value())))
    }
}
