//! Pictures: what callers bring ([`ImageView`]), and the one layout everything after reads ([`Raster`]).
//!
//! A view borrows the caller's bytes and checks them once: format, size, stride and orientation. From
//! then on nothing can be out of bounds. [`ImageView::raster`] turns it into an upright, interleaved,
//! 3-channel picture; for upright RGB and BGR that costs nothing.
//!
//! ```
//! use faceprint::image::{ImageView, Orientation, PixelFormat};
//!
//! let pixels = [0u8; 4 * 2 * 3];
//! let view = ImageView::new(&pixels, 4, 2, PixelFormat::Bgr8)?.with_orientation(Orientation::Rotate90);
//! assert_eq!((view.width(), view.height()), (2, 4));
//! # Ok::<(), faceprint::Error>(())
//! ```

use std::fmt;

use crate::error::{Error, ErrorKind, Result};

mod convert;
#[cfg(feature = "codecs")]
mod decode;
#[cfg(not(feature = "codecs"))]
#[path = "image/decode_disabled.rs"]
mod decode;
mod letterbox;
mod limits;
mod orientation;
mod planar;
mod raster;
mod resize;
mod yuv;

pub use decode::decode;
pub use letterbox::Letterbox;
pub use limits::DecodeLimits;
pub use orientation::Orientation;
pub use planar::{PlanarSpec, pack, pack_crop, pack_into};
pub use raster::{ChannelOrder, Raster, RgbImage};
pub use resize::resize;

/// The longest side of a picture, pixels. It is what JPEG can express.
pub const MAX_SIDE: u32 = 65_535;

/// How the bytes of a picture are laid out. Every sample is one byte.
///
/// The YUV formats are 4:2:0 video range BT.601 (luma 16..=235), as `cv2.cvtColor` reads them; the
/// chroma planes are `(width + 1) / 2` x `(height + 1) / 2` samples.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum PixelFormat {
    /// Red, green, blue; 3 bytes a pixel.
    Rgb8,
    /// Blue, green, red; 3 bytes a pixel. OpenCV's order.
    Bgr8,
    /// Red, green, blue, alpha; 4 bytes a pixel. Alpha is ignored.
    Rgba8,
    /// Blue, green, red, alpha; 4 bytes a pixel. Alpha is ignored.
    Bgra8,
    /// Luminance; 1 byte a pixel, 0 black to 255 white.
    Gray8,
    /// A luma plane, then one plane of U V pairs.
    Nv12,
    /// A luma plane, then one plane of V U pairs. Android's camera format.
    Nv21,
    /// A luma plane, then a U plane, then a V plane.
    I420,
}

/// A picture in the caller's memory: borrowed bytes with their format, size, stride and orientation.
///
/// Every row lies inside the bytes: that was checked when the view was made.
#[derive(Clone, Copy)]
pub struct ImageView<'a> {
    /// The planes in the order of the format; the unused ones are empty.
    planes: [Plane<'a>; 3],
    /// The one buffer all planes lie in, unless they were given apart.
    buffer: Option<&'a [u8]>,
    width: u32,
    height: u32,
    format: PixelFormat,
    orientation: Orientation,
}

/// Rows of bytes. Invariant: `stride * (rows - 1) + row bytes <= bytes.len()`.
#[derive(Clone, Copy, Default)]
struct Plane<'a> {
    bytes: &'a [u8],
    stride: usize,
}

impl<'a> ImageView<'a> {
    /// A tightly packed picture of `width` x `height` pixels as stored (before any turn).
    ///
    /// `bytes` may be longer than needed. In [`Nv12`](PixelFormat::Nv12) and
    /// [`Nv21`](PixelFormat::Nv21) a chroma row takes `width` rounded up to even bytes.
    ///
    /// # Errors
    /// [`InvalidImage`](ErrorKind::InvalidImage) when a side is 0 or over [`MAX_SIDE`], or `bytes` is
    /// too short.
    pub fn new(bytes: &'a [u8], width: u32, height: u32, format: PixelFormat) -> Result<Self> {
        check_size(width, height)?;
        let stride = format.row_bytes(0, width);
        let planes = split(bytes, width, height, format, stride)?;
        let orientation = Orientation::Upright;
        Ok(Self { planes, buffer: Some(bytes), width, height, format, orientation })
    }

