//! Sums over vectors with the processor's widest instructions: the only module with `unsafe`.
//!
//! Every kernel gives the same bits as [`scalar`], whose few lines say what is computed.
//!
//! # Layout of codes
//! A code is a byte a value. Its high nibble is kept apart from its low one, so that a scan reads half:
//!
//! - *coarse*: high nibbles of [`LANES`] rows together. Byte `4r + j` of line `g` holds row `r`, values
//!   `8g + j` (low nibble) and `8g + 4 + j` (high nibble).
//! - *planes*: the bits behind, row by row, one of each value in a plane, the greatest first. A plane is cut into
//!   [`segments`]; bit `j` of byte `b` of a segment of `n` bytes is its value `n j + b`.
//!
//! A probe is signed bytes, padded with zeros to a multiple of [`PROBE_PAD`]; so what rows hold past the last
//! value counts nothing.

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
#[cfg(target_arch = "aarch64")]
mod neon;
mod scalar;

use std::fmt;
use std::ops::Range;
use std::sync::OnceLock;

/// Rows scored together.
pub(crate) const LANES: usize = 16;

/// Values a probe is padded to a multiple of.
pub(crate) const PROBE_PAD: usize = 128;

/// Values at most: `2 * 255 * 128 * MAX_DIMENSION`, the largest sum over whole codes doubled, is below 2^31, and so are
/// those over fewer bits and what kernels make on the way to them.
pub(crate) const MAX_DIMENSION: usize = 32_768;

/// Codes as they lie in memory.
pub(crate) type Line = [u8; 64];

/// Lines of a block of [`LANES`] rows.
pub(crate) const fn coarse_lines(dimension: usize) -> usize {
    dimension.div_ceil(8)
}

/// Bytes of a row's plane.
pub(crate) const fn plane_bytes(dimension: usize) -> usize {
    dimension.div_ceil(PROBE_PAD) * (PROBE_PAD / 8)
}

/// The parts of a plane of so many bytes: of 64 bytes, then of 32 and of 16. What a kernel reads at once has the same
/// bit of values that lie side by side.
pub(crate) fn segments(bytes: usize) -> impl Iterator<Item = Range<usize>> {
    debug_assert!(bytes.is_multiple_of(16));
    let next = move |part: &Range<usize>| {
        let size = [64, 32, 16].into_iter().find(|size| part.end + size <= bytes)?;
        Some(part.end..part.end + size)
    };
    std::iter::successors(next(&(0..0)), next)
}

/// How a sum over codes becomes the greatest similarity the row can have.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reach {
    /// Taken from the doubled sum.
    pub(crate) offset: i32,
    /// Of the probe; multiplied with the row's.
    pub(crate) scale: f32,
    /// Of the probe's codes; multiplied with the row's residual.
    pub(crate) norm: f32,
    /// What does not depend on the row.
    pub(crate) slack: f32,
}

/// Of each of [`LANES`] rows: the scale of its codes, and the length of what they leave out.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Rows {
    pub(crate) scales: [f32; LANES],
    pub(crate) residuals: [f32; LANES],
}

/// Rows that are left of some blocks, side by side: the first `count` of each list. What is behind is of no meaning, and
/// spares the lists from being filled again.
#[derive(Debug, Default)]
pub(crate) struct Rest {
    pub(crate) count: usize,
    /// Their numbers.
    pub(crate) rows: Vec<u32>,
    /// Of each the sum over the bits that were looked at.
    pub(crate) sums: Vec<i32>,
    pub(crate) scales: Vec<f32>,
    /// What is left out by the bits that are looked at next.
    pub(crate) residuals: Vec<f32>,
}

impl Rest {
    /// Makes the lists so long, if they are not.
    fn reserve(&mut self, places: usize) {
        if self.rows.len() < places {
            self.rows.resize(places, 0);
            self.sums.resize(places, 0);
            self.scales.resize(places, 0.0);
            self.residuals.resize(places, 0.0);
        }
    }
}

/// Bits of many rows behind the first: `count` planes of each.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Planes<'a> {
    pub(crate) bits: &'a [u8],
    pub(crate) count: usize,
}

impl<'a> Planes<'a> {
    /// Those of a row, for a probe of so many codes.
    #[inline(always)]
    pub(crate) fn of(self, row: usize, codes: usize) -> &'a [u8] {
        let bytes = self.count * codes / 8;
        &self.bits[row * bytes..][..bytes]
    }
}

/// Scales and residuals of a block's rows.
pub(crate) type Lengths<'a> = (&'a [f32; LANES], &'a [f32; LANES]);

/// A probe, and what its rows must reach.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sought<'a> {
    /// Signed bytes, padded.
    pub(crate) codes: &'a [i8],
    pub(crate) reach: Reach,
    /// Rows that reach less are not wanted.
    pub(crate) floor: f32,
}

