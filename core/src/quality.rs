//! How good a face is as a sample, measured; which bounds it must keep; what the reasons are.
//!
//! ```
//! use faceprint::image::{DecodeLimits, decode};
//! use faceprint::quality::{Measure, Policy};
//! use faceprint::{Engine, ModelPack};
//!
//! let engine = Engine::builder(&ModelPack::bundled()).build()?;
//! # let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../examples/images/people/elva/1.jpg");
//! let image = decode(&std::fs::read(path)?, &DecodeLimits::default())?;
//! for face in engine.analyze(&image.view())? {
//!     println!("{:.0} of 100, turned {:.0}°", face.quality.score, face.quality.pose.yaw);
//!     for issue in Policy::enrollment().judge(&face.quality) {
//!         println!("{issue}"); // "face is 41 px between the eyes, minimum is 60"
//!     }
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # What is measured
//! [`Quality`] has the numbers, each in its own unit, and [`Quality::component`] maps those that ISO/IEC
//! 29794-5:2025 has to 0..=100 as its reference implementation does (OFIQ 1.0.3). Measures of pixels
//! are taken on the face aligned to 112 x 112 pixels, which is what recognition sees: a large blurred
//! face may be sharp enough there, and a small one never is.
//!
//! This is no implementation of the standard: OFIQ's measures run 98 landmarks, a segmentation and five
//! more networks; these need five points and a few thousand additions. Sharpness and the
//! unified score are this library's own and say so.
//!
//! # What it is worth
//! `faceprint eval quality` on LFW folds 6-10 with the bundled pack: `enrollment` refuses 7.4 % of the 3,890 pictures
//! (most are turned by more than 30°), `kiosk` 0.4 %, `surveillance` none. Of 881 faces that were blurred, darkened,
//! shrunk or turned until they no longer matched themselves, they accept 2.5 %, 7.3 % and 10.2 %; nearly all of
//! these were turned by 60° and more, where the detector's landmarks no longer say so. Among good pictures the
//! score does not tell which pairs will fail: leaving out the worst fifth of the pairs takes the false non-match
//! rate from 5.5 % to 5.0 %, within the interval. The length of the embedding,
//! [`Face::strength`](crate::Face::strength), does; figures are in `benches/README.md`. Among pairs with one spoiled picture, leaving out half takes
//! it from 59 % to 35 %.

mod agreement;
mod component;
mod issue;
mod measure;
mod pixels;
mod policy;
mod pose;

use crate::align::{AlignmentTemplate, align};
use crate::error::Result;
use crate::geometry::{Landmarks, Rect};
use crate::image::{Raster, RgbImage};

pub use agreement::{Agreement, agreement};
pub use issue::Issue;
pub use measure::Measure;
pub use policy::Policy;
pub use pose::Pose;

/// The measures of one face. Every value is finite and inside the range that is stated.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct Quality {
    /// How well the face can be recognised, 0..=100: the product of what its sharpness, size, dynamic range, yaw
    /// and pitch, landmarks and completeness leave of its similarity to a good picture of it. Around 90 for
    /// a good portrait; below 30 most comparisons fail. Comparable between faces, pictures and
    /// detectors, not with OFIQ's unified score, which is a network's.
    pub score: f32,
    /// Shorter side of the face's box, pixels.
    pub face_size: f32,
    /// Between the eyes if the face looked into the camera, pixels: the scale of the mean face that
    /// [`Pose`] fits. OFIQ divides the distance by the cosine of yaw, which is the same for moderate turns.
    pub inter_eye_distance: f32,
    /// The Laplacian's root mean square over the standard deviation of the smoothed face's grey levels,
    /// 0..=1: which share of the contrast is fine detail. Around 0.2 in good pictures; below 0.07 recognition suffers, by
    /// blur or because a small face has no more detail.
    /// This library's own measure; OFIQ's is a random forest.
    pub sharpness: f32,
    /// Mean luminance (BT.709 of linear light) of the face, 0..=1. Middle grey is 0.2.
    pub luminance_mean: f32,
    /// Variance of the luminance, 0..=0.25: its root is the contrast.
    pub luminance_variance: f32,
    /// Share of the face with a luminance of at most 25 of 255, 0..=1. Dark skin in good light may have
    /// half, which is why OFIQ objects from 0.8 on only.
    pub under_exposure: f32,
    /// Share of the face with a luminance of at least 247 of 255, 0..=1.
    pub over_exposure: f32,
    /// Entropy of the luminance in 256 levels, 0..=8 bits.
    pub dynamic_range: f32,
    /// Where the face looks.
    pub pose: Pose,
    /// Root mean square distance of the five landmarks from those of the mean face in that pose, in
    /// inter-eye distances, 0..=1. Above 0.1 the landmarks are misplaced, or belong to no face.
    pub landmark_residual: f32,
    /// Share of the face's box inside the picture, 0..=1.
    pub share_inside: f32,
    /// The detector's confidence, 0..=1. Comparable between faces of one detector only.
    pub detector_score: f32,
    /// Side of the next largest face relative to this one's, 0 (alone) to 1 (as large or larger): the native
    /// value of OFIQ's `SingleFacePresent`.
    pub second_face: f32,
}

