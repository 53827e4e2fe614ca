//! Sampling a picture through a similarity, as OpenCV 5's `cv2.warpAffine` (bilinear, border 0) does.
//!
//! OpenCV 5 gave up the 5-bit fixed-point positions of its earlier versions for f32. The positions here
//! are its positions: f32, each from one fused multiply-add, which f64 arithmetic reproduces without
//! the instruction. Mixing is plain f32 multiplication and addition, which IEEE 754 defines to the bit.
//! So crops are equal on every target, whether or not it can fuse, and equal to OpenCV's but for about
//! one sample in 100,000, by one level.

use super::{MAX_CROP, Similarity2d};
use crate::error::{Error, ErrorKind, Result};
use crate::image::{ChannelOrder, Raster, RgbImage};

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
) -> Result<RgbImage> {
    if !(1..=MAX_CROP).contains(&width) || !(1..=MAX_CROP).contains(&height) {
        return Err(Error::new(
            ErrorKind::InvalidArgument,
            format!("crop is {width}x{height}, each side must be 1 to {MAX_CROP} pixels"),
        ));
    }
    let back = Inverse::of(transform);
    let sampler = Sampler::new(raster);
    let mut pixels = vec![0; width as usize * height as usize * 3];
    let mut columns = Axis::new(width as usize);
    let mut rows = Axis::new(width as usize);
    let mut corners = Corners::new(width as usize);
    let mut mixed = vec![[0; 4]; width as usize];
    for (y, row) in (0..height).zip(pixels.chunks_exact_mut(width as usize * 3)) {
        columns.place(back.x, y);
        rows.place(back.y, y);
        sampler.gather(&columns, &rows, &mut corners);
        corners.mix(columns.shares(), rows.shares(), mixed.as_flattened_mut());
        for (pixel, &[first, second, third, _]) in row.as_chunks_mut().0.iter_mut().zip(&mixed) {
            *pixel = [first, second, third];
        }
    }
    if raster.order() == ChannelOrder::Bgr {
        pixels.as_chunks_mut::<3>().0.iter_mut().for_each(|pixel| pixel.swap(0, 2));
    }
    RgbImage::from_raw(width, height, pixels)
}

/// From crop pixels to picture pixels; the numbers are f32 values, as OpenCV's kernel takes them.
struct Inverse {
    x: [f64; 3],
    y: [f64; 3],
}

/// Where the pixels of one crop row lie along one axis of the picture: the sample at or before each,
/// and how far past it, 0..1.
struct Axis {
    whole: Vec<i32>,
    part: Vec<[f32; 4]>,
}

impl Inverse {
    fn of(transform: &Similarity2d) -> Self {
        let [x, y] = transform.inverse().matrix();
        let single = |row: [f64; 3]| row.map(|value| f64::from(rounded(value)));
        Self { x: single(x), y: single(y) }
    }
}

impl Axis {
    fn new(len: usize) -> Self {
        Self { whole: vec![0; len], part: vec![[0.0; 4]; len] }
    }

    /// The positions of the pixels of crop row `y`, by one row of the inverse matrix.
    fn place(&mut self, [step, slope, shift]: [f64; 3], y: u32) {
        let start = f64::from(rounded(slope * f64::from(y) + shift));
        let positions = self.whole.iter_mut().zip(&mut self.part);
        for (column, (whole, part)) in (0i32..).zip(positions) {
            let (at, past) = whole_and_part(rounded(step * f64::from(column) + start));
            *whole = at;
            *part = [past; 4];
        }
    }

    /// How far past its sample each pixel lies, once for each of its four lanes.
    fn shares(&self) -> &[f32] {
        self.part.as_flattened()
    }
}

/// The four neighbours of each pixel of a crop row, four lanes a pixel, of which three are wanted:
/// laid out so that mixing is one loop over lanes, whatever number of them a target has.
struct Corners {
    top: [Vec<[u8; 4]>; 2],
    bottom: [Vec<[u8; 4]>; 2],
}

impl Corners {
    fn new(len: usize) -> Self {
        let line = || vec![[0; 4]; len];
        Self { top: [line(), line()], bottom: [line(), line()] }
    }

    /// First along the two rows, then down.
    fn mix(&self, right: &[f32], down: &[f32], out: &mut [u8]) {
        let [[top, top_next], [bottom, bottom_next]] =
            [&self.top, &self.bottom].map(|row| row.each_ref().map(|line| line.as_flattened()));
        let top = top.iter().zip(top_next);
        let bottom = bottom.iter().zip(bottom_next);
        let shares = right.iter().zip(down);
        for (((out, top), bottom), (&right, &down)) in
            out.iter_mut().zip(top).zip(bottom).zip(shares)
        {
            let along = |(&left, &next): (&u8, &u8)| lerp(f32::from(left), f32::from(next), right);
            *out = nearest(lerp(along(top), along(bottom), down));
        }
    }
}

