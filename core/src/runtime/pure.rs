//! The pure-Rust engine: rten.

use std::fmt;
use std::sync::Arc;

use rten::{RunOptions, ThreadPool, Value, ValueView};
use rten_tensor::TensorView;
use rten_tensor::prelude::*;

use super::pool::Lanes;
use super::{BackendInfo, Lane, Provider, Tensor};
use crate::error::{Error, ErrorKind, Result};

/// The version in the workspace's Cargo.toml; rten does not report its own.
const VERSION: &str = "0.27";

/// The threads that all networks of a runtime share.
#[derive(Clone, Debug)]
pub(super) struct Engine {
    threads: Arc<Lanes<Arc<ThreadPool>>>,
}

impl Engine {
    #[expect(clippy::unnecessary_wraps, reason = "the stand-in for builds without rten can fail")]
    pub(super) fn new(threads: Option<usize>) -> Result<Self> {
        let threads = Lanes::new(threads, |n| Ok(Arc::new(ThreadPool::with_num_threads(n))));
        Ok(Self { threads: Arc::new(threads) })
    }

    #[expect(clippy::unused_self, reason = "the stand-in for builds without rten has no value")]
    pub(super) fn info(&self, threads: usize) -> BackendInfo {
        BackendInfo {
            name: "rten",
            version: VERSION.to_owned(),
            library: None,
            provider: Provider::Cpu,
            available_providers: vec![Provider::Cpu],
            threads,
        }
    }

    pub(super) fn load(&self, onnx: &[u8]) -> Result<Model> {
        let model = rten::Model::load(onnx.to_vec()).map_err(|error| {
            let message = "the model cannot be loaded by rten";
            Error::with_source(ErrorKind::ModelMismatch, message, error)
        })?;
        if model.input_ids().len() != 1 {
            return Err(Error::new(
                ErrorKind::ModelMismatch,
                format!("the model has {} inputs, expected one picture", model.input_ids().len()),
            ));
        }
        Ok(Model { model, threads: Arc::clone(&self.threads) })
    }
}

/// A loaded network. rten runs through `&self`, so one copy of the weights serves all threads.
pub(super) struct Model {
    model: rten::Model,
    threads: Arc<Lanes<Arc<ThreadPool>>>,
}

impl Model {
    pub(super) fn run(&self, input: &Tensor<'_>, lane: Lane) -> Result<Vec<Tensor<'static>>> {
        let view = TensorView::from_data(input.shape(), input.data());
        let inputs = vec![(self.model.input_ids()[0], ValueView::FloatTensor(view).into())];
        let outputs = self.threads.with(lane, |pool| {
            let options = RunOptions::default().with_thread_pool(Some(Arc::clone(pool)));
            self.model.run(inputs, self.model.output_ids(), Some(options)).map_err(|error| {
                let message = format!("the model does not run on input {:?}", input.shape());
                Error::with_source(ErrorKind::ModelMismatch, message, error)
            })
        })?;
        outputs.into_iter().map(from_value).collect()
    }
}

impl fmt::Debug for Model {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Model").finish_non_exhaustive()
    }
}

fn from_value(value: Value) -> Result<Tensor<'static>> {
    let Value::FloatTensor(tensor) = value else {
        return Err(Error::new(
            ErrorKind::ModelMismatch,
            "an output of the model is not a 32-bit float tensor",
        ));
    };
    Tensor::new(tensor.shape().to_vec(), tensor.into_data())
}
