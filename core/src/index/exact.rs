//! The scan, tile by tile: four bits of all rows; the `f32` values of those that look best, which make the floor;
//! then of the rows that may still reach it a fifth bit, all eight, and the `f32` values of the few that are left. Where
//! values are not in memory, those few are put down with what codes say of them.

use std::cmp::Ordering;
use std::ops::{Range, RangeInclusive};

use super::best::Best;
use super::chunk::{CHUNK_BLOCKS, CHUNK_ROWS, Chunk};
use super::code::Probe;
use super::memory::Memory;
use super::people::{Members, People};
use crate::vector::Similarity;
use crate::vector::simd::{Found, Kernel, LANES, Reach, Rest, Rows, coarse_lines};

/// Blocks times probes that are scored by four bits before any of them is looked at more closely, so that all profit
/// from the floor that the best of them make.
const TILE: usize = 1024;

/// Blocks times probes that are scored before the floor is looked at again: few of the first, whose rows make the first
/// floor, and more of those behind.
const STEPS: RangeInclusive<usize> = 16..=256;

/// Unit vectors of one dimension in rows `0..rows`.
#[derive(Debug)]
pub(super) struct Vectors {
    dimension: usize,
    kernel: Kernel,
    memory: Memory,
    rows: usize,
    chunks: Vec<Chunk>,
}

impl Vectors {
    pub(super) const fn new(dimension: usize, kernel: Kernel, memory: Memory) -> Self {
        Self { dimension, kernel, memory, rows: 0, chunks: Vec::new() }
    }

    pub(super) const fn kernel(&self) -> Kernel {
        self.kernel
    }

    pub(super) const fn memory(&self) -> Memory {
        self.memory
    }

    pub(super) const fn chunks(&self) -> usize {
        self.chunks.len()
    }

    /// The `f32` values of a row, where they are in memory.
    pub(super) fn row(&self, row: usize) -> &[f32] {
        self.chunks[row / CHUNK_ROWS].values(row % CHUNK_ROWS)
    }

    /// The similarity of a row to `vector`, the one that is reported, where values are in memory.
    pub(super) fn similarity(&self, row: usize, vector: &[f32]) -> Similarity {
        Similarity::with(self.kernel, vector, self.row(row))
    }

    /// The chunk of a block, and the block's number in there.
    fn block(&self, block: usize) -> (&Chunk, usize) {
        (&self.chunks[block / CHUNK_BLOCKS], block % CHUNK_BLOCKS)
    }

    /// Leaves of the `found` rows of blocks of one chunk, from block `at` on, those that may reach `floor` when four, five
    /// and all bits were looked at. `found` comes with its step, as in [`Kernel::reaching`].
    fn look_closer(
        &self,
        at: usize,
        found: (&[Found], usize),
        probe: &Probe,
        floor: f32,
        rest: &mut Rest,
    ) {
        let (kernel, (chunk, first)) = (self.kernel, self.block(at));
        let (high, five) = (&chunk.high[first..], &chunk.five[first..]);
        kernel.reaching(found, first, high, five, &probe.sought(probe.high, floor), rest);
        kernel.closer(chunk.fifth(), &probe.sought(probe.five, floor), rest);
        let whole = chunk.whole.as_flattened();
        for (row, residual) in rest.rows[..rest.count].iter().zip(&mut rest.residuals) {
            *residual = whole[*row as usize];
        }
        kernel.closer(chunk.last(), &probe.sought(probe.whole, floor), rest);
    }

    /// What the rows of a chunk are that are left when all bits were looked at.
    fn left(&self, at: usize, probe: &Probe, rest: &Rest) -> impl Iterator<Item = Left> {
        let (chunk, block) = self.block(at);
        let first = (at - block) * LANES;
        (0..rest.count).map(move |at| {
            let row = rest.rows[at] as usize;
            prefetch_values(chunk.values(row));
            let lengths = (rest.scales[at], rest.residuals[at]);
            Left::new(&probe.whole, rest.sums[at], lengths, first + row)
        })
    }

    pub(super) fn push(&mut self, vector: &[f32]) {
        if self.rows == self.chunks.len() * CHUNK_ROWS {
            self.chunks.push(Chunk::new(self.dimension, self.memory));
        }
        self.chunks[self.rows / CHUNK_ROWS].put(self.rows % CHUNK_ROWS, vector);
        self.rows += 1;
    }

    /// The last row takes the place of `row`, and the last place is wiped.
    pub(super) fn swap_remove(&mut self, row: usize) {
        let last = self.rows - 1;
        if row != last {
            let moved = self.chunks[last / CHUNK_ROWS].copy(last % CHUNK_ROWS);
            self.chunks[row / CHUNK_ROWS].paste(row % CHUNK_ROWS, &moved);
        }
        self.chunks[last / CHUNK_ROWS].pop();
        self.rows = last;
        self.chunks.truncate(last.div_ceil(CHUNK_ROWS));
    }
}

