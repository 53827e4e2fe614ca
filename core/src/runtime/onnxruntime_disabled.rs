//! The stand-in for builds without the feature `onnxruntime`: same signatures, nothing to run on.

use super::{BackendInfo, Lane, RuntimeOptions, Tensor};
use crate::error::{Error, ErrorKind, Result};

pub(super) fn connect(options: &RuntimeOptions) -> Result<Option<BackendInfo>> {
    if options.library.is_some() {
        return Err(Error::new(
            ErrorKind::Unsupported,
            "this build has no ONNX Runtime; build with the cargo feature `onnxruntime`",
        ));
    }
    Ok(None)
}

/// Never constructed.
#[derive(Debug)]
pub(super) enum Sessions {}

impl Sessions {
    pub(super) fn new(_onnx: &[u8], _options: &RuntimeOptions) -> Result<Self> {
        Err(Error::new(ErrorKind::Unsupported, "this build has no ONNX Runtime"))
    }

    pub(super) fn run<R>(
        &self,
        _input: &Tensor<'_>,
        _lane: Lane,
        _read: impl FnOnce(&[Tensor<'_>]) -> Result<R>,
    ) -> Result<R> {
        match *self {}
    }
}
