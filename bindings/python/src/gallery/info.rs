//! Galleries by numbers.

use std::time::SystemTime;

use faceprint::gallery::{self, SlotId};
use pyo3::prelude::*;
use pyo3::types::PyTuple;

use super::slot_kind;
use crate::error::{Failure, Result};
use crate::record::record;

record! {
    /// What an erasure removed.
    Erased {
        /// Subjects.
        subjects: u64,
        /// Templates.
        templates: u64,
    }
    match ("subjects", "templates")
    {
        fn __repr__(&self) -> String {
            format!("Erased({} subjects, {} templates)", self.subjects, self.templates)
        }
    }
}

impl From<gallery::Erased> for Erased {
    fn from(gallery::Erased { subjects, templates, .. }: gallery::Erased) -> Self {
        Self { subjects, templates }
    }
}

record! {
    /// What is in a gallery, by numbers.
    GalleryInfo {
        /// The version of the file format.
        format: u16,
        /// When the gallery was made.
        created_at: SystemTime,
        /// Commits so far.
        sequence: u64,
        /// Tenants.
        tenants: u64,
        /// Subjects of all tenants, expired ones too.
        subjects: u64,
        /// Templates of all tenants.
        templates: u64,
        /// The embedding spaces the gallery accepts, oldest first.
        spaces: Vec<String>,
        /// The ways in, oldest first.
        slots: Py<PyTuple>,
        /// Bytes of the file, without its write-ahead log.
        bytes: u64,
        /// Of these, bytes that ``compact`` would give back.
        free_bytes: u64,
    }
    match ("subjects", "templates")
    {
        fn __repr__(&self) -> String {
            format!(
                "GalleryInfo({} tenants, {} subjects, {} templates)",
                self.tenants, self.subjects, self.templates
            )
        }
    }
}

impl GalleryInfo {
    pub(super) fn make(py: Python<'_>, info: gallery::GalleryInfo) -> Result<Self> {
        Ok(Self {
            format: info.format,
            created_at: info.created_at,
            sequence: info.sequence,
            tenants: info.tenants,
            subjects: info.subjects,
            templates: info.templates,
            spaces: info.spaces.iter().map(ToString::to_string).collect(),
            slots: slots(py, info.slots)?.unbind(),
            bytes: info.bytes,
            free_bytes: info.free_bytes,
        })
    }
}

record! {
    /// One way into a gallery.
    SlotInfo {
        /// Its number, for ``remove_access``.
        id: i64,
        /// What opens it: ``"passphrase"``, ``"key"`` or ``"provider"``.
        kind: &'static str,
    }
    match ("id", "kind")
    {
        fn __repr__(&self) -> String {
            format!("SlotInfo({}, {})", self.id, self.kind)
        }
    }
}

pub(super) fn slots(py: Python<'_>, slots: Vec<gallery::SlotInfo>) -> Result<Bound<'_, PyTuple>> {
    let slots = slots.into_iter().map(|slot| {
        Ok(Py::new(py, SlotInfo { id: slot_number(slot.id)?, kind: slot_kind(slot.kind) })?)
    });
    Ok(PyTuple::new(py, slots.collect::<Result<Vec<_>>>()?)?)
}

pub(super) fn slot_number(id: SlotId) -> Result<i64> {
    let number = id.to_string().parse();
    number.map_err(|_| Failure::Argument(format!("access slot {id} has no number")))
}

record! {
    /// How far a gallery, or a tenant, has come into an embedding space.
    SpaceReport {
        /// The space.
        space: String,
        /// Subjects with a template in it.
        subjects: u64,
        /// Subjects without one: a probe of this space does not find them.
        lacking: u64,
        /// Templates in it.
        templates: u64,
    }
    match ("space", "subjects", "lacking")
    {
        fn __repr__(&self) -> String {
            format!(
                "SpaceReport({:.8}, {} subjects, {} lacking)",
                self.space, self.subjects, self.lacking
            )
        }
    }
}

pub(crate) fn spaces(
    py: Python<'_>,
    reports: Vec<gallery::SpaceReport>,
) -> Result<Bound<'_, PyTuple>> {
    let reports = reports.into_iter().map(|report| {
        let gallery::SpaceReport { space, subjects, lacking, templates, .. } = report;
        Py::new(py, SpaceReport { space: space.to_string(), subjects, lacking, templates })
    });
    Ok(PyTuple::new(py, reports.collect::<PyResult<Vec<_>>>()?)?)
}
