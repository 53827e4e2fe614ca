//! The stand-in for builds without the feature `rten`: same signatures, nothing to run on.

use super::{BackendInfo, Lane, Tensor};
use crate::error::{Error, ErrorKind, Result};

/// Never constructed.
#[derive(Clone, Debug)]
pub(super) enum Engine {}

impl Engine {
    pub(super) fn new(_threads: Option<usize>) -> Result<Self> {
        Err(Error::new(
            ErrorKind::BackendUnavailable,
            "this build has no pure-Rust engine and no ONNX Runtime library was found; \
             name one in ORT_DYLIB_PATH, or build with the cargo feature `rten`",
        ))
    }

    pub(super) fn info(&self, _threads: usize) -> BackendInfo {
        match *self {}
    }

    pub(super) fn load(&self, _onnx: &[u8]) -> Result<Model> {
        match *self {}
    }
}

/// Never constructed.
#[derive(Debug)]
pub(super) enum Model {}

impl Model {
    pub(super) fn run(&self, _input: &Tensor<'_>, _lane: Lane) -> Result<Vec<Tensor<'static>>> {
        match *self {}
    }
}
