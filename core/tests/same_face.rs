//! The same face in any pixel format, turn and stride gives the same template.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "part of the tests only")]

mod common;

use common::{golden_pack, read_picture, shared};
use faceprint::image::RgbImage;
use faceprint::{
    BackendChoice, DetectionSize, Engine, ImageView, Orientation, PixelFormat, Template,
};

const FORMATS: [PixelFormat; 8] = [
    PixelFormat::Rgb8,
    PixelFormat::Bgr8,
    PixelFormat::Rgba8,
    PixelFormat::Bgra8,
    PixelFormat::Gray8,
    PixelFormat::Nv12,
    PixelFormat::Nv21,
    PixelFormat::I420,
];

#[test]
fn a_face_has_one_template_in_all_formats_turns_and_strides() {
    if shared().is_none() {
        return;
    }
    let engine = Engine::builder(&golden_pack("yunet-retail"))
        .backend(BackendChoice::Rten)
        .detection_size(DetectionSize::Native)
        .build()
        .unwrap();
    let picture = read_picture("bulk_Rob_Lowe_0001.png");
    let colour = template(&engine, &picture.view());
    let gray = {
        let (bytes, _) = encode(&picture, PixelFormat::Gray8, 0);
        let size = (picture.width(), picture.height());
        template(&engine, &ImageView::new(&bytes, size.0, size.1, PixelFormat::Gray8).unwrap())
    };
    let mut lowest = [1.0_f32; 8];
    for exif in 1..=8 {
        let orientation = Orientation::from_exif(exif).unwrap();
        let stored = as_stored(&picture, exif);
        for (index, format) in FORMATS.into_iter().enumerate() {
            for padding in [0, 1, 13] {
                let (bytes, stride) = encode(&stored, format, padding);
                let view = ImageView::new(&bytes, stored.width(), stored.height(), format);
                // A padded buffer is longer than a tight one needs; the stride says where rows start.
                let view = view.unwrap().with_stride(stride).unwrap().with_orientation(orientation);
                // A picture without colour is another picture: it is compared with itself upright.
                let expected = if format == PixelFormat::Gray8 { &gray } else { &colour };
                let similarity = template(&engine, &view).similarity(expected).unwrap().value();
                lowest[index] = lowest[index].min(similarity);
            }
        }
    }
    println!(
        "lowest cosine over 8 turns and 3 strides: {:?}",
        FORMATS.iter().zip(lowest).collect::<Vec<_>>()
    );
    for (format, lowest) in FORMATS.iter().zip(lowest) {
        assert!(lowest >= 0.999, "{format:?}: {lowest}");
    }
}

fn template(engine: &Engine, view: &ImageView<'_>) -> Template {
    let faces = engine.analyze(view).unwrap();
    assert_eq!(faces.len(), 1);
    faces[0].template.clone()
}

/// The picture as a camera with EXIF orientation `exif` stores it: the table of the EXIF standard, by
/// where the stored row 0 and column 0 are in the upright picture.
fn as_stored(upright: &RgbImage, exif: u8) -> RgbImage {
    let (width, height) = (upright.width() as usize, upright.height() as usize);
    let (stored_width, stored_height) = if exif < 5 { (width, height) } else { (height, width) };
    let mut pixels = Vec::with_capacity(width * height * 3);
    for row in 0..stored_height {
        for column in 0..stored_width {
            let (x, y) = match exif {
                1 => (column, row),
                2 => (width - 1 - column, row),
                3 => (width - 1 - column, height - 1 - row),
                4 => (column, height - 1 - row),
                5 => (row, column),
                6 => (width - 1 - row, column),
                7 => (width - 1 - row, height - 1 - column),
                _ => (row, height - 1 - column),
            };
            pixels.extend_from_slice(&upright.as_bytes()[(y * width + x) * 3..][..3]);
        }
    }
    RgbImage::from_raw(stored_width.try_into().unwrap(), stored_height.try_into().unwrap(), pixels)
        .unwrap()
}

