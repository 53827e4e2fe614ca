//! AVX2, and AVX-VNNI where present: 32 products of bytes an instruction, 8 rows a register.

use std::arch::x86_64::*;

use super::scalar::{self, by_segments, finish};
use super::{Found, LANES, Line, Planes, Rest, Rows, Sought};

/// Lines whose products fit 16 bits: of each line two pairs of nibble (0..=15) times code (-128..=127) are
/// added to a 16-bit sum, 4 * 2 * 2 * 15 * 128 = 30,720.
const LINES: usize = 4;

/// # Safety
/// The processor has AVX2; lengths are those [`super::Kernel::coarse`] asserts.
#[target_feature(enable = "avx2")]
pub(super) unsafe fn coarse(
    blocks: &[Line],
    lines: usize,
    rows: &[Rows],
    probes: &[Sought<'_>],
    found: &mut [Found],
) {
    let nibble = _mm256_set1_epi8(15);
    let ones = _mm256_set1_epi16(1);
    let blocks = blocks.chunks_exact(lines).zip(rows);
    for ((block, rows), found) in blocks.zip(found.chunks_exact_mut(probes.len())) {
        for (probe, found) in probes.iter().zip(found) {
            let mut wide = [_mm256_setzero_si256(); 2];
            let codes = probe.codes.chunks(8 * LINES);
            for (few, codes) in block.chunks(LINES).zip(codes) {
                let mut narrow = [_mm256_setzero_si256(); 2];
                for (line, codes) in few.iter().zip(codes.as_chunks::<8>().0) {
                    let (first, second) = broadcast(codes);
                    for (half, sum) in line.as_chunks::<32>().0.iter().zip(&mut narrow) {
                        // SAFETY: a half is 32 bytes, and the load asks for no alignment.
                        let rows = unsafe { _mm256_loadu_si256(half.as_ptr().cast()) };
                        let low = _mm256_and_si256(rows, nibble);
                        let high = _mm256_and_si256(_mm256_srli_epi16::<4>(rows), nibble);
                        let pairs = _mm256_add_epi16(
                            _mm256_maddubs_epi16(low, first),
                            _mm256_maddubs_epi16(high, second),
                        );
                        *sum = _mm256_add_epi16(*sum, pairs);
                    }
                }
                for (wide, narrow) in wide.iter_mut().zip(narrow) {
                    *wide = _mm256_add_epi32(*wide, _mm256_madd_epi16(narrow, ones));
                }
            }
            *found = outcome(wide, rows, probe);
        }
    }
}

/// # Safety
/// The processor has AVX2 and AVX-VNNI; lengths are those [`super::Kernel::coarse`] asserts.
#[target_feature(enable = "avx2,avxvnni")]
pub(super) unsafe fn coarse_vnni(
    blocks: &[Line],
    lines: usize,
    rows: &[Rows],
    probes: &[Sought<'_>],
    found: &mut [Found],
) {
    let nibble = _mm256_set1_epi8(15);
    let blocks = blocks.chunks_exact(lines).zip(rows);
    for ((block, rows), found) in blocks.zip(found.chunks_exact_mut(probes.len())) {
        for (probe, found) in probes.iter().zip(found) {
            let mut even = [_mm256_setzero_si256(); 2];
            let mut odd = [_mm256_setzero_si256(); 2];
            for (line, codes) in block.iter().zip(probe.codes.as_chunks::<8>().0) {
                let (first, second) = broadcast(codes);
                for half in 0..2 {
                    // SAFETY: a line is 64 bytes, a half 32, and the load asks for no alignment.
                    let rows = unsafe { _mm256_loadu_si256(line.as_ptr().add(32 * half).cast()) };
                    let low = _mm256_and_si256(rows, nibble);
                    let high = _mm256_and_si256(_mm256_srli_epi16::<4>(rows), nibble);
                    even[half] = _mm256_dpbusd_avx_epi32(even[half], low, first);
                    odd[half] = _mm256_dpbusd_avx_epi32(odd[half], high, second);
                }
            }
            let sums = [_mm256_add_epi32(even[0], odd[0]), _mm256_add_epi32(even[1], odd[1])];
            *found = outcome(sums, rows, probe);
        }
    }
}

/// The two groups of four codes, each in all lanes.
#[inline]
#[target_feature(enable = "avx2")]
fn broadcast(codes: &[i8; 8]) -> (__m256i, __m256i) {
    let [a, b, c, d, e, f, g, h] = codes.map(i8::cast_unsigned);
    let first = i32::from_le_bytes([a, b, c, d]);
    let second = i32::from_le_bytes([e, f, g, h]);
    (_mm256_set1_epi32(first), _mm256_set1_epi32(second))
}

#[inline]
#[target_feature(enable = "avx2")]
fn outcome(wide: [__m256i; 2], rows: &Rows, probe: &Sought<'_>) -> Found {
    let mut sums = [0; LANES];
    for (half, sums) in wide.iter().zip(sums.as_chunks_mut::<8>().0) {
        // SAFETY: eight sums are 32 bytes, and the store asks for no alignment.
        unsafe { _mm256_storeu_si256(sums.as_mut_ptr().cast(), *half) };
    }
    scalar::outcome(sums, rows, probe)
}

/// # Safety
/// The processor has AVX2.
#[target_feature(enable = "avx2")]
pub(super) unsafe fn reaching(
    found: (&[Found], usize),
    first: usize,
    blocks: &[Rows],
    next: &[[f32; LANES]],
    probe: &Sought<'_>,
    rest: &mut Rest,
) {
    scalar::reaching(found, first, blocks, next, probe, rest);
}

/// # Safety
/// The processor has AVX2; lengths are those [`super::Kernel::closer`] asserts.
#[target_feature(enable = "avx2")]
pub(super) unsafe fn closer(planes: Planes<'_>, probe: &Sought<'_>, rest: &mut Rest) {
    by_segments(planes, probe, rest, |bits, codes| segment(bits, codes));
}

/// The sum of the codes where a segment has a bit.
#[inline]
#[target_feature(enable = "avx2")]
fn segment(bits: &[u8], codes: &[i8]) -> i32 {
    // Sums of 16 bits: of each group of 32 codes they grow by 256 at most, and a segment has 16 groups.
    let mut narrow = _mm256_setzero_si256();
    if let Some(bits) = bits.first_chunk::<64>() {
        let mut halves = [_mm256_setzero_si256(); 2];
        for (half, bits) in halves.iter_mut().zip(bits.as_chunks::<32>().0) {
            // SAFETY: 32 bytes, and the load asks for no alignment.
            *half = unsafe { _mm256_loadu_si256(bits.as_ptr().cast()) };
        }
        for codes in codes.as_chunks::<64>().0 {
            for (half, codes) in halves.iter_mut().zip(codes.as_chunks::<32>().0) {
                narrow = add(narrow, *half, codes);
                *half = _mm256_srli_epi16::<1>(*half);
            }
        }
    } else if let Some(bits) = bits.first_chunk::<32>() {
        // SAFETY: 32 bytes, and the load asks for no alignment.
        let mut bits = unsafe { _mm256_loadu_si256(bits.as_ptr().cast()) };
        for codes in codes.as_chunks::<32>().0 {
            narrow = add(narrow, bits, codes);
            bits = _mm256_srli_epi16::<1>(bits);
        }
    } else if let Some(bits) = bits.first_chunk::<16>() {
        // SAFETY: 16 bytes, and the load asks for no alignment.
        let twice = _mm256_broadcastsi128_si256(unsafe { _mm_loadu_si128(bits.as_ptr().cast()) });
        // One bit of all bytes, and the next one.
        let mut bits = _mm256_blend_epi32::<0xf0>(twice, _mm256_srli_epi16::<1>(twice));
        for codes in codes.as_chunks::<32>().0 {
            narrow = add(narrow, bits, codes);
            bits = _mm256_srli_epi16::<2>(bits);
        }
    }
    let eight = _mm256_madd_epi16(narrow, _mm256_set1_epi16(1));
    let four = _mm_add_epi32(_mm256_castsi256_si128(eight), _mm256_extracti128_si256::<1>(eight));
    let two = _mm_add_epi32(four, _mm_shuffle_epi32::<0b1110>(four));
    _mm_cvtsi128_si32(_mm_add_epi32(two, _mm_shuffle_epi32::<0b01>(two)))
}

/// Adds the codes whose byte's lowest bit is set.
#[inline]
#[target_feature(enable = "avx2")]
fn add(sums: __m256i, bits: __m256i, codes: &[i8; 32]) -> __m256i {
    // SAFETY: 32 codes, and the load asks for no alignment.
    let codes = unsafe { _mm256_loadu_si256(codes.as_ptr().cast()) };
    let ones = _mm256_and_si256(bits, _mm256_set1_epi8(1));
    _mm256_add_epi16(sums, _mm256_maddubs_epi16(ones, codes))
}

/// # Safety
/// The processor has AVX2.
#[target_feature(enable = "avx2")]
pub(super) unsafe fn dot(a: &[f32], b: &[f32]) -> f32 {
    let (a, a_rest) = a.as_chunks::<32>();
    let (b, b_rest) = b.as_chunks::<32>();
    let mut sums = [_mm256_setzero_ps(); 4];
    for (a, b) in a.iter().zip(b) {
        for (at, sum) in sums.iter_mut().enumerate() {
            // SAFETY: of 32 values eight from `8 at` on, where `at` is 3 at most; the loads ask for no alignment.
            let (a, b) = unsafe {
                let (a, b) = (a.as_ptr().add(8 * at), b.as_ptr().add(8 * at));
                (_mm256_loadu_ps(a), _mm256_loadu_ps(b))
            };
            // A product and a sum, each rounded: a fused one would give other bits than the oracle.
            *sum = _mm256_add_ps(*sum, _mm256_mul_ps(a, b));
        }
    }
    let [first, second, third, fourth] = sums;
    let eight = _mm256_add_ps(_mm256_add_ps(first, second), _mm256_add_ps(third, fourth));
    let mut sums = [0.0; 8];
    // SAFETY: the array is of eight values, and the store asks for no alignment.
    unsafe { _mm256_storeu_ps(sums.as_mut_ptr(), eight) };
    finish(sums, a_rest, b_rest)
}
