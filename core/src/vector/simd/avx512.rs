//! AVX-512 with VNNI: 64 products of bytes an instruction, 16 rows a register.

use std::arch::x86_64::*;

use super::{Found, LANES, Lengths, Line, Reach, Rows, Sought};

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
pub(super) unsafe fn reaching(sums: &[i32; LANES], rows: Lengths<'_>, probe: &Sought<'_>) -> u16 {
    // SAFETY: the array is 64 bytes, and the load asks for no alignment.
    reached(unsafe { _mm512_loadu_si512(sums.as_ptr().cast()) }, rows, probe)
}

/// # Safety
/// The processor has AVX-512 F, BW and VNNI; lengths are those [`super::Kernel::closer`] asserts.
#[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
pub(super) unsafe fn closer(bits: &[u8], rows: Lengths<'_>, probe: &Sought<'_>, found: &mut Found) {
    let codes = probe.codes.as_chunks::<64>().0;
    let bits = bits.as_chunks::<8>().0;
    // SAFETY: in both places, the array is 64 bytes, and neither the load nor the store asks for alignment.
    let mut sums = unsafe { _mm512_loadu_si512(found.sums.as_ptr().cast()) };
    if bits.len() == 3 * LANES * codes.len() {
        // Three planes together take less time than one by one.
        sums = _mm512_mask_slli_epi32::<3>(sums, found.rows, sums);
        for lane in found.lanes() {
            let bits = &bits[3 * lane * codes.len()..3 * (lane + 1) * codes.len()];
            sums = add_to(lane, sums, three(bits, codes));
        }
    } else {
        let planes = bits.len() / LANES / codes.len();
        for plane in 0..planes {
            sums = _mm512_mask_slli_epi32::<1>(sums, found.rows, sums);
            for lane in found.lanes() {
                let at = lane * planes + plane;
                sums =
                    add_to(lane, sums, one(&bits[at * codes.len()..(at + 1) * codes.len()], codes));
            }
        }
    }
    // SAFETY: as above.
    unsafe { _mm512_storeu_si512(found.sums.as_mut_ptr().cast(), sums) };
    found.rows &= reached(sums, rows, probe);
}

/// Of 16 sums one longer by the sum of `terms`.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
fn add_to(lane: usize, sums: __m512i, terms: __m512i) -> __m512i {
    let eight =
        _mm256_add_epi32(_mm512_castsi512_si256(terms), _mm512_extracti64x4_epi64::<1>(terms));
    let four = _mm_add_epi32(_mm256_castsi256_si128(eight), _mm256_extracti128_si256::<1>(eight));
    let two = _mm_add_epi32(four, _mm_shuffle_epi32::<0b1110>(four));
    let one = _mm_add_epi32(two, _mm_shuffle_epi32::<0b01>(two));
    _mm512_mask_add_epi32(sums, 1 << lane, sums, _mm512_broadcastd_epi32(one))
}

/// Sums of the codes where a plane has a bit.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
fn one(bits: &[[u8; 8]], codes: &[[i8; 64]]) -> __m512i {
    let (mut even, mut odd) = (_mm512_setzero_si512(), _mm512_setzero_si512());
    for (bits, codes) in bits.as_chunks::<2>().0.iter().zip(codes.as_chunks::<2>().0) {
        even = add(even, &bits[0], &codes[0], 1);
        odd = add(odd, &bits[1], &codes[1], 1);
    }
    _mm512_add_epi32(even, odd)
}

/// Sums over three planes, of which each counts half of the one before.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
fn three(bits: &[[u8; 8]], codes: &[[i8; 64]]) -> __m512i {
    let (first, rest) = bits.split_at(codes.len());
    let (second, third) = rest.split_at(codes.len());
    let [mut fours, mut twos, mut ones] = [_mm512_setzero_si512(); 3];
    for (((first, second), third), codes) in first.iter().zip(second).zip(third).zip(codes) {
        fours = add(fours, first, codes, 4);
        twos = add(twos, second, codes, 2);
        ones = add(ones, third, codes, 1);
    }
    _mm512_add_epi32(_mm512_add_epi32(fours, twos), ones)
}

/// Adds codes to sums, those that have a bit, times what a bit is worth.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
fn add(sums: __m512i, bits: &[u8; 8], codes: &[i8; 64], worth: i8) -> __m512i {
    // SAFETY: 64 codes, and the load asks for no alignment.
    let codes = unsafe { _mm512_loadu_si512(codes.as_ptr().cast()) };
    let worth = _mm512_maskz_mov_epi8(u64::from_le_bytes(*bits), _mm512_set1_epi8(worth));
    _mm512_dpbusd_epi32(sums, worth, codes)
}
