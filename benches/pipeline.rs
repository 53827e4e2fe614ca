//! The pipeline step by step and as a whole, on both runtimes, one thread.
//!
//! Pictures and models are those of the folder `shared`; without it this says so and ends.
#![expect(clippy::print_stderr, reason = "says why there is nothing to measure")]

use std::error::Error;
use std::hint::black_box;
use std::path::Path;

use criterion::{Criterion, criterion_group, criterion_main};
use faceprint::image::{DecodeLimits, decode};
use faceprint::{BackendChoice, DetectionSize, Engine};
use faceprint_benches::data;

fn pipeline(c: &mut Criterion) {
    let Some(shared) = data::shared() else {
        eprintln!("SKIPPED: no test data; set FACEPRINT_SHARED");
        return;
    };
    if let Err(error) = measure(c, &shared) {
        eprintln!("SKIPPED: {error}");
    }
}

fn measure(c: &mut Criterion, shared: &Path) -> Result<(), Box<dyn Error>> {
    let files = data::two_files(shared)?;
    for (name, bytes) in &files {
        c.bench_function(&format!("decode {name}"), |b| {
            b.iter(|| decode(black_box(bytes), &DecodeLimits::default()));
        });
    }
    for backend in [BackendChoice::OnnxRuntime, BackendChoice::Rten] {
        for (size, size_name) in
            [(DetectionSize::Square(640), "640"), (DetectionSize::Auto, "auto")]
        {
            let engine = match data::engine(&data::pack(shared, data::SCRFD)?, backend, size) {
                Ok(engine) => engine,
                Err(error) => {
                    eprintln!("SKIPPED: {backend:?}: {error}");
                    continue;
                }
            };
            for (name, bytes) in &files {
                steps(c, &engine, &format!("{name} {backend:?} {size_name}"), bytes)?;
            }
        }
    }
    Ok(())
}

fn steps(
    c: &mut Criterion,
    engine: &Engine,
    name: &str,
    bytes: &[u8],
) -> Result<(), Box<dyn Error>> {
    let picture = decode(bytes, &DecodeLimits::default())?;
    let view = picture.view();
    let faces = engine.detect(&view)?;
    let align = || {
        faces.iter().map(|face| engine.crop(&view, &face.landmarks)).collect::<Result<Vec<_>, _>>()
    };
    let crops = align()?;
    let mut group = c.benchmark_group(name);
    group.sample_size(20);
    group.bench_function("detect", |b| b.iter(|| engine.detect(black_box(&view))));
    group.bench_function("align", |b| b.iter(align));
    group.bench_function("embed", |b| b.iter(|| engine.templates_of_crops(black_box(&crops))));
    group.bench_function("whole", |b| {
        b.iter(|| {
            let picture = decode(black_box(bytes), &DecodeLimits::default())?;
            engine.analyze(&picture.view())
        });
    });
    group.finish();
    Ok(())
}

criterion_group!(benches, pipeline);
criterion_main!(benches);