/// Rows of one block that one probe may want.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Found {
    /// Bit `r` is set when row `r` can reach the floor.
    pub(crate) rows: u16,
    /// Bit `r` is set when the first bits of row `r` alone reach it, whatever they leave out.
    pub(crate) likely: u16,
    /// Sums of probe times high nibble.
    pub(crate) sums: [i32; LANES],
}

impl Reach {
    /// The bound itself. Five roundings in this order, in every kernel.
    #[inline(always)]
    pub(crate) fn of(&self, sum: i32, scale: f32, residual: f32) -> f32 {
        self.middle(sum, scale) + self.norm * residual + self.slack
    }

    /// The other end: the similarity is not below it.
    pub(crate) fn least(&self, sum: i32, scale: f32, residual: f32) -> f32 {
        self.middle(sum, scale) - self.norm * residual - self.slack
    }

    /// What the bits that were summed stand for.
    #[inline(always)]
    fn middle(&self, sum: i32, scale: f32) -> f32 {
        #[expect(clippy::cast_precision_loss, reason = "the slack has room for it")]
        let doubled = (2 * sum - self.offset) as f32;
        self.scale * scale * doubled
    }
}

impl Found {
    /// The numbers of the rows.
    #[inline]
    pub(crate) fn lanes(&self) -> impl Iterator<Item = usize> + use<> {
        let rest = |rows: &u16| Some(rows & (rows - 1)).filter(|rows| *rows != 0);
        std::iter::successors(Some(self.rows).filter(|rows| *rows != 0), rest)
            .map(|rows| rows.trailing_zeros() as usize)
    }
}

/// One set of instructions. A value exists only where the processor has them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Kernel(Set);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Set {
    Scalar,
    #[cfg(target_arch = "x86_64")]
    Avx2,
    #[cfg(target_arch = "x86_64")]
    AvxVnni,
    #[cfg(target_arch = "x86_64")]
    Avx512Vnni,
    #[cfg(target_arch = "aarch64")]
    Neon,
    #[cfg(target_arch = "aarch64")]
    NeonDot,
}

impl Kernel {
    /// The fastest on this processor.
    pub(crate) fn best() -> Self {
        static BEST: OnceLock<Kernel> = OnceLock::new();
        *BEST.get_or_init(|| Self::available().pop().unwrap_or(Self(Set::Scalar)))
    }

    /// All on this processor, the fastest last.
    pub(crate) fn available() -> Vec<Self> {
        let mut found = vec![Self(Set::Scalar)];
        #[cfg(target_arch = "x86_64")]
        if is_x86_feature_detected!("avx2") {
            found.push(Self(Set::Avx2));
            if is_x86_feature_detected!("avxvnni") {
                found.push(Self(Set::AvxVnni));
            }
            if is_x86_feature_detected!("avx512f")
                && is_x86_feature_detected!("avx512bw")
                && is_x86_feature_detected!("avx512vnni")
            {
                found.push(Self(Set::Avx512Vnni));
            }
        }
        #[cfg(target_arch = "aarch64")]
        if std::arch::is_aarch64_feature_detected!("neon") {
            found.push(Self(Set::Neon));
            if std::arch::is_aarch64_feature_detected!("dotprod") {
                found.push(Self(Set::NeonDot));
            }
        }
        found
    }

