//! Running networks: one seam, two engines, chosen at run time in one binary.
//!
//! [ONNX Runtime](https://onnxruntime.ai) is used when its shared library is found, the pure-Rust
//! engine [rten](https://docs.rs/rten) otherwise. ONNX Runtime is looked for, in this order, at the
//! path that was asked for, at `ORT_DYLIB_PATH`, beside the executable, and where the system's loader
//! looks. A path that was asked for and cannot be loaded is an error; only the last two places are
//! allowed to be empty. Nothing is ever downloaded.
//!
//! # Why is the choice of library process-wide?
//! ONNX Runtime keeps one environment in a process. The first [`Runtime`] that loads the library
//! decides which one it is; asking for another path afterwards is an error. The choice between the two
//! engines is made for each `Runtime` separately.
//!
//! # Threads
//! A network that runs alone uses all cores (the *wide* lane). When calls overlap, the others run on
//! one thread each (the *narrow* lane), so that overlapping calls share the cores instead of fighting
//! for them. Results are the same bits in either lane.

mod graph;
#[cfg_attr(not(feature = "onnxruntime"), path = "runtime/onnxruntime_disabled.rs")]
mod onnxruntime;
#[cfg_attr(
    not(any(feature = "onnxruntime", feature = "rten")),
    expect(dead_code, reason = "no engine to pool")
)]
mod pool;
#[cfg_attr(not(feature = "rten"), path = "runtime/pure_disabled.rs")]
mod pure;
mod spare;
mod tensor;

use std::fmt;
use std::num::NonZeroUsize;
use std::path::PathBuf;

use crate::error::{Error, ErrorKind, Result};

#[cfg(fuzzing)]
pub use graph::Graph;
#[cfg(not(fuzzing))]
use graph::Graph;
pub(crate) use spare::Spare;
pub use tensor::Tensor;

/// Most pictures of one run: bounds the memory of a crowd, and more at once is not faster.
const MAX_BATCH: usize = 16;

/// Which engine to run networks on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum BackendChoice {
    /// ONNX Runtime when its library is found, the pure-Rust engine otherwise.
    #[default]
    Auto,
    /// ONNX Runtime, or an error.
    OnnxRuntime,
    /// The pure-Rust engine, or an error.
    Rten,
}

/// Where ONNX Runtime executes a network. Anything but the CPU needs the cargo feature of the same
/// name and a library built with that provider; one that was asked for and is missing is an error.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Provider {
    /// The CPU; always there.
    #[default]
    Cpu,
    /// NVIDIA GPUs (feature `cuda`).
    Cuda,
    /// Apple's Neural Engine and GPUs (feature `coreml`).
    CoreMl,
    /// Android's accelerators (feature `nnapi`).
    Nnapi,
    /// DirectX 12 on Windows (feature `directml`).
    DirectMl,
}

/// How networks are run.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct RuntimeOptions {
    /// Which engine.
    pub backend: BackendChoice,
    /// ONNX Runtime's shared library, instead of looking for one.
    pub library: Option<PathBuf>,
    /// Where ONNX Runtime executes.
    pub provider: Provider,
    /// Threads of one run. `None`: all cores for a run that is alone, one for runs that overlap.
    pub threads: Option<NonZeroUsize>,
}

/// What runs the networks of an engine.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct BackendInfo {
    /// `ONNX Runtime` or `rten`.
    pub name: &'static str,
    /// The engine's own version.
    pub version: String,
    /// ONNX Runtime's library; `None` for the pure-Rust engine.
    pub library: Option<PathBuf>,
    /// Where networks execute.
    pub provider: Provider,
    /// Providers that the library has and this build knows.
    pub available_providers: Vec<Provider>,
    /// Threads of a run that is alone.
    pub threads: usize,
}

impl fmt::Display for BackendInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} ({:?}, {} threads", self.name, self.version, self.provider, self.threads)?;
        match &self.library {
            Some(library) => write!(f, ", {})", library.display()),
            None => write!(f, ")"),
        }
    }
}

/// Which threads a run may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lane {
    /// All threads of the engine, when no other run has them.
    Wide,
    /// One thread: the caller keeps the other cores busy itself.
    Narrow,
}

/// An engine that is ready to load networks.
#[derive(Clone, Debug)]
pub struct Runtime {
    engine: EngineKind,
    options: RuntimeOptions,
    info: BackendInfo,
}

#[derive(Clone, Debug)]
enum EngineKind {
    OnnxRuntime,
    Pure(pure::Engine),
}

