//! `faceprint detect`: the faces in pictures.

use std::path::{Path, PathBuf};

use faceprint::Detection;
use serde::Serialize;

use super::{Answer, each_picture};
use crate::args::{DetectArgs, EngineArgs};
use crate::context::Context;
use crate::draw::{self, Mark};
use crate::drawing::Target;
use crate::faces::{self, FaceReport};
use crate::failure::Failure;
use crate::output;
use crate::session::Session;

/// One picture, for scripts.
#[derive(Debug, Serialize)]
struct Report<'a> {
    image: &'a Path,
    width: u32,
    height: u32,
    faces: Vec<FaceReport>,
    #[serde(skip_serializing_if = "Option::is_none")]
    drawn: Option<PathBuf>,
}

pub(crate) fn run(
    args: &DetectArgs,
    engine: &EngineArgs,
    context: &Context,
) -> Result<Answer, Failure> {
    let session = Session::open(context, engine)?;
    let target = args.draw.as_deref().map(|path| Target::new(path, &args.images)).transpose()?;
    each_picture(&args.images, context, |path| {
        let report = detect(&session, path, target.as_ref())?;
        if context.json {
            output::json(&report)?;
        } else {
            print(&report)?;
        }
        Ok(!report.faces.is_empty())
    })
    .map(|answers| answers.contains(&true).into())
}

fn detect<'a>(
    session: &Session,
    path: &'a Path,
    target: Option<&Target>,
) -> Result<Report<'a>, Failure> {
    let image = faces::read(path)?;
    let detections =
        session.engine.detect(&image.view()).map_err(|error| Failure::from(error).at(path))?;
    let marks: Vec<Mark> = detections.iter().map(mark).collect();
    let drawn = target.map(|target| target.draw(path, &image, &marks)).transpose()?;
    let faces = detections.iter().map(FaceReport::from).collect();
    Ok(Report { image: path, width: image.width(), height: image.height(), faces, drawn })
}

fn mark(detection: &Detection) -> Mark {
    Mark {
        bounds: detection.bounds,
        landmarks: detection.landmarks,
        label: format!("{:.2}", detection.score),
        color: draw::BLUE,
        optional: true,
    }
}

fn print(report: &Report<'_>) -> Result<(), Failure> {
    let Report { image, width, height, faces, drawn } = report;
    output::line(format!("{}  {width}x{height}  {}", image.display(), faces::count(faces.len())))?;
    for face in faces {
        let [x, y, width, height] = face.bounds;
        let points: Vec<_> = face.landmarks.iter().map(|[x, y]| format!("{x:.0},{y:.0}")).collect();
        output::line(format!(
            "  score {:.3}  box {x:.0},{y:.0} {width:.0}x{height:.0}  points {}",
            face.score,
            points.join(" ")
        ))?;
    }
    if let Some(path) = drawn {
        output::line(format!("  drawn to {}", path.display()))?;
    }
    Ok(())
}
