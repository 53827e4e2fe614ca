//! `faceprint compare`: whether two pictures show one person.

use std::path::Path;

use faceprint::{ErrorKind, Template};
use serde::Serialize;

use super::Answer;
use crate::args::{CompareArgs, EngineArgs};
use crate::context::Context;
use crate::faces::{self, FaceReport};
use crate::failure::Failure;
use crate::output;
use crate::session::{Session, Threshold};

/// The answer, for scripts.
#[derive(Debug, Serialize)]
struct Report<'a> {
    similarity: f32,
    same: bool,
    threshold: Threshold,
    a: Side<'a>,
    b: Side<'a>,
}

/// Which face of a picture was compared.
#[derive(Debug, Serialize)]
struct Side<'a> {
    image: &'a Path,
    /// How many faces the picture shows.
    faces: usize,
    used: FaceReport,
}

pub(crate) fn run(
    args: &CompareArgs,
    engine: &EngineArgs,
    context: &Context,
) -> Result<Answer, Failure> {
    let session = Session::open(context, engine)?;
    let threshold = session.threshold(&args.threshold)?;
    let (a, first) = side(&session, &args.a)?;
    let (b, second) = side(&session, &args.b)?;
    let similarity = first.similarity(&second)?.value();
    let report = Report { similarity, same: similarity >= threshold.value, threshold, a, b };
    if context.json {
        output::json(&report)?;
    } else {
        print(&report)?;
    }
    Ok(report.same.into())
}

/// The prominent face of a picture and its template.
fn side<'a>(session: &Session, path: &'a Path) -> Result<(Side<'a>, Template), Failure> {
    let at = |error: faceprint::Error| Failure::from(error).at(path);
    let image = faces::read(path)?;
    let detections = session.engine.detect(&image.view()).map_err(at)?;
    let Some(used) = faces::prominent(&detections, image.width(), image.height()) else {
        return Err(Failure::new(
            ErrorKind::InvalidArgument,
            "no face was found; a lower --score or --min-face may find one",
        )
        .at(path));
    };
    let used = &detections[used];
    let template = session.engine.template(&image.view(), &used.landmarks).map_err(at)?;
    Ok((Side { image: path, faces: detections.len(), used: used.into() }, template))
}

fn print(report: &Report<'_>) -> Result<(), Failure> {
    for side in [&report.a, &report.b] {
        let [x, y, width, height] = side.used.bounds;
        let which = if side.faces == 1 {
            String::new()
        } else {
            format!(", the prominent one of {}", side.faces)
        };
        output::line(format!(
            "{}: face at {x:.0},{y:.0} {width:.0}x{height:.0}{which}",
            side.image.display()
        ))?;
    }
    let verdict = if report.same { "same person" } else { "different people" };
    let Report { similarity, threshold, .. } = report;
    output::line(format!("similarity {similarity:.4}, threshold {threshold}: {verdict}"))
}
