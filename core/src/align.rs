//! Faces brought into the pose that embedding networks are trained on.
//!
//! [`align`] finds the least-squares similarity (turn, scale, shift) that takes five landmarks to
//! those of a template, and samples the picture through it. Both steps use arithmetic whose result does
//! not depend on the target, so a face has the same crop on a phone and on a server.

use crate::error::{Error, ErrorKind, Result};
use crate::geometry::{Landmarks, Point};
use crate::image::{Raster, RgbImage};

mod umeyama;
mod warp;

pub use umeyama::Similarity2d;
pub use warp::warp;

/// The largest coordinate a landmark may have, pixels either way. Pictures end at 65,535.
const MAX_COORDINATE: f32 = 1e6;

/// The longest side of a crop, pixels.
const MAX_CROP: u32 = 4096;

/// A crop of `width` x `height` pixels, RGB, in which the landmarks of the face in `raster` lie where
/// `template` has them, as near as a similarity can bring them. Black where the picture ends.
///
/// # Errors
/// [`InvalidArgument`](ErrorKind::InvalidArgument) when a landmark is not finite or farther out than a
/// million pixels, or the landmarks determine no pose (all in one spot, or without likeness to a face).
pub fn align(
    raster: &Raster<'_>,
    landmarks: &Landmarks,
    template: &AlignmentTemplate,
) -> Result<RgbImage> {
    let transform = template.transform(landmarks)?;
    warp(raster, &transform, template.width, template.height)
}

/// Where the five landmarks of a face lie in an aligned crop.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AlignmentTemplate {
    width: u32,
    height: u32,
    points: Landmarks,
}

impl AlignmentTemplate {
    /// The 112 x 112 template of ArcFace (InsightFace `face_align.py`, `arcface_dst`), used by SFace too.
    pub const ARCFACE_112: Self = Self {
        width: 112,
        height: 112,
        points: Landmarks::from_points([
            Point::new(38.2946, 51.6963),
            Point::new(73.5318, 51.5014),
            Point::new(56.0252, 71.7366),
            Point::new(41.5493, 92.3655),
            Point::new(70.7299, 92.2041),
        ]),
    };

    /// The 128 x 128 template of face-reidentification-retail-0095 (its Open Model Zoo page, x 128).
    pub const RETAIL_0095_128: Self = Self {
        width: 128,
        height: 128,
        points: Landmarks::from_points([
            Point::new(0.315569 * 128.0, 0.461574 * 128.0),
            Point::new(0.682623 * 128.0, 0.459834 * 128.0),
            Point::new(0.500262 * 128.0, 0.640505 * 128.0),
            Point::new(0.349472 * 128.0, 0.824692 * 128.0),
            Point::new(0.653436 * 128.0, 0.823251 * 128.0),
        ]),
    };

    /// A template of `width` x `height` pixels, each 1..=4096, with its landmarks in pixels.
    ///
    /// # Errors
    /// [`InvalidArgument`](ErrorKind::InvalidArgument) when a side is out of range, or the points are
    /// not finite, not inside the crop, or all on one line.
    pub fn new(width: u32, height: u32, points: Landmarks) -> Result<Self> {
        let invalid = |message| Err(Error::new(ErrorKind::InvalidArgument, message));
        if !(1..=MAX_CROP).contains(&width) || !(1..=MAX_CROP).contains(&height) {
            return invalid(format!(
                "template is {width}x{height}, each side must be 1 to {MAX_CROP} pixels"
            ));
        }
        let inside = |value: f32, side: u32| value >= 0.0 && f64::from(value) <= f64::from(side);
        for (index, point) in points.points().into_iter().enumerate() {
            if !inside(point.x, width) || !inside(point.y, height) {
                return invalid(format!(
                    "template point {index} is ({}, {}), outside {width}x{height}",
                    point.x, point.y
                ));
            }
        }
        if umeyama::are_collinear(&points.points()) {
            return invalid("template points lie on one line".to_owned());
        }
        Ok(Self { width, height, points })
    }

    /// Width of a crop, pixels.
    #[must_use]
    pub const fn width(&self) -> u32 {
        self.width
    }

    /// Height of a crop, pixels.
    #[must_use]
    pub const fn height(&self) -> u32 {
        self.height
    }

    /// The landmarks in a crop, pixels.
    #[must_use]
    pub const fn points(&self) -> &Landmarks {
        &self.points
    }

    /// The similarity from picture pixels to crop pixels that takes `landmarks` nearest to the
    /// template's in the sense of least squares.
    ///
    /// # Errors
    /// As [`align`].
    pub fn transform(&self, landmarks: &Landmarks) -> Result<Similarity2d> {
        for (index, point) in landmarks.points().into_iter().enumerate() {
            if !(point.x.abs() <= MAX_COORDINATE && point.y.abs() <= MAX_COORDINATE) {
                return Err(Error::new(
                    ErrorKind::InvalidArgument,
                    format!(
                        "landmark {index} is ({}, {}), must be finite and at most {MAX_COORDINATE} \
                         pixels out",
                        point.x, point.y
                    ),
                ));
            }
        }
        Similarity2d::estimate(&landmarks.points(), &self.points.points())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn constants_are_valid_templates() {
        for template in [AlignmentTemplate::ARCFACE_112, AlignmentTemplate::RETAIL_0095_128] {
            let again = AlignmentTemplate::new(template.width, template.height, template.points);
            assert_eq!(again.unwrap(), template);
        }
    }

    #[test]
    fn templates_are_checked() {
        let good = AlignmentTemplate::ARCFACE_112.points;
        assert!(AlignmentTemplate::new(0, 112, good).is_err());
        assert!(AlignmentTemplate::new(112, 5000, good).is_err());
        assert!(AlignmentTemplate::new(90, 112, good).is_ok());
        assert!(AlignmentTemplate::new(112, 80, good).is_err());
        let nan = good.map(|point| Point::new(f32::NAN, point.y));
        assert!(AlignmentTemplate::new(112, 112, nan).is_err());
        let line = good.map(|point| Point::new(point.x, 50.0));
        assert!(AlignmentTemplate::new(112, 112, line).is_err());
    }

    #[test]
    fn landmarks_are_checked() {
        let picture = RgbImage::from_raw(4, 4, vec![0; 48]).unwrap();
        let template = AlignmentTemplate::ARCFACE_112;
        for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY, 1e30] {
            let mut landmarks = template.points;
            landmarks.nose.y = bad;
            let error = align(&picture.view().raster(), &landmarks, &template).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidArgument);
        }
        let one_spot = template.points.map(|_| Point::new(3.0, 3.0));
        assert!(align(&picture.view().raster(), &one_spot, &template).is_err());
        assert!(align(&picture.view().raster(), &template.points, &template).is_ok());
    }
}
