//! Sampling a picture through a similarity, as OpenCV 5's `cv2.warpAffine` (bilinear, border 0) does.
//!
//! OpenCV 5 gave up the 5-bit fixed-point positions of its earlier versions for f32. The positions here
//! are its positions: f32, each from one fused multiply-add, which f64 arithmetic reproduces without
//! the instruction. Mixing is plain f32 multiplication and addition, which IEEE 754 defines to the bit.
//! So crops are equal on every target, whether or not it can fuse, and equal to OpenCV's but for about
//! one sample in 100,000, by one level.

use super::{Crop, MAX_CROP, Similarity2d};
use crate::error::{Error, ErrorKind, Result};
use crate::image::{ChannelOrder, Raster};

/// The crop of `width` x `height` pixels (1..=4096 each), RGB: `transform` takes picture pixels to crop
/// pixels. What lies outside the picture is black.
///
/// # Errors
/// [`InvalidArgument`](ErrorKind::InvalidArgument) when a side is out of range.
pub fn warp(
    raster: &Raster<'_>,
    transform: &Similarity2d,
    width: u32,
    height: u32,
) -> Result<Crop> {
    if !(1..=MAX_CROP).contains(&width) || !(1..=MAX_CROP).contains(&height) {
        return Err(Error::new(
            ErrorKind::InvalidArgument,
            format!("crop is {width}x{height}, each side must be 1 to {MAX_CROP} pixels"),
        ));
    }
    let back = Inverse::of(transform);
    let sampler = Sampler::new(raster);
    let mut pixels = vec![0; width as usize * height as usize * 3];
    let mut positions = vec![Position::default(); width as usize];
    for (y, row) in (0..height).zip(pixels.chunks_exact_mut(width as usize * 3)) {
        back.positions(y, &mut positions);
        for (out, position) in row.as_chunks_mut::<3>().0.iter_mut().zip(&positions) {
            *out = sampler.sample(position);
        }
    }
    if raster.order() == ChannelOrder::Bgr {
        pixels.as_chunks_mut::<3>().0.iter_mut().for_each(|pixel| pixel.swap(0, 2));
    }
    Ok(Crop { pixels, width, height })
}

/// From crop pixels to picture pixels; the numbers are f32 values, as OpenCV's kernel takes them.
struct Inverse {
    x: [f64; 3],
    y: [f64; 3],
}

/// Where a crop pixel lies in the picture: the pixel up and left of it, and how far past it, 0..1.
#[derive(Clone, Copy, Default)]
struct Position {
    x: i32,
    y: i32,
    right: f32,
    down: f32,
}

impl Inverse {
    fn of(transform: &Similarity2d) -> Self {
        let [x, y] = transform.inverse().matrix();
        let single = |row: [f64; 3]| row.map(|value| f64::from(rounded(value)));
        Self { x: single(x), y: single(y) }
    }

    /// The positions of the pixels of crop row `y`.
    fn positions(&self, y: u32, positions: &mut [Position]) {
        let start = |row: [f64; 3]| f64::from(rounded(row[1] * f64::from(y) + row[2]));
        let (start_x, start_y) = (start(self.x), start(self.y));
        for (column, position) in (0i32..).zip(positions) {
            let (x, right) = whole_and_part(rounded(self.x[0] * f64::from(column) + start_x));
            let (y, down) = whole_and_part(rounded(self.y[0] * f64::from(column) + start_y));
            *position = Position { x, y, right, down };
        }
    }
}

/// Reads and mixes pixels. Positions may be anywhere.
struct Sampler<'r> {
    bytes: &'r [u8],
    stride: usize,
    width: usize,
    height: usize,
}

impl<'r> Sampler<'r> {
    fn new(raster: &'r Raster<'_>) -> Self {
        Self {
            bytes: raster.as_bytes(),
            stride: raster.stride(),
            width: raster.width() as usize,
            height: raster.height() as usize,
        }
    }

    #[inline]
    fn sample(&self, position: &Position) -> [u8; 3] {
        if let (Ok(x), Ok(y)) = (usize::try_from(position.x), usize::try_from(position.y))
            && x + 1 < self.width
            && y + 1 < self.height
        {
            let at = y * self.stride + x * 3;
            let top = &self.bytes[at..at + 6];
            let bottom = &self.bytes[at + self.stride..at + self.stride + 6];
            return mix(
                [[top[0], top[1], top[2]], [top[3], top[4], top[5]]],
                [[bottom[0], bottom[1], bottom[2]], [bottom[3], bottom[4], bottom[5]]],
                position,
            );
        }
        self.sample_at_edge(position)
    }

    #[cold]
    fn sample_at_edge(&self, position: &Position) -> [u8; 3] {
        let (x, y) = (i64::from(position.x), i64::from(position.y));
        let row = |y| [self.pixel(x, y), self.pixel(x + 1, y)];
        mix(row(y), row(y + 1), position)
    }

    fn pixel(&self, x: i64, y: i64) -> [u8; 3] {
        match (usize::try_from(x), usize::try_from(y)) {
            (Ok(x), Ok(y)) if x < self.width && y < self.height => {
                let at = y * self.stride + x * 3;
                [self.bytes[at], self.bytes[at + 1], self.bytes[at + 2]]
            }
            _ => [0; 3],
        }
    }
}

/// Two pixels of the upper row and two of the lower one, mixed first along the rows, then down.
#[inline]
fn mix(top: [[u8; 3]; 2], bottom: [[u8; 3]; 2], position: &Position) -> [u8; 3] {
    std::array::from_fn(|channel| {
        let along = |[left, right]: [[u8; 3]; 2]| {
            let (left, right) = (f32::from(left[channel]), f32::from(right[channel]));
            left + position.right * (right - left)
        };
        let (top, bottom) = (along(top), along(bottom));
        nearest(top + position.down * (bottom - top))
    })
}

/// The nearest level, halves to even. Adding 1.5 x 2^23 leaves the integer in the low bits of an f32.
#[expect(clippy::cast_possible_truncation, reason = "a mix of levels is 0..=255")]
fn nearest(level: f32) -> u8 {
    (level + 12_582_912.0).to_bits() as u8
}

/// The integer at or below `value` and the rest, without a library call on targets that lack `floor`.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    reason = "`as` saturates; beyond 2^24 there is no picture"
)]
fn whole_and_part(value: f32) -> (i32, f32) {
    let toward_zero = value as i32;
    let whole = toward_zero.saturating_sub(i32::from(value < toward_zero as f32));
    (whole, value - whole as f32)
}

#[expect(clippy::cast_possible_truncation, reason = "OpenCV's kernel works in f32")]
const fn rounded(value: f64) -> f32 {
    value as f32
}
