//! One opaque error for the whole library: a [`kind`](Error::kind) to branch on, a message for people.
//!
//! Messages are lowercase, carry the measured number and its bound, and say the way out. They never
//! carry a name, a template, a key or pixels.

use std::error::Error as StdError;

/// `Result` with this library's [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What went wrong: a [`kind`](Self::kind) with a stable number, and a message with the numbers in it.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct Error {
    kind: ErrorKind,
    message: String,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

/// Who must act, and on what. The number of a kind is stable across versions and languages and is
/// never given to another kind: 1xx the caller, 2xx the models, 3xx the gallery, 4xx the
/// environment, 9xx a bug of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
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

impl ErrorKind {
    /// The stable number of this kind.
    #[must_use]
    pub const fn code(self) -> u16 {
        self as u16
    }
}

impl Error {
    pub(crate) fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), source: None }
    }

    /// Keeps the cause; its text is appended, since most callers print one line.
    pub(crate) fn with_source(
        kind: ErrorKind,
        message: impl std::fmt::Display,
        source: impl Into<Box<dyn StdError + Send + Sync>>,
    ) -> Self {
        let source = source.into();
        Self { kind, message: format!("{message}: {source}"), source: Some(source) }
    }

    /// The same error, with what it is about in front of its message.
    pub(crate) fn about(mut self, subject: &str) -> Self {
        self.message = format!("{subject}: {}", self.message);
        self
    }

    /// What went wrong, to branch on.
    #[must_use]
    pub const fn kind(&self) -> ErrorKind {
        self.kind
    }
}
