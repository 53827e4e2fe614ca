//! The one prominent face of a picture, or why it is not usable.

use super::Engine;
use crate::align::align;
use crate::detect::Detection;
use crate::error::Result;
use crate::image::{ImageView, Raster};
use crate::liveness::Liveness;
use crate::quality::{Issue, Quality};
use crate::vector::Template;

/// The outcome of a capture. A poor picture is an outcome, not an error.
#[derive(Clone, Debug)]
#[expect(clippy::exhaustive_enums, reason = "a capture is usable or not")]
pub enum Capture {
    /// One prominent face, good enough for the engine's [policy](Engine::policy).
    Usable(Sample),
    /// Why there is none; at least one reason.
    Rejected(Vec<Issue>),
}

/// The prominent face of a picture with its template.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Sample {
    /// Where the face is.
    pub detection: Detection,
    /// What it is compared by.
    pub template: Template,
    /// How good the face is as a sample.
    pub quality: Quality,
    /// See [`Face::strength`](super::Face::strength).
    pub strength: f32,
    /// What the liveness models say, when the engine was built with them.
    pub liveness: Option<Liveness>,
}

impl Engine {
    /// The one prominent face of `image` with its template, or why there is none: the largest face, judged
    /// by the engine's [policy](Self::policy) and, when the engine was built with them, by the liveness
    /// models. What is refused costs no template.
    ///
    /// # Errors
    /// As [`analyze`](Self::analyze). A poor picture is not an error.
    pub fn capture(&self, image: &ImageView<'_>) -> Result<Capture> {
        let raster = image.raster();
        let faces = self.detector()?.detect(&raster, self.lane)?;
        let Some(index) = largest(&faces) else {
            return Ok(Capture::Rejected(vec![Issue::NoFace]));
        };
        self.judge(&raster, &faces, index)
    }

    fn judge(&self, raster: &Raster<'_>, faces: &[Detection], index: usize) -> Result<Capture> {
        let detection = faces[index];
        let crop = align(raster, &detection.landmarks, &self.embedder()?.spec().alignment)?;
        let quality = self.quality_in(raster, faces, index, &crop)?;
        let issues = self.policy().judge(&quality);
        if !issues.is_empty() {
            return Ok(Capture::Rejected(issues));
        }
        let liveness = self.liveness_in(raster, &detection)?;
        if let Some(refused) = liveness.filter(|liveness| !liveness.is_live()) {
            let Liveness { score, threshold } = refused;
            return Ok(Capture::Rejected(vec![Issue::NotLive { score, minimum: threshold }]));
        }
        let (template, strength) = self.template_of(&crop)?;
        Ok(Capture::Usable(Sample { detection, template, quality, strength, liveness }))
    }
}

fn largest(faces: &[Detection]) -> Option<usize> {
    let side = |index: usize| faces[index].bounds.shorter_side();
    (0..faces.len()).max_by(|&a, &b| side(a).total_cmp(&side(b)))
}
