//! Pictures of one person each, and why some of them give no template.

use faceprint::{Capture, Engine, Issue, Sample};
use serde::Serialize;

use crate::faces;
use crate::output;
use crate::people::KnownPicture;

/// Why a picture is not used: a word for scripts, and a line for people.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Reason {
    pub(crate) kind: &'static str,
    pub(crate) message: String,
}

impl Reason {
    pub(crate) fn new(kind: &'static str, message: impl Into<String>) -> Self {
        Self { kind, message: message.into() }
    }
}

impl From<&Issue> for Reason {
    fn from(issue: &Issue) -> Self {
        Self::new(issue.name(), issue.to_string())
    }
}

/// The face of each picture, using all cores; with a bar that says `what` they are.
pub(crate) fn take(
    engine: &Engine,
    pictures: &[KnownPicture],
    what: &'static str,
) -> Vec<Result<Sample, Vec<Reason>>> {
    let bar = output::progress(pictures.len(), what);
    let samples = engine.batch(pictures, sample, |done, _| bar.set_position(done as u64));
    bar.finish_and_clear();
    samples
}

/// The reasons in one line.
pub(crate) fn summary(reasons: &[Reason]) -> String {
    let messages: Vec<_> = reasons.iter().map(|reason| reason.message.as_str()).collect();
    messages.join("; ")
}

fn sample(engine: &Engine, picture: &KnownPicture) -> Result<Sample, Vec<Reason>> {
    let image = faces::read_unnamed(&picture.path)
        .map_err(|failure| vec![Reason::new("unreadable", failure.message)])?;
    match engine.capture(&image.view()) {
        Ok(Capture::Usable(sample)) => Ok(sample),
        Ok(Capture::Rejected(issues)) => Err(issues.iter().map(Reason::from).collect()),
        Err(error) => Err(vec![Reason::new("failed", error.to_string())]),
    }
}
