//! What is stored of a person.

use std::ffi::{CString, c_char};

use faceprint::SubjectId;
use faceprint::gallery::{Details, StoredTemplate, Subject};

use crate::boundary::{
    FACEPRINT_NO_TIME, Flag, Growing, Options, Out, Text, call, free, millis, millis_or_none, need,
    time_or_none,
};
use crate::error::{Failure, faceprint_error, faceprint_status};
use crate::face::faceprint_landmarks;
use crate::template::{faceprint_template, faceprint_template_id};
use crate::tenant::faceprint_tenant;
use crate::text::{List, c_string};

/// What a caller keeps with a subject; FACEPRINT_DETAILS_INIT.
#[repr(C)]
#[derive(Clone, Copy)]
#[allow(clippy::exhaustive_structs, reason = "C's; it grows by struct_size")]
pub struct faceprint_details {
    /// sizeof(faceprint_details).
    pub struct_size: usize,
    /// JSON, 65,536 bytes at most; NULL for none.
    pub metadata: Text,
    /// When the person agreed to be enrolled, or FACEPRINT_NO_TIME.
    pub consent: i64,
    /// From when on the person is not found any more, or FACEPRINT_NO_TIME.
    pub expires_at: i64,
}

/// What is stored of a person.
pub struct faceprint_subject {
    subject: Subject,
    id: CString,
    reference: CString,
    metadata: Option<CString>,
}

/// One template as it was enrolled.
#[repr(C)]
#[derive(Clone, Copy)]
#[allow(clippy::exhaustive_structs, reason = "C's, and only read")]
pub struct faceprint_stored_template {
    /// Which one.
    pub id: faceprint_template_id,
    /// When it was enrolled.
    pub enrolled_at: i64,
    /// The template, which lives as long as the list.
    pub subject_template: *const faceprint_template,
    /// Whether the quality was given.
    pub has_quality: Flag,
    /// Whether the landmarks were given.
    pub has_landmarks: Flag,
    /// How good the picture was; 0 when that was not given.
    pub quality: f32,
    /// Where the landmarks were; all 0 when that was not given.
    pub landmarks: faceprint_landmarks,
}

/// Templates of a subject, oldest first.
pub struct faceprint_stored_templates {
    templates: List<faceprint_stored_template>,
    _owned: Box<[faceprint_template]>,
}

/// Stores `details` of `subject` in place of those before.
#[unsafe(no_mangle)]
pub extern "C" fn faceprint_tenant_set_details(
    tenant: Option<&faceprint_tenant>,
    subject: Text,
    details: Options<faceprint_details>,
    error: Out<*mut faceprint_error>,
) -> faceprint_status {
    call(error, || {
        let details = details.read("details")?.details()?;
        let subject: SubjectId = subject.get("subject")?.parse()?;
        Ok(need(tenant, "tenant")?.tenant.set_details(&subject, &details)?)
    })
}

/// What is stored of `id`.
#[unsafe(no_mangle)]
pub extern "C" fn faceprint_tenant_subject(
    tenant: Option<&faceprint_tenant>,
    id: Text,
    subject: Out<*mut faceprint_subject>,
    error: Out<*mut faceprint_error>,
) -> faceprint_status {
    call(error, || {
        let subject = subject.check("subject")?;
        let id: SubjectId = id.get("id")?.parse()?;
        subject.give(need(tenant, "tenant")?.tenant.subject(&id)?.into());
        Ok(())
    })
}

/// The templates of `subject` in all spaces, bit by bit as they were enrolled.
#[unsafe(no_mangle)]
pub extern "C" fn faceprint_tenant_templates(
    tenant: Option<&faceprint_tenant>,
    subject: Text,
    templates: Out<*mut faceprint_stored_templates>,
    error: Out<*mut faceprint_error>,
) -> faceprint_status {
    call(error, || {
        let templates = templates.check("templates")?;
        let subject: SubjectId = subject.get("subject")?.parse()?;
        templates.give(need(tenant, "tenant")?.tenant.templates(&subject)?.into());
        Ok(())
    })
}

/// Who.
#[unsafe(no_mangle)]
pub extern "C" fn faceprint_subject_id(subject: Option<&faceprint_subject>) -> *const c_char {
    subject.map_or(std::ptr::null(), |subject| subject.id.as_ptr())
}

