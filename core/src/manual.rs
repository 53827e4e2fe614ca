//! Pages that are no API: how a gallery's file and its bundles are laid out, and what a gallery protects against.

pub mod format;
pub mod threats;
