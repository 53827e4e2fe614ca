//! What an engine finds in a picture.

use faceprint::engine::{Refusal, Selected};
use faceprint::liveness::Liveness;
use faceprint::{Capture, Detection, Face, Landmarks, Point, Rect, Sample};
use numpy::{AllowTypeChange, PyArray2, PyArrayLike2, PyArrayMethods};
use pyo3::prelude::*;
use pyo3::types::PyTuple;

use crate::error::{Failure, Result};
use crate::quality::{PyIssue, PyQuality, issues};
use crate::record::record;
use crate::template::PyTemplate;

record! {
    /// A box in pixels of the upright picture. It may reach over the edges. ``x, y, width, height = box`` works.
    #[pyo3(name = "Rect")]
    PyRect {
        /// Left edge.
        x: f32,
        /// Top edge.
        y: f32,
        /// Width.
        width: f32,
        /// Height.
        height: f32,
    }
    match ("x", "y", "width", "height")
    {
        /// Right edge.
        #[getter]
        fn right(&self) -> f32 {
            self.x + self.width
        }

        /// Bottom edge.
        #[getter]
        fn bottom(&self) -> f32 {
            self.y + self.height
        }

        fn __iter__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
            let sides = PyTuple::new(py, [self.x, self.y, self.width, self.height])?;
            Ok(sides.try_iter()?.into_any())
        }

        fn __eq__(&self, other: &Bound<'_, PyAny>) -> bool {
            other.cast::<Self>().is_ok_and(|other| self.plain() == other.get().plain())
        }

        fn __hash__(&self) -> u64 {
            let sides = [self.x, self.y, self.width, self.height];
            sides.iter().fold(17, |hash: u64, side| {
                hash.wrapping_mul(31).wrapping_add(u64::from(side.to_bits()))
            })
        }

        fn __repr__(&self) -> String {
            format!("Rect({:.0}, {:.0}, {:.0} x {:.0})", self.x, self.y, self.width, self.height)
        }
    }
}

impl PyRect {
    pub(crate) const fn plain(&self) -> Rect {
        Rect { x: self.x, y: self.y, width: self.width, height: self.height }
    }
}

impl From<Rect> for PyRect {
    fn from(Rect { x, y, width, height }: Rect) -> Self {
        Self { x, y, width, height }
    }
}

/// A face in a picture: where it is, and how sure the detector is.
///
/// ``Detection(bounds, landmarks, score=1.0)`` is one that something else has found: ``bounds`` are x, y, width and
/// height, ``landmarks`` the five points (eye, eye, nose, mouth corner, mouth corner, left ones of the picture first),
/// both in pixels of the upright picture.
#[pyclass(frozen, module = "faceprint", name = "Detection")]
pub(crate) struct PyDetection(pub(crate) Detection);

#[pymethods]
impl PyDetection {
    #[classattr]
    fn __match_args__(py: Python<'_>) -> PyResult<Py<PyTuple>> {
        Ok(PyTuple::new(py, ["bounds", "landmarks", "score"])?.unbind())
    }

    #[new]
    #[pyo3(signature = (bounds, landmarks, score = 1.0))]
    fn new(
        bounds: Bounds,
        landmarks: PyArrayLike2<'_, f32, AllowTypeChange>,
        score: f32,
    ) -> Result<Self> {
        Ok(Self(Detection::new(bounds.0, landmarks_of(&landmarks)?, score)))
    }

    /// The face from forehead to chin.
    #[getter]
    fn bounds(&self) -> PyRect {
        self.0.bounds.into()
    }

    /// The five landmarks as a new array of 5 x 2: the eyes, the tip of the nose, the corners of the mouth; of the
    /// pairs, the one on the picture's left first.
    #[getter]
    fn landmarks<'py>(&self, py: Python<'py>) -> Result<Bound<'py, PyArray2<f32>>> {
        landmarks_array(py, &self.0.landmarks)
    }

    /// The detector's confidence, 0 to 1. Comparable between faces of one detector only.
    #[getter]
    fn score(&self) -> f32 {
        self.0.score
    }

    fn __repr__(&self) -> String {
        format!("Detection({}, score {:.2})", self.bounds().__repr__(), self.0.score)
    }
}

/// Four numbers, or a `Rect`.
struct Bounds(Rect);

impl FromPyObject<'_, '_> for Bounds {
    type Error = PyErr;

