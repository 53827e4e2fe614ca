//! The library's side of `compare/run.sh`: does what each line of standard input asks, and answers each
//! with a line of JSON.
//!
//! | line | answer |
//! |---|---|
//! | `time PATH` | milliseconds of every stage on the picture, each done once |
//! | `faces PATH` | boxes (left, top, right, bottom) found at 640 x 640 and at the automatic size |
//!
//! The first line it writes says what runs the networks: ONNX Runtime, with `--rten` the pure-Rust
//! runtime, with `--bare` ONNX Runtime without the library, which answers `time` only.
#![forbid(unsafe_code)]

use std::error::Error;
use std::io::{BufRead, Write};
use std::{env, fs, io};

use faceprint::image::{DecodeLimits, Letterbox, PlanarSpec, RgbImage, decode, pack, pack_crop};
use faceprint::{BackendChoice, Detection, DetectionSize, Engine, Landmarks, ModelPack};
use faceprint_benches::bare::{self, BareRun};
use faceprint_benches::clock::Stopwatch;
use faceprint_benches::data;
use serde_json::{Map, Value, json};

/// The side of InsightFace's square.
const SIDE: u32 = 640;

fn main() -> Result<(), Box<dyn Error>> {
    let shared = data::shared().ok_or("no test data; set FACEPRINT_SHARED")?;
    let models = data::pack(&shared, data::SCRFD)?;
    let asked = |option: &str| env::args().any(|argument| argument == option);
    if asked("--bare") {
        let (mut bare, engine) = Bare::new(&models)?;
        return answer(&engine, |question, path| match question {
            "time" => bare.time(path),
            _ => Err("expected `time PATH`".into()),
        });
    }
    let backend = if asked("--rten") { BackendChoice::Rten } else { BackendChoice::OnnxRuntime };
    let bench = Bench::new(&models, &data::pack(&shared, data::YUNET)?, backend)?;
    answer(&bench.square.backend().to_string(), |question, path| match question {
        "time" => bench.time(path),
        "faces" => bench.faces(path),
        _ => Err("expected `time PATH` or `faces PATH`".into()),
    })
}

/// Says what runs the networks, then answers what standard input asks.
fn answer(
    engine: &str,
    mut to: impl FnMut(&str, &str) -> Result<Value, Box<dyn Error>>,
) -> Result<(), Box<dyn Error>> {
    let mut out = io::stdout().lock();
    writeln!(out, "{}", json!({ "engine": engine }))?;
    for line in io::stdin().lock().lines() {
        let line = line?;
        let (question, path) = line.split_once(' ').ok_or("expected a question and a path")?;
        writeln!(out, "{}", to(question, path)?)?;
        out.flush()?;
    }
    Ok(())
}

struct Bench {
    square: Engine,
    auto: Engine,
    yunet: Engine,
}

/// The networks alone.
struct Bare {
    /// Finds the faces to run the embedder on, untimed. Not on ONNX Runtime: see [`bare`].
    engine: Engine,
    detector: BareRun,
    detector_input: PlanarSpec,
    embedder: BareRun,
    embedder_input: PlanarSpec,
    /// The picture the two are prepared for, and its number of faces.
    prepared: Option<(String, usize)>,
}

impl Bench {
    fn new(
        models: &ModelPack,
        yunet: &ModelPack,
        backend: BackendChoice,
    ) -> Result<Self, Box<dyn Error>> {
        Ok(Self {
            square: data::engine(models, backend, DetectionSize::Square(SIDE))?,
            auto: data::engine(models, backend, DetectionSize::Auto)?,
            yunet: data::engine(yunet, backend, DetectionSize::Native)?,
        })
    }

