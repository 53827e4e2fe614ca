//! What a stream says.

use std::time::SystemTime;

use faceprint::stream::{Event, VisitorId, Who};
use pyo3::prelude::*;
use pyo3::types::PyTuple;

use crate::error::{Failure, Result};
use crate::face::PyRect;
use crate::record::record;
use crate::time::Moment;

/// A visit was confirmed.
///
/// ``Event(who, at)`` is one of something else than a stream, for an ``Outbox``: it has a random id, and no face.
#[pyclass(frozen, module = "faceprint", name = "Event")]
pub(crate) struct PyEvent(pub(crate) Event);

#[pymethods]
impl PyEvent {
    #[classattr]
    fn __match_args__(py: Python<'_>) -> PyResult<Py<PyTuple>> {
        Ok(PyTuple::new(py, ["who", "at"])?.unbind())
    }

    #[new]
    fn new(who: &Bound<'_, PyAny>, at: Moment) -> Result<Self> {
        let who = if let Ok(known) = who.cast::<Known>() {
            let Known { subject, similarity } = known.get();
            Who::Subject { id: subject.parse()?, similarity: *similarity }
        } else if let Ok(visitor) = who.cast::<Visitor>() {
            Who::Visitor(visitor.get().parse()?)
        } else {
            return Err(Failure::Type("an event is of a Known or a Visitor".to_owned()));
        };
        Ok(Self(Event::new(who, at.0)?))
    }

    /// What tells this event from every other: 32 hexadecimal digits. Delivered twice, it is one.
    #[getter]
    fn id(&self) -> String {
        self.0.id.to_string()
    }

    /// The time of the frame that decided it.
    #[getter]
    fn at(&self) -> SystemTime {
        self.0.at
    }

    /// The path of the face in its stream.
    #[getter]
    fn track(&self) -> u64 {
        self.0.track
    }

    /// Where the face was.
    #[getter]
    fn bounds(&self) -> PyRect {
        self.0.bounds.into()
    }

    /// How good the face was as a sample, 0 to 100.
    #[getter]
    fn quality(&self) -> f32 {
        self.0.quality
    }

    /// Whose visit it is: ``Known``, ``Visitor`` or ``Suspected``.
    #[getter]
    fn who(&self, py: Python<'_>) -> Result<PyWho> {
        PyWho::make(py, &self.0.who)
    }

    fn __repr__(&self) -> String {
        format!("Event({:.8})", self.id())
    }
}

/// A `Known` or a `Visitor`.
#[derive(Debug, IntoPyObject, IntoPyObjectRef)]
pub(crate) enum PyWho {
    Known(Py<Known>),
    Visitor(Py<Visitor>),
    Suspected(Py<Suspected>),
}

impl PyWho {
    pub(crate) fn make(py: Python<'_>, who: &Who) -> Result<Self> {
        match who {
            Who::Subject { id, similarity } => {
                let known = Known { subject: id.to_string(), similarity: *similarity };
                Ok(Self::Known(Py::new(py, known)?))
            }
            Who::Visitor(id) => Ok(Self::Visitor(Py::new(py, Visitor { id: hex(id.as_bytes()) })?)),
            Who::Suspected { id, score, minimum } => {
                let (id, score, minimum) = (hex(id.as_bytes()), *score, *minimum);
                Ok(Self::Suspected(Py::new(py, Suspected { id, score, minimum })?))
            }
            _ => Err(Failure::Type("the event is of a kind this version does not know".to_owned())),
        }
    }
}

record! {
    /// Somebody of the gallery.
    Known {
        /// Who.
        subject: String,
        /// Similarity to their best template.
        similarity: f32,
    }
    match ("subject", "similarity")
    {
        #[new]
        fn new(subject: String, similarity: f32) -> Self {
            Self { subject, similarity }
        }

        fn __repr__(&self) -> String {
            format!("Known({:.3})", self.similarity)
        }
    }
}

record! {
    /// Somebody the gallery does not know.
    Visitor {
        /// A random number in 16 hexadecimal digits, theirs while the stream lives.
        id: String,
    }
    match ("id")
    {
        #[new]
        fn new(id: String) -> Result<Self> {
            let visitor = Self { id };
            visitor.parse()?;
            Ok(visitor)
        }

        fn __repr__(&self) -> String {
            format!("Visitor({})", self.id)
        }
    }
}

record! {
    /// A face that did not pass for alive: a photograph, a screen. Nobody asked whose it is.
    Suspected {
        /// A random number in 16 hexadecimal digits, the same for the same face while the stream lives.
        id: String,
        /// The median liveness score of the frames that were judged.
        score: f32,
        /// The least score of a live face.
        minimum: f32,
    }
    match ("id", "score")
    {
        fn __repr__(&self) -> String {
            format!("Suspected({}, {:.2})", self.id, self.score)
        }
    }
}

impl Visitor {
    fn parse(&self) -> Result<VisitorId> {
        let digits = Some(self.id.as_str())
            .filter(|id| id.len() == 16 && id.bytes().all(|digit| digit.is_ascii_hexdigit()));
        let number = digits.and_then(|digits| u64::from_str_radix(digits, 16).ok());
        let number = number.ok_or_else(|| {
            let message = format!("a visitor's id is 16 hexadecimal digits, not {}", self.id.len());
            Failure::Argument(message)
        })?;
        Ok(VisitorId::from_bytes(number.to_be_bytes()))
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
