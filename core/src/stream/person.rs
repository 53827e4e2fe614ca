//! Who is on a path: templates in, a decision out.

use std::time::Duration;

use super::builder::Options;
use super::event::Who;
use super::fused::Fused;
use super::memory::Memory;
use super::seam::Recognize;
use super::vote::{Verdict, Votes};
use crate::error::Result;
use crate::id::SubjectId;
use crate::liveness::Liveness;
use crate::vector::Template;

/// A face that nobody is found for, nor always nobody, is looked at in each frame this many times longer than a
/// decision takes; then it has to wait like all others.
const PATIENCE: u32 = 4;

/// What is known of who is on a path.
pub(super) struct Person {
    /// The number of the path, as the caller sees it.
    pub(super) number: u64,
    /// The time of its first frame.
    pub(super) since: Duration,
    pub(super) who: Option<Who>,
    /// Whether somebody else may have come onto the path since the last template.
    pub(super) doubtful: bool,
    fused: Option<Fused>,
    /// Of the frames that were fused, since the path was in doubt.
    votes: Votes,
    /// Whether there was no verdict since then.
    recounting: bool,
    /// A template of somebody else than the fused one's; another like it makes it theirs.
    other: Option<Look>,
    best_quality: f32,
    last_look: Duration,
    looks: u32,
    answer: Option<(SubjectId, f32)>,
    /// How often the answer came, one time after the other.
    agreeing: u32,
}

/// A template of a face, and how good its picture is.
pub(super) struct Look {
    pub(super) template: Template,
    pub(super) quality: f32,
    /// Whether the face is alive, where that is asked.
    pub(super) liveness: Option<Liveness>,
    pub(super) now: Duration,
    /// The similarity from which on two templates are of one person.
    pub(super) threshold: f32,
}

/// What a look led to.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Answer {
    /// Nothing new.
    Nothing,
    /// It is clear now who this is.
    Decided(Who),
}

impl Person {
    pub(super) const fn new(number: u64, since: Duration) -> Self {
        Self {
            number,
            since,
            who: None,
            doubtful: false,
            fused: None,
            votes: Votes::new(),
            recounting: false,
            other: None,
            best_quality: 0.0,
            last_look: Duration::ZERO,
            looks: 0,
            answer: None,
            agreeing: 0,
        }
    }

    /// Whether a template is worth its time.
    pub(super) fn wants_look(&self, quality: f32, now: Duration, options: &Options) -> bool {
        let enough = options.confirm_after.max(options.unknown_after).saturating_mul(PATIENCE);
        let due = now.saturating_sub(self.last_look) >= options.look_interval;
        if self.is_suspected() {
            return due || self.other.is_some();
        }
        due || self.doubtful
            || options.liveness.is_some_and(|frames| self.votes.is_open(frames as usize))
            || (self.who.is_none() && self.looks < enough)
            || quality > self.best_quality + options.quality_gain
    }

    pub(super) fn look(
        &mut self,
        look: Look,
        options: &Options,
        memory: &mut Memory,
        people: &impl Recognize,
    ) -> Result<Answer> {
        self.last_look = look.now;
        self.looks = self.looks.saturating_add(1);
        if !self.agrees(&look, people)? {
            self.doubtful = true;
            let Some(first) = self.other.take() else {
                self.other = Some(look);
                return Ok(Answer::Nothing);
            };
            if !first.is_like(&look)? {
                self.other = Some(look);
                return Ok(Answer::Nothing);
            }
            // Two of a kind: somebody else is here.
            *self = Self { last_look: look.now, looks: 2, ..memory.person(first.now) };
            self.fuse(&first, options)?;
        } else if self.is_suspected() {
            // The same face still: that it passes once in a while makes nobody of it.
            (self.other, self.doubtful) = (None, false);
            return Ok(Answer::Nothing);
        }
        self.fuse(&look, options)?;
        self.other = None;
        let verdict = options.liveness.map(|frames| self.votes.verdict(frames as usize));
        if let Some(Verdict::Suspected(median)) = verdict {
            return self.suspect(median, look.threshold, memory);
        }
        let agreed = self.count(&look, options, people)?;
        if verdict == Some(Verdict::Open) {
            return Ok(Answer::Nothing);
        }
        (self.doubtful, self.recounting) = (false, false);
        if agreed { self.decide(&look, memory) } else { Ok(Answer::Nothing) }
    }

