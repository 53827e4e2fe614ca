//! Options of an engine, and the loading of its models.

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::Arc;

use super::{Engine, Models};
use crate::detect::{DetectOptions, DetectionSize, Detector};
use crate::embed::Embedder;
use crate::error::{Error, ErrorKind, Result};
use crate::liveness::LivenessModels;
use crate::pack::{ModelKind, ModelPack};
use crate::quality::{Measure, Policy};
use crate::runtime::{BackendChoice, Lane, Provider, Runtime, RuntimeOptions};

/// Options of an [`Engine`]; each has a default that suits most users.
#[derive(Clone, Debug)]
pub struct EngineBuilder {
    pack: ModelPack,
    runtime: RuntimeOptions,
    threads: Option<usize>,
    detect: DetectOptions,
    average_flip: bool,
    policy: Policy,
    liveness: bool,
    accepted_licenses: Vec<String>,
}

impl EngineBuilder {
    pub(super) fn new(pack: ModelPack) -> Self {
        Self {
            pack,
            runtime: RuntimeOptions::default(),
            threads: None,
            detect: DetectOptions::default(),
            average_flip: false,
            policy: Policy::default(),
            liveness: false,
            accepted_licenses: Vec::new(),
        }
    }

    /// Which inference engine; [`Auto`](BackendChoice::Auto) by default.
    #[must_use]
    pub const fn backend(mut self, backend: BackendChoice) -> Self {
        self.runtime.backend = backend;
        self
    }

    /// ONNX Runtime's shared library, instead of looking for one.
    #[must_use]
    pub fn onnxruntime_library(mut self, library: impl Into<PathBuf>) -> Self {
        self.runtime.library = Some(library.into());
        self
    }

    /// Where ONNX Runtime executes; the CPU by default. A provider that is missing is an error.
    #[must_use]
    pub const fn provider(mut self, provider: Provider) -> Self {
        self.runtime.provider = provider;
        self
    }

    /// Threads of each run of a network, at least 1. By default a run that is alone uses all cores and runs
    /// that overlap use one each.
    #[must_use]
    pub const fn threads(mut self, threads: usize) -> Self {
        self.threads = Some(threads);
        self
    }

    /// The lowest detection score, 0..=1; the pack's own by default.
    #[must_use]
    pub const fn score_threshold(mut self, score: f32) -> Self {
        self.detect.score_threshold = Some(score);
        self
    }

    /// The largest overlap of two faces (intersection over union, 0..=1); the pack's own by default.
    #[must_use]
    pub const fn nms_threshold(mut self, iou: f32) -> Self {
        self.detect.nms_threshold = Some(iou);
        self
    }

    /// The most faces of a picture, best scores first; all by default.
    #[must_use]
    pub const fn max_faces(mut self, faces: usize) -> Self {
        self.detect.max_faces = Some(faces);
        self
    }

    /// Shorter side of the smallest face that matters, pixels of the picture. Smaller ones are left out, and
    /// the larger it is, the faster detection runs.
    #[must_use]
    pub const fn min_face(mut self, pixels: u32) -> Self {
        self.detect.min_face = Some(pixels);
        self
    }

    /// How large pictures are made for the detector; [`Auto`](DetectionSize::Auto) by default.
    #[must_use]
    pub const fn detection_size(mut self, size: DetectionSize) -> Self {
        self.detect.size = size;
        self
    }

    /// Whether a template is the mean of the face's and its mirror image's: a little more accurate at
    /// twice the embedding time. Compare such templates with their like. Off by default.
    #[must_use]
    pub const fn flip_averaging(mut self, on: bool) -> Self {
        self.average_flip = on;
        self
    }

    /// What [`capture`](Engine::capture) asks of a face; [`Policy::kiosk`] by default. A
    /// [`min_face`](Self::min_face) goes before the policy's own.
    #[must_use]
    pub fn policy(mut self, policy: Policy) -> Self {
        self.policy = policy;
        self
    }

    /// Whether the pack's liveness models are loaded, for [`liveness`](Engine::liveness) and as a further
    /// condition of [`capture`](Engine::capture). Off by default; what the answer is worth is in
    /// [`crate::liveness`].
    #[must_use]
    pub const fn liveness(mut self, on: bool) -> Self {
        self.liveness = on;
        self
    }

    /// Accepts a licence that restricts use, by the licence's or the model's name. May be given several times.
    #[must_use]
    pub fn accept_license(mut self, name: impl Into<String>) -> Self {
        self.accepted_licenses.push(name.into());
        self
    }

    /// Loads the models: each file is checked against its manifest before anything parses it.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidArgument`] for an option out of range, [`ErrorKind::LicenseNotAccepted`],
    /// [`ErrorKind::ModelNotFound`], [`ErrorKind::ModelCorrupt`], [`ErrorKind::ModelMismatch`] for the
    /// pack's files, and [`ErrorKind::BackendUnavailable`] when the engine that was asked for is missing.
    pub fn build(self) -> Result<Engine> {
        let mut runtime = self.runtime.clone();
        if let Some(threads) = self.threads {
            runtime.threads = Some(NonZeroUsize::new(threads).ok_or_else(|| {
                Error::new(
                    ErrorKind::InvalidArgument,
                    "0 threads were asked for, at least 1 is needed",
                )
            })?);
        }
        self.pack.require_license(&self.accepted_licenses)?;
        let runtime = Runtime::new(&runtime)?;
        let models = Models {
            pack: self.pack.clone(),
            detector: self.detector(&runtime)?,
            embedder: self.embedder(&runtime)?,
            liveness: self
                .liveness
                .then(|| LivenessModels::load(&self.pack, &runtime))
                .transpose()?,
            policy: self.effective_policy(),
            backend: runtime.info().clone(),
        };
        Ok(Engine { models: Arc::new(models), lane: Lane::Wide })
    }

    #[expect(clippy::cast_precision_loss, reason = "sides of faces are below 2^16")]
    fn effective_policy(&self) -> Policy {
        let policy = self.policy.clone();
        match self.detect.min_face {
            Some(pixels) => policy.at_least(Measure::FaceSize, pixels as f32),
            None => policy,
        }
    }

    fn detector(&self, runtime: &Runtime) -> Result<Option<Detector>> {
        let Some(model) = self.pack.detector() else { return Ok(None) };
        let ModelKind::Detector(spec) = &model.kind else { return Ok(None) };
        let bytes = self.pack.load(model)?;
        Detector::new(runtime, model, spec, &bytes, &self.detect).map(Some)
    }

    fn embedder(&self, runtime: &Runtime) -> Result<Option<Embedder>> {
        let Some(model) = self.pack.embedder() else { return Ok(None) };
        let ModelKind::Embedder(spec) = &model.kind else { return Ok(None) };
        let bytes = self.pack.load(model)?;
        let space = self.pack.space()?;
        Embedder::new(runtime, model, spec, space, &bytes, self.average_flip).map(Some)
    }
}
