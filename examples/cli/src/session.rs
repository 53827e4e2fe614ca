//! From arguments to a pack, an engine and a threshold.

use std::fmt;
use std::path::Path;

use faceprint::engine::EngineBuilder;
use faceprint::pack::{Catalog, Locations, ModelPack};
use faceprint::runtime::{BackendChoice, RuntimeOptions};
use faceprint::{DetectionSize, Engine, SpaceId};
use serde::Serialize;

use crate::args::{Backend, EngineArgs, Size, ThresholdArgs};
use crate::context::Context;
use crate::failure::Failure;
use crate::output;

/// The false match rate that is aimed at when none is asked for: one stranger in 10,000 is let in.
const DEFAULT_FMR: f64 = 1e-4;

/// The threshold for packs without a measurement: the one OpenCV's own demo of SFace uses
/// (samples/dnn/face_detect.cpp, `cosine_similar_thresh`).
const DEFAULT_THRESHOLD: f32 = 0.363;

/// Everything a command works with.
#[derive(Debug)]
pub(crate) struct Session {
    pub(crate) engine: Engine,
    pub(crate) pack: ModelPack,
}

/// A decision threshold, and where it comes from.
#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct Threshold {
    /// Similarities from here on are one person.
    pub(crate) value: f32,
    /// The false match rate it was measured to keep, when it was.
    pub(crate) fmr: Option<f64>,
}

impl fmt::Display for Threshold {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.4}", self.value)?;
        self.fmr.map_or(Ok(()), |fmr| write!(f, " (FMR {fmr:.0e})"))
    }
}

impl Session {
    /// Loads the pack and builds the engine.
    pub(crate) fn open(context: &Context, args: &EngineArgs) -> Result<Self, Failure> {
        let pack = pack(context, args)?;
        let engine = builder(&pack, args).build()?;
        Ok(Self { engine, pack })
    }

    /// As [`open`](Self::open), with the pack's liveness models.
    pub(crate) fn with_liveness(context: &Context, args: &EngineArgs) -> Result<Self, Failure> {
        let pack = pack(context, args)?;
        let engine = builder(&pack, args).liveness(true).build()?;
        Ok(Self { engine, pack })
    }

    /// The threshold that `args` ask for.
    pub(crate) fn threshold(&self, args: &ThresholdArgs) -> Result<Threshold, Failure> {
        if let Some(value) = args.threshold {
            return Ok(Threshold { value, fmr: None });
        }
        let fmr = args.fmr.unwrap_or(DEFAULT_FMR);
        match self.pack.threshold(fmr) {
            Ok(value) => Ok(Threshold { value, fmr: Some(fmr) }),
            Err(error) if args.fmr.is_some() => Err(error.into()),
            Err(error) => {
                output::note(format!("note: {error}; using the similarity {DEFAULT_THRESHOLD}"));
                Ok(Threshold { value: DEFAULT_THRESHOLD, fmr: None })
            }
        }
    }
}

/// The names of the packs in reach whose templates are of `space`.
pub(crate) fn packs_of(space: SpaceId, context: &Context) -> Vec<String> {
    let catalog = match &context.catalog {
        Some(path) => Catalog::open(path),
        None => Catalog::builtin(),
    };
    let listed = catalog.iter().flat_map(|catalog| {
        catalog.packs().iter().filter_map(|pack| catalog.find(pack.name()).ok())
    });
    let packs = std::iter::once(ModelPack::bundled()).chain(listed);
    let packs = packs.filter(|pack| pack.space().is_ok_and(|own| own == space));
    packs.map(|pack| pack.name().to_owned()).collect()
}

/// The pack that was asked for: a folder or manifest, or a name in the catalogue. The bundled one by default.
pub(crate) fn pack(context: &Context, args: &EngineArgs) -> Result<ModelPack, Failure> {
    let Some(name) = args.pack.as_deref() else { return Ok(ModelPack::bundled()) };
    let locations = Locations::from_env().first(context.models.iter().cloned());
    let path = Path::new(name);
    if path.is_dir() || path.is_file() {
        let packs = Catalog::open(path)?.with_locations(locations);
        return match packs.packs() {
            [only] => Ok(packs.find(only.name())?),
            // The library says which there are.
            _ => Ok(ModelPack::open(path)?),
        };
    }
    let catalog = match &context.catalog {
        Some(path) => Catalog::open(path)?,
        None => Catalog::builtin()?,
    };
    Ok(catalog.with_locations(locations).find(name)?)
}

/// An engine as the arguments describe it; what they leave out is the library's default.
fn builder(pack: &ModelPack, args: &EngineArgs) -> EngineBuilder {
    let mut builder = Engine::builder(pack)
        .backend(backend(args))
        .detection_size(match args.detection_size {
            Size::Auto => DetectionSize::Auto,
            Size::Native => DetectionSize::Native,
            Size::Square(side) => DetectionSize::Square(side),
        })
        .flip_averaging(args.flip);
    if let Some(path) = &args.onnxruntime {
        builder = builder.onnxruntime_library(path);
    }
    if let Some(threads) = args.threads {
        builder = builder.threads(threads.get());
    }
    if let Some(score) = args.score {
        builder = builder.score_threshold(score);
    }
    if let Some(overlap) = args.nms {
        builder = builder.nms_threshold(overlap);
    }
    if let Some(faces) = args.max_faces {
        builder = builder.max_faces(faces);
    }
    if let Some(pixels) = args.min_face {
        builder = builder.min_face(pixels);
    }
    for license in &args.accept_license {
        builder = builder.accept_license(license);
    }
    builder
}

/// What an engine would run on, without any model.
pub(crate) fn runtime_options(args: &EngineArgs) -> RuntimeOptions {
    let mut options = RuntimeOptions::default();
    options.backend = backend(args);
    options.library.clone_from(&args.onnxruntime);
    options.threads = args.threads;
    options
}

fn backend(args: &EngineArgs) -> BackendChoice {
    match args.backend {
        Backend::Auto => BackendChoice::Auto,
        Backend::OnnxRuntime => BackendChoice::OnnxRuntime,
        Backend::Rten => BackendChoice::Rten,
    }
}
