//! Rows in one allocation: codes, what they leave out, and the `f32` values, if they are held. Wiped when dropped.

use std::fmt;

use zeroize::Zeroize;

use super::code::{LAST, Missing, Place, encode};
use super::memory::Memory;
use crate::vector::simd::{LANES, Line, Planes, Rows, coarse_lines, plane_bytes};

/// Rows of a chunk. Chunks are never grown: a vector that moves leaves a copy behind. Memory that was not
/// written to yet is only promised, so a chunk costs a small gallery little.
pub(super) const CHUNK_ROWS: usize = 1024;

/// Blocks of a chunk.
pub(super) const CHUNK_BLOCKS: usize = CHUNK_ROWS / LANES;

/// Rows `0..rows` of [`CHUNK_ROWS`].
pub(super) struct Chunk {
    pub(super) rows: usize,
    /// Of each block of [`LANES`] rows the scales, and what codes leave out: with four bits of each, with five, and with
    /// all eight.
    pub(super) high: Vec<Rows>,
    pub(super) five: Vec<[f32; LANES]>,
    pub(super) whole: Vec<[f32; LANES]>,
    dimension: usize,
    coarse: Lines,
    fifth: Lines,
    last: Lines,
    values: Vec<f32>,
    /// Values of a row in `values`: all or none.
    held: usize,
}

/// A row on its way to another place, bit by bit; wiped when dropped.
#[cfg_attr(test, derive(PartialEq))]
pub(super) struct Moved {
    columns: Vec<[u8; 4]>,
    fifth: Vec<u8>,
    last: Vec<u8>,
    missing: Missing<f32>,
    values: Vec<f32>,
}

impl Chunk {
    pub(super) fn new(dimension: usize, memory: Memory) -> Self {
        let held = memory.values(dimension);
        Self {
            rows: 0,
            high: vec![Rows::default(); CHUNK_ROWS / LANES],
            five: vec![[0.0; LANES]; CHUNK_ROWS / LANES],
            whole: vec![[0.0; LANES]; CHUNK_ROWS / LANES],
            dimension,
            coarse: Lines::new(CHUNK_ROWS / LANES * coarse_lines(dimension)),
            fifth: Lines::new(CHUNK_ROWS * plane_bytes(dimension) / size_of::<Line>()),
            last: Lines::new(CHUNK_ROWS * LAST * plane_bytes(dimension) / size_of::<Line>()),
            values: vec![0.0; CHUNK_ROWS * held],
            held,
        }
    }

    /// High nibbles, block by block.
    pub(super) fn coarse(&self) -> &[Line] {
        self.coarse.as_slice()
    }

