//! What a tenant answers.

use faceprint::gallery::{Details, NewTemplate};
use faceprint::matcher;
use faceprint::{Enrollment, Landmarks, SearchMethod, Similarity, SubjectId, Template, Verdict};
use pyo3::prelude::*;
use pyo3::types::PyTuple;

use crate::error::Result;
use crate::face::{PyFace, PySample};
use crate::record::record;
use crate::template::Probe;

/// A template to enrol, and what is known of its picture.
pub(super) struct Given {
    template: Template,
    pub(super) quality: Option<f32>,
    pub(super) landmarks: Option<Landmarks>,
    pub(super) details: Option<Details>,
}

impl Given {
    pub(super) fn from_python(object: &Bound<'_, PyAny>) -> Result<Self> {
        let template = object.extract::<Probe>()?.0;
        let picture = if let Ok(sample) = object.cast::<PySample>() {
            Some((sample.get().quality.get(), sample.get().detection.get()))
        } else if let Ok(face) = object.cast::<PyFace>() {
            Some((face.get().quality.get(), face.get().detection.get()))
        } else {
            None
        };
        let quality = picture.map(|(quality, _)| quality.0.score);
        let landmarks = picture.map(|(_, detection)| detection.0.landmarks);
        Ok(Self { template, quality, landmarks, details: None })
    }

    pub(super) fn new_template(&self) -> NewTemplate<'_> {
        let template = NewTemplate::from(&self.template);
        let template = self.quality.map_or(template, |it| template.quality(it));
        let template = self.landmarks.map_or(template, |it| template.landmarks(it));
        self.details.as_ref().map_or(template, |it| template.details(it))
    }
}

record! {
    /// An enrolment that is stored, and on disk.
    Added {
        /// The template's id, 32 hexadecimal digits.
        template: String,
        /// Other subjects who are nearly similar enough to be the same person, with their similarity, most similar
        /// first, five at most: somebody may be there under two names.
        near_misses: Vec<(String, f32)>,
    }
    match ("template")
    {
        fn __repr__(&self) -> String {
            format!("Added({:.8})", self.template)
        }
    }
}

record! {
    /// An enrolment of which nothing was stored: another subject looks the same.
    Duplicate {
        /// Who.
        of: String,
        /// How similar.
        similarity: f32,
    }
    match ("of", "similarity")
    {
        fn __repr__(&self) -> String {
            format!("Duplicate({:.3})", self.similarity)
        }
    }
}

/// An `Added` or a `Duplicate`.
pub(super) fn enrollment(py: Python<'_>, outcome: Enrollment) -> PyResult<Py<PyAny>> {
    Ok(match outcome {
        Enrollment::Added { template, near_misses } => {
            let near =
                near_misses.iter().map(|(who, similarity)| (who.to_string(), similarity.value()));
            let (template, near_misses) = (template.to_string(), near.collect());
            Py::new(py, Added { template, near_misses })?.into_any()
        }
        Enrollment::Duplicate { of, similarity } => {
            let (of, similarity) = (of.to_string(), similarity.value());
            Py::new(py, Duplicate { of, similarity })?.into_any()
        }
    })
}

record! {
    /// One person an identification found.
    Hit {
        /// Who.
        subject: String,
        /// How similar, -1 to 1.
        similarity: f32,
        /// Which of their templates is the most similar.
        template: String,
    }
    match ("subject", "similarity")
    {
        fn __repr__(&self) -> String {
            format!("Hit({:.3})", self.similarity)
        }
    }
}

impl From<faceprint::Hit> for Hit {
    fn from(hit: faceprint::Hit) -> Self {
        let (subject, template) = (hit.subject.to_string(), hit.template.to_string());
        Self { subject, similarity: hit.similarity.value(), template }
    }
}

/// The people an identification found, most similar first: a sequence of ``Hit``, empty when there is nobody.
#[pyclass(frozen, sequence, module = "faceprint")]
pub(crate) struct Hits {
    found: Py<PyTuple>,
    method: SearchMethod,
}

impl Hits {
    pub(super) fn make(py: Python<'_>, hits: matcher::Hits) -> Result<Self> {
        let method = hits.method();
        let hits = hits.into_iter().map(|hit| Py::new(py, Hit::from(hit)));
        let found = PyTuple::new(py, hits.collect::<PyResult<Vec<_>>>()?)?.unbind();
        Ok(Self { found, method })
    }
}

#[pymethods]
impl Hits {
    /// Whether nobody can be missing: everybody was compared.
    #[getter]
    fn exact(&self) -> bool {
        self.method == SearchMethod::Exact
    }

