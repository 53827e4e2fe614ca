//! From a camera to events: exactly one for each visit.
//!
//! ```no_run
//! use std::time::{Duration, SystemTime};
//!
//! use faceprint::stream::Who;
//! use faceprint::{Engine, ImageView, Stream, Tenant};
//!
//! # fn example<'a>(engine: &Engine, acme: &Tenant, frames: impl Iterator<Item = (ImageView<'a>, SystemTime)>)
//! # -> faceprint::Result<()> {
//! let mut door =
//!     Stream::builder(engine, acme).confirm_after(3).cooldown(Duration::from_secs(30)).build()?;
//! for (frame, at) in frames {
//!     for event in door.push(&frame, at)? {
//!         match &event.who {
//!             Who::Subject { id, similarity } => println!("{id} ({similarity:.3})"),
//!             Who::Visitor(visitor) => println!("somebody unknown: {visitor}"),
//!             _ => {}
//!         }
//!     }
//! }
//! println!("{}", door.stats());
//! # Ok(())
//! # }
//! ```
//!
//! # What an event is
//! A *visit* of a person begins with the first frame that they are seen in, and lasts until they have not been seen
//! for the [cooldown](StreamBuilder::cooldown): 30 seconds at a door, 12 hours for attendance. Each visit gives one
//! event, in the frame that confirms who it is. Who leaves and comes back within the cooldown is still on the same
//! visit; who stands before the camera for an hour gives one event too. Each event has an [`EventId`] of its own,
//! so that a consumer that may see it twice can tell.
//!
//! Somebody whom the gallery does not know is a *visitor* with a random [`VisitorId`], which they keep while the
//! stream lives: their templates are held in memory only.
//!
//! # From frame to person
//! Faces are followed from frame to frame by where they are: boxes move on with the speed of their landmarks, and the
//! detections nearest to them are theirs, first the sure detections and then the doubtful ones (the
//! two stages of ByteTrack, Zhang et al. 2022). A face that was followed without doubt is the same person, and costs
//! no template. Templates are made
//! - of a new face, until it is decided who it is: the same person in [`confirm_after`](StreamBuilder::confirm_after)
//!   successive answers, or nobody known in [`unknown_after`](StreamBuilder::unknown_after);
//! - when the picture has become better, and every [`look_interval`](StreamBuilder::look_interval);
//! - when the path of a face is in doubt: two crossed, one was hidden, frames are missing. Until the person is
//!   verified the path stands for nobody, so that two people who swap places do not swap names.
//!
//! The templates of one path are fused, better pictures weighing more, and it is the fusion that is looked for.
//!
//! # Photographs
//! A stream does not tell a face from a picture of one, unless [`liveness`](StreamBuilder::liveness) lets several frames
//! vote on it. A face that fails is nobody's: it gives one event that says so. Read there, and in [`crate::liveness`],
//! what that is worth.
//!
//! # Time
//! is an argument, of any clock. Only differences matter, and the stream adds up those that are positive: a
//! clock that is set *back* counts as standing still for one frame, and cooldowns go on from where they were. A
//! clock that is set *forward* cannot be told from a pause: paths end, and cooldowns are over as far as it
//! went. Set the clock before the stream begins.
//!
//! # Restarts
//! What [`sightings`](Stream::sightings) gives, [`resume`](StreamBuilder::resume) takes: who was seen within the
//! cooldown. An [`Outbox`] keeps them beside the events, sealed, and each [`push`](Outbox::push) of an event keeps its
//! sighting in the same commit: what was delivered is not said again. (The gallery is no place for them: it is often
//! read only, copied and bundled.) Visitors start anew.

mod builder;
mod elapsed;
mod event;
mod fused;
mod memory;
mod outbox;
mod person;
mod seam;
mod tracker;
mod vote;

use std::collections::HashMap;
use std::fmt;
use std::time::SystemTime;

