//! Templates, and Fernet tokens of them.

use std::hash::{DefaultHasher, Hash, Hasher};

use faceprint::fernet::FernetKey;
use faceprint::quality::Agreement;
use faceprint::{Embedding, SpaceId, Template};
use numpy::{AllowTypeChange, PyArray1, PyArrayLike1};
use pyo3::prelude::*;

use crate::error::{Failure, Result};
use crate::face::{PyFace, PySample};
use crate::record::record;

/// What a face is compared by: a direction of unit length, bound to the embedding space it was made in.
///
/// ``Template(values, space)`` takes 32-bit floats from elsewhere, a database or another machine that runs the same
/// models, and scales them to unit length. ``space`` is ``ModelPack.space``: templates of two spaces are never
/// compared. A template is biometric data: keep it in a ``Gallery``, not in logs.
#[pyclass(frozen, module = "faceprint", name = "Template")]
pub(crate) struct PyTemplate(pub(crate) Template);

#[pymethods]
impl PyTemplate {
    #[new]
    fn new(values: PyArrayLike1<'_, f32, AllowTypeChange>, space: &str) -> Result<Self> {
        let embedding = Embedding::normalize(values.as_array().to_vec())?;
        Ok(Self(Template::new(embedding, space.parse::<SpaceId>()?)))
    }

    /// The values, 32-bit floats of unit length, as a new array.
    fn to_numpy<'py>(&self, py: Python<'py>) -> Bound<'py, PyArray1<f32>> {
        PyArray1::from_slice(py, self.0.embedding().as_slice())
    }

    /// The embedding space, 64 hexadecimal digits.
    #[getter]
    fn space(&self) -> String {
        self.0.space().to_string()
    }

    /// How many values there are.
    #[getter]
    fn dimension(&self) -> usize {
        self.0.embedding().dimension()
    }

    /// The cosine of the angle between the two templates, -1 to 1. ``ModelPack.threshold`` says from which value on
    /// they are of one person. Templates of two spaces raise ``SpaceMismatchError``.
    fn similarity(&self, other: &Self) -> Result<f32> {
        Ok(self.0.similarity(&other.0)?.value())
    }

    fn __eq__(&self, other: &Bound<'_, PyAny>) -> bool {
        other.cast::<Self>().is_ok_and(|other| other.get().0 == self.0)
    }

    fn __hash__(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        self.0.space().hash(&mut hasher);
        for value in self.0.embedding().as_slice() {
            value.to_bits().hash(&mut hasher);
        }
        hasher.finish()
    }

    fn __repr__(&self) -> String {
        format!("Template({} values in {:.8})", self.dimension(), self.0.space())
    }
}

record! {
    /// Which of several templates belong together.
    #[pyo3(name = "Agreement")]
    PyAgreement {
        /// The most typical template: the one that is most similar to the others. Position in what was given.
        typical: usize,
        /// Similarity of each template to the typical one.
        similarities: Vec<f32>,
        /// Positions of the templates that are not of the typical one's person, least similar first.
        outliers: Vec<usize>,
    }
    match ("typical", "outliers")
    {
        fn __repr__(&self) -> String {
            format!("Agreement({} templates, {} outliers)", self.similarities.len(), self.outliers.len())
        }
    }
}

/// Compares templates of what should be one person: those less similar to the most typical one than ``same_person`` are
/// outliers: a wrong picture, a bad crop, somebody else. ``ModelPack.threshold(1e-3)`` suits an enrolment.
#[pyfunction]
pub(crate) fn agreement(
    py: Python<'_>,
    templates: Vec<Probe>,
    same_person: f32,
) -> Result<PyAgreement> {
    let found = py.detach(|| {
        let templates: Vec<_> = templates.iter().map(|it| &it.0).collect();
        faceprint::quality::agreement(&templates, same_person)
    })?;
    let Agreement { typical, similarities, outliers, .. } = found;
    Ok(PyAgreement { typical, similarities, outliers })
}

/// A template, or what has one.
pub(crate) struct Probe(pub(crate) Template);

impl FromPyObject<'_, '_> for Probe {
    type Error = PyErr;

    fn extract(object: Borrowed<'_, '_, PyAny>) -> PyResult<Self> {
        if let Ok(template) = object.cast::<PyTemplate>() {
            return Ok(Self(template.get().0.clone()));
        }
        let template = if let Ok(sample) = object.cast::<PySample>() {
            &sample.get().template
        } else if let Ok(face) = object.cast::<PyFace>() {
            &face.get().template
        } else {
            let class = object.get_type().name()?;
            let message = format!("a Template, Sample or Face is needed, not {class}");
            return Err(Failure::Type(message).into());
        };
        Ok(Self(template.bind(object.py()).get().0.clone()))
    }
}

/// A Fernet key, to bring vectors in from a database that keeps one token per face, or out to one.
///
/// A token holds 32-bit floats, as ``Fernet(key).encrypt(values.astype("<f4").tobytes())`` of the package
/// ``cryptography`` makes it. For migration only: a ``Gallery`` does more.
#[pyclass(frozen, module = "faceprint", name = "FernetKey")]
pub(crate) struct PyFernetKey(FernetKey);

#[pymethods]
impl PyFernetKey {
    #[new]
    fn new(key: &Bound<'_, PyAny>) -> Result<Self> {
        let text = match key.extract::<&[u8]>() {
            Ok(bytes) => String::from_utf8_lossy(bytes).into_owned(),
            Err(_) => key.extract()?,
        };
        Ok(Self(zeroize::Zeroizing::new(text).parse()?))
    }

    /// A token of the template's values. Its space is not in it.
    fn seal(&self, py: Python<'_>, template: &PyTemplate) -> Result<String> {
        Ok(py.detach(|| self.0.seal(template.0.embedding()))?)
    }

    /// The template in ``token``, whose vector was made in ``space``. A token of another key raises
    /// ``WrongKeyError``.
    fn open(&self, py: Python<'_>, token: &Bound<'_, PyAny>, space: &str) -> Result<PyTemplate> {
        let token = match token.extract::<&[u8]>() {
            Ok(bytes) => String::from_utf8_lossy(bytes).into_owned(),
            Err(_) => token.extract()?,
        };
        let space: SpaceId = space.parse()?;
        let embedding = py.detach(|| self.0.open(&token))?;
        Ok(PyTemplate(Template::new(embedding, space)))
    }

    #[expect(clippy::unused_self, reason = "Python calls it on an object")]
    const fn __repr__(&self) -> &'static str {
        "FernetKey(..)"
    }
}
