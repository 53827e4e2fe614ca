//! How good a face is, and how good it must be.

use faceprint::quality::Measure;
use faceprint::{Issue, Policy, Quality};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};

use crate::error::{Failure, Result};
use crate::record::record;

/// How good a face is as a sample, measured. ``score`` sums it up, 0 to 100: around 90 for a good portrait; below 30
/// most comparisons fail.
#[pyclass(frozen, module = "faceprint", name = "Quality")]
pub(crate) struct PyQuality(pub(crate) Quality);

/// One getter for each measure.
macro_rules! measures {
    ($($(#[$doc:meta])* $name:ident: $measure:ident,)*) => {
        #[pymethods]
        impl PyQuality {
            #[classattr]
            fn __match_args__(py: Python<'_>) -> PyResult<Py<PyTuple>> {
                Ok(PyTuple::new(py, ["score"])?.unbind())
            }

            $(
                $(#[$doc])*
                #[getter]
                fn $name(&self) -> f32 {
                    self.0.get(Measure::$measure)
                }
            )*

            /// The value of a measure as the quality component of ISO/IEC 29794-5, 0 (worst) to 100; ``None`` for
            /// measures that are not the standard's.
            fn component(&self, measure: &str) -> Result<Option<f32>> {
                Ok(self.0.component(measure_named(measure)?))
            }

            /// Every measure by name.
            fn to_dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
                let measures = PyDict::new(py);
                for measure in Measure::ALL {
                    measures.set_item(measure.name(), self.0.get(measure))?;
                }
                Ok(measures)
            }

            fn __repr__(&self) -> String {
                format!("Quality({:.0} of 100)", self.0.score)
            }
        }
    };
}

measures! {
    /// How well the face can be recognised, 0 to 100.
    score: Score,
    /// Shorter side of the face's box, pixels.
    face_size: FaceSize,
    /// Between the eyes if the face looked into the camera, pixels.
    inter_eye_distance: InterEyeDistance,
    /// Fine detail against coarse contrast, 0 to 1; around 0.2 in good pictures.
    sharpness: Sharpness,
    /// Mean luminance of the face in linear light, 0 black to 1 white.
    luminance_mean: LuminanceMean,
    /// Variance of the luminance, 0 to 0.25.
    luminance_variance: LuminanceVariance,
    /// Share of the face that is nearly black, 0 to 1.
    under_exposure: UnderExposure,
    /// Share of the face that is nearly white, 0 to 1.
    over_exposure: OverExposure,
    /// Entropy of the luminance, 0 to 8 bits.
    dynamic_range: DynamicRange,
    /// Turn to the side, degrees.
    yaw: Yaw,
    /// Turn up or down, degrees.
    pitch: Pitch,
    /// Tilt in the picture, degrees.
    roll: Roll,
    /// How far the landmarks are from those of a face, in inter-eye distances, 0 to 1.
    landmark_residual: LandmarkResidual,
    /// Share of the face's box inside the picture, 0 to 1.
    share_inside: ShareInside,
    /// The detector's confidence, 0 to 1.
    detector_score: DetectorScore,
    /// Size of the next largest face relative to this one, 0 (alone) to 1.
    second_face: SecondFace,
}

/// What ``Engine.capture`` asks of a face: bounds on measures.
///
/// Start from a preset and move single bounds: ``Policy.kiosk().at_least("inter_eye_distance", 80)``. Measures are
/// named as the attributes of ``Quality``.
#[pyclass(frozen, module = "faceprint", name = "Policy")]
pub(crate) struct PyPolicy(pub(crate) Policy);

#[pymethods]
impl PyPolicy {
    /// No bound at all: every face passes.
    #[staticmethod]
    fn any() -> Self {
        Self(Policy::any())
    }

    /// For a template that is kept for years: a person who stands still and may be asked to try again.
    #[staticmethod]
    fn enrollment() -> Self {
        Self(Policy::enrollment())
    }

    /// For one person in front of a door who wants to be recognised. What an engine uses unless told otherwise.
    #[staticmethod]
    fn kiosk() -> Self {
        Self(Policy::kiosk())
    }

    /// For people who pass by and are not asked.
    #[staticmethod]
    fn surveillance() -> Self {
        Self(Policy::surveillance())
    }

    /// The same policy where ``measure`` must be at least ``minimum``; ``-math.inf`` for no bound.
    fn at_least(&self, measure: &str, minimum: f32) -> Result<Self> {
        Ok(Self(self.0.clone().at_least(measure_named(measure)?, minimum)))
    }

    /// The same policy where ``measure`` may be at most ``maximum``, an angle to either side; ``math.inf`` for no bound.
    fn at_most(&self, measure: &str, maximum: f32) -> Result<Self> {
        Ok(Self(self.0.clone().at_most(measure_named(measure)?, maximum)))
    }

    /// What ``measure`` must be at least, if it is bounded.
    fn minimum(&self, measure: &str) -> Result<Option<f32>> {
        Ok(self.0.minimum(measure_named(measure)?))
    }

    /// What ``measure`` may be at most, if it is bounded.
    fn maximum(&self, measure: &str) -> Result<Option<f32>> {
        Ok(self.0.maximum(measure_named(measure)?))
    }

    /// What speaks against a face of this quality; nothing when it is good enough.
    fn judge(&self, py: Python<'_>, quality: &PyQuality) -> PyResult<Py<PyTuple>> {
        issues(py, self.0.judge(&quality.0))
    }

    fn __eq__(&self, other: &Bound<'_, PyAny>) -> bool {
        other.cast::<Self>().is_ok_and(|other| other.get().0 == self.0)
    }

    fn __repr__(&self) -> String {
        let bound = |sign, measure: Measure, value: Option<f32>| {
            value.map(|value| format!("{} {sign} {value}", measure.name()))
        };
        let bounds = Measure::ALL.into_iter().flat_map(|measure| {
            let least = bound(">=", measure, self.0.minimum(measure));
            least.into_iter().chain(bound("<=", measure, self.0.maximum(measure)))
        });
        format!("Policy({})", bounds.collect::<Vec<_>>().join(", "))
    }
}

record! {
    /// Why a face is not good enough, with the numbers. ``str`` of it is a sentence for people: "face is 41 px between
    /// the eyes, minimum is 60".
    #[pyo3(name = "Issue")]
    PyIssue {
        /// A stable word: ``"no_face"``, ``"too_small"``, ``"blurred"``, ``"too_dark"``, ``"turned"``, ``"several_faces"`` …
        name: &'static str,
        /// What was measured, as ``Quality`` names it; ``"liveness"`` and ``"similarity"`` for what it has not.
        measure: Option<&'static str>,
        /// What it is.
        value: Option<f32>,
        /// What it must be at least.
        minimum: Option<f32>,
        /// What it may be at most.
        maximum: Option<f32>,
        /// The sentence.
        message: String,
    }
    match ("name", "value")
    {
        pub(crate) fn __str__(&self) -> String {
            self.message.clone()
        }

        fn __repr__(&self) -> String {
            format!("Issue({}: {})", self.name, self.message)
        }
    }
}

impl From<Issue> for PyIssue {
    fn from(issue: Issue) -> Self {
        let (measure, value, minimum, maximum) = match issue {
            Issue::TooLow { measure, value, minimum } => {
                (Some(measure.name()), Some(value), Some(minimum), None)
            }
            Issue::TooHigh { measure, value, maximum } => {
                (Some(measure.name()), Some(value), None, Some(maximum))
            }
            Issue::NotLive { score, minimum } => {
                (Some("liveness"), Some(score), Some(minimum), None)
            }
            Issue::AnotherFace { similarity, minimum } => {
                (Some("similarity"), Some(similarity), Some(minimum), None)
            }
            _ => (None, None, None, None),
        };
        Self { name: issue.name(), measure, value, minimum, maximum, message: issue.to_string() }
    }
}

pub(crate) fn issues(py: Python<'_>, issues: Vec<Issue>) -> PyResult<Py<PyTuple>> {
    let issues = issues.into_iter().map(|issue| Py::new(py, PyIssue::from(issue)));
    Ok(PyTuple::new(py, issues.collect::<PyResult<Vec<_>>>()?)?.unbind())
}

/// A preset's name, or a policy.
pub(crate) fn policy(object: &Bound<'_, PyAny>) -> Result<Policy> {
    if let Ok(policy) = object.cast::<PyPolicy>() {
        return Ok(policy.get().0.clone());
    }
    match object.extract::<&str>()? {
        "any" => Ok(Policy::any()),
        "enrollment" => Ok(Policy::enrollment()),
        "kiosk" => Ok(Policy::kiosk()),
        "surveillance" => Ok(Policy::surveillance()),
        other => Err(Failure::Argument(format!(
            "policy is \"{other}\", must be a Policy, or any, enrollment, kiosk or surveillance"
        ))),
    }
}

fn measure_named(name: &str) -> Result<Measure> {
    let found = Measure::ALL.into_iter().find(|measure| measure.name() == name);
    found.ok_or_else(|| {
        let names = Measure::ALL.map(Measure::name).join(", ");
        Failure::Argument(format!("there is no measure \"{name}\", only {names}"))
    })
}
