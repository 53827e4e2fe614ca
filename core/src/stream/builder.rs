//! How a stream is configured.

use std::collections::HashMap;
use std::time::Duration;

use super::elapsed::Elapsed;
use super::memory::{Memory, Sighting};
use super::tracker::Tracker;
use super::{Stats, Stream};
use crate::error::{Error, ErrorKind, Result};

/// Options of a [`Stream`]; [`Stream::builder`] makes one.
#[derive(Debug)]
#[must_use]
pub struct StreamBuilder<O, R> {
    observer: O,
    people: R,
    options: Options,
    lost_after: Duration,
    sure_score: f32,
    earlier: Vec<Sighting>,
}

#[derive(Clone, Debug)]
pub(super) struct Options {
    pub(super) threshold: Option<f32>,
    pub(super) confirm_after: u32,
    pub(super) unknown_after: u32,
    pub(super) cooldown: Duration,
    pub(super) look_interval: Duration,
    pub(super) quality_gain: f32,
    pub(super) every: u64,
    /// Frames that vote on whether a path is of somebody alive.
    pub(super) liveness: Option<u32>,
}

impl<O, R> StreamBuilder<O, R> {
    pub(super) const fn new(observer: O, people: R) -> Self {
        let options = Options {
            threshold: None,
            confirm_after: 3,
            unknown_after: 6,
            cooldown: Duration::from_secs(30),
            look_interval: Duration::from_secs(5),
            quality_gain: 10.0,
            every: 1,
            liveness: None,
        };
        let lost_after = Duration::from_secs(2);
        Self { observer, people, options, lost_after, sure_score: 0.6, earlier: Vec::new() }
    }

    /// The similarity, -1..=1, from which on two templates are of one person. By default what the observer
    /// says: an [`Engine`](crate::Engine) the threshold of its pack at a false match rate of 1e-4.
    pub const fn threshold(mut self, similarity: f32) -> Self {
        self.options.threshold = Some(similarity);
        self
    }

    /// How many successive templates of a face must lead to the same person before they are taken for them.
    /// 3 by default, at least 1. With 1 a face needs to be seen in a single frame only.
    pub const fn confirm_after(mut self, looks: u32) -> Self {
        self.options.confirm_after = looks;
        self
    }

    /// How many successive templates of a face must lead to nobody before it is taken for a visitor's. 6 by default,
    /// at least 1: somebody known who comes closer should not be a stranger first.
    pub const fn unknown_after(mut self, looks: u32) -> Self {
        self.options.unknown_after = looks;
        self
    }

    /// How long somebody must not have been seen for their next appearance to be another visit. 30 seconds by
    /// default, a year at most.
    pub const fn cooldown(mut self, away: Duration) -> Self {
        self.options.cooldown = away;
        self
    }

    /// After which time a face that is followed is verified again. 5 seconds by default.
    pub const fn look_interval(mut self, interval: Duration) -> Self {
        self.options.look_interval = interval;
        self
    }

    /// How much better than all before a face's quality must be, 0..=100, for another template. 10 by default.
    pub const fn quality_gain(mut self, points: f32) -> Self {
        self.options.quality_gain = points;
        self
    }

    /// Looks at each `n`th frame only, beginning with the first; the others cost nothing. 1 by default.
    pub const fn every(mut self, n: u64) -> Self {
        self.options.every = n;
        self
    }

    /// Asks the liveness models, and lets `frames` frames of a face vote: who does not pass for alive in more than half of
    /// them, by the threshold of the pack's manifest, is not recognised, and gives one
    /// [`Suspected`](super::Who::Suspected) event. Off by default; the engine must be built
    /// [with such models](crate::engine::EngineBuilder::liveness).
    ///
    /// 5 is a good choice. Judged are the frames that a template is made of anyway, so with
    /// [`confirm_after(3)`](Self::confirm_after) a face that is live in three of them waits no longer than without.
    /// The last `frames` judged count: a contradiction makes the stream look at once again, so one bad
    /// frame is outvoted, and a photograph that takes somebody's place is not.
    /// Whoever was refused stays so until the face is out of sight for [`lost_after`](Self::lost_after), its path is in
    /// doubt or another face takes it, and is then judged anew; the [cooldown](Self::cooldown) holds for suspicions too.
    ///
    /// A vote takes the noise out of the answers, not their bias: a screen that the models take for a face in most
    /// frames passes. No conformance with ISO/IEC 30107-3 is claimed; read [`crate::liveness`] before you rely on it.
    pub const fn liveness(mut self, frames: u32) -> Self {
        self.options.liveness = Some(frames);
        self
    }

    /// How long a path waits for a face that is hidden. 2 seconds by default. Whoever comes back later is
    /// recognised anew, which costs templates, and no second event within the cooldown.
    pub const fn lost_after(mut self, unseen: Duration) -> Self {
        self.lost_after = unseen;
        self
    }

    /// The detection score, 0..=1, from which on a face begins a path; with less it continues one only. 0.6 by
    /// default. For the second stage to have work, let the engine find faces below it: `Engine::builder(&pack)
    /// .score_threshold(0.3)`.
    pub const fn sure_score(mut self, score: f32) -> Self {
        self.sure_score = score;
        self
    }

    /// Goes on where an earlier stream ended: with whom it saw last, from [`Stream::sightings`] or
    /// [`Outbox::sightings`](super::Outbox::sightings). What lies after the first frame's time counts as just seen.
    pub fn resume(mut self, sightings: Vec<Sighting>) -> Self {
        self.earlier = sightings;
        self
    }

    /// The stream, without a frame yet.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidArgument`] for an option out of its range.
    pub fn build(self) -> Result<Stream<O, R>> {
        let Options {
            threshold,
            confirm_after,
            unknown_after,
            cooldown,
            quality_gain,
            every,
            liveness,
            ..
        } = self.options;
        let in_range = |name: &str, value: f64, least: f64, most: f64| {
            if (least..=most).contains(&value) {
                return Ok(());
            }
            let message = format!("{name} is {value}, must be between {least} and {most}");
            Err(Error::new(ErrorKind::InvalidArgument, message))
        };
        in_range("threshold", threshold.unwrap_or_default().into(), -1.0, 1.0)?;
        in_range("confirm_after", confirm_after.into(), 1.0, 1_000.0)?;
        in_range("unknown_after", unknown_after.into(), 1.0, 1_000.0)?;
        in_range("cooldown in seconds", cooldown.as_secs_f64(), 0.0, 366.0 * 86_400.0)?;
        in_range("quality_gain", quality_gain.into(), 0.0, 100.0)?;
        #[expect(clippy::cast_precision_loss, reason = "only its order of magnitude matters")]
        in_range("every", every as f64, 1.0, 1e6)?;
        in_range("frames that vote on liveness", liveness.unwrap_or(1).into(), 1.0, 99.0)?;
        in_range("sure_score", self.sure_score.into(), 0.0, 1.0)?;
        // A single look is enough for a single frame.
        let frames = confirm_after.min(2);
        Ok(Stream {
            observer: self.observer,
            people: self.people,
            options: self.options,
            elapsed: Elapsed::new(),
            tracker: Tracker::new(self.sure_score, self.lost_after, frames),
            persons: HashMap::new(),
            memory: Memory::new(self.earlier),
            ready: Vec::new(),
            stats: Stats::default(),
        })
    }
}
