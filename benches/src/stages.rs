//! The library's side of `compare/run.sh`: does what each line of standard input asks, and answers each
//! with a line of JSON.
//!
//! | line | answer |
//! |---|---|
//! | `time PATH` | milliseconds of every stage on the picture, each done once |
//! | `faces PATH` | boxes (left, top, right, bottom) found at 640 x 640 and at the automatic size |
//!
//! The first line it writes says what runs the networks.

use std::error::Error;
use std::io::{BufRead, Write};
use std::time::Instant;
use std::{env, fs, io};

use cpu_time::ProcessTime;
use faceprint::align::Crop;
use faceprint::image::{DecodeLimits, Letterbox, RgbImage, decode, pack, pack_crop};
use faceprint::{BackendChoice, Detection, DetectionSize, Engine, Landmarks, ModelPack};
use faceprint_benches::bare::BareRun;
use faceprint_benches::data;
use serde_json::{Map, Value, json};

/// The side of InsightFace's square.
const SIDE: u32 = 640;

fn main() -> Result<(), Box<dyn Error>> {
    let shared = data::shared().ok_or("no test data; set FACEPRINT_SHARED")?;
    let pure = env::args().any(|argument| argument == "--rten");
    let backend = if pure { BackendChoice::Rten } else { BackendChoice::OnnxRuntime };
    let mut bench = Bench::new(
        &data::pack(&shared, data::SCRFD)?,
        &data::pack(&shared, data::YUNET)?,
        backend,
    )?;
    let mut out = io::stdout().lock();
    writeln!(out, "{}", json!({ "engine": bench.square.backend().to_string() }))?;
    for line in io::stdin().lock().lines() {
        let answer = match line?.split_once(' ') {
            Some(("time", path)) => bench.time(path)?,
            Some(("faces", path)) => bench.faces(path)?,
            _ => return Err("expected `time PATH` or `faces PATH`".into()),
        };
        writeln!(out, "{answer}")?;
        out.flush()?;
    }
    Ok(())
}

struct Bench {
    models: ModelPack,
    square: Engine,
    auto: Engine,
    yunet: Engine,
    /// Pictures of one size share a bare detector; there is none beside the pure-Rust runtime.
    bare: Option<Bare>,
}

struct Bare {
    detector: BareRun,
    embedder: BareRun,
    /// The picture the two were prepared for.
    path: String,
}

impl Bench {
    fn new(
        models: &ModelPack,
        yunet: &ModelPack,
        backend: BackendChoice,
    ) -> Result<Self, Box<dyn Error>> {
        Ok(Self {
            models: models.clone(),
            square: data::engine(models, backend, DetectionSize::Square(SIDE))?,
            auto: data::engine(models, backend, DetectionSize::Auto)?,
            yunet: data::engine(yunet, backend, DetectionSize::Native)?,
            bare: None,
        })
    }

    fn time(&mut self, path: &str) -> Result<Value, Box<dyn Error>> {
        let bytes = fs::read(path)?;
        let picture = decode(&bytes, &DecodeLimits::default())?;
        let view = picture.view();
        let landmarks = landmarks(&self.square.detect(&view)?);
        let crops = self.crops(&picture, &landmarks)?;
        let has_bare = self.square.backend().library.is_some();
        if has_bare && self.bare.as_ref().is_none_or(|bare| bare.path != path) {
            self.bare = Some(Bare::new(&self.models, &picture, &crops, path)?);
        }
        let mut times = Times {
            on_core: env::var_os("FACEPRINT_CLOCK").is_some_and(|it| it == "cpu"),
            ..Times::default()
        };
        times.add("decode", || Ok(decode(&bytes, &DecodeLimits::default())?))?;
        times.add("read and decode", || Ok(decode(&fs::read(path)?, &DecodeLimits::default())?))?;
        times.add("detect", || Ok(self.square.detect(&view)?))?;
        times.add("align", || self.crops(&picture, &landmarks))?;
        times.add("embed", || Ok(self.square.templates_of_crops(&crops)?))?;
        times.add("whole", || whole(&self.square, &bytes))?;
        if let Some(bare) = &mut self.bare {
            times.add("bare detect", || bare.detector.run())?;
            times.add("bare embed", || bare.embedder.run())?;
            // In one piece, since it is compared with the whole.
            times.add("floor", || {
                let picture = decode(&bytes, &DecodeLimits::default())?;
                bare.detector.run()?;
                bare.embedder.run()?;
                Ok(picture)
            })?;
        }
        times.add("detect auto", || Ok(self.auto.detect(&view)?))?;
        times.add("whole auto", || whole(&self.auto, &bytes))?;
        times.add("yunet", || Ok(self.yunet.detect(&view)?))?;
        times.stages.insert("faces".to_owned(), landmarks.len().into());
        Ok(times.stages.into())
    }

