//! Asking the liveness models.

use super::Engine;
use crate::detect::Detection;
use crate::error::{Error, ErrorKind, Result};
use crate::image::{ImageView, Raster};
use crate::liveness::Liveness;

impl Engine {
    /// What the pack's liveness models say about the face of `detection`. They look at the picture around
    /// it as well, so `image` must be the whole frame and no cut-out face. What the answer is worth is in
    /// [`crate::liveness`].
    ///
    /// # Errors
    /// [`ErrorKind::InvalidArgument`] when the engine was built without
    /// [`liveness`](super::EngineBuilder::liveness) or the box is not in the picture;
    /// [`ErrorKind::ModelMismatch`] when a network does not behave as its manifest says.
    pub fn liveness(&self, image: &ImageView<'_>, detection: &Detection) -> Result<Liveness> {
        self.liveness_in(&image.raster(), detection)?.ok_or_else(|| {
            Error::new(
                ErrorKind::InvalidArgument,
                "the engine has no liveness models: build it with .liveness(true)",
            )
        })
    }

    /// Whether the engine was built with [`liveness`](super::EngineBuilder::liveness).
    #[must_use]
    pub fn has_liveness(&self) -> bool {
        self.models.liveness.is_some()
    }

    /// `None` when the engine was built without.
    pub(super) fn liveness_in(
        &self,
        raster: &Raster<'_>,
        detection: &Detection,
    ) -> Result<Option<Liveness>> {
        let models = self.models.liveness.as_ref();
        models.map(|models| models.score(raster, &detection.bounds, self.lane)).transpose()
    }
}
