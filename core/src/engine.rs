//! The paved road: pictures in, faces and templates out.
//!
//! An [`Engine`] is made once from a [`ModelPack`] and used from any number of threads through
//! `&self`; clones share the loaded models. Overlapping calls share the cores, and give the same bits
//! as calls one after the other.

mod batch;
mod builder;
mod capture;
mod liveness;
mod series;

use std::sync::Arc;

use crate::align::{AlignmentTemplate, align};
use crate::detect::{Detection, Detector};
use crate::embed::Embedder;
use crate::error::{Error, ErrorKind, Result};
use crate::geometry::Landmarks;
use crate::image::{ImageView, Raster, RgbImage};
use crate::liveness::LivenessModels;
use crate::pack::ModelPack;
use crate::quality::{Found, Policy, Quality};
use crate::runtime::{BackendInfo, Lane};
use crate::vector::Template;

pub use builder::EngineBuilder;
pub use capture::{Capture, Sample};
pub use series::{Refusal, Selected, Selection, Series};

/// A face, its template and how good it is.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Face {
    /// Where it is.
    pub detection: Detection,
    /// What it is compared by.
    pub template: Template,
    /// How good the face is as a sample.
    pub quality: Quality,
    /// Length of the embedding before it was made a direction, above 0: how much of a face the network saw. Nobody
    /// trained it, and it costs nothing; of good pictures it tells better than any measure of
    /// [`Quality`] which will not match. Comparable between pictures under one pack only: the median
    /// on LFW is 52 for the bundled embedder, 23 for InsightFace's w600k_mbf.
    pub strength: f32,
}

/// Loaded models, ready for pictures. Cheap to clone, `Send + Sync`.
#[derive(Clone, Debug)]
pub struct Engine {
    models: Arc<Models>,
    lane: Lane,
}

#[derive(Debug)]
struct Models {
    pack: ModelPack,
    detector: Option<Detector>,
    embedder: Option<Embedder>,
    liveness: Option<LivenessModels>,
    policy: Policy,
    backend: BackendInfo,
}

impl Engine {
    /// An engine for the models of `pack`, to be configured and then [built](EngineBuilder::build).
    #[must_use]
    pub fn builder(pack: &ModelPack) -> EngineBuilder {
        EngineBuilder::new(pack.clone())
    }

    /// The faces in `image`, best score first.
    ///
    /// # Errors
    /// [`ErrorKind::ModelNotFound`] when the pack has no detector; [`ErrorKind::ModelMismatch`] when the
    /// network does not behave as its manifest says.
    pub fn detect(&self, image: &ImageView<'_>) -> Result<Vec<Detection>> {
        self.detect_in(&image.raster())
    }

    /// The faces in `image` with a template and their quality each, best score first. Nothing is judged:
    /// every face that was found is there.
    ///
    /// # Errors
    /// As [`detect`](Self::detect) and [`template`](Self::template).
    pub fn analyze(&self, image: &ImageView<'_>) -> Result<Vec<Face>> {
        let raster = image.raster();
        let detections = self.detect_in(&raster)?;
        let crops = self.crops_in(&raster, &detections)?;
        let templates = self.embedder()?.embed(&crops, self.lane)?;
        let faces = detections.iter().zip(&crops).zip(templates).enumerate();
        let face = |(index, ((&detection, crop), (template, strength)))| {
            let quality = self.quality_in(&raster, &detections, index, crop)?;
            Ok(Face { detection, template, quality, strength })
        };
        faces.map(face).collect()
    }

    /// How good the face of `detection` is as a sample. Other faces are not known here: it counts as
    /// alone in the picture.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidArgument`] for landmarks that determine no pose.
    pub fn quality(&self, image: &ImageView<'_>, detection: &Detection) -> Result<Quality> {
        Quality::measure(&image.raster(), &found(std::slice::from_ref(detection), 0))
    }

    /// The template of the face at `landmarks`, pixels of the upright picture.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidArgument`] for landmarks that are not finite or all in one place;
    /// [`ErrorKind::ModelNotFound`] when the pack has no embedder; [`ErrorKind::ModelMismatch`] when the
    /// network does not behave as its manifest says.
    pub fn template(&self, image: &ImageView<'_>, landmarks: &Landmarks) -> Result<Template> {
        self.template_in(&image.raster(), landmarks)
    }

