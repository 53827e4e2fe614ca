//! The ROC and DET curves of one-to-one comparison as one picture.

use plotters::coord::Shift;
use plotters::coord::ranged1d::ValueFormatter;
use plotters::prelude::*;

use super::{CURVE, Drawing, POINT, QUIET, decade, unexpected};
use crate::eval::stats::{OperatingPoint, Roc};
use crate::failure::Failure;

/// What a picture of an evaluation shows.
#[derive(Debug)]
pub(crate) struct Figure<'a> {
    pub(crate) title: &'a str,
    pub(crate) roc: &'a Roc,
    pub(crate) operating_points: &'a [OperatingPoint],
    pub(crate) equal_error_rate: f64,
}

impl Drawing for Figure<'_> {
    const WIDTH: u32 = 1400;

    fn render<B: DrawingBackend>(&self, root: &DrawingArea<B, Shift>) -> Result<(), Failure>
    where
        B::ErrorType: 'static,
    {
        root.fill(&WHITE).map_err(unexpected)?;
        let body = root.margin(14, 0, 0, 0);
        let body = body.titled(self.title, ("sans-serif", 26)).map_err(unexpected)?;
        let (left, right) = body.split_horizontally(Self::WIDTH / 2);
        panel(&left, &Panel::roc(self))?;
        panel(&right, &Panel::det(self))
    }
}

/// One curve on a logarithmic x axis.
struct Panel {
    title: String,
    y_title: &'static str,
    lowest_far: f64,
    curve: Vec<(f64, f64)>,
    marks: Vec<(f64, f64)>,
    y: (f64, f64),
    /// `y` on a logarithmic axis as well, with the line of equal errors.
    logarithmic: bool,
}

impl Panel {
    fn roc(figure: &Figure<'_>) -> Self {
        let curve = staircase(figure.roc, |tar| tar);
        let lowest = curve.iter().map(|point| point.1).fold(1.0, f64::min);
        // Ten steps of the scale below the curve's start keep its shape visible.
        let bottom = ((lowest - (1.0 - lowest) * 0.1) * 100.0).floor() / 100.0;
        let mark = |point: &OperatingPoint| (point.far, point.tar);
        Self {
            title: format!("ROC, area {:.5}", figure.roc.area()),
            y_title: "true accept rate",
            lowest_far: lowest_far(figure.roc),
            curve,
            marks: figure.operating_points.iter().map(mark).collect(),
            y: (bottom.clamp(0.0, 0.99), 1.0),
            logarithmic: false,
        }
    }

    fn det(figure: &Figure<'_>) -> Self {
        let floor = 1.0 / (2.0 * figure.roc.genuine.max(1) as f64);
        let mark = |point: &OperatingPoint| (point.far, (1.0 - point.tar).max(floor));
        Self {
            title: format!("DET, equal error rate {:.2} %", figure.equal_error_rate * 100.0),
            y_title: "false non-match rate",
            lowest_far: lowest_far(figure.roc),
            curve: staircase(figure.roc, |tar| (1.0 - tar).max(floor)),
            marks: figure.operating_points.iter().map(mark).collect(),
            y: (floor, 1.0),
            logarithmic: true,
        }
    }
}

fn panel<B: DrawingBackend>(area: &DrawingArea<B, Shift>, panel: &Panel) -> Result<(), Failure>
where
    B::ErrorType: 'static,
{
    let x = (panel.lowest_far..1.0).log_scale();
    let mut builder = ChartBuilder::on(area);
    builder
        .margin(20)
        .caption(&panel.title, ("sans-serif", 22))
        .x_label_area_size(58)
        .y_label_area_size(80);
    if panel.logarithmic {
        let mut chart = builder
            .build_cartesian_2d(x, (panel.y.0..panel.y.1).log_scale())
            .map_err(unexpected)?;
        mesh(&mut chart, panel)?;
        let from = panel.lowest_far.max(panel.y.0);
        let equal = LineSeries::new([(from, from), (1.0, 1.0)], QUIET.stroke_width(1));
        chart.draw_series(equal).map_err(unexpected)?;
        curve(&mut chart, panel)
    } else {
        let mut chart = builder.build_cartesian_2d(x, panel.y.0..panel.y.1).map_err(unexpected)?;
        mesh(&mut chart, panel)?;
        curve(&mut chart, panel)
    }
}

/// A chart with a logarithmic x axis and any y axis of numbers.
type Chart<'a, 'b, B, Y> = ChartContext<'a, B, Cartesian2d<LogCoord<f64>, Y>>;

