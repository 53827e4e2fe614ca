//! Pictures as networks take them: planes of f32, mean taken off, scaled, padded.

use super::letterbox::Letterbox;
use super::raster::{ChannelOrder, Raster};
use super::resize::Resizer;

/// What a network was trained on. A value of its input is `(pixel - mean[c]) / std[c]` in f32 for
/// plane `c` of `order`, pixels 0..=255.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PlanarSpec {
    /// The order of the planes.
    pub order: ChannelOrder,
    /// Taken off each plane, 0..=255.
    pub mean: [f32; 3],
    /// Divides each plane; not 0.
    pub std: [f32; 3],
}

/// The picture as it lies in `letterbox`: 3 x canvas height x canvas width values, row-major, resized
/// by [`resize`](super::resize())'s rules. Padding is the value of pixel level 0.
#[must_use]
pub fn pack(raster: &Raster<'_>, letterbox: &Letterbox, spec: &PlanarSpec) -> Vec<f32> {
    let mut out = Vec::new();
    pack_into(raster, letterbox, spec, &mut out);
    out
}

/// [`pack`] into a buffer that is used again: what `out` held is replaced.
pub fn pack_into(
    raster: &Raster<'_>,
    letterbox: &Letterbox,
    spec: &PlanarSpec,
    out: &mut Vec<f32>,
) {
    let (width, height) = usize_pair(letterbox.canvas());
    let (used, rows) = usize_pair(letterbox.content());
    let scales = spec.scales();
    // All of it is written below, so what is left of an earlier picture need not be cleared.
    out.resize(3 * width * height, 0.0);
    let mut planes = split(out, width * height);
    for (plane, scale) in planes.iter_mut().zip(&scales) {
        let padding = scale.value(0);
        plane[rows * width..].fill(padding);
        if used < width {
            plane.chunks_exact_mut(width).take(rows).for_each(|row| row[used..].fill(padding));
        }
    }
    let source = spec.sources(raster.order());
    let mut levels = vec![[0; 4]; used];
    let starts = (0..).step_by(width);
    if letterbox.content() == (raster.width(), raster.height()) {
        for (y, start) in (0..raster.height()).zip(starts) {
            four_lanes(raster.row(y), &mut levels);
            spread(
                &levels,
                planes.each_mut().map(|plane| &mut plane[start..start + used]),
                source,
                &scales,
            );
        }
        return;
    }
    let mut resizer = Resizer::new(raster, letterbox.content().0, letterbox.content().1);
    for (y, start) in (0..rows).zip(starts) {
        resizer.row(y, &mut levels);
        spread(
            &levels,
            planes.each_mut().map(|plane| &mut plane[start..start + used]),
            source,
            &scales,
        );
    }
}

/// Appends an aligned crop (tightly packed RGB, a multiple of 3 bytes) as three planes to `out`, so
/// that crops of one size put one after the other are a batch.
pub fn pack_crop(crop: &[u8], spec: &PlanarSpec, out: &mut Vec<f32>) {
    let pixels = crop.len() / 3;
    let start = out.len();
    out.resize(start + 3 * pixels, 0.0);
    let planes = split(&mut out[start..], pixels);
    let mut levels = vec![[0; 4]; pixels];
    four_lanes(crop, &mut levels);
    spread(&levels, planes, spec.sources(ChannelOrder::Rgb), &spec.scales());
}

impl PlanarSpec {
    fn scales(&self) -> [Scale; 3] {
        std::array::from_fn(|channel| Scale::new(self.mean[channel], self.std[channel]))
    }

    /// Which interleaved channel of a raster in `order` each plane is made of.
    fn sources(&self, order: ChannelOrder) -> [usize; 3] {
        if order == self.order { [0, 1, 2] } else { [2, 1, 0] }
    }
}

/// The arithmetic of one plane.
enum Scale {
    /// Multiplying by the reciprocal gives the same bits for all 256 levels, and is faster.
    Multiply { mean: f32, factor: f32 },
    /// It does not.
    Divide { mean: f32, std: f32 },
}

impl Scale {
    fn new(mean: f32, std: f32) -> Self {
        let (multiply, divide) =
            (Self::Multiply { mean, factor: 1.0 / std }, Self::Divide { mean, std });
        let same = |level| multiply.value(level).to_bits() == divide.value(level).to_bits();
        if (0..=u8::MAX).all(same) { multiply } else { divide }
    }

    fn value(&self, level: u8) -> f32 {
        match self {
            Self::Multiply { mean, factor } => (f32::from(level) - mean) * factor,
            Self::Divide { mean, std } => (f32::from(level) - mean) / std,
        }
    }

    /// A row of the plane that channel `channel` makes. One loop for each arithmetic, so that each can
    /// be vectorised; levels are shifted out of pixels, since an index would make each its own load.
    fn write(&self, levels: &[[u8; 4]], channel: usize, out: &mut [f32]) {
        let level = |pixel: &[u8; 4]| {
            let [level, ..] = (u32::from_le_bytes(*pixel) >> (8 * channel)).to_le_bytes();
            f32::from(level)
        };
        let levels = out.iter_mut().zip(levels);
        match *self {
            Self::Multiply { mean, factor } => {
                levels.for_each(|(out, pixel)| *out = (level(pixel) - mean) * factor);
            }
            Self::Divide { mean, std } => {
                levels.for_each(|(out, pixel)| *out = (level(pixel) - mean) / std);
            }
        }
    }
}

