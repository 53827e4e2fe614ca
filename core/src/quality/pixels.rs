//! What the pixels of an aligned face tell: luminance and sharpness.
//!
//! Counts and sums are whole numbers, and what follows them are IEEE 754's basic operations, so that a
//! crop has the same measures on every target.

use crate::align::Similarity2d;
use crate::geometry::Point;
use crate::image::RgbImage;

/// The face in a crop of 112 x 112 pixels by ArcFace's template: an ellipse from the brows to the chin,
/// without hair and background. Centre and half axes, pixels.
const FACE: [i32; 4] = [56, 68, 36, 44];

/// Levels of luminance up to here are black, as OFIQ's `UnderExposurePrevention` counts.
const BLACK: usize = 25;

/// Levels of luminance from here on are white, as OFIQ's `OverExposurePrevention` counts.
const WHITE: usize = 247;

/// Contrast below this many grey levels is noise: it does not count as detail.
const NOISE: f64 = 4.0;

/// What is measured of the pixels, see [`Quality`](super::Quality).
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Pixels {
    pub(super) luminance_mean: f64,
    pub(super) luminance_variance: f64,
    pub(super) under_exposure: f64,
    pub(super) over_exposure: f64,
    pub(super) dynamic_range: f64,
    pub(super) sharpness: f64,
}

impl Pixels {
    /// Of an aligned `crop`; `to_crop` brought a picture of `width` x `height` pixels there. Pixels that
    /// come from outside the picture do not count.
    pub(super) fn measure(
        crop: &RgbImage,
        to_crop: &Similarity2d,
        (width, height): (u32, u32),
    ) -> Self {
        let mask = Mask::new(crop, to_crop, (width, height));
        Self { sharpness: sharpness(crop, &mask), ..Self::luminance(crop, &mask) }
    }

    /// The luminance of ISO/IEC 29794-5: linear light by BT.709, in 256 levels.
    fn luminance(crop: &RgbImage, mask: &Mask) -> Self {
        let mut histogram = [0_u32; 256];
        for (row, line) in mask.rows.iter().zip(lines(crop)) {
            for &[red, green, blue] in &line[row.start..row.end] {
                let light = 2126 * u32::from(LINEAR[usize::from(red)])
                    + 7152 * u32::from(LINEAR[usize::from(green)])
                    + 722 * u32::from(LINEAR[usize::from(blue)]);
                // The nearest of 256 levels: 255 of them are `WHOLE`.
                histogram[((light + LEVEL / 2) / LEVEL) as usize & 255] += 1;
            }
        }
        let count: u64 = histogram.iter().copied().map(u64::from).sum();
        if count == 0 {
            return Self::default();
        }
        let (mut sum, mut squares, mut entropy) = (0_u64, 0_u64, 0.0);
        for (level, &times) in (0_u64..).zip(&histogram) {
            let times = u64::from(times);
            sum += times * level;
            squares += times * level * level;
            entropy += to_f64(times) * log2(times);
        }
        let total = to_f64(count);
        let share = |levels: &[u32]| to_f64(levels.iter().copied().map(u64::from).sum()) / total;
        let (mean, square) = (to_f64(sum) / total, to_f64(squares) / total);
        Self {
            luminance_mean: mean / 255.0,
            luminance_variance: (square - mean * mean).max(0.0) / (255.0 * 255.0),
            under_exposure: share(&histogram[..=BLACK]),
            over_exposure: share(&histogram[WHITE..]),
            dynamic_range: (log2(count) - entropy / total).clamp(0.0, 8.0),
            sharpness: 0.0,
        }
    }
}

/// Which pixels of a crop are face.
struct Mask {
    /// The columns of each row.
    rows: Vec<std::ops::Range<usize>>,
}

