//! What every kernel computes, in plain words: the oracle of the others.

use super::{Found, LANES, Lengths, Line, PLANES, Rows, Sought};

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
            *found = Found { rows: reaching(&sums, (&rows.scales, &rows.residuals), probe), sums };
        }
    }
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

pub(super) fn fifth(bits: &[Line], rows: Lengths<'_>, probe: &Sought<'_>, found: &mut Found) {
    for sum in &mut found.sums {
        *sum *= 2;
    }
    for (line, codes) in bits.iter().zip(probe.codes.as_chunks::<32>().0) {
        for (sum, bits) in found.sums.iter_mut().zip(line.as_chunks::<4>().0) {
            for (place, code) in codes.iter().enumerate() {
                *sum += i32::from(bits[place % 4] >> (place / 4) & 1) * i32::from(*code);
            }
        }
    }
    found.rows &= reaching(&found.sums, rows, probe);
}

pub(super) fn last(bits: &[u8], rows: Lengths<'_>, probe: &Sought<'_>, found: &mut Found) {
    refine(bits, rows, probe, found, |bits, codes| {
        let eight = |(bits, codes): (&u8, &[i8; 8])| -> i32 {
            (0..8).map(|j| i32::from(bits >> j & 1) * i32::from(codes[j])).sum()
        };
        bits.iter().zip(codes.as_chunks().0).map(eight).sum()
    });
}

/// The frame of `last`, around the sum of the probe's codes where a `plane` has a bit.
#[inline(always)]
pub(super) fn refine(
    bits: &[u8],
    rows: Lengths<'_>,
    probe: &Sought<'_>,
    found: &mut Found,
    plane: impl Fn(&[u8], &[i8]) -> i32,
) {
    let bytes = probe.codes.len() / 8;
    for lane in found.lanes() {
        for number in lane * PLANES..(lane + 1) * PLANES {
            let bits = &bits[number * bytes..(number + 1) * bytes];
            found.sums[lane] = 2 * found.sums[lane] + plane(bits, probe.codes);
        }
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
