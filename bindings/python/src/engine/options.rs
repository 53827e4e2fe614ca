//! What an engine is told in words, and what it says of its backend.

use std::path::PathBuf;

use faceprint::runtime::{BackendInfo, Provider};
use faceprint::{BackendChoice, DetectionSize};
use pyo3::prelude::*;
use pyo3::types::PyTuple;

use crate::error::{Failure, Result};
use crate::record::record;

record! {
    /// What runs the networks. ``str`` of it is a line for people.
    Backend {
        /// ``"ONNX Runtime"`` or ``"rten"``.
        name: &'static str,
        /// The engine's own version.
        version: String,
        /// ONNX Runtime's library; ``None`` for the engine in pure Rust.
        library: Option<PathBuf>,
        /// Where networks execute: ``"cpu"`` …
        provider: &'static str,
        /// What the library has and this build knows.
        available_providers: Py<PyTuple>,
        /// Threads of a run that is alone.
        threads: usize,
        /// The line.
        description: String,
    }
    match ("name", "version")
    {
        fn __str__(&self) -> &str {
            &self.description
        }

        fn __repr__(&self) -> String {
            format!("Backend({})", self.description)
        }
    }
}

impl From<&BackendInfo> for Backend {
    fn from(info: &BackendInfo) -> Self {
        let providers = info.available_providers.iter().map(|it| provider_name(*it));
        let providers: Vec<_> = providers.collect();
        Self {
            name: info.name,
            version: info.version.clone(),
            library: info.library.clone(),
            provider: provider_name(info.provider),
            available_providers: Python::attach(|py| {
                PyTuple::new(py, providers).map(Bound::unbind)
            })
            .unwrap_or_else(|_| Python::attach(|py| PyTuple::empty(py).unbind())),
            threads: info.threads,
            description: info.to_string(),
        }
    }
}

const PROVIDERS: [(&str, Provider); 5] = [
    ("cpu", Provider::Cpu),
    ("cuda", Provider::Cuda),
    ("coreml", Provider::CoreMl),
    ("nnapi", Provider::Nnapi),
    ("directml", Provider::DirectMl),
];

pub(super) fn provider_named(name: &str) -> Result<Provider> {
    let found = PROVIDERS.iter().find(|(known, _)| *known == name);
    found.map(|(_, provider)| *provider).ok_or_else(|| {
        let names = PROVIDERS.map(|(name, _)| name).join(", ");
        Failure::Argument(format!("provider is \"{name}\", must be one of {names}"))
    })
}

fn provider_name(provider: Provider) -> &'static str {
    let found = PROVIDERS.iter().find(|(_, known)| *known == provider);
    found.map_or("unknown", |(name, _)| name)
}

pub(super) fn backend_named(name: &str) -> Result<BackendChoice> {
    match name {
        "auto" => Ok(BackendChoice::Auto),
        "onnxruntime" => Ok(BackendChoice::OnnxRuntime),
        "rten" => Ok(BackendChoice::Rten),
        _ => Err(Failure::Argument(format!(
            "backend is \"{name}\", must be auto, onnxruntime or rten"
        ))),
    }
}

pub(super) fn size_of(size: &Bound<'_, PyAny>) -> Result<DetectionSize> {
    if let Ok(side) = size.extract() {
        return Ok(DetectionSize::Square(side));
    }
    match size.extract::<&str>()? {
        "auto" => Ok(DetectionSize::Auto),
        "native" => Ok(DetectionSize::Native),
        other => Err(Failure::Argument(format!(
            "detection_size is \"{other}\", must be auto, native or a multiple of 32"
        ))),
    }
}
