//! Whether a face in front of the camera is alive, as far as one picture tells.
//!
//! A pack may have *liveness* models: networks that were trained to tell faces from prints and screens by
//! moiré, borders and texture. They are off unless asked for:
//! ```no_run
//! # fn door(pack: &faceprint::ModelPack, image: &faceprint::ImageView<'_>) -> faceprint::Result<()> {
//! use faceprint::{Capture, Engine};
//!
//! let engine = Engine::builder(pack).liveness(true).build()?;
//! if let Capture::Rejected(issues) = engine.capture(image)? {
//!     println!("{}", issues[0]); // "liveness score is 0.08, minimum is 0.50"
//! }
//! # Ok(()) }
//! ```
//!
//! # What it is not
//! No conformance to ISO/IEC 30107-3 is claimed, and none should be read into a score: nobody has tested
//! these models with presentation attack instruments of your deployment. They see one frame. Silent-Face's
//! networks, which the catalogue has, were trained on one vendor's pictures and are known to fail on
//! other cameras, good screens, masks and frames whose border is out of view. A live person may be
//! refused as well. Treat the answer as one hint among several (a vote over frames, which
//! [`StreamBuilder::liveness`](crate::stream::StreamBuilder::liveness) takes, a second camera,
//! a person who looks), and measure it on your own pictures: `faceprint eval liveness` prints APCER and
//! BPCER with their intervals.

use crate::error::{Error, ErrorKind, Result};
use crate::geometry::Rect;
use crate::image::{PlanarSpec, Raster, pack_crop, resize};
use crate::pack::{InputSize, ModelKind, ModelPack, ModelSpec};
use crate::runtime::{Lane, Network, Runtime, Tensor};

/// What the liveness models of a pack say about a face.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct Liveness {
    /// The mean of the models' probabilities of a live face, 0..=1.
    pub score: f32,
    /// From which score on the pack's manifest calls a face live, 0..=1.
    pub threshold: f32,
}

impl Liveness {
    /// What something else than a pack's models says: a score and the least one of a live face, both 0..=1.
    #[must_use]
    pub const fn new(score: f32, threshold: f32) -> Self {
        Self { score, threshold }
    }

    /// Whether the score reaches the threshold.
    #[must_use]
    pub fn is_live(&self) -> bool {
        self.score >= self.threshold
    }
}

/// The loaded liveness models of a pack.
#[derive(Debug)]
pub(crate) struct LivenessModels {
    models: Vec<Model>,
    threshold: f32,
}

#[derive(Debug)]
struct Model {
    network: Network,
    name: String,
    planar: PlanarSpec,
    /// Width and height of its input, pixels.
    size: (u32, u32),
    crop_scale: f64,
}

/// Classes of Silent-Face's networks; the others are kinds of attack.
const CLASSES: usize = 3;
const LIVE: usize = 1;

impl LivenessModels {
    /// Loads the liveness models of `pack`.
    pub(crate) fn load(pack: &ModelPack, runtime: &Runtime) -> Result<Self> {
        let Some(threshold) = pack.liveness_threshold() else {
            return Err(Error::new(
                ErrorKind::ModelNotFound,
                format!("pack \"{}\" has no liveness models; use a pack that has", pack.name()),
            ));
        };
        let load = |model: &ModelSpec| Model::load(model, &pack.load(model)?, runtime);
        let models = pack.liveness().iter().map(load).collect::<Result<_>>()?;
        Ok(Self { models, threshold })
    }

    /// The mean over the models for the face in `bounds`.
    pub(crate) fn score(
        &self,
        picture: &Raster<'_>,
        bounds: &Rect,
        lane: Lane,
    ) -> Result<Liveness> {
        let scores = self.models.iter().map(|model| {
            model.score(picture, bounds, lane).map_err(|error| error.about(&model.name))
        });
        let scores = scores.collect::<Result<Vec<_>>>()?;
        #[expect(clippy::cast_precision_loss, reason = "a handful of models")]
        let mean = scores.iter().sum::<f64>() / scores.len() as f64;
        #[expect(clippy::cast_possible_truncation, reason = "a probability")]
        Ok(Liveness { score: mean as f32, threshold: self.threshold })
    }
}

