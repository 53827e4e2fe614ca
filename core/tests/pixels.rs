//! One picture in every format, orientation and stride is one raster; no bytes make a view panic.
#![allow(clippy::unwrap_used)]

use faceprint::ErrorKind;
use faceprint::image::RgbImage;
use faceprint::image::{ImageView, Orientation, PixelFormat, Raster};
use proptest::prelude::*;

/// Luma 16..=235 and chroma near grey, so that conversion to RGB and back loses little.
fn level(x: usize, y: usize) -> [u8; 3] {
    let step = |value: usize| u8::try_from(value).unwrap();
    // 4:2:0 keeps one colour for 2 x 2 pixels: the colour changes slowly, the brightness does not.
    let (u, v) = (step(x / 2 * 3 % 40), step(y / 2 * 5 % 40));
    let base = step(60 + (x * 29 + y * 17) % 120);
    [base + v, base, base + u]
}

/// The upright picture stored so that `orientation` makes it upright, as rows of RGB.
fn stored(width: usize, height: usize, orientation: Orientation) -> Vec<Vec<[u8; 3]>> {
    let turned = orientation.swaps_sides();
    let (rows, columns) = if turned { (width, height) } else { (height, width) };
    let at = |row: usize, column: usize| match orientation {
        Orientation::Upright => level(column, row),
        Orientation::FlipHorizontal => level(width - 1 - column, row),
        Orientation::Rotate180 => level(width - 1 - column, height - 1 - row),
        Orientation::FlipVertical => level(column, height - 1 - row),
        Orientation::Transpose => level(row, column),
        Orientation::Rotate90 => level(width - 1 - row, column),
        Orientation::Transverse => level(width - 1 - row, height - 1 - column),
        Orientation::Rotate270 => level(row, height - 1 - column),
    };
    (0..rows).map(|row| (0..columns).map(|column| at(row, column)).collect()).collect()
}