    /// The templates of crops that are already aligned as this pack's embedder wants them.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidArgument`] for a crop of another size; otherwise as [`template`](Self::template).
    pub fn templates_of_crops(&self, crops: &[RgbImage]) -> Result<Vec<Template>> {
        let embedder = self.embedder()?;
        let wanted = &embedder.spec().alignment;
        for crop in crops {
            if (crop.width(), crop.height()) != (wanted.width(), wanted.height()) {
                return Err(Error::new(
                    ErrorKind::InvalidArgument,
                    format!(
                        "the crop is {}x{}, the embedder wants {}x{}",
                        crop.width(),
                        crop.height(),
                        wanted.width(),
                        wanted.height()
                    ),
                ));
            }
        }
        let embedded = embedder.embed(crops, self.lane)?;
        Ok(embedded.into_iter().map(|(template, _)| template).collect())
    }

    /// The face at `landmarks`, aligned as this pack's embedder sees it.
    ///
    /// # Errors
    /// As [`template`](Self::template).
    pub fn crop(&self, image: &ImageView<'_>, landmarks: &Landmarks) -> Result<RgbImage> {
        align(&image.raster(), landmarks, &self.embedder()?.spec().alignment)
    }

    /// What [`capture`](Self::capture) asks of a face.
    #[must_use]
    pub fn policy(&self) -> &Policy {
        &self.models.policy
    }

    /// The similarity from which on the pack takes two templates for one person, see
    /// [`ModelPack::threshold`].
    ///
    /// # Errors
    /// As [`ModelPack::threshold`].
    pub fn threshold(&self, fmr: f64) -> Result<f32> {
        self.models.pack.threshold(fmr)
    }

    /// What runs the networks.
    #[must_use]
    pub fn backend(&self) -> &BackendInfo {
        &self.models.backend
    }

    fn detect_in(&self, raster: &Raster<'_>) -> Result<Vec<Detection>> {
        let detector = self.detector()?;
        let mut faces = detector.detect(raster, self.lane)?;
        if let Some(smallest) = detector.options().min_face {
            #[expect(clippy::cast_precision_loss, reason = "sides of pictures are below 2^16")]
            faces.retain(|face| face.bounds.shorter_side() >= smallest as f32);
        }
        faces.truncate(detector.options().max_faces.unwrap_or(usize::MAX));
        Ok(faces)
    }

    fn template_in(&self, raster: &Raster<'_>, face: &Landmarks) -> Result<Template> {
        let embedder = self.embedder()?;
        self.template_of(&align(raster, face, &embedder.spec().alignment)?).map(|it| it.0)
    }

    /// With its strength.
    fn template_of(&self, crop: &RgbImage) -> Result<(Template, f32)> {
        let mut templates = self.embedder()?.embed(std::slice::from_ref(crop), self.lane)?;
        templates.pop().ok_or_else(|| Error::new(ErrorKind::Internal, "one face gave no template"))
    }

    fn crops_in(&self, raster: &Raster<'_>, faces: &[Detection]) -> Result<Vec<RgbImage>> {
        let alignment = &self.embedder()?.spec().alignment;
        faces.iter().map(|face| align(raster, &face.landmarks, alignment)).collect()
    }

    /// The quality of one of `faces`, whose `crop` for the embedder is at hand.
    fn quality_in(
        &self,
        raster: &Raster<'_>,
        faces: &[Detection],
        index: usize,
        crop: &RgbImage,
    ) -> Result<Quality> {
        let found = found(faces, index);
        if self.embedder()?.spec().alignment == AlignmentTemplate::ARCFACE_112 {
            return Quality::of_crop((raster.width(), raster.height()), &found, crop);
        }
        Quality::measure(raster, &found)
    }

    fn detector(&self) -> Result<&Detector> {
        self.models.detector.as_ref().ok_or_else(|| self.missing("detector"))
    }

    fn embedder(&self) -> Result<&Embedder> {
        self.models.embedder.as_ref().ok_or_else(|| self.missing("embedder"))
    }

    fn missing(&self, role: &str) -> Error {
        Error::new(
            ErrorKind::ModelNotFound,
            format!("pack \"{}\" has no {role}; use a pack that has one", self.models.pack.name()),
        )
    }
}

/// One of the faces of a picture, as `quality` takes it.
fn found(faces: &[Detection], index: usize) -> Found {
    let Detection { bounds, landmarks, score } = faces[index];
    let others = faces.iter().enumerate().filter(|(other, _)| *other != index);
    let next_area = others.map(|(_, face)| face.bounds.area()).fold(0.0, f32::max);
    Found { bounds, landmarks, detector_score: score, next_area }
}
