//! Frames per second of a stream on a film of 640 x 480 pixels: three people move over a background, cut from the golden
//! pictures where the shared test data is there, generated ones otherwise or with `--generated`.
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
use faceprint::{
    Engine, ImageView, ModelPack, PixelFormat, Rect, Result, Stream, SubjectId, Template,
};
use faceprint_benches::data;

const WIDTH: usize = 640;
const HEIGHT: usize = 480;
/// Ten seconds at ten frames per second.
const FRAMES: usize = 100;

/// Who is known.
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
    let shared = data::shared().filter(|_| !std::env::args().any(|it| it == "--generated"));
    let cast = match &shared {
        Some(shared) => Cast::golden(&engine, &shared.join("golden/images"))?,
        None => Cast::generated(&engine)?,
    };
    println!("{}", cast.source);
    let (known, film) = (cast.known, film(&cast.people));
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

/// Three people, two of them known.
struct Cast {
    source: &'static str,
    known: Known,
    /// Each with what is around their face, 192 pixels wide at most.
    people: Vec<RgbImage>,
}

impl Cast {
    /// Two people of whom another picture is known, and a stranger.
    fn generated(engine: &Engine) -> std::result::Result<Self, Box<dyn Error>> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/images");
        let mut known = Vec::new();
        for name in ["benno", "elva"] {
            let picture = read(&folder.join(format!("people/{name}/1.jpg")))?;
            known.push((name.parse()?, engine.analyze(&picture.view())?[0].template.clone()));
        }
        let people = ["probes/elva-3.jpg", "people/benno/2.jpg", "probes/unknown-1-1.jpg"];
        let people = people.map(|name| Ok::<_, Box<dyn Error>>(shrunk(&read(&folder.join(name))?)));
        let people = people.into_iter().collect::<std::result::Result<_, _>>()?;
        Ok(Self { source: "generated people", known: Known(known), people })
    }

    /// One person of whom another picture is known, one of whom the same is, and a stranger.
    fn golden(engine: &Engine, folder: &Path) -> std::result::Result<Self, Box<dyn Error>> {
        let mut known = Vec::new();
        for (name, file) in [("rob", "bulk_Rob_Lowe_0001.png"), ("happy", "emotion_happy.png")] {
            let picture = read(&folder.join(file))?;
            let faces = engine.analyze(&picture.view())?;
            let face = faces.first().ok_or("a golden picture without a face")?;
            known.push((name.parse()?, face.template.clone()));
        }
        let mut people = Vec::new();
        for file in ["bulk_Rob_Lowe_0002.png", "emotion_happy.png", "bulk_kun.png"] {
            people.push(shrunk(&cut(engine, &read(&folder.join(file))?)?));
        }
        Ok(Self { source: "golden pictures", known: Known(known), people })
    }
}

/// The first face of `picture` with as much around it on each side as it is wide by half, where there is that much.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "inside a picture")]
fn cut(engine: &Engine, picture: &RgbImage) -> std::result::Result<RgbImage, Box<dyn Error>> {
    let faces = engine.detect(&picture.view())?;
    let Rect { x, y, width, height } = faces.first().ok_or("no face")?.bounds;
    #[expect(clippy::cast_precision_loss, reason = "sides of pictures are below 2^16")]
    let within = |from: f32, to: f32, side: u32| {
        let (from, to) = (from.max(0.0) as usize, to.min(side as f32) as usize);
        from..to
    };
    let columns = within(x - width / 2.0, x + 1.5 * width, picture.width());
    let rows = within(y - height / 2.0, y + 1.5 * height, picture.height());
    let stride = 3 * picture.width() as usize;
    let pixels = rows.clone().flat_map(|row| {
        let at = row * stride;
        picture.as_bytes()[at + 3 * columns.start..at + 3 * columns.end].iter().copied()
    });
    let (width, height) = (columns.len() as u32, rows.len() as u32);
    Ok(RgbImage::from_raw(width, height, pixels.collect())?)
}

/// The mean of blocks of pixels, so that the longer side has 192 or less.
#[expect(clippy::cast_possible_truncation, reason = "the mean of bytes, and sides of pictures")]
fn shrunk(picture: &RgbImage) -> RgbImage {
    let (width, height) = (picture.width() as usize, picture.height() as usize);
    let block = width.max(height).div_ceil(192);
    let (columns, rows) = (width / block, height / block);
    let mut bytes = Vec::with_capacity(3 * columns * rows);
    for (row, column, channel) in (0..rows).flat_map(|row| {
        (0..columns).flat_map(move |column| (0..3).map(move |channel| (row, column, channel)))
    }) {
        let within = (0..block * block).map(|at| {
            let (x, y) = (column * block + at % block, row * block + at / block);
            usize::from(picture.as_bytes()[3 * (y * width + x) + channel])
        });
        bytes.push((within.sum::<usize>() / (block * block)) as u8);
    }
    RgbImage::from_raw(columns as u32, rows as u32, bytes).unwrap_or_else(|_| picture.clone())
}

/// People who walk to and fro.
fn film(people: &[RgbImage]) -> Vec<Vec<u8>> {
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
    film
}

fn paste(frame: &mut [u8], portrait: &RgbImage, left: usize, top: usize) {
    let (width, height) = (portrait.width() as usize, portrait.height() as usize);
    for y in 0..height.min(HEIGHT - top) {
        let count = 3 * width.min(WIDTH - left);
        let (from, to) = (3 * y * width, 3 * ((top + y) * WIDTH + left));
        frame[to..to + count].copy_from_slice(&portrait.as_bytes()[from..from + count]);
    }
}

fn read(path: &Path) -> std::result::Result<RgbImage, Box<dyn Error>> {
    Ok(decode(&std::fs::read(path)?, &DecodeLimits::default())?)
}
