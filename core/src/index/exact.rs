//! The scan: high nibbles of all rows, low nibbles where that may matter, `f32` values of the few that are left.

use std::ops::Range;

use zeroize::Zeroize;

use super::best::Best;
use super::chunk::{CHUNK_ROWS, Chunk};
use super::code::Probe;
use super::people::{Members, People};
use crate::vector::Similarity;
use crate::vector::simd::{Found, Kernel, LANES, Sought, coarse_lines};

/// Blocks times probes that are scored before the floor is looked at again.
const TILE: usize = 16;

/// Unit vectors of one dimension in rows `0..rows`.
#[derive(Debug)]
pub(super) struct Vectors {
    dimension: usize,
    kernel: Kernel,
    rows: usize,
    chunks: Vec<Chunk>,
}

impl Vectors {
    pub(super) const fn new(dimension: usize, kernel: Kernel) -> Self {
        Self { dimension, kernel, rows: 0, chunks: Vec::new() }
    }

    pub(super) const fn chunks(&self) -> usize {
        self.chunks.len()
    }

    /// The `f32` values of a row.
    pub(super) fn row(&self, row: usize) -> &[f32] {
        self.chunks[row / CHUNK_ROWS].values(row % CHUNK_ROWS)
    }

    /// The similarity of a row to `vector`, the one that is reported.
    pub(super) fn similarity(&self, row: usize, vector: &[f32]) -> Similarity {
        Similarity::with(self.kernel, vector, self.row(row))
    }

    pub(super) fn push(&mut self, vector: &[f32]) {
        if self.rows == self.chunks.len() * CHUNK_ROWS {
            self.chunks.push(Chunk::new(self.dimension));
        }
        self.chunks[self.rows / CHUNK_ROWS].put(self.rows % CHUNK_ROWS, vector);
        self.rows += 1;
    }

    /// The last row takes the place of `row`, and the last place is wiped.
    pub(super) fn swap_remove(&mut self, row: usize) {
        let last = self.rows - 1;
        if row != last {
            let mut moved = self.row(last).to_vec();
            self.chunks[row / CHUNK_ROWS].put(row % CHUNK_ROWS, &moved);
            moved.zeroize();
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
        for tile in tiles {
            self.score(&tile, best, &mut found);
            let spare = match before.take() {
                Some((before, mut found)) => {
                    self.refine_tile(&before, &mut found, best);
                    found
                }
                None => found.clone(),
            };
            before = Some((tile, std::mem::replace(&mut found, spare)));
        }
        if let Some((tile, mut found)) = before {
            self.refine_tile(&tile, &mut found, best);
        }
    }

    /// The coarse pass over a tile, with what is needed next asked for.
    fn score(&self, tile: &Tile, best: &[Best], found: &mut [Found]) {
        let Vectors { dimension, kernel, ref chunks, .. } = *self.vectors;
        let (chunk, lines) = (&chunks[tile.chunk], coarse_lines(dimension));
        let probes: Vec<_> = std::iter::zip(self.wanted, best)
            .map(|(wanted, best)| Sought {
                codes: &wanted.probe.codes,
                reach: wanted.probe.coarse,
                floor: best.floor(),
            })
            .collect();
        let codes = &chunk.coarse()[tile.blocks.start * lines..tile.blocks.end * lines];
        let found = &mut found[..tile.blocks.len() * probes.len()];
        kernel.coarse(codes, lines, &chunk.high[tile.blocks.clone()], &probes, found);
        for (block, found) in tile.blocks.clone().zip(found.chunks_exact(probes.len())) {
            let low = chunk.fine(block);
            let rows = found.iter().fold(0, |rows, found| rows | found.rows);
            for lane in (Found { rows, ..Found::default() }).lanes() {
                Kernel::prefetch(&low[lane * low.len() / LANES..(lane + 1) * low.len() / LANES]);
            }
        }
    }

    fn refine_tile(&self, tile: &Tile, found: &mut [Found], best: &mut [Best]) {
        for (block, found) in tile.blocks.clone().zip(found.chunks_exact_mut(best.len())) {
            let probes = found.iter_mut().zip(&mut *best).enumerate();
            for (number, (found, best)) in probes.filter(|(_, (found, _))| found.rows != 0) {
                self.refine((tile.chunk, block), number, found, best);
            }
        }
    }

    /// Looks closer at the rows of a block that the coarse pass `found`.
    fn refine(&self, at: (usize, usize), number: usize, found: &mut Found, best: &mut Best) {
        let (chunk_at, block) = at;
        let chunk = &self.vectors.chunks[chunk_at];
        let Wanted { vector, probe } = &self.wanted[number];
        let first = chunk_at * CHUNK_ROWS + block * LANES;
        // Of the last block not all rows are there.
        let rows = (chunk.rows - block * LANES).min(LANES);
        found.rows &= u16::MAX >> (LANES - rows);
        if let Some(members) = self.members {
            let others = found.lanes().filter(|lane| !self.people.is_member(first + lane, members));
            found.rows &= others.fold(u16::MAX, |rows, lane| rows & !(1 << lane));
        }
        let sought = Sought { codes: &probe.codes, reach: probe.fine, floor: best.floor() };
        self.vectors.kernel.fine(chunk.fine(block), &chunk.whole[block], &sought, found);
        for lane in found.lanes() {
            let scale = chunk.whole[block].scales[lane];
            let residual = chunk.whole[block].residuals[lane];
            // The floor rises while the first rows are looked at.
            if probe.fine.of(found.sums[lane], scale, residual) < best.floor() {
                continue;
            }
            let owner = self.people.owner(first + lane);
            if (self.allowed)(number, owner.subject) {
                best.offer(owner, self.vectors.similarity(first + lane, vector));
            }
        }
    }
}

#[cfg(test)]
use crate::vector::simd::{Reach, Rows};

#[cfg(test)]
impl Vectors {
    /// Whether nothing is left of rows that were behind the first `rows`.
    pub(super) fn is_wiped_behind(&self, rows: usize) -> bool {
        self.chunks.len() == rows.div_ceil(CHUNK_ROWS)
            && self.chunks.last().is_some_and(|last| last.is_wiped_behind(rows % CHUNK_ROWS))
    }

    /// The most that row 0 can score, by its high nibbles and by all of its codes.
    pub(super) fn most(&self, row: usize, vector: &[f32]) -> (f32, f32) {
        let probe = Probe::new(vector);
        let chunk = &self.chunks[0];
        let coarse = Sought { codes: &probe.codes, reach: probe.coarse, floor: f32::NEG_INFINITY };
        let mut found = [Found::default()];
        let lines = coarse_lines(self.dimension);
        self.kernel.coarse(
            &chunk.coarse()[..lines],
            lines,
            &chunk.high[..1],
            &[coarse],
            &mut found,
        );
        let of = |reach: Reach, rows: &Rows, found: &Found| {
            reach.of(found.sums[row], rows.scales[row], rows.residuals[row])
        };
        let high = of(probe.coarse, &chunk.high[0], &found[0]);
        let fine = Sought { reach: probe.fine, ..coarse };
        self.kernel.fine(chunk.fine(0), &chunk.whole[0], &fine, &mut found[0]);
        (high, of(probe.fine, &chunk.whole[0], &found[0]))
    }
}