/// Reads pixels. Positions may be anywhere.
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

    /// The neighbours of the pixels of a crop row.
    fn gather(&self, columns: &Axis, rows: &Axis, corners: &mut Corners) {
        let [top_left, top_right] = &mut corners.top;
        let [bottom_left, bottom_right] = &mut corners.bottom;
        let top = top_left.iter_mut().zip(top_right);
        let bottom = bottom_left.iter_mut().zip(bottom_right);
        for (((&x, &y), top), bottom) in columns.whole.iter().zip(&rows.whole).zip(top).zip(bottom)
        {
            let ((left, right), (left_below, right_below)) = (top, bottom);
            if let Some([row, row_below]) = self.inside(x, y) {
                [*left, *right] = pair(row);
                [*left_below, *right_below] = pair(row_below);
            } else {
                let (x, y) = (i64::from(x), i64::from(y));
                [*left, *right] = [self.pixel(x, y), self.pixel(x + 1, y)];
                [*left_below, *right_below] = [self.pixel(x, y + 1), self.pixel(x + 1, y + 1)];
            }
        }
    }

    /// The two neighbours in a row and those below, where all of them, and the one to their right, are
    /// in the picture: pixels are read as four bytes, the fourth of which is the next one's.
    #[inline]
    fn inside(&self, x: i32, y: i32) -> Option<[&[u8; 7]; 2]> {
        let (x, y) = (usize::try_from(x).ok()?, usize::try_from(y).ok()?);
        if x + 2 >= self.width || y + 1 >= self.height {
            return None;
        }
        let row = self.bytes.get(y * self.stride + x * 3..)?;
        Some([row.first_chunk()?, row.get(self.stride..)?.first_chunk()?])
    }

    #[cold]
    fn pixel(&self, x: i64, y: i64) -> [u8; 4] {
        match (usize::try_from(x), usize::try_from(y)) {
            (Ok(x), Ok(y)) if x < self.width && y < self.height => {
                let at = y * self.stride + x * 3;
                [self.bytes[at], self.bytes[at + 1], self.bytes[at + 2], 0]
            }
            _ => [0; 4],
        }
    }
}

/// Two pixels side by side.
fn pair(&[r, g, b, next_r, next_g, next_b, after]: &[u8; 7]) -> [[u8; 4]; 2] {
    [[r, g, b, next_r], [next_r, next_g, next_b, after]]
}

fn lerp(from: f32, to: f32, share: f32) -> f32 {
    from + share * (to - from)
}

/// 1.5 x 2^23: an f32 that it is added to is rounded to an integer, halves to even, which then lies in
/// the low bits. Exact for values within 2^22, and needs no instruction that a target may lack.
const ROUNDER: f32 = 12_582_912.0;

#[expect(clippy::cast_possible_truncation, reason = "a mix of levels is 0..=255")]
fn nearest(level: f32) -> u8 {
    (level + ROUNDER).to_bits() as u8
}

/// The integer at or below `value`, and the rest. What is farther than 4 million pixels away, or no
/// number, comes out somewhere outside every picture.
fn whole_and_part(value: f32) -> (i32, f32) {
    let value = value.clamp(-4e6, 4e6);
    let near = (value + ROUNDER) - ROUNDER;
    let below = near - if near > value { 1.0 } else { 0.0 };
    let whole = (below + ROUNDER).to_bits().wrapping_sub(ROUNDER.to_bits());
    (whole.cast_signed(), value - below)
}

#[expect(clippy::cast_possible_truncation, reason = "OpenCV's kernel works in f32")]
const fn rounded(value: f64) -> f32 {
    value as f32
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::image::{ImageView, PixelFormat};
    use proptest::prelude::*;

    fn picture(width: u32, height: u32) -> RgbImage {
        let level = |i: u32| u8::try_from(i * 89 % 251).unwrap();
        RgbImage::from_raw(width, height, (0..width * height * 3).map(level).collect()).unwrap()
    }

    #[test]
    fn identity_changes_nothing() {
        let picture = picture(9, 7);
        let same = warp(&picture.view().raster(), &Similarity2d::IDENTITY, 9, 7).unwrap();
        assert_eq!(same.as_bytes(), picture.as_bytes());
    }

    #[test]
    fn outside_is_black_and_edges_fade() {
        let white = RgbImage::from_raw(2, 2, vec![255; 12]).unwrap();
        let shift = Similarity2d::new(1.0, 0.0, 1.5, 1.0).unwrap();
        let crop = warp(&white.view().raster(), &shift, 5, 3).unwrap();
        let red: Vec<u8> = crop.as_bytes().iter().step_by(3).copied().collect();
        assert_eq!(red, [0, 0, 0, 0, 0, 0, 128, 255, 128, 0, 0, 128, 255, 128, 0]);
    }

    #[test]
    fn orders_of_pixels_give_one_crop() {
        let rgb = picture(20, 20);
        let mut swapped = rgb.as_bytes().to_vec();
        swapped.as_chunks_mut::<3>().0.iter_mut().for_each(|pixel| pixel.swap(0, 2));
        let bgr = ImageView::new(&swapped, 20, 20, PixelFormat::Bgr8).unwrap();
        let turn = Similarity2d::new(0.8, 0.3, 2.0, -3.0).unwrap();
        assert_eq!(
            warp(&rgb.view().raster(), &turn, 16, 16).unwrap(),
            warp(&bgr.raster(), &turn, 16, 16).unwrap()
        );
    }

    #[test]
    fn sizes_have_bounds() {
        let raster = picture(2, 2);
        let raster = raster.view().raster();
        assert!(warp(&raster, &Similarity2d::IDENTITY, 0, 2).is_err());
        assert!(warp(&raster, &Similarity2d::IDENTITY, 2, MAX_CROP + 1).is_err());
    }

    proptest! {
        #[test]
        fn any_similarity_can_be_sampled(
            a in prop::num::f64::NORMAL, b in prop::num::f64::ANY,
            tx in prop::num::f64::ANY, ty in prop::num::f64::ANY,
        ) {
            if let Ok(transform) = Similarity2d::new(a, b, tx, ty) {
                let picture = picture(5, 3);
                let crop = warp(&picture.view().raster(), &transform, 4, 4).unwrap();
                prop_assert_eq!(crop.as_bytes().len(), 48);
            }
        }
    }
}