impl Model {
    fn load(model: &ModelSpec, bytes: &[u8], runtime: &Runtime) -> Result<Self> {
        let (InputSize::Fixed { width, height }, ModelKind::Liveness(spec)) =
            (model.input.size, &model.kind)
        else {
            let message = format!("{model} is no liveness model of a fixed size");
            return Err(Error::new(ErrorKind::Internal, message));
        };
        Ok(Self {
            network: runtime.load(bytes).map_err(|error| error.about(&model.to_string()))?,
            name: model.to_string(),
            planar: model.input.planar,
            size: (width, height),
            crop_scale: spec.crop_scale,
        })
    }

    /// The probability of a live face, 0..=1.
    fn score(&self, picture: &Raster<'_>, bounds: &Rect, lane: Lane) -> Result<f64> {
        let surroundings = surroundings(picture, bounds, self.crop_scale)?;
        let (width, height) = self.size;
        let resized = resize(&surroundings, width, height)?.into_rgb();
        let mut input = Vec::new();
        pack_crop(resized.as_bytes(), &self.planar, &mut input);
        let input = Tensor::new([1, 3, height as usize, width as usize], input)?;
        self.network.run(&input, lane, |outputs| match outputs {
            [logits] if logits.data().len() == CLASSES => softmax(logits.data(), LIVE),
            _ => Err(Error::new(
                ErrorKind::ModelMismatch,
                format!("has {} outputs, expected one of {CLASSES} values", outputs.len()),
            )),
        })
    }
}

/// The face with what is around it: its box, in whole pixels, scaled by at most `scale` about its centre,
/// less where the picture is smaller, and moved inside the picture. The arithmetic of Silent-Face's
/// `CropImage`, so that its scores are reproduced.
fn surroundings<'a>(picture: &'a Raster<'_>, bounds: &Rect, scale: f64) -> Result<Raster<'a>> {
    let [x, y, width, height] =
        [bounds.x, bounds.y, bounds.width, bounds.height].map(|value| f64::from(value).trunc());
    // Comparisons with NaN are false.
    let is_box = x.abs() < 1e6
        && y.abs() < 1e6
        && (1.0..1e6).contains(&width)
        && (1.0..1e6).contains(&height);
    if !is_box {
        return Err(Error::new(
            ErrorKind::InvalidArgument,
            format!("the face's box is {width}x{height} pixels at ({x}, {y})"),
        ));
    }
    let (last_x, last_y) = (f64::from(picture.width() - 1), f64::from(picture.height() - 1));
    let scale = scale.min(last_x / width).min(last_y / height);
    let along = |start: f64, len: f64, last: f64| {
        let center = len / 2.0 + start;
        let from = center - len * scale / 2.0;
        let to = center + len * scale / 2.0;
        // Never longer than the picture: at most one end is outside.
        if from < 0.0 {
            whole(0.0, to - from, last)
        } else if to > last {
            whole(from - (to - last), last, last)
        } else {
            whole(from, to, last)
        }
    };
    let (left, columns) = along(x, width, last_x);
    let (top, rows) = along(y, height, last_y);
    picture.crop(left, top, columns, rows)
}

/// The first pixel of a range and how many there are, both ends included.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "clamped to the picture"
)]
fn whole(from: f64, to: f64, last: f64) -> (u32, u32) {
    let (from, to) = (from.clamp(0.0, last) as u32, to.clamp(0.0, last) as u32);
    (from, to - from + 1)
}

fn softmax(logits: &[f32], class: usize) -> Result<f64> {
    let highest = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let powers = logits.iter().map(|&logit| f64::from(logit - highest).exp());
    let share = f64::from(logits[class] - highest).exp() / powers.sum::<f64>();
    if share.is_finite() {
        return Ok(share);
    }
    Err(Error::new(ErrorKind::ModelMismatch, format!("gives logits {logits:?}")))
}
