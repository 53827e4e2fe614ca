//! AVX-512 with VNNI: 64 products of bytes an instruction, 16 rows a register.

use std::arch::x86_64::*;

use super::scalar::refine;
use super::{Found, LANES, Lengths, Line, Rows, Sought};

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
    for p in 0..P {
        let sums = _mm512_add_epi32(even[p], odd[p]);
        found[p].rows = reaching(sums, &rows.scales, &rows.residuals, &probes[p]);
        // SAFETY: the array is 64 bytes, and the store asks for no alignment.
        unsafe { _mm512_storeu_si512(found[p].sums.as_mut_ptr().cast(), sums) };
    }
}

/// # Safety
/// The processor has AVX-512 F, BW and VNNI; lengths are those [`super::Kernel::fifth`] asserts.
#[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
pub(super) unsafe fn fifth(
    bits: &[Line],
    (scales, residuals): Lengths<'_>,
    probe: &Sought<'_>,
    found: &mut Found,
) {
    let masks: [_; 8] = std::array::from_fn(|bit| _mm512_set1_epi8((1_u8 << bit).cast_signed()));
    // Bit `i` counts 2^i in its own sum, which makes up for it in the end.
    let mut weighted = [_mm512_setzero_si512(); 8];
    for (line, codes) in bits.iter().zip(probe.codes.as_chunks::<32>().0) {
        // SAFETY: a line is 64 bytes, and the load asks for no alignment.
        let line = unsafe { _mm512_loadu_si512(line.as_ptr().cast()) };
        for (bit, sum) in weighted.iter_mut().enumerate() {
            // SAFETY: of 32 codes the four from `4 bit` on, and the read asks for no alignment.
            let four = unsafe { codes.as_ptr().cast::<i32>().add(bit).read_unaligned() };
            *sum = _mm512_dpbusd_epi32(
                *sum,
                _mm512_and_si512(line, masks[bit]),
                _mm512_set1_epi32(four),
            );
        }
    }
    // SAFETY: the array is 64 bytes, and the load asks for no alignment.
    let before = unsafe { _mm512_loadu_si512(found.sums.as_ptr().cast()) };
    let [a, b, c, d, e, f, g, h] = weighted;
    let low = _mm512_add_epi32(
        _mm512_add_epi32(a, _mm512_srai_epi32::<1>(b)),
        _mm512_add_epi32(_mm512_srai_epi32::<2>(c), _mm512_srai_epi32::<3>(d)),
    );
    let high = _mm512_add_epi32(
        _mm512_add_epi32(_mm512_srai_epi32::<4>(e), _mm512_srai_epi32::<5>(f)),
        _mm512_add_epi32(_mm512_srai_epi32::<6>(g), _mm512_srai_epi32::<7>(h)),
    );
    let sums = _mm512_add_epi32(_mm512_slli_epi32::<1>(before), _mm512_add_epi32(low, high));
    found.rows &= reaching(sums, scales, residuals, probe);
    // SAFETY: as above.
    unsafe { _mm512_storeu_si512(found.sums.as_mut_ptr().cast(), sums) };
}

/// Which rows can reach the probe's floor: [`Reach::of`](super::Reach::of), operation by operation.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
fn reaching(
    sums: __m512i,
    scales: &[f32; LANES],
    residuals: &[f32; LANES],
    probe: &Sought<'_>,
) -> u16 {
    const { assert!(size_of::<[f32; LANES]>() == 64) };
    // SAFETY: both arrays are 64 bytes, and the loads ask for no alignment.
    let (scales, residuals) =
        unsafe { (_mm512_loadu_ps(scales.as_ptr()), _mm512_loadu_ps(residuals.as_ptr())) };
    let reach = probe.reach;
    let doubled = _mm512_sub_epi32(_mm512_slli_epi32::<1>(sums), _mm512_set1_epi32(reach.offset));
    let scale = _mm512_mul_ps(_mm512_set1_ps(reach.scale), scales);
    let dot = _mm512_mul_ps(scale, _mm512_cvtepi32_ps(doubled));
    let residual = _mm512_mul_ps(_mm512_set1_ps(reach.norm), residuals);
    let most = _mm512_add_ps(_mm512_add_ps(dot, residual), _mm512_set1_ps(reach.slack));
    _mm512_cmp_ps_mask::<_CMP_GE_OQ>(most, _mm512_set1_ps(probe.floor))
}

/// # Safety
/// The processor has AVX-512 F, BW and VNNI; lengths are those [`super::Kernel::last`] asserts.
#[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
pub(super) unsafe fn last(bits: &[u8], rows: Lengths<'_>, probe: &Sought<'_>, found: &mut Found) {
    refine(bits, rows, probe, found, |bits, codes| plane(bits, codes));
}

/// The sum of the codes where a plane has a bit.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
fn plane(bits: &[u8], codes: &[i8]) -> i32 {
    let (mut even, mut odd) = (_mm512_setzero_si512(), _mm512_setzero_si512());
    let one = _mm512_set1_epi8(1);
    for (bits, codes) in bits.as_chunks::<16>().0.iter().zip(codes.as_chunks::<128>().0) {
        // SAFETY: 16 bytes, and 128 codes of which two times 64 are loaded; no load asks for alignment.
        let (first, second, low, high) = unsafe {
            let masks = bits.as_ptr().cast::<__mmask64>();
            (
                masks.read_unaligned(),
                masks.add(1).read_unaligned(),
                _mm512_loadu_si512(codes.as_ptr().cast()),
                _mm512_loadu_si512(codes.as_ptr().add(64).cast()),
            )
        };
        even = _mm512_dpbusd_epi32(even, _mm512_maskz_mov_epi8(first, one), low);
        odd = _mm512_dpbusd_epi32(odd, _mm512_maskz_mov_epi8(second, one), high);
    }
    _mm512_reduce_add_epi32(_mm512_add_epi32(even, odd))
}