    fn extract(object: Borrowed<'_, '_, PyAny>) -> PyResult<Self> {
        if let Ok(rect) = object.cast::<PyRect>() {
            return Ok(Self(rect.get().plain()));
        }
        let (x, y, width, height) = object.extract()?;
        Ok(Self(Rect { x, y, width, height }))
    }
}

/// Where the landmarks are: of a face, or five points.
pub(crate) struct Place(pub(crate) Landmarks);

impl FromPyObject<'_, '_> for Place {
    type Error = PyErr;

    fn extract(object: Borrowed<'_, '_, PyAny>) -> PyResult<Self> {
        if let Ok(Found(detection)) = object.extract() {
            return Ok(Self(detection.landmarks));
        }
        let points: PyArrayLike2<'_, f32, AllowTypeChange> = object.extract()?;
        Ok(Self(landmarks_of(&points)?))
    }
}

/// A detection, or what has one.
pub(crate) struct Found(pub(crate) Detection);

impl FromPyObject<'_, '_> for Found {
    type Error = PyErr;

    fn extract(object: Borrowed<'_, '_, PyAny>) -> PyResult<Self> {
        if let Ok(detection) = object.cast::<PyDetection>() {
            return Ok(Self(detection.get().0));
        }
        let detection = if let Ok(face) = object.cast::<PyFace>() {
            &face.get().detection
        } else if let Ok(sample) = object.cast::<PySample>() {
            &sample.get().detection
        } else {
            let class = object.get_type().name()?;
            let message = format!("a Detection, Face or Sample is needed, not {class}");
            return Err(Failure::Type(message).into());
        };
        Ok(Self(detection.bind(object.py()).get().0))
    }
}

fn landmarks_of(points: &PyArrayLike2<'_, f32, AllowTypeChange>) -> Result<Landmarks> {
    let points = points.as_array();
    if points.shape() != [5, 2] {
        let message = format!("landmarks are 5 points of x and y, not {:?}", points.shape());
        return Err(Failure::Argument(message));
    }
    let point = |row: usize| Point::new(points[[row, 0]], points[[row, 1]]);
    Ok(Landmarks::from_points(std::array::from_fn(point)))
}

pub(crate) fn landmarks_array<'py>(
    py: Python<'py>,
    landmarks: &Landmarks,
) -> Result<Bound<'py, PyArray2<f32>>> {
    let numbers = landmarks.points().iter().flat_map(|point| [point.x, point.y]).collect();
    Ok(numpy::PyArray1::from_vec(py, numbers).reshape([5, 2])?)
}

record! {
    /// A face, its template and how good it is.
    #[pyo3(name = "Face")]
    PyFace {
        /// Where it is.
        detection: Py<PyDetection>,
        /// What it is compared by.
        template: Py<PyTemplate>,
        /// How good it is as a sample.
        quality: Py<PyQuality>,
        /// How much of a face the embedder saw, above 0: comparable between pictures under one pack only.
        strength: f32,
    }
    match ("detection", "template", "quality")
    {
        fn __repr__(&self) -> String {
            let (detection, quality) = (self.detection.get(), self.quality.get());
            format!("Face({}, quality {:.0})", detection.bounds().__repr__(), quality.0.score)
        }
    }
}

impl PyFace {
    pub(crate) fn make(py: Python<'_>, face: Face) -> PyResult<Py<Self>> {
        let Face { detection, template, quality, strength, .. } = face;
        Py::new(
            py,
            Self {
                detection: Py::new(py, PyDetection(detection))?,
                template: Py::new(py, PyTemplate(template))?,
                quality: Py::new(py, PyQuality(quality))?,
                strength,
            },
        )
    }
}

record! {
    /// The prominent face of a picture, good enough for the engine's policy, with its template.
    #[pyo3(name = "Sample")]
    PySample {
        /// What it is compared by.
        template: Py<PyTemplate>,
        /// How good it is as a sample.
        quality: Py<PyQuality>,
        /// Where it is.
        detection: Py<PyDetection>,
        /// How much of a face the embedder saw, above 0: comparable between pictures under one pack only.
        strength: f32,
        /// What the liveness models say, when the engine was made with them.
        liveness: Option<Py<PyLiveness>>,
    }
    match ("template", "quality")
    {
        fn __repr__(&self) -> String {
            let (detection, quality) = (self.detection.get(), self.quality.get());
            format!("Sample({}, quality {:.0})", detection.bounds().__repr__(), quality.0.score)
        }
    }
}

