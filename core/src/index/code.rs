//! Vectors as bytes, and what a similarity computed from bytes can be at most.
//!
//! # Codes
//! A row `x` becomes bytes `c` with one scale `s`, where 127.5 scales are [`CLIP`] times `max|x|`; byte `c`
//! stands for `s (c - 127.5)`, and values past the end for its end. The first `b` bits `d` of a byte alone stand for
//! the middle of the bytes that begin so, `s 2^(7-b) (2 d + 1 - 2^b)`. Write `y` for what these stand for, and store the
//! length of `x - y`, its *residual*, for four, five and eight bits. A probe `q` becomes signed bytes `p` with one
//! scale `t = max|q| / 127`; write `z = t p`.
//!
//! # The bound
//! `<q, x> = <z, y> + <z, x - y> + <q - z, x>`, so by Cauchy and Schwarz
//!
//! ```text
//! <q, x>  <=  <z, y> + |z| |x - y| + |q - z| |x|
//! ```
//!
//! `<z, y>` is a sum of integers, `t s 2^(7-b) (2 sum(p d) - (2^b - 1) sum(p))`, exact in 32 bits up to
//! [`MAX_DIMENSION`] values.
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
//! computed; and a row whose bound is below what is wanted can be passed over without a look at it. All of this is
//! the same for the bound from below, [`Reach::least`], with the signs of the last two terms turned.

use zeroize::{Zeroize, Zeroizing};

use crate::vector::simd::{Line, MAX_DIMENSION, PROBE_PAD, Reach, Sought, coarse_lines, segments};

/// Where codes end, as a share of a row's largest value. A narrower range has a shorter residual with four
/// bits, which most rows are judged by, and a longer one with eight: measured, see `benches/README.md`.
const CLIP: f32 = 0.95;

/// Of a row the scale, and the lengths of what codes leave out: with four bits, with five, and with all.
pub(super) type Missing<T> = [T; 4];

/// Planes of the bits behind the fifth.
pub(super) const LAST: usize = 3;

/// Where a row's codes lie: a column of its block's high nibbles, a plane of the bits behind, and [`LAST`] of the others.
pub(super) struct Place<'a> {
    pub(super) lane: usize,
    pub(super) high: &'a mut [Line],
    pub(super) fifth: &'a mut [u8],
    pub(super) last: &'a mut [u8],
}

impl Place<'_> {
    /// The row's own bytes of all lines.
    pub(super) fn columns(&self) -> impl Iterator<Item = [u8; 4]> {
        let first = 4 * self.lane;
        self.high.iter().map(move |line| std::array::from_fn(|at| line[first + at]))
    }

    pub(super) fn set_columns(&mut self, columns: &[[u8; 4]]) {
        for (line, column) in self.high.iter_mut().zip(columns) {
            line[4 * self.lane..][..4].copy_from_slice(column);
        }
    }

    pub(super) fn wipe(&mut self) {
        for line in &mut *self.high {
            line[4 * self.lane..][..4].zeroize();
        }
        self.fifth.zeroize();
        self.last.zeroize();
    }
}

/// A probe in bytes, with its bounds; wiped when dropped.
pub(super) struct Probe {
    pub(super) codes: Vec<i8>,
    pub(super) high: Reach,
    pub(super) five: Reach,
    pub(super) whole: Reach,
}

/// Writes the codes of `vector`.
pub(super) fn encode(vector: &[f32], mut place: Place<'_>) -> Missing<f32> {
    debug_assert!(vector.len() <= MAX_DIMENSION && place.high.len() == coarse_lines(vector.len()));
    place.wipe();
    let Place { lane, high, fifth, last } = place;
    let most = vector.iter().fold(0.0_f32, |most, value| most.max(value.abs()));
    let scale = CLIP * most / 127.5;
    let mut squares = [0.0_f64; 3];
    let per_scale = 1.0 / scale;
    let mut coded = |value: f32| {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "saturates; whatever the code is, the residual is measured from it"
        )]
        let code = (value * per_scale + 128.0) as u8;
        let (value, scale) = (f64::from(value), f64::from(scale));
        // The middles of 16 bytes, of 8, and the byte.
        let middles = [f64::from(code & 0xf0) + 7.5, f64::from(code & 0xf8) + 3.5, f64::from(code)];
        for (square, middle) in squares.iter_mut().zip(middles) {
            *square += (value - scale * (middle - 127.5)).powi(2);
        }
        code
    };
    let plane = fifth.len();
    let mut codes = Zeroizing::new([0; 8 * 64]);
    for part in segments(plane) {
        let (first, size) = (8 * part.start, part.len());
        codes.fill(0);
        for (code, value) in codes[..8 * size].iter_mut().zip(&vector[first..]) {
            *code = coded(*value);
        }
        for (line, codes) in high[first / 8..].iter_mut().zip(codes.as_chunks::<8>().0) {
            for place in 0..8 {
                line[4 * lane + place % 4] |= codes[place] >> 4 << (place & 4);
            }
        }
        for (bit, codes) in codes[..8 * size].chunks_exact(size).enumerate() {
            for (byte, code) in fifth[part.clone()].iter_mut().zip(codes) {
                *byte |= (code >> 3 & 1) << bit;
            }
            for (number, last) in last.chunks_exact_mut(plane).enumerate() {
                for (byte, code) in last[part.clone()].iter_mut().zip(codes) {
                    *byte |= (code >> (LAST - 1 - number) & 1) << bit;
                }
            }
        }
    }
    let longer = |square: f64| up(square.sqrt() * (1.0 + 2_f64.powi(-18)));
    let [four, five, whole] = squares.map(longer);
    [scale, four, five, whole]
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
                clippy::cast_sign_loss,
                reason = "saturates; whatever the code is, the error is measured from it"
            )]
            let above = (value / scale + 128.5) as u8;
            // The nearest number: `round` is a call of a library, this is not.
            *code = above.wrapping_sub(128).cast_signed();
            let meant = f64::from(scale) * f64::from(*code);
            norm += meant * meant;
            error += (f64::from(*value) - meant).powi(2);
            total += i32::from(*code);
        }
        #[expect(clippy::cast_precision_loss, reason = "at most 2^15 values")]
        let rounding = (vector.len() + 64) as f64 * 2_f64.powi(-23);
        let norm = up(norm.sqrt() * (1.0 + 2_f64.powi(-20)));
        let slack = up(error.sqrt() * 1.001 + rounding);
        let reach = |bits: i32| Reach {
            offset: ((1 << bits) - 1) * total,
            scale: scale * 2_f32.powi(7 - bits),
            norm,
            slack,
        };
        Self { codes, high: reach(4), five: reach(5), whole: reach(8) }
    }

    /// For the rows that `reach` a floor.
    pub(super) fn sought(&self, reach: Reach, floor: f32) -> Sought<'_> {
        Sought { codes: &self.codes, reach, floor }
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
