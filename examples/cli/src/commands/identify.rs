//! `faceprint identify`: who is in a picture, from a folder of known people.

use std::path::{Path, PathBuf};

use faceprint::{Capture, Engine, Face, Template};
use serde::Serialize;

use super::{Answer, each_picture};
use crate::args::{EngineArgs, IdentifyArgs};
use crate::context::Context;
use crate::draw::{self, Mark};
use crate::drawing::Target;
use crate::faces::{self, FaceReport};
use crate::failure::Failure;
use crate::output;
use crate::people::{self, KnownPicture};
use crate::session::{Session, Threshold};

/// A known person and the templates of their pictures.
#[derive(Debug)]
struct Person {
    name: String,
    templates: Vec<Template>,
}

/// A picture in the known folder that cannot be used.
#[derive(Debug, Serialize)]
struct Rejected {
    image: PathBuf,
    reasons: Vec<String>,
}

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
    /// The most similar person, similar enough or not.
    nearest: String,
    similarity: f32,
    face: FaceReport,
}

pub(crate) fn run(
    args: &IdentifyArgs,
    engine: &EngineArgs,
    context: &Context,
) -> Result<Answer, Failure> {
    let pictures = people::list(&args.known)?;
    let session = Session::open(context, engine)?;
    let threshold = session.threshold(&args.threshold)?;
    let target = args.draw.as_deref().map(|path| Target::new(path, &args.probes)).transpose()?;

    let (known, rejected) = enroll(&session.engine, &pictures);
    for Rejected { image, reasons } in &rejected {
        output::note(format!("not used: {}: {}", image.display(), reasons.join("; ")));
    }
    if known.is_empty() {
        return Err(Failure::usage(format!(
            "none of the {} pictures in {} shows a usable face",
            pictures.len(),
            args.known.display()
        )));
    }

    each_picture(&args.probes, context, |path| {
        let (faces, drawn) = identify(&session, &known, threshold, path, target.as_ref())?;
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

/// The templates of all known people, using all cores.
fn enroll(engine: &Engine, pictures: &[KnownPicture]) -> (Vec<Person>, Vec<Rejected>) {
    let bar = output::progress(pictures.len(), "known people");
    let samples = engine.batch(pictures, known_template, |done, _| bar.set_position(done as u64));
    bar.finish_and_clear();

    let (mut known, mut rejected) = (Vec::<Person>::new(), Vec::new());
    for (picture, sample) in pictures.iter().zip(samples) {
        match (sample, known.last_mut()) {
            (Ok(template), Some(person)) if person.name == picture.name => {
                person.templates.push(template);
            }
            (Ok(template), _) => {
                known.push(Person { name: picture.name.clone(), templates: vec![template] });
            }
            (Err(reasons), _) => rejected.push(Rejected { image: picture.path.clone(), reasons }),
        }
    }
    (known, rejected)
}

/// The template of the one person in a picture, or why there is none.
fn known_template(engine: &Engine, picture: &KnownPicture) -> Result<Template, Vec<String>> {
    let image = faces::read(&picture.path).map_err(|failure| vec![failure.message])?;
    match engine.capture(&image.view()).map_err(|error| vec![error.to_string()])? {
        Capture::Usable(sample) => Ok(sample.template),
        Capture::Rejected(issues) => Err(issues.iter().map(ToString::to_string).collect()),
    }
}

fn identify(
    session: &Session,
    known: &[Person],
    threshold: Threshold,
    path: &Path,
    target: Option<&Target>,
) -> Result<(Vec<Match>, Option<PathBuf>), Failure> {
    let image = faces::read(path)?;
    let found =
        session.engine.analyze(&image.view()).map_err(|error| Failure::from(error).at(path))?;
    let matches: Vec<Match> =
        found.iter().map(|face| nearest(face, known, threshold)).collect::<Result<_, _>>()?;
    let marks: Vec<Mark> =
        found.iter().zip(&matches).map(|(face, found)| mark(face, found)).collect();
    let drawn = target.map(|target| target.draw(path, &image, &marks)).transpose()?;
    Ok((matches, drawn))
}

/// The person whose best template is most similar to `face`.
fn nearest(face: &Face, known: &[Person], threshold: Threshold) -> Result<Match, Failure> {
    let mut best = (f32::NEG_INFINITY, "");
    for person in known {
        for template in &person.templates {
            let similarity = face.template.similarity(template)?.value();
            if similarity > best.0 {
                best = (similarity, &person.name);
            }
        }
    }
    let (similarity, nearest) = best;
    Ok(Match {
        name: (similarity >= threshold.value).then(|| nearest.to_owned()),
        nearest: nearest.to_owned(),
        similarity,
        face: (&face.detection).into(),
    })
}

fn mark(face: &Face, found: &Match) -> Mark {
    let (label, color) = match &found.name {
        Some(name) => (format!("{name} {:.2}", found.similarity), draw::GREEN),
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
        let (name, verdict) = match &found.name {
            Some(name) => (name.as_str(), "known".to_owned()),
            None => ("unknown", format!("unknown, nearest is {}", found.nearest)),
        };
        output::line(format!(
            "  {name:<column$}  similarity {:>7.4}  box {x:.0},{y:.0} {width:.0}x{height:.0}  {verdict}",
            found.similarity
        ))?;
    }
    if let Some(path) = &report.drawn {
        output::line(format!("  drawn to {}", path.display()))?;
    }
    Ok(())
}
