//! ONNX Runtime, loaded from its shared library.

mod locate;

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use ort::environment::Environment;
use ort::ep::ExecutionProviderDispatch;
#[cfg(any(feature = "cuda", feature = "coreml", feature = "nnapi", feature = "directml"))]
use ort::ep::{self, ExecutionProvider};
use ort::session::Session;
use ort::session::builder::GraphOptimizationLevel;
use ort::value::TensorRef;

use self::locate::{Candidate, candidates};
use super::pool::Lanes;
use super::{BackendInfo, Lane, Provider, RuntimeOptions, Tensor, wide_threads};
use crate::error::{Error, ErrorKind, Result};

/// The library and its environment: one for the process, the first that loads.
static LOADED: Mutex<Option<(PathBuf, Environment)>> = Mutex::new(None);

/// Loads the library and checks the provider. `None`: no library in the usual places.
pub(super) fn connect(options: &RuntimeOptions) -> Result<Option<BackendInfo>> {
    let Some(library) = load(options.library.as_ref())? else { return Ok(None) };
    let available_providers: Vec<_> = ALL.into_iter().filter(|&it| is_available(it)).collect();
    if !available_providers.contains(&options.provider) {
        return Err(Error::new(
            ErrorKind::BackendUnavailable,
            format!(
                "{:?} was asked for, but {} and this build have only {available_providers:?}; \
                 use a library with that provider and faceprint's cargo feature of that name",
                options.provider,
                library.display()
            ),
        ));
    }
    Ok(Some(BackendInfo {
        name: "ONNX Runtime",
        version: version(&library),
        library: Some(library),
        provider: options.provider,
        available_providers,
        threads: wide_threads(options),
    }))
}

/// A network, as many times as there are runs at once.
pub(super) struct Sessions {
    lanes: Lanes<Session>,
    outputs: usize,
}

impl Sessions {
    pub(super) fn new(onnx: &[u8], options: &RuntimeOptions) -> Result<Self> {
        let onnx: Arc<[u8]> = onnx.into();
        let provider = options.provider;
        let threads = options.threads.map(std::num::NonZeroUsize::get);
        let lanes = Lanes::new(threads, move |threads| open(&onnx, threads, provider));
        // Made now, so that a model that cannot be loaded is found here and not at the first picture.
        let outputs = lanes.with(Lane::Wide, |session| {
            if session.inputs().len() == 1 {
                return Ok(session.outputs().len());
            }
            Err(Error::new(
                ErrorKind::ModelMismatch,
                format!("the model has {} inputs, expected one picture", session.inputs().len()),
            ))
        })?;
        Ok(Self { lanes, outputs })
    }

    /// Outputs are read before the session is handed back: a detector's are a megabyte, of which few
    /// values matter.
    pub(super) fn run<R>(
        &self,
        input: &Tensor<'_>,
        lane: Lane,
        read: impl FnOnce(&[Tensor<'_>]) -> Result<R>,
    ) -> Result<R> {
        self.lanes.with(lane, |session| {
            let failed = |error: ort::Error| {
                let message = format!("the model does not run on input {:?}", input.shape());
                Error::with_source(ErrorKind::ModelMismatch, message, error)
            };
            let view = TensorRef::from_array_view((input.shape(), input.data())).map_err(failed)?;
            let outputs = session.run(ort::inputs![view]).map_err(failed)?;
            let outputs: Vec<_> = (0..self.outputs)
                .map(|index| {
                    let (shape, data) =
                        outputs[index].try_extract_tensor::<f32>().map_err(failed)?;
                    let shape: Vec<_> =
                        shape.iter().map(|&side| usize::try_from(side).unwrap_or(0)).collect();
                    Tensor::new(shape, data)
                })
                .collect::<Result<_>>()?;
            read(&outputs)
        })
    }
}

impl fmt::Debug for Sessions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sessions").field("lanes", &self.lanes).finish_non_exhaustive()
    }
}