/// Video-range BT.601, the inverse of what the library documents.
fn yuv([r, g, b]: [u8; 3]) -> [f64; 3] {
    let [r, g, b] = [r, g, b].map(f64::from);
    let luma = 0.299 * r + 0.587 * g + 0.114 * b;
    [16.0 + luma * 219.0 / 255.0, 128.0 + (b - luma) / 2.018, 128.0 + (r - luma) / 1.596]
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped")]
fn byte(value: f64) -> u8 {
    value.round().clamp(0.0, 255.0) as u8
}

/// The planes of `rows` in `format`, each row padded to `stride` (of luma) with rubbish.
fn encode(rows: &[Vec<[u8; 3]>], format: PixelFormat, pad: usize) -> (Vec<u8>, usize) {
    const RUBBISH: u8 = 0xee;
    let packed = |pixel: &dyn Fn([u8; 3]) -> Vec<u8>| {
        let mut out = Vec::new();
        for row in rows {
            row.iter().for_each(|&p| out.extend(pixel(p)));
            out.extend(std::iter::repeat_n(RUBBISH, pad));
        }
        let stride = out.len() / rows.len();
        (out, stride)
    };
    match format {
        PixelFormat::Rgb8 => return packed(&|p| p.to_vec()),
        PixelFormat::Bgr8 => return packed(&|[r, g, b]| vec![b, g, r]),
        PixelFormat::Rgba8 => return packed(&|[r, g, b]| vec![r, g, b, 7]),
        PixelFormat::Bgra8 => return packed(&|[r, g, b]| vec![b, g, r, 7]),
        PixelFormat::Gray8 => return packed(&|p| vec![byte((yuv(p)[0] - 16.0) * 255.0 / 219.0)]),
        _ => {}
    }
    let (mut out, stride) = packed(&|p| vec![byte(yuv(p)[0])]);
    let mean = |cx: usize, cy: usize, channel: usize| {
        let block: Vec<f64> = (2 * cy..(2 * cy + 2).min(rows.len()))
            .flat_map(|y| (2 * cx..(2 * cx + 2).min(rows[0].len())).map(move |x| (x, y)))
            .map(|(x, y)| yuv(rows[y][x])[channel])
            .collect();
        byte(block.iter().sum::<f64>() / f64::from(u32::try_from(block.len()).unwrap()))
    };
    let (columns, lines) = (rows[0].len().div_ceil(2), rows.len().div_ceil(2));
    let mut plane = |channels: &[usize], stride: usize| {
        for cy in 0..lines {
            let start = out.len();
            (0..columns).for_each(|cx| out.extend(channels.iter().map(|&c| mean(cx, cy, c))));
            out.resize(start + stride, RUBBISH);
        }
    };
    match format {
        PixelFormat::Nv12 => plane(&[1, 2], stride.next_multiple_of(2)),
        PixelFormat::Nv21 => plane(&[2, 1], stride.next_multiple_of(2)),
        _ => {
            plane(&[1], stride.div_ceil(2));
            plane(&[2], stride.div_ceil(2));
        }
    }
    (out, stride)
}

fn worst_difference(raster: &Raster<'_>, expected: impl Fn(usize, usize) -> [u8; 3]) -> u8 {
    let mut worst = 0;
    for (y, row) in (0..raster.height()).enumerate() {
        for (x, pixel) in raster.row(row).chunks_exact(3).enumerate() {
            let expected = expected(x, y);
            let rgb = match raster.order() {
                faceprint::image::ChannelOrder::Rgb => [pixel[0], pixel[1], pixel[2]],
                faceprint::image::ChannelOrder::Bgr => [pixel[2], pixel[1], pixel[0]],
            };
            for (ours, theirs) in rgb.into_iter().zip(expected) {
                worst = worst.max(ours.abs_diff(theirs));
            }
        }
    }
    worst
}

#[test]
fn every_format_orientation_and_stride_is_the_same_picture() {
    for (width, height) in [(38u32, 22u32), (2, 2), (37, 21), (2, 1), (1, 17)] {
        let size = (width as usize, height as usize);
        // An odd side pairs other pixels after a turn, whose mean colour is another.
        let yuv_tolerance = if width % 2 == 0 && height % 2 == 0 { 4 } else { 24 };
        for (format, orientation) in
            PixelFormat::ALL.into_iter().flat_map(|f| Orientation::ALL.map(|o| (f, o)))
        {
            let rows = stored(size.0, size.1, orientation);
            let (columns, lines) =
                if orientation.swaps_sides() { (height, width) } else { (width, height) };
            for pad in [0, 1, 5, 64] {
                let (bytes, stride) = encode(&rows, format, pad);
                let view = ImageView::new(&bytes, columns, lines, format)
                    .and_then(|view| view.with_stride(stride))
                    .unwrap()
                    .with_orientation(orientation);
                assert_eq!((view.width(), view.height()), (width, height));
                let raster = view.raster();
                assert_eq!((raster.width(), raster.height()), (width, height));
                let name = format!("{width}x{height} {format} {orientation:?} +{pad}");
                let worst = match format {
                    PixelFormat::Gray8 => worst_difference(&raster, |x, y| {
                        [byte((yuv(level(x, y))[0] - 16.0) * 255.0 / 219.0); 3]
                    }),
                    _ => worst_difference(&raster, level),
                };
                let tolerance = match format {
                    PixelFormat::Nv12 | PixelFormat::Nv21 | PixelFormat::I420 => yuv_tolerance,
                    _ => 0,
                };
                assert!(worst <= tolerance, "{name}: off by {worst}");
                assert_eq!(raster.into_rgb().view().raster().width(), width);
            }
        }
    }
}

#[test]
fn upright_rgb_and_bgr_are_not_copied() {
    let bytes = [0u8; 10 * 4 * 3];
    for format in [PixelFormat::Rgb8, PixelFormat::Bgr8] {
        let view = ImageView::new(&bytes, 8, 4, format).unwrap().with_stride(30).unwrap();
        assert_eq!(view.raster().as_bytes().as_ptr(), bytes.as_ptr());
    }
}

#[test]
fn separate_planes_are_the_same_picture() {
    let rows = stored(6, 4, Orientation::Upright);
    for format in [PixelFormat::Nv21, PixelFormat::Nv12] {
        let (bytes, _) = encode(&rows, format, 0);
        let (luma, chroma) = bytes.split_at(24);
        let whole = ImageView::new(&bytes, 6, 4, format).unwrap().raster().into_rgb();
        let apart = ImageView::from_planes(&[(luma, 6), (chroma, 6)], 6, 4, format).unwrap();
        assert_eq!(apart.raster().into_rgb(), whole);
        assert_eq!(apart.with_stride(6).unwrap_err().kind(), ErrorKind::InvalidArgument);
        // Android's planes end before the last sample of the other channel.
        let cut = &chroma[..chroma.len() - 1];
        let cut = ImageView::from_planes(&[(luma, 6), (cut, 6)], 6, 4, format).unwrap();
        assert_eq!(cut.raster().into_rgb().as_bytes()[..48], whole.as_bytes()[..48]);
        let shorter = &chroma[..chroma.len() - 2];
        assert!(ImageView::from_planes(&[(luma, 6), (shorter, 6)], 6, 4, format).is_err());
    }
    let (bytes, _) = encode(&rows, PixelFormat::I420, 0);
    let planes = [(&bytes[..24], 6), (&bytes[24..30], 3), (&bytes[30..36], 3)];
    let apart = ImageView::from_planes(&planes, 6, 4, PixelFormat::I420).unwrap();
    let whole = ImageView::new(&bytes, 6, 4, PixelFormat::I420).unwrap();
    assert_eq!(apart.raster().into_rgb(), whole.raster().into_rgb());
    assert!(ImageView::from_planes(&planes[..2], 6, 4, PixelFormat::I420).is_err());
}

#[test]
fn wrong_sizes_are_told() {
    let bytes = [0u8; 100];
    let kind = |result: faceprint::Result<ImageView<'_>>| result.unwrap_err().kind();
    for (width, height) in [(0, 5), (5, 0), (65_536, 1), (1, u32::MAX), (0, 0)] {
        let view = ImageView::new(&bytes, width, height, PixelFormat::Gray8);
        assert_eq!(kind(view), ErrorKind::InvalidImage);
    }
    let huge = ImageView::new(&bytes, 65_535, 65_535, PixelFormat::Rgba8);
    assert_eq!(kind(huge), ErrorKind::InvalidImage);
    let view = ImageView::new(&bytes, 5, 5, PixelFormat::Rgb8).unwrap();
    assert_eq!(kind(view.with_stride(14)), ErrorKind::InvalidArgument);
    assert_eq!(kind(view.with_stride(usize::MAX)), ErrorKind::InvalidImage);
    let error = view.with_stride(22).unwrap_err();
    assert_eq!(error.to_string(), "100 bytes, a 5x5 rgb8 picture of stride 22 needs 103");
    assert!(view.with_stride(21).is_ok());
    let crop = view.raster();
    assert!(crop.crop(1, 1, 4, 4).is_ok());
    assert!(crop.crop(1, 1, 5, 4).is_err());
    assert!(crop.crop(u32::MAX, 0, 1, 1).is_err());
    assert!(crop.crop(0, 0, 0, 1).is_err());
}

proptest! {
    #[test]
    fn no_numbers_make_a_view_panic(
        len in 0usize..4096,
        width in prop_oneof![0u32..80, any::<u32>()],
        height in prop_oneof![0u32..80, any::<u32>()],
        stride in prop_oneof![0usize..300, any::<usize>()],
        format in prop::sample::select(&PixelFormat::ALL[..]),
        orientation in prop::sample::select(&Orientation::ALL[..]),
    ) {
        let bytes = vec![127; len];
        let tight = ImageView::new(&bytes, width, height, format);
        let padded = tight.as_ref().ok().and_then(|view| view.with_stride(stride).ok());
        for view in tight.ok().into_iter().chain(padded) {
            let raster = view.with_orientation(orientation).raster();
            let last = raster.height() - 1;
            prop_assert_eq!(raster.row(last).len(), raster.width() as usize * 3);
        }
        let half = bytes.split_at(len / 2);
        let _ = ImageView::from_planes(&[(half.0, stride), (half.1, stride)], width, height, format)
            .map(|view| view.with_orientation(orientation).raster());
    }
}

#[test]
fn mirroring_turns_rows_around_and_twice_is_nothing() {
    let picture = RgbImage::from_raw(3, 2, (0..18).collect()).unwrap();
    assert_eq!(picture.mirrored().as_bytes()[..9], [6, 7, 8, 3, 4, 5, 0, 1, 2]);
    assert_eq!(picture.mirrored().mirrored(), picture);
}
