//! The scan: high nibbles of all rows, low nibbles where that may matter, `f32` values of the few that are left.

use std::ops::Range;

use zeroize::Zeroize;

use super::best::Best;
use super::chunk::{CHUNK_ROWS, Chunk};
use super::code::Probe;
use super::people::{Members, People};
use crate::vector::Similarity;
use crate::vector::simd::{Coarse, Found, Kernel, LANES, coarse_lines};

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
                Some((before, found)) => {
                    self.refine_tile(&before, &found, best);
                    found
                }
                None => found.clone(),
            };
            before = Some((tile, std::mem::replace(&mut found, spare)));
        }
        if let Some((tile, found)) = before {
            self.refine_tile(&tile, &found, best);
        }
    }

    /// The coarse pass over a tile, with what is needed next asked for.
    fn score(&self, tile: &Tile, best: &[Best], found: &mut [Found]) {
        let Vectors { dimension, kernel, ref chunks, .. } = *self.vectors;
        let (chunk, lines) = (&chunks[tile.chunk], coarse_lines(dimension));
        let probes: Vec<_> = std::iter::zip(self.wanted, best)
            .map(|(wanted, best)| Coarse {
                codes: &wanted.probe.codes,
                reach: wanted.probe.coarse,
                floor: best.floor(),
            })
            .collect();
        let codes = &chunk.coarse()[tile.blocks.start * lines..tile.blocks.end * lines];
        let found = &mut found[..tile.blocks.len() * probes.len()];
        kernel.coarse(codes, lines, &chunk.blocks[tile.blocks.clone()], &probes, found);
        for (block, found) in tile.blocks.clone().zip(found.chunks_exact(probes.len())) {
            let rows = found.iter().fold(0, |rows, found| rows | found.rows);
            for lane in lanes(rows) {
                Kernel::prefetch(chunk.fine(block * LANES + lane));
            }
        }
    }

    fn refine_tile(&self, tile: &Tile, found: &[Found], best: &mut [Best]) {
        for (block, found) in tile.blocks.clone().zip(found.chunks_exact(self.wanted.len())) {
            for (number, found) in found.iter().enumerate().filter(|(_, it)| it.rows != 0) {
                self.refine(tile.chunk, block, found, number, &mut best[number]);
            }
        }
    }

    /// Looks closer at the rows of a block that the coarse pass `found`.
    fn refine(&self, at: usize, block: usize, found: &Found, number: usize, best: &mut Best) {
        let chunk = &self.vectors.chunks[at];
        let Wanted { vector, probe } = &self.wanted[number];
        for lane in lanes(found.rows) {
            let in_chunk = block * LANES + lane;
            if in_chunk >= chunk.rows {
                return;
            }
            let row = at * CHUNK_ROWS + in_chunk;
            if self.members.is_some_and(|members| !self.people.is_member(row, members)) {
                continue;
            }
            let low = self.vectors.kernel.fine(chunk.fine(in_chunk), &probe.codes);
            let (scale, residual) = chunk.missing(in_chunk);
            let most = probe.fine.of(16 * found.sums[lane] + low, scale, residual);
            if most < best.floor() {
                continue;
            }
            let owner = self.people.owner(row);
            if (self.allowed)(number, owner.subject) {
                best.offer(owner, self.vectors.similarity(row, vector));
            }
        }
    }
}

/// The numbers of the bits that are set.
fn lanes(rows: u16) -> impl Iterator<Item = usize> {
    let rest = |rows: &u16| Some(rows & (rows - 1)).filter(|rows| *rows != 0);
    std::iter::successors(Some(rows).filter(|rows| *rows != 0), rest)
        .map(|rows| rows.trailing_zeros() as usize)
}

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
        let coarse = Coarse { codes: &probe.codes, reach: probe.coarse, floor: 0.0 };
        let mut found = [Found::default()];
        let lines = coarse_lines(self.dimension);
        self.kernel.coarse(
            &chunk.coarse()[..lines],
            lines,
            &chunk.blocks[..1],
            &[coarse],
            &mut found,
        );
        let high = found[0].sums[row];
        let (scale, residual) = chunk.missing(row);
        let whole = 16 * high + self.kernel.fine(chunk.fine(row), &probe.codes);
        let coarse = probe.coarse.of(high, scale, chunk.blocks[0].residuals[row]);
        (coarse, probe.fine.of(whole, scale, residual))
    }
}
