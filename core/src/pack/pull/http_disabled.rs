//! The build without the feature `download`: same signatures, no network.

use std::io::Read;

use crate::error::{Error, ErrorKind, Result};
use crate::pack::pull::PullOptions;

pub(crate) struct Reply {
    pub(crate) start: u64,
    pub(crate) length: Option<u64>,
    pub(crate) body: Box<dyn Read>,
}

pub(crate) fn get(url: &str, _offset: u64, _options: &PullOptions) -> Result<Reply> {
    super::url::check(url, None)?;
    Err(Error::new(
        ErrorKind::Unsupported,
        format!(
            "this build cannot download: get {url} yourself, or build with the feature download"
        ),
    ))
}