impl Runtime {
    /// Finds the engine that `options` ask for.
    ///
    /// # Errors
    /// [`ErrorKind::BackendUnavailable`] when what was asked for is missing: never a silent fallback.
    pub fn new(options: &RuntimeOptions) -> Result<Self> {
        let insists = options.backend == BackendChoice::OnnxRuntime
            || options.library.is_some()
            || options.provider != Provider::Cpu;
        if options.backend == BackendChoice::Rten {
            if options.library.is_some() || options.provider != Provider::Cpu {
                return Err(Error::new(
                    ErrorKind::InvalidArgument,
                    "a library path and a provider are for ONNX Runtime; the pure-Rust engine has neither",
                ));
            }
            return Self::pure(options);
        }
        match onnxruntime::connect(options) {
            Ok(Some(info)) => {
                Ok(Self { engine: EngineKind::OnnxRuntime, options: options.clone(), info })
            }
            Ok(None) if insists => Err(Error::new(
                ErrorKind::BackendUnavailable,
                "no ONNX Runtime library beside the executable or on the system's library path; \
                 install onnxruntime (1.17 or newer) and name its library in ORT_DYLIB_PATH, or use the rten backend",
            )),
            Ok(None) => Self::pure(options),
            Err(error) => Err(error),
        }
    }

    /// What this is.
    #[must_use]
    pub const fn info(&self) -> &BackendInfo {
        &self.info
    }

    /// Loads the network in `onnx`, the bytes of an ONNX file. A height and width that the file fixes
    /// are freed, so that the network takes other sizes too.
    ///
    /// # Errors
    /// [`ErrorKind::ModelMismatch`] for bytes that are not an ONNX model this engine can run.
    pub fn load(&self, onnx: &[u8]) -> Result<Network> {
        let graph = Graph::parse(onnx)?;
        let freed = graph.with_free_size();
        let bytes = freed.as_deref().unwrap_or(onnx);
        let loaded = match &self.engine {
            EngineKind::OnnxRuntime => {
                Loaded::OnnxRuntime(onnxruntime::Sessions::new(bytes, &self.options)?)
            }
            EngineKind::Pure(engine) => {
                if let Some(operator) = graph.quantized_operator() {
                    return Err(Error::new(
                        ErrorKind::BackendUnavailable,
                        format!(
                            "the model uses the quantised operator {operator}, which the pure-Rust engine \
                             computes wrongly; use its float version, or ONNX Runtime"
                        ),
                    ));
                }
                Loaded::Pure(Box::new(engine.load(bytes)?))
            }
        };
        // Dynamic quantisation takes its range from the whole batch: a face's result would depend
        // on its neighbours.
        let batches = graph.batch_is_free() && !graph.quantizes_dynamically();
        let batch = |lane| if batches { self.batch(lane) } else { 1 };
        Ok(Network { loaded, wide_batch: batch(Lane::Wide), narrow_batch: batch(Lane::Narrow) })
    }

    /// One thread is as fast picture by picture, or faster, since what passes between layers stays in its
    /// cache; threads that share a run have more to share in a batch (`benches/README.md`).
    fn batch(&self, lane: Lane) -> usize {
        let threads = match lane {
            Lane::Wide => self.info.threads,
            Lane::Narrow => self.options.threads.map_or(1, NonZeroUsize::get),
        };
        if threads == 1 && self.info.provider == Provider::Cpu { 1 } else { MAX_BATCH }
    }

    fn pure(options: &RuntimeOptions) -> Result<Self> {
        let engine = pure::Engine::new(options.threads.map(NonZeroUsize::get))?;
        let info = engine.info(wide_threads(options));
        Ok(Self { engine: EngineKind::Pure(engine), options: options.clone(), info })
    }
}

/// A loaded network: one image input, float outputs. `Send + Sync`; calls may overlap.
#[derive(Debug)]
pub struct Network {
    loaded: Loaded,
    wide_batch: usize,
    narrow_batch: usize,
}

#[derive(Debug)]
enum Loaded {
    OnnxRuntime(onnxruntime::Sessions),
    Pure(Box<pure::Model>),
}

impl Network {
    /// How many pictures to give a run on `lane`, at most. Their results are those of single runs.
    pub(crate) const fn batch(&self, lane: Lane) -> usize {
        match lane {
            Lane::Wide => self.wide_batch,
            Lane::Narrow => self.narrow_batch,
        }
    }

    /// Runs the network on `input`, shape (N, C, H, W), and has `read` read the outputs where they lie.
    /// They come in the file's order.
    pub(crate) fn run<R>(
        &self,
        input: &Tensor<'_>,
        lane: Lane,
        read: impl FnOnce(&[Tensor<'_>]) -> Result<R>,
    ) -> Result<R> {
        match &self.loaded {
            Loaded::OnnxRuntime(sessions) => sessions.run(input, lane, read),
            Loaded::Pure(model) => read(&model.run(input, lane)?),
        }
    }
}

fn wide_threads(options: &RuntimeOptions) -> usize {
    options.threads.map_or_else(cores, NonZeroUsize::get)
}

/// Cores this process may use.
pub(crate) fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, NonZeroUsize::get)
}