    /// A picture whose planes lie apart, as Android's camera and video decoders hand them out.
    ///
    /// `planes` holds bytes and stride (bytes from one row to the next) of each plane in the order of
    /// the format: one for the packed formats, luma and chroma pairs for NV12 and NV21, luma, U and V
    /// for I420. The last byte of a plane of chroma pairs may be missing, as it is in Android's
    /// `Image.Plane` with a pixel stride of 2 (hand over the V plane as NV21, the U plane as NV12).
    ///
    /// # Errors
    /// [`InvalidImage`](ErrorKind::InvalidImage) when a side is 0 or over [`MAX_SIDE`] or a plane is
    /// too short; [`InvalidArgument`](ErrorKind::InvalidArgument) when the number of planes or a
    /// stride does not fit the format.
    pub fn from_planes(
        planes: &[(&'a [u8], usize)],
        width: u32,
        height: u32,
        format: PixelFormat,
    ) -> Result<Self> {
        check_size(width, height)?;
        if planes.len() != format.plane_count() {
            return Err(Error::new(
                ErrorKind::InvalidArgument,
                format!(
                    "{format} has {} planes, {} were given",
                    format.plane_count(),
                    planes.len()
                ),
            ));
        }
        let mut checked = [Plane::default(); 3];
        for (index, (&(bytes, stride), plane)) in planes.iter().zip(&mut checked).enumerate() {
            let row = format.row_bytes(index, width);
            check_stride(stride, row, format)?;
            let needed = plane_len(row, format.rows(index, height), stride);
            let spare = usize::from(format.has_chroma_pairs() && index == 1);
            if needed.is_none_or(|needed| bytes.len() < needed - spare) {
                return Err(too_short(bytes.len(), needed, (width, height), format, stride));
            }
            *plane = Plane { bytes, stride };
        }
        let orientation = Orientation::Upright;
        Ok(Self { planes: checked, buffer: None, width, height, format, orientation })
    }

    /// The same bytes with `stride` bytes from one row to the next. The last row needs no padding.
    ///
    /// For the YUV formats this is the luma stride; chroma pairs have the same one (rounded up to
    /// even), the U and V planes of I420 half of it (rounded up).
    ///
    /// # Errors
    /// [`InvalidArgument`](ErrorKind::InvalidArgument) when a row does not fit into `stride` or the
    /// view was made from separate planes; [`InvalidImage`](ErrorKind::InvalidImage) when the bytes
    /// are too short.
    pub fn with_stride(mut self, stride: usize) -> Result<Self> {
        let Some(buffer) = self.buffer else {
            return Err(Error::new(
                ErrorKind::InvalidArgument,
                "separate planes carry their own strides; give them to from_planes",
            ));
        };
        check_stride(stride, self.format.row_bytes(0, self.width), self.format)?;
        self.planes = split(buffer, self.width, self.height, self.format, stride)?;
        Ok(self)
    }

    /// The same picture with the turn that makes it upright.
    #[must_use]
    pub const fn with_orientation(mut self, orientation: Orientation) -> Self {
        self.orientation = orientation;
        self
    }

    /// Width of the upright picture, pixels.
    #[must_use]
    pub const fn width(&self) -> u32 {
        if self.orientation.swaps_sides() { self.height } else { self.width }
    }

    /// Height of the upright picture, pixels.
    #[must_use]
    pub const fn height(&self) -> u32 {
        if self.orientation.swaps_sides() { self.width } else { self.height }
    }

    /// The layout of the bytes.
    #[must_use]
    pub const fn format(&self) -> PixelFormat {
        self.format
    }

    /// The turn that makes the picture upright.
    #[must_use]
    pub const fn orientation(&self) -> Orientation {
        self.orientation
    }

    /// The upright 3-channel picture; borrowed when the view is upright RGB or BGR, otherwise
    /// converted and turned in one pass.
    #[must_use]
    pub fn raster(&self) -> Raster<'a> {
        convert::raster(self)
    }

    /// Bytes of row `y` of plane `index`, at most the bytes the format has in a row. Only the last row
    /// of a plane of chroma pairs may come out one byte short.
    fn stored_row(&self, index: usize, y: u32) -> &'a [u8] {
        let plane = self.planes[index];
        let from = plane.stride * y as usize;
        let to = (from + self.format.row_bytes(index, self.width)).min(plane.bytes.len());
        &plane.bytes[from..to]
    }
}

impl fmt::Debug for ImageView<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ImageView")
            .field("width", &self.width())
            .field("height", &self.height())
            .field("format", &self.format)
            .field("orientation", &self.orientation)
            .finish_non_exhaustive()
    }
}

impl PixelFormat {
    /// Every format, in the order of the enum.
    pub const ALL: [Self; 8] = [
        Self::Rgb8,
        Self::Bgr8,
        Self::Rgba8,
        Self::Bgra8,
        Self::Gray8,
        Self::Nv12,
        Self::Nv21,
        Self::I420,
    ];

