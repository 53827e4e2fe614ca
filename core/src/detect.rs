//! Finding faces: boxes, five landmarks and a score each.
//!
//! Three families of networks are read, chosen by the pack's manifest: YuNet, SCRFD and RetinaFace.
//! They differ in their heads only; scaling the picture, joining scales and suppressing repetitions
//! are the same for all.

mod heads;
mod nms;
mod plan;
mod retinaface;
mod scrfd;
mod yunet;

use crate::error::{Error, ErrorKind, Result};
use crate::geometry::{Landmarks, Rect};
use crate::image::{Letterbox, Raster, pack_into};
use crate::pack::{DetectorSpec, Family, ModelSpec};
use crate::runtime::{Lane, Network, Runtime, Spare, Tensor};

pub use plan::DetectionSize;

/// A face in a picture.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct Detection {
    /// The face from forehead to chin, pixels of the upright picture; may reach over its edges.
    pub bounds: Rect,
    /// Eyes, nose and mouth corners.
    pub landmarks: Landmarks,
    /// The detector's confidence, 0..=1. Comparable between faces of one detector only.
    pub score: f32,
}

impl Detection {
    /// A face that something else has found.
    #[must_use]
    pub const fn new(bounds: Rect, landmarks: Landmarks, score: f32) -> Self {
        Self { bounds, landmarks, score }
    }
}

/// What to look for. `None` means the pack's own value.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct DetectOptions {
    /// Faces with a lower score are left out, 0..=1.
    pub score_threshold: Option<f32>,
    /// Of two boxes that overlap by more than this (intersection over union), the lower score goes, 0..=1.
    pub nms_threshold: Option<f32>,
    /// The most faces to return, best scores first. `None`: all.
    pub max_faces: Option<usize>,
    /// Shorter side of the smallest face that matters, pixels of the picture. A larger value makes
    /// [`DetectionSize::Auto`] work on a smaller picture. `None`: whatever the detector finds.
    pub min_face: Option<u32>,
    /// How large the picture is made for the network.
    pub size: DetectionSize,
}

/// A loaded detector with its options.
#[derive(Debug)]
pub(crate) struct Detector {
    network: Network,
    model: ModelSpec,
    spec: DetectorSpec,
    options: DetectOptions,
    input: Spare,
}

impl Detector {
    /// Loads the detector `model` from its verified `bytes`.
    pub(crate) fn new(
        runtime: &Runtime,
        model: &ModelSpec,
        spec: &DetectorSpec,
        bytes: &[u8],
        options: &DetectOptions,
    ) -> Result<Self> {
        options.check()?;
        Ok(Self {
            network: runtime.load(bytes).map_err(|error| error.about(&model.to_string()))?,
            model: model.clone(),
            spec: *spec,
            options: options.clone(),
            input: Spare::default(),
        })
    }

    /// The faces in `picture`, best score first, however many and small.
    pub(crate) fn detect(&self, picture: &Raster<'_>, lane: Lane) -> Result<Vec<Detection>> {
        let mut found = Vec::new();
        for scale in plan::scales(picture.width(), picture.height(), &self.options, &self.spec)? {
            let at_scale = self.at_scale(picture, &scale.letterbox, lane)?;
            found.extend(
                at_scale
                    .into_iter()
                    .filter(|face| face.bounds.shorter_side() >= scale.smallest_face),
            );
        }
        let iou = self.options.nms_threshold.unwrap_or(self.spec.nms_threshold);
        Ok(nms::suppress(found, iou))
    }

    /// The options it was made with.
    pub(crate) const fn options(&self) -> &DetectOptions {
        &self.options
    }

    fn at_scale(
        &self,
        picture: &Raster<'_>,
        letterbox: &Letterbox,
        lane: Lane,
    ) -> Result<Vec<Detection>> {
        let (width, height) = letterbox.canvas();
        let mut input = self.input.take();
        pack_into(picture, letterbox, &self.model.input.planar, &mut input);
        let input = Tensor::new([1, 3, height as usize, width as usize], input)?;
        let threshold = self.options.score_threshold.unwrap_or(self.spec.score_threshold);
        let read =
            |outputs: &[Tensor<'_>]| decode(self.model.family, outputs, (width, height), threshold);
        let faces = self.network.run(&input, lane, read);
        self.input.put(input.into_data());
        let mut faces = faces.map_err(|error| error.about(&self.model.to_string()))?;
        for face in &mut faces {
            *face = to_source(face, letterbox);
        }
        Ok(faces)
    }
}

/// Reads the heads of a detector of `family` for an input of `canvas` pixels: faces with finite boxes
/// and a score of at least `threshold`, in canvas pixels.
///
/// # Errors
/// [`ErrorKind::ModelMismatch`] when the outputs do not have the family's shapes.
pub fn decode(
    family: Family,
    outputs: &[Tensor<'_>],
    canvas: (u32, u32),
    threshold: f32,
) -> Result<Vec<Detection>> {
    match family {
        Family::Yunet => yunet::decode(outputs, canvas, threshold),
        Family::Scrfd => scrfd::decode(outputs, canvas, threshold),
        Family::Retinaface => retinaface::decode(outputs, canvas, threshold),
        other => Err(Error::new(
            ErrorKind::ModelMismatch,
            format!("{other:?} is not a family of detectors"),
        )),
    }
}

impl DetectOptions {
    fn check(&self) -> Result<()> {
        let shares =
            [("score threshold", self.score_threshold), ("NMS threshold", self.nms_threshold)];
        for (name, value) in shares {
            if let Some(value) = value.filter(|value| !(0.0..=1.0).contains(value)) {
                return Err(Error::new(
                    ErrorKind::InvalidArgument,
                    format!("{name} is {value}, must be between 0 and 1"),
                ));
            }
        }
        if self.max_faces == Some(0) || self.min_face == Some(0) {
            return Err(Error::new(
                ErrorKind::InvalidArgument,
                "max faces and min face are at least 1; leave them out for no limit",
            ));
        }
        self.size.check()
    }
}

fn to_source(face: &Detection, letterbox: &Letterbox) -> Detection {
    let corner = letterbox.to_source(crate::geometry::Point::new(face.bounds.x, face.bounds.y));
    let opposite =
        letterbox.to_source(crate::geometry::Point::new(face.bounds.right(), face.bounds.bottom()));
    Detection {
        bounds: Rect::from_corners(corner.x, corner.y, opposite.x, opposite.y),
        landmarks: face.landmarks.map(|point| letterbox.to_source(point)),
        score: face.score,
    }
}
