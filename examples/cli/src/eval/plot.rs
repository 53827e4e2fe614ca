//! Pictures of an evaluation, SVG or PNG by the file's ending.

pub(crate) mod identification;
pub(crate) mod verification;

use std::path::Path;

use image::RgbImage;
use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::register_font;

use crate::draw;
use crate::failure::Failure;

const HEIGHT: u32 = 700;
pub(super) const CURVE: RGBColor = RGBColor(37, 99, 235);
pub(super) const POINT: RGBColor = RGBColor(220, 38, 38);
pub(super) const QUIET: RGBColor = RGBColor(113, 113, 122);

/// What can be drawn.
pub(crate) trait Drawing {
    /// Pixels; all pictures are equally high.
    const WIDTH: u32;

    fn render<B: DrawingBackend>(&self, root: &DrawingArea<B, Shift>) -> Result<(), Failure>
    where
        B::ErrorType: 'static;
}

/// Writes the picture to `path`.
pub(crate) fn save<D: Drawing>(drawing: &D, path: &Path) -> Result<(), Failure> {
    let size = (D::WIDTH, HEIGHT);
    // Text is measured with this typeface for both formats; an SVG names it and its viewer draws it.
    register_font("sans-serif", FontStyle::Normal, dejavu::sans::regular())
        .map_err(|_| unexpected("the typeface cannot be read"))?;
    match path.extension().and_then(|ending| ending.to_str()).map(str::to_lowercase).as_deref() {
        Some("svg") => {
            let mut text = String::new();
            {
                let root = SVGBackend::with_string(&mut text, size).into_drawing_area();
                drawing.render(&root)?;
                root.present().map_err(unexpected)?;
            }
            std::fs::write(path, text).map_err(|error| Failure::file(path, &error))
        }
        Some("png") => {
            let mut picture = RgbImage::new(D::WIDTH, HEIGHT);
            {
                let root = BitMapBackend::with_buffer(&mut picture, size).into_drawing_area();
                drawing.render(&root)?;
                root.present().map_err(unexpected)?;
            }
            draw::save(&picture, path)
        }
        _ => Err(Failure::usage(format!("{}: a plot is a .svg or a .png file", path.display()))),
    }
}

/// A rate on a logarithmic axis: `0.001`, and `1e-4` below.
fn decade(value: &f64) -> String {
    if *value >= 0.001 {
        format!("{}", (value * 1e6).round() / 1e6)
    } else {
        format!("{value:.0e}")
    }
}

/// Drawing into memory does not fail for a reason that the user could mend.
pub(super) fn unexpected(error: impl std::fmt::Display) -> Failure {
    Failure::new(faceprint::ErrorKind::Internal, format!("the plot could not be drawn: {error}"))
}