/// Grid, labels and axis titles.
fn mesh<B, Y>(chart: &mut Chart<'_, '_, B, Y>, panel: &Panel) -> Result<(), Failure>
where
    B: DrawingBackend,
    B::ErrorType: 'static,
    Y: Ranged<ValueType = f64> + ValueFormatter<f64>,
{
    // A good embedder's curve lies within a percent: its labels need the digits.
    let digits = if panel.y.1 - panel.y.0 > 0.1 { 2 } else { 3 };
    let label = |value: &f64| format!("{value:.digits$}");
    chart
        .configure_mesh()
        .light_line_style(WHITE)
        .bold_line_style(QUIET.mix(0.25))
        .x_desc("false accept rate (log)")
        .y_desc(panel.y_title)
        .x_label_formatter(&decade)
        .y_label_formatter(if panel.logarithmic { &decade } else { &label })
        .label_style(("sans-serif", 17))
        .axis_desc_style(("sans-serif", 19))
        .draw()
        .map_err(unexpected)
}

/// The curve, and a dot at each operating point.
fn curve<B, Y>(chart: &mut Chart<'_, '_, B, Y>, panel: &Panel) -> Result<(), Failure>
where
    B: DrawingBackend,
    B::ErrorType: 'static,
    Y: Ranged<ValueType = f64>,
{
    let line = LineSeries::new(panel.curve.iter().copied(), CURVE.stroke_width(2));
    chart.draw_series(line).map_err(unexpected)?;
    let inside = |point: &&(f64, f64)| point.0 >= panel.lowest_far;
    let dots = panel.marks.iter().filter(inside).map(|&at| Circle::new(at, 5, POINT.filled()));
    chart.draw_series(dots).map_err(unexpected)?;
    Ok(())
}

/// The curve as it was measured: rates change only at scores, nothing is drawn in between.
fn staircase(roc: &Roc, y: impl Fn(f64) -> f64) -> Vec<(f64, f64)> {
    let lowest = lowest_far(roc);
    let mut line: Vec<(f64, f64)> = Vec::new();
    for point in &roc.points {
        let (x, y) = (roc.far(point).max(lowest), y(roc.tar(point)));
        // Below the lowest rate that can be shown, only the best point matters.
        match line.as_mut_slice() {
            [only] if x <= lowest => *only = (x, y),
            [.., last] => {
                let step = (x, last.1);
                line.extend([step, (x, y)]);
            }
            [] => line.push((x, y)),
        }
    }
    if let Some(&(_, y)) = line.last() {
        line.push((1.0, y));
    }
    line
}

/// The left edge of both charts: half of what one impostor amounts to.
fn lowest_far(roc: &Roc) -> f64 {
    1.0 / (2.0 * roc.impostors.max(1) as f64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::eval::plot::{HEIGHT, save};
    use crate::eval::stats::Trial;

    fn trials() -> Vec<Trial> {
        let trial = |i: u32, same: bool| {
            let score = (i * 7919 % 1000) as f32 / 1000.0 + if same { 0.8 } else { 0.0 };
            Trial { score, same, fold: 0 }
        };
        (0..500).flat_map(|i| [trial(i, true), trial(i, false)]).collect()
    }

    #[test]
    fn both_formats_are_written_and_others_refused() {
        let folder = tempfile::tempdir().unwrap();
        let roc = Roc::new(&trials());
        let points = [1e-1, 1e-2].map(|far| roc.operating_point(far));
        let equal_error_rate = roc.equal_error_rate();
        let figure =
            Figure { title: "a & b", roc: &roc, operating_points: &points, equal_error_rate };
        for name in ["curve.svg", "curve.png"] {
            save(&figure, &folder.path().join(name)).unwrap();
        }
        let svg = std::fs::read_to_string(folder.path().join("curve.svg")).unwrap();
        assert!(svg.contains("a &amp; b") && svg.contains("false accept rate"));
        let png = image::open(folder.path().join("curve.png")).unwrap();
        assert_eq!((png.width(), png.height()), (Figure::WIDTH, HEIGHT));
        assert!(save(&figure, &folder.path().join("curve.gif")).is_err());
    }

    #[test]
    fn an_empty_evaluation_can_still_be_drawn() {
        let folder = tempfile::tempdir().unwrap();
        let roc = Roc::new(&[]);
        let figure =
            Figure { title: "none", roc: &roc, operating_points: &[], equal_error_rate: 0.0 };
        save(&figure, &folder.path().join("curve.svg")).unwrap();
    }

    #[test]
    fn the_staircase_never_goes_back() {
        let line = staircase(&Roc::new(&trials()), |tar| tar);
        assert!(line.windows(2).all(|pair| pair[1].0 >= pair[0].0 && pair[1].1 >= pair[0].1));
    }
}