use self::builder::Options;
pub use self::builder::StreamBuilder;
use self::elapsed::Elapsed;
pub use self::event::{Event, EventId, VisitorId, Who};
use self::memory::Memory;
pub use self::memory::Sighting;
#[cfg(fuzzing)]
#[doc(hidden)]
pub use self::outbox::fuzz_record;
pub use self::outbox::{Delivery, Limit, Outbox, Pushed};
use self::person::{Answer, Look, Person};
pub use self::seam::{Observe, Recognize};
use self::tracker::{Seen, Tracker};
use crate::detect::Detection;
use crate::engine::Engine;
use crate::error::Result;
use crate::gallery::Tenant;
use crate::geometry::{Landmarks, Rect};
use crate::id::SubjectId;

/// A camera's frames on the way to events. See the [module](self).
///
/// What sees is an [`Engine`] and who is known a [`Tenant`], unless something else [observes](Observe) or
/// [recognises](Recognize).
pub struct Stream<O = Engine, R = Tenant> {
    observer: O,
    people: R,
    options: Options,
    elapsed: Elapsed,
    tracker: Tracker,
    /// By the tracker's number.
    persons: HashMap<u64, Person>,
    memory: Memory,
    /// Decided, not yet handed out: an error in the middle of a frame loses none.
    ready: Vec<Event>,
    stats: Stats,
}

/// What a stream has done so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stats {
    /// Frames that were pushed.
    pub frames: u64,
    /// Frames that were not looked at, see [`StreamBuilder::every`].
    pub skipped: u64,
    /// Faces that were followed, counted in each frame.
    pub faces: u64,
    /// Templates made.
    pub embeddings: u64,
    /// Faces that were followed without one.
    pub saved: u64,
    /// Frames for which at least one template was made.
    pub embedded_frames: u64,
    /// Faces that were judged for liveness, see [`StreamBuilder::liveness`].
    pub judged: u64,
    /// Events given.
    pub events: u64,
}

/// A face that is followed, as of the last frame that was looked at.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Followed {
    /// The number of its path. A path that turned out to be another person's has another number from then on.
    pub track: u64,
    /// Where the face is, pixels.
    pub bounds: Rect,
    /// Its landmarks, pixels.
    pub landmarks: Landmarks,
    /// Who it is, once that is decided.
    pub who: Option<Who>,
    /// Whether the path is in doubt.
    pub doubtful: bool,
}

impl<O: Clone, R: Clone> Stream<O, R> {
    /// A stream that sees with `observer` and knows `people`, to be configured and then
    /// [built](StreamBuilder::build).
    pub fn builder(observer: &O, people: &R) -> StreamBuilder<O, R> {
        StreamBuilder::new(observer.clone(), people.clone())
    }
}

impl<O, R: Recognize> Stream<O, R> {
    /// Looks at the next frame, taken `at`, and gives what it decides: usually nothing.
    ///
    /// # Errors
    /// Those of finding and describing faces ([`Engine::detect`], [`Engine::template`]), of
    /// [`Tenant::identify`], and of [`Engine::threshold`] when no threshold was given;
    /// [`InvalidArgument`](crate::ErrorKind::InvalidArgument) when [liveness](StreamBuilder::liveness) is asked for and
    /// the engine has no such models. The stream goes on with the next frame, and no event is lost: what the frame
    /// had decided before comes with the next push.
    pub fn push<F: ?Sized>(&mut self, frame: &F, at: SystemTime) -> Result<Vec<Event>>
    where
        O: Observe<F>,
    {
        let due = self.stats.frames.is_multiple_of(self.options.every);
        self.stats.frames += 1;
        if !due {
            self.stats.skipped += 1;
            return Ok(std::mem::take(&mut self.ready));
        }
        if self.elapsed.is_fresh() {
            self.memory.resume(&self.elapsed, at);
        }
        if self.options.liveness.is_some() && !self.observer.judges_liveness() {
            return Err(seam::no_liveness());
        }
        let threshold = match self.options.threshold {
            Some(threshold) => threshold,
            None => *self.options.threshold.insert(self.observer.threshold()?),
        };
        let sure = self.elapsed.advance(at);
        let now = self.elapsed.now();
        let detections = self.observer.detect(frame)?;
        let update = self.tracker.update(&detections, now, sure);
        for track in update.ended {
            self.persons.remove(&track);
        }
        let before = self.stats.embeddings;
        for seen in &update.seen {
            self.see(frame, &detections, seen, at, threshold)?;
        }
        self.stats.embedded_frames += u64::from(self.stats.embeddings > before);
        // A path that is not decided yet may be of somebody who came back just in time.
        let undecided = self.persons.values().filter(|person| person.who.is_none());
        let earliest = undecided.map(|person| person.since).min().unwrap_or(now);
        self.memory.forget(earliest, self.options.cooldown);
        Ok(std::mem::take(&mut self.ready))
    }

