//! How large a picture is made for the network, and how often it is looked at.
//!
//! A detector finds faces of a certain range of sizes, in pixels of its input. The plan makes the
//! smallest face that matters as large as it must be, and adds a second, smaller look when a face
//! that fills the frame would be above the range: the peers' "no face found" on close-ups.

use crate::error::{Error, ErrorKind, Result};
use crate::image::Letterbox;
use crate::pack::DetectorSpec;

use super::DetectOptions;

/// How large the picture is made for the network.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum DetectionSize {
    /// From the picture and the smallest face that matters; never enlarged, and without a smallest face
    /// no longer than [`AUTO_SIDE`](Self::AUTO_SIDE). A second, smaller look catches faces that fill the frame.
    #[default]
    Auto,
    /// As it is, padded to a multiple of 32, as OpenCV's `FaceDetectorYN` does. One look.
    Native,
    /// Fitted into a square with this side, a multiple of 32, as InsightFace does with 640. One look.
    Square(u32),
}

impl DetectionSize {
    /// The longer side that [`Auto`](Self::Auto) works at when no smallest face is given: InsightFace's 640.
    pub const AUTO_SIDE: u32 = 640;
    /// The longest side of a network's input, whatever was asked for: 4096 x 4096 x 3 floats are 200 MB.
    pub const MAX_SIDE: u32 = 4096;

    pub(super) fn check(self) -> Result<()> {
        match self {
            Self::Square(side)
                if side == 0 || !side.is_multiple_of(MULTIPLE) || side > Self::MAX_SIDE =>
            {
                Err(Error::new(
                    ErrorKind::InvalidArgument,
                    format!(
                        "detection size is {side}, must be a multiple of {MULTIPLE} up to {}",
                        Self::MAX_SIDE
                    ),
                ))
            }
            _ => Ok(()),
        }
    }
}

/// The coarsest stride of all families: canvases are multiples of it.
const MULTIPLE: u32 = 32;

/// One look at the picture.
pub(super) struct Scale {
    pub(super) letterbox: Letterbox,
    /// Smaller faces are left to the other look, pixels of the picture.
    pub(super) smallest_face: f32,
}

/// The looks at a picture of `width` x `height`, the finest first.
pub(super) fn scales(
    width: u32,
    height: u32,
    options: &DetectOptions,
    spec: &DetectorSpec,
) -> Result<Vec<Scale>> {
    let picture = (width, height);
    let whole = |letterbox| Scale { letterbox, smallest_face: 0.0 };
    let longest = as_f32(width.max(height));
    match options.size {
        DetectionSize::Square(side) => Ok(vec![whole(Letterbox::fit(picture, (side, side)))]),
        DetectionSize::Native => {
            if width.max(height) > DetectionSize::MAX_SIDE {
                return Err(Error::new(
                    ErrorKind::LimitExceeded,
                    format!(
                        "a picture of {width}x{height} is too large to detect at its own size, at most {}; \
                         use the automatic size",
                        DetectionSize::MAX_SIDE
                    ),
                ));
            }
            Ok(vec![whole(Letterbox::pad(picture, MULTIPLE))])
        }
        DetectionSize::Auto => {
            let (smallest, largest) = spec.face_range;
            let wanted =
                options.min_face.map_or(as_f32(DetectionSize::AUTO_SIDE) / longest, |face| {
                    (smallest / as_f32(face)).min(as_f32(DetectionSize::MAX_SIDE) / longest)
                });
            let fine = wanted.min(1.0);
            let mut looks = vec![whole(Letterbox::scaled(picture, fine, MULTIPLE))];
            if longest * fine > largest {
                // A face that fills the frame comes to half the largest size that is found.
                let coarse = largest / 2.0 / longest;
                looks.push(Scale {
                    letterbox: Letterbox::scaled(picture, coarse, MULTIPLE),
                    smallest_face: largest / 2.0 / fine,
                });
            }
            Ok(looks)
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "sides of pictures are below 2^16")]
const fn as_f32(side: u32) -> f32 {
    side as f32
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Result;

    /// Canvas and smallest face of each look of a detector that finds faces of 16 to 300 px.
    fn looks(
        picture: (u32, u32),
        size: DetectionSize,
        min_face: Option<u32>,
    ) -> Vec<((u32, u32), u32)> {
        planned(picture, size, min_face)
            .unwrap()
            .iter()
            .map(|look| (look.letterbox.canvas(), rounded(look.smallest_face)))
            .collect()
    }

    fn planned(
        (width, height): (u32, u32),
        size: DetectionSize,
        min_face: Option<u32>,
    ) -> Result<Vec<Scale>> {
        let options = DetectOptions { size, min_face, ..DetectOptions::default() };
        let spec =
            DetectorSpec { face_range: (16.0, 300.0), score_threshold: 0.6, nms_threshold: 0.3 };
        scales(width, height, &options, &spec)
    }

    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "small and positive"
    )]
    fn rounded(value: f32) -> u32 {
        value.round() as u32
    }

    #[test]
    fn a_large_picture_is_made_smaller_and_looked_at_twice() {
        // 4000x3000 at 0.16; a face above 300 px there is 1875 px here, and half of that is left to
        // the second look, which brings a face that fills the frame to 150 px.
        let found = looks((4000, 3000), DetectionSize::Auto, None);
        assert_eq!(found, [((640, 480), 0), ((160, 128), 938)]);
    }

    #[test]
    fn a_small_picture_is_neither_enlarged_nor_looked_at_twice() {
        assert_eq!(looks((250, 250), DetectionSize::Auto, None), [((256, 256), 0)]);
        assert_eq!(looks((1, 1), DetectionSize::Auto, None), [((32, 32), 0)]);
    }

    #[test]
    fn the_smallest_face_that_matters_sets_the_size() {
        // 80 px are wanted and 16 are enough: a fifth of the size.
        assert_eq!(looks((1920, 1080), DetectionSize::Auto, Some(80))[0].0, (384, 224));
        // Small faces of a large picture need more than 640 px, but never more than 4096.
        assert_eq!(looks((3840, 2160), DetectionSize::Auto, Some(20))[0].0, (3072, 1728));
        assert_eq!(looks((20_000, 100), DetectionSize::Auto, Some(16))[0].0.0, 4096);
    }

    #[test]
    fn the_peers_sizes_are_one_look() {
        assert_eq!(looks((800, 554), DetectionSize::Native, None), [((800, 576), 0)]);
        assert_eq!(looks((800, 554), DetectionSize::Square(640), None), [((640, 640), 0)]);
        let error = planned((5000, 10), DetectionSize::Native, None).err().map(|it| it.kind());
        assert_eq!(error, Some(ErrorKind::LimitExceeded));
    }
}
