//! Bilinear resizing, bit-equal to OpenCV's `cv2.resize(…, INTER_LINEAR)` on 8-bit pictures.
//!
//! Half-pixel centres, edges clamped, no anti-aliasing. Weights have 11 bits; a horizontally resized
//! sample keeps 15 bits (pixel x 2048 / 16), is weighted again, and rounded once at the end. Everything
//! fits 16-bit lanes, and the result is the same on every target.

use super::check_size;
use super::raster::Raster;
use crate::error::Result;

/// Bits of a weight: OpenCV's `INTER_RESIZE_COEF_BITS`.
const WEIGHT_ONE: f32 = 2048.0;

/// The picture at `width` x `height` pixels, in the same channel order.
///
/// # Errors
/// [`InvalidImage`](crate::ErrorKind::InvalidImage) when a side is 0 or over
/// [`MAX_SIDE`](super::MAX_SIDE).
pub fn resize(raster: &Raster<'_>, width: u32, height: u32) -> Result<Raster<'static>> {
    check_size(width, height)?;
    let len = width as usize;
    let mut pixels = vec![0; len * height as usize * 3];
    let mut resizer = Resizer::new(raster, width, height);
    for (y, row) in pixels.chunks_exact_mut(len * 3).enumerate() {
        let lines = resizer.row(y);
        let (first, rest) = (lines.channel(0), (lines.channel(1), lines.channel(2)));
        for (((out, a), b), c) in
            row.as_chunks_mut::<3>().0.iter_mut().zip(first).zip(rest.0).zip(rest.1)
        {
            *out = [a, b, c];
        }
    }
    Ok(Raster::owned(pixels, (width, height), raster.order()))
}

/// Resizes row by row, in any order of rows but fast downwards: the two source rows under a row are
/// kept horizontally resized.
pub(super) struct Resizer<'r> {
    raster: &'r Raster<'r>,
    columns: Vec<Tap>,
    rows: Vec<Tap>,
    /// Resized source rows, channel after channel, the even one and the odd one.
    lines: [Vec<i16>; 2],
    /// Which source row each of `lines` holds.
    held: [Option<usize>; 2],
}

/// Two neighbouring samples and their weights, which add up to 2048.
#[derive(Clone, Copy)]
struct Tap {
    first: usize,
    second: usize,
    weights: [i16; 2],
}

/// One row of the result: two resized source rows, not yet mixed.
pub(super) struct Lines<'l> {
    top: &'l [i16],
    bottom: &'l [i16],
    weights: [i16; 2],
    width: usize,
}

impl<'r> Resizer<'r> {
    pub(super) fn new(raster: &'r Raster<'r>, width: u32, height: u32) -> Self {
        // Columns clamp the weight as well as the position at the edges, rows only the position; the
        // difference shows in the last bit, and is OpenCV's.
        let last = raster.width() as usize - 1;
        let columns = taps(raster.width(), width)
            .map(|(start, fraction)| match usize::try_from(start) {
                Ok(first) if first < last => Tap::new(first, first + 1, fraction),
                Ok(_) => Tap::new(last, last, 0.0),
                Err(_) => Tap::new(0, last.min(1), 0.0),
            })
            .collect();
        let last = raster.height() as usize - 1;
        let clamp = |row: i64| usize::try_from(row).unwrap_or(0).min(last);
        let rows = taps(raster.height(), height)
            .map(|(start, fraction)| Tap::new(clamp(start), clamp(start + 1), fraction))
            .collect();
        let line = vec![0; width as usize * 3];
        Self { raster, columns, rows, lines: [line.clone(), line], held: [None; 2] }
    }

    /// Row `y` of the result.
    pub(super) fn row(&mut self, y: usize) -> Lines<'_> {
        let tap = self.rows[y];
        self.hold(tap.first);
        self.hold(tap.second);
        Lines {
            top: &self.lines[tap.first % 2],
            bottom: &self.lines[tap.second % 2],
            weights: tap.weights,
            width: self.columns.len(),
        }
    }

    /// Makes `lines` hold source row `row`. The two rows of a tap are equal or have different parity.
    fn hold(&mut self, row: usize) {
        let slot = row % 2;
        if self.held[slot] == Some(row) {
            return;
        }
        self.held[slot] = Some(row);
        let start = self.raster.stride() * row;
        let source = &self.raster.as_bytes()[start..][..self.raster.width() as usize * 3];
        let source = source.as_chunks::<3>().0;
        let (first, rest) = self.lines[slot].split_at_mut(self.columns.len());
        let (second, third) = rest.split_at_mut(self.columns.len());
        for (((tap, first), second), third) in self.columns.iter().zip(first).zip(second).zip(third)
        {
            let (left, right) = (source[tap.first], source[tap.second]);
            *first = tap.mix(left[0], right[0]);
            *second = tap.mix(left[1], right[1]);
            *third = tap.mix(left[2], right[2]);
        }
    }
}

impl Tap {
    #[expect(clippy::cast_possible_truncation, reason = "the fraction is 0..=1")]
    fn new(first: usize, second: usize, fraction: f32) -> Self {
        let weight = |share: f32| (share * WEIGHT_ONE).round_ties_even() as i16;
        Self { first, second, weights: [weight(1.0 - fraction), weight(fraction)] }
    }

    /// The weighted sum of two samples with 15 bits, 0..=32640.
    #[expect(clippy::cast_possible_truncation, reason = "255 * 2048 / 16 fits")]
    fn mix(self, left: u8, right: u8) -> i16 {
        let [left_weight, right_weight] = self.weights.map(i32::from);
        ((i32::from(left) * left_weight + i32::from(right) * right_weight) >> 4) as i16
    }
}

impl<'l> Lines<'l> {
    /// Levels 0..=255 of channel `index` (in the raster's order) along the row.
    pub(super) fn channel(&self, index: usize) -> impl Iterator<Item = u8> + use<'l> {
        let part = index * self.width..(index + 1) * self.width;
        let [top_weight, bottom_weight] = self.weights;
        let (top, bottom) = (&self.top[part.clone()], &self.bottom[part]);
        top.iter().zip(bottom).map(move |(&top, &bottom)| {
            level((high_half(top, top_weight) + high_half(bottom, bottom_weight) + 2) >> 2)
        })
    }
}

/// The upper 16 bits of a product: one instruction on every vector unit.
fn high_half(a: i16, b: i16) -> i16 {
    ((i32::from(a) * i32::from(b)) >> 16) as i16
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "two samples of at most 32640, weights adding up to 2048: at most 255"
)]
fn level(value: i16) -> u8 {
    value as u8
}

/// For each of `to` positions: the sample at or before its centre among `from` (-1 when the centre is
/// left of the first) and how far past that sample it lies, 0..1.
fn taps(from: u32, to: u32) -> impl Iterator<Item = (i64, f32)> {
    let scale = 1.0 / (f64::from(to) / f64::from(from));
    (0..to).map(move |index| {
        #[expect(clippy::cast_possible_truncation, reason = "OpenCV rounds the position to f32")]
        let position = ((f64::from(index) + 0.5) * scale - 0.5) as f32;
        #[expect(clippy::cast_possible_truncation, reason = "positions are -0.5..=65535")]
        let start = position.floor() as i64;
        (start, position - position.floor())
    })
}
