//! What every kernel computes, in plain words: the oracle of the others.

use super::{Found, LANES, Line, Rows, Sought};

pub(super) fn coarse(
    blocks: &[Line],
    lines: usize,
    rows: &[Rows],
    probes: &[Sought<'_>],
    found: &mut [Found],
) {
    let blocks = blocks.chunks_exact(lines).zip(rows);
    for ((block, rows), found) in blocks.zip(found.chunks_exact_mut(probes.len())) {
        for (probe, found) in probes.iter().zip(found) {
            let mut sums = [0; LANES];
            for (line, probe) in block.iter().zip(probe.codes.as_chunks::<8>().0) {
                for (sum, codes) in sums.iter_mut().zip(line.as_chunks::<4>().0) {
                    for j in 0..4 {
                        *sum += i32::from(codes[j] & 15) * i32::from(probe[j])
                            + i32::from(codes[j] >> 4) * i32::from(probe[4 + j]);
                    }
                }
            }
            *found = Found { rows: reaching(&sums, rows, probe), sums };
        }
    }
}

/// Which rows can reach the probe's floor.
#[inline(always)]
pub(super) fn reaching(sums: &[i32; LANES], rows: &Rows, probe: &Sought<'_>) -> u16 {
    let reach = |lane| probe.reach.of(sums[lane], rows.scales[lane], rows.residuals[lane]);
    (0..LANES).map(|lane| u16::from(reach(lane) >= probe.floor) << lane).sum()
}

pub(super) fn fine(block: &[Line], rows: &Rows, probe: &Sought<'_>, found: &mut Found) {
    refine(block, rows, probe, found, |row| {
        let mut sum = 0;
        for (line, probe) in row.iter().zip(probe.codes.as_chunks::<128>().0) {
            for (j, code) in line.iter().enumerate() {
                sum += i32::from(code & 15) * i32::from(probe[j])
                    + i32::from(code >> 4) * i32::from(probe[64 + j]);
            }
        }
        sum
    });
}

/// The frame of `fine`, around the sum of `low` nibbles of a row.
#[inline(always)]
pub(super) fn refine(
    block: &[Line],
    rows: &Rows,
    probe: &Sought<'_>,
    found: &mut Found,
    low: impl Fn(&[Line]) -> i32,
) {
    let lines = block.len() / LANES;
    for lane in found.lanes() {
        let row = &block[lane * lines..(lane + 1) * lines];
        found.sums[lane] = 16 * found.sums[lane] + low(row);
    }
    found.rows &= reaching(&found.sums, rows, probe);
}

pub(super) fn dot(a: &[f32], b: &[f32]) -> f32 {
    let (a, a_rest) = a.as_chunks::<8>();
    let (b, b_rest) = b.as_chunks::<8>();
    let mut sums = [0.0_f32; 8];
    for (a, b) in a.iter().zip(b) {
        for lane in 0..8 {
            sums[lane] += a[lane] * b[lane];
        }
    }
    finish(sums, a_rest, b_rest)
}

/// The eight running sums and what is left over, added up in a fixed order.
#[inline(always)]
pub(super) fn finish(sums: [f32; 8], a_rest: &[f32], b_rest: &[f32]) -> f32 {
    let rest: f32 = a_rest.iter().zip(b_rest).map(|(a, b)| a * b).sum();
    sums.iter().sum::<f32>() + rest
}