/// Vectors that are looked for in one go.
#[derive(Clone, Copy)]
pub(super) struct Scan<'a> {
    pub(super) vectors: &'a Vectors,
    pub(super) people: &'a People,
    pub(super) wanted: &'a [Wanted<'a>],
    pub(super) members: Option<&'a Members>,
    /// Asked last, for the few that may enter: the vector's place in `wanted`, and the subject.
    pub(super) allowed: &'a (dyn Fn(usize, i64) -> bool + Sync),
}

/// A row that is not excluded, and what it can score.
#[derive(Debug)]
pub(super) struct Left {
    pub(super) most: f32,
    pub(super) least: f32,
    pub(super) row: usize,
}

impl Left {
    fn new(reach: &Reach, sum: i32, (scale, residual): (f32, f32), row: usize) -> Self {
        let most = reach.of(sum, scale, residual);
        Self { most, least: reach.least(sum, scale, residual), row }
    }

    /// What the bits that were looked at stand for.
    fn middle(&self) -> f32 {
        f32::midpoint(self.most, self.least)
    }

    pub(super) fn most_first(&self, other: &Self) -> Ordering {
        other.most.total_cmp(&self.most)
    }
}

/// A vector that is looked for, as it is and in bytes.
pub(super) struct Wanted<'a> {
    pub(super) vector: &'a [f32],
    pub(super) probe: Probe,
}

impl Scan<'_> {
    /// Offers to each `best` every row of the chunks that can enter it, for the vector in the same place.
    pub(super) fn run(&self, chunks: Range<usize>, best: &mut [Best]) {
        let probes = self.wanted.len();
        let first = chunks.start * CHUNK_BLOCKS;
        let end = (chunks.end * CHUNK_BLOCKS).min(self.vectors.rows.div_ceil(LANES));
        let size = match self.vectors.memory {
            Memory::Full => TILE,
            // Only what all bits say makes a floor.
            Memory::Lean => TILE / 16,
        };
        let size = size.div_ceil(probes).min(end - first).max(1);
        let mut found = vec![Found::default(); size * probes];
        let (mut left, mut rest) = (Vec::new(), Rest::default());
        for start in (first..end).step_by(size) {
            let tile = start..end.min(start + size);
            let found = &mut found[..tile.len() * probes];
            let mut at = start;
            while at < tile.end {
                let step =
                    ((at - first) * probes).clamp(*STEPS.start(), *STEPS.end()).div_ceil(probes);
                let step = within_chunk(at, tile.end.min(at + step));
                let found = &mut found[(at - start) * probes..(step.end - start) * probes];
                self.score(&step, best, found);
                if self.vectors.memory == Memory::Full {
                    self.offer_likely(&step, best, found, &mut left);
                }
                at = step.end;
            }
            self.offer_found(&tile, best, found, &mut rest, &mut left);
        }
    }

    /// The coarse pass over blocks of one chunk.
    fn score(&self, blocks: &Range<usize>, best: &[Best], found: &mut [Found]) {
        let Vectors { dimension, kernel, .. } = *self.vectors;
        let (chunk, first) = self.vectors.block(blocks.start);
        let (lines, in_chunk) = (coarse_lines(dimension), first..first + blocks.len());
        let probes: Vec<_> = std::iter::zip(self.wanted, best)
            .map(|(wanted, best)| wanted.probe.sought(wanted.probe.high, best.floor()))
            .collect();
        let codes = &chunk.coarse()[in_chunk.start * lines..in_chunk.end * lines];
        kernel.coarse(codes, lines, &chunk.high[in_chunk], &probes, found);
        self.strike_out(blocks, found);
    }

    /// Strikes out the rows that are not there, and those that may not be asked for.
    fn strike_out(&self, blocks: &Range<usize>, found: &mut [Found]) {
        let probes = self.wanted.len();
        // Of the last block not all rows are there.
        let there = self.vectors.rows - (blocks.end - 1) * LANES;
        if there < LANES {
            let last = &mut found[(blocks.len() - 1) * probes..];
            last.iter_mut().for_each(|found| found.rows &= u16::MAX >> (LANES - there));
        }
        let Some(members) = self.members else { return };
        for (block, found) in blocks.clone().zip(found.chunks_exact_mut(probes)) {
            for found in found {
                let is_member = |lane: &usize| self.people.is_member(block * LANES + lane, members);
                found.rows = found.lanes().filter(is_member).fold(0, |rows, lane| rows | 1 << lane);
            }
        }
    }

    /// Offers the rows that look similar enough with four bits: the floor they make spares most others. They are not
    /// among the `found` any more.
    fn offer_likely(
        &self,
        blocks: &Range<usize>,
        best: &mut [Best],
        found: &mut [Found],
        left: &mut Vec<Left>,
    ) {
        let probes = self.wanted.len();
        for (number, best) in best.iter_mut().enumerate() {
            let Wanted { probe, .. } = &self.wanted[number];
            let of_probe = found[number..].iter().step_by(probes);
            for (at, found) in blocks.clone().zip(of_probe).filter(|it| it.1.likely != 0) {
                let (chunk, block) = self.vectors.block(at);
                let Rows { scales, residuals } = &chunk.high[block];
                let likely = Found { rows: found.rows & found.likely, ..*found };
                left.extend(likely.lanes().map(|lane| {
                    let lengths = (scales[lane], residuals[lane]);
                    Left::new(&probe.high, found.sums[lane], lengths, at * LANES + lane)
                }));
            }
            if best.lacks() > 0 && left.len() > best.lacks() {
                left.select_nth_unstable_by(best.lacks(), Left::most_first);
                left.truncate(best.lacks());
            }
            left.sort_unstable_by(Left::most_first);
            for left in left.iter().take(16) {
                prefetch_values(self.vectors.row(left.row));
            }
            for left in left.drain(..) {
                // Not likely any more since those before it were offered.
                if left.middle() >= best.floor() {
                    found[(left.row / LANES - blocks.start) * probes + number].rows &=
                        !(1 << (left.row % LANES));
                    self.offer_row(number, best, left);
                }
            }
        }
    }

    /// Looks closer at the rows that were `found`, and offers those that are left.
    fn offer_found(
        &self,
        tile: &Range<usize>,
        best: &mut [Best],
        found: &[Found],
        rest: &mut Rest,
        left: &mut Vec<Left>,
    ) {
        let probes = self.wanted.len();
        for (number, best) in best.iter_mut().enumerate() {
            let Wanted { probe, .. } = &self.wanted[number];
            let mut at = tile.start;
            while at < tile.end {
                let blocks = within_chunk(at, tile.end);
                let [start, end] = [blocks.start, blocks.end].map(|it| (it - tile.start) * probes);
                let of_probe = (&found[start + number..end], probes);
                self.vectors.look_closer(at, of_probe, probe, best.floor(), rest);
                left.extend(self.vectors.left(at, probe, rest));
                at = blocks.end;
            }
            self.offer(number, best, left);
        }
    }

    /// Offers what is `left`, those that may be most similar first: the floor they raise spares others. Nothing is left
    /// then.
    fn offer(&self, number: usize, best: &mut Best, left: &mut Vec<Left>) {
        left.sort_unstable_by(Left::most_first);
        for left in left.drain(..) {
            if left.most >= best.floor() {
                self.offer_row(number, best, left);
            }
        }
    }

    /// Offers a row, if its subject is allowed.
    fn offer_row(&self, number: usize, best: &mut Best, left: Left) {
        let owner = self.people.owner(left.row);
        if !(self.allowed)(number, owner.subject) {
            return;
        }
        match self.vectors.memory {
            Memory::Full => {
                let wanted = &self.wanted[number];
                best.offer(owner, self.vectors.similarity(left.row, wanted.vector));
            }
            Memory::Lean => best.put_down(owner, left),
        }
    }
}

