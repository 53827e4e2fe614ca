//! The vectors a graph is made of, by the graph's own row numbers.

use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use zeroize::Zeroize;

/// Rows under one lock. Searches only read, so the locks are there for the compiler: writers come when no
/// search runs.
const BLOCK: usize = 64;

/// Unit vectors of one dimension, and zeros where one was wiped.
#[derive(Debug)]
pub(crate) struct Rows {
    dimension: usize,
    rows: usize,
    blocks: Vec<RwLock<Block>>,
    /// Whether a look at a row panics, as the graph's crate may.
    #[cfg(test)]
    pub(super) broken: std::sync::atomic::AtomicBool,
}

/// Never grown: a vector that moves leaves a copy behind.
struct Block(Vec<f32>);

impl Rows {
    pub(crate) const fn new(dimension: usize) -> Self {
        Self {
            dimension,
            rows: 0,
            blocks: Vec::new(),
            #[cfg(test)]
            broken: std::sync::atomic::AtomicBool::new(false),
        }
    }

    pub(crate) const fn len(&self) -> usize {
        self.rows
    }

    pub(crate) fn push(&mut self, vector: &[f32]) {
        if self.rows == self.blocks.len() * BLOCK {
            self.blocks.push(RwLock::new(Block(vec![0.0; BLOCK * self.dimension])));
        }
        self.put(self.rows, vector);
        self.rows += 1;
    }

    pub(crate) fn put(&self, row: usize, vector: &[f32]) {
        self.write(row).0[self.place(row)].copy_from_slice(vector);
    }

    /// A wiped row is as far from everything as strangers are.
    pub(crate) fn wipe(&self, row: usize) {
        self.write(row).0[self.place(row)].zeroize();
    }

    pub(super) fn one<T>(&self, row: usize, work: impl FnOnce(&[f32]) -> T) -> T {
        work(&self.read(row).0[self.place(row)])
    }

    pub(super) fn both<T>(&self, a: usize, b: usize, work: impl FnOnce(&[f32], &[f32]) -> T) -> T {
        let first = self.read(a);
        if a / BLOCK == b / BLOCK {
            return work(&first.0[self.place(a)], &first.0[self.place(b)]);
        }
        work(&first.0[self.place(a)], &self.read(b).0[self.place(b)])
    }

    fn place(&self, row: usize) -> std::ops::Range<usize> {
        let start = row % BLOCK * self.dimension;
        start..start + self.dimension
    }

    fn read(&self, row: usize) -> RwLockReadGuard<'_, Block> {
        #[cfg(test)]
        assert!(!self.broken.load(std::sync::atomic::Ordering::Relaxed), "broken by a test");
        self.blocks[row / BLOCK].read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self, row: usize) -> RwLockWriteGuard<'_, Block> {
        self.blocks[row / BLOCK].write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Block {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl std::fmt::Debug for Block {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Block({} values)", self.0.len())
    }
}
