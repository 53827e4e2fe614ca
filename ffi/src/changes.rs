//! Who changed, for copies elsewhere.

use std::ffi::{CString, c_char};

use faceprint::gallery::{Change, Changes, Cursor};

use crate::boundary::{Out, Text, call, free, need};
use crate::error::{Failure, faceprint_error, faceprint_status};
use crate::tenant::faceprint_tenant;
use crate::text::{List, c_string};

/// What became of a person. The strings live as long as the list.
#[repr(C)]
#[derive(Clone, Copy)]
#[allow(clippy::exhaustive_structs, reason = "C's, and only read")]
pub struct faceprint_change {
    /// Which enrolment.
    pub reference: *const c_char,
    /// Who was enrolled or changed; NULL when they were erased or have expired.
    pub subject: *const c_char,
}

/// A page of changes, oldest first; each person is there once.
pub struct faceprint_changes {
    changes: List<faceprint_change>,
    cursor: CString,
}

/// Up to `limit` people who changed after `cursor`, which an earlier call gave; NULL for the start.
#[unsafe(no_mangle)]
pub extern "C" fn faceprint_tenant_changes_since(
    tenant: Option<&faceprint_tenant>,
    cursor: Text,
    limit: usize,
    changes: Out<*mut faceprint_changes>,
    error: Out<*mut faceprint_error>,
) -> faceprint_status {
    call(error, || {
        let changes = changes.check("changes")?;
        let cursor = self::cursor(cursor)?;
        changes.give(need(tenant, "tenant")?.tenant.changes_since(&cursor, limit)?.into());
        Ok(())
    })
}

/// Where the next page begins.
#[unsafe(no_mangle)]
pub extern "C" fn faceprint_changes_cursor(changes: Option<&faceprint_changes>) -> *const c_char {
    changes.map_or(std::ptr::null(), |changes| changes.cursor.as_ptr())
}

/// How many changes there are; 0 when there is nothing new.
#[unsafe(no_mangle)]
pub extern "C" fn faceprint_changes_len(changes: Option<&faceprint_changes>) -> usize {
    List::len(changes.map(|it| &it.changes))
}

/// One of them; NULL from the length on.
#[unsafe(no_mangle)]
pub extern "C" fn faceprint_changes_at(
    changes: Option<&faceprint_changes>,
    index: usize,
) -> *const faceprint_change {
    List::at(changes.map(|it| &it.changes), index)
}

/// Frees a page.
#[unsafe(no_mangle)]
pub extern "C" fn faceprint_changes_free(changes: Option<Box<faceprint_changes>>) {
    free(changes);
}

/// The place in the list that a text names.
pub(crate) fn cursor(text: Text) -> Result<Cursor, Failure> {
    Ok(match text.option("cursor")? {
        Some(text) => text.parse()?,
        None => Cursor::start(),
    })
}

impl From<Changes> for faceprint_changes {
    fn from(page: Changes) -> Self {
        let mut texts = Vec::new();
        let mut changes = Vec::new();
        for change in page.changes {
            let (reference, subject) = match change {
                Change::Updated { reference, subject } => (reference, Some(c_string(subject))),
                Change::Erased { reference } => (reference, None),
            };
            let reference = c_string(reference);
            changes.push(faceprint_change {
                reference: reference.as_ptr(),
                subject: subject.as_ref().map_or(std::ptr::null(), |it| it.as_ptr()),
            });
            texts.push(reference);
            texts.extend(subject);
        }
        Self { changes: List::new(changes, texts), cursor: c_string(page.cursor) }
    }
}