/// Which enrolment of them this is, for ever: the key to keep a copy elsewhere under.
#[unsafe(no_mangle)]
pub extern "C" fn faceprint_subject_reference(
    subject: Option<&faceprint_subject>,
) -> *const c_char {
    subject.map_or(std::ptr::null(), |subject| subject.reference.as_ptr())
}

/// The metadata; NULL for none.
#[unsafe(no_mangle)]
pub extern "C" fn faceprint_subject_metadata(subject: Option<&faceprint_subject>) -> *const c_char {
    let metadata = subject.and_then(|subject| subject.metadata.as_ref());
    metadata.map_or(std::ptr::null(), |text| text.as_ptr())
}

/// When the first template was enrolled.
#[unsafe(no_mangle)]
pub extern "C" fn faceprint_subject_enrolled_at(subject: Option<&faceprint_subject>) -> i64 {
    subject.map_or(FACEPRINT_NO_TIME, |it| millis(it.subject.enrolled_at))
}

/// When the person agreed, or FACEPRINT_NO_TIME.
#[unsafe(no_mangle)]
pub extern "C" fn faceprint_subject_consent(subject: Option<&faceprint_subject>) -> i64 {
    millis_or_none(subject.and_then(|it| it.subject.details.consent))
}

/// When they expire, or FACEPRINT_NO_TIME.
#[unsafe(no_mangle)]
pub extern "C" fn faceprint_subject_expires_at(subject: Option<&faceprint_subject>) -> i64 {
    millis_or_none(subject.and_then(|it| it.subject.details.expires_at))
}

/// How many templates there are, in all spaces.
#[unsafe(no_mangle)]
pub extern "C" fn faceprint_subject_templates(subject: Option<&faceprint_subject>) -> usize {
    subject.map_or(0, |subject| subject.subject.templates)
}

/// Frees what is known of a subject. It stays in the gallery.
#[unsafe(no_mangle)]
pub extern "C" fn faceprint_subject_free(subject: Option<Box<faceprint_subject>>) {
    free(subject);
}

/// How many templates there are.
#[unsafe(no_mangle)]
pub extern "C" fn faceprint_stored_templates_len(
    templates: Option<&faceprint_stored_templates>,
) -> usize {
    List::len(templates.map(|it| &it.templates))
}

/// One of them; NULL from the length on.
#[unsafe(no_mangle)]
pub extern "C" fn faceprint_stored_templates_at(
    templates: Option<&faceprint_stored_templates>,
    index: usize,
) -> *const faceprint_stored_template {
    List::at(templates.map(|it| &it.templates), index)
}

/// Frees a list.
#[unsafe(no_mangle)]
pub extern "C" fn faceprint_stored_templates_free(
    templates: Option<Box<faceprint_stored_templates>>,
) {
    free(templates);
}

// SAFETY: repr(C), `struct_size` first, then a pointer and numbers.
unsafe impl Growing for faceprint_details {
    fn defaults() -> Self {
        Self {
            struct_size: size_of::<Self>(),
            metadata: Text::NULL,
            consent: FACEPRINT_NO_TIME,
            expires_at: FACEPRINT_NO_TIME,
        }
    }
}

impl faceprint_details {
    pub(crate) fn details(&self) -> Result<Details, Failure> {
        Ok(Details {
            metadata: self.metadata.option("metadata")?.map(str::to_owned),
            consent: time_or_none(self.consent)?,
            expires_at: time_or_none(self.expires_at)?,
        })
    }
}

impl From<Subject> for faceprint_subject {
    fn from(subject: Subject) -> Self {
        Self {
            id: c_string(&subject.id),
            reference: c_string(subject.reference),
            metadata: subject.details.metadata.as_ref().map(c_string),
            subject,
        }
    }
}

impl From<Vec<StoredTemplate>> for faceprint_stored_templates {
    fn from(stored: Vec<StoredTemplate>) -> Self {
        let owned = stored.iter().map(|it| faceprint_template(it.template.clone()));
        let owned: Box<[_]> = owned.collect();
        let shown = stored.iter().zip(&owned).map(|(it, template)| faceprint_stored_template {
            id: it.id.into(),
            enrolled_at: millis(it.enrolled_at),
            subject_template: std::ptr::from_ref(template),
            has_quality: it.quality.is_some().into(),
            has_landmarks: it.landmarks.is_some().into(),
            quality: it.quality.unwrap_or_default(),
            landmarks: it.landmarks.unwrap_or_default().into(),
        });
        let templates = List::new(shown.collect(), Vec::new());
        Self { templates, _owned: owned }
    }
}