    fn faces(&self, path: &str) -> Result<Value, Box<dyn Error>> {
        let picture = decode(&fs::read(path)?, &DecodeLimits::default())?;
        let boxes = |engine: &Engine| -> Result<Vec<[f32; 4]>, Box<dyn Error>> {
            let found = engine.detect(&picture.view())?;
            let corners =
                |it: &Detection| [it.bounds.x, it.bounds.y, it.bounds.right(), it.bounds.bottom()];
            Ok(found.iter().map(corners).collect())
        };
        Ok(json!({ "square": boxes(&self.square)?, "auto": boxes(&self.auto)? }))
    }

    fn crops(&self, picture: &RgbImage, faces: &[Landmarks]) -> Result<Vec<Crop>, Box<dyn Error>> {
        faces.iter().map(|it| Ok(self.square.crop(&picture.view(), it)?)).collect()
    }
}

impl Bare {
    fn new(
        models: &ModelPack,
        picture: &RgbImage,
        crops: &[Crop],
        path: &str,
    ) -> Result<Self, Box<dyn Error>> {
        let detector = models.detector().ok_or("the pack has no detector")?;
        let letterbox = Letterbox::fit((picture.width(), picture.height()), (SIDE, SIDE));
        let input = pack(&picture.view().raster(), &letterbox, &detector.input.planar);
        let side = SIDE as usize;
        let detector = BareRun::new(&models.load(detector)?, [1, 3, side, side], vec![input])?;
        let embedder = models.embedder().ok_or("the pack has no embedder")?;
        let crop = crops.first().ok_or("the picture has no face to embed")?;
        let shape = [1, 3, crop.height() as usize, crop.width() as usize];
        let inputs = crops.iter().map(|crop| {
            let mut input = Vec::new();
            pack_crop(crop.as_bytes(), &embedder.input.planar, &mut input);
            input
        });
        let embedder = BareRun::new(&models.load(embedder)?, shape, inputs.collect())?;
        Ok(Self { detector, embedder, path: path.to_owned() })
    }
}

fn whole(engine: &Engine, bytes: &[u8]) -> Result<usize, Box<dyn Error>> {
    let picture = decode(bytes, &DecodeLimits::default())?;
    Ok(engine.analyze(&picture.view())?.len())
}

fn landmarks(faces: &[Detection]) -> Vec<Landmarks> {
    faces.iter().map(|face| face.landmarks).collect()
}

/// Milliseconds by stage.
#[derive(Default)]
struct Times {
    stages: Map<String, Value>,
    /// Time on the core only, for a machine that is not quiet.
    on_core: bool,
}

impl Times {
    fn add<T>(
        &mut self,
        stage: &str,
        work: impl FnOnce() -> Result<T, Box<dyn Error>>,
    ) -> Result<(), Box<dyn Error>> {
        let (start, cpu_start) = (Instant::now(), ProcessTime::now());
        let result = work()?;
        let elapsed = if self.on_core { cpu_start.elapsed() } else { start.elapsed() };
        drop(result);
        self.stages.insert(stage.to_owned(), (elapsed.as_secs_f64() * 1e3).into());
        Ok(())
    }
}
