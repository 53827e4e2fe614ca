//! AVX-512 with VNNI: 64 products of bytes an instruction, 16 rows a register.

use std::arch::x86_64::*;

use super::{Found, Kernel, LANES, Lengths, Line, Planes, Reach, Rest, Rows, Sought, segments};

/// # Safety
/// The processor has AVX-512 F, BW and VNNI; lengths are those [`super::Kernel::coarse`] asserts.
#[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
pub(super) unsafe fn coarse(
    blocks: &[Line],
    lines: usize,
    rows: &[Rows],
    probes: &[Sought<'_>],
    found: &mut [Found],
) {
    let blocks = blocks.chunks_exact(lines).zip(rows);
    for ((block, rows), found) in blocks.zip(found.chunks_exact_mut(probes.len())) {
        let (probes, last_probes) = probes.as_chunks::<8>();
        let (found, last_found) = found.as_chunks_mut::<8>();
        for (probes, found) in probes.iter().zip(found) {
            // SAFETY: the caller's promise, passed on.
            unsafe { block_probes::<8, 1>(block, rows, probes, found) };
        }
        for (probe, found) in last_probes.iter().zip(last_found) {
            let (probe, found) = (std::array::from_ref(probe), std::array::from_mut(found));
            // SAFETY: the caller's promise, passed on.
            unsafe { block_probes::<1, 2>(block, rows, probe, found) };
        }
    }
}

/// Lines of the next block that are asked for early. It lies on another page, where the processor begins to read ahead
/// when it has missed a few.
const EARLY: usize = 12;

/// `P` probes, and lines `L` at a time: `2 P L` sums that do not wait for each other keep the multipliers busy.
///
/// # Safety
/// As [`coarse`]: each probe has at least 8 codes for every line of the block.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
unsafe fn block_probes<const P: usize, const L: usize>(
    block: &[Line],
    rows: &Rows,
    probes: &[Sought<'_>; P],
    found: &mut [Found; P],
) {
    for line in &block[..block.len().min(EARLY)] {
        _mm_prefetch::<_MM_HINT_T0>(line.as_ptr().wrapping_add(size_of_val(block)).cast());
    }
    let mut sums = [[[_mm512_setzero_si512(); 2]; P]; L];
    let (several, last) = block.as_chunks::<L>();
    for (number, lines) in several.iter().enumerate() {
        for (at, (line, sums)) in lines.iter().zip(&mut sums).enumerate() {
            // SAFETY: the line's number is below the block's, so the caller's promise holds.
            unsafe { line_probes(line, L * number + at, probes, sums) };
        }
    }
    for (at, (line, sums)) in last.iter().zip(&mut sums).enumerate() {
        // SAFETY: as above.
        unsafe { line_probes(line, L * several.len() + at, probes, sums) };
    }
    for p in 0..P {
        let (mut low, mut high) = (sums[0][p][0], sums[0][p][1]);
        for sums in &sums[1..] {
            low = _mm512_add_epi32(low, sums[p][0]);
            high = _mm512_add_epi32(high, sums[p][1]);
        }
        let sums = _mm512_add_epi32(low, _mm512_srai_epi32::<4>(high));
        let (middle, most) = reach(sums, (&rows.scales, &rows.residuals), &probes[p].reach);
        let floor = _mm512_set1_ps(probes[p].floor);
        found[p].rows = _mm512_cmp_ps_mask::<_CMP_GE_OQ>(most, floor);
        found[p].likely = _mm512_cmp_ps_mask::<_CMP_GE_OQ>(middle, floor);
        // SAFETY: the array is 64 bytes, and the store asks for no alignment.
        unsafe { _mm512_storeu_si512(found[p].sums.as_mut_ptr().cast(), sums) };
    }
}

/// Adds the products of a line's low nibbles to the first sum of each probe, and sixteen times those of its high nibbles,
/// which are not moved, to the second: `240 * 128 * MAX_DIMENSION / 2` fits 32 bits.
///
/// # Safety
/// The processor has AVX-512 F, BW and VNNI; each probe has at least `8 * (index + 1)` codes.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
unsafe fn line_probes<const P: usize>(
    line: &Line,
    index: usize,
    probes: &[Sought<'_>; P],
    sums: &mut [[__m512i; 2]; P],
) {
    // SAFETY: a line is 64 bytes, and the load asks for no alignment.
    let codes = unsafe { _mm512_loadu_si512(line.as_ptr().cast()) };
    let low = _mm512_and_si512(codes, _mm512_set1_epi8(15));
    let high = _mm512_andnot_si512(_mm512_set1_epi8(15), codes);
    for (probe, [first, second]) in probes.iter().zip(sums) {
        // SAFETY: by the caller's promise the two reads of four bytes lie within the codes; they ask for no alignment.
        let (four, next) = unsafe {
            let at = probe.codes.as_ptr().add(8 * index).cast::<i32>();
            (at.read_unaligned(), at.add(1).read_unaligned())
        };
        *first = _mm512_dpbusd_epi32(*first, low, _mm512_set1_epi32(four));
        *second = _mm512_dpbusd_epi32(*second, high, _mm512_set1_epi32(next));
    }
}

/// Which rows can reach the probe's floor.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
fn reached(sums: __m512i, rows: Lengths<'_>, probe: &Sought<'_>) -> u16 {
    let (_, most) = reach(sums, rows, &probe.reach);
    _mm512_cmp_ps_mask::<_CMP_GE_OQ>(most, _mm512_set1_ps(probe.floor))
}

/// What sums stand for, and the most they leave possible: [`Reach::of`], operation by operation.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
fn reach(sums: __m512i, (scales, residuals): Lengths<'_>, reach: &Reach) -> (__m512, __m512) {
    const { assert!(size_of::<[f32; LANES]>() == 64) };
    // SAFETY: both arrays are 64 bytes, and the loads ask for no alignment.
    let (scales, residuals) =
        unsafe { (_mm512_loadu_ps(scales.as_ptr()), _mm512_loadu_ps(residuals.as_ptr())) };
    let doubled = _mm512_sub_epi32(_mm512_slli_epi32::<1>(sums), _mm512_set1_epi32(reach.offset));
    let scale = _mm512_mul_ps(_mm512_set1_ps(reach.scale), scales);
    let middle = _mm512_mul_ps(scale, _mm512_cvtepi32_ps(doubled));
    let residual = _mm512_mul_ps(_mm512_set1_ps(reach.norm), residuals);
    let most = _mm512_add_ps(_mm512_add_ps(middle, residual), _mm512_set1_ps(reach.slack));
    (middle, most)
}

/// # Safety
/// The processor has AVX-512 F, BW and VNNI.
#[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
pub(super) unsafe fn reaching(
    (found, step): (&[Found], usize),
    first: usize,
    blocks: &[Rows],
    next: &[[f32; LANES]],
    probe: &Sought<'_>,
    rest: &mut Rest,
) {
    rest.reserve(LANES * found.len().div_ceil(step));
    let lanes = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
    rest.count = 0;
    let found = found.iter().step_by(step);
    for (((block, found), rows), next) in (first..).zip(found).zip(blocks).zip(next) {
        if found.rows == 0 {
            continue;
        }
        // SAFETY: each is 16 of 4 bytes, and the loads ask for no alignment.
        let (sums, scales, next) = unsafe {
            let scales = _mm512_loadu_ps(rows.scales.as_ptr());
            let sums = _mm512_loadu_si512(found.sums.as_ptr().cast());
            (sums, scales, _mm512_loadu_ps(next.as_ptr()))
        };
        let stay = found.rows & reached(sums, (&rows.scales, &rows.residuals), probe);
        #[expect(clippy::cast_possible_truncation, reason = "rows of one chunk")]
        let rows = _mm512_add_epi32(lanes, _mm512_set1_epi32((LANES * block) as i32));
        // There are places for all rows of the blocks up to this one.
        put(rest, stay, rows, sums, scales, next);
    }
}

/// Puts those that `stay` of 16 rows behind the others; all of the 16 places there are written to.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
fn put(
    rest: &mut Rest,
    stay: u16,
    rows: __m512i,
    sums: __m512i,
    scales: __m512,
    residuals: __m512,
) {
    let place = rest.count..rest.count + LANES;
    rest.count += stay.count_ones() as usize;
    let (to_rows, to_sums) = (&mut rest.rows[place.clone()], &mut rest.sums[place.clone()]);
    let (to_scales, to_residuals) = (&mut rest.scales[place.clone()], &mut rest.residuals[place]);
    // SAFETY: each slice is 16 of 4 bytes, and the stores ask for no alignment.
    unsafe {
        _mm512_storeu_si512(to_rows.as_mut_ptr().cast(), _mm512_maskz_compress_epi32(stay, rows));
        _mm512_storeu_si512(to_sums.as_mut_ptr().cast(), _mm512_maskz_compress_epi32(stay, sums));
        _mm512_storeu_ps(to_scales.as_mut_ptr(), _mm512_maskz_compress_ps(stay, scales));
        _mm512_storeu_ps(to_residuals.as_mut_ptr(), _mm512_maskz_compress_ps(stay, residuals));
    }
}

/// Fours of rows whose planes are asked for ahead of their turn.
const AHEAD: usize = 4;

/// # Safety
/// The processor has AVX-512 F, BW and VNNI; lengths are those [`super::Kernel::closer`] asserts.
#[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
pub(super) unsafe fn closer(planes: Planes<'_>, probe: &Sought<'_>, rest: &mut Rest) {
    let count = rest.count;
    if count == 0 {
        return;
    }
    // So that registers are full. What is behind the last row is that row again, and does not stay.
    rest.reserve(count.next_multiple_of(LANES));
    let last = rest.rows[count - 1];
    rest.rows[count..count.next_multiple_of(4)].fill(last);
    let (rows, _) = rest.rows[..count.next_multiple_of(4)].as_chunks();
    let prefetch = |rows: &[u32; 4]| {
        for row in rows {
            Kernel::prefetch(planes.of(*row as usize, probe.codes.len()));
        }
    };
    rows.iter().take(AHEAD).for_each(prefetch);
    for (number, sums) in rest.sums.as_chunks_mut().0[..rows.len()].iter_mut().enumerate() {
        rows.get(number + AHEAD).into_iter().for_each(prefetch);
        add_planes(planes, probe.codes, &rows[number], sums);
    }
    rest.count = 0;
    for start in (0..count).step_by(LANES) {
        let (Some(rows), Some(sums), Some(scales), Some(residuals)) = (
            rest.rows[start..].first_chunk::<LANES>(),
            rest.sums[start..].first_chunk::<LANES>(),
            rest.scales[start..].first_chunk::<LANES>(),
            rest.residuals[start..].first_chunk::<LANES>(),
        ) else {
            break;
        };
        // SAFETY: each is 16 of 4 bytes, and the loads ask for no alignment.
        let (rows, sums, wide_scales, wide_residuals) = unsafe {
            (
                _mm512_loadu_si512(rows.as_ptr().cast()),
                _mm512_loadu_si512(sums.as_ptr().cast()),
                _mm512_loadu_ps(scales.as_ptr()),
                _mm512_loadu_ps(residuals.as_ptr()),
            )
        };
        let there = u16::MAX >> LANES.saturating_sub(count - start);
        let stay = there & reached(sums, (scales, residuals), probe);
        put(rest, stay, rows, sums, wide_scales, wide_residuals);
    }
}

/// The planes of four rows together: their sums do not wait for each other, and are added up side by side.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
fn add_planes(planes: Planes<'_>, codes: &[i8], rows: &[u32; 4], known: &mut [i32; 4]) {
    let bytes = codes.len() / 8;
    let mut four = [&[][..]; 4];
    for (bits, row) in four.iter_mut().zip(rows) {
        *bits = planes.of(*row as usize, codes.len());
    }
    let mut sums = [_mm512_setzero_si512(); 4];
    for plane in 0..planes.count {
        for sum in &mut sums {
            *sum = _mm512_slli_epi32::<1>(*sum);
        }
        for part in segments(bytes) {
            let mut bits = [_mm512_setzero_si512(); 4];
            for (bits, row) in bits.iter_mut().zip(four) {
                *bits = spread(&row[plane * bytes..][part.clone()]);
            }
            #[expect(clippy::cast_possible_truncation, reason = "64 at most")]
            let next = _mm_cvtsi32_si128((64 / part.len()) as i32);
            for codes in codes[8 * part.start..8 * part.end].as_chunks::<64>().0 {
                // SAFETY: 64 codes, and the load asks for no alignment.
                let codes = unsafe { _mm512_loadu_si512(codes.as_ptr().cast()) };
                for (sum, bits) in sums.iter_mut().zip(&mut bits) {
                    let ones = _mm512_and_si512(*bits, _mm512_set1_epi8(1));
                    *sum = _mm512_dpbusd_epi32(*sum, ones, codes);
                    *bits = _mm512_srl_epi16(*bits, next);
                }
            }
        }
    }
    for (known, new) in known.iter_mut().zip(totals(sums)) {
        *known = (*known << planes.count) + new;
    }
}

/// Of each of four sums what its 16 parts add up to.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
fn totals([a, b, c, d]: [__m512i; 4]) -> [i32; 4] {
    // Of two in turn, then of four.
    let ab = _mm512_add_epi32(_mm512_unpacklo_epi32(a, b), _mm512_unpackhi_epi32(a, b));
    let cd = _mm512_add_epi32(_mm512_unpacklo_epi32(c, d), _mm512_unpackhi_epi32(c, d));
    let all = _mm512_add_epi32(_mm512_unpacklo_epi64(ab, cd), _mm512_unpackhi_epi64(ab, cd));
    let half = _mm256_add_epi32(_mm512_castsi512_si256(all), _mm512_extracti64x4_epi64::<1>(all));
    let quarter = _mm_add_epi32(_mm256_castsi256_si128(half), _mm256_extracti128_si256::<1>(half));
    let mut sums = [0; 4];
    // SAFETY: four sums are 16 bytes, and the store asks for no alignment.
    unsafe { _mm_storeu_si128(sums.as_mut_ptr().cast(), quarter) };
    sums
}

/// A segment such that the lowest bits of all bytes are of 64 values that lie side by side, and those of the next ones
/// come up when bytes are moved by as many bits as the segment fits in.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
fn spread(bits: &[u8]) -> __m512i {
    if let Some(bits) = bits.first_chunk::<64>() {
        // SAFETY: 64 bytes, and the load asks for no alignment.
        return unsafe { _mm512_loadu_si512(bits.as_ptr().cast()) };
    }
    if let Some(bits) = bits.first_chunk::<32>() {
        // SAFETY: 32 bytes, and the load asks for no alignment.
        let bits = _mm512_broadcast_i64x4(unsafe { _mm256_loadu_si256(bits.as_ptr().cast()) });
        return _mm512_mask_srli_epi16::<1>(bits, 0xffff_0000, bits);
    }
    let bits = bits.first_chunk::<16>().unwrap_or(&[0; 16]);
    // SAFETY: 16 bytes, and the load asks for no alignment.
    let bits = _mm512_broadcast_i32x4(unsafe { _mm_loadu_si128(bits.as_ptr().cast()) });
    let odd = _mm512_mask_srli_epi16::<1>(bits, 0xff00_ff00, bits);
    _mm512_mask_srli_epi16::<2>(odd, 0xffff_0000, odd)
}
