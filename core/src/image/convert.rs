//! Any view to a [`Raster`]: the formats' rows and the eight turns, in one pass over the pixels.

use super::raster::{ChannelOrder, Raster};
use super::{ImageView, Orientation, PixelFormat, yuv};

/// Stored rows that are turned at a time when rows become columns: what is written at once (48 bytes)
/// about fills a cache line, and what is read stays in the first-level cache.
const BAND: usize = 16;

pub(super) fn raster<'a>(view: &ImageView<'a>) -> Raster<'a> {
    let order = match view.format {
        PixelFormat::Bgr8 | PixelFormat::Bgra8 => ChannelOrder::Bgr,
        _ => ChannelOrder::Rgb,
    };
    let size = (view.width(), view.height());
    if is_interleaved(view.format) && view.orientation == Orientation::Upright {
        return Raster::borrowed(view.planes[0], size, order);
    }
    let mut pixels = vec![0; size.0 as usize * size.1 as usize * 3];
    if view.orientation.swaps_sides() {
        turn_columns(view, &mut pixels);
    } else {
        turn_rows(view, &mut pixels);
    }
    Raster::owned(pixels, size, order)
}

/// Whether stored rows are raster rows as they are.
const fn is_interleaved(format: PixelFormat) -> bool {
    matches!(format, PixelFormat::Rgb8 | PixelFormat::Bgr8)
}

/// Stored rows stay rows: they may change their order, and their pixels may.
fn turn_rows(view: &ImageView<'_>, pixels: &mut [u8]) {
    for (stored, y) in (0..view.height as usize).zip(0..view.height) {
        let upright =
            if view.orientation.reverses_y() { view.height as usize - 1 - stored } else { stored };
        let len = view.width as usize * 3;
        let out = &mut pixels[upright * len..][..len];
        if is_interleaved(view.format) {
            out.copy_from_slice(view.stored_row(0, y));
        } else {
            read_row(view, y, out);
        }
        if view.orientation.reverses_x() {
            out.as_chunks_mut::<3>().0.reverse();
        }
    }
}

/// Stored rows become columns. A band of them is read, then each upright row gets its short piece.
fn turn_columns(view: &ImageView<'_>, pixels: &mut [u8]) {
    let (stored_width, stored_height) = (view.width as usize, view.height as usize);
    let mut band = vec![0; stored_width * 3 * BAND];
    for (first, y) in (0..stored_height).zip(0..view.height).step_by(BAND) {
        let rows = BAND.min(stored_height - first);
        for (y, row) in (y..).zip(band.chunks_exact_mut(stored_width * 3).take(rows)) {
            read_row(view, y, row);
        }
        let band = band.as_chunks::<3>().0;
        let start =
            if view.orientation.reverses_x() { stored_height - first - rows } else { first };
        for (upright, out) in pixels.chunks_exact_mut(stored_height * 3).enumerate() {
            let column =
                if view.orientation.reverses_y() { stored_width - 1 - upright } else { upright };
            let out = out[start * 3..][..rows * 3].as_chunks_mut::<3>().0;
            for (row, pixel) in out.iter_mut().enumerate() {
                let row = if view.orientation.reverses_x() { rows - 1 - row } else { row };
                *pixel = band[row * stored_width + column];
            }
        }
    }
}

/// Stored row `y` as 3-channel pixels in the raster's order.
fn read_row(view: &ImageView<'_>, y: u32, out: &mut [u8]) {
    let row = view.stored_row(0, y);
    let pixels = out.as_chunks_mut::<3>().0;
    match view.format {
        PixelFormat::Rgb8 | PixelFormat::Bgr8 => out.copy_from_slice(row),
        PixelFormat::Rgba8 | PixelFormat::Bgra8 => {
            for (out, &[first, second, third, _]) in pixels.iter_mut().zip(row.as_chunks().0) {
                *out = [first, second, third];
            }
        }
        PixelFormat::Gray8 => {
            pixels.iter_mut().zip(row).for_each(|(out, &level)| *out = [level; 3]);
        }
        PixelFormat::I420 => {
            let (u, v) = (view.stored_row(1, y / 2), view.stored_row(2, y / 2));
            yuv::row_to_rgb(row, u.iter().copied().zip(v.iter().copied()), out);
        }
        PixelFormat::Nv12 | PixelFormat::Nv21 => {
            let pairs = view.stored_row(1, y / 2);
            let (pairs, cut) = pairs.as_chunks::<2>();
            // A pair that lost its second sample borrows that of the pair before (or is grey).
            let last = cut.first().map(|&first| [first, pairs.last().map_or(128, |pair| pair[1])]);
            let pairs = pairs.iter().copied().chain(last);
            if view.format == PixelFormat::Nv12 {
                yuv::row_to_rgb(row, pairs.map(|[u, v]| (u, v)), out);
            } else {
                yuv::row_to_rgb(row, pairs.map(|[v, u]| (u, v)), out);
            }
        }
    }
}
