//! Picture files to pixels, under limits.

use std::io::Cursor;
use std::panic::{UnwindSafe, catch_unwind};

use ::image::codecs::{bmp::BmpDecoder, jpeg::JpegDecoder, png::PngDecoder, webp::WebPDecoder};
use ::image::{DynamicImage, ImageDecoder, ImageError, ImageFormat, Limits};

use super::limits::DecodeLimits;
use super::raster::RgbImage;
use super::{ImageView, MAX_SIDE, Orientation, PixelFormat};
use crate::error::{Error, ErrorKind, Result};

/// Reads a JPEG, PNG, WebP or BMP file and turns it upright as its EXIF data asks.
///
/// The format is told by the first bytes. Grey, palette, CMYK and 16-bit pictures become 8-bit RGB;
/// alpha is dropped, not composited, and 16 bits keep the upper 8, both as OpenCV's `IMREAD_COLOR`
/// does. Of an animation the first frame is read. A JPEG that ends early is refused, and a PNG whose
/// palette is no whole number of colours.
///
/// A decoder that panics on a hostile file fails with [`InvalidImage`](ErrorKind::InvalidImage) like
/// any other; in a program built with `panic = "abort"` that cannot be held.
///
/// # Errors
/// [`LimitExceeded`](ErrorKind::LimitExceeded) when the file or its picture is larger than `limits`;
/// [`InvalidImage`](ErrorKind::InvalidImage) for every file that cannot be read.
pub fn decode(bytes: &[u8], limits: &DecodeLimits) -> Result<RgbImage> {
    within("file", bytes.len() as u64, "bytes", limits.max_encoded_bytes)?;
    let format = ::image::guess_format(bytes).map_err(|_| unknown_format())?;
    contained(|| read(format, bytes, limits))
}

/// Runs a decoder written elsewhere: what a stranger's file does to it is an error, not a panic.
fn contained<T>(read: impl FnOnce() -> Result<T> + UnwindSafe) -> Result<T> {
    catch_unwind(read).unwrap_or_else(|_| {
        Err(Error::new(ErrorKind::InvalidImage, "picture file made its decoder panic"))
    })
}

fn read(format: ImageFormat, bytes: &[u8], limits: &DecodeLimits) -> Result<RgbImage> {
    let reader = Cursor::new(bytes);
    match format {
        ImageFormat::Jpeg => {
            check_complete(bytes)?;
            let coefficients = if is_progressive(bytes) { 8 } else { 0 };
            pixels(JpegDecoder::new(reader).map_err(invalid)?, coefficients, limits)
        }
        ImageFormat::Png => {
            check_palette(bytes)?;
            let allowed = library_limits(limits);
            pixels(PngDecoder::with_limits(reader, allowed).map_err(invalid)?, 0, limits)
        }
        ImageFormat::WebP => pixels(WebPDecoder::new(reader).map_err(invalid)?, 4, limits),
        ImageFormat::Bmp => pixels(BmpDecoder::new(reader).map_err(invalid)?, 0, limits),
        _ => Err(unknown_format()),
    }
}

/// From a decoder that has read the header to upright RGB. The decoder keeps `own` bytes a pixel for
/// itself while it works.
fn pixels(mut decoder: impl ImageDecoder, own: u64, limits: &DecodeLimits) -> Result<RgbImage> {
    let (width, height) = decoder.dimensions();
    super::check_size(width, height)?;
    let count = u64::from(width) * u64::from(height);
    within("picture", count, "pixels", limits.max_pixels)?;
    let orientation = decoder.orientation().map_or(1, ::image::metadata::Orientation::to_exif);
    let orientation = Orientation::from_exif(orientation)?;
    // The decoded picture, and a second one when it is not upright RGB yet.
    let direct = decoder.color_type() == ::image::ColorType::Rgb8;
    let copy = if direct && orientation == Orientation::Upright { 0 } else { count * 3 };
    let needed = decoder.total_bytes().saturating_add(copy).saturating_add(count * own);
    within("picture", needed, "bytes", limits.max_bytes)?;
    decoder.set_limits(library_limits(limits)).map_err(invalid)?;
    let rgb = to_rgb(DynamicImage::from_decoder(decoder).map_err(invalid)?);
    if orientation == Orientation::Upright {
        return RgbImage::from_raw(width, height, rgb);
    }
    let view = ImageView::new(&rgb, width, height, PixelFormat::Rgb8)?;
    Ok(view.with_orientation(orientation).raster().into_rgb())
}

