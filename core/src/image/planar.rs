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
    if letterbox.content() == (raster.width(), raster.height()) {
        for (y, start) in (0..raster.height()).zip((0..).step_by(width)) {
            let rows = planes.each_mut().map(|plane| &mut plane[start..start + used]);
            spread(raster.row(y), rows, source, &scales);
        }
        return;
    }
    let mut resizer = Resizer::new(raster, letterbox.content().0, letterbox.content().1);
    for (y, start) in (0..rows).zip((0..).step_by(width)) {
        let lines = resizer.row(y);
        for ((plane, scale), channel) in planes.iter_mut().zip(&scales).zip(source) {
            scale.write(lines.channel(channel), &mut plane[start..start + used]);
        }
    }
}

/// Appends an aligned crop (tightly packed RGB, a multiple of 3 bytes) as three planes to `out`, so
/// that crops of one size put one after the other are a batch.
pub fn pack_crop(crop: &[u8], spec: &PlanarSpec, out: &mut Vec<f32>) {
    let pixels = crop.len() / 3;
    let start = out.len();
    out.resize(start + 3 * pixels, 0.0);
    let planes = split(&mut out[start..], pixels);
    spread(crop, planes, spec.sources(ChannelOrder::Rgb), &spec.scales());
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

    /// One loop for each arithmetic, so that each can be vectorised.
    fn write(&self, levels: impl Iterator<Item = u8>, out: &mut [f32]) {
        let levels = out.iter_mut().zip(levels);
        match *self {
            Self::Multiply { mean, factor } => {
                levels.for_each(|(out, level)| *out = (f32::from(level) - mean) * factor);
            }
            Self::Divide { mean, std } => {
                levels.for_each(|(out, level)| *out = (f32::from(level) - mean) / std);
            }
        }
    }
}

/// Interleaved pixels to a row of each plane.
fn spread(pixels: &[u8], planes: [&mut [f32]; 3], source: [usize; 3], scales: &[Scale; 3]) {
    let pixels = pixels.as_chunks::<3>().0;
    for ((plane, channel), scale) in planes.into_iter().zip(source).zip(scales) {
        scale.write(pixels.iter().map(|pixel| pixel[channel]), plane);
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
