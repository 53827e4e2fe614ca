//! The scan: four bits of all rows, a fifth where that may matter, all eight and then the `f32` values of the few
//! that are left. Where values are not in memory, those few are put down with what codes say of them.

use std::cmp::Ordering;
use std::ops::Range;

use super::best::Best;
use super::chunk::{CHUNK_ROWS, Chunk};
use super::code::Probe;
use super::memory::Memory;
use super::people::{Members, People};
use crate::vector::Similarity;
#[cfg(test)]
use crate::vector::simd::Rows;
use crate::vector::simd::{Found, Kernel, LANES, Lengths, Reach, coarse_lines};

/// Blocks times probes that are scored before the floor is looked at again.
const TILE: usize = 64;

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

/// Blocks of a chunk that are scored in one go.
struct Tile {
    chunk: usize,
    blocks: Range<usize>,
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
        let size = TILE.div_ceil(self.wanted.len());
        let tiles = chunks.flat_map(|chunk| {
            let blocks = self.vectors.chunks[chunk].rows.div_ceil(LANES);
            let starts = (0..blocks).step_by(size);
            starts.map(move |start| Tile { chunk, blocks: start..blocks.min(start + size) })
        });
        // A tile is scored while the rows that were found in the one before it are on their way from memory.
        let mut before: Option<(Tile, Vec<Found>)> = None;
        let mut found = vec![Found::default(); size * self.wanted.len()];
        let mut left = Vec::new();
        for tile in tiles {
            self.score(&tile, best, &mut found);
            let spare = match before.take() {
                Some((before, mut found)) => {
                    self.refine(&before, &mut found, best, &mut left);
                    found
                }
                None => found.clone(),
            };
            before = Some((tile, std::mem::replace(&mut found, spare)));
        }
        if let Some((tile, mut found)) = before {
            self.refine(&tile, &mut found, best, &mut left);
        }
    }

    /// The coarse pass over a tile, with what is needed next asked for.
    fn score(&self, tile: &Tile, best: &[Best], found: &mut [Found]) {
        let Vectors { dimension, kernel, ref chunks, .. } = *self.vectors;
        let (chunk, lines) = (&chunks[tile.chunk], coarse_lines(dimension));
        let probes: Vec<_> = std::iter::zip(self.wanted, best)
            .map(|(wanted, best)| wanted.probe.sought(wanted.probe.high, best.floor()))
            .collect();
        let codes = &chunk.coarse()[tile.blocks.start * lines..tile.blocks.end * lines];
        let found = &mut found[..tile.blocks.len() * probes.len()];
        kernel.coarse(codes, lines, &chunk.high[tile.blocks.clone()], &probes, found);
        for (block, found) in tile.blocks.clone().zip(found.chunks_exact(probes.len())) {
            if found.iter().any(|found| found.rows != 0) {
                Kernel::prefetch(chunk.fifth(block));
            }
        }
    }

    /// Looks closer at the rows that the coarse pass `found`; leaves `left` as empty as it was.
    fn refine(&self, tile: &Tile, found: &mut [Found], best: &mut [Best], left: &mut Vec<Left>) {
        let (chunk, probes) = (&self.vectors.chunks[tile.chunk], self.wanted.len());
        let first = |block: usize| tile.chunk * CHUNK_ROWS + block * LANES;
        for (block, found) in tile.blocks.clone().zip(found.chunks_exact_mut(probes)) {
            for found in found.iter_mut().filter(|found| found.rows != 0) {
                found.rows &= self.open(first(block), found);
            }
        }
        let is_early = |best: &Best| best.lacks() > 0 && self.vectors.memory == Memory::Full;
        for (number, best) in best.iter_mut().enumerate().filter(|(_, best)| is_early(best)) {
            // A floor from the rows that look most similar with four bits spares most others.
            let (reach, rows) = (self.wanted[number].probe.high, &chunk.high);
            let found = found[number..].iter().step_by(probes);
            left.extend(tile.blocks.clone().zip(found).flat_map(|(block, found)| {
                Left::of(found, &reach, (&rows[block].scales, &rows[block].residuals), first(block))
            }));
            if left.len() > best.lacks() {
                left.select_nth_unstable_by(best.lacks(), Left::most_first);
                left.truncate(best.lacks());
                self.offer(number, best, left);
            }
            left.clear();
        }
        for (block, found) in tile.blocks.clone().zip(found.chunks_exact_mut(probes)) {
            for ((found, best), wanted) in found.iter_mut().zip(&*best).zip(self.wanted) {
                if found.rows != 0 {
                    let lengths = (&chunk.high[block].scales, &chunk.five[block]);
                    let sought = wanted.probe.sought(wanted.probe.five, best.floor());
                    self.vectors.kernel.fifth(chunk.fifth(block), lengths, &sought, found);
                    let last = chunk.last(block);
                    for lane in found.lanes() {
                        let bytes = last.len() / LANES;
                        Kernel::prefetch(&last[lane * bytes..(lane + 1) * bytes]);
                    }
                }
            }
        }
        for (number, best) in best.iter_mut().enumerate() {
            let probe = &self.wanted[number].probe;
            let found = found[number..].iter_mut().step_by(probes);
            for (block, found) in tile.blocks.clone().zip(found).filter(|it| it.1.rows != 0) {
                let lengths = (&chunk.high[block].scales, &chunk.whole[block]);
                let sought = probe.sought(probe.whole, best.floor());
                self.vectors.kernel.last(chunk.last(block), lengths, &sought, found);
                left.extend(Left::of(found, &probe.whole, lengths, first(block)));
            }
            self.offer(number, best, left);
        }
    }

    /// Offers what is `left`, those that may be most similar first: the floor they raise spares others.
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

    /// Those of the `found` rows of a block, whose first is `first`, that are there and may be asked for.
    fn open(&self, first: usize, found: &Found) -> u16 {
        // Of the last block not all rows are there.
        let there = u16::MAX >> (LANES - (self.vectors.rows - first).min(LANES));
        let Some(members) = self.members else { return there };
        let lanes = Found { rows: found.rows & there, ..*found }.lanes();
        lanes
            .filter(|lane| self.people.is_member(first + lane, members))
            .fold(0, |rows, lane| rows | 1 << lane)
    }
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
        self.kernel.fifth(chunk.fifth(0), (scales, &chunk.five[0]), &five, &mut found);
        let whole = probe.sought(probe.whole, floor);
        self.kernel.last(chunk.last(0), (scales, &chunk.whole[0]), &whole, &mut found);
        let kept = found.rows >> row & 1 == 1;
        let lengths = (scales, &chunk.whole[0]);
        let mut left = Left::of(&found, &probe.whole, lengths, 0);
        kept.then(|| Some((high, left.find(|it| it.row == row)?))).flatten()
    }
}
