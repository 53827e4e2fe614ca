//! Why a command could not do its work: exit code 2 and one line on standard error.

use std::fmt;
use std::io;
use std::path::Path;

use faceprint::ErrorKind;
use serde::Serialize;

/// An error as it is shown: the library's kind and number, and a message.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Failure {
    /// The stable number of the kind, [`ErrorKind::code`].
    pub(crate) code: u16,
    /// The name of the kind.
    pub(crate) kind: String,
    /// One line for people.
    pub(crate) message: String,
    /// Nothing is to be said: it was told already, or the reader of standard output has gone.
    #[serde(skip)]
    pub(crate) silent: bool,
}

impl Failure {
    /// A failure of the command line itself, in the library's words for such failures.
    pub(crate) fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        let kind_name = format!("{kind:?}");
        Self { code: kind.code(), kind: kind_name, message: message.into(), silent: false }
    }

    /// The caller asked for something that makes no sense.
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::InvalidArgument, message)
    }

    /// A file could not be read or written.
    pub(crate) fn file(path: &Path, error: &io::Error) -> Self {
        Self::new(ErrorKind::Io, format!("{}: {error}", path.display()))
    }

    /// Some of the work failed, each part of which was reported when it did.
    pub(crate) fn told() -> Self {
        Self { silent: true, ..Self::new(ErrorKind::Io, "some pictures failed") }
    }

    /// Puts the file that was being worked on in front of the message.
    #[must_use]
    pub(crate) fn at(mut self, path: &Path) -> Self {
        self.message = format!("{}: {}", path.display(), self.message);
        self
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl From<faceprint::Error> for Failure {
    fn from(error: faceprint::Error) -> Self {
        match error.kind() {
            // The library names what the command line does not have.
            ErrorKind::Locked => Self::new(
                ErrorKind::Locked,
                "another process is writing to the gallery; try again when it is done",
            ),
            ErrorKind::WrongCursor => {
                Self::new(ErrorKind::WrongCursor, format!("{error} (that is, without --since)"))
            }
            kind => Self::new(kind, error.to_string()),
        }
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        let silent = error.kind() == io::ErrorKind::BrokenPipe;
        Self { silent, ..Self::new(ErrorKind::Io, error.to_string()) }
    }
}
