//! The one prominent face of a picture, or why it is not usable.

use std::fmt;

use super::Engine;
use crate::detect::Detection;
use crate::error::Result;
use crate::image::ImageView;
use crate::vector::Template;

/// Shorter side of the smallest face worth a template when the engine has no `min_face`, pixels. The
/// bound of InsightFace Server's enrolment (`quality.py`, 2026-07).
const DEFAULT_MIN_FACE: u32 = 40;

/// A second face at least this share of the prominent one's size competes with it: a kiosk's user
/// against a passer-by in the background.
const COMPETING_SIZE: f32 = 0.5;

/// Least share of the face's box that must lie inside the picture. Boxes reach a little over the
/// edge for close-ups that are complete.
const MIN_SHARE_INSIDE: f32 = 0.9;

/// The outcome of a capture. A poor picture is an outcome, not an error.
#[derive(Clone, Debug)]
#[expect(clippy::exhaustive_enums, reason = "a capture is usable or not")]
pub enum Capture {
    /// One prominent face.
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
}

/// Why a picture gives no sample, with the measured number and its bound.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Issue {
    /// No face was found.
    NoFace,
    /// Other faces are not much smaller than the largest.
    SeveralFaces {
        /// How many compete, the largest included.
        count: usize,
    },
    /// The face is too small.
    TooSmall {
        /// Shorter side of its box, pixels.
        pixels: f32,
        /// The least, pixels.
        minimum: u32,
    },
    /// The face is cut by the picture's edge.
    CutByFrame {
        /// Share of its box inside the picture, 0..=1.
        inside: f32,
        /// The least share.
        minimum: f32,
    },
}

impl fmt::Display for Issue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoFace => write!(f, "no face was found"),
            Self::SeveralFaces { count } => {
                write!(f, "{count} faces of similar size, one is needed")
            }
            Self::TooSmall { pixels, minimum } => {
                write!(f, "face is {pixels:.0} px wide, minimum is {minimum}")
            }
            Self::CutByFrame { inside, minimum } => write!(
                f,
                "{:.0} % of the face is inside the picture, minimum is {:.0} %",
                inside * 100.0,
                minimum * 100.0
            ),
        }
    }
}

impl Engine {
    /// The one prominent face of `image` with its template, or why there is none.
    ///
    /// # Errors
    /// As [`analyze`](Self::analyze). A poor picture is not an error.
    pub fn capture(&self, image: &ImageView<'_>) -> Result<Capture> {
        let raster = image.raster();
        let detector = self.detector()?;
        let minimum = detector.options().min_face.unwrap_or(DEFAULT_MIN_FACE);
        let faces = detector.detect(&raster, self.lane)?;
        let size = (raster.width(), raster.height());
        match judge(&faces, size, minimum) {
            Ok(detection) => {
                let template = self.template_in(&raster, &detection.landmarks)?;
                Ok(Capture::Usable(Sample { detection, template }))
            }
            Err(issues) => Ok(Capture::Rejected(issues)),
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "sides of pictures are below 2^16")]
fn judge(
    faces: &[Detection],
    (width, height): (u32, u32),
    minimum: u32,
) -> std::result::Result<Detection, Vec<Issue>> {
    let side = |face: &Detection| face.bounds.shorter_side();
    let Some(prominent) = faces.iter().max_by(|a, b| side(a).total_cmp(&side(b))) else {
        return Err(vec![Issue::NoFace]);
    };
    let mut issues = Vec::new();
    let count = faces.iter().filter(|face| side(face) >= COMPETING_SIZE * side(prominent)).count();
    if count > 1 {
        issues.push(Issue::SeveralFaces { count });
    }
    if side(prominent) < minimum as f32 {
        issues.push(Issue::TooSmall { pixels: side(prominent), minimum });
    }
    let inside = prominent.bounds.share_inside(width as f32, height as f32);
    if inside < MIN_SHARE_INSIDE {
        issues.push(Issue::CutByFrame { inside, minimum: MIN_SHARE_INSIDE });
    }
    if issues.is_empty() { Ok(*prominent) } else { Err(issues) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::geometry::{Landmarks, Rect};

    fn face(x: f32, side: f32) -> Detection {
        let bounds = Rect { x, y: 20.0, width: side, height: side * 1.2 };
        Detection { bounds, landmarks: Landmarks::default(), score: 0.9 }
    }

    #[test]
    fn each_reason_is_given_with_its_numbers() {
        let picture = (400, 300);
        assert_eq!(judge(&[], picture, 40).unwrap_err(), [Issue::NoFace]);
        assert_eq!(
            judge(&[face(10.0, 100.0), face(200.0, 60.0), face(300.0, 20.0)], picture, 40)
                .unwrap_err(),
            [Issue::SeveralFaces { count: 2 }]
        );
        assert_eq!(
            judge(&[face(10.0, 30.0)], picture, 40).unwrap_err(),
            [Issue::TooSmall { pixels: 30.0, minimum: 40 }]
        );
        let issues = judge(&[face(-20.0, 100.0)], picture, 40).unwrap_err();
        assert_eq!(issues.len(), 1);
        assert_eq!(
            issues[0].to_string(),
            "80 % of the face is inside the picture, minimum is 90 %"
        );
    }

    #[test]
    fn a_passer_by_does_not_spoil_the_capture() {
        let faces = [face(300.0, 30.0), face(10.0, 100.0)];
        assert!((judge(&faces, (400, 300), 40).unwrap().bounds.width - 100.0).abs() < f32::EPSILON);
    }
}
