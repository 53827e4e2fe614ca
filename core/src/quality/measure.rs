//! The names of what is measured.

use std::fmt;

/// One thing that is measured of a face. Names follow ISO/IEC 29794-5:2025 where it has the measure;
/// [`Quality`](super::Quality) tells what each is and how it is scaled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Measure {
    /// The unified score, 0..=100.
    Score,
    /// Shorter side of the face's box, pixels.
    FaceSize,
    /// Distance between the eyes of the face turned to the camera, pixels.
    InterEyeDistance,
    /// Fine detail against coarse contrast, 0..=1.
    Sharpness,
    /// Mean luminance of the face, 0 black to 1 white, linear light.
    LuminanceMean,
    /// Variance of the luminance, 0..=0.25.
    LuminanceVariance,
    /// Share of the face that is nearly black, 0..=1.
    UnderExposure,
    /// Share of the face that is nearly white, 0..=1.
    OverExposure,
    /// Entropy of the luminance, 0..=8 bits.
    DynamicRange,
    /// Turn to the side, degrees.
    Yaw,
    /// Turn up or down, degrees.
    Pitch,
    /// Tilt in the picture, degrees.
    Roll,
    /// How far the landmarks are from a face's, in inter-eye distances, 0..=1.
    LandmarkResidual,
    /// Share of the face's box inside the picture, 0..=1.
    ShareInside,
    /// The detector's confidence, 0..=1.
    DetectorScore,
    /// Size of the next largest face relative to this one, 0 (alone) to 1.
    SecondFace,
}

impl Measure {
    /// Every measure, in the order of the enum.
    pub const ALL: [Self; 16] = [
        Self::Score,
        Self::FaceSize,
        Self::InterEyeDistance,
        Self::Sharpness,
        Self::LuminanceMean,
        Self::LuminanceVariance,
        Self::UnderExposure,
        Self::OverExposure,
        Self::DynamicRange,
        Self::Yaw,
        Self::Pitch,
        Self::Roll,
        Self::LandmarkResidual,
        Self::ShareInside,
        Self::DetectorScore,
        Self::SecondFace,
    ];

    /// The name in lowercase, as JSON and the bindings spell it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Score => "score",
            Self::FaceSize => "face_size",
            Self::InterEyeDistance => "inter_eye_distance",
            Self::Sharpness => "sharpness",
            Self::LuminanceMean => "luminance_mean",
            Self::LuminanceVariance => "luminance_variance",
            Self::UnderExposure => "under_exposure",
            Self::OverExposure => "over_exposure",
            Self::DynamicRange => "dynamic_range",
            Self::Yaw => "yaw",
            Self::Pitch => "pitch",
            Self::Roll => "roll",
            Self::LandmarkResidual => "landmark_residual",
            Self::ShareInside => "share_inside",
            Self::DetectorScore => "detector_score",
            Self::SecondFace => "second_face",
        }
    }

    /// Whether it is an angle, whose sign tells the side and whose size is judged.
    #[must_use]
    pub const fn is_angle(self) -> bool {
        matches!(self, Self::Yaw | Self::Pitch | Self::Roll)
    }

    /// `value` in the measure's unit and with the digits that mean something.
    pub(super) fn show(self, value: f32) -> String {
        match self {
            Self::FaceSize | Self::InterEyeDistance => format!("{value:.0} px"),
            Self::Yaw | Self::Pitch | Self::Roll => format!("{value:.0}°"),
            Self::UnderExposure | Self::OverExposure | Self::ShareInside | Self::SecondFace => {
                format!("{:.0} %", value * 100.0)
            }
            Self::DynamicRange => format!("{value:.1} bits"),
            Self::Score => format!("{value:.0}"),
            Self::LuminanceVariance | Self::LandmarkResidual | Self::Sharpness => {
                format!("{value:.3}")
            }
            Self::LuminanceMean | Self::DetectorScore => format!("{value:.2}"),
        }
    }

    /// Its place in [`ALL`](Self::ALL).
    pub(super) const fn index(self) -> usize {
        self as usize
    }
}

impl fmt::Display for Measure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_is_in_the_order_of_the_enum() {
        for (index, measure) in Measure::ALL.into_iter().enumerate() {
            assert_eq!(measure.index(), index);
        }
    }
}
