//! Who is on a path: templates in, a decision out.

use std::time::Duration;

use super::builder::Options;
use super::event::Who;
use super::fused::Fused;
use super::memory::Memory;
use super::seam::Recognize;
use crate::error::Result;
use crate::id::SubjectId;
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
    /// A template of somebody else than the fused one's; another like it makes it theirs.
    other: Option<Look>,
    best_quality: f32,
    last_look: Duration,
    looks: u32,
    answer: Option<SubjectId>,
    /// How often the answer came, one time after the other.
    agreeing: u32,
}

/// A template of a face, and how good its picture is.
pub(super) struct Look {
    pub(super) template: Template,
    pub(super) quality: f32,
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
        self.doubtful
            || (self.who.is_none() && self.looks < enough)
            || quality > self.best_quality + options.quality_gain
            || now.saturating_sub(self.last_look) >= options.look_interval
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
            self.fuse(&first)?;
        }
        self.fuse(&look)?;
        self.other = None;
        self.doubtful = false;
        self.decide(&look, options, memory, people)
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

    fn fuse(&mut self, look: &Look) -> Result<()> {
        self.best_quality = self.best_quality.max(look.quality);
        match &mut self.fused {
            Some(fused) => fused.add(&look.template, look.quality),
            None => {
                self.fused = Some(Fused::new(look.template.clone(), look.quality));
                Ok(())
            }
        }
    }

    fn decide(
        &mut self,
        look: &Look,
        options: &Options,
        memory: &mut Memory,
        people: &impl Recognize,
    ) -> Result<Answer> {
        let Some(fused) = &self.fused else { return Ok(Answer::Nothing) };
        let found = people.recognize(fused.template(), look.threshold)?;
        let similarity = found.as_ref().map(|(_, similarity)| *similarity);
        let answer = found.map(|(subject, _)| subject);
        self.agreeing =
            if self.agreeing > 0 && self.answer == answer { self.agreeing + 1 } else { 1 };
        self.answer = answer;
        let needed =
            if self.answer.is_some() { options.confirm_after } else { options.unknown_after };
        if self.agreeing < needed {
            return Ok(Answer::Nothing);
        }
        let who = match (&self.who, &self.answer, similarity) {
            (Some(Who::Subject { id, .. }), Some(found), _) if id == found => None,
            (_, Some(found), Some(similarity)) => {
                Some(Who::Subject { id: found.clone(), similarity })
            }
            (None, None, _) => {
                let visitor = memory.visitor(fused.template(), look.threshold)?;
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