/// A row of pixels to a row of each plane.
fn spread(levels: &[[u8; 4]], planes: [&mut [f32]; 3], source: [usize; 3], scales: &[Scale; 3]) {
    for ((plane, channel), scale) in planes.into_iter().zip(source).zip(scales) {
        scale.write(levels, channel, plane);
    }
}

/// Pixels of three bytes as pixels of four, the fourth without meaning.
fn four_lanes(bytes: &[u8], pixels: &mut [[u8; 4]]) {
    for (pixel, bytes) in pixels.iter_mut().zip(bytes.windows(4).step_by(3)) {
        if let Some(&bytes) = bytes.first_chunk() {
            *pixel = bytes;
        }
    }
    if let (Some(last), Some(&[first, second, third])) = (pixels.last_mut(), bytes.last_chunk()) {
        *last = [first, second, third, 0];
    }
}

fn split(values: &mut [f32], plane: usize) -> [&mut [f32]; 3] {
    let (first, rest) = values.split_at_mut(plane);
    let (second, third) = rest.split_at_mut(plane);
    [first, second, third]
}

const fn usize_pair((width, height): (u32, u32)) -> (usize, usize) {
    (width as usize, height as usize)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::image::{ImageView, PixelFormat, RgbImage, resize};

    const MEANS: [f32; 3] = [104.0, 117.0, 123.0];

    fn picture() -> RgbImage {
        let level = |i: u32| u8::try_from(i * 37 % 256).unwrap();
        RgbImage::from_raw(5, 4, (0..5 * 4 * 3).map(level).collect()).unwrap()
    }

    #[test]
    fn every_level_is_divided_to_the_bit() {
        for std in [1.0, 127.5, 128.0, 57.375, 0.3] {
            let scale = Scale::new(127.5, std);
            for level in 0..=u8::MAX {
                let expected = (f32::from(level) - 127.5) / std;
                assert_eq!(scale.value(level).to_bits(), expected.to_bits());
            }
        }
        assert!(matches!(Scale::new(127.5, 128.0), Scale::Multiply { .. }));
        assert!(matches!(Scale::new(127.5, 127.5), Scale::Divide { .. }));
    }

    #[test]
    fn planes_are_ordered_and_padded() {
        let picture = picture();
        let spec = PlanarSpec { order: ChannelOrder::Bgr, mean: MEANS, std: [1.0; 3] };
        let packed = pack(&picture.view().raster(), &Letterbox::pad((5, 4), 8), &spec);
        assert_eq!(packed.len(), 3 * 8 * 8);
        for (index, &value) in packed.iter().enumerate() {
            let (plane, y, x) = (index / 64, index / 8 % 8, index % 8);
            let inside = x < 5 && y < 4;
            let level = if inside { picture.as_bytes()[(y * 5 + x) * 3 + 2 - plane] } else { 0 };
            assert_eq!(value.to_bits(), (f32::from(level) - MEANS[plane]).to_bits());
        }
    }

    #[test]
    fn the_fused_resize_is_the_resize() {
        let picture = picture();
        let spec = PlanarSpec { order: ChannelOrder::Rgb, mean: MEANS, std: [127.5; 3] };
        let letterbox = Letterbox::fit((5, 4), (16, 16));
        let mut fused = vec![7.0; 5];
        pack_into(&picture.view().raster(), &letterbox, &spec, &mut fused);
        let (width, height) = letterbox.content();
        let resized = resize(&picture.view().raster(), width, height).unwrap();
        let whole = Letterbox::fit((width, height), (16, 16));
        assert_eq!(whole.content(), (width, height));
        assert_eq!(fused, pack(&resized, &whole, &spec));
    }

    #[test]
    fn orders_of_pixels_and_planes_are_independent() {
        let rgb = picture();
        let mut swapped = rgb.as_bytes().to_vec();
        swapped.as_chunks_mut::<3>().0.iter_mut().for_each(|pixel| pixel.swap(0, 2));
        let bgr = ImageView::new(&swapped, 5, 4, PixelFormat::Bgr8).unwrap().raster();
        let spec = PlanarSpec { order: ChannelOrder::Rgb, mean: MEANS, std: [128.0; 3] };
        for letterbox in [Letterbox::pad((5, 4), 1), Letterbox::fit((5, 4), (9, 9))] {
            assert_eq!(
                pack(&bgr, &letterbox, &spec),
                pack(&rgb.view().raster(), &letterbox, &spec)
            );
        }
    }

    #[test]
    fn crops_form_a_batch() {
        let crop: Vec<u8> = (0..12).collect();
        let spec = PlanarSpec { order: ChannelOrder::Bgr, mean: [0.0; 3], std: [1.0; 3] };
        let mut batch = Vec::new();
        pack_crop(&crop, &spec, &mut batch);
        pack_crop(&crop, &spec, &mut batch);
        let once = [2.0, 5.0, 8.0, 11.0, 1.0, 4.0, 7.0, 10.0, 0.0, 3.0, 6.0, 9.0];
        assert_eq!(batch, [once, once].concat());
    }
}
