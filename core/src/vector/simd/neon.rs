//! NEON, and its dot products where present (Raspberry Pi 5, phones since 2018): 4 rows a register.

use std::arch::aarch64::*;
use std::arch::asm;

use super::scalar::{self, by_segments, finish};
use super::{Found, LANES, Line, Planes, Rest, Rows, Sought};

/// # Safety
/// The processor has NEON; lengths are those [`super::Kernel::coarse`] asserts.
#[target_feature(enable = "neon")]
pub(super) unsafe fn coarse(
    blocks: &[Line],
    lines: usize,
    rows: &[Rows],
    probes: &[Sought<'_>],
    found: &mut [Found],
) {
    let blocks = blocks.chunks_exact(lines).zip(rows);
    for ((block, rows), found) in blocks.zip(found.chunks_exact_mut(probes.len())) {
        for (probe, found) in probes.iter().zip(found) {
            let mut sums = [vdupq_n_s32(0); 4];
            for (line, codes) in block.iter().zip(probe.codes.as_chunks::<8>().0) {
                let (first, second) = broadcast(codes);
                let (first, second) = (vget_low_s8(first), vget_low_s8(second));
                for (rows, sum) in line.as_chunks::<16>().0.iter().zip(&mut sums) {
                    let (low, high) = nibbles(rows);
                    // Two products a 16-bit sum: 2 * 15 * 128 = 3,840 fits.
                    let left = vmull_s8(vget_low_s8(low), first);
                    let left = vmlal_s8(left, vget_low_s8(high), second);
                    let right = vmull_s8(vget_high_s8(low), first);
                    let right = vmlal_s8(right, vget_high_s8(high), second);
                    *sum = vaddq_s32(*sum, vpaddq_s32(vpaddlq_s16(left), vpaddlq_s16(right)));
                }
            }
            *found = outcome(sums, rows, probe);
        }
    }
}

/// # Safety
/// The processor has NEON with dot products; lengths are those [`super::Kernel::coarse`] asserts.
#[target_feature(enable = "neon,dotprod")]
pub(super) unsafe fn coarse_dot(
    blocks: &[Line],
    lines: usize,
    rows: &[Rows],
    probes: &[Sought<'_>],
    found: &mut [Found],
) {
    let blocks = blocks.chunks_exact(lines).zip(rows);
    for ((block, rows), found) in blocks.zip(found.chunks_exact_mut(probes.len())) {
        for (probe, found) in probes.iter().zip(found) {
            let mut sums = [vdupq_n_s32(0); 4];
            for (line, codes) in block.iter().zip(probe.codes.as_chunks::<8>().0) {
                let (first, second) = broadcast(codes);
                for (rows, sum) in line.as_chunks::<16>().0.iter().zip(&mut sums) {
                    let (low, high) = nibbles(rows);
                    *sum = add_products(add_products(*sum, low, first), high, second);
                }
            }
            *found = outcome(sums, rows, probe);
        }
    }
}

/// `sums` plus, in each lane, four products of bytes. The intrinsic of the instruction is not stable yet.
#[inline]
#[target_feature(enable = "neon,dotprod")]
fn add_products(mut sums: int32x4_t, a: int8x16_t, b: int8x16_t) -> int32x4_t {
    // SAFETY: the instruction works on the three registers alone, and the function may only be called where
    // the processor has it.
    unsafe {
        asm!(
            "sdot {sums:v}.4s, {a:v}.16b, {b:v}.16b",
            sums = inout(vreg) sums, a = in(vreg) a, b = in(vreg) b,
            options(pure, nomem, nostack, preserves_flags),
        );
    }
    sums
}

/// The two groups of four codes, each in all lanes.
#[inline]
#[target_feature(enable = "neon")]
fn broadcast(codes: &[i8; 8]) -> (int8x16_t, int8x16_t) {
    let [a, b, c, d, e, f, g, h] = codes.map(i8::cast_unsigned);
    let first = vdupq_n_s32(i32::from_le_bytes([a, b, c, d]));
    let second = vdupq_n_s32(i32::from_le_bytes([e, f, g, h]));
    (vreinterpretq_s8_s32(first), vreinterpretq_s8_s32(second))
}

/// Low and high nibbles, 0..=15.
#[inline]
#[target_feature(enable = "neon")]
fn nibbles(codes: &[u8; 16]) -> (int8x16_t, int8x16_t) {
    // SAFETY: 16 bytes, and the load asks for no alignment.
    let codes = unsafe { vld1q_u8(codes.as_ptr()) };
    let low = vandq_u8(codes, vdupq_n_u8(15));
    (vreinterpretq_s8_u8(low), vreinterpretq_s8_u8(vshrq_n_u8::<4>(codes)))
}

#[inline]
#[target_feature(enable = "neon")]
fn outcome(wide: [int32x4_t; 4], rows: &Rows, probe: &Sought<'_>) -> Found {
    let mut sums = [0; LANES];
    for (four, sums) in wide.iter().zip(sums.as_chunks_mut::<4>().0) {
        // SAFETY: the place has four sums.
        unsafe { vst1q_s32(sums.as_mut_ptr(), *four) };
    }
    scalar::outcome(sums, rows, probe)
}

/// # Safety
/// The processor has NEON; lengths are those [`super::Kernel::closer`] asserts.
#[target_feature(enable = "neon")]
pub(super) unsafe fn closer(planes: Planes<'_>, probe: &Sought<'_>, rest: &mut Rest) {
    by_segments(planes, probe, rest, |bits, codes| segment(bits, codes));
}

/// The sum of the codes where a segment has a bit.
#[inline]
#[target_feature(enable = "neon")]
fn segment(bits: &[u8], codes: &[i8]) -> i32 {
    let mut sum = vdupq_n_s32(0);
    let mut bit = vdupq_n_u8(1);
    for codes in codes.chunks_exact(bits.len()) {
        for (bits, codes) in bits.as_chunks::<16>().0.iter().zip(codes.as_chunks::<16>().0) {
            // SAFETY: 16 bytes, and 16 codes.
            let (bits, codes) = unsafe { (vld1q_u8(bits.as_ptr()), vld1q_s8(codes.as_ptr())) };
            let mask = vreinterpretq_s8_u8(vtstq_u8(bits, bit));
            sum = vpadalq_s16(sum, vpaddlq_s8(vandq_s8(codes, mask)));
        }
        bit = vaddq_u8(bit, bit);
    }
    vaddvq_s32(sum)
}

/// # Safety
/// The processor has NEON.
#[target_feature(enable = "neon")]
pub(super) unsafe fn dot(a: &[f32], b: &[f32]) -> f32 {
    let (a, a_rest) = a.as_chunks::<32>();
    let (b, b_rest) = b.as_chunks::<32>();
    let mut sums = [vdupq_n_f32(0.0); 8];
    for (a, b) in a.iter().zip(b) {
        for (at, sum) in sums.iter_mut().enumerate() {
            // SAFETY: of 32 values four from `4 at` on, where `at` is 7 at most.
            let (a, b) =
                unsafe { (vld1q_f32(a.as_ptr().add(4 * at)), vld1q_f32(b.as_ptr().add(4 * at))) };
            // A product and a sum, each rounded: a fused one would give other bits than the oracle.
            *sum = vaddq_f32(*sum, vmulq_f32(a, b));
        }
    }
    // The halves of eight sums each, in the order of the oracle.
    let [left, right] = [0, 1].map(|half| {
        let [first, second, third, fourth] = [0, 2, 4, 6].map(|at| sums[at + half]);
        vaddq_f32(vaddq_f32(first, second), vaddq_f32(third, fourth))
    });
    let mut sums = [0.0; 8];
    // SAFETY: the array is of eight values; the stores are of four, at 0 and at 4.
    unsafe {
        vst1q_f32(sums.as_mut_ptr(), left);
        vst1q_f32(sums.as_mut_ptr().add(4), right);
    }
    finish(sums, a_rest, b_rest)
}