    /// Somebody else may be on the path from now on. Whoever it is has to show that they are alive, and is not refused
    /// for what another did.
    pub(super) fn doubt(&mut self, memory: &mut Memory, now: Duration) {
        if self.is_suspected() {
            *self = memory.person(now);
        }
        self.doubtful = true;
        // Two who stand close to one another are in doubt all the time: their votes count all the same.
        if !self.recounting {
            self.recounting = true;
            self.votes.clear();
        }
    }

    /// Whether the path was taken for theirs, or is about to be.
    pub(super) fn may_be(&self, subject: &SubjectId) -> bool {
        let decided = matches!(&self.who, Some(Who::Subject { id, .. }) if id == subject);
        decided || self.answer.as_ref().is_some_and(|(id, _)| id == subject)
    }

    const fn is_suspected(&self) -> bool {
        matches!(self.who, Some(Who::Suspected { .. }))
    }

    fn suspect(
        &mut self,
        Liveness { score, threshold }: Liveness,
        same: f32,
        memory: &mut Memory,
    ) -> Result<Answer> {
        let Some(fused) = &self.fused else { return Ok(Answer::Nothing) };
        let id = memory.visitor(fused.template(), same, true)?;
        let who = Who::Suspected { id, score, minimum: threshold };
        self.doubtful = false;
        self.who = Some(who.clone());
        Ok(Answer::Decided(who))
    }

    /// Whether the look is of the person that was on the path before.
    fn agrees(&self, look: &Look, people: &impl Recognize) -> Result<bool> {
        let Some(fused) = &self.fused else { return Ok(true) };
        if fused.template().similarity(&look.template)?.value() >= look.threshold {
            return Ok(true);
        }
        let Some(Who::Subject { id, .. }) = &self.who else { return Ok(false) };
        let found = people.recognize(&look.template, look.threshold)?;
        Ok(found.is_some_and(|(subject, _)| subject == *id))
    }

    fn fuse(&mut self, look: &Look, options: &Options) -> Result<()> {
        if let (Some(vote), Some(frames)) = (look.liveness, options.liveness) {
            self.votes.add(vote, frames as usize);
        }
        self.best_quality = self.best_quality.max(look.quality);
        match &mut self.fused {
            Some(fused) => fused.add(&look.template, look.quality),
            None => {
                self.fused = Some(Fused::new(look.template.clone(), look.quality));
                Ok(())
            }
        }
    }

    /// Asks who it is; whether the answer has come often enough.
    fn count(&mut self, look: &Look, options: &Options, people: &impl Recognize) -> Result<bool> {
        let Some(fused) = &self.fused else { return Ok(false) };
        let answer = people.recognize(fused.template(), look.threshold)?;
        let subject = |it: Option<&(SubjectId, f32)>| it.map(|(subject, _)| subject.clone());
        let same = self.agreeing > 0 && subject(self.answer.as_ref()) == subject(answer.as_ref());
        self.agreeing = if same { self.agreeing.saturating_add(1) } else { 1 };
        self.answer = answer;
        let known = self.answer.is_some();
        Ok(self.agreeing >= if known { options.confirm_after } else { options.unknown_after })
    }

    fn decide(&mut self, look: &Look, memory: &mut Memory) -> Result<Answer> {
        let Some(fused) = &self.fused else { return Ok(Answer::Nothing) };
        let who = match (&self.who, &self.answer) {
            (Some(Who::Subject { id, .. }), Some((found, _))) if id == found => None,
            (_, Some((found, similarity))) => {
                Some(Who::Subject { id: found.clone(), similarity: *similarity })
            }
            (None, None) => {
                let visitor = memory.visitor(fused.template(), look.threshold, false)?;
                Some(Who::Visitor(visitor))
            }
            // Whoever was found stays found: their templates still agree.
            _ => None,
        };
        let Some(who) = who else { return Ok(Answer::Nothing) };
        self.who = Some(who.clone());
        Ok(Answer::Decided(who))
    }
}

impl Look {
    fn is_like(&self, other: &Self) -> Result<bool> {
        Ok(self.template.similarity(&other.template)?.value() >= self.threshold)
    }
}
