//! How a picture lies in a detector's input, and the way back.

use crate::geometry::Point;

/// A picture scaled by [`scale`](Self::scale) into the top-left corner of a canvas; the rest of the
/// canvas is padding. Sizes are (width, height) in pixels, none of them 0.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Letterbox {
    scale: f32,
    content: (u32, u32),
    canvas: (u32, u32),
}

impl Letterbox {
    /// The largest picture of the ratio of `source` in a `canvas`, rounded down as InsightFace's
    /// detectors do, so that their boxes are reproduced. Zero sides count as 1.
    #[must_use]
    pub fn fit(source: (u32, u32), canvas: (u32, u32)) -> Self {
        let (source, canvas) = (at_least_one(source), at_least_one(canvas));
        let ratio = f64::from(source.1) / f64::from(source.0);
        let content = if ratio > f64::from(canvas.1) / f64::from(canvas.0) {
            (truncated(f64::from(canvas.1) / ratio), canvas.1)
        } else {
            (canvas.0, truncated(f64::from(canvas.0) * ratio))
        };
        let content = at_least_one((content.0.min(canvas.0), content.1.min(canvas.1)));
        Self { scale: share(content.1, source.1), content, canvas }
    }

    /// The picture as it is, on a canvas whose sides are rounded up to a multiple of `multiple`
    /// (1..=65536). Zero sides count as 1.
    #[must_use]
    pub fn pad(source: (u32, u32), multiple: u32) -> Self {
        let content = at_least_one(source);
        Self { scale: 1.0, content, canvas: rounded_up(content, multiple) }
    }

    /// The picture with both sides multiplied by `factor` and rounded, on a canvas whose sides are
    /// rounded up to a multiple of `multiple` (1..=65536). Sides are kept to 1..=65535 pixels.
    #[must_use]
    pub fn scaled(source: (u32, u32), factor: f32, multiple: u32) -> Self {
        let source = at_least_one(source);
        let side = |side: u32| {
            let scaled = (f64::from(side) * f64::from(factor)).round();
            truncated(scaled).clamp(1, super::MAX_SIDE)
        };
        let content = (side(source.0), side(source.1));
        // The longer side tells the scale best: its rounding weighs least.
        let scale = if source.0 > source.1 {
            share(content.0, source.0)
        } else {
            share(content.1, source.1)
        };
        Self { scale, content, canvas: rounded_up(content, multiple) }
    }

    /// Canvas pixels per source pixel, more than 0.
    #[must_use]
    pub const fn scale(&self) -> f32 {
        self.scale
    }

    /// Size of the picture on the canvas, (width, height) in pixels.
    #[must_use]
    pub const fn content(&self) -> (u32, u32) {
        self.content
    }

    /// Size of the canvas, (width, height) in pixels.
    #[must_use]
    pub const fn canvas(&self) -> (u32, u32) {
        self.canvas
    }

    /// From canvas pixels to pixels of the source picture.
    #[must_use]
    pub fn to_source(&self, point: Point) -> Point {
        Point::new(point.x / self.scale, point.y / self.scale)
    }

    /// From pixels of the source picture to canvas pixels.
    #[must_use]
    pub fn to_canvas(&self, point: Point) -> Point {
        Point::new(point.x * self.scale, point.y * self.scale)
    }
}

fn at_least_one((width, height): (u32, u32)) -> (u32, u32) {
    (width.max(1), height.max(1))
}

fn rounded_up((width, height): (u32, u32), multiple: u32) -> (u32, u32) {
    let multiple = multiple.clamp(1, 1 << 16);
    let up = |side: u32| side.checked_next_multiple_of(multiple).unwrap_or(side);
    (up(width), up(height))
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the integer part is asked for; `as` saturates and takes NaN to 0"
)]
const fn truncated(value: f64) -> u32 {
    value as u32
}

#[expect(clippy::cast_possible_truncation, reason = "rounding a ratio to f32")]
fn share(part: u32, whole: u32) -> f32 {
    (f64::from(part) / f64::from(whole)) as f32
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn fit_rounds_like_insightface() {
        // int() truncation: 640 * (554 / 800) = 443.2
        let wide = Letterbox::fit((800, 554), (640, 640));
        assert_eq!((wide.content(), wide.canvas()), ((640, 443), (640, 640)));
        assert!((wide.scale() - 443.0 / 554.0).abs() < 1e-7);
        let tall = Letterbox::fit((333, 1000), (640, 640));
        assert_eq!(tall.content(), (213, 640));
        assert_eq!(Letterbox::fit((250, 250), (640, 640)).content(), (640, 640));
    }

    #[test]
    fn pad_and_scaled_round_up() {
        let padded = Letterbox::pad((250, 250), 32);
        assert_eq!((padded.content(), padded.canvas()), ((250, 250), (256, 256)));
        let half = Letterbox::scaled((801, 401), 0.5, 32);
        assert_eq!((half.content(), half.canvas()), ((401, 201), (416, 224)));
    }

    #[test]
    fn extreme_sizes_stay_sizes() {
        assert_eq!(Letterbox::fit((65_535, 1), (640, 640)).content(), (640, 1));
        assert_eq!(Letterbox::fit((1, 65_535), (640, 640)).content(), (1, 640));
        assert_eq!(Letterbox::scaled((10, 10), f32::NAN, 0).canvas(), (1, 1));
        assert_eq!(Letterbox::scaled((10, 10), f32::INFINITY, 1).content(), (65_535, 65_535));
        assert_eq!(Letterbox::fit((0, 0), (0, 0)).canvas(), (1, 1));
    }

    proptest! {
        #[test]
        fn there_and_back_is_where_it_was(
            width in 1u32..10_000, height in 1u32..10_000, factor in 0.05f32..4.0,
            x in -100.0f32..10_000.0, y in -100.0f32..10_000.0,
        ) {
            let source = (width, height);
            for letterbox in [
                Letterbox::fit(source, (640, 480)),
                Letterbox::pad(source, 32),
                Letterbox::scaled(source, factor, 32),
            ] {
                let point = Point::new(x, y);
                let back = letterbox.to_source(letterbox.to_canvas(point));
                prop_assert!(back.distance(point) <= 2e-6 * (x.abs() + y.abs()), "{letterbox:?}");
                prop_assert!(letterbox.content().0 <= letterbox.canvas().0);
                prop_assert!(letterbox.content().1 <= letterbox.canvas().1);
            }
        }
    }
}
