//! The index without a gallery around it, for `benches/`. No part of the interface: it may change or go in any
//! release.

#[cfg(feature = "hnsw")]
pub mod graph;

use std::num::NonZero;

use crate::error::Result;
use crate::id::TemplateId;
use crate::index::{Index, Memory, Owner, Search};
use crate::vector::simd::Kernel;
use crate::vector::{Embedding, Similarity};

/// An index of vectors that belong to numbered subjects.
#[derive(Debug)]
pub struct Matcher {
    index: Index,
    templates: u128,
}

/// What is asked of a [`Matcher`].
#[derive(Clone, Copy, Debug)]
#[expect(clippy::exhaustive_structs, reason = "made by benches")]
pub struct Asked<'a> {
    /// Subjects at most.
    pub limit: usize,
    /// The least similarity.
    pub at_least: f32,
    /// Only these subjects.
    pub among: Option<&'a [i64]>,
    /// Threads at most, one at least.
    pub threads: usize,
}

impl Matcher {
    /// The instruction sets of this processor, the fastest last.
    #[must_use]
    pub fn kernels() -> Vec<String> {
        Kernel::available().iter().map(ToString::to_string).collect()
    }

    /// An empty index with an instruction set by its place in [`kernels`](Self::kernels), or the fastest.
    #[must_use]
    pub fn new(dimension: usize, kernel: Option<usize>) -> Self {
        let kernel = kernel.and_then(|at| Kernel::available().get(at).copied());
        let index =
            Index::with_kernel(dimension, Memory::Full, kernel.unwrap_or_else(Kernel::best));
        Self { index, templates: 0 }
    }

    /// Adds a vector of `subject`.
    ///
    /// # Errors
    /// For another dimension.
    pub fn insert(&mut self, subject: i64, embedding: &Embedding) -> Result<()> {
        self.templates += 1;
        let template = TemplateId::from_bytes(self.templates.to_be_bytes());
        self.index.insert(Owner { subject, template }, embedding)
    }

    /// The most similar subjects to each probe.
    ///
    /// # Errors
    /// For another dimension.
    pub fn search(
        &self,
        probes: &[&Embedding],
        asked: Asked<'_>,
    ) -> Result<Vec<Vec<(i64, Similarity)>>> {
        let search = Search {
            at_least: asked.at_least,
            among: asked.among,
            threads: NonZero::new(asked.threads).unwrap_or(NonZero::<usize>::MIN),
            ..Search::top(asked.limit)
        };
        let probes: Vec<_> = probes.iter().map(|probe| probe.as_slice()).collect();
        let found = self.index.search(&probes, &search)?;
        let subjects = |best: Vec<(Owner, Similarity)>| {
            best.into_iter().map(|(owner, similarity)| (owner.subject, similarity)).collect()
        };
        Ok(found.into_iter().map(subjects).collect())
    }
}
