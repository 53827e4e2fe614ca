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
#[cfg(test)]
use crate::vector::simd::Rows;
use crate::vector::simd::{Found, Kernel, LANES, Lengths, Reach, coarse_lines};

/// Blocks times probes that are scored by four bits before any of them is looked at more closely, so that all profit
/// from the floor that the best of them make.
const TILE: usize = 1024;

/// Blocks times probes that are scored before the floor is looked at again: few of the first, whose rows make the first
/// floor, and more of those behind.
const STEPS: RangeInclusive<usize> = 16..=64;

/// Blocks that are asked for ahead of their turn.
const AHEAD: usize = 10;

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
    /// The `found` rows of a block, whose first is `first`.
    fn of<'a>(
        found: &'a Found,
        reach: &'a Reach,
        (scales, residuals): Lengths<'a>,
        first: usize,
    ) -> impl Iterator<Item = Self> + 'a {
        found.lanes().map(move |lane| Self {
            most: reach.of(found.sums[lane], scales[lane], residuals[lane]),
            least: reach.least(found.sums[lane], scales[lane], residuals[lane]),
            row: first + lane,
        })
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
            Memory::Lean => *STEPS.end(),
        };
        let size = size.div_ceil(probes).min(end - first).max(1);
        let mut found = vec![Found::default(); size * probes];
        let mut left = Vec::new();
        for start in (first..end).step_by(size) {
            let tile = start..end.min(start + size);
            let found = &mut found[..tile.len() * probes];
            let before: Vec<_> = best.iter().map(Best::floor).collect();
            let mut at = start;
            while at < tile.end {
                let step =
                    ((at - first) * probes).clamp(*STEPS.start(), *STEPS.end()).div_ceil(probes);
                let next_chunk = (at / CHUNK_BLOCKS + 1) * CHUNK_BLOCKS;
                let step = at..(at + step).min(tile.end).min(next_chunk);
                let found = &mut found[(at - start) * probes..(step.end - start) * probes];
                self.score(&step, best, found);
                if self.vectors.memory == Memory::Full {
                    self.offer_likely(&step, best, found, &mut left);
                }
                at = step.end;
            }
            self.exclude(&tile, found, &before, best);
            self.look_closer(&tile, found, best);
            self.offer_found(&tile, best, found, &mut left);
        }
    }

    /// The coarse pass over blocks of one chunk.
    fn score(&self, blocks: &Range<usize>, best: &[Best], found: &mut [Found]) {
        let Vectors { dimension, kernel, .. } = *self.vectors;
        let (chunk, first) = self.vectors.block(blocks.start);
        let (lines, blocks) = (coarse_lines(dimension), first..first + blocks.len());
        let probes: Vec<_> = std::iter::zip(self.wanted, best)
            .map(|(wanted, best)| wanted.probe.sought(wanted.probe.high, best.floor()))
            .collect();
        let codes = &chunk.coarse()[blocks.start * lines..blocks.end * lines];
        kernel.coarse(codes, lines, &chunk.high[blocks], &probes, found);
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
                let likely = Found { rows: self.open(at * LANES, found.likely), ..*found };
                let (chunk, block) = self.vectors.block(at);
                let [lengths, ..] = chunk.lengths(block);
                left.extend(Left::of(&likely, &probe.high, lengths, at * LANES));
            }
            if best.lacks() > 0 && left.len() > best.lacks() {
                left.select_nth_unstable_by(best.lacks(), Left::most_first);
                left.truncate(best.lacks());
            }
            for Left { row, .. } in &*left {
                found[(row / LANES - blocks.start) * probes + number].rows &= !(1 << (row % LANES));
                prefetch_values(self.vectors.row(*row));
            }
            self.offer(number, best, left);
        }
    }

    /// Strikes out the rows that reached the floors of `before` and do not reach those of today, and those that may not
    /// be asked for.
    fn exclude(&self, blocks: &Range<usize>, found: &mut [Found], before: &[f32], best: &[Best]) {
        let (kernel, probes) = (self.vectors.kernel, self.wanted.len());
        for (number, best) in best.iter().enumerate() {
            let Wanted { probe, .. } = &self.wanted[number];
            let sought = probe.sought(probe.high, best.floor());
            let of_probe = found[number..].iter_mut().step_by(probes);
            for (at, found) in blocks.clone().zip(of_probe).filter(|it| it.1.rows != 0) {
                if before[number] < sought.floor {
                    let (chunk, block) = self.vectors.block(at);
                    let [lengths, ..] = chunk.lengths(block);
                    found.rows &= kernel.reaching(&found.sums, lengths, &sought);
                }
                found.rows = self.open(at * LANES, found.rows);
            }
        }
    }

    /// Looks at the fifth bit of the rows that were `found`.
    fn look_closer(&self, blocks: &Range<usize>, found: &mut [Found], best: &[Best]) {
        let (kernel, probes) = (self.vectors.kernel, self.wanted.len());
        let prefetch_fifth = |at: usize, found: &[Found]| {
            let (chunk, block) = self.vectors.block(at);
            prefetch(chunk.fifth(block), found.iter().fold(0, |rows, found| rows | found.rows));
        };
        for (at, found) in blocks.clone().zip(found.chunks_exact(probes)).take(AHEAD) {
            prefetch_fifth(at, found);
        }
        for at in blocks.clone() {
            let (found, behind) = found[(at - blocks.start) * probes..].split_at_mut(probes);
            if let Some(ahead) = behind.chunks_exact(probes).nth(AHEAD - 1) {
                prefetch_fifth(at + AHEAD, ahead);
            }
            let (chunk, block) = self.vectors.block(at);
            let wanted = self.wanted.iter().zip(best);
            for (found, (Wanted { probe, .. }, best)) in found.iter_mut().zip(wanted) {
                if found.rows != 0 {
                    let [_, lengths, _] = chunk.lengths(block);
                    let sought = probe.sought(probe.five, best.floor());
                    kernel.closer(chunk.fifth(block), lengths, &sought, found);
                    prefetch(chunk.last(block), found.rows);
                }
            }
        }
    }

    /// Looks at all bits of the rows that were `found`, and offers those that are left.
    fn offer_found(
        &self,
        blocks: &Range<usize>,
        best: &mut [Best],
        found: &mut [Found],
        left: &mut Vec<Left>,
    ) {
        let (kernel, probes) = (self.vectors.kernel, self.wanted.len());
        for (number, best) in best.iter_mut().enumerate() {
            let Wanted { probe, .. } = &self.wanted[number];
            let of_probe = found[number..].iter_mut().step_by(probes);
            for (at, found) in blocks.clone().zip(of_probe).filter(|it| it.1.rows != 0) {
                let (chunk, block) = self.vectors.block(at);
                let [.., lengths] = chunk.lengths(block);
                let sought = probe.sought(probe.whole, best.floor());
                kernel.closer(chunk.last(block), lengths, &sought, found);
                found.lanes().for_each(|lane| prefetch_values(chunk.values(block * LANES + lane)));
                left.extend(Left::of(found, &probe.whole, lengths, at * LANES));
            }
            self.offer(number, best, left);
        }
    }

    /// Offers what is `left`, those that may be most similar first: the floor they raise spares others. Nothing is left
    /// then.
    fn offer(&self, number: usize, best: &mut Best, left: &mut Vec<Left>) {
        left.sort_unstable_by(Left::most_first);
        for left in left.drain(..) {
            if left.most < best.floor() {
                continue;
            }
            let owner = self.people.owner(left.row);
            if !(self.allowed)(number, owner.subject) {
                continue;
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

    /// Those of `rows` of a block, whose first is `first`, that are there and may be asked for.
    fn open(&self, first: usize, rows: u16) -> u16 {
        // Of the last block not all rows are there.
        let there = rows & u16::MAX >> (LANES - (self.vectors.rows - first).min(LANES));
        let Some(members) = self.members else { return there };
        let lanes = Found { rows: there, ..Found::default() }.lanes();
        lanes
            .filter(|lane| self.people.is_member(first + lane, members))
            .fold(0, |rows, lane| rows | 1 << lane)
    }
}

/// Asks for the planes of some rows of a block.
fn prefetch(planes: &[u8], rows: u16) {
    let bytes = planes.len() / LANES;
    for lane in (Found { rows, ..Found::default() }).lanes() {
        Kernel::prefetch(&planes[lane * bytes..(lane + 1) * bytes]);
    }
}

/// Asks for the first of a row's values. By these the processor sees what comes next.
fn prefetch_values(values: &[f32]) {
    Kernel::prefetch(&values[..values.len().min(64)]);
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
        let [mut found] = found;
        let Rows { scales, residuals } = &rows[0];
        let high = probe.high.of(found.sums[row], scales[row], residuals[row]);
        let five = probe.sought(probe.five, floor);
        self.kernel.closer(chunk.fifth(0), (scales, &chunk.five[0]), &five, &mut found);
        let whole = probe.sought(probe.whole, floor);
        self.kernel.closer(chunk.last(0), (scales, &chunk.whole[0]), &whole, &mut found);
        let kept = found.rows >> row & 1 == 1;
        let lengths = (scales, &chunk.whole[0]);
        let mut left = Left::of(&found, &probe.whole, lengths, 0);
        kept.then(|| Some((high, left.find(|it| it.row == row)?))).flatten()
    }
}
