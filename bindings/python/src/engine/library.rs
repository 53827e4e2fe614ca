//! The inference engine's library: ONNX Runtime of the Python package beside this one, and what a fork leaves of
//! either engine.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use faceprint::BackendChoice;
use faceprint::runtime::{BackendInfo, Runtime, RuntimeOptions};
use pyo3::prelude::*;

use crate::error::{Failure, Result};

/// ONNX Runtime runs in this process. The library is the first one that was loaded, and no second can be.
static LOADED: OnceLock<()> = OnceLock::new();

/// The process that first ran the engine in pure Rust, and has the threads it loads models with.
static PURE: OnceLock<u32> = OnceLock::new();

/// The library in the installed package `onnxruntime`, when that is what a search should find.
pub(super) fn installed(py: Python<'_>) -> Result<Option<PathBuf>> {
    let is_named = std::env::var_os("ORT_DYLIB_PATH").is_some_and(|path| !path.is_empty());
    if is_named || LOADED.get().is_some() {
        return Ok(None);
    }
    Ok(py.import("faceprint._runtime")?.call_method0("onnxruntime_library")?.extract()?)
}

/// Notes what an engine runs on.
pub(super) fn loaded(py: Python<'_>, backend: &BackendInfo) -> Result<()> {
    if backend.library.is_none() {
        PURE.get_or_init(std::process::id);
    } else if LOADED.set(()).is_ok() {
        py.import("faceprint._runtime")?.call_method0("onnxruntime_loaded")?;
    }
    Ok(())
}

/// Fails where loading models would wait for threads that a fork left behind.
pub(super) fn survives(
    py: Python<'_>,
    backend: BackendChoice,
    library: Option<&Path>,
) -> Result<()> {
    if PURE.get().is_none_or(|process| *process == std::process::id()) {
        return Ok(());
    }
    let mut options = RuntimeOptions::default();
    options.backend = backend;
    options.library = library.map(Path::to_owned);
    let runtime = py.detach(|| Runtime::new(&options))?;
    if runtime.info().library.is_some() {
        return Ok(());
    }
    let message = "an Engine on the pure-Rust backend was made before this process was forked, and its threads are \
                   not in it; make the first Engine in the child, or install onnxruntime";
    Err(Failure::Gone("ForkedError", message.to_owned()))
}
