//! What every kernel computes, in plain words: the oracle of the others.

use super::{Found, Kernel, LANES, Lengths, Line, Planes, Rest, Rows, Sought, segments};

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
    Found { rows: reached(&sums, (scales, residuals), probe), likely, sums }
}

/// Which rows can reach the probe's floor.
#[inline(always)]
fn reached(sums: &[i32; LANES], (scales, residuals): Lengths<'_>, probe: &Sought<'_>) -> u16 {
    let reach = |lane: usize| probe.reach.of(sums[lane], scales[lane], residuals[lane]);
    (0..LANES).map(|lane| u16::from(reach(lane) >= probe.floor) << lane).sum()
}

#[inline(always)]
pub(super) fn reaching(
    (found, step): (&[Found], usize),
    first: usize,
    blocks: &[Rows],
    next: &[[f32; LANES]],
    probe: &Sought<'_>,
    rest: &mut Rest,
) {
    rest.reserve(LANES * found.len().div_ceil(step));
    rest.count = 0;
    let found = found.iter().step_by(step);
    for (((block, found), rows), next) in (first..).zip(found).zip(blocks).zip(next) {
        let Rows { scales, residuals } = rows;
        let rows = found.rows & reached(&found.sums, (scales, residuals), probe);
        for lane in (Found { rows, ..*found }).lanes() {
            #[expect(clippy::cast_possible_truncation, reason = "rows of one chunk")]
            let row = (block * LANES + lane) as u32;
            (rest.rows[rest.count], rest.sums[rest.count]) = (row, found.sums[lane]);
            (rest.scales[rest.count], rest.residuals[rest.count]) = (scales[lane], next[lane]);
            rest.count += 1;
        }
    }
}

pub(super) fn closer(planes: Planes<'_>, probe: &Sought<'_>, rest: &mut Rest) {
    by_segments(planes, probe, rest, |bits, codes| {
        let of_bit = |(bit, codes): (usize, &[i8])| -> i32 {
            let value = |(bits, code): (&u8, &i8)| i32::from(bits >> bit & 1) * i32::from(*code);
            bits.iter().zip(codes).map(value).sum()
        };
        codes.chunks_exact(bits.len()).enumerate().map(of_bit).sum()
    });
}

/// Rows whose planes are asked for ahead of their turn.
const AHEAD: usize = 16;

/// The frame of `closer`, around the sum of the codes where a segment has a bit.
#[inline(always)]
pub(super) fn by_segments(
    planes: Planes<'_>,
    probe: &Sought<'_>,
    rest: &mut Rest,
    segment: impl Fn(&[u8], &[i8]) -> i32,
) {
    let bytes = probe.codes.len() / 8;
    let prefetch = |row: &u32| Kernel::prefetch(planes.of(*row as usize, probe.codes.len()));
    rest.rows[..rest.count].iter().take(AHEAD).for_each(prefetch);
    let mut kept = 0;
    for at in 0..rest.count {
        rest.rows[..rest.count].get(at + AHEAD).into_iter().for_each(prefetch);
        let (row, mut sum) = (rest.rows[at], rest.sums[at]);
        let (scale, residual) = (rest.scales[at], rest.residuals[at]);
        for bits in planes.of(row as usize, probe.codes.len()).chunks_exact(bytes) {
            sum *= 2;
            for part in segments(bytes) {
                sum += segment(&bits[part.clone()], &probe.codes[8 * part.start..8 * part.end]);
            }
        }
        (rest.rows[kept], rest.sums[kept]) = (row, sum);
        (rest.scales[kept], rest.residuals[kept]) = (scale, residual);
        kept += usize::from(probe.reach.of(sum, scale, residual) >= probe.floor);
    }
    rest.count = kept;
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
