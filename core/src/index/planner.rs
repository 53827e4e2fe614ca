//! When a graph is worth building, how, and for how long it may be used.

/// Rows that the scan passes in the time that a search of a graph takes for each unit of breadth and link. Measured
/// with `benches/compare/hnsw.py`; see `benches/compare/HNSW.md`.
const ROWS_PER_VISIT: usize = 300;

/// Rows that the scan passes in the time that one is looked at alone, as those are that came after the graph was built;
/// measured in the same run.
const ROWS_PER_ADDED: usize = 50;

/// The narrowest and the broadest search (`ef`) that is tried; each is twice the one before.
const NARROWEST: usize = 32;
const BROADEST: usize = 1024;

/// Of how many rows one added, or one removed, makes a graph worn, so that another is built. What was added takes
/// two fifths of the scan's time by then.
const WORN_BY_ADDED: usize = 128;
const WORN_BY_REMOVED: usize = 64;

/// Of how many rows one removed makes a graph unfit for use: the audit takes as many out. What is added makes it
/// slower and no worse, see [`Planner::pays`].
pub(super) const UNFIT: usize = 32;

/// How sure a promise is, over all breadths that are tried.
const CONFIDENCE: f64 = 0.95;

/// How a graph is built.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Shape {
    /// Neighbours of a row, twice as many in the lowest layer (`M`).
    pub(crate) links: usize,
    /// Rows that are looked at for them (`ef_construction`).
    pub(crate) candidates: usize,
}

/// A graph to try: its shape, and what is asked of it.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Plan {
    pub(super) shape: Shape,
    /// Ascending. The first that keeps the promise is used.
    pub(super) breadths: Vec<usize>,
    /// Probes of the audit.
    pub(super) probes: usize,
    /// The risk that what is said of one breadth is wrong: over all of them, one in twenty.
    pub(super) risk: f64,
}

/// What the measured numbers lead to.
#[derive(Clone, Copy, Debug)]
pub(super) struct Planner {
    pub(super) rows_per_visit: usize,
    pub(super) rows_per_added: usize,
}

impl Planner {
    pub(super) const MEASURED: Self =
        Self { rows_per_visit: ROWS_PER_VISIT, rows_per_added: ROWS_PER_ADDED };

    /// None when the scan of `rows` is faster than the narrowest search.
    pub(super) fn plan(self, rows: usize, target: f64) -> Option<Plan> {
        let shape = shape(target);
        let doubled = std::iter::successors(Some(NARROWEST), |breadth| Some(2 * breadth));
        let pays = |breadth: &usize| *breadth <= BROADEST && self.pays(rows, 0, shape, *breadth);
        let breadths: Vec<_> = doubled.take_while(pays).collect();
        let risk = (1.0 - CONFIDENCE) / breadths.len().max(1) as f64;
        // A graph without a miss needs `ln risk / ln target` probes to prove itself; three times as many leave
        // room for some misses.
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "positive, and 15,000 at most by the range of targets"
        )]
        let probes = (3.0 * risk.ln() / target.ln()).ceil() as usize;
        (!breadths.is_empty()).then_some(Plan { shape, breadths, probes: probes.max(200), risk })
    }

    /// Rows from which on a graph is tried.
    pub(super) fn from(self, target: f64) -> usize {
        NARROWEST * shape(target).links * self.rows_per_visit
    }

    /// Whether a search of `breadth` is faster than the scan of `rows`, of which so many were `added` since.
    pub(super) const fn pays(
        self,
        rows: usize,
        added: usize,
        shape: Shape,
        breadth: usize,
    ) -> bool {
        rows >= breadth * shape.links * self.rows_per_visit + added * self.rows_per_added
    }
}

/// Whether another graph should be built, when of `rows` so many were added or removed since.
pub(super) const fn is_worn(rows: usize, added: usize, removed: usize) -> bool {
    added > rows / WORN_BY_ADDED || removed > rows / WORN_BY_REMOVED
}

/// Whether it may be used no more, when of `rows` so many were removed since.
pub(super) const fn is_unfit(rows: usize, removed: usize) -> bool {
    removed > rows / UNFIT
}

/// More links lead to more people, and cost more. hnswlib's advice for face templates is 48 to 64.
const fn shape(target: f64) -> Shape {
    if target < 0.9 {
        Shape { links: 16, candidates: 200 }
    } else {
        Shape { links: 32, candidates: 200 }
    }
}
