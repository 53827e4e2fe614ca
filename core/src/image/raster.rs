//! The upright 3-channel picture that detection, alignment and quality read.

use std::borrow::Cow;
use std::fmt;

use super::{ImageView, PixelFormat, Plane, check_size};
use crate::error::{Error, ErrorKind, Result};

/// The order of the three channels of a pixel.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "the two orders models are trained with")]
pub enum ChannelOrder {
    /// Red, green, blue.
    #[default]
    Rgb,
    /// Blue, green, red: OpenCV's order.
    Bgr,
}

/// An upright picture: height x width x 3 bytes, interleaved, row-major, rows `stride` bytes apart.
///
/// Made by [`ImageView::raster`]; borrows the view's pixels when they already are such a picture.
#[derive(Clone)]
pub struct Raster<'a> {
    /// Invariant: `stride * (height - 1) + 3 * width <= pixels.len()` and no side is 0.
    pixels: Cow<'a, [u8]>,
    stride: usize,
    width: u32,
    height: u32,
    order: ChannelOrder,
}

impl<'a> Raster<'a> {
    /// A view's own rows. The caller has checked the invariant of `plane`.
    pub(super) const fn borrowed(
        plane: Plane<'a>,
        (width, height): (u32, u32),
        order: ChannelOrder,
    ) -> Self {
        Self { pixels: Cow::Borrowed(plane.bytes), stride: plane.stride, width, height, order }
    }

    /// Tightly packed `pixels` of a `width` x `height` picture.
    pub(super) fn owned(pixels: Vec<u8>, (width, height): (u32, u32), order: ChannelOrder) -> Self {
        let stride = width as usize * 3;
        debug_assert_eq!(pixels.len(), stride * height as usize);
        Self { pixels: Cow::Owned(pixels), stride, width, height, order }
    }

    /// Pixels in a row.
    #[must_use]
    pub const fn width(&self) -> u32 {
        self.width
    }

    /// Rows.
    #[must_use]
    pub const fn height(&self) -> u32 {
        self.height
    }

    /// The order of the channels.
    #[must_use]
    pub const fn order(&self) -> ChannelOrder {
        self.order
    }

    /// Bytes from one row to the next, at least `3 * width`.
    #[must_use]
    pub const fn stride(&self) -> usize {
        self.stride
    }

    /// Row `y` from the top: `3 * width` bytes.
    ///
    /// # Panics
    /// When `y` is not below [`height`](Self::height).
    #[must_use]
    pub fn row(&self, y: u32) -> &[u8] {
        assert!(y < self.height, "row {y} of {}", self.height);
        &self.pixels[self.stride * y as usize..][..self.width as usize * 3]
    }

    /// All bytes from the first pixel on; rows start at multiples of [`stride`](Self::stride). What
    /// lies between and after the rows is unspecified.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.pixels
    }

    /// The part of `width` x `height` pixels whose top-left pixel is (`x`, `y`), without a copy.
    ///
    /// # Errors
    /// [`InvalidArgument`](ErrorKind::InvalidArgument) when the part is empty or reaches outside.
    pub fn crop(&self, x: u32, y: u32, width: u32, height: u32) -> Result<Raster<'_>> {
        let inside = |start: u32, len: u32, side: u32| {
            len > 0 && start.checked_add(len).is_some_and(|end| end <= side)
        };
        if !inside(x, width, self.width) || !inside(y, height, self.height) {
            return Err(Error::new(
                ErrorKind::InvalidArgument,
                format!(
                    "crop of {width}x{height} at ({x}, {y}) is not inside the {}x{} picture",
                    self.width, self.height
                ),
            ));
        }
        let bytes = &self.pixels[self.stride * y as usize + 3 * x as usize..];
        let plane = Plane { bytes, stride: self.stride };
        Ok(Raster::borrowed(plane, (width, height), self.order))
    }

    /// An owned copy in RGB order; no copy when the pixels are owned RGB already.
    #[must_use]
    pub fn into_rgb(self) -> RgbImage {
        let (width, height) = (self.width, self.height);
        let tight = self.stride == width as usize * 3;
        let pixels = match self.pixels {
            Cow::Owned(pixels) if tight && self.order == ChannelOrder::Rgb => pixels,
            pixels => {
                let rows = pixels.chunks(self.stride).take(height as usize);
                let mut copy = Vec::with_capacity(width as usize * height as usize * 3);
                rows.for_each(|row| copy.extend_from_slice(&row[..width as usize * 3]));
                if self.order == ChannelOrder::Bgr {
                    copy.as_chunks_mut::<3>().0.iter_mut().for_each(|pixel| pixel.swap(0, 2));
                }
                copy
            }
        };
        RgbImage { pixels, width, height }
    }
}

impl fmt::Debug for Raster<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Raster")
            .field("width", &self.width)
            .field("height", &self.height)
            .field("stride", &self.stride)
            .field("order", &self.order)
            .finish_non_exhaustive()
    }
}

/// An owned upright picture: height x width x 3 bytes, RGB, row-major, without padding.
#[derive(Clone, PartialEq, Eq)]
pub struct RgbImage {
    /// Invariant: exactly `3 * width * height` bytes, no side 0 or over `MAX_SIDE`.
    pixels: Vec<u8>,
    width: u32,
    height: u32,
}

impl RgbImage {
    /// From `width * height * 3` bytes of tightly packed RGB.
    ///
    /// # Errors
    /// [`InvalidImage`](ErrorKind::InvalidImage) when a side is 0 or over
    /// [`MAX_SIDE`](super::MAX_SIDE) or the number of bytes is another.
    pub fn from_raw(width: u32, height: u32, pixels: Vec<u8>) -> Result<Self> {
        check_size(width, height)?;
        let needed = u64::from(width) * u64::from(height) * 3;
        if pixels.len() as u64 != needed {
            return Err(Error::new(
                ErrorKind::InvalidImage,
                format!("{} bytes, a {width}x{height} rgb8 picture has {needed}", pixels.len()),
            ));
        }
        Ok(Self { pixels, width, height })
    }

    /// Pixels in a row.
    #[must_use]
    pub const fn width(&self) -> u32 {
        self.width
    }

    /// Rows.
    #[must_use]
    pub const fn height(&self) -> u32 {
        self.height
    }

    /// The pixels, height x width x 3, RGB, row-major.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.pixels
    }

    /// The pixels, height x width x 3, RGB, row-major.
    #[must_use]
    pub fn into_bytes(self) -> Vec<u8> {
        self.pixels
    }

    /// The picture mirrored left to right.
    #[must_use]
    pub fn mirrored(&self) -> Self {
        let mut mirrored = self.clone();
        for row in mirrored.pixels.chunks_exact_mut(self.width as usize * 3) {
            row.as_chunks_mut::<3>().0.reverse();
        }
        mirrored
    }

    /// The picture as the library reads it.
    #[must_use]
    pub fn view(&self) -> ImageView<'_> {
        let plane = Plane { bytes: &self.pixels, stride: self.width as usize * 3 };
        ImageView {
            planes: [plane, Plane::default(), Plane::default()],
            buffer: Some(&self.pixels),
            width: self.width,
            height: self.height,
            format: PixelFormat::Rgb8,
            orientation: super::Orientation::Upright,
        }
    }
}

impl fmt::Debug for RgbImage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RgbImage")
            .field("width", &self.width)
            .field("height", &self.height)
            .finish_non_exhaustive()
    }
}
