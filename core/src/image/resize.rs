//! Bilinear resizing, bit-equal to OpenCV's `cv2.resize(…, INTER_LINEAR)` on 8-bit pictures.
//!
//! Half-pixel centres, edges clamped, no anti-aliasing. Weights have 11 bits; a horizontally resized
//! sample keeps 15 bits (pixel x 2048 / 16), is weighted again, and rounded once at the end. Everything
//! fits 16-bit lanes, and the result is the same on every target. A pixel takes four lanes, of which
//! three are wanted, so that it is moved and weighted as one.

use super::check_size;
use super::raster::Raster;
use crate::error::Result;

/// What two neighbours' weights add up to: OpenCV's have `INTER_RESIZE_COEF_BITS`, 11 bits.
const WEIGHT_SUM: i16 = 2048;

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
    let mut levels = vec![[0; 4]; len];
    for (y, row) in pixels.chunks_exact_mut(len * 3).enumerate() {
        resizer.row(y, &mut levels);
        for (out, &[first, second, third, _]) in row.as_chunks_mut().0.iter_mut().zip(&levels) {
            *out = [first, second, third];
        }
    }
    Ok(Raster::owned(pixels, (width, height), raster.order()))
}

/// Resizes row by row, in any order of rows but fast downwards: the two source rows under a row are
/// kept horizontally resized.
pub(super) struct Resizer<'r> {
    raster: &'r Raster<'r>,
    columns: Columns,
    rows: Vec<Tap>,
    /// A source row, its first and last pixels twice, and a byte so that pixels can be read as four.
    source: Vec<u8>,
    /// The left and the right pixel of each column.
    pairs: [Vec<[u8; 4]>; 2],
    /// Resized source rows, the even one and the odd one.
    lines: [Vec<[i16; 4]>; 2],
    /// Which source row each of `lines` holds.
    held: [Option<usize>; 2],
}

/// Two neighbouring rows and their weights, which add up to 2048.
#[derive(Clone, Copy)]
struct Tap {
    first: usize,
    second: usize,
    weights: [i16; 2],
}

/// Where the left pixels of columns are in `source`, and 32 times their weights, 0..=2047, as wrapping
/// 16-bit numbers, once for each lane. The right pixel has the rest of 2048. OpenCV rounds that weight
/// on its own, which differs first at 5463 columns, in one column of 70,000, by at most a level.
struct Columns {
    starts: Vec<u32>,
    weights: Vec<[i16; 4]>,
}

impl<'r> Resizer<'r> {
    pub(super) fn new(raster: &'r Raster<'r>, width: u32, height: u32) -> Self {
        // Columns clamp the weight as well as the position at the edges, rows only the position; the
        // difference shows in the last bit, and is OpenCV's.
        let columns = Columns::new(raster.width(), width);
        let last = raster.height() as usize - 1;
        let clamp = |row: i64| usize::try_from(row).unwrap_or(0).min(last);
        let rows = taps(raster.height(), height)
            .map(|(start, fraction)| Tap {
                first: clamp(start),
                second: clamp(start + 1),
                weights: weights(fraction),
            })
            .collect();
        let line = vec![[0; 4]; width as usize];
        Self {
            raster,
            columns,
            rows,
            source: vec![0; (raster.width() as usize + 2) * 3 + 1],
            pairs: [vec![[0; 4]; width as usize], vec![[0; 4]; width as usize]],
            lines: [line.clone(), line],
            held: [None; 2],
        }
    }

    /// Row `y` of the result: three levels a pixel, in the raster's order, and a fourth without meaning.
    pub(super) fn row(&mut self, y: usize, levels: &mut [[u8; 4]]) {
        let tap = self.rows[y];
        self.hold(tap.first);
        self.hold(tap.second);
        let [top, bottom] = [tap.first, tap.second].map(|row| self.lines[row % 2].as_flattened());
        let [top_weight, bottom_weight] = tap.weights.map(|weight| [weight; LANES]);
        mix_rows([top, bottom], [&top_weight, &bottom_weight], levels.as_flattened_mut());
    }

