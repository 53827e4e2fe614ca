//! One tenant: who is enrolled.

use std::ffi::{CString, c_char, c_void};

use faceprint::gallery::{Details, EnrollPolicy, NewTemplate};
use faceprint::vector::Similarity;
use faceprint::{Enrollment, SubjectId, TemplateId, Tenant};

use crate::boundary::{Flag, Growing, Items, Options, Out, Text, User, call, free, need};
use crate::error::{Failure, faceprint_error, faceprint_status};
use crate::face::faceprint_landmarks;
use crate::gallery::{faceprint_erased, faceprint_spaces, tell};
use crate::search::faceprint_progress;
use crate::subject::faceprint_details;
use crate::template::{faceprint_template, faceprint_template_id};
use crate::text::{List, c_string, faceprint_strings, name_in_place};

/// One customer, site or class of a gallery.
pub struct faceprint_tenant {
    pub(crate) tenant: Tenant,
    id: CString,
}

/// What became of an enrolment.
#[repr(u32)]
#[derive(Clone, Copy, PartialEq, Eq)]
#[allow(clippy::exhaustive_enums, reason = "declared for C; calls give numbers")]
pub enum faceprint_outcome {
    /// It is stored, and on disk.
    Added = 0,
    /// Nothing was stored: another subject looks the same.
    Duplicate = 1,
}

/// What became of an enrolment.
#[repr(C)]
#[derive(Clone, Copy)]
#[allow(clippy::exhaustive_structs, reason = "C's, and only read")]
pub struct faceprint_enrollment {
    /// A faceprint_outcome.
    pub outcome: u32,
    /// How similar a duplicate is, -1 to 1.
    pub similarity: f32,
    /// The id of the stored template.
    pub id: faceprint_template_id,
    /// Whose duplicate it is; "" when it was added.
    pub duplicate_of: [c_char; 256],
    /// How many others are nearly as similar as a duplicate, five at most: somebody may be there under two names. Who
    /// they are is in faceprint_enrollments.
    pub near_misses: u32,
}

/// Somebody who is nearly similar enough to be the same person.
#[repr(C)]
#[derive(Clone, Copy)]
#[allow(clippy::exhaustive_structs, reason = "C's, and only read")]
pub struct faceprint_near_miss {
    /// Who; lives as long as the list.
    pub subject: *const c_char,
    /// How similar, -1 to 1.
    pub similarity: f32,
}

/// What became of several enrolments, in their order.
pub struct faceprint_enrollments {
    outcomes: List<faceprint_enrollment>,
    /// As many.
    near_misses: Vec<List<faceprint_near_miss>>,
}

/// A template to enrol, with what is known of its picture; FACEPRINT_NEW_TEMPLATE_INIT.
#[repr(C)]
#[derive(Clone, Copy)]
#[allow(
    clippy::exhaustive_structs,
    reason = "C's, and of this size for ever: there are arrays of it"
)]
pub struct faceprint_new_template {
    /// Who.
    pub subject: Text,
    /// Their template.
    pub subject_template: Option<&'static faceprint_template>,
    /// How good the picture was, if that is known, or NULL.
    pub quality: Option<&'static f32>,
    /// Where the landmarks were, if that is known, or NULL.
    pub landmarks: Option<&'static faceprint_landmarks>,
    /// What is kept with the subject from now on, in place of what was, in the same commit; NULL to leave it.
    pub details: Options<faceprint_details>,
}

/// Rules for enrolment through one handle; FACEPRINT_ENROLL_POLICY_INIT.
#[repr(C)]
#[derive(Clone, Copy)]
#[allow(clippy::exhaustive_structs, reason = "C's; it grows by struct_size")]
pub struct faceprint_enroll_policy {
    /// sizeof(faceprint_enroll_policy).
    pub struct_size: usize,
    /// From which similarity to another subject on an enrolment is a duplicate.
    pub duplicate_at: f32,
    /// Whether that is looked for at all.
    pub check_duplicates: Flag,
    /// Templates a subject may have.
    pub templates_per_subject: usize,
    /// Subjects the tenant may have.
    pub subjects_per_tenant: u64,
    /// How far below duplicate_at the similarity to another subject may be to count as a near miss; 0 for none.
    pub near_miss_margin: f32,
}

