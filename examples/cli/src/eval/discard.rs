//! Error versus discard: how the false non-match rate falls as the pairs of the worst quality are left out
//! (Grother and Tabassi, "Performance of Biometric Quality Measures", PAMI 2007).

use std::path::Path;

use plotters::coord::Shift;
use plotters::prelude::*;
use serde::Serialize;

use super::plot::{self, CURVE, Drawing, POINT as OTHER, QUIET, unexpected};
use super::stats::wilson;
use crate::failure::Failure;

/// A genuine pair: the lower quality of its two pictures, and whether it was falsely rejected.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pair {
    pub(crate) quality: f32,
    pub(crate) rejected: bool,
}

/// The false non-match rate of what is left.
#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct Point {
    /// Share of pairs that were left out.
    pub(crate) discarded: f64,
    pub(crate) fnmr: f64,
    /// 95 % Wilson interval of `fnmr`.
    pub(crate) interval: [f64; 2],
    pub(crate) pairs: usize,
    /// The quality of the worst pair that is left.
    pub(crate) quality: f32,
}

/// The rate after leaving out each of the `shares` of the pairs, worst first.
pub(crate) fn curve(pairs: &[Pair], shares: &[f64]) -> Vec<Point> {
    let mut sorted = pairs.to_vec();
    sorted.sort_by(|a, b| a.quality.total_cmp(&b.quality));
    let point = |&discarded: &f64| {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share")]
        let left = &sorted[(discarded * sorted.len() as f64).round() as usize..];
        let rejected = left.iter().filter(|pair| pair.rejected).count();
        Some(Point {
            discarded,
            fnmr: rejected as f64 / left.len() as f64,
            interval: wilson(rejected, left.len()),
            pairs: left.len(),
            quality: left.first()?.quality,
        })
    };
    shares.iter().filter_map(point).collect()
}

/// What the picture shows.
#[derive(Debug)]
pub(crate) struct Figure<'a> {
    pub(crate) title: &'a str,
    /// Each with what it is of.
    pub(crate) curves: [(&'a str, &'a [Point]); 2],
}

/// Writes the curve to `path`, SVG or PNG by its ending.
pub(crate) fn save(figure: &Figure<'_>, path: &Path) -> Result<(), Failure> {
    plot::save(figure, path)
}

impl Drawing for Figure<'_> {
    const WIDTH: u32 = 1000;

    fn render<B: DrawingBackend>(&self, root: &DrawingArea<B, Shift>) -> Result<(), Failure>
    where
        B::ErrorType: 'static,
    {
        root.fill(&WHITE).map_err(unexpected)?;
        let percent = |value: f64| value * 100.0;
        let all = || self.curves.iter().flat_map(|(_, curve)| curve.iter());
        let highest = all().map(|point| point.interval[1]).fold(0.01, f64::max);
        let last = all().map(|point| point.discarded).fold(0.01, f64::max);
        let mut chart = ChartBuilder::on(root)
            .margin(24)
            .caption(self.title, ("sans-serif", 24))
            .x_label_area_size(58)
            .y_label_area_size(80)
            .build_cartesian_2d(0.0..percent(last), 0.0..percent(highest) * 1.05)
            .map_err(unexpected)?;
        chart
            .configure_mesh()
            .light_line_style(WHITE)
            .bold_line_style(QUIET.mix(0.25))
            .x_desc("pairs left out, worst quality first, %")
            .y_desc("false non-match rate, %")
            .label_style(("sans-serif", 17))
            .axis_desc_style(("sans-serif", 19))
            .draw()
            .map_err(unexpected)?;
        for ((name, curve), color) in self.curves.iter().zip([CURVE, OTHER]) {
            let along = |value: fn(&Point) -> f64| {
                curve.iter().map(move |point| (percent(point.discarded), percent(value(point))))
            };
            let low = along(|point| point.interval[0]);
            let band: Vec<_> = low.chain(along(|point| point.interval[1]).rev()).collect();
            chart.draw_series([Polygon::new(band, color.mix(0.12))]).map_err(unexpected)?;
            // What a quality that says nothing would give.
            let start = curve.first().map_or(0.0, |point| percent(point.fnmr));
            let flat =
                LineSeries::new([(0.0, start), (percent(last), start)], QUIET.stroke_width(1));
            chart.draw_series(flat).map_err(unexpected)?;
            let line = LineSeries::new(along(|point| point.fnmr), color.stroke_width(2));
            let drawn = chart.draw_series(line).map_err(unexpected)?;
            drawn.label(*name).legend(move |(x, y)| {
                PathElement::new([(x, y), (x + 24, y)], color.stroke_width(3))
            });
        }
        chart
            .configure_series_labels()
            .position(SeriesLabelPosition::UpperRight)
            .background_style(WHITE.mix(0.8))
            .label_font(("sans-serif", 17))
            .draw()
            .map_err(unexpected)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worst_pairs_go_first() {
        let pair = |quality, rejected| Pair { quality, rejected };
        let pairs = [pair(80.0, false), pair(10.0, true), pair(50.0, true), pair(90.0, false)];
        let curve = curve(&pairs, &[0.0, 0.25, 0.5, 1.0]);
        let rates: Vec<_> = curve.iter().map(|point| (point.pairs, point.fnmr)).collect();
        assert_eq!(rates, [(4, 0.5), (3, 1.0 / 3.0), (2, 0.0)]);
        assert_eq!(curve[1].quality, 50.0);
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("curve.png");
        save(&Figure { title: "t", curves: [("a", &curve), ("b", &curve[..1])] }, &path).unwrap();
        assert!(std::fs::metadata(&path).unwrap().len() > 5_000);
        save(
            &Figure { title: "none", curves: [("a", &[]), ("b", &[])] },
            &folder.path().join("none.svg"),
        )
        .unwrap();
    }
}
