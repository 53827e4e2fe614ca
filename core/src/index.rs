//! The vectors of one tenant in one embedding space, in memory, and who of its subjects a probe is most similar to.
//!
//! A template of `d` values takes about `5 d + 100` bytes: 4 d for the `f32` values, d for the codes that are
//! scanned in their place, the rest for scales, ids and their table; 2.7 kB for 512 values. With [`Memory::Lean`] the
//! values stay in the file, and it is `d + 100`: the scan puts down the rows that the bounds of their codes, from above
//! and from below, do not decide about, and those are read after it.
//!
//! Four bits a value are read first because proven bounds cost most there least: on 100,000 isotropic vectors,
//! best ten, 1 or 2 bits exclude nobody, 3 bits a quarter, 4 bits 90 % and 5 bits 99 %, so that 512, 512, 427, 281
//! and 322 bytes are read a row; see `benches/compare/MATCHING.md`.

mod best;
mod chunk;
mod code;
mod exact;
#[cfg_attr(not(feature = "hnsw"), path = "index/hnsw_disabled.rs")]
pub(crate) mod hnsw;
mod memory;
mod method;
mod people;
#[cfg(feature = "hnsw")]
pub(crate) mod planner;

use std::num::NonZero;
use std::sync::OnceLock;
use std::thread;

use crate::error::{Error, ErrorKind, Result};
use crate::id::TemplateId;
use crate::vector::simd::{Kernel, MAX_DIMENSION};
use crate::vector::{Embedding, Similarity};

use best::Best;
use code::Probe;
use exact::{Left, Scan, Vectors, Wanted};
use hnsw::Keeper;
#[cfg(feature = "hnsw")]
pub(crate) use hnsw::Reader;
pub use memory::Memory;
pub(crate) use memory::{Read, Values, nothing};
pub use method::{IndexKind, IndexState, SearchMethod};
use people::People;

/// Probes that share a scan. With more of them, the probes would not stay in the fastest memory.
pub(crate) const BATCH: usize = 64;

/// Rows times probes a thread should have at least: about a millisecond's work, against which the tens of
/// microseconds of starting it count little.
const WORK_PER_THREAD: usize = 100_000;

/// A scan of everybody passes about this many rows in the time it takes to look one up: 7 to 18 ns against
/// 0.11 us, measured with `benches/compare/matching.py` ("a roster of 50").
const ROWS_PER_LOOKUP: usize = 16;

/// The same where looking a row up is reading it from the file: 13 us (`benches/README.md`).
const ROWS_PER_READ: usize = 1024;

/// Unit vectors of one dimension, each belonging to a subject. Scores are exact `f32` cosines.
#[derive(Debug)]
pub(crate) struct Index {
    dimension: usize,
    people: People,
    vectors: Vectors,
    keeper: Keeper,
}

/// Whose a row is. `subject` is the caller's number for a person; it is what results are grouped by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Owner {
    pub(crate) subject: i64,
    pub(crate) template: TemplateId,
}

/// What a probe is told.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Answer {
    /// The best template of each subject, most similar first.
    pub(crate) best: Vec<(Owner, Similarity)>,
    pub(crate) method: SearchMethod,
}

/// What is asked of an index.
#[derive(Clone, Copy)]
pub(crate) struct Search<'a> {
    /// Subjects at most.
    pub(crate) limit: usize,
    /// The least similarity; nobody is found with one that is not a number.
    pub(crate) at_least: f32,
    /// Only these subjects; everybody when none.
    pub(crate) among: Option<&'a [i64]>,
    /// Passes over subjects, for the probe in this place. Asked for the few that would be found.
    pub(crate) allowed: &'a (dyn Fn(usize, i64) -> bool + Sync),
    /// Threads at most; fewer are used where more would not pay.
    pub(crate) threads: NonZero<usize>,
}

impl Search<'_> {
    /// Everybody, whatever their similarity, on all cores.
    pub(crate) fn top(limit: usize) -> Self {
        Self { limit, at_least: -1.0, among: None, allowed: &|_, _| true, threads: cores() }
    }
}

impl Index {
    /// An empty index of vectors with `dimension` values, all in memory.
    pub(crate) fn new(dimension: usize) -> Self {
        Self::with_memory(dimension, Memory::Full)
    }

    /// The same, which holds less of them.
    pub(crate) fn with_memory(dimension: usize, memory: Memory) -> Self {
        Self::with_kernel(dimension, memory, Kernel::best())
    }