/// Whose people these are; NULL for NULL.
#[unsafe(no_mangle)]
pub extern "C" fn faceprint_tenant_id(tenant: Option<&faceprint_tenant>) -> *const c_char {
    tenant.map_or(std::ptr::null(), |tenant| tenant.id.as_ptr())
}

/// Another handle of the tenant, with other rules for enrolment.
#[unsafe(no_mangle)]
pub extern "C" fn faceprint_tenant_with_policy(
    tenant: Option<&faceprint_tenant>,
    policy: Options<faceprint_enroll_policy>,
    other: Out<*mut faceprint_tenant>,
    error: Out<*mut faceprint_error>,
) -> faceprint_status {
    call(error, || {
        let other = other.check("other")?;
        let policy = policy.read("policy")?;
        let policy = EnrollPolicy::default()
            .duplicate_at((policy.check_duplicates != 0).then_some(policy.duplicate_at))
            .templates_per_subject(policy.templates_per_subject)
            .subjects_per_tenant(policy.subjects_per_tenant)
            .near_miss_margin(policy.near_miss_margin);
        other.give(need(tenant, "tenant")?.tenant.clone().with_policy(policy).into());
        Ok(())
    })
}

/// Adds a template to `subject`, who is enrolled if they are not yet. It is on disk when this returns. That somebody
/// else looks the same is an outcome, and no error. What else is known of the person or the picture goes in with
/// faceprint_tenant_enroll_all, which takes a single template too.
#[unsafe(no_mangle)]
pub extern "C" fn faceprint_tenant_enroll(
    tenant: Option<&faceprint_tenant>,
    subject: Text,
    template: Option<&faceprint_template>,
    enrollment: Out<faceprint_enrollment>,
    error: Out<*mut faceprint_error>,
) -> faceprint_status {
    call(error, || {
        let enrollment = enrollment.check("enrollment")?;
        let subject: SubjectId = subject.get("subject")?.parse()?;
        let template = &need(template, "template")?.0;
        let outcome = need(tenant, "tenant")?.tenant.enroll(&subject, template)?;
        enrollment.put(shown(outcome)?);
        Ok(())
    })
}