    /// Scores blocks of [`LANES`] rows, each of `lines` lines, against every probe. `found` has a place for
    /// each block and probe: all probes of the first block, then of the second.
    ///
    /// # Panics
    /// When the lengths do not fit each other.
    pub(crate) fn coarse(
        self,
        blocks: &[Line],
        lines: usize,
        rows: &[Rows],
        probes: &[Sought<'_>],
        found: &mut [Found],
    ) {
        assert_eq!(blocks.len(), lines * rows.len());
        assert_eq!(found.len(), rows.len() * probes.len());
        assert!(probes.iter().all(|probe| probe.codes.len() >= 8 * lines));
        match self.0 {
            Set::Scalar => scalar::coarse(blocks, lines, rows, probes, found),
            #[cfg(target_arch = "x86_64")]
            // SAFETY: in all arms, `available` saw the instructions on this processor. Memory is reached through
            // slices, whose lengths, asserted above, are all that the kernels rely on.
            Set::Avx2 => unsafe { avx2::coarse(blocks, lines, rows, probes, found) },
            #[cfg(target_arch = "x86_64")]
            // SAFETY: as above.
            Set::AvxVnni => unsafe { avx2::coarse_vnni(blocks, lines, rows, probes, found) },
            #[cfg(target_arch = "x86_64")]
            // SAFETY: as above.
            Set::Avx512Vnni => unsafe { avx512::coarse(blocks, lines, rows, probes, found) },
            #[cfg(target_arch = "aarch64")]
            // SAFETY: as above.
            Set::Neon => unsafe { neon::coarse(blocks, lines, rows, probes, found) },
            #[cfg(target_arch = "aarch64")]
            // SAFETY: as above.
            Set::NeonDot => unsafe { neon::coarse_dot(blocks, lines, rows, probes, found) },
        }
    }

    /// Makes `rest` of the `found` rows of blocks, of which the first is number `first`, those that reach the probe's
    /// floor, which may be higher than the one they were found by. Every `step`th of `found` is of the probe. `next` are
    /// the residuals for the bits that are looked at next.
    pub(crate) fn reaching(
        self,
        (found, step): (&[Found], usize),
        first: usize,
        blocks: &[Rows],
        next: &[[f32; LANES]],
        probe: &Sought<'_>,
        rest: &mut Rest,
    ) {
        let found = (found, step);
        match self.0 {
            #[cfg(target_arch = "x86_64")]
            // SAFETY: in both arms, `available` saw the instructions on this processor.
            Set::Avx2 | Set::AvxVnni => unsafe {
                avx2::reaching(found, first, blocks, next, probe, rest);
            },
            #[cfg(target_arch = "x86_64")]
            // SAFETY: as above.
            Set::Avx512Vnni => unsafe { avx512::reaching(found, first, blocks, next, probe, rest) },
            _ => scalar::reaching(found, first, blocks, next, probe, rest),
        }
    }

    /// Adds the next bits of codes to what is known of the rows that are left. Those stay that can still reach the floor.
    ///
    /// # Panics
    /// When the lengths do not fit each other, or a row has no planes.
    pub(crate) fn closer(self, planes: Planes<'_>, probe: &Sought<'_>, rest: &mut Rest) {
        assert!(!probe.codes.is_empty() && probe.codes.len().is_multiple_of(PROBE_PAD));
        match self.0 {
            Set::Scalar => scalar::closer(planes, probe, rest),
            #[cfg(target_arch = "x86_64")]
            // SAFETY: in all arms, `available` saw the instructions on this processor. Memory is reached through
            // slices, whose lengths, asserted above, are all that the kernels rely on.
            Set::Avx2 | Set::AvxVnni => unsafe { avx2::closer(planes, probe, rest) },
            #[cfg(target_arch = "x86_64")]
            // SAFETY: as above.
            Set::Avx512Vnni => unsafe { avx512::closer(planes, probe, rest) },
            #[cfg(target_arch = "aarch64")]
            // SAFETY: as above.
            Set::Neon | Set::NeonDot => unsafe { neon::closer(planes, probe, rest) },
        }
    }

    /// Asks for `values` to be brought near, for what comes a little later.
    pub(crate) fn prefetch<T>(values: &[T]) {
        #[cfg(target_arch = "x86_64")]
        for line in values.chunks(size_of::<Line>() / size_of::<T>().clamp(1, size_of::<Line>())) {
            use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
            // SAFETY: every x86-64 has the instruction, which neither reads nor writes nor faults.
            unsafe { _mm_prefetch::<_MM_HINT_T0>(line.as_ptr().cast()) };
        }
        #[cfg(not(target_arch = "x86_64"))]
        let _ = values;
    }

    /// The sum of products over the values both have: 32 running sums added up in a fixed order, then
    /// what is left over, so that every kernel gives the same bits.
    pub(crate) fn dot(self, a: &[f32], b: &[f32]) -> f32 {
        match self.0 {
            Set::Scalar => scalar::dot(a, b),
            #[cfg(target_arch = "x86_64")]
            // SAFETY: in all arms, `available` saw the instructions on this processor.
            Set::Avx2 | Set::AvxVnni | Set::Avx512Vnni => unsafe { avx2::dot(a, b) },
            #[cfg(target_arch = "aarch64")]
            // SAFETY: as above.
            Set::Neon | Set::NeonDot => unsafe { neon::dot(a, b) },
        }
    }
}

impl fmt::Display for Kernel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            Set::Scalar => "scalar",
            #[cfg(target_arch = "x86_64")]
            Set::Avx2 => "AVX2",
            #[cfg(target_arch = "x86_64")]
            Set::AvxVnni => "AVX-VNNI",
            #[cfg(target_arch = "x86_64")]
            Set::Avx512Vnni => "AVX-512 VNNI",
            #[cfg(target_arch = "aarch64")]
            Set::Neon => "NEON",
            #[cfg(target_arch = "aarch64")]
            Set::NeonDot => "NEON dotprod",
        })
    }
}

#[cfg(all(test, feature = "gallery"))]
mod tests;
