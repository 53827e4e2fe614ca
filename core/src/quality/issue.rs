//! Why a face is not good enough, with the numbers.

use std::fmt;

use super::Measure;

/// Why a picture or a face is not usable, with the measured number and its bound.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Issue {
    /// No face was found.
    NoFace,
    /// A measure is below its bound.
    TooLow {
        /// What was measured.
        measure: Measure,
        /// What it is.
        value: f32,
        /// What it must be at least.
        minimum: f32,
    },
    /// A measure is above its bound. Angles are compared without their sign.
    TooHigh {
        /// What was measured.
        measure: Measure,
        /// What it is.
        value: f32,
        /// What it may be at most.
        maximum: f32,
    },
    /// The liveness models take the face for a presentation attack.
    NotLive {
        /// Their score, 0..=1.
        score: f32,
        /// What it must be at least.
        minimum: f32,
    },
    /// The face of this frame is not that of the other frames.
    AnotherFace {
        /// Its similarity to the most typical frame, -1..=1.
        similarity: f32,
        /// What it must be at least.
        minimum: f32,
    },
}

impl Issue {
    /// A stable word for scripts and the bindings, and for the picture to show a user.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::NoFace => "no_face",
            Self::TooLow { measure, .. } => match measure {
                Measure::FaceSize | Measure::InterEyeDistance => "too_small",
                Measure::Sharpness => "blurred",
                Measure::LuminanceMean => "too_dark",
                Measure::LuminanceVariance | Measure::DynamicRange => "low_contrast",
                Measure::ShareInside => "cut_by_frame",
                Measure::DetectorScore => "doubtful_face",
                _ => "low_quality",
            },
            Self::TooHigh { measure, .. } => match measure {
                Measure::FaceSize | Measure::InterEyeDistance => "too_large",
                Measure::LuminanceMean => "too_bright",
                Measure::UnderExposure => "under_exposed",
                Measure::OverExposure => "over_exposed",
                Measure::LuminanceVariance | Measure::DynamicRange => "high_contrast",
                Measure::Yaw | Measure::Pitch => "turned",
                Measure::Roll => "tilted",
                Measure::LandmarkResidual => "doubtful_face",
                Measure::SecondFace => "several_faces",
                _ => "out_of_range",
            },
            Self::NotLive { .. } => "not_live",
            Self::AnotherFace { .. } => "another_face",
        }
    }
}

impl fmt::Display for Issue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (measure, value, word, bound) = match *self {
            Self::NoFace => return f.write_str("no face was found"),
            Self::NotLive { score, minimum } => {
                return write!(f, "liveness score is {score:.2}, minimum is {minimum:.2}");
            }
            Self::AnotherFace { similarity, minimum } => {
                return write!(
                    f,
                    "similarity to the other frames is {similarity:.2}, minimum is {minimum:.2}"
                );
            }
            Self::TooLow { measure, value, minimum } => (measure, value, "minimum", minimum),
            Self::TooHigh { measure, value, maximum } => (measure, value, "maximum", maximum),
        };
        let shown = measure.show(value);
        match measure {
            Measure::FaceSize => write!(f, "face is {shown} wide"),
            Measure::InterEyeDistance => write!(f, "face is {shown} between the eyes"),
            Measure::ShareInside => write!(f, "{shown} of the face is inside the picture"),
            Measure::UnderExposure => write!(f, "{shown} of the face is black"),
            Measure::OverExposure => write!(f, "{shown} of the face is white"),
            Measure::SecondFace => write!(f, "another face has {shown} of its size"),
            Measure::Yaw => write!(f, "face is turned {shown} to the side"),
            Measure::Pitch if value < 0.0 => write!(f, "face looks {} up", measure.show(-value)),
            Measure::Pitch => write!(f, "face looks {shown} down"),
            Measure::Roll => write!(f, "face is tilted {shown}"),
            Measure::Score => write!(f, "quality is {shown}"),
            Measure::LandmarkResidual => write!(f, "landmarks are {shown} off those of a face"),
            Measure::DynamicRange => write!(f, "dynamic range is {shown}"),
            Measure::Sharpness => write!(f, "sharpness is {shown}"),
            Measure::LuminanceMean => write!(f, "luminance is {shown}"),
            Measure::LuminanceVariance => write!(f, "luminance variance is {shown}"),
            Measure::DetectorScore => write!(f, "detector score is {shown}"),
        }?;
        let bound = measure.show(bound);
        write!(f, ", {word} is {}", bound.strip_suffix(" px").unwrap_or(&bound))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_carry_the_number_and_the_bound() {
        let low = |measure, value, minimum| Issue::TooLow { measure, value, minimum }.to_string();
        let high = |measure, value, maximum| Issue::TooHigh { measure, value, maximum }.to_string();
        assert_eq!(
            low(Measure::InterEyeDistance, 41.2, 60.0),
            "face is 41 px between the eyes, minimum is 60"
        );
        assert_eq!(
            low(Measure::ShareInside, 0.8, 0.9),
            "80 % of the face is inside the picture, minimum is 90 %"
        );
        assert_eq!(high(Measure::Pitch, -31.0, 25.0), "face looks 31° up, maximum is 25°");
        assert_eq!(
            high(Measure::SecondFace, 0.71, 0.5),
            "another face has 71 % of its size, maximum is 50 %"
        );
    }
}