    /// The same by a given kernel: all give the same bits.
    pub(crate) fn with_kernel(dimension: usize, memory: Memory, kernel: Kernel) -> Self {
        let vectors = Vectors::new(dimension, kernel, memory);
        Self { dimension, people: People::default(), vectors, keeper: Keeper::default() }
    }

    /// Adds one vector.
    ///
    /// # Errors
    /// [`ErrorKind::SpaceMismatch`] for another dimension; [`ErrorKind::LimitReached`] for more than
    /// [`MAX_DIMENSION`] values; [`ErrorKind::InvalidArgument`] when the template is already here.
    pub(crate) fn insert(&mut self, owner: Owner, embedding: &Embedding) -> Result<()> {
        self.check_dimension(embedding.dimension())?;
        if self.dimension > MAX_DIMENSION {
            return Err(Error::new(
                ErrorKind::LimitReached,
                format!(
                    "the template has {} values, at most {MAX_DIMENSION} can be searched",
                    self.dimension
                ),
            ));
        }
        if self.people.contains(&owner.template) {
            return Err(Error::new(
                ErrorKind::InvalidArgument,
                format!("template {} is stored twice", owner.template),
            ));
        }
        self.people.push(owner);
        self.vectors.push(embedding.as_slice());
        self.keeper.added(owner.template, embedding);
        Ok(())
    }

    /// Removes one vector, if it is here: the last row takes its place, and the last place is wiped.
    pub(crate) fn remove(&mut self, template: &TemplateId) {
        if let Some(row) = self.people.swap_remove(template) {
            self.vectors.swap_remove(row);
            self.keeper.removed(template);
        }
    }

    /// Has what answers of `kind` need made in the background, by way of `reader`. Graphs are made of values: of an index
    /// without them there is none.
    #[cfg(feature = "hnsw")]
    pub(crate) fn prepare(&self, kind: IndexKind, reader: impl FnOnce() -> Reader) {
        if let IndexKind::Approximate { target_recall } = kind
            && self.vectors.memory() == Memory::Full
        {
            self.keeper.prepare(self, target_recall, reader);
        }
    }

    #[cfg(all(test, feature = "hnsw"))]
    pub(crate) fn pretend_that_graphs_pay(&mut self) {
        self.keeper.pretend_that_graphs_pay();
    }

    /// Where what answers of `kind` need stands.
    pub(crate) fn state(&self, kind: IndexKind) -> IndexState {
        match kind {
            IndexKind::Exact => IndexState::Exact,
            IndexKind::Approximate { target_recall } => self.keeper.state(self, target_recall),
        }
    }

    /// [`search`](Self::search) by what is prepared for `kind`, or exact. Several probes share a scan, which
    /// is faster than a graph for each.
    ///
    /// # Errors
    /// Those of [`search`](Self::search).
    pub(crate) fn answer(
        &self,
        probes: &[&[f32]],
        search: &Search<'_>,
        kind: IndexKind,
        read: Read<'_>,
    ) -> Result<Vec<Answer>> {
        if let ([probe], IndexKind::Approximate { target_recall }) = (probes, kind) {
            self.check_dimension(probe.len())?;
            if let Some(answer) = self.keeper.search(self, probe, search, target_recall) {
                return Ok(vec![answer]);
            }
        }
        let found = self.search_by(probes, search, read)?;
        let exact = |best| Answer { best, method: SearchMethod::Exact };
        Ok(found.into_iter().map(exact).collect())
    }

    /// [`search_by`](Self::search_by) of an index that has all values in memory.
    ///
    /// # Errors
    /// [`ErrorKind::SpaceMismatch`] for a probe of another dimension.
    pub(crate) fn search(
        &self,
        probes: &[&[f32]],
        search: &Search<'_>,
    ) -> Result<Vec<Vec<(Owner, Similarity)>>> {
        self.search_by(probes, search, &nothing)
    }

    /// For each probe, a unit vector, the best template of each subject, most similar first; of equals the
    /// subject with the lower number, then the lower template. Values that are not in memory come from `read`.
    ///
    /// # Errors
    /// [`ErrorKind::SpaceMismatch`] for a probe of another dimension, and those of `read`.
    pub(crate) fn search_by(
        &self,
        probes: &[&[f32]],
        search: &Search<'_>,
        read: Read<'_>,
    ) -> Result<Vec<Vec<(Owner, Similarity)>>> {
        probes.iter().try_for_each(|probe| self.check_dimension(probe.len()))?;
        if search.limit == 0 || search.at_least.is_nan() {
            return Ok(vec![Vec::new(); probes.len()]);
        }
        let new = || probes.iter().map(|_| Best::new(search.limit, search.at_least)).collect();
        let mut best: Vec<Best> = new();
        match search.among {
            Some(among) if self.is_few(among) => self.look_up(among, probes, search, &mut best),
            _ => self.scan(probes, search, &mut best),
        }
        let exact = best.into_iter().zip(probes).map(|(best, probe)| match self.vectors.memory() {
            Memory::Full => Ok(best),
            Memory::Lean => self.settle(best, probe, search, read),
        });
        exact.map(|best| best.map(Best::into_sorted)).collect()
    }

