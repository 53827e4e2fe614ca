//! Sums over vectors with the processor's widest instructions: the only module with `unsafe`.
//!
//! Every kernel gives the same bits as [`scalar`], whose few lines say what is computed.
//!
//! # Layout of codes
//! A code is a byte a value. Its high nibble is kept apart from its low one, so that a scan reads half:
//!
//! - *coarse*: high nibbles of [`LANES`] rows together. Byte `4r + j` of line `g` holds row `r`, values
//!   `8g + j` (low nibble) and `8g + 4 + j` (high nibble).
//! - *planes*: the bits behind, row by row, one of each value in a plane, the greatest first. Bit `j` of byte `b` of a
//!   plane is value `8b + j`.
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
    /// Sums of probe times high nibble, or times as many bits of codes as were looked at.
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

    /// Adds the next bits of codes to what is known of the found rows of a block: `bits` are its planes, equally many of
    /// each row. Those that can still reach the floor keep their bit, with the sum over so many bits.
    ///
    /// # Panics
    /// When the lengths do not fit each other.
    pub(crate) fn closer(
        self,
        bits: &[u8],
        rows: Lengths<'_>,
        probe: &Sought<'_>,
        found: &mut Found,
    ) {
        assert!(!probe.codes.is_empty() && probe.codes.len().is_multiple_of(PROBE_PAD));
        assert!(bits.len().is_multiple_of(LANES * probe.codes.len() / 8));
        match self.0 {
            Set::Scalar => scalar::closer(bits, rows, probe, found),
            #[cfg(target_arch = "x86_64")]
            // SAFETY: in all arms, `available` saw the instructions on this processor. Memory is reached through
            // slices, whose lengths, asserted above, are all that the kernels rely on.
            Set::Avx2 | Set::AvxVnni => unsafe { avx2::closer(bits, rows, probe, found) },
            #[cfg(target_arch = "x86_64")]
            // SAFETY: as above.
            Set::Avx512Vnni => unsafe { avx512::closer(bits, rows, probe, found) },
            #[cfg(target_arch = "aarch64")]
            // SAFETY: as above.
            Set::Neon | Set::NeonDot => unsafe { neon::closer(bits, rows, probe, found) },
        }
    }

    /// Which rows of a block can reach the floor, by their sums over as many bits as `probe` and `rows` are for.
    pub(crate) fn reaching(
        self,
        sums: &[i32; LANES],
        rows: Lengths<'_>,
        probe: &Sought<'_>,
    ) -> u16 {
        match self.0 {
            #[cfg(target_arch = "x86_64")]
            // SAFETY: in both arms, `available` saw the instructions on this processor.
            Set::Avx2 | Set::AvxVnni => unsafe { avx2::reaching(sums, rows, probe) },
            #[cfg(target_arch = "x86_64")]
            // SAFETY: as above.
            Set::Avx512Vnni => unsafe { avx512::reaching(sums, rows, probe) },
            _ => scalar::reaching(sums, rows, probe),
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
