//! Pictures: the caller's pixels, and decoded files.

use faceprint::image::{DecodeLimits, RgbImage};
use faceprint::{ImageView, Orientation, PixelFormat};

use crate::boundary::{Growing, Items, Options, Out, Text, call, free, need};
use crate::error::{Failure, faceprint_error, faceprint_status};

/// How the bytes of a picture are laid out. Every sample is one byte; the YUV formats are 4:2:0, video range BT.601.
#[repr(u32)]
#[derive(Clone, Copy, PartialEq, Eq)]
#[allow(clippy::exhaustive_enums, reason = "declared for C; calls take numbers")]
pub enum faceprint_pixel_format {
    /// Red, green, blue.
    Rgb8 = 0,
    /// Blue, green, red: OpenCV's order.
    Bgr8 = 1,
    /// Red, green, blue, alpha, which is ignored.
    Rgba8 = 2,
    /// Blue, green, red, alpha, which is ignored.
    Bgra8 = 3,
    /// Luminance.
    Gray8 = 4,
    /// A luma plane, then pairs of U V.
    Nv12 = 5,
    /// A luma plane, then pairs of V U: Android's camera format.
    Nv21 = 6,
    /// A luma plane, then a U plane, then a V plane.
    I420 = 7,
}

/// Pixels of one plane, for pictures whose planes lie apart.
#[repr(C)]
#[derive(Clone, Copy)]
#[allow(clippy::exhaustive_structs, reason = "C's")]
pub struct faceprint_plane {
    /// The bytes.
    pub data: Items<u8>,
    /// How many.
    pub len: usize,
    /// Bytes from one row to the next.
    pub stride: usize,
}

/// A picture in the caller's memory: `faceprint_image image = FACEPRINT_IMAGE(data, len, width, height, format);`
#[repr(C)]
#[derive(Clone, Copy)]
#[allow(clippy::exhaustive_structs, reason = "C's")]
pub struct faceprint_image {
    /// The bytes, all planes one after the other. NULL when the planes are given apart.
    pub data: Items<u8>,
    /// How many bytes.
    pub len: usize,
    /// Bytes from one row to the next; 0 for rows without padding.
    pub stride: usize,
    /// Pixels in a row as stored.
    pub width: u32,
    /// Rows as stored.
    pub height: u32,
    /// A faceprint_pixel_format.
    pub format: u32,
    /// What makes the picture upright, by the numbers of EXIF: 1 (or 0) nothing, 3 half a turn, 6 a quarter turn clockwise, 8
    /// counterclockwise, 2, 4, 5 and 7 mirrored. See faceprint_orientation_from_degrees.
    pub orientation: u32,
    /// The planes, when they lie apart and `data` is NULL.
    pub planes: Items<faceprint_plane>,
    /// How many: 1, 2 or 3, as the format has.
    pub plane_count: usize,
}

/// What may be decoded; FACEPRINT_DECODE_LIMITS_INIT.
#[repr(C)]
#[derive(Clone, Copy)]
#[allow(clippy::exhaustive_structs, reason = "C's")]
pub struct faceprint_decode_limits {
    /// sizeof(faceprint_decode_limits).
    pub struct_size: usize,
    /// Width times height.
    pub max_pixels: u64,
    /// Bytes of all pixel buffers that decoding needs at once.
    pub max_bytes: u64,
    /// Bytes of the file.
    pub max_encoded_bytes: u64,
}

/// A decoded, upright picture in RGB.
pub struct faceprint_picture(pub(crate) RgbImage);

/// Decodes the bytes of a JPEG, PNG, WebP or BMP file and turns the picture upright as its EXIF data asks. `limits`
/// may be NULL.
#[unsafe(no_mangle)]
pub extern "C" fn faceprint_picture_decode(
    bytes: Items<u8>,
    len: usize,
    limits: Options<faceprint_decode_limits>,
    picture: Out<*mut faceprint_picture>,
    error: Out<*mut faceprint_error>,
) -> faceprint_status {
    call(error, || {
        let picture = picture.check("picture")?;
        let limits = limits.read("limits")?.into();
        let decoded = faceprint::image::decode(bytes.slice(len, "bytes")?, &limits)?;
        picture.give(faceprint_picture(decoded));
        Ok(())
    })
}

/// Reads and decodes a file.
#[unsafe(no_mangle)]
pub extern "C" fn faceprint_picture_read(
    path: Text,
    limits: Options<faceprint_decode_limits>,
    picture: Out<*mut faceprint_picture>,
    error: Out<*mut faceprint_error>,
) -> faceprint_status {
    call(error, || {
        let picture = picture.check("picture")?;
        let limits: DecodeLimits = limits.read("limits")?.into();
        let bytes = read_at_most(path.get("path")?, limits.max_encoded_bytes)?;
        picture.give(faceprint_picture(faceprint::image::decode(&bytes, &limits)?));
        Ok(())
    })
}