/// The picture in `format`, each row followed by `padding` bytes, and its stride.
fn encode(picture: &RgbImage, format: PixelFormat, padding: usize) -> (Vec<u8>, usize) {
    let (width, height) = (picture.width() as usize, picture.height() as usize);
    let pixel = |x: usize, y: usize| {
        let at = (y.min(height - 1) * width + x.min(width - 1)) * 3;
        [0, 1, 2].map(|channel| picture.as_bytes()[at + channel])
    };
    let packed = |bytes_of: &dyn Fn([u8; 3]) -> Vec<u8>| {
        let mut out = Vec::new();
        for y in 0..height {
            (0..width).for_each(|x| out.extend(bytes_of(pixel(x, y))));
            out.extend(std::iter::repeat_n(0xAA, padding));
        }
        let stride = out.len() / height;
        (out, stride)
    };
    match format {
        PixelFormat::Rgb8 => packed(&|rgb| rgb.to_vec()),
        PixelFormat::Bgr8 => packed(&|[r, g, b]| vec![b, g, r]),
        PixelFormat::Rgba8 => packed(&|[r, g, b]| vec![r, g, b, 7]),
        PixelFormat::Bgra8 => packed(&|[r, g, b]| vec![b, g, r, 7]),
        PixelFormat::Gray8 => packed(&|[r, g, b]| {
            vec![to_u8(0.299 * f64::from(r) + 0.587 * f64::from(g) + 0.114 * f64::from(b))]
        }),
        _ => planes(format, width, height, padding, &pixel),
    }
}

/// 4:2:0 in BT.601 video range: Y = 16 + 65.481 R' ..., chroma of a pixel pair averaged over 2x2.
fn planes(
    format: PixelFormat,
    width: usize,
    height: usize,
    padding: usize,
    pixel: &dyn Fn(usize, usize) -> [u8; 3],
) -> (Vec<u8>, usize) {
    // Chroma rows of the interleaved formats need an even number of bytes.
    let stride = (width + padding).next_multiple_of(2);
    let unit = |x, y| pixel(x, y).map(|value| f64::from(value) / 255.0);
    let mut out = Vec::new();
    for y in 0..height {
        for x in 0..width {
            let [r, g, b] = unit(x, y);
            out.push(to_u8(16.0 + 65.481 * r + 128.553 * g + 24.966 * b));
        }
        out.extend(std::iter::repeat_n(0xAA, stride - width));
    }
    let (mut us, mut vs) = (Vec::new(), Vec::new());
    for y in (0..height).step_by(2) {
        for x in (0..width).step_by(2) {
            let mut sums = [0.0; 3];
            for (dx, dy) in [(0, 0), (1, 0), (0, 1), (1, 1)] {
                let rgb = unit(x + dx, y + dy);
                (0..3).for_each(|channel| sums[channel] += rgb[channel] / 4.0);
            }
            let [r, g, b] = sums;
            us.push(to_u8(128.0 - 37.797 * r - 74.203 * g + 112.0 * b));
            vs.push(to_u8(128.0 + 112.0 * r - 93.786 * g - 18.214 * b));
        }
    }
    let chroma_width = width.div_ceil(2);
    let rows = us.chunks(chroma_width).zip(vs.chunks(chroma_width));
    if format == PixelFormat::I420 {
        for plane in [&us, &vs] {
            for row in plane.chunks(chroma_width) {
                out.extend_from_slice(row);
                out.extend(std::iter::repeat_n(0xAA, stride / 2 - chroma_width));
            }
        }
    } else {
        for (us, vs) in rows {
            for (&u, &v) in us.iter().zip(vs) {
                out.extend(if format == PixelFormat::Nv12 { [u, v] } else { [v, u] });
            }
            out.extend(std::iter::repeat_n(0xAA, stride - 2 * chroma_width));
        }
    }
    (out, stride)
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "rounded and in 0..=255"
)]
fn to_u8(value: f64) -> u8 {
    value.round().clamp(0.0, 255.0) as u8
}