    /// The fifth bits.
    pub(super) fn fifth(&self) -> Planes<'_> {
        Planes { bits: self.fifth.as_slice().as_flattened(), count: 1 }
    }

    /// The last three bits.
    pub(super) fn last(&self) -> Planes<'_> {
        Planes { bits: self.last.as_slice().as_flattened(), count: LAST }
    }

    /// Where the codes of a row lie.
    fn place(&mut self, row: usize) -> Place<'_> {
        let (block, bytes) = (row / LANES, plane_bytes(self.dimension));
        let high = coarse_lines(self.dimension);
        Place {
            lane: row % LANES,
            high: &mut self.coarse.as_mut_slice()[block * high..][..high],
            fifth: &mut self.fifth.as_mut_slice().as_flattened_mut()[row * bytes..][..bytes],
            last: &mut self.last.as_mut_slice().as_flattened_mut()[row * LAST * bytes..]
                [..LAST * bytes],
        }
    }

    /// The `f32` values of a row; none where they are not held.
    pub(super) fn values(&self, row: usize) -> &[f32] {
        &self.values[row * self.held..(row + 1) * self.held]
    }

    /// Writes `vector` over a row, or behind the last one.
    pub(super) fn put(&mut self, row: usize, vector: &[f32]) {
        self.rows = self.rows.max(row + 1);
        self.values[row * self.held..(row + 1) * self.held].copy_from_slice(&vector[..self.held]);
        let missing = encode(vector, self.place(row));
        self.set_missing(row, missing);
    }

    /// A copy of a row.
    pub(super) fn copy(&mut self, row: usize) -> Moved {
        let missing = self.missing(row).map(|it| *it);
        let values = self.values(row).to_vec();
        let place = self.place(row);
        let columns = place.columns().collect();
        Moved { columns, fifth: place.fifth.to_vec(), last: place.last.to_vec(), missing, values }
    }

    /// Writes a copy over a row.
    pub(super) fn paste(&mut self, row: usize, moved: &Moved) {
        let mut place = self.place(row);
        place.set_columns(&moved.columns);
        place.fifth.copy_from_slice(&moved.fifth);
        place.last.copy_from_slice(&moved.last);
        self.values[row * self.held..][..self.held].copy_from_slice(&moved.values);
        self.set_missing(row, moved.missing);
    }

    /// Wipes the last row.
    pub(super) fn pop(&mut self) {
        self.rows -= 1;
        let row = self.rows;
        self.place(row).wipe();
        self.values[row * self.held..][..self.held].zeroize();
        self.missing(row).into_iter().for_each(f32::zeroize);
    }

    /// Where a row's [`Missing`] lies.
    fn missing(&mut self, row: usize) -> Missing<&mut f32> {
        let (block, lane) = (row / LANES, row % LANES);
        let Rows { scales, residuals } = &mut self.high[block];
        let (five, whole) = (&mut self.five[block], &mut self.whole[block]);
        [&mut scales[lane], &mut residuals[lane], &mut five[lane], &mut whole[lane]]
    }

    fn set_missing(&mut self, row: usize, missing: Missing<f32>) {
        for (place, value) in self.missing(row).into_iter().zip(missing) {
            *place = value;
        }
    }
}

impl Drop for Moved {
    fn drop(&mut self) {
        self.columns.as_flattened_mut().zeroize();
        self.fifth.zeroize();
        self.last.zeroize();
        self.missing.zeroize();
        self.values.zeroize();
    }
}

/// Rows past the last one hold nothing: they were wiped, or never written.
impl Drop for Chunk {
    fn drop(&mut self) {
        let blocks = self.rows.div_ceil(LANES);
        self.coarse.as_mut_slice()[..blocks * coarse_lines(self.dimension)]
            .as_flattened_mut()
            .zeroize();
        let bytes = self.rows * plane_bytes(self.dimension);
        self.fifth.as_mut_slice().as_flattened_mut()[..bytes].zeroize();
        self.last.as_mut_slice().as_flattened_mut()[..LAST * bytes].zeroize();
        self.values[..self.rows * self.held].zeroize();
        for row in 0..self.rows {
            self.missing(row).into_iter().for_each(f32::zeroize);
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
    /// Bytes of its allocations.
    pub(super) fn bytes(&self) -> usize {
        let lines = [&self.coarse, &self.fifth, &self.last].map(|it| it.bytes.capacity());
        lines.iter().sum::<usize>()
            + self.high.capacity() * size_of::<Rows>()
            + (self.five.capacity() + self.whole.capacity()) * size_of::<[f32; LANES]>()
            + self.values.capacity() * size_of::<f32>()
    }

    pub(super) fn is_wiped_behind(&self, row: usize) -> bool {
        let zero = |values: &[f32]| values.iter().all(|it| it.to_bits() == 0);
        (row..CHUNK_ROWS).all(|row| {
            let (block, lane) = (row / LANES, row % LANES);
            let column = |line: &Line| line[4 * lane..][..4] == [0; 4];
            let lines = coarse_lines(self.dimension);
            let mut high = self.coarse()[block * lines..][..lines].iter();
            let codes = 8 * plane_bytes(self.dimension);
            let mut planes =
                [self.fifth(), self.last()].into_iter().flat_map(|it| it.of(row, codes));
            let Rows { scales, residuals } = &self.high[block];
            let missing = [scales, residuals, &self.five[block], &self.whole[block]];
            high.all(column)
                && planes.all(|it| *it == 0)
                && zero(self.values(row))
                && missing.iter().all(|it| it[lane] == 0.0)
        })
    }
}
