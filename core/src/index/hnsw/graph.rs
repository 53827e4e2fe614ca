//! A graph of rows that are near one another, by `hnsw_rs`; the only file that names it.
//!
//! The graph holds row numbers, and [`Angle`] looks the vectors up in [`Rows`], which are wiped: the crate would keep
//! copies of its own that cannot be. Whatever panics in there ends the graph and nothing else. Nothing is
//! ever written to disk or read from it.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;

use hnsw_rs::anndists::dist::distances::Distance;
use hnsw_rs::hnsw::Hnsw;
use zeroize::Zeroizing;

use super::rows::Rows;
use crate::index::planner::Shape;
use crate::vector::simd::Kernel;

/// Layers at most: as many as the crate has.
const LAYERS: usize = 16;

/// A finished graph over the rows it was built from.
pub(crate) struct Graph {
    /// There until dropped.
    graph: Option<Hnsw<'static, Place, Angle>>,
    rows: Arc<Rows>,
}

impl Graph {
    /// A graph of all `rows`, or of some when it is `cancelled`, made on `threads` threads. None when the crate
    /// panicked.
    pub(crate) fn build(
        rows: Rows,
        shape: Shape,
        threads: usize,
        cancelled: &AtomicBool,
    ) -> Option<Self> {
        let rows = Arc::new(rows);
        let angle = Angle { rows: Arc::clone(&rows), kernel: Kernel::best() };
        let count = rows.len();
        let made = catch_unwind(AssertUnwindSafe(|| {
            let graph = Hnsw::new(shape.links, count, LAYERS, shape.candidates, angle);
            let insert = |row: usize| graph.insert_slice((&[Place::Row(row)], row));
            // A row that finds no graph yet starts one, so the first goes alone.
            if count > 0 {
                insert(0);
            }
            let next = AtomicUsize::new(1);
            thread::scope(|scope| {
                let work = || {
                    let rows = std::iter::repeat_with(|| next.fetch_add(1, Ordering::Relaxed));
                    let wanted = |_: &usize| !cancelled.load(Ordering::Relaxed);
                    rows.take_while(|row| *row < count).take_while(wanted).for_each(insert);
                };
                for _ in 1..threads {
                    scope.spawn(work);
                }
                work();
            });
            graph
        }));
        Some(Self { graph: Some(made.ok()?), rows })
    }

    /// Rows near `probe`, the nearest first: the `breadth` best of those that the search came by. None when
    /// the crate panicked: the graph is not to be used again.
    pub(crate) fn nearest(&self, probe: &[f32], breadth: usize) -> Option<Vec<usize>> {
        let graph = self.graph.as_ref()?;
        let place = Place::Probe(Arc::new(Zeroizing::new(probe.to_vec())));
        let found = catch_unwind(AssertUnwindSafe(|| graph.search(&[place], breadth, breadth)));
        Some(found.ok()?.iter().map(|it| it.d_id).collect())
    }

    /// The vectors, which may be wiped and put back.
    pub(crate) fn rows(&self) -> &Rows {
        &self.rows
    }
}

/// The crate's own drop may panic, and must not.
impl Drop for Graph {
    fn drop(&mut self) {
        let graph = self.graph.take();
        let _ = catch_unwind(AssertUnwindSafe(|| drop(graph)));
    }
}

impl fmt::Debug for Graph {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Graph({} rows)", self.rows.len())
    }
}

/// What the graph holds in place of a vector.
#[derive(Clone)]
enum Place {
    Row(usize),
    Probe(Arc<Zeroizing<Vec<f32>>>),
}

/// `1 - cosine`, never below zero: the crate asserts it, and rounding breaks it for equal vectors.
struct Angle {
    rows: Arc<Rows>,
    kernel: Kernel,
}

impl Distance<Place> for Angle {
    fn eval(&self, a: &[Place], b: &[Place]) -> f32 {
        let cosine = |a: &[f32], b: &[f32]| self.kernel.dot(a, b);
        let cosine = match (&a[0], &b[0]) {
            (Place::Row(a), Place::Row(b)) => self.rows.both(*a, *b, cosine),
            (Place::Row(row), Place::Probe(probe)) | (Place::Probe(probe), Place::Row(row)) => {
                self.rows.one(*row, |row| cosine(probe, row))
            }
            (Place::Probe(a), Place::Probe(b)) => cosine(a, b),
        };
        (1.0 - cosine).max(0.0)
    }
}
