//! What can be closed, and what must not cross `fork`.
//!
//! A forked child has the memory of its parent and none of its threads. A database connection or a thread pool
//! that came along must neither be used nor dropped there: dropping would wait for threads that do not exist, or
//! remove files that the parent uses.

use std::mem;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::error::{Failure, Result};

/// A value that can be closed, and belongs to the process that made it.
///
/// The lock is taken with the GIL only, and never held across anything that lets go of it: `fork` needs the
/// GIL too, so a child never inherits it locked.
#[derive(Debug)]
pub(crate) struct Slot<T> {
    what: &'static str,
    process: u32,
    value: Mutex<Option<T>>,
}

impl<T: Clone> Slot<T> {
    pub(crate) const fn new(what: &'static str, process: u32, value: T) -> Self {
        Self { what, process, value: Mutex::new(Some(value)) }
    }

    /// The value, for one call.
    pub(crate) fn get(&self) -> Result<T> {
        if self.is_foreign() {
            return Err(forked(self.what));
        }
        self.lock().clone().ok_or_else(|| closed(self.what))
    }
}

impl<T> Slot<T> {
    /// Takes the value out; nothing in a child process, and nothing the second time.
    pub(crate) fn take(&self) -> Option<T> {
        if self.is_foreign() { None } else { self.lock().take() }
    }

    pub(crate) fn is_open(&self) -> bool {
        !self.is_foreign() && self.lock().is_some()
    }

    fn is_foreign(&self) -> bool {
        self.process != std::process::id()
    }

    fn lock(&self) -> MutexGuard<'_, Option<T>> {
        self.value.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T> Drop for Slot<T> {
    fn drop(&mut self) {
        if self.is_foreign() {
            mem::forget(self.value.get_mut().unwrap_or_else(PoisonError::into_inner).take());
        }
    }
}

pub(crate) fn forked(what: &str) -> Failure {
    let message = format!(
        "the {what} was opened before this process was forked, and cannot be used in it; open it again here \
         (gunicorn: in post_fork, or without --preload)"
    );
    Failure::Gone("ForkedError", message)
}

pub(crate) fn closed(what: &str) -> Failure {
    Failure::Gone("ClosedError", format!("the {what} is closed"))
}