fn open(onnx: &[u8], threads: usize, provider: Provider) -> Result<Session> {
    let loaded = LOADED.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let Some((_, environment)) = loaded else {
        return Err(Error::new(ErrorKind::Internal, "no ONNX Runtime is loaded"));
    };
    let open = || -> ort::Result<Session> {
        let mut builder = Session::builder(&environment)?
            .with_optimization_level(GraphOptimizationLevel::All)?
            .with_intra_threads(threads)?
            // Threads that spin between runs take the cores of the host application, and of the
            // other network of the same picture.
            .with_intra_op_spinning(false)?;
        if let Some(dispatch) = dispatch(provider) {
            builder = builder.with_execution_providers([dispatch.error_on_failure()])?;
        }
        builder.commit_from_memory(onnx)
    };
    open().map_err(|error| {
        let message = "the model cannot be loaded by ONNX Runtime";
        Error::with_source(ErrorKind::ModelMismatch, message, error)
    })
}

/// The path of the process's library, which this call loads if none is.
fn load(explicit: Option<&PathBuf>) -> Result<Option<PathBuf>> {
    let mut loaded = LOADED.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some((path, _)) = loaded.as_ref() {
        return match explicit {
            Some(other) if !same_file(path, other) => Err(Error::new(
                ErrorKind::BackendUnavailable,
                format!(
                    "ONNX Runtime is already loaded from {} in this process; {} cannot be loaded beside it",
                    path.display(),
                    other.display()
                ),
            )),
            _ => Ok(Some(path.clone())),
        };
    }
    for candidate in candidates(explicit) {
        let (path, asked_for) = match candidate {
            Candidate::AskedFor(path) => (path, true),
            Candidate::Usual(path) => (path, false),
        };
        match start(&path) {
            Ok(environment) => {
                *loaded = Some((path.clone(), environment));
                return Ok(Some(path));
            }
            Err(error) if asked_for => {
                let message = format!("cannot load ONNX Runtime from {}", path.display());
                return Err(Error::with_source(ErrorKind::BackendUnavailable, message, error));
            }
            Err(_) => {}
        }
    }
    Ok(None)
}

fn start(library: &Path) -> Result<Environment, Box<dyn std::error::Error + Send + Sync>> {
    Ok(ort::init_from(library)?.with_telemetry(false).build()?)
}

fn same_file(a: &Path, b: &Path) -> bool {
    a == b || matches!((a.canonicalize(), b.canonicalize()), (Ok(a), Ok(b)) if a == b)
}

/// ONNX Runtime tells its version to C callers only; published libraries carry it in their file name
/// (`libonnxruntime.so.1.31.1`), others are told apart by the commit they were built from.
fn version(library: &Path) -> String {
    let file = library.canonicalize().unwrap_or_else(|_| library.to_owned());
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    let digits = name.trim_start_matches(|c: char| !c.is_ascii_digit());
    let version = digits.trim_end_matches(|c: char| !c.is_ascii_digit());
    if version.contains('.') {
        return version.to_owned();
    }
    let commit = ort::info().split("git-commit-id=").nth(1).and_then(|it| it.split(',').next());
    commit.map_or_else(|| "of unknown version".to_owned(), |commit| format!("build {commit}"))
}

const ALL: [Provider; 5] =
    [Provider::Cpu, Provider::Cuda, Provider::CoreMl, Provider::Nnapi, Provider::DirectMl];

fn is_available(provider: Provider) -> bool {
    match provider {
        Provider::Cpu => true,
        #[cfg(feature = "cuda")]
        Provider::Cuda => ep::CUDA::is_available().unwrap_or(false),
        #[cfg(feature = "coreml")]
        Provider::CoreMl => ep::CoreML::is_available().unwrap_or(false),
        #[cfg(feature = "nnapi")]
        Provider::Nnapi => ep::NNAPI::is_available().unwrap_or(false),
        #[cfg(feature = "directml")]
        Provider::DirectMl => ep::DirectML::is_available().unwrap_or(false),
        #[allow(unreachable_patterns, reason = "reached unless all provider features are on")]
        _ => false,
    }
}

fn dispatch(provider: Provider) -> Option<ExecutionProviderDispatch> {
    match provider {
        #[cfg(feature = "cuda")]
        Provider::Cuda => Some(ep::CUDA::default().build()),
        #[cfg(feature = "coreml")]
        Provider::CoreMl => Some(ep::CoreML::default().build()),
        #[cfg(feature = "nnapi")]
        Provider::Nnapi => Some(ep::NNAPI::default().build()),
        #[cfg(feature = "directml")]
        Provider::DirectMl => Some(ep::DirectML::default().build()),
        _ => None,
    }
}
