//! Where ONNX Runtime's shared library may be.

use std::env;
use std::path::PathBuf;

/// A place to load the library from.
pub(super) enum Candidate {
    /// Named by the caller or the environment: failing to load it is an error.
    AskedFor(PathBuf),
    /// A usual place: may be empty.
    Usual(PathBuf),
}

/// The library's file name on this system.
const LIBRARY: &str = if cfg!(windows) {
    "onnxruntime.dll"
} else if cfg!(target_vendor = "apple") {
    "libonnxruntime.dylib"
} else {
    "libonnxruntime.so"
};

/// Places in the order they are tried.
pub(super) fn candidates(explicit: Option<&PathBuf>) -> Vec<Candidate> {
    let asked = explicit.cloned().or_else(|| {
        env::var_os("ORT_DYLIB_PATH").filter(|path| !path.is_empty()).map(PathBuf::from)
    });
    if let Some(path) = asked {
        return vec![Candidate::AskedFor(path)];
    }
    let beside = env::current_exe().ok().and_then(|exe| {
        let path = exe.parent()?.join(LIBRARY);
        path.is_file().then_some(Candidate::Usual(path))
    });
    // A bare file name is what makes the system's loader search its own path.
    beside.into_iter().chain([Candidate::Usual(PathBuf::from(LIBRARY))]).collect()
}
