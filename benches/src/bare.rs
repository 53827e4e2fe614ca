//! Bare runs: ONNX Runtime on tensors that lie ready, and nothing around it.
//!
//! They are the floor that no pipeline on these models can go below. A process has one environment of
//! ONNX Runtime, and this makes it: bare runs have a process without an engine on ONNX Runtime.

use std::error::Error;
use std::path::PathBuf;

use ort::environment::Environment;
use ort::session::Session;
use ort::session::builder::GraphOptimizationLevel;
use ort::value::Tensor;

/// A network with the library's settings on one thread, and inputs.
#[derive(Debug)]
pub struct BareRun {
    session: Session,
    inputs: Vec<Tensor<f32>>,
}

/// Loads ONNX Runtime from the library that `ORT_DYLIB_PATH` names.
///
/// # Errors
/// When it names none, or not ONNX Runtime, or the process has an environment.
pub fn environment() -> Result<(Environment, PathBuf), Box<dyn Error>> {
    let library = std::env::var_os("ORT_DYLIB_PATH").ok_or("ORT_DYLIB_PATH names no library")?;
    let library = PathBuf::from(library);
    Ok((ort::init_from(&library)?.with_telemetry(false).build()?, library))
}

impl BareRun {
    /// Opens the model in `onnx` as `runtime::onnxruntime` does.
    ///
    /// # Errors
    /// What ONNX Runtime says.
    pub fn new(environment: &Environment, onnx: &[u8]) -> Result<Self, Box<dyn Error>> {
        let session = Session::builder(environment)?
            .with_optimization_level(GraphOptimizationLevel::All)?
            .with_intra_threads(1)?
            .with_intra_op_spinning(false)?
            .commit_from_memory(onnx)?;
        Ok(Self { session, inputs: Vec::new() })
    }

    /// Replaces the inputs: tensors of `shape` (N, C, H, W).
    ///
    /// # Errors
    /// When the shape is not that of the data.
    pub fn prepare(
        &mut self,
        shape: [usize; 4],
        data: Vec<Vec<f32>>,
    ) -> Result<(), Box<dyn Error>> {
        self.inputs =
            data.into_iter().map(|it| Tensor::from_array((shape, it))).collect::<Result<_, _>>()?;
        Ok(())
    }

    /// Runs the network once on each input; its outputs are released unread.
    ///
    /// # Errors
    /// What ONNX Runtime says.
    pub fn run(&mut self) -> Result<(), Box<dyn Error>> {
        for input in &self.inputs {
            self.session.run(ort::inputs![input])?;
        }
        Ok(())
    }
}