/// The blocks from `at` on, as far as its chunk goes.
fn within_chunk(at: usize, end: usize) -> Range<usize> {
    at..end.min((at / CHUNK_BLOCKS + 1) * CHUNK_BLOCKS)
}

/// Asks for the first of a row's values. By these the processor sees what comes next.
fn prefetch_values(values: &[f32]) {
    Kernel::prefetch(&values[..values.len().min(128)]);
}

#[cfg(test)]
impl Vectors {
    /// Bytes of all chunks.
    pub(super) fn bytes(&self) -> usize {
        self.chunks.iter().map(Chunk::bytes).sum()
    }

    /// Whether nothing is left of rows that were behind the first `rows`.
    pub(super) fn is_wiped_behind(&self, rows: usize) -> bool {
        self.chunks.len() == rows.div_ceil(CHUNK_ROWS)
            && self.chunks.last().is_some_and(|last| last.is_wiped_behind(rows % CHUNK_ROWS))
    }

    /// The most that a row of the first block can score by four bits and by eight, if it is not excluded for
    /// scoring less than `floor` on the way.
    pub(super) fn most(&self, row: usize, vector: &[f32], floor: f32) -> Option<(f32, Left)> {
        let probe = Probe::new(vector);
        let chunk = &self.chunks[0];
        let mut found = [Found::default()];
        let lines = coarse_lines(self.dimension);
        let (block, rows) = (&chunk.coarse()[..lines], &chunk.high[..1]);
        self.kernel.coarse(block, lines, rows, &[probe.sought(probe.high, floor)], &mut found);
        let Rows { scales, residuals } = &rows[0];
        let high = probe.high.of(found[0].sums[row], scales[row], residuals[row]);
        let mut rest = Rest::default();
        self.look_closer(0, (&found, 1), &probe, floor, &mut rest);
        let left = self.left(0, &probe, &rest).find(|it| it.row == row)?;
        Some((high, left))
    }
}
