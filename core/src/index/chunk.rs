//! Rows in one allocation: codes, what they leave out, and the `f32` values. Wiped when dropped.

use std::fmt;

use zeroize::Zeroize;

use super::code::{Missing, encode};
use crate::vector::simd::{LANES, Line, Rows, coarse_lines, fine_lines};

/// Rows of a chunk. Chunks are never grown: a vector that moves leaves a copy behind. Memory that was not
/// written to yet is only promised, so a chunk costs a small gallery little.
pub(super) const CHUNK_ROWS: usize = 1024;

/// Rows `0..rows` of [`CHUNK_ROWS`].
pub(super) struct Chunk {
    pub(super) rows: usize,
    /// What codes leave out, of each block of [`LANES`] rows: the high nibbles, and the whole.
    pub(super) high: Vec<Rows>,
    pub(super) whole: Vec<Rows>,
    dimension: usize,
    coarse: Lines,
    fine: Lines,
    values: Vec<f32>,
}

impl Chunk {
    pub(super) fn new(dimension: usize) -> Self {
        Self {
            rows: 0,
            high: vec![Rows::default(); CHUNK_ROWS / LANES],
            whole: vec![Rows::default(); CHUNK_ROWS / LANES],
            dimension,
            coarse: Lines::new(CHUNK_ROWS / LANES * coarse_lines(dimension)),
            fine: Lines::new(CHUNK_ROWS * fine_lines(dimension)),
            values: vec![0.0; CHUNK_ROWS * dimension],
        }
    }

    /// High nibbles, block by block.
    pub(super) fn coarse(&self) -> &[Line] {
        self.coarse.as_slice()
    }

    /// Low nibbles of a block, row by row.
    pub(super) fn fine(&self, block: usize) -> &[Line] {
        let lines = LANES * fine_lines(self.dimension);
        &self.fine.as_slice()[block * lines..(block + 1) * lines]
    }

    /// The `f32` values of a row.
    pub(super) fn values(&self, row: usize) -> &[f32] {
        &self.values[row * self.dimension..(row + 1) * self.dimension]
    }

    /// Writes `vector` over a row, or behind the last one.
    pub(super) fn put(&mut self, row: usize, vector: &[f32]) {
        self.rows = self.rows.max(row + 1);
        self.values[row * self.dimension..(row + 1) * self.dimension].copy_from_slice(vector);
        let (block, lines) = (coarse_lines(self.dimension), fine_lines(self.dimension));
        let block = &mut self.coarse.as_mut_slice()[row / LANES * block..][..block];
        let low = &mut self.fine.as_mut_slice()[row * lines..][..lines];
        let Missing { scale, coarse, fine } = encode(vector, block, row % LANES, low);
        for (rows, residual) in [(&mut self.high, coarse), (&mut self.whole, fine)] {
            rows[row / LANES].scales[row % LANES] = scale;
            rows[row / LANES].residuals[row % LANES] = residual;
        }
    }

    /// Wipes the last row.
    pub(super) fn pop(&mut self) {
        self.rows -= 1;
        let (row, lines) = (self.rows, fine_lines(self.dimension));
        let block = coarse_lines(self.dimension);
        for line in &mut self.coarse.as_mut_slice()[row / LANES * block..][..block] {
            line[4 * (row % LANES)..][..4].zeroize();
        }
        self.fine.as_mut_slice()[row * lines..][..lines].as_flattened_mut().zeroize();
        self.values[row * self.dimension..][..self.dimension].zeroize();
        for rows in [&mut self.high, &mut self.whole] {
            rows[row / LANES].scales[row % LANES].zeroize();
            rows[row / LANES].residuals[row % LANES].zeroize();
        }
    }
}

/// Rows past the last one hold nothing: they were wiped, or never written.
impl Drop for Chunk {
    fn drop(&mut self) {
        let blocks = self.rows.div_ceil(LANES);
        self.coarse.as_mut_slice()[..blocks * coarse_lines(self.dimension)]
            .as_flattened_mut()
            .zeroize();
        self.fine.as_mut_slice()[..self.rows * fine_lines(self.dimension)]
            .as_flattened_mut()
            .zeroize();
        self.values[..self.rows * self.dimension].zeroize();
        for rows in self.high.iter_mut().chain(&mut self.whole) {
            rows.scales.zeroize();
            rows.residuals.zeroize();
        }
    }
}

impl fmt::Debug for Chunk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Chunk({} rows)", self.rows)
    }
}

/// Zeros at first, each line on a cache line of its own.
struct Lines {
    bytes: Vec<u8>,
    start: usize,
}

impl Lines {
    fn new(lines: usize) -> Self {
        let bytes = vec![0; (lines + 1) * size_of::<Line>()];
        let start = bytes.as_ptr().align_offset(size_of::<Line>()).min(size_of::<Line>());
        Self { bytes, start }
    }

    fn as_slice(&self) -> &[Line] {
        self.bytes[self.start..].as_chunks().0
    }

    fn as_mut_slice(&mut self) -> &mut [Line] {
        self.bytes[self.start..].as_chunks_mut().0
    }
}

#[cfg(test)]
impl Chunk {
    pub(super) fn is_wiped_behind(&self, row: usize) -> bool {
        let zero = |values: &[f32]| values.iter().all(|it| it.to_bits() == 0);
        let lanes = |row: usize| {
            let column = |line: &Line| line[4 * (row % LANES)..][..4] == [0; 4];
            let lines = coarse_lines(self.dimension);
            self.coarse()[row / LANES * lines..][..lines].iter().all(column)
        };
        (row..CHUNK_ROWS).all(|row| {
            let (block, lane) = (row / LANES, row % LANES);
            let lines = fine_lines(self.dimension);
            let low = &self.fine(block)[lane * lines..][..lines];
            let missing = [&self.high[block], &self.whole[block]];
            low.as_flattened().iter().all(|it| *it == 0)
                && lanes(row)
                && zero(self.values(row))
                && missing.iter().all(|it| it.scales[lane] == 0.0 && it.residuals[lane] == 0.0)
        })
    }
}
