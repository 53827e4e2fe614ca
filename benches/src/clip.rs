//! Frames per second of a stream on a film of 640 x 480 pixels: three of the generated people move over a background.
//!
//! Prints for one camera on one thread, and for a camera on each core, frames per second of wall and of processor time, and
//! how many frames needed a template; and for comparison the same film with a template of each face in each frame.
#![expect(clippy::print_stdout, reason = "the result")]

use std::error::Error;
use std::path::Path;
use std::time::{Duration, Instant, UNIX_EPOCH};

use cpu_time::ProcessTime;
use faceprint::image::{DecodeLimits, RgbImage, decode};
use faceprint::stream::{Recognize, Stats};
use faceprint::{Engine, ImageView, ModelPack, PixelFormat, Result, Stream, SubjectId, Template};

const WIDTH: usize = 640;
const HEIGHT: usize = 480;
/// Ten seconds at ten frames per second.
const FRAMES: usize = 100;

/// Three people.
#[derive(Clone)]
struct Known(Vec<(SubjectId, Template)>);

impl Recognize for Known {
    fn recognize(&self, probe: &Template, at_least: f32) -> Result<Option<(SubjectId, f32)>> {
        let mut best: Option<(SubjectId, f32)> = None;
        for (id, template) in &self.0 {
            let similarity = template.similarity(probe)?.value();
            if similarity >= best.as_ref().map_or(at_least, |(_, best)| *best) {
                best = Some((id.clone(), similarity));
            }
        }
        Ok(best)
    }
}

fn main() -> std::result::Result<(), Box<dyn Error>> {
    let pack = ModelPack::bundled();
    let engine = Engine::builder(&pack).threads(1).build()?;
    println!("{:?}", engine.backend());
    let mut known = Vec::new();
    for name in ["benno", "elva"] {
        let faces = engine.analyze(&read(&format!("people/{name}/1.jpg"))?.view())?;
        known.push((name.parse()?, faces[0].template.clone()));
    }
    let known = Known(known);
    let film = film()?;
    let cores = std::thread::available_parallelism()?.get();
    watch(&engine, &known, &film)?;
    for cameras in [1, cores] {
        let (wall, cpu) = (Instant::now(), ProcessTime::now());
        let stats = std::thread::scope(|scope| {
            let cameras: Vec<_> =
                (0..cameras).map(|_| scope.spawn(|| watch(&engine, &known, &film))).collect();
            cameras
                .into_iter()
                .map(|it| it.join().map_err(|_| "a camera failed"))
                .collect::<Vec<_>>()
        });
        let (wall, cpu) = (wall.elapsed(), cpu.elapsed());
        report(&format!("{cameras} camera(s)"), cameras, wall, cpu);
        for stats in stats {
            let stats = stats??;
            println!(
                "  {stats}; {} of {} frames needed a template",
                stats.embedded_frames, stats.frames
            );
        }
    }
    let (wall, cpu) = (Instant::now(), ProcessTime::now());
    for frame in &film {
        engine.analyze(&view(frame)?)?;
    }
    report("a template of each face in each frame", 1, wall.elapsed(), cpu.elapsed());
    Ok(())
}

fn report(what: &str, films: usize, wall: Duration, cpu: Duration) {
    #[expect(clippy::cast_precision_loss, reason = "hundreds of frames")]
    let frames = (films * FRAMES) as f64;
    println!(
        "{what}: {:.1} frames/s, {:.1} frames per second of processor time",
        frames / wall.as_secs_f64(),
        frames / cpu.as_secs_f64()
    );
}

fn watch(engine: &Engine, known: &Known, film: &[Vec<u8>]) -> Result<Stats> {
    let mut stream = Stream::builder(engine, known).build()?;
    for (at, frame) in (0..).zip(film) {
        stream.push(&view(frame)?, UNIX_EPOCH + Duration::from_millis(100 * at))?;
    }
    Ok(stream.stats())
}

#[expect(clippy::cast_possible_truncation, reason = "two constants")]
fn view(frame: &[u8]) -> Result<ImageView<'_>> {
    ImageView::new(frame, WIDTH as u32, HEIGHT as u32, PixelFormat::Rgb8)
}

/// Three people who walk to and fro, one of them unknown.
fn film() -> std::result::Result<Vec<Vec<u8>>, Box<dyn Error>> {
    let people =
        [read("probes/elva-3.jpg")?, read("people/benno/2.jpg")?, read("probes/unknown-1-1.jpg")?];
    let mut film = Vec::new();
    for step in 0..FRAMES {
        let mut frame: Vec<u8> = (0..WIDTH * HEIGHT * 3)
            .map(|at| u8::try_from(90 + (at / 3 % WIDTH) / 8).unwrap_or(u8::MAX))
            .collect();
        let across = 4 * (step % 50).min(50 - step % 50);
        for (person, (left, top)) in
            people.iter().zip([(10 + across, 10), (440 - across, 20), (150 + across, 270)])
        {
            paste(&mut frame, person, left, top);
        }
        film.push(frame);
    }
    Ok(film)
}

/// Every other pixel of `portrait`.
fn paste(frame: &mut [u8], portrait: &RgbImage, left: usize, top: usize) {
    let (width, height) = (portrait.width() as usize, portrait.height() as usize);
    for (y, row) in (0..height).step_by(2).enumerate() {
        for (x, column) in (0..width).step_by(2).enumerate() {
            if left + x < WIDTH && top + y < HEIGHT {
                let (from, to) = (3 * (row * width + column), 3 * ((top + y) * WIDTH + left + x));
                frame[to..to + 3].copy_from_slice(&portrait.as_bytes()[from..from + 3]);
            }
        }
    }
}

fn read(name: &str) -> std::result::Result<RgbImage, Box<dyn Error>> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/images").join(name);
    Ok(decode(&std::fs::read(path)?, &DecodeLimits::default())?)
}