/// faceprint_tenant_enroll for `len` templates in one durable commit: all of them, or none when one is refused with an
/// error. Duplicates are outcomes and do not stop it; of them nothing is stored, details neither. `progress` may be
/// NULL; it must not use the tenant.
#[unsafe(no_mangle)]
pub extern "C" fn faceprint_tenant_enroll_all(
    tenant: Option<&faceprint_tenant>,
    templates: Items<faceprint_new_template>,
    len: usize,
    progress: faceprint_progress,
    user: *mut c_void,
    enrollments: Out<*mut faceprint_enrollments>,
    error: Out<*mut faceprint_error>,
) -> faceprint_status {
    call(error, || {
        let (enrollments, user) = (enrollments.check("enrollments")?, User(user));
        let templates = templates.slice(len, "templates")?;
        let details = templates.iter().map(faceprint_new_template::details);
        let details: Vec<Option<Details>> = details.collect::<Result<_, _>>()?;
        let new = templates.iter().zip(&details).map(|(it, details)| it.read(details.as_ref()));
        let new: Vec<(SubjectId, NewTemplate<'_>)> = new.collect::<Result<_, _>>()?;
        let tell = |done, all| crate::search::tell(progress, user, done, all);
        let outcomes = need(tenant, "tenant")?.tenant.enroll_all(&new, tell)?;
        let near_misses = outcomes.iter().map(near_misses).collect();
        let shown = outcomes.into_iter().map(shown).collect::<Result<_, _>>()?;
        let outcomes = List::new(shown, Vec::new());
        enrollments.give(faceprint_enrollments { outcomes, near_misses });
        Ok(())
    })
}

/// Puts a template in the place of all that `subject` has in its space.
#[unsafe(no_mangle)]
pub extern "C" fn faceprint_tenant_replace(
    tenant: Option<&faceprint_tenant>,
    subject: Text,
    template: Option<&faceprint_template>,
    enrollment: Out<faceprint_enrollment>,
    error: Out<*mut faceprint_error>,
) -> faceprint_status {
    call(error, || {
        let enrollment = enrollment.check("enrollment")?;
        let subject: SubjectId = subject.get("subject")?.parse()?;
        let template = &need(template, "template")?.0;
        let outcome = need(tenant, "tenant")?.tenant.replace(&subject, template)?;
        enrollment.put(shown(outcome)?);
        Ok(())
    })
}

/// Removes one template. A subject without templates stays, and is not found by their face.
#[unsafe(no_mangle)]
pub extern "C" fn faceprint_tenant_remove_template(
    tenant: Option<&faceprint_tenant>,
    subject: Text,
    id: Option<&faceprint_template_id>,
    error: Out<*mut faceprint_error>,
) -> faceprint_status {
    call(error, || {
        let subject: SubjectId = subject.get("subject")?.parse()?;
        let id = TemplateId::from_bytes(need(id, "id")?.bytes);
        Ok(need(tenant, "tenant")?.tenant.remove_template(&subject, &id)?)
    })
}

/// Forgets `subject`: key, templates and details go in one commit. `erased` may be NULL.
#[unsafe(no_mangle)]
pub extern "C" fn faceprint_tenant_erase(
    tenant: Option<&faceprint_tenant>,
    subject: Text,
    erased: Out<faceprint_erased>,
    error: Out<*mut faceprint_error>,
) -> faceprint_status {
    call(error, || {
        let subject: SubjectId = subject.get("subject")?.parse()?;
        tell(erased, need(tenant, "tenant")?.tenant.erase(&subject)?);
        Ok(())
    })
}

/// Erases everybody who has expired. `erased` may be NULL.
#[unsafe(no_mangle)]
pub extern "C" fn faceprint_tenant_purge_expired(
    tenant: Option<&faceprint_tenant>,
    erased: Out<faceprint_erased>,
    error: Out<*mut faceprint_error>,
) -> faceprint_status {
    call(error, || {
        tell(erased, need(tenant, "tenant")?.tenant.purge_expired()?);
        Ok(())
    })
}

/// Everybody who is enrolled and has not expired, in order of their ids' bytes.
#[unsafe(no_mangle)]
pub extern "C" fn faceprint_tenant_subjects(
    tenant: Option<&faceprint_tenant>,
    subjects: Out<*mut faceprint_strings>,
    error: Out<*mut faceprint_error>,
) -> faceprint_status {
    call(error, || {
        let subjects = subjects.check("subjects")?;
        subjects.give(faceprint_strings::new(need(tenant, "tenant")?.tenant.subjects()?));
        Ok(())
    })
}

/// faceprint_gallery_spaces of this tenant alone.
#[unsafe(no_mangle)]
pub extern "C" fn faceprint_tenant_spaces(
    tenant: Option<&faceprint_tenant>,
    spaces: Out<*mut faceprint_spaces>,
    error: Out<*mut faceprint_error>,
) -> faceprint_status {
    call(error, || {
        let spaces = spaces.check("spaces")?;
        spaces.give(faceprint_spaces::new(need(tenant, "tenant")?.tenant.spaces()?));
        Ok(())
    })
}

/// Frees a handle of a tenant.
#[unsafe(no_mangle)]
pub extern "C" fn faceprint_tenant_free(tenant: Option<Box<faceprint_tenant>>) {
    free(tenant);
}

/// How many enrolments there were.
#[unsafe(no_mangle)]
pub extern "C" fn faceprint_enrollments_len(enrollments: Option<&faceprint_enrollments>) -> usize {
    List::len(enrollments.map(|it| &it.outcomes))
}

/// What became of one of them; NULL from the length on.
#[unsafe(no_mangle)]
pub extern "C" fn faceprint_enrollments_at(
    enrollments: Option<&faceprint_enrollments>,
    index: usize,
) -> *const faceprint_enrollment {
    List::at(enrollments.map(|it| &it.outcomes), index)
}

/// How many near misses the enrolment at `index` has; 0 from the length on.
#[unsafe(no_mangle)]
pub extern "C" fn faceprint_enrollments_near_misses_len(
    enrollments: Option<&faceprint_enrollments>,
    index: usize,
) -> usize {
    List::len(enrollments.and_then(|it| it.near_misses.get(index)))
}

/// One of them, most similar first; NULL from either length on.
#[unsafe(no_mangle)]
pub extern "C" fn faceprint_enrollments_near_misses_at(
    enrollments: Option<&faceprint_enrollments>,
    index: usize,
    near_miss: usize,
) -> *const faceprint_near_miss {
    List::at(enrollments.and_then(|it| it.near_misses.get(index)), near_miss)
}

/// Frees a list.
#[unsafe(no_mangle)]
pub extern "C" fn faceprint_enrollments_free(enrollments: Option<Box<faceprint_enrollments>>) {
    free(enrollments);
}

impl From<Tenant> for faceprint_tenant {
    fn from(tenant: Tenant) -> Self {
        Self { id: c_string(tenant.id()), tenant }
    }
}

// SAFETY: repr(C), `struct_size` first, numbers.
unsafe impl Growing for faceprint_enroll_policy {
    fn defaults() -> Self {
        Self {
            struct_size: size_of::<Self>(),
            duplicate_at: 0.6,
            check_duplicates: 1,
            templates_per_subject: 10,
            subjects_per_tenant: 1_000_000,
            near_miss_margin: 0.1,
        }
    }
}

impl faceprint_new_template {
    fn details(&self) -> Result<Option<Details>, Failure> {
        if self.details.is_null() {
            return Ok(None);
        }
        self.details.read("details")?.details().map(Some)
    }

    fn read<'a>(
        &'a self,
        details: Option<&'a Details>,
    ) -> Result<(SubjectId, NewTemplate<'a>), Failure> {
        let subject = self.subject.get("subject")?.parse()?;
        let mut new = NewTemplate::from(&need(self.subject_template, "subject_template")?.0);
        if let Some(quality) = self.quality {
            new = new.quality(*quality);
        }
        if let Some(landmarks) = self.landmarks {
            new = new.landmarks((*landmarks).into());
        }
        if let Some(details) = details {
            new = new.details(details);
        }
        Ok((subject, new))
    }
}

