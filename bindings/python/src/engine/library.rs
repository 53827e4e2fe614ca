//! ONNX Runtime of the Python package beside this one.

use std::path::PathBuf;
use std::sync::OnceLock;

use faceprint::runtime::BackendInfo;
use pyo3::prelude::*;

use crate::error::Result;

/// The library that this process runs. It is the first one that was loaded, and no second can be.
static LOADED: OnceLock<()> = OnceLock::new();

/// The library in the installed package `onnxruntime`, when that is what a search should find.
pub(super) fn installed(py: Python<'_>) -> Result<Option<PathBuf>> {
    let is_named = std::env::var_os("ORT_DYLIB_PATH").is_some_and(|path| !path.is_empty());
    if is_named || LOADED.get().is_some() {
        return Ok(None);
    }
    Ok(py.import("faceprint._runtime")?.call_method0("onnxruntime_library")?.extract()?)
}

/// Notes what an engine runs on.
pub(super) fn loaded(backend: &BackendInfo) {
    if backend.library.is_some() {
        LOADED.get_or_init(|| ());
    }
}