/// A picture from `width * height * 3` bytes of RGB without padding, which are copied.
#[unsafe(no_mangle)]
pub extern "C" fn faceprint_picture_from_rgb(
    rgb: Items<u8>,
    len: usize,
    width: u32,
    height: u32,
    picture: Out<*mut faceprint_picture>,
    error: Out<*mut faceprint_error>,
) -> faceprint_status {
    call(error, || {
        let picture = picture.check("picture")?;
        let pixels = rgb.slice(len, "rgb")?.to_vec();
        picture.give(faceprint_picture(RgbImage::from_raw(width, height, pixels)?));
        Ok(())
    })
}

/// The picture mirrored left to right.
#[unsafe(no_mangle)]
pub extern "C" fn faceprint_picture_mirrored(
    picture: Option<&faceprint_picture>,
    mirrored: Out<*mut faceprint_picture>,
    error: Out<*mut faceprint_error>,
) -> faceprint_status {
    call(error, || {
        let mirrored = mirrored.check("mirrored")?;
        mirrored.give(faceprint_picture(need(picture, "picture")?.0.mirrored()));
        Ok(())
    })
}

/// The picture as calls take it; all zero for NULL. Its pixels live as long as `picture`.
#[unsafe(no_mangle)]
pub extern "C" fn faceprint_picture_image(picture: Option<&faceprint_picture>) -> faceprint_image {
    let (pixels, width, height) = picture.map_or((&[][..], 0, 0), |faceprint_picture(picture)| {
        (picture.as_bytes(), picture.width(), picture.height())
    });
    // SAFETY: the pixels of a picture, or nothing for a length of 0.
    let data = if pixels.is_empty() { Items::NULL } else { unsafe { Items::new(pixels.as_ptr()) } };
    faceprint_image {
        data,
        len: pixels.len(),
        stride: 0,
        width,
        height,
        format: faceprint_pixel_format::Rgb8 as u32,
        orientation: 1,
        planes: Items::NULL,
        plane_count: 0,
    }
}

/// Frees a picture.
#[unsafe(no_mangle)]
pub extern "C" fn faceprint_picture_free(picture: Option<Box<faceprint_picture>>) {
    free(picture);
}

/// The number of the clockwise turn a camera reports, 0, 90, 180 or 270 degrees.
#[unsafe(no_mangle)]
pub extern "C" fn faceprint_orientation_from_degrees(
    degrees: u32,
    orientation: Out<u32>,
    error: Out<*mut faceprint_error>,
) -> faceprint_status {
    call(error, || {
        let orientation = orientation.check("orientation")?;
        orientation.put(Orientation::from_degrees_clockwise(degrees)? as u32);
        Ok(())
    })
}

impl faceprint_image {
    /// The picture, checked.
    pub(crate) fn view(&self) -> Result<ImageView<'_>, Failure> {
        let format = usize::try_from(self.format).ok().and_then(|it| PixelFormat::ALL.get(it));
        let Some(&format) = format else {
            let known = PixelFormat::ALL.len() - 1;
            return Err(Failure::argument(format!(
                "pixel format is {}, must be 0 to {known}",
                self.format
            )));
        };
        let exif = if self.orientation == 0 { 1 } else { self.orientation };
        let orientation = Orientation::from_exif(u8::try_from(exif).unwrap_or(u8::MAX))?;
        let view = if self.data.is_null() && !self.planes.is_null() {
            let planes = self.planes.slice(self.plane_count.min(4), "planes")?;
            let planes: Vec<(&[u8], usize)> = planes
                .iter()
                .map(|plane| Ok((plane.data.slice(plane.len, "data")?, plane.stride)))
                .collect::<Result<_, Failure>>()?;
            ImageView::from_planes(&planes, self.width, self.height, format)?
        } else {
            let data = self.data.slice(self.len, "data")?;
            let view = ImageView::new(data, self.width, self.height, format)?;
            if self.stride == 0 { view } else { view.with_stride(self.stride)? }
        };
        Ok(view.with_orientation(orientation))
    }
}

// SAFETY: repr(C), `struct_size` first, numbers.
unsafe impl Growing for faceprint_decode_limits {
    fn defaults() -> Self {
        let limits = DecodeLimits::default();
        Self {
            struct_size: size_of::<Self>(),
            max_pixels: limits.max_pixels,
            max_bytes: limits.max_bytes,
            max_encoded_bytes: limits.max_encoded_bytes,
        }
    }
}

impl From<faceprint_decode_limits> for DecodeLimits {
    fn from(limits: faceprint_decode_limits) -> Self {
        Self {
            max_pixels: limits.max_pixels,
            max_bytes: limits.max_bytes,
            max_encoded_bytes: limits.max_encoded_bytes,
        }
    }
}

/// A file of at most that many bytes, and one more, by which the decoder sees that it is too long.
fn read_at_most(path: &str, most: u64) -> Result<Vec<u8>, Failure> {
    use std::io::Read;
    let mut bytes = Vec::new();
    let file = std::fs::File::open(path);
    file.and_then(|file| file.take(most.saturating_add(1)).read_to_end(&mut bytes))
        .map_err(|error| Failure::io(format!("{path} could not be read: {error}")))?;
    Ok(bytes)
}
