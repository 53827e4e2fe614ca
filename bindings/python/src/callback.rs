//! Callbacks into Python, from threads without the GIL.

use std::sync::{Mutex, PoisonError};

use pyo3::prelude::*;

use crate::error::Result;

/// A `progress(done, total)` of the caller. The first exception it raises is kept, ends the calls, and is
/// raised when the work is done: the core does not stop half way.
pub(crate) struct Progress {
    callback: Option<Py<PyAny>>,
    raised: Mutex<Option<PyErr>>,
}

impl Progress {
    pub(crate) const fn new(callback: Option<Py<PyAny>>) -> Self {
        Self { callback, raised: Mutex::new(None) }
    }

    pub(crate) fn tell(&self, done: usize, total: usize) {
        let Some(callback) = &self.callback else { return };
        if self.raised.lock().unwrap_or_else(PoisonError::into_inner).is_some() {
            return;
        }
        if let Err(error) = Python::attach(|py| callback.call1(py, (done, total)).map(drop)) {
            *self.raised.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
        }
    }

    pub(crate) fn finish(&self) -> Result<()> {
        let raised = self.raised.lock().unwrap_or_else(PoisonError::into_inner).take();
        raised.map_or(Ok(()), |error| Err(error.into()))
    }
}
