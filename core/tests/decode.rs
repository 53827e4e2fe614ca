//! Picture files: every kind is read, limits hold, and no file makes the decoder panic.
#![cfg(feature = "codecs")]
#![allow(clippy::unwrap_used)]

use std::io::Cursor;

use faceprint::ErrorKind;
use faceprint::image::{DecodeLimits, RgbImage, decode};
use image::{DynamicImage, ExtendedColorType, ImageFormat};
use proptest::prelude::*;

const FORMATS: [ImageFormat; 4] =
    [ImageFormat::Jpeg, ImageFormat::Png, ImageFormat::WebP, ImageFormat::Bmp];

/// 23 x 14 pixels, smooth enough for JPEG.
fn picture() -> DynamicImage {
    let byte = |value: u32| u8::try_from(value).unwrap();
    let pixel = |x: u32, y: u32| image::Rgb([byte(x * 8), byte(y * 12), byte(100 + x * 2 + y)]);
    DynamicImage::ImageRgb8(image::RgbImage::from_fn(23, 14, pixel))
}

fn encoded(picture: &DynamicImage, format: ImageFormat) -> Vec<u8> {
    let mut file = Cursor::new(Vec::new());
    picture.write_to(&mut file, format).unwrap();
    file.into_inner()
}

fn read(file: &[u8]) -> RgbImage {
    decode(file, &DecodeLimits::default()).unwrap()
}

fn refused(file: &[u8], limits: &DecodeLimits) -> ErrorKind {
    decode(file, limits).unwrap_err().kind()
}

/// A JPEG whose EXIF data says `orientation`.
fn turned_jpeg(orientation: u8) -> Vec<u8> {
    let plain = encoded(&picture(), ImageFormat::Jpeg);
    let mut exif = b"Exif\0\0MM\0\x2a\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0".to_vec();
    exif.extend([orientation, 0, 0, 0, 0, 0, 0]);
    let length = u16::try_from(exif.len() + 2).unwrap().to_be_bytes();
    [&plain[..2], &[0xff, 0xe1], &length, &exif, &plain[2..]].concat()
}

#[test]
fn the_four_formats_are_read() {
    for format in FORMATS {
        let ours = read(&encoded(&picture(), format));
        assert_eq!((ours.width(), ours.height()), (23, 14), "{format:?}");
        let tolerance = if format == ImageFormat::Jpeg { 40 } else { 0 };
        for (ours, theirs) in ours.as_bytes().iter().zip(picture().as_bytes()) {
            assert!(ours.abs_diff(*theirs) <= tolerance, "{format:?}");
        }
    }
}

#[test]
fn every_colour_type_becomes_rgb() {
    let rgb = picture().to_rgb8().into_raw();
    let gray = picture().to_luma8();
    let spread: Vec<u8> = gray.as_raw().iter().flat_map(|&level| [level; 3]).collect();
    for (picture, expected) in [
        (DynamicImage::ImageRgba8(picture().to_rgba8()), &rgb),
        (DynamicImage::ImageRgb16(picture().to_rgb16()), &rgb),
        (DynamicImage::ImageRgba16(picture().to_rgba16()), &rgb),
        (DynamicImage::ImageLuma8(gray.clone()), &spread),
        (DynamicImage::ImageLuma16(DynamicImage::ImageLuma8(gray.clone()).to_luma16()), &spread),
        (DynamicImage::ImageLumaA8(DynamicImage::ImageLuma8(gray).to_luma_alpha8()), &spread),
    ] {
        let ours = read(&encoded(&picture, ImageFormat::Png));
        assert_eq!(ours.as_bytes(), expected, "{:?}", picture.color());
    }
}

#[test]
fn alpha_is_dropped_not_composited() {
    let mut picture = picture().to_rgba8();
    let rgb = DynamicImage::ImageRgba8(picture.clone()).to_rgb8().into_raw();
    picture.pixels_mut().for_each(|pixel| pixel.0[3] = 0);
    let file = encoded(&DynamicImage::ImageRgba8(picture), ImageFormat::Png);
    assert_eq!(read(&file).as_bytes(), rgb);
}

#[test]
fn exif_turns_the_picture() {
    let upright = read(&encoded(&picture(), ImageFormat::Jpeg));
    let pixel = |image: &RgbImage, x: u32, y: u32| {
        let at = (y * image.width() + x) as usize * 3;
        image.as_bytes()[at..at + 3].to_vec()
    };
    let sideways = read(&turned_jpeg(6));
    assert_eq!((sideways.width(), sideways.height()), (14, 23));
    assert_eq!(pixel(&sideways, 13, 0), pixel(&upright, 0, 0));
    assert_eq!(pixel(&sideways, 0, 22), pixel(&upright, 22, 13));
    let upside_down = read(&turned_jpeg(3));
    assert_eq!(pixel(&upside_down, 22, 13), pixel(&upright, 0, 0));
    for nonsense in [0, 9, 200] {
        assert_eq!(read(&turned_jpeg(nonsense)), upright);
    }
}

