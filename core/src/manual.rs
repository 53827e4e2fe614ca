//! Pages that are no API.
//!
//! - [`format`](mod@format): the gallery's file and the bundle, byte by byte;
//! - [`threats`]: what a gallery protects against, and what not.

pub mod format;
pub mod threats;
