//! The DET curves of open-set identification, one for each size of the gallery.

use plotters::coord::Shift;
use plotters::prelude::*;

use super::{Drawing, QUIET, decade, unexpected};
use crate::failure::Failure;

/// From the smallest gallery to the largest; more sizes start over.
const COLORS: [RGBColor; 5] = [
    RGBColor(13, 148, 136),
    RGBColor(37, 99, 235),
    RGBColor(147, 51, 234),
    RGBColor(220, 38, 38),
    RGBColor(217, 119, 6),
];

/// What the picture shows.
#[derive(Debug)]
pub(crate) struct Det<'a> {
    pub(crate) title: &'a str,
    /// Templates in the gallery, and (FPIR, FNIR) from the strictest threshold to the loosest.
    pub(crate) curves: Vec<(usize, Vec<(f64, f64)>)>,
    /// The lowest rates that the searches can show: FPIR and FNIR.
    pub(crate) floor: (f64, f64),
}

impl Drawing for Det<'_> {
    const WIDTH: u32 = 900;

    fn render<B: DrawingBackend>(&self, root: &DrawingArea<B, Shift>) -> Result<(), Failure>
    where
        B::ErrorType: 'static,
    {
        root.fill(&WHITE).map_err(unexpected)?;
        // A logarithmic axis has no 0 and must not be empty.
        let (x, y) = (self.floor.0.clamp(1e-9, 0.5), self.floor.1.clamp(1e-9, 0.5));
        let mut chart = ChartBuilder::on(root)
            .margin(20)
            .caption(self.title, ("sans-serif", 22))
            .x_label_area_size(58)
            .y_label_area_size(80)
            .build_cartesian_2d((x..1.0).log_scale(), (y..1.0).log_scale())
            .map_err(unexpected)?;
        chart
            .configure_mesh()
            .light_line_style(WHITE)
            .bold_line_style(QUIET.mix(0.25))
            .x_desc("false positive identification rate (log)")
            .y_desc("false negative identification rate (log)")
            .x_label_formatter(&decade)
            .y_label_formatter(&decade)
            .label_style(("sans-serif", 17))
            .axis_desc_style(("sans-serif", 19))
            .draw()
            .map_err(unexpected)?;
        for ((size, curve), color) in self.curves.iter().zip(COLORS.iter().cycle()) {
            let line = LineSeries::new(staircase(curve, y), color.stroke_width(2));
            let key = move |(x, y)| PathElement::new([(x, y), (x + 24, y)], color.stroke_width(2));
            let series = chart.draw_series(line).map_err(unexpected)?;
            series.label(format!("N = {size}")).legend(key);
        }
        chart
            .configure_series_labels()
            .position(SeriesLabelPosition::LowerLeft)
            .margin(16)
            .legend_area_size(34)
            .label_font(("sans-serif", 17))
            .background_style(WHITE.mix(0.8))
            .border_style(QUIET.mix(0.5))
            .draw()
            .map_err(unexpected)
    }
}

/// The curve as it was measured: rates change only at scores, nothing is drawn in between.
fn staircase(curve: &[(f64, f64)], lowest: f64) -> Vec<(f64, f64)> {
    let mut line: Vec<(f64, f64)> = Vec::with_capacity(2 * curve.len());
    for &(x, y) in curve {
        if let Some(&(_, before)) = line.last() {
            line.push((x, before));
        }
        line.push((x, y.max(lowest)));
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::eval::plot::save;

    #[test]
    fn each_size_has_its_curve() {
        let folder = tempfile::tempdir().unwrap();
        let curve = vec![(1e-3, 0.4), (1e-2, 0.1), (1.0, 0.0)];
        let curves = vec![(100, curve.clone()), (1000, curve), (5000, Vec::new())];
        let det = Det { title: "a & b", curves, floor: (1e-4, 1e-3) };
        for name in ["det.svg", "det.png"] {
            save(&det, &folder.path().join(name)).unwrap();
        }
        let svg = std::fs::read_to_string(folder.path().join("det.svg")).unwrap();
        assert!(svg.contains("a &amp; b") && svg.contains("N = 1000"), "{svg}");
        assert!(save(&det, &folder.path().join("det.pdf")).is_err());
        let none = Det { title: "", curves: Vec::new(), floor: (0.0, f64::INFINITY) };
        save(&none, &folder.path().join("none.png")).unwrap();
    }

    #[test]
    fn the_staircase_holds_a_rate_until_the_next_score() {
        let line = staircase(&[(0.1, 0.5), (0.2, 0.0)], 0.01);
        assert_eq!(line, [(0.1, 0.5), (0.2, 0.5), (0.2, 0.01)]);
    }
}