#[test]
fn limits_hold() {
    for format in FORMATS {
        let file = encoded(&picture(), format);
        let pixels = 23 * 14;
        let enough = DecodeLimits { max_pixels: pixels, ..DecodeLimits::default() };
        assert!(decode(&file, &enough).is_ok());
        for limits in [
            DecodeLimits { max_pixels: pixels - 1, ..DecodeLimits::default() },
            DecodeLimits { max_bytes: pixels * 3 - 1, ..DecodeLimits::default() },
            DecodeLimits { max_encoded_bytes: file.len() as u64 - 1, ..DecodeLimits::default() },
        ] {
            assert_eq!(refused(&file, &limits), ErrorKind::LimitExceeded, "{format:?}");
        }
    }
}

#[test]
fn a_bomb_is_refused_by_its_header() {
    // 60,000 x 60,000 pixels in a file of a few bytes.
    let mut bmp = encoded(&picture(), ImageFormat::Bmp);
    bmp[18..22].copy_from_slice(&60_000u32.to_le_bytes());
    bmp[22..26].copy_from_slice(&60_000u32.to_le_bytes());
    assert_eq!(refused(&bmp, &DecodeLimits::default()), ErrorKind::LimitExceeded);
    let mut jpeg = encoded(&picture(), ImageFormat::Jpeg);
    let frame = jpeg.windows(2).position(|pair| pair == [0xff, 0xc0]).unwrap();
    jpeg[frame + 5..frame + 9].fill(0xff);
    assert_eq!(refused(&jpeg, &DecodeLimits::default()), ErrorKind::LimitExceeded);
}

#[test]
fn what_is_no_picture_is_refused() {
    let limits = DecodeLimits::default();
    for bytes in [&b""[..], b"\xff", b"GIF89a\x01\0\x01\0\0\0\0;", b"hello, world", &[0; 64]] {
        assert_eq!(refused(bytes, &limits), ErrorKind::InvalidImage);
    }
    for format in FORMATS {
        let file = encoded(&picture(), format);
        for len in [file.len() / 4, file.len() / 2, file.len() - 20] {
            let kind = refused(&file[..len], &limits);
            assert_eq!(kind, ErrorKind::InvalidImage, "{format:?} cut to {len}");
        }
    }
}

/// One pixel of palette colour 0; written with Python's `zlib.crc32`.
fn palette_png(palette: &[u8], crc: u32) -> Vec<u8> {
    [
        b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\x08\x03\0\0\0\x28\xcb\x34\xbb\0\0\0",
        &[u8::try_from(palette.len()).unwrap()][..],
        b"PLTE",
        palette,
        &crc.to_be_bytes(),
        b"\0\0\0\nIDAT\x78\x9c\x63\x60\0\0\0\x02\0\x01\x48\xaf\xa4\x71",
        b"\0\0\0\0IEND\xae\x42\x60\x82",
    ]
    .concat()
}

/// As libpng 1.6 does, asked through `cv2.imread`.
#[test]
fn a_palette_that_is_no_whole_number_of_colours_is_refused() {
    for (palette, crc) in
        [(&[10, 11, 12][..], 0x40af_2dec), (&[10, 11, 12, 13, 14, 15], 0x3f1e_b74c)]
    {
        assert_eq!(read(&palette_png(palette, crc)).as_bytes(), [10, 11, 12]);
    }
    let limits = DecodeLimits::default();
    for (palette, crc) in
        [(&[10, 11, 12, 13][..], 0x054f_924e), (&[10, 11, 12, 13, 14], 0xa4db_e18f)]
    {
        let error = decode(&palette_png(palette, crc), &limits).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidImage);
        let told = format!("{} bytes", palette.len());
        assert!(error.to_string().contains(&told), "{error}");
    }
}

#[test]
fn an_empty_picture_is_refused() {
    let mut png = Vec::new();
    let encoder = image::codecs::png::PngEncoder::new(&mut png);
    let written = image::ImageEncoder::write_image(encoder, &[], 0, 0, ExtendedColorType::Rgb8);
    if written.is_ok() {
        assert_eq!(refused(&png, &DecodeLimits::default()), ErrorKind::InvalidImage);
    }
}

proptest! {
    #[test]
    fn damaged_files_never_panic(
        format in prop::sample::select(&FORMATS[..]),
        cut in 0.0f64..=1.0,
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..8),
    ) {
        let mut file = encoded(&picture(), format);
        for (index, value) in damage {
            let at = index.index(file.len());
            file[at] = value;
        }
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0..=len")]
        let len = (f64::from(u32::try_from(file.len()).unwrap()) * cut).round() as usize;
        let limits = DecodeLimits { max_pixels: 1 << 22, ..DecodeLimits::default() };
        let _ = decode(&file[..len], &limits);
        let _ = decode(&file, &limits);
    }
}