    /// Refuses what cannot be compared with the vectors here.
    pub(crate) fn check_dimension(&self, dimension: usize) -> Result<()> {
        if dimension == self.dimension {
            return Ok(());
        }
        Err(Error::new(
            ErrorKind::SpaceMismatch,
            format!(
                "the template has {dimension} values, the others of its space have {}",
                self.dimension
            ),
        ))
    }

    /// Whether it is faster to look at the rows of `among` than at all.
    fn is_few(&self, among: &[i64]) -> bool {
        let all = match self.vectors.memory() {
            Memory::Full => self.people.rows() / ROWS_PER_LOOKUP,
            Memory::Lean => self.people.rows() / ROWS_PER_READ,
        };
        let mut rows = among.iter().flat_map(|subject| self.people.rows_of(*subject));
        rows.nth(all).is_none()
    }

    fn look_up(&self, among: &[i64], probes: &[&[f32]], search: &Search<'_>, best: &mut [Best]) {
        for (number, (probe, best)) in probes.iter().zip(best).enumerate() {
            for subject in among.iter().filter(|subject| (search.allowed)(number, **subject)) {
                for row in self.people.rows_of(*subject) {
                    let owner = self.people.owner(row);
                    match self.vectors.memory() {
                        Memory::Full => best.offer(owner, self.vectors.similarity(row, probe)),
                        Memory::Lean => {
                            let (most, least) = (f32::INFINITY, f32::NEG_INFINITY);
                            best.put_down(owner, Left { most, least, row });
                        }
                    }
                }
            }
        }
    }

    fn scan(&self, probes: &[&[f32]], search: &Search<'_>, best: &mut [Best]) {
        let members = search.among.map(|among| self.people.members(among));
        for (batch, (probes, best)) in probes.chunks(BATCH).zip(best.chunks_mut(BATCH)).enumerate()
        {
            let wanted: Vec<_> = probes.iter().map(|probe| Wanted::new(probe)).collect();
            let allowed = |number, subject| (search.allowed)(batch * BATCH + number, subject);
            let scan = Scan {
                vectors: &self.vectors,
                people: &self.people,
                wanted: &wanted,
                members: members.as_ref(),
                allowed: &allowed,
            };
            let work = self.people.rows() * probes.len() / WORK_PER_THREAD;
            let threads = search.threads.get().min(work).max(1);
            self.spread(threads, best, search, scan);
        }
    }

    /// Runs `scan` on as many threads. They are ours and not of a pool: a pool might run another task of the
    /// caller's meanwhile, which waits for the lock that the caller holds.
    fn spread(&self, threads: usize, best: &mut [Best], search: &Search<'_>, scan: Scan<'_>) {
        let chunks = self.vectors.chunks();
        let share = |thread: usize| chunks * thread / threads..chunks * (thread + 1) / threads;
        thread::scope(|scope| {
            let others: Vec<_> = (1..threads)
                .map(|thread| {
                    scope.spawn(move || {
                        let new = |_| Best::new(search.limit, search.at_least);
                        let mut best: Vec<_> = (0..scan.wanted.len()).map(new).collect();
                        scan.run(share(thread), &mut best);
                        best
                    })
                })
                .collect();
            scan.run(share(0), best);
            for other in others {
                match other.join() {
                    Ok(other) => best.iter_mut().zip(other).for_each(|(best, it)| best.merge(it)),
                    Err(panic) => std::panic::resume_unwind(panic),
                }
            }
        });
    }
}

/// Asked of the system once: the question alone takes longer than a small search.
fn cores() -> NonZero<usize> {
    static CORES: OnceLock<NonZero<usize>> = OnceLock::new();
    *CORES.get_or_init(|| thread::available_parallelism().unwrap_or(NonZero::<usize>::MIN))
}

impl<'a> Wanted<'a> {
    fn new(vector: &'a [f32]) -> Self {
        Self { vector, probe: Probe::new(vector) }
    }
}

#[cfg(test)]
mod tests;
