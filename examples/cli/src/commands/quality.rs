//! `faceprint quality`: how good faces are as samples.

use std::collections::BTreeMap;
use std::path::Path;

use faceprint::Face;
use faceprint::quality::{Issue, Measure, Policy};
use serde::Serialize;

use super::{Answer, each_picture};
use crate::args::{EngineArgs, Preset, QualityArgs};
use crate::context::Context;
use crate::draw;
use crate::draw::sheet::{Cell, Sheet};
use crate::faces::{self, FaceReport};
use crate::failure::Failure;
use crate::output;
use crate::session::Session;

/// One picture, for scripts.
#[derive(Debug, Serialize)]
struct Report<'a> {
    image: &'a Path,
    policy: &'static str,
    /// Faces in the picture.
    found: usize,
    faces: Vec<Judged>,
}

/// One face, for scripts.
#[derive(Debug, Serialize)]
struct Judged {
    face: FaceReport,
    usable: bool,
    reasons: Vec<Reason>,
    /// In the unit of each measure.
    measures: BTreeMap<&'static str, f32>,
    /// As ISO/IEC 29794-5's components, 0 to 100.
    components: BTreeMap<&'static str, f32>,
}

#[derive(Debug, Serialize)]
struct Reason {
    kind: &'static str,
    message: String,
}

/// The columns of the table.
const COLUMNS: [(&str, Measure); 9] = [
    ("score", Measure::Score),
    ("size px", Measure::FaceSize),
    ("eyes px", Measure::InterEyeDistance),
    ("sharp", Measure::Sharpness),
    ("light", Measure::LuminanceMean),
    ("range", Measure::DynamicRange),
    ("yaw", Measure::Yaw),
    ("pitch", Measure::Pitch),
    ("roll", Measure::Roll),
];

pub(crate) fn run(
    args: &QualityArgs,
    engine: &EngineArgs,
    context: &Context,
) -> Result<Answer, Failure> {
    let session = Session::open(context, engine)?;
    let policy = args.policy.policy();
    let mut sheet = Sheet::default();
    if !context.json {
        let names = COLUMNS.map(|(name, _)| format!("{name:>7}"));
        output::line(format!("{}  verdict for {}", names.join(" "), args.policy.name()))?;
    }
    let good = each_picture(&args.images, context, |path| {
        let image = faces::read(path)?;
        let found =
            session.engine.analyze(&image.view()).map_err(|error| Failure::from(error).at(path))?;
        let chosen = chosen(&found, args.all);
        let judged: Vec<_> = chosen.iter().map(|face| judge(face, &policy)).collect();
        for (face, judged) in chosen.iter().zip(&judged) {
            sheet.push(&image, &face.detection.bounds, cell(path, face, judged))?;
        }
        let good = judged.iter().any(|face| face.usable);
        let report =
            Report { image: path, policy: args.policy.name(), found: found.len(), faces: judged };
        if context.json {
            output::json(&report)?;
        } else {
            print(&report)?;
        }
        Ok(good)
    })?;
    if let Some(path) = &args.sheet {
        sheet.save(path)?;
        output::note(format!("sheet drawn to {}", path.display()));
    }
    Ok((!good.contains(&false)).into())
}

impl Preset {
    /// The bounds.
    pub(crate) const fn policy(self) -> Policy {
        match self {
            Self::Enrollment => Policy::enrollment(),
            Self::Kiosk => Policy::kiosk(),
            Self::Surveillance => Policy::surveillance(),
        }
    }

    /// As it is typed.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Enrollment => "enrollment",
            Self::Kiosk => "kiosk",
            Self::Surveillance => "surveillance",
        }
    }
}

/// All faces, or the largest.
fn chosen(found: &[Face], all: bool) -> Vec<&Face> {
    if all {
        return found.iter().collect();
    }
    let size = |face: &&Face| face.quality.face_size;
    found.iter().max_by(|a, b| size(a).total_cmp(&size(b))).into_iter().collect()
}

fn judge(face: &Face, policy: &Policy) -> Judged {
    let issues = policy.judge(&face.quality);
    let reason = |issue: &Issue| Reason { kind: issue.name(), message: issue.to_string() };
    let component = |measure: Measure| Some((measure.name(), face.quality.component(measure)?));
    Judged {
        face: (&face.detection).into(),
        usable: issues.is_empty(),
        reasons: issues.iter().map(reason).collect(),
        measures: Measure::ALL.map(|it| (it.name(), face.quality.get(it))).into(),
        components: Measure::ALL.into_iter().filter_map(component).collect(),
    }
}

fn cell(path: &Path, face: &Face, judged: &Judged) -> Cell {
    // The folder is often the person.
    let last: Vec<_> = path.components().rev().take(2).map(|it| it.as_os_str()).collect();
    let name = last.iter().rev().map(|it| it.to_string_lossy()).collect::<Vec<_>>().join("/");
    let lines = judged.reasons.iter().map(|reason| reason.message.clone());
    Cell {
        title: format!("{:.0}  {name}", face.quality.score),
        lines: lines.collect(),
        color: if judged.usable { draw::GREEN } else { draw::RED },
    }
}

fn print(report: &Report<'_>) -> Result<(), Failure> {
    output::line(format!("{}  {}", report.image.display(), faces::count(report.found)))?;
    for face in &report.faces {
        let cells = COLUMNS.map(|(_, measure)| {
            let value = face.measures.get(measure.name()).copied().unwrap_or_default();
            match measure {
                Measure::Sharpness | Measure::LuminanceMean => format!("{value:>7.3}"),
                Measure::DynamicRange => format!("{value:>7.1}"),
                _ => format!("{value:>7.0}"),
            }
        });
        let verdict = if face.usable { "good enough" } else { "refused" };
        output::line(format!("{}  {verdict}", cells.join(" ")))?;
        face.reasons
            .iter()
            .try_for_each(|reason| output::line(format!("        {}", reason.message)))?;
    }
    Ok(())
}
