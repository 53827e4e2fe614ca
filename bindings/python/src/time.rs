//! Times and spans: `datetime` and `timedelta`, or seconds as numbers.

use std::time::{Duration, SystemTime};

use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyDateTime, PyDelta};

/// A point in time: an aware `datetime`, or seconds since 1970 as `time.time()` has them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Moment(pub(crate) SystemTime);

impl FromPyObject<'_, '_> for Moment {
    type Error = PyErr;

    fn extract(object: Borrowed<'_, '_, PyAny>) -> PyResult<Self> {
        if object.is_instance_of::<PyDateTime>() {
            if object.getattr("tzinfo")?.is_none() {
                return Err(PyTypeError::new_err(
                    "the datetime has no time zone; use datetime.now(timezone.utc)",
                ));
            }
            return object.extract().map(Self);
        }
        let since = seconds(&object, "a time is a datetime, or seconds since 1970 as a number")?;
        let time = SystemTime::UNIX_EPOCH.checked_add(since);
        time.map(Self).ok_or_else(|| PyValueError::new_err("the time is later than times can be"))
    }
}

/// A span of time: a `timedelta`, or seconds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Span(pub(crate) Duration);

impl FromPyObject<'_, '_> for Span {
    type Error = PyErr;

    fn extract(object: Borrowed<'_, '_, PyAny>) -> PyResult<Self> {
        if object.is_instance_of::<PyDelta>() {
            return object.extract().map(Self);
        }
        seconds(&object, "a span of time is a timedelta, or seconds as a number").map(Self)
    }
}

fn seconds(object: &Borrowed<'_, '_, PyAny>, wanted: &str) -> PyResult<Duration> {
    let number: f64 = object.extract().map_err(|_| PyTypeError::new_err(wanted.to_owned()))?;
    Duration::try_from_secs_f64(number)
        .map_err(|_| PyValueError::new_err(format!("{number} seconds are out of range")))
}