    /// Makes `lines` hold source row `row`. The two rows of a tap are equal or have different parity.
    fn hold(&mut self, row: usize) {
        let slot = row % 2;
        if self.held[slot] == Some(row) {
            return;
        }
        self.held[slot] = Some(row);
        let start = self.raster.stride() * row;
        let bytes = &self.raster.as_bytes()[start..][..self.raster.width() as usize * 3];
        let len = bytes.len();
        self.source[..3].copy_from_slice(&bytes[..3]);
        self.source[3..len + 3].copy_from_slice(bytes);
        self.source[len + 3..len + 6].copy_from_slice(&bytes[len - 3..]);
        self.columns.gather(&self.source, &mut self.pairs);
        self.columns.mix(&self.pairs, &mut self.lines[slot]);
    }
}

impl Columns {
    fn new(from: u32, to: u32) -> Self {
        let column = |(first, fraction)| {
            let [left, _] = weights(fraction);
            // Pixels are one further right in `source`. All weight on the left pixel of a pair is none
            // on that of the pair before.
            let start = first + i64::from(left < WEIGHT_SUM);
            let start = u32::try_from(start).unwrap_or(0).min(from) * 3;
            (start, [left.wrapping_mul(32); 4])
        };
        let (starts, weights) = taps(from, to).map(column).unzip();
        Self { starts, weights }
    }

    fn gather(&self, source: &[u8], pairs: &mut [Vec<[u8; 4]>; 2]) {
        let [left, right] = pairs;
        for ((&start, left), right) in self.starts.iter().zip(left).zip(right) {
            let start = start as usize;
            let bytes = &source[start..start + 7];
            if let (Some(&first), Some(&second)) = (bytes.first_chunk(), bytes.last_chunk()) {
                (*left, *right) = (first, second);
            }
        }
    }

    /// The weighted sums of levels with 15 bits, 0..=32640: for a left level l of weight w and a right
    /// one r of weight 2048 - w, `(l w + r (2048 - w)) >> 4` is `128 r + ((128 (l - r) 32 w) >> 16)`.
    /// 16 bits hold 32 w as 32 w - 65536 where w is 1024 or more: 128 (l - r) too little.
    fn mix(&self, pairs: &[Vec<[u8; 4]>; 2], line: &mut [[i16; 4]]) {
        let [left, right] = pairs.each_ref().map(|line| line.as_flattened());
        let weights = self.weights.as_flattened();
        let pairs = left.iter().zip(right).zip(weights);
        for (out, ((&left, &right), &weight)) in line.as_flattened_mut().iter_mut().zip(pairs) {
            let step = (i16::from(left) - i16::from(right)) << 7;
            let base = (i16::from(right) << 7) + if weight < 0 { step } else { 0 };
            *out = base + high_half(step, weight);
        }
    }
}

/// As many 16-bit lanes as the widest common vectors have.
const LANES: usize = 16;

/// The rounded weighted sums of two lines. Weights are read from memory, and not inlined, because
/// compilers then see products of 16-bit lanes and take the instruction for their upper halves: a
/// weight that they know to be in all lanes they widen, and multiply 32-bit lanes.
#[inline(never)]
fn mix_rows(lines: [&[i16]; 2], weights: [&[i16; LANES]; 2], levels: &mut [u8]) {
    let [top, bottom] = lines;
    let mix = |level: &mut u8, top: i16, bottom: i16, lane: usize| {
        let sum = high_half(top, weights[0][lane]) + high_half(bottom, weights[1][lane]);
        *level = byte((sum + 2) >> 2);
    };
    let (levels, levels_end) = levels.as_chunks_mut::<LANES>();
    let (top, top_end) = top.as_chunks::<LANES>();
    let (bottom, bottom_end) = bottom.as_chunks::<LANES>();
    for ((levels, top), bottom) in levels.iter_mut().zip(top).zip(bottom) {
        for (lane, level) in levels.iter_mut().enumerate() {
            mix(level, top[lane], bottom[lane], lane);
        }
    }
    for ((level, &top), &bottom) in levels_end.iter_mut().zip(top_end).zip(bottom_end) {
        mix(level, top, bottom, 0);
    }
}

/// The weights of two neighbours when the position is `fraction` (0..=1) past the first.
#[expect(clippy::cast_possible_truncation, reason = "0..=2048")]
fn weights(fraction: f32) -> [i16; 2] {
    [1.0 - fraction, fraction].map(|share| (share * f32::from(WEIGHT_SUM)).round_ties_even() as i16)
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