fn shown(enrollment: Enrollment) -> Result<faceprint_enrollment, Failure> {
    Ok(match enrollment {
        Enrollment::Added { template, near_misses } => faceprint_enrollment {
            outcome: faceprint_outcome::Added as u32,
            similarity: 0.0,
            id: template.into(),
            duplicate_of: [0; 256],
            near_misses: u32::try_from(near_misses.len()).unwrap_or(u32::MAX),
        },
        Enrollment::Duplicate { of, similarity } => faceprint_enrollment {
            outcome: faceprint_outcome::Duplicate as u32,
            similarity: similarity.value(),
            id: faceprint_template_id { bytes: [0; 16] },
            duplicate_of: name_in_place(of.as_str())?,
            near_misses: 0,
        },
    })
}

fn near_misses(enrollment: &Enrollment) -> List<faceprint_near_miss> {
    let found: &[(SubjectId, Similarity)] = match enrollment {
        Enrollment::Added { near_misses, .. } => near_misses,
        Enrollment::Duplicate { .. } => &[],
    };
    let names: Vec<CString> = found.iter().map(|(subject, _)| c_string(subject)).collect();
    let shown = found.iter().zip(&names).map(|((_, similarity), name)| faceprint_near_miss {
        subject: name.as_ptr(),
        similarity: similarity.value(),
    });
    List::new(shown.collect(), names)
}
