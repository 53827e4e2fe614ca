//! `faceprint eval lfw`: verification accuracy on pairs of pictures.

use std::fs;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use faceprint::Template;
use serde::Serialize;

use super::Answer;
use crate::args::{EngineArgs, LfwArgs};
use crate::context::Context;
use crate::eval::pairs::Pairs;
use crate::eval::plot;
use crate::eval::plot::verification::Figure;
use crate::eval::stats::{self, FoldAccuracy, OperatingPoint, Roc, Trial};
use crate::faces;
use crate::failure::Failure;
use crate::output;
use crate::session::Session;

/// The false accept rates that are reported.
const FAR: [f64; 3] = [1e-1, 1e-2, 1e-3];

/// Everything that was measured, for scripts.
#[derive(Debug, Serialize)]
struct Report {
    pack: String,
    backend: String,
    pictures: usize,
    pictures_without_face: Vec<PathBuf>,
    pairs: usize,
    accuracy: FoldAccuracy,
    area_under_roc: f64,
    equal_error_rate: f64,
    operating_points: Vec<OperatingPoint>,
    seconds: f64,
    pictures_per_second: f64,
}

pub(crate) fn run(
    args: &LfwArgs,
    engine: &EngineArgs,
    context: &Context,
) -> Result<Answer, Failure> {
    let text =
        fs::read_to_string(&args.pairs).map_err(|error| Failure::file(&args.pairs, &error))?;
    let pairs = Pairs::parse(&text, args.folds.as_ref()).map_err(|error| error.at(&args.pairs))?;
    let paths: Vec<_> = pairs.pictures.iter().map(|picture| picture.path(&args.images)).collect();
    if let Some(missing) = paths.iter().find(|path| !path.is_file()) {
        let error = std::io::ErrorKind::NotFound.into();
        return Err(Failure::file(missing, &error));
    }
    let session = Session::open(context, engine)?;

    let started = Instant::now();
    let templates = faces::templates(&session.engine, &paths)?;
    let spent = started.elapsed();

    let trials = trials(&pairs, &templates)?;
    let roc = Roc::new(&trials);
    let missing = paths.iter().zip(&templates).filter(|(_, template)| template.is_none());
    let report = Report {
        pack: session.pack.name().to_owned(),
        backend: session.engine.backend().to_string(),
        pictures: paths.len(),
        pictures_without_face: missing.map(|(path, _)| path.clone()).collect(),
        pairs: trials.len(),
        accuracy: stats::fold_accuracy(&trials),
        area_under_roc: roc.area(),
        equal_error_rate: roc.equal_error_rate(),
        operating_points: FAR.map(|far| roc.operating_point(far)).to_vec(),
        seconds: spent.as_secs_f64(),
        pictures_per_second: per_second(paths.len(), spent),
    };
    save(args, &report, &roc)?;
    if context.json {
        output::json(&report)?;
    } else {
        print(&report)?;
    }
    Ok(Answer::Yes)
}

fn trials(pairs: &Pairs, templates: &[Option<Template>]) -> Result<Vec<Trial>, Failure> {
    let trial = |pair: &crate::eval::pairs::Pair| {
        let score = match (&templates[pair.left], &templates[pair.right]) {
            (Some(left), Some(right)) => left.similarity(right)?.value(),
            _ => f32::NEG_INFINITY,
        };
        Ok(Trial { score, same: pair.same, fold: pair.fold })
    };
    pairs.pairs.iter().map(trial).collect()
}

fn save(args: &LfwArgs, report: &Report, roc: &Roc) -> Result<(), Failure> {
    if let Some(path) = &args.plot {
        let title = format!(
            "{}: accuracy {:.2} ± {:.2} %, {} pairs",
            report.pack,
            report.accuracy.mean * 100.0,
            report.accuracy.std * 100.0,
            report.pairs
        );
        let figure = Figure {
            title: &title,
            roc,
            operating_points: &report.operating_points,
            equal_error_rate: report.equal_error_rate,
        };
        plot::save(&figure, path)?;
        output::note(format!("curves drawn to {}", path.display()));
    }
    if let Some(path) = &args.report {
        let text = serde_json::to_vec_pretty(report).map_err(std::io::Error::from)?;
        fs::write(path, text).map_err(|error| Failure::file(path, &error))?;
        output::note(format!("report written to {}", path.display()));
    }
    Ok(())
}

fn print(report: &Report) -> Result<(), Failure> {
    let Report { accuracy, .. } = report;
    output::line(format!("pack        {}", report.pack))?;
    output::line(format!("engine      {}", report.backend))?;
    output::line(format!(
        "pictures    {}, no face found in {} (their pairs count as non-matches)",
        report.pictures,
        report.pictures_without_face.len()
    ))?;
    let chosen = if accuracy.optimistic {
        "one fold, threshold chosen on itself: optimistic".to_owned()
    } else {
        format!("{} folds, threshold of each from the others", accuracy.folds.len())
    };
    output::line(format!(
        "accuracy    {:.2} ± {:.2} %  ({} pairs, {chosen})",
        accuracy.mean * 100.0,
        accuracy.std * 100.0,
        report.pairs
    ))?;
    for point in &report.operating_points {
        output::line(operating_point(point))?;
    }
    output::line(format!("EER         {:.2} %", report.equal_error_rate * 100.0))?;
    output::line(format!("AUC         {:.5}", report.area_under_roc))?;
    output::line(format!(
        "time        {:.1} s, {:.1} pictures/s",
        report.seconds, report.pictures_per_second
    ))
}

fn operating_point(point: &OperatingPoint) -> String {
    let [low, high] = point.tar_interval.map(|rate| rate * 100.0);
    let few = if point.few_impostors { "; few impostors: an indication" } else { "" };
    format!(
        "TAR@{:<7} {:.2} %  (95 % {low:.2}-{high:.2}, {} genuine; threshold {:.4}, {} of {} impostors{few})",
        format!("{:.0e}", point.far),
        point.tar * 100.0,
        point.genuine,
        point.threshold,
        point.false_accepts,
        point.impostors,
    )
}

fn per_second(pictures: usize, spent: Duration) -> f64 {
    pictures as f64 / spent.as_secs_f64().max(1e-9)
}