impl Mask {
    fn new(crop: &RgbImage, to_crop: &Similarity2d, (width, height): (u32, u32)) -> Self {
        let [center_x, center_y, half_x, half_y] = FACE;
        let back = to_crop.inverse();
        let inside = |x: i32, y: i32| {
            // Crops are 112 pixels wide.
            #[expect(clippy::cast_precision_loss, reason = "small numbers")]
            let Point { x, y } = back.apply(Point::new(x as f32, y as f32));
            let within = |at: f32, side: u32| at >= 0.0 && f64::from(at) <= f64::from(side - 1);
            within(x, width) && within(y, height)
        };
        let (last_x, last_y) = (as_i32(crop.width()) - 1, as_i32(crop.height()) - 1);
        let row = |y: i32| {
            let dy = (y - center_y) * half_x;
            let rest = half_x * half_x * half_y * half_y - dy * dy;
            let Ok(rest) = u32::try_from(rest) else { return 0..0 };
            // The widest `dx` with (dx half_y)^2 <= rest.
            let dx = as_i32(rest.isqrt()) / half_y;
            let mut range = (center_x - dx).max(0)..(center_x + dx).min(last_x) + 1;
            // A row of an ellipse in a convex picture is one piece: only its ends can be outside.
            while !range.is_empty() && !inside(range.start, y) {
                range.start += 1;
            }
            while !range.is_empty() && !inside(range.end - 1, y) {
                range.end -= 1;
            }
            as_usize(range.start)..as_usize(range.end)
        };
        Self { rows: (0..=last_y).map(row).collect() }
    }
}

/// The Laplacian's root mean square over the standard deviation, both of the face smoothed by a
/// binomial of 3 x 3: how much of the contrast is fine detail. Brightness and contrast cancel out, single
/// noisy pixels are smoothed away, and smoothing the picture lowers it.
fn sharpness(crop: &RgbImage, mask: &Mask) -> f64 {
    let smooth = Smooth::new(crop);
    let (mut count, mut sum, mut squares, mut detail) = (0_i64, 0_i64, 0_i64, 0_i64);
    for (y, row) in mask.rows.iter().enumerate() {
        // The neighbours of the pixels at the border are not known.
        let columns = row.start.max(2)..row.end.min(smooth.width - 2);
        if y < 2 || y + 2 >= mask.rows.len() || columns.is_empty() {
            continue;
        }
        let [above, below] = [y - 1, y + 1].map(|y| &smooth.row(y)[columns.clone()]);
        let here = &smooth.row(y)[columns.start - 1..columns.end + 1];
        count += signed(columns.len());
        for ((&above, &below), here) in above.iter().zip(below).zip(here.windows(3)) {
            let [left, value, right] = [here[0], here[1], here[2]].map(i32::from);
            let bend = 4 * value - left - right - i32::from(above) - i32::from(below);
            sum += i64::from(value);
            squares += i64::from(value * value);
            detail += i64::from(bend * bend);
        }
    }
    if count == 0 {
        return 0.0;
    }
    let total = signed_to_f64(count);
    let mean = signed_to_f64(sum) / total;
    let variance = (signed_to_f64(squares) / total - mean * mean).max(0.0);
    let noise = NOISE * f64::from(Smooth::SCALE);
    (signed_to_f64(detail) / total / (variance + noise * noise)).sqrt().min(1.0)
}

/// Grey levels, smoothed by (1 2 1) along both axes, times 16: at most 4,080. The outermost pixels are 0.
struct Smooth {
    values: Vec<i16>,
    width: usize,
}

impl Smooth {
    const SCALE: i32 = 16;

    fn new(crop: &RgbImage) -> Self {
        let width = crop.width() as usize;
        // BT.601, in the 14 bits that OpenCV's `cvtColor` uses.
        let grey = |&[red, green, blue]: &[u8; 3]| -> i16 {
            let [red, green, blue] = [red, green, blue].map(i32::from);
            #[expect(clippy::cast_possible_truncation, reason = "the weights add up to 2^14")]
            {
                ((red * 4899 + green * 9617 + blue * 1868 + 8192) >> 14) as i16
            }
        };
        let grey: Vec<i16> = crop.as_bytes().as_chunks().0.iter().map(grey).collect();
        let mut values = vec![0; grey.len()];
        let mut down = vec![0; width];
        for (y, smooth) in values.chunks_exact_mut(width).enumerate().skip(1) {
            let mut rows = grey[(y - 1) * width..].chunks_exact(width);
            let (Some(above), Some(here), Some(below)) = (rows.next(), rows.next(), rows.next())
            else {
                break;
            };
            for (x, down) in down.iter_mut().enumerate() {
                *down = above[x] + 2 * here[x] + below[x];
            }
            for (smooth, along) in smooth[1..].iter_mut().zip(down.windows(3)) {
                *smooth = along[0] + 2 * along[1] + along[2];
            }
        }
        Self { values, width }
    }