/// What was found in a picture, to be measured.
#[derive(Clone, Copy, Debug, PartialEq)]
#[expect(clippy::exhaustive_structs, reason = "what a detector says of a face")]
pub struct Found {
    /// The face's box, pixels of the picture.
    pub bounds: Rect,
    /// Its landmarks, pixels of the picture.
    pub landmarks: Landmarks,
    /// The detector's confidence, 0..=1.
    pub detector_score: f32,
    /// Area of the next largest face in the picture, square pixels; 0 when it is alone.
    pub next_area: f32,
}

impl Quality {
    /// Measures the face `found` in `picture`.
    ///
    /// # Errors
    /// [`InvalidArgument`](crate::ErrorKind::InvalidArgument) when the landmarks determine no pose, as
    /// [`align`](fn@align).
    pub fn measure(picture: &Raster<'_>, found: &Found) -> Result<Self> {
        let crop = align(picture, &found.landmarks, &AlignmentTemplate::ARCFACE_112)?;
        Self::of_crop((picture.width(), picture.height()), found, &crop)
    }

    /// As [`measure`](Self::measure), for a face that was aligned to [`AlignmentTemplate::ARCFACE_112`]
    /// already, in a picture of `size`.
    pub(crate) fn of_crop(size: (u32, u32), found: &Found, crop: &RgbImage) -> Result<Self> {
        let to_crop = AlignmentTemplate::ARCFACE_112.transform(&found.landmarks)?;
        let pixels = pixels::Pixels::measure(crop, &to_crop, size);
        let fit = pose::fit(&found.landmarks)?;
        let share = |value: f32| if value > 0.0 { value.min(1.0) } else { 0.0 };
        #[expect(clippy::cast_precision_loss, reason = "sides of pictures are below 2^16")]
        let inside = found.bounds.share_inside(size.0 as f32, size.1 as f32);
        let mut quality = Self {
            score: 0.0,
            face_size: pixels_of(f64::from(found.bounds.shorter_side())),
            inter_eye_distance: pixels_of(fit.inter_eye_distance),
            sharpness: number(pixels.sharpness),
            luminance_mean: number(pixels.luminance_mean),
            luminance_variance: number(pixels.luminance_variance),
            under_exposure: number(pixels.under_exposure),
            over_exposure: number(pixels.over_exposure),
            dynamic_range: number(pixels.dynamic_range),
            pose: fit.pose,
            landmark_residual: share(number(fit.residual)),
            share_inside: share(inside),
            detector_score: share(found.detector_score),
            second_face: share((found.next_area / found.bounds.area()).sqrt()),
        };
        quality.score = component::unified(&quality);
        Ok(quality)
    }

    /// The value of `measure`, in its unit.
    #[must_use]
    pub const fn get(&self, measure: Measure) -> f32 {
        match measure {
            Measure::Score => self.score,
            Measure::FaceSize => self.face_size,
            Measure::InterEyeDistance => self.inter_eye_distance,
            Measure::Sharpness => self.sharpness,
            Measure::LuminanceMean => self.luminance_mean,
            Measure::LuminanceVariance => self.luminance_variance,
            Measure::UnderExposure => self.under_exposure,
            Measure::OverExposure => self.over_exposure,
            Measure::DynamicRange => self.dynamic_range,
            Measure::Yaw => self.pose.yaw,
            Measure::Pitch => self.pose.pitch,
            Measure::Roll => self.pose.roll,
            Measure::LandmarkResidual => self.landmark_residual,
            Measure::ShareInside => self.share_inside,
            Measure::DetectorScore => self.detector_score,
            Measure::SecondFace => self.second_face,
        }
    }

    /// The value of `measure` as ISO/IEC 29794-5's quality component, 0 (worst) to 100, mapped as OFIQ 1.0.3
    /// does; `None` for measures that are not the standard's.
    #[must_use]
    pub fn component(&self, measure: Measure) -> Option<f32> {
        component::component(measure, self.get(measure))
    }
}

/// A length that is finite and not negative: boxes and landmarks are within a million pixels.
fn pixels_of(length: f64) -> f32 {
    if length > 0.0 { number(length.min(1e7)) } else { 0.0 }
}

#[expect(clippy::cast_possible_truncation, reason = "measures are kept in f32")]
const fn number(value: f64) -> f32 {
    value as f32
}
