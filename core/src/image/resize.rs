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
    let mut planes = vec![0; len * 3];
    for (y, row) in pixels.chunks_exact_mut(len * 3).enumerate() {
        resizer.row(y, &mut planes);
        let (first, rest) = planes.split_at(len);
        let (second, third) = rest.split_at(len);
        let levels = first.iter().zip(second).zip(third);
        for (out, ((&first, &second), &third)) in row.as_chunks_mut::<3>().0.iter_mut().zip(levels)
        {
            *out = [first, second, third];
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
    /// The weights of a row's two lines, one for each sample. Kept in memory because compilers then
    /// see products of 16-bit lanes and take the instruction for their upper halves: a weight in a
    /// register they widen, and multiply 32-bit lanes.
    weights: [Vec<i16>; 2],
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
        Self {
            raster,
            columns,
            rows,
            lines: [line.clone(), line.clone()],
            weights: [line.clone(), line],
            held: [None; 2],
        }
    }

    /// Row `y` of the result, 3 x width levels, channel after channel in the raster's order.
    pub(super) fn row(&mut self, y: usize, planes: &mut [u8]) {
        let tap = self.rows[y];
        self.hold(tap.first);
        self.hold(tap.second);
        for (line, weight) in self.weights.iter_mut().zip(tap.weights) {
            line.fill(weight);
        }
        let (top, bottom) = (&self.lines[tap.first % 2], &self.lines[tap.second % 2]);
        let [top_weights, bottom_weights] = &self.weights;
        let lines = top.iter().zip(top_weights).zip(bottom).zip(bottom_weights);
        for (level, (((&top, &top_weight), &bottom), &bottom_weight)) in
            planes.iter_mut().zip(lines)
        {
            let sum = high_half(top, top_weight) + high_half(bottom, bottom_weight);
            *level = byte((sum + 2) >> 2);
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

/// The upper 16 bits of a product: one instruction on every vector unit.
fn high_half(a: i16, b: i16) -> i16 {
    ((i32::from(a) * i32::from(b)) >> 16) as i16
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "two samples of at most 32640, weights adding up to 2048: at most 255"
)]
fn byte(value: i16) -> u8 {
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::image::RgbImage;

    /// 7 x 5 pixels, `(7 x^2 + 31 y (c + 1) + 13 x y) mod 256`.
    fn pattern() -> RgbImage {
        let level = |i: u32| {
            let (x, y, c) = (i / 3 % 7, i / 21, i % 3);
            u8::try_from((7 * x * x + 31 * y * (c + 1) + 13 * x * y) % 256).unwrap()
        };
        RgbImage::from_raw(7, 5, (0..7 * 5 * 3).map(level).collect()).unwrap()
    }

    /// `cv2.resize(pattern, (3, 2))` and row 3 of `cv2.resize(pattern, (10, 7))` of OpenCV 5.0.
    #[test]
    fn levels_are_those_of_opencv() {
        let picture = pattern();
        let small = resize(&picture.view().raster(), 3, 2).unwrap();
        assert_eq!(small.row(0), [34, 57, 81, 116, 139, 162, 84, 107, 130]);
        assert_eq!(small.row(1), [133, 191, 79, 35, 135, 172, 143, 94, 152]);
        let large = resize(&picture.view().raster(), 10, 7).unwrap();
        let expected = [
            62, 124, 186, 80, 142, 204, 107, 169, 167, 140, 202, 20, 182, 77, 50, 140, 35, 97, 26,
            88, 150, 89, 151, 213, 157, 104, 166, 214, 20, 82,
        ];
        assert_eq!(large.row(3), expected);
    }

    #[test]
    fn same_size_is_the_same_picture() {
        let picture = pattern();
        let same = resize(&picture.view().raster(), 7, 5).unwrap();
        assert_eq!(same.into_rgb(), picture);
    }

    #[test]
    fn one_pixel_fills_any_size() {
        let pixel = RgbImage::from_raw(1, 1, vec![9, 8, 7]).unwrap();
        let large = resize(&pixel.view().raster(), 3, 2).unwrap();
        assert_eq!(large.row(1), [9, 8, 7, 9, 8, 7, 9, 8, 7]);
        assert!(resize(&large, 0, 2).is_err());
        assert!(resize(&large, 2, 65_536).is_err());
    }
}
