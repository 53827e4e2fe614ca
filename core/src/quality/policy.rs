//! Which faces are good enough for what.

use super::{Issue, Measure, Quality};

/// Bounds on measures: what a face must have to be used.
///
/// The presets were set on 400 press photographs (of people in no pair of LFW) and on what blurring, darkening,
/// shrinking and turning them did to their templates; `faceprint eval quality` measures what they refuse and
/// miss on other pictures. Bounds on angles are on what the detector's landmarks say, which is less
/// than the head's turn beyond about 40°: 60° read as 31°, see [`Pose`](super::Pose). A bound of 30° keeps out most heads
/// turned by 45°, and a fifth of those turned by 60° pass it; one above 31° keeps out few of either.
///
/// Start from a preset and move single bounds:
/// ```
/// use faceprint::quality::{Measure, Policy};
///
/// let policy = Policy::kiosk().at_least(Measure::InterEyeDistance, 80.0).at_most(Measure::Yaw, 20.0);
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Policy {
    /// By [`Measure::index`].
    bounds: [Bounds; Measure::ALL.len()],
}

/// A closed range; an infinite end is no bound.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Bounds {
    minimum: f32,
    maximum: f32,
}

impl Policy {
    /// No bound at all: every face passes.
    #[must_use]
    pub const fn any() -> Self {
        let open = Bounds { minimum: f32::NEG_INFINITY, maximum: f32::INFINITY };
        Self { bounds: [open; Measure::ALL.len()] }
    }

    /// For a template that is kept for years and compared every day: a person who stands still, looks
    /// into the camera and may be asked to try again.
    #[must_use]
    pub const fn enrollment() -> Self {
        Self::kiosk()
            .at_least(Measure::Score, 60.0)
            .at_least(Measure::FaceSize, 64.0)
            .at_least(Measure::InterEyeDistance, 30.0)
            .at_least(Measure::Sharpness, 0.12)
            .at_least(Measure::LuminanceMean, 0.03)
            .at_most(Measure::LuminanceMean, 0.8)
            .at_most(Measure::UnderExposure, 0.9)
            .at_most(Measure::OverExposure, 0.2)
            .at_least(Measure::DynamicRange, 5.0)
            .at_most(Measure::Yaw, 30.0)
            .at_most(Measure::Pitch, 20.0)
            .at_most(Measure::Roll, 20.0)
            .at_most(Measure::LandmarkResidual, 0.1)
            .at_least(Measure::ShareInside, 0.95)
    }

    /// For one person in front of a door or a terminal who wants to be recognised. What an engine
    /// captures by unless told otherwise.
    #[must_use]
    pub const fn kiosk() -> Self {
        Self::surveillance()
            .at_least(Measure::Score, 45.0)
            .at_least(Measure::FaceSize, 40.0)
            .at_least(Measure::InterEyeDistance, 18.0)
            .at_least(Measure::Sharpness, 0.085)
            .at_least(Measure::LuminanceMean, 0.01)
            .at_least(Measure::DynamicRange, 3.0)
            .at_most(Measure::Yaw, 40.0)
            .at_most(Measure::Pitch, 30.0)
            .at_least(Measure::ShareInside, 0.9)
            .at_most(Measure::SecondFace, 0.5)
    }

    /// For people who pass by and are not asked: only faces that would give a meaningless template are
    /// left out. Other faces in the picture do not matter.
    #[must_use]
    pub const fn surveillance() -> Self {
        Self::any()
            .at_least(Measure::Score, 10.0)
            .at_least(Measure::FaceSize, 24.0)
            .at_least(Measure::Sharpness, 0.05)
            .at_least(Measure::DynamicRange, 1.5)
            .at_most(Measure::Yaw, 60.0)
            .at_most(Measure::Pitch, 45.0)
            .at_most(Measure::LandmarkResidual, 0.15)
            .at_least(Measure::ShareInside, 0.7)
    }

    /// The same policy where `measure` must be at least `minimum`, in the measure's unit. For no bound,
    /// negative infinity.
    #[must_use]
    pub const fn at_least(mut self, measure: Measure, minimum: f32) -> Self {
        self.bounds[measure.index()].minimum = minimum;
        self
    }

    /// The same policy where `measure` may be at most `maximum`, in the measure's unit; for an angle
    /// to either side. For no bound, infinity.
    #[must_use]
    pub const fn at_most(mut self, measure: Measure, maximum: f32) -> Self {
        self.bounds[measure.index()].maximum = maximum;
        self
    }

    /// What `measure` must be at least.
    #[must_use]
    pub fn minimum(&self, measure: Measure) -> Option<f32> {
        Some(self.bounds[measure.index()].minimum).filter(|it| it.is_finite())
    }

    /// What `measure` may be at most.
    #[must_use]
    pub fn maximum(&self, measure: Measure) -> Option<f32> {
        Some(self.bounds[measure.index()].maximum).filter(|it| it.is_finite())
    }

    /// What speaks against a face of this quality, in the order of [`Measure::ALL`]; nothing when it
    /// is good enough.
    #[must_use]
    pub fn judge(&self, quality: &Quality) -> Vec<Issue> {
        let mut issues = Vec::new();
        for measure in Measure::ALL {
            let value = quality.get(measure);
            let judged = if measure.is_angle() { value.abs() } else { value };
            let Bounds { minimum, maximum } = self.bounds[measure.index()];
            if judged < minimum {
                issues.push(Issue::TooLow { measure, value, minimum });
            }
            if judged > maximum {
                issues.push(Issue::TooHigh { measure, value, maximum });
            }
        }
        issues
    }
}

/// [`kiosk`](Self::kiosk).
impl Default for Policy {
    fn default() -> Self {
        Self::kiosk()
    }
}
