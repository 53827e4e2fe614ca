//! The graph alone, without audit and planner.

use std::sync::atomic::AtomicBool;

use crate::index::hnsw::graph;
use crate::index::hnsw::rows::Rows;
use crate::index::planner::Shape;
use crate::vector::{Embedding, Similarity};

/// A graph of vectors, numbered in their order.
#[derive(Debug)]
pub struct Graph(graph::Graph);

impl Graph {
    /// None when `hnsw_rs` panicked.
    #[must_use]
    pub fn build(
        vectors: &[Embedding],
        links: usize,
        candidates: usize,
        threads: usize,
    ) -> Option<Self> {
        let mut rows = Rows::new(vectors.first()?.dimension());
        vectors.iter().for_each(|vector| rows.push(vector.as_slice()));
        let never = AtomicBool::new(false);
        graph::Graph::build(rows, Shape { links, candidates }, threads, &never).map(Self)
    }

    /// The `breadth` (ef) nearest rows found, nearest first.
    #[must_use]
    pub fn nearest(&self, probe: &Embedding, breadth: usize) -> Option<Vec<usize>> {
        self.0.nearest(probe.as_slice(), breadth)
    }
}

/// How a row that came after its graph is looked at.
#[must_use]
pub fn similarity(probe: &Embedding, row: &Embedding) -> Similarity {
    Similarity::between(probe.as_slice(), row.as_slice())
}