    /// The faces of the last frame that are followed.
    pub fn followed(&self) -> impl Iterator<Item = Followed> + '_ {
        self.tracker.visible().filter_map(|(track, face)| {
            let person = self.persons.get(&track)?;
            Some(Followed {
                track: person.number,
                bounds: face.bounds,
                landmarks: face.landmarks,
                who: person.who.clone(),
                doubtful: person.doubtful,
            })
        })
    }

    /// Who of the gallery was seen within the cooldown, and when last: what a stream that takes over needs to
    /// [resume](StreamBuilder::resume).
    pub fn sightings(&self) -> Vec<Sighting> {
        self.memory.sightings()
    }

    /// Forgets somebody who was erased from the gallery, so that [`sightings`](Self::sightings) do not bring them back:
    /// when they were seen, and whose face it was that is followed. Call it after the erasure.
    pub fn forget(&mut self, subject: &SubjectId) {
        self.memory.forget_subject(subject);
        let now = self.elapsed.now();
        for person in self.persons.values_mut().filter(|person| person.may_be(subject)) {
            *person = self.memory.person(now);
        }
    }

    /// What was done so far.
    pub const fn stats(&self) -> Stats {
        self.stats
    }

    /// One followed face of the frame.
    fn see<F: ?Sized>(
        &mut self,
        frame: &F,
        detections: &[Detection],
        seen: &Seen,
        at: SystemTime,
        threshold: f32,
    ) -> Result<()>
    where
        O: Observe<F>,
    {
        let (now, options) = (self.elapsed.now(), &self.options);
        self.stats.faces += 1;
        let person = self.persons.entry(seen.track).or_insert_with(|| self.memory.person(now));
        if seen.doubtful {
            person.doubt(&mut self.memory, now);
        }
        let detection = &detections[seen.detection];
        // Of a face that is partly another's, nothing can be learnt.
        let quality = match seen.crowded {
            false => self.observer.quality(frame, detection)?,
            true => None,
        };
        let Some(quality) = quality.filter(|&it| person.wants_look(it, now, options)) else {
            self.stats.saved += 1;
            self.memory.touch(person, now, at);
            return Ok(());
        };
        let liveness = match options.liveness {
            Some(_) => Some(self.observer.liveness(frame, detection)?),
            None => None,
        };
        self.stats.judged += u64::from(liveness.is_some());
        let template = self.observer.describe(frame, detection)?;
        self.stats.embeddings += 1;
        let look = Look { template, quality, liveness, now, threshold };
        let answer = person.look(look, options, &mut self.memory, &self.people)?;
        if let Answer::Decided(who) = answer
            && self.memory.begins_visit(&who, person.since, options.cooldown)
        {
            self.stats.events += 1;
            self.ready.push(Event {
                id: EventId::random()?,
                at,
                track: person.number,
                bounds: detection.bounds,
                quality,
                who,
            });
        }
        self.memory.touch(person, now, at);
        Ok(())
    }
}

impl<O, R> fmt::Debug for Stream<O, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stream")
            .field("options", &self.options)
            .field("followed", &self.persons.len())
            .field("stats", &self.stats)
            .finish_non_exhaustive()
    }
}

impl fmt::Display for Stats {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} frames ({} skipped), {} faces followed, {} templates made and {} saved, {} events",
            self.frames, self.skipped, self.faces, self.embeddings, self.saved, self.events
        )
    }
}