/// The 8 upper bits of the colour channels.
fn to_rgb(picture: DynamicImage) -> Vec<u8> {
    match picture {
        DynamicImage::ImageRgb8(picture) => picture.into_raw(),
        DynamicImage::ImageRgba8(picture) => each(picture.as_raw(), |&[r, g, b, _]| [r, g, b]),
        DynamicImage::ImageLuma8(picture) => each(picture.as_raw(), |&[level]| [level; 3]),
        DynamicImage::ImageLumaA8(picture) => each(picture.as_raw(), |&[level, _]| [level; 3]),
        DynamicImage::ImageRgb16(picture) => {
            each(picture.as_raw(), |rgb: &[u16; 3]| rgb.map(upper))
        }
        DynamicImage::ImageRgba16(picture) => {
            each(picture.as_raw(), |&[r, g, b, _]| [r, g, b].map(upper))
        }
        DynamicImage::ImageLuma16(picture) => each(picture.as_raw(), |&[level]| [upper(level); 3]),
        DynamicImage::ImageLumaA16(picture) => {
            each(picture.as_raw(), |&[level, _]| [upper(level); 3])
        }
        other => other.into_rgb8().into_raw(),
    }
}

fn each<T, const N: usize>(samples: &[T], pixel: impl Fn(&[T; N]) -> [u8; 3]) -> Vec<u8> {
    samples.as_chunks().0.iter().map(pixel).collect::<Vec<_>>().into_flattened()
}

const fn upper(value: u16) -> u8 {
    value.to_be_bytes()[0]
}

/// A decoder fills what is missing with grey and calls it a picture; a face in it would be half a
/// face. The end marker is found at once in a whole file: it is the last thing in it.
fn check_complete(jpeg: &[u8]) -> Result<()> {
    let end = [0xff, 0xd9];
    if jpeg.windows(2).rev().any(|pair| pair == end) {
        return Ok(());
    }
    Err(Error::new(
        ErrorKind::InvalidImage,
        format!("jpeg of {} bytes has no end marker, the file was cut off", jpeg.len()),
    ))
}

/// The PNG specification (11.2.2) calls a palette whose length is not divisible by three an error; png
/// 0.18.1 panics on it. The first palette decides: the decoder refuses a second one.
fn check_palette(png: &[u8]) -> Result<()> {
    let mut at = 8;
    while let Some(&[a, b, c, d, ref kind @ ..]) = png.get(at..).and_then(<[u8]>::first_chunk::<8>)
    {
        let length = u32::from_be_bytes([a, b, c, d]) as usize;
        if kind == b"PLTE" {
            if length.is_multiple_of(3) {
                break;
            }
            let message = format!("png palette has {length} bytes, not three for each colour");
            return Err(Error::new(ErrorKind::InvalidImage, message));
        }
        at = at.saturating_add(length).saturating_add(12);
    }
    Ok(())
}

/// Whether all coefficients of a JPEG are held until its last byte. Also when its segments cannot be
/// followed to its first scan: the limits are then the stricter ones.
fn is_progressive(jpeg: &[u8]) -> bool {
    let mut at = 2;
    while let Some(&[0xff, marker, high, low]) = jpeg.get(at..).and_then(<[u8]>::first_chunk) {
        match marker {
            0xc2 | 0xc6 | 0xca | 0xce => return true,
            0xda => return false,
            0xff => at += 1,
            _ => at += 2 + usize::from(u16::from_be_bytes([high, low])),
        }
    }
    true
}

fn library_limits(limits: &DecodeLimits) -> Limits {
    let mut library = Limits::no_limits();
    library.max_image_width = Some(MAX_SIDE);
    library.max_image_height = Some(MAX_SIDE);
    library.max_alloc = Some(limits.max_bytes);
    library
}

fn within(what: &str, value: u64, unit: &str, limit: u64) -> Result<()> {
    if value <= limit {
        return Ok(());
    }
    let message =
        format!("{what} has {value} {unit}, the limit is {limit}; raise it in DecodeLimits");
    Err(Error::new(ErrorKind::LimitExceeded, message))
}

fn unknown_format() -> Error {
    Error::new(ErrorKind::InvalidImage, "not a jpeg, png, webp or bmp file")
}

fn invalid(error: ImageError) -> Error {
    match error {
        ImageError::Limits(_) => {
            Error::with_source(ErrorKind::LimitExceeded, "picture exceeds the limits", error)
        }
        _ => Error::with_source(ErrorKind::InvalidImage, "picture file cannot be read", error),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_decoder_that_panics_is_an_invalid_picture() {
        let error = contained(|| -> Result<()> { panic!("a defect of a decoder") }).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidImage);
        assert_eq!(contained(|| Ok(7)).unwrap(), 7);
    }

    #[test]
    fn progressive_jpegs_are_told_by_their_frame_header() {
        // A segment that holds what looks like a frame header, the frame header, the scan.
        let file = |frame: u8| {
            let before = [0xff, 0xd8, 0xff, 0xe0, 0, 4, 0xff, 0xc2];
            [&before[..], &[0xff, frame, 0, 3, 8, 0xff, 0xda, 0, 2]].concat()
        };
        assert!(!is_progressive(&file(0xc0)));
        assert!(is_progressive(&file(0xc2)));
        assert!(is_progressive(&[0xff, 0xd8, 1, 2, 3, 4]));
    }
}
