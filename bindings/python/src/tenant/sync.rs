//! Copies elsewhere: bundles and changes.

use faceprint::SubjectId;
use faceprint::gallery::{self, BundleRequest, Change, Cursor};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyTuple};

use crate::error::Result;
use crate::record::record;
use crate::time::Moment;

record! {
    /// A bundle, ready to be sent over anything: only the device can read it.
    Bundle {
        /// What the device is sent.
        data: Py<PyBytes>,
        /// Where a delta to this bundle begins.
        cursor: String,
        /// People in it.
        subjects: u64,
        /// Marks of erased people in it: numbers, no names.
        erased: u64,
        /// Who was asked for and is not enrolled.
        missing: Vec<String>,
    }
    match ("data", "cursor")
    {
        fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
            let bytes = self.data.bind(py).len()?;
            Ok(format!("Bundle({} subjects, {bytes} bytes)", self.subjects))
        }
    }
}

impl Bundle {
    pub(super) fn make(py: Python<'_>, bundle: gallery::Bundle) -> Result<Self> {
        let gallery::Bundle { bytes, cursor, subjects, erased, missing, .. } = bundle;
        Ok(Self {
            data: PyBytes::new(py, &bytes).unbind(),
            cursor: cursor.to_string(),
            subjects,
            erased,
            missing: missing.iter().map(ToString::to_string).collect(),
        })
    }
}

pub(super) fn request(
    device: &str,
    valid_until: Moment,
    only: Option<Vec<SubjectId>>,
    since: Option<&str>,
) -> Result<BundleRequest> {
    let request = BundleRequest::new(device.parse()?, valid_until.0).since(cursor(since)?);
    Ok(match only {
        Some(roster) => request.only(&roster),
        None => request,
    })
}

/// The beginning without one.
pub(super) fn cursor(text: Option<&str>) -> Result<Cursor> {
    Ok(text.map_or_else(|| Ok(Cursor::start()), str::parse)?)
}

record! {
    /// What an import did.
    Imported {
        /// People who are new here.
        added: u64,
        /// People who were here, with another version or another time.
        updated: u64,
        /// People who were here and went.
        erased: u64,
        /// Entries that said nothing new.
        unchanged: u64,
        /// Who was not brought in, because somebody of that name was enrolled here or came from another office.
        conflicts: Vec<String>,
    }
    match ("added", "updated", "erased")
    {
        fn __repr__(&self) -> String {
            format!(
                "Imported({} added, {} updated, {} erased)",
                self.added, self.updated, self.erased
            )
        }
    }
}

impl From<gallery::Imported> for Imported {
    fn from(done: gallery::Imported) -> Self {
        let gallery::Imported { added, updated, erased, unchanged, conflicts, .. } = done;
        let conflicts = conflicts.iter().map(ToString::to_string).collect();
        Self { added, updated, erased, unchanged, conflicts }
    }
}

record! {
    /// A page of changes, oldest first.
    Changes {
        /// ``SubjectUpdated`` and ``SubjectErased``; each person once, with what became of them last.
        changes: Py<PyTuple>,
        /// Where the next page begins; the one that was given when nothing changed.
        cursor: String,
    }
    match ("changes", "cursor")
    {
        fn __repr__(&self, py: Python<'_>) -> String {
            format!("Changes({})", self.changes.bind(py).len())
        }
    }
}

record! {
    /// Somebody was enrolled, or their templates or details changed.
    SubjectUpdated {
        /// Which enrolment.
        reference: String,
        /// Who.
        subject: String,
    }
    match ("reference", "subject")
    {
        fn __repr__(&self) -> String {
            format!("SubjectUpdated({})", self.reference)
        }
    }
}

record! {
    /// Somebody was erased or has expired, perhaps before this copy ever saw them.
    SubjectErased {
        /// Which enrolment.
        reference: String,
    }
    match ("reference")
    {
        fn __repr__(&self) -> String {
            format!("SubjectErased({})", self.reference)
        }
    }
}

impl Changes {
    pub(super) fn make(py: Python<'_>, changes: gallery::Changes) -> Result<Self> {
        let gallery::Changes { changes, cursor, .. } = changes;
        let each = |change: Change| -> PyResult<Py<PyAny>> {
            Ok(match change {
                Change::Updated { reference, subject } => {
                    let (reference, subject) = (reference.to_string(), subject.to_string());
                    Py::new(py, SubjectUpdated { reference, subject })?.into_any()
                }
                Change::Erased { reference } => {
                    Py::new(py, SubjectErased { reference: reference.to_string() })?.into_any()
                }
            })
        };
        let changes = changes.into_iter().map(each).collect::<PyResult<Vec<_>>>()?;
        Ok(Self { changes: PyTuple::new(py, changes)?.unbind(), cursor: cursor.to_string() })
    }
}
