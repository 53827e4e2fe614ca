//! What every kernel computes, in plain words: the oracle of the others.

use super::{Found, LANES, Lengths, Line, Rows, Sought};

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
            *found = outcome(sums, rows, probe);
        }
    }
}

/// What the sums of the coarse pass say of the rows.
#[inline(always)]
pub(super) fn outcome(sums: [i32; LANES], rows: &Rows, probe: &Sought<'_>) -> Found {
    let Rows { scales, residuals } = rows;
    let is_likely = |lane: usize| probe.reach.middle(sums[lane], scales[lane]) >= probe.floor;
    let likely = (0..LANES).map(|lane| u16::from(is_likely(lane)) << lane).sum();
    Found { rows: reaching(&sums, (scales, residuals), probe), likely, sums }
}

/// Which rows can reach the probe's floor.
#[inline(always)]
pub(super) fn reaching(
    sums: &[i32; LANES],
    (scales, residuals): Lengths<'_>,
    probe: &Sought<'_>,
) -> u16 {
    let reach = |lane: usize| probe.reach.of(sums[lane], scales[lane], residuals[lane]);
    (0..LANES).map(|lane| u16::from(reach(lane) >= probe.floor) << lane).sum()
}

pub(super) fn closer(bits: &[u8], rows: Lengths<'_>, probe: &Sought<'_>, found: &mut Found) {
    by_planes(bits, rows, probe, found, |bits, codes| {
        let eight = |(bits, codes): (&u8, &[i8; 8])| -> i32 {
            (0..8).map(|j| i32::from(bits >> j & 1) * i32::from(codes[j])).sum()
        };
        bits.iter().zip(codes.as_chunks().0).map(eight).sum()
    });
}

/// The frame of `closer`, around the sum of the probe's codes where a `plane` has a bit.
#[inline(always)]
pub(super) fn by_planes(
    bits: &[u8],
    rows: Lengths<'_>,
    probe: &Sought<'_>,
    found: &mut Found,
    plane: impl Fn(&[u8], &[i8]) -> i32,
) {
    let bytes = bits.len() / LANES;
    for lane in found.lanes() {
        for bits in bits[lane * bytes..(lane + 1) * bytes].chunks_exact(probe.codes.len() / 8) {
            found.sums[lane] = 2 * found.sums[lane] + plane(bits, probe.codes);
        }
    }
    found.rows &= reaching(&found.sums, rows, probe);
}

pub(super) fn dot(a: &[f32], b: &[f32]) -> f32 {
    let (a, a_rest) = a.as_chunks::<32>();
    let (b, b_rest) = b.as_chunks::<32>();
    let mut sums = [0.0_f32; 32];
    for (a, b) in a.iter().zip(b) {
        for lane in 0..32 {
            sums[lane] += a[lane] * b[lane];
        }
    }
    let four: [[f32; 8]; 4] = std::array::from_fn(|at| std::array::from_fn(|j| sums[8 * at + j]));
    finish(
        std::array::from_fn(|j| (four[0][j] + four[1][j]) + (four[2][j] + four[3][j])),
        a_rest,
        b_rest,
    )
}

/// Eight sums and what is left over, added up in a fixed order.
#[inline(always)]
pub(super) fn finish(sums: [f32; 8], a_rest: &[f32], b_rest: &[f32]) -> f32 {
    let rest: f32 = a_rest.iter().zip(b_rest).map(|(a, b)| a * b).sum();
    sums.iter().sum::<f32>() + rest
}
