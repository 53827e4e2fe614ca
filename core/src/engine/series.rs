//! Several pictures of one person: the best one, if they agree.

use super::{Capture, Engine, Sample};
use crate::error::{Error, ErrorKind, Result};
use crate::image::ImageView;
use crate::quality::{Issue, agreement};

/// The captures of one person who stands before the camera, frame after frame, for an enrolment.
///
/// ```no_run
/// # use faceprint::{Engine, ImageView, ModelPack, engine::{Selection, Series}};
/// # fn enroll(pack: &ModelPack, engine: &Engine, frames: &[ImageView<'_>]) -> faceprint::Result<()> {
/// let mut series = Series::new(pack.threshold(1e-3)?);
/// for frame in frames {
///     series.push(engine.capture(frame)?);
/// }
/// match series.select(3)? {
///     Selection::Chosen(chosen) => println!("frame {} is best", chosen.frame),
///     Selection::Refused(refusal) => println!("{refusal}"),
/// }
/// # Ok(()) }
/// ```
#[derive(Clone, Debug)]
pub struct Series {
    same_person: f32,
    captures: Vec<Capture>,
}

/// What a series of captures amounts to.
#[derive(Clone, Debug)]
#[expect(clippy::exhaustive_enums, reason = "a series gives a sample or not")]
pub enum Selection {
    /// The best sample of those that agree.
    Chosen(Box<Selected>),
    /// Why there is none.
    Refused(Refusal),
}

/// The best of several samples of one person.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Selected {
    /// The sample of the greatest [strength](Sample::strength) among those that agree: of two pictures of a person it names
    /// the one that is more like the others in two cases of three, where sharpness, pose or the detector do hardly
    /// better than a coin.
    pub sample: Sample,
    /// Its frame, counted from 0 in the order of the pushes.
    pub frame: usize,
    /// How many frames show this person, well enough to be used.
    pub agreeing: usize,
    /// The lowest similarity of an agreeing frame to the most typical one, -1..=1; 1 for a single frame.
    pub consistency: f32,
    /// What speaks against each of the other frames: its number, and at least one issue.
    pub rejected: Vec<(usize, Vec<Issue>)>,
}

/// Why a series gives no sample.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Refusal {
    /// Frames that agree: the largest number that show one person well enough.
    pub agreeing: usize,
    /// How many are needed.
    pub needed: usize,
    /// What speaks against each of the other frames: its number, and at least one issue.
    pub rejected: Vec<(usize, Vec<Issue>)>,
}

impl Series {
    /// An empty series. Frames whose similarity (cosine, -1..=1) is at least `same_person` count as one
    /// person: [`ModelPack::threshold`](crate::ModelPack::threshold) at 1e-3 suits an enrolment, where
    /// frames are seconds apart.
    #[must_use]
    pub const fn new(same_person: f32) -> Self {
        Self { same_person, captures: Vec::new() }
    }

    /// Adds what the next frame gave, usable or not.
    pub fn push(&mut self, capture: Capture) {
        self.captures.push(capture);
    }

    /// Frames so far.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.captures.len()
    }

    /// Whether there are no frames yet.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.captures.is_empty()
    }

    /// The best sample when at least `needed` frames (at least 1) and more than half of the usable ones are of
    /// one person: the frames of one that came between are left out, a second person who takes turns
    /// with the first is refused.
    ///
    /// # Errors
    /// [`InvalidArgument`](ErrorKind::InvalidArgument) when `needed` is 0;
    /// [`SpaceMismatch`](ErrorKind::SpaceMismatch) when captures of different packs were pushed.
    pub fn select(&self, needed: usize) -> Result<Selection> {
        if needed == 0 {
            return Err(Error::new(
                ErrorKind::InvalidArgument,
                "0 agreeing frames were asked for, at least 1 is needed",
            ));
        }
        let (mut usable, mut rejected) = (Vec::new(), Vec::new());
        for (frame, capture) in self.captures.iter().enumerate() {
            match capture {
                Capture::Usable(sample) => usable.push((frame, sample)),
                Capture::Rejected(issues) => rejected.push((frame, issues.clone())),
            }
        }
        if usable.is_empty() {
            return Ok(Selection::Refused(Refusal { agreeing: 0, needed, rejected }));
        }
        let templates: Vec<_> = usable.iter().map(|(_, sample)| &sample.template).collect();
        let agreement = agreement(&templates, self.same_person)?;
        let is_outlier = |index: &usize| agreement.outliers.contains(index);
        for &index in &agreement.outliers {
            let similarity = agreement.similarities[index];
            let issue = Issue::AnotherFace { similarity, minimum: self.same_person };
            rejected.push((usable[index].0, vec![issue]));
        }
        rejected.sort_by_key(|(frame, _)| *frame);
        let members: Vec<usize> = (0..usable.len()).filter(|index| !is_outlier(index)).collect();
        let agreeing = members.len();
        let strength = |index: usize| usable[index].1.strength;
        // The first of equals: `max_by` keeps the last, so the order is turned.
        let best = members.iter().rev().copied();
        let best = best.max_by(|&a, &b| strength(a).total_cmp(&strength(b)));
        match best {
            Some(best) if agreeing >= needed && 2 * agreeing > usable.len() => {
                let similarities = members.iter().map(|&index| agreement.similarities[index]);
                Ok(Selection::Chosen(Box::new(Selected {
                    sample: usable[best].1.clone(),
                    frame: usable[best].0,
                    agreeing,
                    consistency: similarities.fold(1.0, f32::min),
                    rejected,
                })))
            }
            _ => Ok(Selection::Refused(Refusal { agreeing, needed, rejected })),
        }
    }
}

impl Engine {
    /// Captures each of `images` and selects the best, see [`Series`]: `needed` of them must be of one person,
    /// which is when their similarity is at least `same_person`.
    ///
    /// # Errors
    /// As [`capture`](Self::capture) and [`Series::select`].
    pub fn capture_best(
        &self,
        images: &[ImageView<'_>],
        same_person: f32,
        needed: usize,
    ) -> Result<Selection> {
        let mut series = Series::new(same_person);
        for image in images {
            series.push(self.capture(image)?);
        }
        series.select(needed)
    }
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} frames agree, {} are needed", self.agreeing, self.needed)?;
        for (frame, issues) in &self.rejected {
            let issues: Vec<_> = issues.iter().map(ToString::to_string).collect();
            write!(f, "; frame {frame}: {}", issues.join(", "))?;
        }
        Ok(())
    }
}
