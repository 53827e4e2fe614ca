//! The eight ways a picture can be stored.

use crate::error::{Error, ErrorKind, Result};

/// The turn that has to be applied to the stored picture so that it is upright. The numbers are those
/// of the EXIF orientation tag.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "a rectangle has eight orientations")]
pub enum Orientation {
    /// Nothing: the picture is stored upright.
    #[default]
    Upright = 1,
    /// Mirror left and right.
    FlipHorizontal = 2,
    /// Turn by 180 degrees.
    Rotate180 = 3,
    /// Mirror top and bottom.
    FlipVertical = 4,
    /// Mirror along the diagonal from the top left.
    Transpose = 5,
    /// Turn clockwise by 90 degrees. Most phones held upright store this.
    Rotate90 = 6,
    /// Mirror along the diagonal from the top right.
    Transverse = 7,
    /// Turn clockwise by 270 degrees.
    Rotate270 = 8,
}

impl Orientation {
    /// Every orientation, in the order of the EXIF numbers.
    pub const ALL: [Self; 8] = [
        Self::Upright,
        Self::FlipHorizontal,
        Self::Rotate180,
        Self::FlipVertical,
        Self::Transpose,
        Self::Rotate90,
        Self::Transverse,
        Self::Rotate270,
    ];

    /// From the value of the EXIF orientation tag, 1..=8.
    ///
    /// # Errors
    /// [`InvalidArgument`](ErrorKind::InvalidArgument) for any other number.
    pub fn from_exif(value: u8) -> Result<Self> {
        let index = usize::from(value).checked_sub(1);
        index.and_then(|index| Self::ALL.get(index)).copied().ok_or_else(|| {
            Error::new(
                ErrorKind::InvalidArgument,
                format!("exif orientation is {value}, must be 1 to 8"),
            )
        })
    }

    /// From the clockwise turn a camera reports (Android's `rotationDegrees`): 0, 90, 180 or 270.
    ///
    /// # Errors
    /// [`InvalidArgument`](ErrorKind::InvalidArgument) for any other number.
    pub fn from_degrees_clockwise(degrees: u32) -> Result<Self> {
        match degrees {
            0 => Ok(Self::Upright),
            90 => Ok(Self::Rotate90),
            180 => Ok(Self::Rotate180),
            270 => Ok(Self::Rotate270),
            _ => Err(Error::new(
                ErrorKind::InvalidArgument,
                format!("rotation is {degrees} degrees, must be 0, 90, 180 or 270"),
            )),
        }
    }

    /// The value of the EXIF orientation tag, 1..=8.
    #[must_use]
    pub const fn exif(self) -> u8 {
        self as u8
    }

    /// Whether width and height change places.
    #[must_use]
    pub const fn swaps_sides(self) -> bool {
        matches!(self, Self::Transpose | Self::Rotate90 | Self::Transverse | Self::Rotate270)
    }

    /// Whether upright columns run against the stored axis they come from.
    pub(super) const fn reverses_x(self) -> bool {
        matches!(self, Self::FlipHorizontal | Self::Rotate180 | Self::Rotate90 | Self::Transverse)
    }

    /// Whether upright rows run against the stored axis they come from.
    pub(super) const fn reverses_y(self) -> bool {
        matches!(self, Self::FlipVertical | Self::Rotate180 | Self::Rotate270 | Self::Transverse)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn numbers_are_those_of_exif() {
        for value in 1..=8 {
            assert_eq!(Orientation::from_exif(value).unwrap().exif(), value);
        }
        for value in [0, 9, 255] {
            assert!(Orientation::from_exif(value).is_err());
        }
    }

    #[test]
    fn cameras_turn_in_quarters() {
        assert_eq!(Orientation::from_degrees_clockwise(90).unwrap(), Orientation::Rotate90);
        assert!(Orientation::from_degrees_clockwise(45).is_err());
        assert!(Orientation::from_degrees_clockwise(360).is_err());
    }
}
