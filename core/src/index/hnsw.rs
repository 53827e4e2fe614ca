//! Answers from a graph, which is only believed after an audit.
//!
//! A graph is built and audited in the background from a copy of the vectors; until then, and whenever there is a
//! doubt, the caller scans. It proposes rows and nothing else: subjects and similarities come from the index, so
//! what was removed is never found, and what was added since is looked at one by one. Too many of either, and
//! another graph is built.

mod audit;
pub(crate) mod graph;
mod job;
pub(crate) mod rows;
mod share;

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use self::audit::Audited;
use self::graph::Graph;
use self::job::Job;
pub(crate) use self::job::Reader;
use super::best::Best;
use super::method::{IndexState, SearchMethod};
use super::planner::{Planner, Shape, is_unfit, is_worn};
use super::{Answer, Index, Search};
use crate::id::TemplateId;
use crate::vector::{Embedding, Similarity};

/// The graph of one index, if any.
#[derive(Debug)]
pub(super) struct Keeper {
    planner: Planner,
    state: RwLock<State>,
    /// Told to the job when the index goes away; also what a job knows its index by.
    cancelled: Arc<AtomicBool>,
}

#[derive(Debug, Default)]
struct State {
    /// Answers while another is built, too.
    live: Option<Live>,
    is_building: bool,
    refused: Option<Refused>,
    has_failed: bool,
}

/// A graph that did not pass.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Refused {
    rows: usize,
    target: f64,
    audited: Audited,
}

/// Why a job ends without a graph.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Unfinished {
    /// The index is gone.
    Cancelled,
    Refused(Refused),
    /// Something panicked.
    Failed,
}

/// A graph that passed, and what changed since it was made.
#[derive(Debug)]
struct Live {
    graph: Graph,
    shape: Shape,
    names: Names,
    audited: Audited,
    added: HashSet<TemplateId>,
    removed: usize,
}

/// The templates of a graph's rows.
#[derive(Debug, Default)]
struct Names {
    templates: Vec<TemplateId>,
    places: HashMap<TemplateId, usize>,
}

impl Keeper {
    /// Starts what has to be started for answers of `target` recall. `reader` leads the job to the index.
    pub(super) fn prepare(&self, index: &Index, target: f64, reader: impl FnOnce() -> Reader) {
        let rows = index.people.rows();
        let Some(plan) = self.planner.plan(rows, target) else { return };
        if !self.read(|state| state.wants_job(rows, target)) {
            return;
        }
        {
            let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
            if !state.wants_job(rows, target) {
                return;
            }
            state.is_building = true;
        }
        let job = Job { reader: reader(), cancelled: Arc::clone(&self.cancelled), plan, target };
        if !job.start() {
            self.end(Unfinished::Failed);
        }
    }

    /// The most similar subjects by the graph. None when the scan has to answer.
    pub(super) fn search(
        &self,
        index: &Index,
        probe: &[f32],
        search: &Search<'_>,
        target: f64,
    ) -> Option<Answer> {
        // The audit asks for the best of everybody; it says nothing of the best of some.
        if search.among.is_some() || search.limit == 0 || search.at_least.is_nan() {
            return None;
        }
        let rows = index.people.rows();
        let found = self.read(|state| {
            let live = state.live.as_ref().filter(|live| live.audited.least >= target)?;
            let added = live.added.len();
            let fit = !is_unfit(rows, live.removed);
            let pays = self.planner.pays(rows, added, live.shape, live.audited.breadth);
            (fit && pays).then(|| live.search(index, probe, search))
        })?;
        match found {
            Found::Enough(answer) => Some(answer),
            Found::TooFew => None,
            Found::Panicked => {
                self.end(Unfinished::Failed);
                None
            }
        }
    }

    /// Where things stand for answers of `target` recall.
    pub(super) fn state(&self, index: &Index, target: f64) -> IndexState {
        let templates = index.people.rows();
        if self.planner.plan(templates, target).is_none() {
            return IndexState::Small { templates, from: self.planner.from(target) };
        }
        self.read(|state| {
            if let Some(live) = state.live.as_ref().filter(|it| it.audited.least >= target) {
                let Audited { least: audited_recall, probes, missed, .. } = live.audited;
                return IndexState::Approximate { audited_recall, probes, missed };
            }
            match state.refused.filter(|it| it.target <= target) {
                _ if state.has_failed => IndexState::Failed,
                Some(Refused { audited, .. }) if !state.is_building => {
                    let Audited { least: audited_recall, probes, missed, .. } = audited;
                    IndexState::Refused { audited_recall, probes, missed }
                }
                _ => IndexState::Building,
            }
        })
    }

