//! The thread that builds and audits a graph. It holds the index for moments only, by the caller's [`Reader`].

use std::cell::Cell;
use std::collections::HashSet;
use std::num::NonZero;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::thread;

use super::audit::audit;
use super::graph::Graph;
use super::rows::Rows;
use super::{Keeper, Live, Names, Refused, Unfinished};
use crate::index::Index;
use crate::index::planner::Plan;

/// Rows that are copied while the index is held: less than a millisecond.
const COPIED: usize = 256;

/// Runs work on the index as it is now. Does not run it when the index is gone.
pub(crate) type Reader = Box<dyn Fn(&mut dyn FnMut(&Index)) + Send>;

pub(super) struct Job {
    pub(super) reader: Reader,
    /// Of the keeper the job is for.
    pub(super) cancelled: Arc<AtomicBool>,
    pub(super) plan: Plan,
    pub(super) target: f64,
}

impl Job {
    /// Whether there is a thread for it. It is not waited for: it ends soon after the index does.
    pub(super) fn start(self) -> bool {
        thread::Builder::new().name("faceprint-index".into()).spawn(move || self.run()).is_ok()
    }

    fn run(self) {
        let end = catch_unwind(AssertUnwindSafe(|| self.make()));
        let why = match end {
            Ok(Ok(live)) => return self.publish(live),
            Ok(Err(why)) => why,
            Err(_) => Unfinished::Failed,
        };
        self.with(|_, keeper| keeper.end(why));
    }

    /// A graph that passed, or what is to be said instead.
    fn make(&self) -> Result<Live, Unfinished> {
        let (graph, names) = self.build()?;
        let audited = audit(self, &graph, &names)?;
        if audited.least < self.target {
            return Err(Unfinished::Refused(Refused {
                rows: graph.rows().len(),
                target: self.target,
                audited,
            }));
        }
        let (shape, added, removed) = (self.plan.shape, HashSet::new(), 0);
        Ok(Live { graph, shape, names, audited, added, removed })
    }

    fn build(&self) -> Result<(Graph, Names), Unfinished> {
        let all = self.read(|index| (index.dimension, index.people.templates().to_vec()))?;
        let (dimension, all) = all;
        let (mut rows, mut names) = (Rows::new(dimension), Names::default());
        for some in all.chunks(COPIED) {
            self.read(|index| {
                for template in some {
                    if let Some(row) = index.people.row(template) {
                        rows.push(index.vectors.row(row));
                        names.push(*template);
                    }
                }
            })?;
        }
        // Half of the cores: the others are for those who wait for answers.
        let cores = thread::available_parallelism().map_or(1, NonZero::get);
        let threads = (cores / 2).max(1);
        let graph = Graph::build(rows, self.plan.shape, threads, &self.cancelled);
        Ok((graph.ok_or(Unfinished::Failed)?, names))
    }

    /// Writes down what changed since the copy was made, and lets the graph answer.
    fn publish(&self, mut live: Live) {
        self.with(|index, keeper| {
            let known = |template: &&_| live.names.places.contains_key(*template);
            let all = index.people.templates();
            live.added = all.iter().filter(|it| !known(it)).copied().collect();
            for (place, template) in live.names.templates.iter().enumerate() {
                if index.people.row(template).is_none() {
                    live.graph.rows().wipe(place);
                    live.removed += 1;
                }
            }
            keeper.publish(live, self.target);
        });
    }

    /// Runs `work` on the index, unless it is gone: then the job has nothing more to say.
    pub(super) fn read<T>(&self, work: impl FnOnce(&Index) -> T) -> Result<T, Unfinished> {
        self.with(|index, _| work(index)).ok_or(Unfinished::Cancelled)
    }

    fn with<T>(&self, work: impl FnOnce(&Index, &Keeper) -> T) -> Option<T> {
        let (work, done) = (Cell::new(Some(work)), Cell::new(None));
        (self.reader)(&mut |index| {
            // Another index may have taken the place of ours.
            if Arc::ptr_eq(&index.keeper.cancelled, &self.cancelled)
                && let Some(work) = work.take()
            {
                done.set(Some(work(index, &index.keeper)));
            }
        });
        done.into_inner()
    }
}
