//! The Python package `faceprint`, on the core directly. Adapters convert, nothing else: what a function does is
//! in the core's documentation, and how it reads in Python in the docstrings here.
//!
//! Every class is frozen, and every call lets go of the GIL while the core works. The module asks for the GIL
//! where an interpreter could do without: nothing here was tested without it yet.

#![forbid(unsafe_code)]

mod access;
mod callback;
mod engine;
mod error;
mod face;
mod gallery;
mod image;
mod pack;
mod process;
mod quality;
mod record;
mod stream;
mod template;
mod tenant;
mod time;

use pyo3::prelude::*;

#[pymodule(gil_used = true)]
mod _faceprint {
    use super::*;

    #[pymodule_export]
    use super::engine::{Backend, PyEngine};
    #[pymodule_export]
    use super::face::{
        Chosen, PyDetection, PyFace, PyLiveness, PyRect, PySample, Refused, Rejected,
    };
    #[pymodule_export]
    use super::gallery::{Erased, GalleryInfo, PyGallery, SlotInfo, SpaceReport};
    #[pymodule_export]
    use super::image::PyImage;
    #[pymodule_export]
    use super::pack::{Model, PyModelPack, PySearchThreshold};
    #[pymodule_export]
    use super::quality::{PyIssue, PyPolicy, PyQuality};
    #[pymodule_export]
    use super::stream::{
        Delivery, Followed, Known, Pushed, PyEvent, PyOutbox, PySighting, PyStream, Stats,
        Suspected, Visitor,
    };
    #[pymodule_export]
    use super::template::{PyAgreement, PyFernetKey, PyTemplate, agreement};
    #[pymodule_export]
    use super::tenant::{
        Added, Ambiguous, Bundle, Changes, Duplicate, DuplicatePair, Hit, Hits, Imported,
        IndexState, Match, NoMatch, PyTenant, StoredTemplate, Subject, SubjectErased,
        SubjectUpdated,
    };

    #[pymodule_init]
    fn init(module: &Bound<'_, PyModule>) -> PyResult<()> {
        module.add("__version__", env!("CARGO_PKG_VERSION"))
    }
}
