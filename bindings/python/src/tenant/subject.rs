//! What is stored of a person.

use std::time::SystemTime;

use faceprint::gallery::{self, Details};
use numpy::PyArray2;
use pyo3::prelude::*;

use crate::error::Result;
use crate::face::landmarks_array;
use crate::record::record;
use crate::template::PyTemplate;
use crate::time::Moment;

record! {
    /// What is stored of a person besides templates.
    Subject {
        /// Who.
        id: String,
        /// Which enrolment of them this is; it stays the same until they are erased, and is never given again.
        reference: String,
        /// When the first template was enrolled.
        enrolled_at: SystemTime,
        /// How many templates there are, in all spaces.
        templates: usize,
        /// What was given, as ``json.loads`` reads it.
        metadata: Option<Py<PyAny>>,
        /// When the person agreed to be enrolled.
        consent: Option<SystemTime>,
        /// From when on the person is not found any more.
        expires_at: Option<SystemTime>,
    }
    match ("id")
    {
        fn __repr__(&self) -> String {
            format!("Subject({} templates)", self.templates)
        }
    }
}

impl Subject {
    pub(super) fn make(py: Python<'_>, subject: gallery::Subject) -> Result<Self> {
        let gallery::Subject { id, reference, enrolled_at, templates, details, .. } = subject;
        let Details { metadata, consent, expires_at } = details;
        let loads = |text: String| py.import("json")?.call_method1("loads", (text,));
        Ok(Self {
            id: id.to_string(),
            reference: reference.to_string(),
            enrolled_at,
            templates,
            metadata: metadata.map(loads).transpose()?.map(Bound::unbind),
            consent,
            expires_at,
        })
    }
}

record! {
    /// One template as it was enrolled.
    StoredTemplate {
        /// Which one, 32 hexadecimal digits.
        id: String,
        /// The template.
        template: Py<PyTemplate>,
        /// When it was enrolled.
        enrolled_at: SystemTime,
        /// How good the picture was, if that was given.
        quality: Option<f32>,
        /// Where the landmarks were, 5 x 2, if that was given.
        landmarks: Option<Py<PyArray2<f32>>>,
    }
    match ("id", "template")
    {
        fn __repr__(&self) -> String {
            format!("StoredTemplate({:.8})", self.id)
        }
    }
}

impl StoredTemplate {
    pub(super) fn make(py: Python<'_>, stored: gallery::StoredTemplate) -> Result<Self> {
        let gallery::StoredTemplate { id, enrolled_at, quality, landmarks, template, .. } = stored;
        let landmarks = landmarks.map(|it| landmarks_array(py, &it)).transpose()?;
        Ok(Self {
            id: id.to_string(),
            template: Py::new(py, PyTemplate(template))?,
            enrolled_at,
            quality,
            landmarks: landmarks.map(Bound::unbind),
        })
    }
}

/// What is to be kept with a subject.
pub(super) fn details(
    metadata: Option<&Bound<'_, PyAny>>,
    consent: Option<Moment>,
    expires_at: Option<Moment>,
) -> Result<Details> {
    let dumps = |object: &Bound<'_, PyAny>| -> PyResult<String> {
        object.py().import("json")?.call_method1("dumps", (object,))?.extract()
    };
    Ok(Details {
        metadata: metadata.map(dumps).transpose()?,
        consent: consent.map(|it| it.0),
        expires_at: expires_at.map(|it| it.0),
    })
}
