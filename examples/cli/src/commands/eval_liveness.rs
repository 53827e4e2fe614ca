//! `faceprint eval liveness`: how often attacks pass and live people are refused.

use std::path::{Path, PathBuf};

use faceprint::Engine;
use serde::Serialize;

use super::Answer;
use crate::args::{EngineArgs, EvalLivenessArgs};
use crate::context::Context;
use crate::eval::stats::wilson;
use crate::faces;
use crate::failure::Failure;
use crate::output;
use crate::people;
use crate::session::Session;

/// What was measured, for scripts.
#[derive(Debug, Serialize)]
struct Report {
    pack: String,
    threshold: f32,
    /// Live people taken for attacks.
    bpcer: Rate,
    /// Attacks taken for live people, for each species of instrument.
    apcer: Vec<Rate>,
    /// That of the worst species, which is what ISO/IEC 30107-3 has reported.
    apcer_max: f64,
}

/// A share of classified pictures.
#[derive(Debug, Serialize)]
struct Rate {
    species: String,
    errors: usize,
    classified: usize,
    rate: f64,
    /// 95 % Wilson interval.
    interval: [f64; 2],
    /// Pictures without a face, which are not classified and count nowhere.
    no_face: usize,
}

pub(crate) fn run(
    args: &EvalLivenessArgs,
    engine: &EngineArgs,
    context: &Context,
) -> Result<Answer, Failure> {
    let bona_fide = pictures(&args.bona_fide)?;
    let attacks = species(&args.attacks)?;
    let session = Session::with_liveness(context, engine)?;
    let threshold = args.threshold.or(session.pack.liveness_threshold()).unwrap_or(0.5);
    let live = scores(&session.engine, &bona_fide)?;
    let bpcer = rate("bona fide", &live, |score| score < threshold);
    let mut apcer = Vec::new();
    for (name, paths) in &attacks {
        apcer.push(rate(name, &scores(&session.engine, paths)?, |score| score >= threshold));
    }
    let apcer_max = apcer.iter().map(|it| it.rate).fold(0.0, f64::max);
    let report =
        Report { pack: session.pack.name().to_owned(), threshold, bpcer, apcer, apcer_max };
    if context.json {
        output::json(&report)?;
    } else {
        print(&report)?;
    }
    Ok(Answer::Yes)
}

/// The kinds of attack: each folder of `folder`, or `folder` itself when it has none.
fn species(folder: &Path) -> Result<Vec<(String, Vec<PathBuf>)>, Failure> {
    let inside = people::entries(folder)?;
    let mut folders: Vec<_> = inside.into_iter().filter(|path| path.is_dir()).collect();
    if folders.is_empty() {
        folders.push(folder.to_owned());
    }
    folders.sort();
    let named = |folder: PathBuf| {
        let name = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
        Ok((name, pictures(&folder)?))
    };
    folders.into_iter().map(named).collect()
}

fn pictures(folder: &Path) -> Result<Vec<PathBuf>, Failure> {
    let mut paths = people::entries(folder)?;
    paths.retain(|path| people::is_picture(path));
    paths.sort();
    if paths.is_empty() {
        return Err(Failure::usage(format!("{}: no pictures in this folder", folder.display())));
    }
    Ok(paths)
}

/// The score of the prominent face of each picture; `None` where there is no face.
fn scores(engine: &Engine, paths: &[PathBuf]) -> Result<Vec<Option<f32>>, Failure> {
    let bar = output::progress(paths.len(), "pictures");
    let scores = engine.batch(
        paths,
        |engine, path| score(engine, path),
        |done, _| bar.set_position(done as u64),
    );
    bar.finish_and_clear();
    scores.into_iter().collect()
}

fn score(engine: &Engine, path: &Path) -> Result<Option<f32>, Failure> {
    let at = |error: faceprint::Error| Failure::from(error).at(path);
    let image = faces::read(path)?;
    let found = engine.detect(&image.view()).map_err(at)?;
    let used = faces::prominent(&found, image.width(), image.height());
    used.map(|used| Ok(engine.liveness(&image.view(), &found[used]).map_err(at)?.score)).transpose()
}

fn rate(species: &str, scores: &[Option<f32>], is_error: impl Fn(f32) -> bool) -> Rate {
    let classified: Vec<_> = scores.iter().flatten().copied().collect();
    let errors = classified.iter().filter(|score| is_error(**score)).count();
    Rate {
        species: species.to_owned(),
        errors,
        classified: classified.len(),
        rate: errors as f64 / classified.len().max(1) as f64,
        interval: wilson(errors, classified.len()),
        no_face: scores.len() - classified.len(),
    }
}

fn print(report: &Report) -> Result<(), Failure> {
    output::line(format!("pack      {}, threshold {:.3}", report.pack, report.threshold))?;
    output::line(shown("BPCER", &report.bpcer))?;
    report.apcer.iter().try_for_each(|rate| output::line(shown("APCER", rate)))?;
    output::line(format!("APCER of the worst species {:.2} %", report.apcer_max * 100.0))?;
    output::line("measured on these pictures only; no evaluation by ISO/IEC 30107-3")
}

fn shown(name: &str, rate: &Rate) -> String {
    let [low, high] = rate.interval.map(|it| it * 100.0);
    format!(
        "{name}  {:<16} {:.2} %  (95 % {low:.2}-{high:.2}, {} of {}; no face in {})",
        rate.species,
        rate.rate * 100.0,
        rate.errors,
        rate.classified,
        rate.no_face
    )
}
