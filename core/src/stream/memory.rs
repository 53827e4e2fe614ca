//! Who was seen, and when last.

use std::collections::HashMap;
use std::time::{Duration, SystemTime};

use super::elapsed::Elapsed;
use super::event::{VisitorId, Who};
use super::person::Person;
use crate::error::Result;
use crate::id::SubjectId;
use crate::vector::Template;

/// Unknown people that are remembered, at most; whoever was not seen for longest is forgotten first.
const VISITORS: usize = 4_096;

/// When somebody was last seen. `Debug` shows no name.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "who and when")]
pub struct Sighting {
    /// Who.
    pub subject: SubjectId,
    /// When last.
    pub at: SystemTime,
}

#[derive(Debug, Default)]
pub(super) struct Memory {
    subjects: HashMap<SubjectId, (Duration, SystemTime)>,
    visitors: Vec<Visitor>,
    /// Sightings of an earlier stream, until the first frame tells how long ago they were.
    earlier: Vec<Sighting>,
    paths: u64,
}

#[derive(Debug)]
struct Visitor {
    id: VisitorId,
    template: Template,
    /// Whether the face was taken for an attack.
    suspected: bool,
    /// None until the first event.
    seen: Option<Duration>,
}

impl Memory {
    pub(super) fn new(earlier: Vec<Sighting>) -> Self {
        Self { earlier, ..Self::default() }
    }

    /// Takes over what an earlier stream saw, at the first frame.
    pub(super) fn resume(&mut self, elapsed: &Elapsed, first: SystemTime) {
        for Sighting { subject, at } in std::mem::take(&mut self.earlier) {
            let seen = (elapsed.before(at, first), at);
            let known = self.subjects.entry(subject).or_insert(seen);
            *known = (*known).max(seen);
        }
    }

    /// Somebody of whom nothing is known yet, on a path with a number of its own.
    pub(super) const fn person(&mut self, since: Duration) -> Person {
        self.paths += 1;
        Person::new(self.paths, since)
    }

    /// Whether somebody whose path began at `since` was away for the cooldown then, or never there. How long it took
    /// to recognise them does not matter.
    pub(super) fn begins_visit(&self, who: &Who, since: Duration, cooldown: Duration) -> bool {
        let seen = match who {
            Who::Subject { id, .. } => self.subjects.get(id).map(|(seen, _)| *seen),
            Who::Visitor(id) | Who::Suspected { id, .. } => {
                self.visitors.iter().find(|it| it.id == *id).and_then(|it| it.seen)
            }
        };
        seen.is_none_or(|seen| since.saturating_sub(seen) >= cooldown)
    }

    /// Whoever `person` is for sure is seen.
    pub(super) fn touch(&mut self, person: &Person, now: Duration, at: SystemTime) {
        if person.doubtful {
            return;
        }
        match &person.who {
            Some(Who::Subject { id, .. }) => {
                // No copy of the name in each frame.
                match self.subjects.get_mut(id) {
                    Some(seen) => *seen = (now, at),
                    None => drop(self.subjects.insert(id.clone(), (now, at))),
                }
            }
            Some(Who::Visitor(id) | Who::Suspected { id, .. }) => {
                if let Some(visitor) = self.visitors.iter_mut().find(|it| it.id == *id) {
                    visitor.seen = Some(now);
                }
            }
            None => {}
        }
    }

    /// The unknown person of `template`: the most similar one there was, or a new one. Those who are `suspected` to be no
    /// person are others.
    pub(super) fn visitor(
        &mut self,
        template: &Template,
        same: f32,
        suspected: bool,
    ) -> Result<VisitorId> {
        let mut best: Option<(f32, VisitorId)> = None;
        for visitor in self.visitors.iter().filter(|it| it.suspected == suspected) {
            let similarity = visitor.template.similarity(template)?.value();
            if similarity >= best.map_or(same, |(best, _)| best) {
                best = Some((similarity, visitor.id));
            }
        }
        if let Some((_, id)) = best {
            return Ok(id);
        }
        if self.visitors.len() == VISITORS {
            let ages = self.visitors.iter().enumerate();
            let oldest = ages.min_by_key(|(_, visitor)| visitor.seen).map(|(index, _)| index);
            oldest.map(|index| self.visitors.swap_remove(index));
        }
        let id = VisitorId::random()?;
        self.visitors.push(Visitor { id, template: template.clone(), suspected, seen: None });
        Ok(id)
    }

    /// Whoever it was, they were never there.
    pub(super) fn forget_subject(&mut self, subject: &SubjectId) {
        self.subjects.remove(subject);
        self.earlier.retain(|sighting| sighting.subject != *subject);
    }

    /// Drops who had been away for the cooldown at `earliest`: on a path from then on they begin a new visit whether
    /// remembered or not.
    pub(super) fn forget(&mut self, earliest: Duration, cooldown: Duration) {
        self.subjects.retain(|_, (seen, _)| earliest.saturating_sub(*seen) < cooldown);
    }

    pub(super) fn sightings(&self) -> Vec<Sighting> {
        let seen = self.subjects.iter().map(|(subject, (_, at))| (subject.clone(), *at));
        let seen = seen.map(|(subject, at)| Sighting { subject, at });
        let mut all: Vec<_> = seen.chain(self.earlier.iter().cloned()).collect();
        all.sort_unstable_by(|a, b| a.subject.cmp(&b.subject));
        all
    }
}
