//! The build without picture codecs.

use super::limits::DecodeLimits;
use super::raster::RgbImage;
use crate::error::{Error, ErrorKind, Result};

/// Refuses: this build has no picture codecs.
///
/// # Errors
/// Always [`Unsupported`](ErrorKind::Unsupported).
pub fn decode(_bytes: &[u8], _limits: &DecodeLimits) -> Result<RgbImage> {
    Err(Error::new(
        ErrorKind::Unsupported,
        "this build reads no picture files; enable the feature `codecs` or bring raw pixels",
    ))
}
