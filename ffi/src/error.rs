//! What went wrong.

use std::ffi::{CString, c_char};

use faceprint::ErrorKind;

use crate::boundary::{free, quietly};

/// FACEPRINT_STATUS_OK, or the kind of an error: 1xx the caller must act, 2xx it is about models, 3xx about the
/// gallery, 4xx about the environment, 9xx is a bug of the library. A number keeps its meaning for ever; there may
/// come others.
#[repr(u32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(
    clippy::exhaustive_enums,
    missing_docs,
    reason = "as ErrorKind, whose documentation says what each is"
)]
pub enum faceprint_status {
    Ok = 0,
    InvalidArgument = 100,
    InvalidImage = 101,
    LimitExceeded = 102,
    SpaceMismatch = 103,
    Unsupported = 104,
    ModelNotFound = 200,
    InvalidManifest = 201,
    ModelCorrupt = 202,
    ModelMismatch = 203,
    LicenseNotAccepted = 204,
    GalleryNotFound = 300,
    GalleryExists = 301,
    WrongKey = 302,
    Integrity = 303,
    Locked = 304,
    GalleryVersion = 305,
    SubjectNotFound = 306,
    TenantNotFound = 307,
    TemplateNotFound = 308,
    LimitReached = 309,
    KeyProvider = 310,
    WrongCursor = 311,
    BundleDamaged = 312,
    BundleSigner = 313,
    BundleDevice = 314,
    BundleExpired = 315,
    BackendUnavailable = 400,
    Io = 401,
    Download = 402,
    Internal = 900,
}

/// What went wrong, in numbers and words. Messages name no person and show no template or key.
pub struct faceprint_error {
    status: faceprint_status,
    message: CString,
}

/// The kind of `error`; FACEPRINT_STATUS_OK for NULL.
#[unsafe(no_mangle)]
pub extern "C" fn faceprint_error_status(error: Option<&faceprint_error>) -> faceprint_status {
    error.map_or(faceprint_status::Ok, |error| error.status)
}

/// One line for people, with the numbers and the way out; "" for NULL. Lives as long as `error`.
#[unsafe(no_mangle)]
pub extern "C" fn faceprint_error_message(error: Option<&faceprint_error>) -> *const c_char {
    error.map_or(c"".as_ptr(), |error| error.message.as_ptr())
}

/// Frees an error.
#[unsafe(no_mangle)]
pub extern "C" fn faceprint_error_free(error: Option<Box<faceprint_error>>) {
    free(error);
}

/// The version of the library, as "1.2.3"; that of the header is in FACEPRINT_VERSION.
#[unsafe(no_mangle)]
pub extern "C" fn faceprint_version() -> *const c_char {
    const VERSION: &str = concat!(env!("CARGO_PKG_VERSION"), "\0");
    VERSION.as_ptr().cast()
}

/// An error on its way to C.
pub(crate) struct Failure {
    pub(crate) status: faceprint_status,
    message: String,
}

impl Failure {
    pub(crate) fn argument(message: impl Into<String>) -> Self {
        Self { status: faceprint_status::InvalidArgument, message: message.into() }
    }

    pub(crate) fn null(name: &str) -> Self {
        Self::argument(format!("{name} is NULL"))
    }

    pub(crate) const fn io(message: String) -> Self {
        Self { status: faceprint_status::Io, message }
    }

    pub(crate) fn bug(message: &str) -> Self {
        let message = format!("a bug in faceprint, or a callback that panicked: {message}");
        Self { status: faceprint_status::Internal, message }
    }
}

impl From<faceprint::Error> for Failure {
    fn from(error: faceprint::Error) -> Self {
        Self { status: status(error.kind()), message: error.to_string() }
    }
}

impl From<Failure> for faceprint_error {
    fn from(failure: Failure) -> Self {
        let message = failure.message.replace('\0', " ");
        let message = quietly(CString::default(), || CString::new(message).unwrap_or_default());
        Self { status: failure.status, message }
    }
}

/// A kind this version does not know yet counts as a bug, which the test of the ABI finds.
#[doc(hidden)]
#[must_use]
pub const fn status(kind: ErrorKind) -> faceprint_status {
    use faceprint_status as S;
    match kind {
        ErrorKind::InvalidArgument => S::InvalidArgument,
        ErrorKind::InvalidImage => S::InvalidImage,
        ErrorKind::LimitExceeded => S::LimitExceeded,
        ErrorKind::SpaceMismatch => S::SpaceMismatch,
        ErrorKind::Unsupported => S::Unsupported,
        ErrorKind::ModelNotFound => S::ModelNotFound,
        ErrorKind::InvalidManifest => S::InvalidManifest,
        ErrorKind::ModelCorrupt => S::ModelCorrupt,
        ErrorKind::ModelMismatch => S::ModelMismatch,
        ErrorKind::LicenseNotAccepted => S::LicenseNotAccepted,
        ErrorKind::GalleryNotFound => S::GalleryNotFound,
        ErrorKind::GalleryExists => S::GalleryExists,
        ErrorKind::WrongKey => S::WrongKey,
        ErrorKind::Integrity => S::Integrity,
        ErrorKind::Locked => S::Locked,
        ErrorKind::GalleryVersion => S::GalleryVersion,
        ErrorKind::SubjectNotFound => S::SubjectNotFound,
        ErrorKind::TenantNotFound => S::TenantNotFound,
        ErrorKind::TemplateNotFound => S::TemplateNotFound,
        ErrorKind::LimitReached => S::LimitReached,
        ErrorKind::KeyProvider => S::KeyProvider,
        ErrorKind::WrongCursor => S::WrongCursor,
        ErrorKind::BundleDamaged => S::BundleDamaged,
        ErrorKind::BundleSigner => S::BundleSigner,
        ErrorKind::BundleDevice => S::BundleDevice,
        ErrorKind::BundleExpired => S::BundleExpired,
        ErrorKind::BackendUnavailable => S::BackendUnavailable,
        ErrorKind::Io => S::Io,
        ErrorKind::Download => S::Download,
        _ => S::Internal,
    }
}
