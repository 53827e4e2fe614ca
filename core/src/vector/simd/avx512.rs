//! AVX-512 with VNNI: 64 products of bytes an instruction, 16 rows a register.

use std::arch::x86_64::*;

use super::scalar::refine;
use super::{Found, LANES, Line, Rows, Sought};

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
            unsafe { block_probes(block, rows, probes, found) };
        }
        for (probe, found) in last_probes.iter().zip(last_found) {
            let (probe, found) = (std::array::from_ref(probe), std::array::from_mut(found));
            // SAFETY: the caller's promise, passed on.
            unsafe { block_probes(block, rows, probe, found) };
        }
    }
}

/// # Safety
/// As [`coarse`]: each probe has at least 8 codes for every line of the block.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
unsafe fn block_probes<const P: usize>(
    block: &[Line],
    rows: &Rows,
    probes: &[Sought<'_>; P],
    found: &mut [Found; P],
) {
    let nibble = _mm512_set1_epi8(15);
    // Two sums a probe, over even and odd groups of four values, keep the multipliers busy.
    let mut even = [_mm512_setzero_si512(); P];
    let mut odd = [_mm512_setzero_si512(); P];
    for (index, line) in block.iter().enumerate() {
        // SAFETY: a line is 64 bytes, and the load asks for no alignment.
        let codes = unsafe { _mm512_loadu_si512(line.as_ptr().cast()) };
        let low = _mm512_and_si512(codes, nibble);
        let high = _mm512_and_si512(_mm512_srli_epi16::<4>(codes), nibble);
        for p in 0..P {
            // SAFETY: the probe has 8 * (index + 1) codes at least, by the caller's promise; the two reads of
            // four bytes lie within them and ask for no alignment.
            let (first, second) = unsafe {
                let at = probes[p].codes.as_ptr().add(8 * index).cast::<i32>();
                (at.read_unaligned(), at.add(1).read_unaligned())
            };
            even[p] = _mm512_dpbusd_epi32(even[p], low, _mm512_set1_epi32(first));
            odd[p] = _mm512_dpbusd_epi32(odd[p], high, _mm512_set1_epi32(second));
        }
    }
    // SAFETY: both arrays are of 16 values, and the loads ask for no alignment.
    let (scales, residuals) = unsafe {
        (_mm512_loadu_ps(rows.scales.as_ptr()), _mm512_loadu_ps(rows.residuals.as_ptr()))
    };
    for p in 0..P {
        let sums = _mm512_add_epi32(even[p], odd[p]);
        let reach = probes[p].reach;
        let doubled =
            _mm512_sub_epi32(_mm512_slli_epi32::<1>(sums), _mm512_set1_epi32(reach.offset));
        let scale = _mm512_mul_ps(_mm512_set1_ps(reach.scale), scales);
        let dot = _mm512_mul_ps(scale, _mm512_cvtepi32_ps(doubled));
        let residual = _mm512_mul_ps(_mm512_set1_ps(reach.norm), residuals);
        let most = _mm512_add_ps(_mm512_add_ps(dot, residual), _mm512_set1_ps(reach.slack));
        found[p].rows = _mm512_cmp_ps_mask::<_CMP_GE_OQ>(most, _mm512_set1_ps(probes[p].floor));
        const { assert!(size_of_val(&[0_i32; LANES]) == 64) };
        // SAFETY: the array is 64 bytes, and the store asks for no alignment.
        unsafe { _mm512_storeu_si512(found[p].sums.as_mut_ptr().cast(), sums) };
    }
}

/// # Safety
/// The processor has AVX-512 F, BW and VNNI; lengths are those [`super::Kernel::fine`] asserts.
#[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
pub(super) unsafe fn fine(block: &[Line], rows: &Rows, probe: &Sought<'_>, found: &mut Found) {
    refine(block, rows, probe, found, |row| low(row, probe.codes));
}

/// The sum of a probe times the low nibbles of a row.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
fn low(row: &[Line], probe: &[i8]) -> i32 {
    let nibble = _mm512_set1_epi8(15);
    let mut first = _mm512_setzero_si512();
    let mut second = _mm512_setzero_si512();
    for (line, probe) in row.iter().zip(probe.as_chunks::<128>().0) {
        // SAFETY: the line is 64 bytes and the probe's part 128, and the loads ask for no alignment.
        let (codes, low, high) = unsafe {
            (
                _mm512_loadu_si512(line.as_ptr().cast()),
                _mm512_loadu_si512(probe.as_ptr().cast()),
                _mm512_loadu_si512(probe.as_ptr().add(64).cast()),
            )
        };
        first = _mm512_dpbusd_epi32(first, _mm512_and_si512(codes, nibble), low);
        let codes = _mm512_and_si512(_mm512_srli_epi16::<4>(codes), nibble);
        second = _mm512_dpbusd_epi32(second, codes, high);
    }
    _mm512_reduce_add_epi32(_mm512_add_epi32(first, second))
}
