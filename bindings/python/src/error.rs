//! Failures on their way to Python: the classes are `faceprint._errors`, chosen by the kind's number.

use std::error::Error as _;
use std::io;
use std::path::{Path, PathBuf};

use faceprint::{Error, ErrorKind};
use pyo3::exceptions::{PyOSError, PyTypeError};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::PyModule;

/// What a function of the module returns.
pub(crate) type Result<T, E = Failure> = std::result::Result<T, E>;

/// Why a call fails. It becomes a Python exception when it leaves the module.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The core's own.
    Core(Error),
    /// An exception of the caller's code, or of a conversion.
    Python(PyErr),
    /// A picture file that cannot be read.
    File(PathBuf, io::Error),
    /// A value out of range that the core never sees, as its `InvalidArgument`.
    Argument(String),
    /// An object that belongs to another process, or is closed.
    Gone(&'static str, String),
    /// An argument of the wrong type, or arguments that do not go together.
    Type(String),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Core(error)
    }
}

impl From<PyErr> for Failure {
    fn from(error: PyErr) -> Self {
        Self::Python(error)
    }
}

impl From<pyo3::CastError<'_, '_>> for Failure {
    fn from(error: pyo3::CastError<'_, '_>) -> Self {
        Self::Python(error.into())
    }
}

impl From<Failure> for PyErr {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Core(error) => Python::attach(|py| from_core(py, &error)),
            Failure::Python(error) => error,
            Failure::File(path, error) => from_io(&path, &error),
            Failure::Argument(message) => Python::attach(|py| {
                let class = by_code(py, ErrorKind::InvalidArgument.code());
                class.and_then(|class| made(&class, &message, ErrorKind::InvalidArgument.code()))
            })
            .unwrap_or_else(|error| error),
            Failure::Gone(class, message) => Python::attach(|py| {
                let class = classes(py)?.getattr(class)?;
                made(&class, &message, ErrorKind::InvalidArgument.code())
            })
            .unwrap_or_else(|error| error),
            Failure::Type(message) => PyTypeError::new_err(message),
        }
    }
}

/// The exception of a kind. An exception that the caller's own code raised on the way is its cause.
fn from_core(py: Python<'_>, error: &Error) -> PyErr {
    let code = error.kind().code();
    let raised = by_code(py, code).and_then(|class| made(&class, &error.to_string(), code));
    let raised = raised.unwrap_or_else(|error| error);
    if let Some(cause) = error.source().and_then(|it| it.downcast_ref::<PyErr>()) {
        raised.set_cause(py, Some(cause.clone_ref(py)));
    }
    raised
}

/// Python chooses the subclass by the number: `FileNotFoundError` and its siblings.
fn from_io(path: &Path, error: &io::Error) -> PyErr {
    match error.raw_os_error() {
        Some(number) => Python::attach(|py| {
            let said = py.import("os")?.call_method1("strerror", (number,))?.unbind();
            Ok::<_, PyErr>(PyOSError::new_err((number, said, path.display().to_string())))
        })
        .unwrap_or_else(|error| error),
        None => PyOSError::new_err(format!("{}: {error}", path.display())),
    }
}

fn made(class: &Bound<'_, PyAny>, message: &str, code: u16) -> PyResult<PyErr> {
    let exception = class.call1((message,))?;
    exception.setattr("code", code)?;
    Ok(PyErr::from_value(exception))
}

fn by_code(py: Python<'_>, code: u16) -> PyResult<Bound<'_, PyAny>> {
    classes(py)?.call_method1("by_code", (code,))
}

fn classes(py: Python<'_>) -> PyResult<&Bound<'_, PyModule>> {
    static CLASSES: PyOnceLock<Py<PyModule>> = PyOnceLock::new();
    let module = CLASSES
        .get_or_try_init(py, || PyModule::import(py, "faceprint._errors").map(Bound::unbind))?;
    Ok(module.bind(py))
}