    fn row(&self, y: usize) -> &[i16] {
        &self.values[y * self.width..(y + 1) * self.width]
    }
}

fn lines(crop: &RgbImage) -> impl Iterator<Item = &[[u8; 3]]> {
    crop.as_bytes().as_chunks().0.chunks_exact(crop.width() as usize)
}

/// The binary logarithm of a count, 0 for 0: by Euler's series of the inverse hyperbolic tangent, since the
/// last bit of the system's own differs from target to target.
fn log2(count: u64) -> f64 {
    let Some(whole) = count.checked_ilog2() else { return 0.0 };
    // 1 <= part < 2, so the series' argument is below a third.
    let part = to_f64(count) / to_f64(1 << whole);
    let argument = (part - 1.0) / (part + 1.0);
    let square = argument * argument;
    let series = (0..16).rev().fold(0.0, |sum, term| sum * square + 1.0 / f64::from(2 * term + 1));
    f64::from(whole) + 2.0 * argument * series * std::f64::consts::LOG2_E
}

#[expect(clippy::cast_precision_loss, reason = "counts of pixels and their sums are below 2^53")]
fn to_f64(value: u64) -> f64 {
    value as f64
}

#[expect(clippy::cast_precision_loss, reason = "sums over a crop are below 2^53")]
fn signed_to_f64(value: i64) -> f64 {
    value as f64
}

/// Sides of crops are 112.
fn as_i32(side: u32) -> i32 {
    i32::try_from(side).unwrap_or(i32::MAX)
}

