//! Vectors as bytes, and what a similarity computed from bytes can be at most.
//!
//! # Codes
//! A row `x` becomes bytes `c` with one scale `s = max|x| / 127.5`; byte `c` stands for `s (c - 127.5)`. The
//! high nibble `h` alone stands for the middle of its sixteen bytes, `16 s (h - 7.5)`. Write `y` for what
//! either stands for, and store the length of `x - y`, its *residual*. A probe `q` becomes signed bytes `p` with
//! one scale `t = max|q| / 127`; write `z = t p`.
//!
//! # The bound
//! `<q, x> = <z, y> + <z, x - y> + <q - z, x>`, so by Cauchy and Schwarz
//!
//! ```text
//! <q, x>  <=  <z, y> + |z| |x - y| + |q - z| |x|
//! ```
//!
//! `<z, y>` is a sum of integers, `8 t s (2 sum(p h) - 15 sum(p))` for nibbles and
//! `t s / 2 (2 sum(p c) - 255 sum(p))` for bytes, exact in 32 bits up to [`MAX_DIMENSION`] values.
//!
//! # Rounding
//! With `u = 2^-24` and `n` values. Lengths of embeddings are at most 1.0006 ([`Embedding`] holds their
//! squares to 1 within 0.001).
//!
//! - The similarity that is reported is computed in `f32` with at most `n + 8` roundings on the way of any
//!   product to the sum; it is off by no more than `(n + 8) u / (1 - (n + 8) u) |q| |x| < 1.01 (n + 8) u`, and by
//!   `n 2^-149` where products underflow. Its clamp to -1..=1 moves it away from no threshold in that range.
//! - The bound is computed in `f32` as [`Reach::of`] does: one rounding of the integer, three products, two
//!   sums, none of which underflows to matter. It is off by less than `6 u (|<z, y>| + |z| |x - y|)`, where
//!   `|<z, y>| <= |z| (1.0006 + |x - y|)` and `|z| < 2`; that is below
//!   `13 u + 12 u |z| |x - y|`.
//! - Residuals, norms and the slack are summed in `f64` and rounded to `f32`: off by less than `2 u` of
//!   themselves.
//!
//! So residuals are stored longer by one part in 2^18 (`64 u`, more than `12 u + 4 u`), norms by one part in
//! 2^20, and [`Probe::new`] adds `(n + 64) 2 u` to the slack, more than `1.01 (n + 8) u + 13 u`, what underflows, and
//! the rounding of the slack itself. Hence the bound, as computed, is never below the similarity, as
//! computed; and a row whose bound is below what is wanted can be passed over without a look at it.

use zeroize::Zeroize;

use crate::vector::simd::{Line, MAX_DIMENSION, PROBE_PAD, Reach, coarse_lines};

/// What a row's codes leave out: the scale, and the lengths of what is missing.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Missing {
    pub(super) scale: f32,
    /// With high nibbles only.
    pub(super) coarse: f32,
    /// With both.
    pub(super) fine: f32,
}

/// A probe in bytes, with its bounds; wiped when dropped.
pub(super) struct Probe {
    pub(super) codes: Vec<i8>,
    pub(super) coarse: Reach,
    pub(super) fine: Reach,
}

/// Writes the codes of `vector`: into column `lane` of a block, and as a line of low nibbles.
pub(super) fn encode(vector: &[f32], block: &mut [Line], lane: usize, low: &mut [Line]) -> Missing {
    debug_assert!(vector.len() <= MAX_DIMENSION && block.len() == coarse_lines(vector.len()));
    let most = vector.iter().fold(0.0_f32, |most, value| most.max(value.abs()));
    let scale = most / 127.5;
    let (mut coarse, mut fine) = (0.0_f64, 0.0_f64);
    let mut nibbles = |value: f32| {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "saturates; whatever the code is, the residual is measured from it"
        )]
        let code = (value / scale + 128.0) as u8;
        let (value, scale) = (f64::from(value), f64::from(scale));
        coarse += (value - scale * (16.0 * f64::from(code >> 4) - 120.0)).powi(2);
        fine += (value - scale * (f64::from(code) - 127.5)).powi(2);
        (code >> 4, code & 15)
    };
    for (group, values) in vector.chunks(8).enumerate() {
        let mut high = [0; 8];
        for (j, value) in values.iter().enumerate() {
            let at = 8 * group + j;
            let nibble;
            (high[j], nibble) = nibbles(*value);
            let place = &mut low[at / 128][at % 64];
            *place = if at % 128 < 64 { nibble } else { *place | nibble << 4 };
        }
        for j in 0..4 {
            block[group][4 * lane + j] = high[j] | high[4 + j] << 4;
        }
    }
    let longer = |square: f64| up(square.sqrt() * (1.0 + 2_f64.powi(-18)));
    Missing { scale, coarse: longer(coarse), fine: longer(fine) }
}

impl Probe {
    pub(super) fn new(vector: &[f32]) -> Self {
        let most = vector.iter().fold(0.0_f32, |most, value| most.max(value.abs()));
        let scale = most / 127.0;
        let mut codes = vec![0_i8; vector.len().next_multiple_of(PROBE_PAD)];
        let (mut norm, mut error, mut total) = (0.0_f64, 0.0_f64, 0_i32);
        for (code, value) in codes.iter_mut().zip(vector) {
            #[expect(
                clippy::cast_possible_truncation,
                reason = "saturates; whatever the code is, the error is measured from it"
            )]
            {
                *code = (value / scale).round() as i8;
            }
            let meant = f64::from(scale) * f64::from(*code);
            norm += meant * meant;
            error += (f64::from(*value) - meant).powi(2);
            total += i32::from(*code);
        }
        #[expect(clippy::cast_precision_loss, reason = "at most 2^15 values")]
        let rounding = (vector.len() + 64) as f64 * 2_f64.powi(-23);
        let norm = up(norm.sqrt() * (1.0 + 2_f64.powi(-20)));
        let slack = up(error.sqrt() * 1.001 + rounding);
        Self {
            codes,
            coarse: Reach { offset: 15 * total, scale: 8.0 * scale, norm, slack },
            fine: Reach { offset: 255 * total, scale: 0.5 * scale, norm, slack },
        }
    }
}

impl Drop for Probe {
    fn drop(&mut self) {
        self.codes.zeroize();
    }
}

/// To the nearest `f32`; callers leave room for the rounding.
#[expect(clippy::cast_possible_truncation, reason = "lengths of parts of unit vectors")]
fn up(value: f64) -> f32 {
    value as f32
}