    /// Tells the graph of a template that came to the index.
    pub(super) fn added(&mut self, template: TemplateId, embedding: &Embedding) {
        let state = self.state.get_mut().unwrap_or_else(PoisonError::into_inner);
        let Some(live) = &mut state.live else { return };
        match live.names.places.get(&template) {
            // It was here before: a template never changes.
            Some(place) => {
                live.graph.rows().put(*place, embedding.as_slice());
                live.removed -= 1;
            }
            None => {
                live.added.insert(template);
            }
        }
    }

    /// Tells the graph of a template that the index has no more. Its vector is wiped here too.
    pub(super) fn removed(&mut self, template: &TemplateId) {
        let state = self.state.get_mut().unwrap_or_else(PoisonError::into_inner);
        let Some(live) = &mut state.live else { return };
        if live.added.remove(template) {
            return;
        }
        if let Some(place) = live.names.places.get(template) {
            live.graph.rows().wipe(*place);
            live.removed += 1;
        }
    }

    #[cfg(test)]
    pub(super) fn pretend_that_graphs_pay(&mut self) {
        self.planner = Planner { rows_per_visit: 0, rows_per_added: 0 };
    }

    /// Answers come from `live` from now on.
    fn publish(&self, live: Live, target: f64) {
        self.change(|state| {
            state.is_building = false;
            state.refused = state.refused.filter(|refused| refused.target > target);
            state.live.replace(live)
        });
    }

    /// The job, or the graph there is, came to an end.
    fn end(&self, why: Unfinished) {
        self.change(|state| {
            state.is_building = false;
            match why {
                Unfinished::Cancelled => None,
                // What keeps a smaller promise may stay.
                Unfinished::Refused(refused) => {
                    state.refused = Some(refused);
                    None
                }
                Unfinished::Failed => {
                    state.has_failed = true;
                    state.live.take()
                }
            }
        });
    }

    /// What `work` takes out goes when the lock is free: large graphs take their time.
    fn change(&self, work: impl FnOnce(&mut State) -> Option<Live>) {
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        let old = work(&mut state);
        drop(state);
        drop(old);
    }

    fn read<T>(&self, work: impl FnOnce(&State) -> T) -> T {
        work(&self.state.read().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Default for Keeper {
    fn default() -> Self {
        Self { planner: Planner::MEASURED, state: RwLock::default(), cancelled: Arc::default() }
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        self.cancelled.store(true, Ordering::Relaxed);
    }
}

impl State {
    fn wants_job(&self, rows: usize, target: f64) -> bool {
        let doubtful = match &self.live {
            Some(live) => {
                live.audited.least < target || is_worn(rows, live.added.len(), live.removed)
            }
            None => true,
        };
        // Another number of templates is another graph.
        let hopeful = self.refused.is_none_or(|refused| {
            let then = refused.rows;
            target < refused.target || rows >= 2 * then || 2 * rows <= then
        });
        let hopeful = hopeful && !self.is_building && !self.has_failed;
        doubtful && hopeful
    }
}

/// What a graph says to a probe.
enum Found {
    Enough(Answer),
    TooFew,
    Panicked,
}

impl Live {
    fn search(&self, index: &Index, probe: &[f32], search: &Search<'_>) -> Found {
        let breadth = self.audited.breadth;
        let Some(near) = self.graph.nearest(probe, breadth) else { return Found::Panicked };
        let mut best = Best::new(search.limit, search.at_least);
        let mut offer = |template: &TemplateId| {
            let row = index.people.row(template)?;
            let similarity = index.vectors.similarity(row, probe);
            let owner = index.people.owner(row);
            if (search.allowed)(0, owner.subject) {
                best.offer(owner, similarity);
            }
            Some(similarity)
        };
        let near = near.iter().filter_map(|place| offer(&self.names.templates[*place]));
        let least = near.map(Similarity::value).fold(f32::INFINITY, f32::min);
        self.added.iter().for_each(|template| {
            offer(template);
        });
        let best = best.into_sorted();
        // Fewer people than were asked for are all there are when what else was near is not wanted.
        if best.len() < search.limit && least >= search.at_least {
            return Found::TooFew;
        }
        let method = SearchMethod::Approximate { audited_recall: self.audited.least };
        Found::Enough(Answer { best, method })
    }
}

impl Names {
    fn push(&mut self, template: TemplateId) {
        self.places.insert(template, self.templates.len());
        self.templates.push(template);
    }
}

#[cfg(test)]
mod tests;
