//! What went wrong.

use std::ffi::{CString, c_char};

use faceprint::ErrorKind;

use crate::boundary::{free, quietly};

/// FACEPRINT_STATUS_OK, or the kind of an error: 1xx the caller must act, 2xx it is about models, 3xx about the
/// gallery, 4xx about the environment, 9xx is a bug of the library. A number keeps its meaning for ever; there may
/// come others.
#[repr(u32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(clippy::exhaustive_enums, reason = "declared for C, with a number for every ErrorKind")]
pub enum faceprint_status {
    /// It succeeded.
    Ok = 0,
    /// An argument is out of its documented range.
    InvalidArgument = 100,
    /// Pixels, or the bytes of a picture file, are not a picture that can be read.
    InvalidImage = 101,
    /// A picture is larger than the limits it is read under.
    LimitExceeded = 102,
    /// Templates of two embedding spaces cannot be compared.
    SpaceMismatch = 103,
    /// The feature is not part of this build.
    Unsupported = 104,
    /// A pack, a model or its file is not where models are looked for.
    ModelNotFound = 200,
    /// A manifest is not valid; the message names the field.
    InvalidManifest = 201,
    /// The bytes of a model file are not the ones its manifest promises.
    ModelCorrupt = 202,
    /// A model loads but does not behave as its manifest says.
    ModelMismatch = 203,
    /// A model's licence has to be accepted before it is loaded.
    LicenseNotAccepted = 204,
    /// There is no gallery file at the path.
    GalleryNotFound = 300,
    /// A file is already where a gallery was to be made.
    GalleryExists = 301,
    /// The passphrase, key or provider opens no access slot of the gallery, or the key is not that of a
    /// Fernet token.
    WrongKey = 302,
    /// The gallery is not as its keys left it: rows were changed, removed, added, moved or rolled back,
    /// or the file is damaged or no database at all.
    Integrity = 303,
    /// Another process holds the gallery's write lock, and waiting did not help.
    Locked = 304,
    /// The file is a database and no gallery, or it or a bundle is of a format this version does not know.
    GalleryVersion = 305,
    /// The subject is not enrolled, was erased, or has expired.
    SubjectNotFound = 306,
    /// The gallery has no such tenant.
    TenantNotFound = 307,
    /// The subject has no such template.
    TemplateNotFound = 308,
    /// A limit on subjects, templates or metadata would be passed.
    LimitReached = 309,
    /// The caller's key provider refused or failed.
    KeyProvider = 310,
    /// The cursor is of another gallery or tenant, or of a later state than the file is in.
    WrongCursor = 311,
    /// The bytes are no bundle, or not as the office signed them.
    BundleDamaged = 312,
    /// The bundle was signed by another office than the one expected.
    BundleSigner = 313,
    /// The bundle is for another device.
    BundleDevice = 314,
    /// The bundle's time is over.
    BundleExpired = 315,
    /// The inference engine or execution provider that was asked for is not here.
    BackendUnavailable = 400,
    /// A file could not be read or written.
    Io = 401,
    /// A download failed; what was there before is untouched.
    Download = 402,
    /// A broken promise inside the library. Please report it.
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
