//! The paved road: pictures in, faces and templates out.
//!
//! An [`Engine`] is made once from a [`ModelPack`] and used from any number of threads through
//! `&self`; clones share the loaded models. Overlapping calls share the cores, and give the same bits
//! as calls one after the other.

mod batch;
mod builder;
mod capture;

use std::sync::Arc;

use crate::align::align;
use crate::detect::{Detection, Detector};
use crate::embed::Embedder;
use crate::error::{Error, ErrorKind, Result};
use crate::geometry::Landmarks;
use crate::image::{ImageView, Raster, RgbImage};
use crate::pack::ModelPack;
use crate::runtime::{BackendInfo, Lane};
use crate::vector::Template;

pub use builder::EngineBuilder;
pub use capture::{Capture, Issue, Sample};

/// A face and its template.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Face {
    /// Where it is.
    pub detection: Detection,
    /// What it is compared by.
    pub template: Template,
}

/// Loaded models, ready for pictures. Cheap to clone, `Send + Sync`.
#[derive(Clone, Debug)]
pub struct Engine {
    models: Arc<Models>,
    lane: Lane,
}

#[derive(Debug)]
struct Models {
    pack: String,
    detector: Option<Detector>,
    embedder: Option<Embedder>,
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

    /// The faces in `image` with a template each, best score first.
    ///
    /// # Errors
    /// As [`detect`](Self::detect) and [`template`](Self::template).
    pub fn analyze(&self, image: &ImageView<'_>) -> Result<Vec<Face>> {
        let raster = image.raster();
        let detections = self.detect_in(&raster)?;
        let landmarks: Vec<_> = detections.iter().map(|it| it.landmarks).collect();
        let templates = self.templates_in(&raster, &landmarks)?;
        let faces = detections.into_iter().zip(templates);
        Ok(faces.map(|(detection, template)| Face { detection, template }).collect())
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
        embedder.embed(crops, self.lane)
    }

    /// The face at `landmarks`, aligned as this pack's embedder sees it.
    ///
    /// # Errors
    /// As [`template`](Self::template).
    pub fn crop(&self, image: &ImageView<'_>, landmarks: &Landmarks) -> Result<RgbImage> {
        align(&image.raster(), landmarks, &self.embedder()?.spec().alignment)
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
        let mut templates = self.templates_in(raster, std::slice::from_ref(face))?;
        templates.pop().ok_or_else(|| Error::new(ErrorKind::Internal, "one face gave no template"))
    }

    fn templates_in(&self, raster: &Raster<'_>, faces: &[Landmarks]) -> Result<Vec<Template>> {
        let embedder = self.embedder()?;
        let crops: Vec<_> = faces
            .iter()
            .map(|landmarks| align(raster, landmarks, &embedder.spec().alignment))
            .collect::<Result<_>>()?;
        embedder.embed(&crops, self.lane)
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
            format!("pack \"{}\" has no {role}; use a pack that has one", self.models.pack),
        )
    }
}