    /// For an approximate answer, the share of probes whose most similar person is found, at least, with a confidence of
    /// 95 %.
    #[getter]
    const fn audited_recall(&self) -> Option<f64> {
        match self.method {
            SearchMethod::Exact => None,
            SearchMethod::Approximate { audited_recall } => Some(audited_recall),
        }
    }

    fn __len__(&self, py: Python<'_>) -> usize {
        self.found.bind(py).len()
    }

    fn __getitem__<'py>(
        &self,
        py: Python<'py>,
        index: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        self.found.bind(py).as_any().get_item(index)
    }

    fn __iter__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        Ok(self.found.bind(py).try_iter()?.into_any())
    }

    fn __repr__(&self, py: Python<'_>) -> String {
        format!("Hits({} found)", self.__len__(py))
    }
}

record! {
    /// The verdict that a probe is this subject: similar enough, and ahead of the next one by the margin.
    Match {
        /// Who.
        subject: String,
        /// How similar.
        similarity: f32,
        /// Which of their templates is the most similar.
        template: String,
    }
    match ("subject", "similarity")
    {
        fn __repr__(&self) -> String {
            format!("Match({:.3})", self.similarity)
        }
    }
}

record! {
    /// The verdict that a probe is one of these, most similar first, and too close to tell.
    Ambiguous {
        /// Two ``Hit`` at least.
        hits: Py<PyTuple>,
    }
    match ("hits")
    {
        fn __repr__(&self, py: Python<'_>) -> String {
            format!("Ambiguous({} people)", self.hits.bind(py).len())
        }
    }
}

record! {
    /// The verdict that nobody is similar enough.
    NoMatch {}
    match ()
    {
        #[expect(clippy::unused_self, reason = "Python calls it on an object")]
        const fn __repr__(&self) -> &'static str {
            "NoMatch()"
        }
    }
}

/// A `Match`, an `Ambiguous` or a `NoMatch`.
pub(super) fn verdict(py: Python<'_>, verdict: Verdict) -> Result<Py<PyAny>> {
    Ok(match verdict {
        Verdict::Match(hit) => {
            let Hit { subject, similarity, template } = hit.into();
            Py::new(py, Match { subject, similarity, template })?.into_any()
        }
        Verdict::Ambiguous(hits) => {
            let hits = hits.into_iter().map(|hit| Py::new(py, Hit::from(hit)));
            let hits = PyTuple::new(py, hits.collect::<PyResult<Vec<_>>>()?)?.unbind();
            Py::new(py, Ambiguous { hits })?.into_any()
        }
        Verdict::NoMatch => Py::new(py, NoMatch {})?.into_any(),
    })
}

record! {
    /// Two subjects who look the same.
    DuplicatePair {
        /// The one enrolled first.
        first: String,
        /// The other.
        second: String,
        /// How similar their most similar templates are.
        similarity: f32,
    }
    match ("first", "second", "similarity")
    {
        fn __repr__(&self) -> String {
            format!("DuplicatePair({:.3})", self.similarity)
        }
    }
}

impl From<(SubjectId, SubjectId, Similarity)> for DuplicatePair {
    fn from((first, second, similarity): (SubjectId, SubjectId, Similarity)) -> Self {
        let (first, second) = (first.to_string(), second.to_string());
        Self { first, second, similarity: similarity.value() }
    }
}

record! {
    /// Where a tenant's index stands.
    IndexState {
        /// ``"exact"`` (none was asked for), ``"small"`` (the scan is faster), ``"building"``, ``"approximate"`` (it answers) or
        /// ``"refused"`` (it missed too many to be faster and keep its promise).
        state: &'static str,
        /// For ``"approximate"`` and ``"refused"``: the share of probes whose most similar person is found, at least.
        audited_recall: Option<f64>,
    }
    match ("state", "audited_recall")
    {
        fn __repr__(&self) -> String {
            format!("IndexState({})", self.state)
        }
    }
}

impl From<matcher::IndexState> for IndexState {
    fn from(state: matcher::IndexState) -> Self {
        let (state, audited_recall) = match state {
            matcher::IndexState::Exact => ("exact", None),
            matcher::IndexState::Small { .. } => ("small", None),
            matcher::IndexState::Building => ("building", None),
            matcher::IndexState::Approximate { audited_recall, .. } => {
                ("approximate", Some(audited_recall))
            }
            matcher::IndexState::Refused { audited_recall, .. } => {
                ("refused", Some(audited_recall))
            }
            _ => ("unknown", None),
        };
        Self { state, audited_recall }
    }
}
