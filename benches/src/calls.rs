//! The Rust side of `bindings/python/benches/overhead.py`: one call of the core, many times, told by lines on stdin.
//!
//! `calls PICTURE GALLERY`: the gallery opens with 32 bytes 0 and has the tenants `one` and `many`. A line `CALL COUNT` is
//! answered by the seconds of processor time it took.

#![allow(clippy::print_stdout, reason = "its output is the measurement")]

use std::error::Error;
use std::hint::black_box;
use std::io::{BufRead, Write};

use cpu_time::ProcessTime;
use faceprint::image::{DecodeLimits, decode};
use faceprint::{Access, Engine, Gallery, ModelPack, Query};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<_> = std::env::args().collect();
    let [_, picture, gallery] = &arguments[..] else { return Err("calls PICTURE GALLERY".into()) };
    let engine = Engine::builder(&ModelPack::bundled()).threads(1).build()?;
    let image = decode(&std::fs::read(picture)?, &DecodeLimits::default())?;
    let view = image.view();
    let face = engine.analyze(&view)?.into_iter().next().ok_or("no face")?;
    let crop = [engine.crop(&view, &face.detection.landmarks)?];
    let gallery = Gallery::open_read_only(gallery, &Access::key([0; 32]))?;
    let one = gallery.tenant(&"one".parse()?)?;
    let many = gallery.tenant(&"many".parse()?)?;
    let query = Query::top(1).at_least(0.4);
    for line in std::io::stdin().lock().lines() {
        let line = line?;
        let (call, count) = line.split_once(' ').ok_or("CALL COUNT")?;
        let start = ProcessTime::now();
        for _ in 0..count.parse::<u32>()? {
            match call {
                "detect" => drop(black_box(engine.detect(&view)?)),
                "embed" => drop(black_box(engine.templates_of_crops(&crop)?)),
                "identify_many" => drop(black_box(many.identify(&face.template, &query)?)),
                "identify_one" => drop(black_box(one.identify(&face.template, &query)?)),
                "similarity" => {
                    black_box(face.template.similarity(black_box(&face.template))?);
                }
                other => return Err(format!("there is no call {other}").into()),
            }
        }
        println!("{}", start.elapsed().as_secs_f64());
        std::io::stdout().flush()?;
    }
    Ok(())
}
