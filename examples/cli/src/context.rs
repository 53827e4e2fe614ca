//! What every command knows: how to print, and where models lie.

use std::path::PathBuf;

/// The part of the command line that does not concern inference.
#[derive(Clone, Debug, Default)]
pub(crate) struct Context {
    /// Results as JSON.
    pub(crate) json: bool,
    /// Folders to look for models in, before those of the environment.
    pub(crate) models: Vec<PathBuf>,
    /// A catalogue to use instead of the built-in one.
    pub(crate) catalog: Option<PathBuf>,
}
