//! `faceprint identify`: who is in a picture, from a folder of known people or a gallery.

use std::path::{Path, PathBuf};

use faceprint::{Face, Tenant};
use serde::Serialize;

use super::{Answer, each_picture};
use crate::args::{EngineArgs, IdentifyArgs};
use crate::context::Context;
use crate::draw::{self, Mark};
use crate::drawing::Target;
use crate::faces::{self, FaceReport};
use crate::failure::Failure;
use crate::gallery;
use crate::known::{Candidate, Known, Rejected};
use crate::output;
use crate::people::{self, KnownPicture};
use crate::session::{self, Session, Threshold};

/// One probe picture, for scripts.
#[derive(Debug, Serialize)]
struct Report<'a> {
    image: &'a Path,
    threshold: Threshold,
    faces: Vec<Match>,
    /// Pictures of known people that could not be used.
    rejected: &'a [Rejected],
    #[serde(skip_serializing_if = "Option::is_none")]
    drawn: Option<PathBuf>,
}

/// Whose face it is.
#[derive(Debug, Serialize)]
struct Match {
    /// The person, when similar enough.
    name: Option<String>,
    /// The most similar person, similar enough or not; none when nobody is enrolled.
    nearest: Option<String>,
    similarity: Option<f32>,
    /// The most similar people, as many as were asked for; `nearest` is the first.
    candidates: Vec<Candidate>,
    face: FaceReport,
}

pub(crate) fn run(
    args: &IdentifyArgs,
    engine: &EngineArgs,
    context: &Context,
) -> Result<Answer, Failure> {
    let source = Source::open(args, engine, context)?;
    let session = Session::open(context, engine)?;
    let threshold = session.threshold(&args.threshold)?;
    let target = args.draw.as_deref().map(|path| Target::new(path, &args.probes)).transpose()?;
    let (known, rejected) = match source {
        Source::Gallery(tenant) => (Known::Gallery(tenant), Vec::new()),
        Source::Folder(folder, pictures) => Known::from_folder(&session.engine, folder, &pictures)?,
    };
    each_picture(&args.probes, context, |path| {
        let image = faces::read(path)?;
        let at = |error: faceprint::Error| Failure::from(error).at(path);
        let found = session.engine.analyze(&image.view()).map_err(at)?;
        let faces: Vec<_> = found
            .iter()
            .map(|face| Match::new(face, &known, args.top.get(), threshold))
            .collect::<Result<_, _>>()?;
        let marks: Vec<Mark> =
            found.iter().zip(&faces).map(|(face, found)| mark(face, found)).collect();
        let drawn = target.as_ref().map(|target| target.draw(path, &image, &marks)).transpose()?;
        let report = Report { image: path, threshold, faces, rejected: &rejected, drawn };
        if context.json {
            output::json(&report)?;
        } else {
            print(&report)?;
        }
        Ok(report.faces.iter().any(|face| face.name.is_some()))
    })
    .map(|answers| answers.contains(&true).into())
}

/// Where the known people are, found to be usable before the models are loaded.
#[derive(Debug)]
enum Source<'a> {
    Folder(&'a Path, Vec<KnownPicture>),
    Gallery(Tenant),
}

impl<'a> Source<'a> {
    fn open(
        args: &'a IdentifyArgs,
        engine: &EngineArgs,
        context: &Context,
    ) -> Result<Self, Failure> {
        match (&args.known, &args.gallery) {
            (_, Some(path)) => {
                let gallery = gallery::read(path, &args.secret)?;
                gallery::require_space(&gallery, path, &session::pack(context, engine)?, context)?;
                Ok(Self::Gallery(gallery::tenant(&gallery, &args.tenant)?))
            }
            (Some(folder), None) => Ok(Self::Folder(folder, people::list(folder)?)),
            (None, None) => Err(Failure::usage("whom to know: --known FOLDER or --gallery FILE")),
        }
    }
}

impl Match {
    /// Whose face it is: that of the person whose best template is most similar.
    fn new(face: &Face, known: &Known, top: usize, threshold: Threshold) -> Result<Self, Failure> {
        let candidates = known.nearest(&face.template, top)?;
        let best = candidates.first();
        let same = best.filter(|best| best.similarity >= threshold.value);
        Ok(Self {
            name: same.map(|best| best.name.clone()),
            nearest: best.map(|best| best.name.clone()),
            similarity: best.map(|best| best.similarity),
            candidates,
            face: (&face.detection).into(),
        })
    }
}

fn mark(face: &Face, found: &Match) -> Mark {
    let (label, color) = match &found.name {
        Some(name) => (format!("{name} {:.2}", found.similarity.unwrap_or(0.0)), draw::GREEN),
        None => ("unknown".to_owned(), draw::RED),
    };
    Mark {
        bounds: face.detection.bounds,
        landmarks: face.detection.landmarks,
        label,
        color,
        optional: found.name.is_none(),
    }
}

fn print(report: &Report<'_>) -> Result<(), Failure> {
    let known = report.faces.iter().filter(|face| face.name.is_some()).count();
    output::line(format!(
        "{}  {}, {known} known, threshold {}",
        report.image.display(),
        faces::count(report.faces.len()),
        report.threshold
    ))?;
    let names = report.faces.iter().filter_map(|face| face.name.as_deref());
    let column = names.map(|name| name.chars().count()).max().unwrap_or(0).max("unknown".len());
    for found in &report.faces {
        let [x, y, width, height] = found.face.bounds;
        let (name, verdict) = match (&found.name, &found.nearest) {
            (Some(name), _) => (name.as_str(), "known".to_owned()),
            (None, Some(nearest)) => ("unknown", format!("unknown, nearest is {nearest}")),
            (None, None) => ("unknown", "unknown, nobody is enrolled".to_owned()),
        };
        let similarity = found.similarity.map_or_else(|| "-".to_owned(), |it| format!("{it:.4}"));
        output::line(format!(
            "  {name:<column$}  similarity {similarity:>7}  box {x:.0},{y:.0} {width:.0}x{height:.0}  {verdict}",
        ))?;
        for (place, candidate) in (2..).zip(found.candidates.iter().skip(1)) {
            output::line(format!("    {place}. {}  {:.4}", candidate.name, candidate.similarity))?;
        }
    }
    if let Some(path) = &report.drawn {
        output::line(format!("  drawn to {}", path.display()))?;
    }
    Ok(())
}
