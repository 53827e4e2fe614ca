//! The report for people.

use super::{AtThreshold, Gallery, OperatingPoint, Report};
use crate::eval::held_out::HeldOut;
use crate::eval::impostors::Impostors;
use crate::eval::intervals::Rate;
use crate::failure::Failure;
use crate::output;

pub(super) fn print(report: &Report) -> Result<(), Failure> {
    output::line(format!("pack        {}", report.pack))?;
    output::line(format!("engine      {}", report.backend))?;
    output::line(format!(
        "pictures    {} of {} people, no face found in {} (failures to acquire: their mated searches are \
         misses)",
        report.pictures,
        report.people,
        report.pictures_without_face.len()
    ))?;
    output::line(format!(
        "splits      {} from seed {}; a third of the people are strangers, the others are enrolled with \
         one picture",
        report.splits, report.seed
    ))?;
    output::line(
        "intervals   95 %: of FNIR at an FPIR by the bootstrap over people, of rates at a threshold by \
         Clopper-Pearson with as many trials as the people's pictures are worth independent ones",
    )?;
    for gallery in &report.galleries {
        print_gallery(gallery)?;
    }
    if !report.held_out.is_empty() {
        output::line("")?;
        output::line(
            "held out: thresholds from the statistics of half of the people, searches of the other half",
        )?;
        report.held_out.iter().try_for_each(|promise| output::line(held_out(promise)))?;
    }
    output::line("")?;
    print_impostors(&report.impostors)?;
    output::line(format!(
        "time        {:.1} s for the templates, {:.1} pictures/s",
        report.seconds, report.pictures_per_second
    ))
}

fn print_gallery(gallery: &Gallery) -> Result<(), Failure> {
    output::line("")?;
    let searches = gallery.operating_points.first().map(|point| &point.measured);
    let of = |rate: Option<&Rate>| rate.map_or((0, 0), |rate| (rate.trials, rate.people));
    let (mated, of_mated) = of(Some(&gallery.not_first));
    let (non_mated, of_non_mated) = of(searches.map(|at| &at.fpir));
    output::line(format!(
        "N = {}: {mated} mated searches of {of_mated} people, {non_mated} non-mated of {of_non_mated}; \
         not first {}",
        gallery.size,
        rate(&gallery.not_first)
    ))?;
    gallery.operating_points.iter().try_for_each(print_point)
}

fn print_point(point: &OperatingPoint) -> Result<(), Failure> {
    let few = if point.few_errors { "; few false positives: an indication" } else { "" };
    let asked = format!("FNIR@{:<7}", format!("{:.0e}", point.fpir));
    let measured = Rate { interval: point.fnir_interval, ..point.measured.fnir };
    let AtThreshold { threshold, fpir, .. } = &point.measured;
    output::line(format!(
        "  {asked} {}  threshold {threshold:.4}, {} false positives{few}",
        rate(&measured),
        fpir.errors
    ))?;
    let Some(pack) = &point.pack else { return Ok(()) };
    let beyond = if pack.extrapolated { "; extrapolated" } else { "" };
    let AtThreshold { threshold, fpir, fnir } = &pack.at;
    output::line(format!(
        "    the pack's  {}  threshold {threshold:.4}, FPIR {}{beyond}",
        rate(fnir),
        rate(fpir)
    ))
}

fn held_out(promise: &HeldOut) -> String {
    let beyond = if promise.extrapolated > 0 {
        format!(", extrapolated in {}", promise.extrapolated)
    } else {
        String::new()
    };
    format!(
        "  N = {:<6} promised {:.3}-{} %: FPIR {}  FNIR {}  mean threshold {:.4}; kept in {} of {} \
         splits{beyond}",
        promise.gallery,
        promise.at_least * 100.0,
        promise.claimed * 100.0,
        rate(&promise.fpir),
        rate(&promise.fnir),
        promise.threshold,
        promise.kept,
        promise.answered,
    )
}

fn print_impostors(impostors: &Impostors) -> Result<(), Failure> {
    output::line(format!(
        "impostors   {} comparisons of {} people; with --statistics as TOML for a manifest",
        impostors.comparisons, impostors.people
    ))?;
    for point in &impostors.points {
        output::line(format!(
            "  FMR {:<10} [{:.2e}, {:.2e}]  threshold {:.4}, {} false matches",
            format!("{:.3e}", point.fmr),
            point.interval[0],
            point.interval[1],
            point.threshold,
            point.false_matches,
        ))?;
    }
    let Some(tail) = &impostors.tail else {
        return output::line("  too few people or comparisons to fit the tail");
    };
    let [_, scale, shape] = tail.standard_errors;
    output::line(format!(
        "  above {:.4} generalized Pareto, scale {:.4} (standard error {:.4}), shape {:.3} ({shape:.3})",
        tail.above,
        tail.scale,
        tail.scale * scale,
        tail.shape,
    ))
}

/// `3.21 % [2.50, 4.05]`.
fn rate(rate: &Rate) -> String {
    let [low, high] = rate.interval.map(|end| end * 100.0);
    // Rates of one in ten thousand need the digits.
    let digits = if rate.rate < 0.01 { 3 } else { 2 };
    format!("{:.digits$} % [{low:.digits$}, {high:.digits$}]", rate.rate * 100.0)
}