fn signed(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

fn as_usize(position: i32) -> usize {
    usize::try_from(position).unwrap_or(0)
}

/// White: the weights of BT.709 add up to 10,000, `LINEAR` ends at 65,535.
const WHOLE: u32 = 10_000 * 65_535;

/// What one of 255 levels of luminance weighs, without a remainder.
const LEVEL: u32 = WHOLE / 255;

/// The light of each level of sRGB (IEC 61966-2-1), 0..=65,535.
#[rustfmt::skip]
const LINEAR: [u16; 256] = [
    0, 20, 40, 60, 80, 99, 119, 139, 159, 179, 199, 219, 241, 264, 288, 313, 340, 367, 396, 427,
    458, 491, 526, 562, 599, 637, 677, 718, 761, 805, 851, 898, 947, 997, 1048, 1101, 1156, 1212,
    1270, 1330, 1391, 1453, 1517, 1583, 1651, 1720, 1790, 1863, 1937, 2013, 2090, 2170, 2250, 2333,
    2418, 2504, 2592, 2681, 2773, 2866, 2961, 3058, 3157, 3258, 3360, 3464, 3570, 3678, 3788, 3900,
    4014, 4129, 4247, 4366, 4488, 4611, 4736, 4864, 4993, 5124, 5257, 5392, 5530, 5669, 5810, 5953,
    6099, 6246, 6395, 6547, 6700, 6856, 7014, 7174, 7335, 7500, 7666, 7834, 8004, 8177, 8352, 8528,
    8708, 8889, 9072, 9258, 9445, 9635, 9828, 10022, 10219, 10417, 10619, 10822, 11028, 11235,
    11446, 11658, 11873, 12090, 12309, 12530, 12754, 12980, 13209, 13440, 13673, 13909, 14146,
    14387, 14629, 14874, 15122, 15371, 15623, 15878, 16135, 16394, 16656, 16920, 17187, 17456,
    17727, 18001, 18277, 18556, 18837, 19121, 19407, 19696, 19987, 20281, 20577, 20876, 21177,
    21481, 21787, 22096, 22407, 22721, 23038, 23357, 23678, 24002, 24329, 24658, 24990, 25325,
    25662, 26001, 26344, 26688, 27036, 27386, 27739, 28094, 28452, 28813, 29176, 29542, 29911,
    30282, 30656, 31033, 31412, 31794, 32179, 32567, 32957, 33350, 33745, 34143, 34544, 34948,
    35355, 35764, 36176, 36591, 37008, 37429, 37852, 38278, 38706, 39138, 39572, 40009, 40449,
    40891, 41337, 41785, 42236, 42690, 43147, 43606, 44069, 44534, 45002, 45473, 45947, 46423,
    46903, 47385, 47871, 48359, 48850, 49344, 49841, 50341, 50844, 51349, 51858, 52369, 52884,
    53401, 53921, 54445, 54971, 55500, 56032, 56567, 57105, 57646, 58190, 58737, 59287, 59840,
    60396, 60955, 61517, 62082, 62650, 63221, 63795, 64372, 64952, 65535,
];

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    use super::*;

    fn whole(crop: &RgbImage) -> Pixels {
        Pixels::measure(crop, &Similarity2d::IDENTITY, (crop.width(), crop.height()))
    }

    fn painted(paint: impl Fn(u32, u32) -> [u8; 3]) -> RgbImage {
        let pixels = (0..112).flat_map(|y| (0..112).map(move |x| (x, y)));
        let pixels = pixels.flat_map(|(x, y)| paint(x, y)).collect();
        RgbImage::from_raw(112, 112, pixels).unwrap()
    }

    #[test]
    fn light_is_srgb_made_linear() {
        for (level, &light) in LINEAR.iter().enumerate() {
            let value = level as f64 / 255.0;
            let linear =
                if value <= 0.04045 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) };
            assert_eq!(f64::from(light), (linear * 65535.0).round());
        }
    }

    #[test]
    fn the_logarithm_is_one() {
        for count in (0..2000).chain([12_544, 65_535, 1 << 40, u64::MAX >> 12]) {
            let expected = if count == 0 { 0.0 } else { to_f64(count).log2() };
            assert!((log2(count) - expected).abs() < 1e-13, "{count}");
        }
    }

    #[test]
    fn flat_faces_have_their_luminance_and_nothing_else() {
        for (level, luminance, under, over) in
            [(0, 0.0, 1.0, 0.0), (128, 0.215_860_5, 0.0, 0.0), (255, 1.0, 0.0, 1.0)]
        {
            let pixels = whole(&painted(|_, _| [level; 3]));
            // 256 levels of linear light.
            assert!((pixels.luminance_mean - luminance).abs() <= 0.5 / 255.0, "{pixels:?}");
            assert_eq!((pixels.under_exposure, pixels.over_exposure), (under, over));
            assert_eq!((pixels.luminance_variance, pixels.dynamic_range), (0.0, 0.0));
            assert_eq!(pixels.sharpness, 0.0);
        }
    }

    #[test]
    fn half_black_and_half_white_has_one_bit_and_a_quarter() {
        let pixels = whole(&painted(|x, _| [if x < 56 { 0 } else { 255 }; 3]));
        assert!((pixels.luminance_variance - 0.25).abs() < 1e-3);
        assert!((pixels.dynamic_range - 1.0).abs() < 1e-3);
        assert!((pixels.under_exposure - 0.5).abs() < 0.02);
    }

    #[test]
    fn what_lies_outside_the_picture_does_not_count() {
        let crop = painted(|x, _| [if x < 40 { 0 } else { 200 }; 3]);
        let shifted = Similarity2d::new(1.0, 0.0, 40.0, 0.0).unwrap();
        let pixels = Pixels::measure(&crop, &shifted, (72, 112));
        assert_eq!((pixels.under_exposure, pixels.luminance_variance), (0.0, 0.0));
        let far = Similarity2d::new(1.0, 0.0, 4000.0, 0.0).unwrap();
        assert_eq!(Pixels::measure(&crop, &far, (72, 112)), Pixels::default());
    }

    #[test]
    fn finer_patterns_are_sharper() {
        let of = |period: f64| {
            let level = |x: u32| {
                (127.5 + 60.0 * (f64::from(x) * std::f64::consts::TAU / period).sin()) as u8
            };
            whole(&painted(|x, _| [level(x); 3])).sharpness
        };
        let found = [40.0, 20.0, 10.0, 6.0].map(of);
        assert!(found.is_sorted(), "{found:?}");
        // The Laplacian of a wave is 2 - 2 cos(2 pi / period) times the wave.
        let expected = 2.0 - 2.0 * (std::f64::consts::TAU / 10.0).cos();
        assert!((found[2] - expected).abs() < 0.03, "{found:?} {expected}");
    }
}
