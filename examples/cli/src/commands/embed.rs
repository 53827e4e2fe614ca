//! `faceprint embed`: templates as numbers.

use std::fs;
use std::path::{Path, PathBuf};

use faceprint::Template;
use serde::Serialize;

use super::{Answer, each_picture};
use crate::args::{EmbedArgs, EngineArgs};
use crate::context::Context;
use crate::faces::{self, FaceReport};
use crate::failure::Failure;
use crate::npy;
use crate::output;
use crate::session::Session;

/// One face's template, for scripts.
#[derive(Debug, Serialize)]
struct Row {
    image: PathBuf,
    face: FaceReport,
    /// The embedding space: templates of two spaces cannot be compared.
    space: String,
    /// Of length 1.
    embedding: Vec<f32>,
}

/// What a file is written as.
#[derive(Clone, Copy, Debug)]
enum Format {
    Npy,
    Json,
}

pub(crate) fn run(
    args: &EmbedArgs,
    engine: &EngineArgs,
    context: &Context,
) -> Result<Answer, Failure> {
    let format = args.out.as_deref().map(format).transpose()?;
    let session = Session::open(context, engine)?;
    let mut rows = Vec::new();
    let found = each_picture(&args.images, context, |path| {
        let found = embed(&session, path, args.all)?;
        if found.is_empty() {
            output::note(format!("{}: no face was found", path.display()));
        }
        let some = !found.is_empty();
        if args.out.is_none() {
            found.iter().try_for_each(output::json)?;
        } else {
            rows.extend(found);
        }
        Ok(some)
    })?;
    if let Some((path, format)) = args.out.as_deref().zip(format) {
        write(&rows, path, format)?;
        let (faces, path) = (rows.len(), path.display().to_string());
        if context.json {
            output::json(&serde_json::json!({ "faces": faces, "out": path }))?;
        } else {
            output::line(format!("{} written to {path}", faces::count(faces)))?;
        }
    }
    Ok((!found.contains(&false)).into())
}

/// The templates of a picture: of the prominent face, or of every one.
fn embed(session: &Session, path: &Path, all: bool) -> Result<Vec<Row>, Failure> {
    let at = |error: faceprint::Error| Failure::from(error).at(path);
    let row = |template: &Template, face: FaceReport| Row {
        image: path.to_owned(),
        face,
        space: template.space().to_string(),
        embedding: template.embedding().as_slice().to_vec(),
    };
    let image = faces::read(path)?;
    if all {
        let faces = session.engine.analyze(&image.view()).map_err(at)?;
        return Ok(faces
            .iter()
            .map(|face| row(&face.template, (&face.detection).into()))
            .collect());
    }
    let detections = session.engine.detect(&image.view()).map_err(at)?;
    let Some(used) = faces::prominent(&detections, image.width(), image.height()) else {
        return Ok(Vec::new());
    };
    let used = &detections[used];
    let template = session.engine.template(&image.view(), &used.landmarks).map_err(at)?;
    Ok(vec![row(&template, used.into())])
}

fn format(path: &Path) -> Result<Format, Failure> {
    match path.extension().and_then(|ending| ending.to_str()).map(str::to_lowercase).as_deref() {
        Some("npy") => Ok(Format::Npy),
        Some("json") => Ok(Format::Json),
        _ => {
            Err(Failure::usage(format!("--out {}: expected a .npy or .json file", path.display())))
        }
    }
}

fn write(rows: &[Row], path: &Path, format: Format) -> Result<(), Failure> {
    let bytes = match format {
        Format::Json => serde_json::to_vec(rows).map_err(std::io::Error::from)?,
        Format::Npy => {
            let matrix: Vec<&[f32]> = rows.iter().map(|row| row.embedding.as_slice()).collect();
            npy::from_rows(&matrix, matrix.first().map_or(0, |row| row.len()))
        }
    };
    fs::write(path, bytes).map_err(|error| Failure::file(path, &error))
}