record! {
    /// Why a picture is not usable; at least one reason. ``str`` of it is a sentence for people.
    Rejected {
        /// What speaks against it.
        issues: Py<PyTuple>,
    }
    match ("issues")
    {
        fn __str__(&self, py: Python<'_>) -> PyResult<String> {
            let issues = self.issues.bind(py).iter();
            let words = issues.map(|issue| Ok(issue.cast::<PyIssue>()?.get().__str__()));
            Ok(words.collect::<PyResult<Vec<_>>>()?.join("; "))
        }

        fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
            Ok(format!("Rejected({})", self.__str__(py)?))
        }
    }
}

/// A `Sample` or a `Rejected`.
pub(crate) fn capture(py: Python<'_>, capture: Capture) -> PyResult<Py<PyAny>> {
    Ok(match capture {
        Capture::Usable(sample) => PySample::make(py, sample)?.into_any(),
        Capture::Rejected(reasons) => {
            Py::new(py, Rejected { issues: issues(py, reasons)? })?.into_any()
        }
    })
}

impl PySample {
    fn make(py: Python<'_>, sample: Sample) -> PyResult<Py<Self>> {
        let Sample { detection, template, quality, strength, liveness, .. } = sample;
        Py::new(
            py,
            Self {
                template: Py::new(py, PyTemplate(template))?,
                quality: Py::new(py, PyQuality(quality))?,
                detection: Py::new(py, PyDetection(detection))?,
                strength,
                liveness: liveness.map(|it| Py::new(py, PyLiveness::from(it))).transpose()?,
            },
        )
    }
}

record! {
    /// What the liveness models say about a face.
    #[pyo3(name = "Liveness")]
    PyLiveness {
        /// The mean of the models' probabilities of a live face, 0 to 1.
        score: f32,
        /// From which score on the pack calls a face live.
        threshold: f32,
        /// Whether the score reaches the threshold.
        is_live: bool,
    }
    match ("score", "threshold")
    {
        fn __repr__(&self) -> String {
            format!("Liveness({:.2}, threshold {:.2})", self.score, self.threshold)
        }
    }
}

impl From<Liveness> for PyLiveness {
    fn from(liveness: Liveness) -> Self {
        let Liveness { score, threshold, .. } = liveness;
        Self { score, threshold, is_live: liveness.is_live() }
    }
}

record! {
    /// The best of several samples of one person.
    Chosen {
        /// The sample of the highest quality among those that agree.
        sample: Py<PySample>,
        /// Its frame, counted from 0.
        frame: usize,
        /// How many frames show this person, well enough to be used.
        agreeing: usize,
        /// The lowest similarity of an agreeing frame to the most typical one.
        consistency: f32,
        /// What speaks against the other frames: pairs of a frame's number and its issues.
        rejected: Py<PyTuple>,
    }
    match ("sample", "frame")
    {
        fn __repr__(&self) -> String {
            format!("Chosen(frame {}, {} agree)", self.frame, self.agreeing)
        }
    }
}

record! {
    /// Why several pictures give no sample. ``str`` of it is a sentence for people.
    Refused {
        /// Frames that agree: the largest number that show one person well enough.
        agreeing: usize,
        /// How many are needed.
        needed: usize,
        /// What speaks against the other frames: pairs of a frame's number and its issues.
        rejected: Py<PyTuple>,
        /// The sentence.
        message: String,
    }
    match ("agreeing", "needed", "rejected")
    {
        fn __str__(&self) -> &str {
            &self.message
        }

        fn __repr__(&self) -> String {
            format!("Refused({} of {} agree)", self.agreeing, self.needed)
        }
    }
}

impl Chosen {
    pub(crate) fn make(py: Python<'_>, selected: Selected) -> PyResult<Self> {
        let Selected { sample, frame, agreeing, consistency, rejected, .. } = selected;
        let rejected = frames(py, rejected)?;
        Ok(Self { sample: PySample::make(py, sample)?, frame, agreeing, consistency, rejected })
    }
}

impl Refused {
    pub(crate) fn make(py: Python<'_>, refusal: Refusal) -> PyResult<Self> {
        let message = refusal.to_string();
        let Refusal { agreeing, needed, rejected, .. } = refusal;
        Ok(Self { agreeing, needed, rejected: frames(py, rejected)?, message })
    }
}

fn frames(py: Python<'_>, rejected: Vec<(usize, Vec<faceprint::Issue>)>) -> PyResult<Py<PyTuple>> {
    let pairs = rejected.into_iter().map(|(frame, reasons)| Ok((frame, issues(py, reasons)?)));
    Ok(PyTuple::new(py, pairs.collect::<PyResult<Vec<_>>>()?)?.unbind())
}