    fn time(&self, path: &str) -> Result<Value, Box<dyn Error>> {
        let bytes = fs::read(path)?;
        let picture = decode(&bytes, &DecodeLimits::default())?;
        let view = picture.view();
        let landmarks = landmarks(&self.square.detect(&view)?);
        let crops = align(&self.square, &picture, &landmarks)?;
        let mut times = Times::new();
        times.add("decode", || Ok(decode(&bytes, &DecodeLimits::default())?))?;
        times.add("read and decode", || Ok(decode(&fs::read(path)?, &DecodeLimits::default())?))?;
        times.add("detect", || Ok(self.square.detect(&view)?))?;
        times.add("align", || align(&self.square, &picture, &landmarks))?;
        times.add("embed", || Ok(self.square.templates_of_crops(&crops)?))?;
        times.add("whole", || whole(&self.square, &bytes))?;
        times.add("detect auto", || Ok(self.auto.detect(&view)?))?;
        times.add("whole auto", || whole(&self.auto, &bytes))?;
        times.add("yunet", || Ok(self.yunet.detect(&view)?))?;
        Ok(times.answer(landmarks.len()))
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
}

impl Bare {
    /// And what runs the networks.
    fn new(models: &ModelPack) -> Result<(Self, String), Box<dyn Error>> {
        let (environment, library) = bare::environment()?;
        let detector = models.detector().ok_or("the pack has no detector")?;
        let embedder = models.embedder().ok_or("the pack has no embedder")?;
        let bare = Self {
            engine: data::engine(models, BackendChoice::Rten, DetectionSize::Square(SIDE))?,
            detector: BareRun::new(&environment, &models.load(detector)?)?,
            detector_input: detector.input.planar,
            embedder: BareRun::new(&environment, &models.load(embedder)?)?,
            embedder_input: embedder.input.planar,
            prepared: None,
        };
        Ok((bare, format!("ONNX Runtime ({})", library.display())))
    }

    fn time(&mut self, path: &str) -> Result<Value, Box<dyn Error>> {
        let bytes = fs::read(path)?;
        let picture = decode(&bytes, &DecodeLimits::default())?;
        let faces = match &self.prepared {
            Some((prepared, faces)) if prepared == path => *faces,
            _ => self.prepare(path, &picture)?,
        };
        // Untimed, as the other sides detect before they measure.
        self.detector.run()?;
        let mut times = Times::new();
        times.add("decode", || Ok(decode(&bytes, &DecodeLimits::default())?))?;
        times.add("bare detect", || self.detector.run())?;
        times.add("bare embed", || self.embedder.run())?;
        // In one piece, since it is compared with the whole.
        times.add("floor", || {
            let picture = decode(&bytes, &DecodeLimits::default())?;
            self.detector.run()?;
            self.embedder.run()?;
            Ok(picture)
        })?;
        Ok(times.answer(faces))
    }

    /// Makes the networks' inputs from the picture and its own faces.
    fn prepare(&mut self, path: &str, picture: &RgbImage) -> Result<usize, Box<dyn Error>> {
        let letterbox = Letterbox::fit((picture.width(), picture.height()), (SIDE, SIDE));
        let input = pack(&picture.view().raster(), &letterbox, &self.detector_input);
        let side = SIDE as usize;
        self.detector.prepare([1, 3, side, side], vec![input])?;
        let landmarks = landmarks(&self.engine.detect(&picture.view())?);
        let crops = align(&self.engine, picture, &landmarks)?;
        let crop = crops.first().ok_or("the picture has no face to embed")?;
        let shape = [1, 3, crop.height() as usize, crop.width() as usize];
        let inputs = crops.iter().map(|crop| {
            let mut input = Vec::new();
            pack_crop(crop.as_bytes(), &self.embedder_input, &mut input);
            input
        });
        self.embedder.prepare(shape, inputs.collect())?;
        self.prepared = Some((path.to_owned(), crops.len()));
        Ok(crops.len())
    }
}

fn align(
    engine: &Engine,
    picture: &RgbImage,
    faces: &[Landmarks],
) -> Result<Vec<RgbImage>, Box<dyn Error>> {
    faces.iter().map(|it| Ok(engine.crop(&picture.view(), it)?)).collect()
}

fn whole(engine: &Engine, bytes: &[u8]) -> Result<usize, Box<dyn Error>> {
    let picture = decode(bytes, &DecodeLimits::default())?;
    Ok(engine.analyze(&picture.view())?.len())
}

fn landmarks(faces: &[Detection]) -> Vec<Landmarks> {
    faces.iter().map(|face| face.landmarks).collect()
}

/// Milliseconds by stage.
struct Times {
    stages: Map<String, Value>,
}

impl Times {
    fn new() -> Self {
        Self { stages: Map::new() }
    }

    fn answer(mut self, faces: usize) -> Value {
        self.stages.insert("faces".to_owned(), faces.into());
        self.stages.into()
    }

    fn add<T>(
        &mut self,
        stage: &str,
        work: impl FnOnce() -> Result<T, Box<dyn Error>>,
    ) -> Result<(), Box<dyn Error>> {
        let start = Stopwatch::start();
        let result = work()?;
        let seconds = start.seconds();
        drop(result);
        self.stages.insert(stage.to_owned(), (seconds * 1e3).into());
        Ok(())
    }
}