    /// The format's name in lowercase, as messages and the bindings spell it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Rgb8 => "rgb8",
            Self::Bgr8 => "bgr8",
            Self::Rgba8 => "rgba8",
            Self::Bgra8 => "bgra8",
            Self::Gray8 => "gray8",
            Self::Nv12 => "nv12",
            Self::Nv21 => "nv21",
            Self::I420 => "i420",
        }
    }

    /// How many planes the format has: 1, 2 or 3.
    #[must_use]
    pub const fn plane_count(self) -> usize {
        match self {
            Self::Nv12 | Self::Nv21 => 2,
            Self::I420 => 3,
            _ => 1,
        }
    }

    const fn has_chroma_pairs(self) -> bool {
        matches!(self, Self::Nv12 | Self::Nv21)
    }

    /// Bytes that hold one row of plane `index` of a picture `width` pixels wide.
    const fn row_bytes(self, index: usize, width: u32) -> usize {
        let width = width as usize;
        match (self, index) {
            (Self::Rgb8 | Self::Bgr8, _) => width * 3,
            (Self::Rgba8 | Self::Bgra8, _) => width * 4,
            (Self::Nv12 | Self::Nv21, 1) => width.div_ceil(2) * 2,
            (Self::I420, 1 | 2) => width.div_ceil(2),
            _ => width,
        }
    }

    /// Rows of plane `index` of a picture `height` pixels high.
    const fn rows(self, index: usize, height: u32) -> usize {
        if index == 0 { height as usize } else { (height as usize).div_ceil(2) }
    }

    /// Stride of plane `index` when all planes share one buffer with luma stride `stride`.
    const fn plane_stride(self, index: usize, stride: usize) -> Option<usize> {
        match (self, index) {
            (Self::Nv12 | Self::Nv21, 1) => stride.checked_next_multiple_of(2),
            (Self::I420, 1 | 2) => Some(stride.div_ceil(2)),
            _ => Some(stride),
        }
    }
}

impl fmt::Display for PixelFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The planes of `format` one after the other in `bytes`; every row of all but the last plane is
/// followed by its padding.
fn split(
    bytes: &[u8],
    width: u32,
    height: u32,
    format: PixelFormat,
    stride: usize,
) -> Result<[Plane<'_>; 3]> {
    let short = |needed| too_short(bytes.len(), needed, (width, height), format, stride);
    let mut planes = [Plane::default(); 3];
    let mut start = 0usize;
    for (index, plane) in planes.iter_mut().enumerate().take(format.plane_count()) {
        let rows = format.rows(index, height);
        let stride = format.plane_stride(index, stride).ok_or_else(|| short(None))?;
        let needed = plane_len(format.row_bytes(index, width), rows, stride)
            .and_then(|len| len.checked_add(start));
        if needed.is_none_or(|needed| needed > bytes.len()) {
            return Err(short(whole_len(width, height, format, stride)));
        }
        *plane = Plane { bytes: &bytes[start..], stride };
        start = match stride.checked_mul(rows).and_then(|len| len.checked_add(start)) {
            Some(next) if next <= bytes.len() => next,
            _ if index + 1 == format.plane_count() => bytes.len(),
            _ => return Err(short(whole_len(width, height, format, stride))),
        };
    }
    Ok(planes)
}

/// Bytes that hold `rows` rows of `row` bytes when the last one is not padded.
const fn plane_len(row: usize, rows: usize, stride: usize) -> Option<usize> {
    match stride.checked_mul(rows - 1) {
        Some(before) => before.checked_add(row),
        None => None,
    }
}

/// Bytes that hold all planes in one buffer; `None` when that is more than memory can address.
fn whole_len(width: u32, height: u32, format: PixelFormat, stride: usize) -> Option<usize> {
    let last = format.plane_count() - 1;
    let before = (0..last).try_fold(0usize, |sum, index| {
        format
            .plane_stride(index, stride)?
            .checked_mul(format.rows(index, height))?
            .checked_add(sum)
    })?;
    let stride = format.plane_stride(last, stride)?;
    plane_len(format.row_bytes(last, width), format.rows(last, height), stride)?.checked_add(before)
}

fn check_size(width: u32, height: u32) -> Result<()> {
    if (1..=MAX_SIDE).contains(&width) && (1..=MAX_SIDE).contains(&height) {
        return Ok(());
    }
    Err(Error::new(
        ErrorKind::InvalidImage,
        format!("picture is {width}x{height}, each side must be 1 to {MAX_SIDE} pixels"),
    ))
}

fn check_stride(stride: usize, row: usize, format: PixelFormat) -> Result<()> {
    if stride >= row {
        return Ok(());
    }
    Err(Error::new(
        ErrorKind::InvalidArgument,
        format!("stride is {stride} bytes, a row of this {format} picture takes {row}"),
    ))
}

fn too_short(
    len: usize,
    needed: Option<usize>,
    (width, height): (u32, u32),
    format: PixelFormat,
    stride: usize,
) -> Error {
    let needed = needed.map_or_else(|| "more than memory holds".to_owned(), |n| n.to_string());
    Error::new(
        ErrorKind::InvalidImage,
        format!(
            "{len} bytes, a {width}x{height} {format} picture of stride {stride} needs {needed}"
        ),
    )
}
