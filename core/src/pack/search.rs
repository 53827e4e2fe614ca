//! From the error rate of a search among N templates to the threshold of one comparison.

use crate::error::{Error, ErrorKind, Result};
use crate::pack::points::OperatingPoint;
use crate::pack::tail::ImpostorTail;

/// The threshold for searches in a gallery, and what stands behind it.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct SearchThreshold {
    /// Similarity (cosine, -1..=1) from which on a template counts as found.
    pub similarity: f32,
    /// The false match rate that each of the N comparisons may have: 1 - (1 - fpir)^(1/N).
    pub fmr: f64,
    /// The false match rate at [`similarity`](Self::similarity) by the best estimate: below `fmr` by as
    /// much as the measurement is uncertain.
    pub estimate: f64,
    /// 95 % interval of that rate. Its upper end is at most `fmr`.
    pub ci95: (f64, f64),
    /// The threshold lies above every one that was measured: the fitted tail is relied on, and what it
    /// cannot know (twins, siblings, wrongly labelled pictures) is not in the interval.
    pub extrapolated: bool,
}

/// See [`ModelPack::threshold_for`](crate::ModelPack::threshold_for). `points` are ordered from the
/// loosest to the strictest.
pub(crate) fn threshold_for(
    model: &str,
    points: &[OperatingPoint],
    tail: Option<&ImpostorTail>,
    fpir: f64,
    n: usize,
) -> Result<SearchThreshold> {
    let refuse = |message| Err(Error::new(ErrorKind::InvalidArgument, message));
    if !(fpir > 0.0 && fpir < 1.0) {
        return refuse(format!("fpir {fpir} is not a rate above 0 and below 1"));
    }
    if n == 0 {
        return refuse("a search among 0 templates finds nobody: n must be 1 or more".into());
    }
    let (Some(tail), Some(loosest), Some(strictest)) = (tail, points.first(), points.last()) else {
        return refuse(format!(
            "model \"{model}\" has no statistics of impostors: measure them with `faceprint eval \
             identification` or choose the threshold yourself"
        ));
    };
    let fmr = rate_of_one(fpir, n);
    if fmr > loosest.fmr {
        return refuse(format!(
            "fpir {fpir} among {n} lets each comparison have a false match rate of {fmr:.1e}, above the \
             largest measured for model \"{model}\", {}",
            loosest.fmr
        ));
    }
    // The stricter of what was counted and of the fit; beyond what was counted, the fit.
    let counted = strict_enough(points, fmr);
    let fitted = tail.interval(fmr).1;
    let exact = fitted.max(f64::from(counted.unwrap_or(strictest.threshold)));
    let similarity = rounded_up(exact);
    if exact > 1.0 || similarity > 1.0 {
        return refuse(format!(
            "fpir {fpir} among {n} asks for a false match rate of {fmr:.1e} in each comparison, which the \
             {} comparisons of {} people measured for model \"{model}\" support at no similarity: allow a \
             larger fpir, search fewer, or measure more people",
            tail.comparisons, tail.people
        ));
    }
    let (estimate, ci95) = rate_at(points, tail, similarity);
    let extrapolated = similarity > strictest.threshold;
    Ok(SearchThreshold { similarity, fmr, estimate, ci95, extrapolated })
}

/// The rate of one comparison with which `n` independent ones let `fpir` of the searches through.
#[allow(clippy::cast_precision_loss, reason = "n beyond 2^53 changes nothing in the 16th digit")]
fn rate_of_one(fpir: f64, n: usize) -> f64 {
    -((-fpir).ln_1p() / n as f64).exp_m1()
}

/// The threshold at which the high end of the counted rate's interval is `fmr`: between two points it
/// is taken to fall exponentially. `None` below what was counted.
fn strict_enough(points: &[OperatingPoint], fmr: f64) -> Option<f32> {
    let next = points.iter().position(|point| point.ci95.1 <= fmr)?;
    let strict = &points[next];
    let Some(loose) = next.checked_sub(1).map(|before| &points[before]) else {
        return Some(strict.threshold);
    };
    // `loose` is not strict enough, so that its logarithm is the larger one.
    let (from, to) = (loose.ci95.1.ln(), strict.ci95.1.ln());
    let share = ((from - fmr.ln()) / (from - to)).clamp(0.0, 1.0);
    let (low, high) = (f64::from(loose.threshold), f64::from(strict.threshold));
    Some(rounded_up(low + share * (high - low)).clamp(loose.threshold, strict.threshold))
}

/// The rate at `similarity` and its interval: by the fit where it holds, by the points below.
fn rate_at(points: &[OperatingPoint], tail: &ImpostorTail, similarity: f32) -> (f64, (f64, f64)) {
    if similarity >= tail.above {
        let exact = f64::from(similarity);
        return (tail.rate(exact), tail.rate_interval(exact));
    }
    let next = points.partition_point(|point| point.threshold < similarity);
    let strict = &points[next.min(points.len() - 1)];
    let loose = &points[next.saturating_sub(1)];
    let width = f64::from(strict.threshold - loose.threshold);
    let share = if width > 0.0 { f64::from(similarity - loose.threshold) / width } else { 1.0 };
    let between = |from: f64, to: f64| {
        // A low end of 0 has no logarithm, and is the safe answer.
        if from.min(to) > 0.0 { (from.ln() + share * (to.ln() - from.ln())).exp() } else { 0.0 }
    };
    (
        between(loose.fmr, strict.fmr),
        (between(loose.ci95.0, strict.ci95.0), between(loose.ci95.1, strict.ci95.1)),
    )
}

#[expect(clippy::cast_possible_truncation, reason = "rounded to the next f32 that is not below")]
fn rounded_up(value: f64) -> f32 {
    let nearest = value as f32;
    if f64::from(nearest) < value { nearest.next_up() } else { nearest }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pack::tail::tests::tail;

    /// Points on the tail of the tests, and looser ones below it.
    fn points() -> Vec<OperatingPoint> {
        [(0.13, 0.1), (0.26, 1e-2), (0.37, 1e-3), (0.4625, 1e-4), (0.538, 1e-5)]
            .map(|(threshold, fmr)| OperatingPoint {
                threshold,
                fmr,
                impostors: 7_000_000,
                ci95: (0.85 * fmr, 1.15 * fmr),
                measured: "test".into(),
            })
            .to_vec()
    }

    fn ask(fpir: f64, n: usize) -> Result<SearchThreshold> {
        threshold_for("m", &points(), Some(&tail()), fpir, n)
    }

    #[test]
    fn the_rate_of_one_comparison_makes_that_of_the_search() {
        // mpmath, 50 digits: 1 - mpf("0.99") ** (mpf(1) / 1000)
        let answer = ask(0.01, 1000).unwrap();
        assert!((answer.fmr / 1.005_028_534_904_525e-5 - 1.0).abs() < 1e-13, "{}", answer.fmr);
        assert!((ask(0.01, 1).unwrap().fmr - 0.01).abs() < 1e-15);
        // Not lost to rounding where 1 - fpir is.
        assert!((rate_of_one(1e-12, 10) / 1e-13 - 1.0).abs() < 1e-9);
    }

    #[test]
    fn the_answer_is_on_the_strict_side_and_says_how_sure_it_is() {
        for (fpir, n) in [(0.05, 1), (0.1, 10), (0.1, 100), (0.01, 100), (0.01, 1000), (1e-3, 9999)]
        {
            let answer = ask(fpir, n).unwrap();
            let (low, high) = answer.ci95;
            assert!(low < answer.estimate && answer.estimate < high, "{answer:?}");
            assert!(high <= answer.fmr * (1.0 + 1e-6), "{answer:?}");
            // No stricter than it must: one of the two upper ends is reached.
            let counted = strict_enough(&points(), answer.fmr).unwrap_or(0.538);
            let fitted = rounded_up(tail().interval(answer.fmr).1);
            assert_eq!(answer.similarity, counted.max(fitted), "{answer:?}");
        }
    }

    #[test]
    fn a_larger_gallery_and_a_smaller_rate_ask_for_more() {
        let mut before = 0.0;
        for n in [1, 2, 5, 10, 30, 100, 300, 1000, 3000, 10_000, 100_000, 1_000_000] {
            let now = ask(0.05, n).unwrap().similarity;
            assert!(now >= before, "{n}");
            assert!(ask(0.01, n).unwrap().similarity >= now, "{n}");
            before = now;
        }
    }

    #[test]
    fn beyond_the_strictest_point_the_answer_is_marked() {
        let measured = ask(0.01, 100).unwrap();
        assert!(!measured.extrapolated && measured.similarity < 0.538, "{measured:?}");
        let beyond = ask(0.01, 10_000).unwrap();
        assert!(beyond.extrapolated && beyond.similarity > 0.538, "{beyond:?}");
    }

    #[test]
    fn thin_data_ask_for_a_higher_threshold() {
        let thin = ImpostorTail { standard_errors: [0.35, 0.25, 0.1], ..tail() };
        for (fpir, n) in [(0.01, 1000), (0.001, 1000), (0.01, 100_000)] {
            let careful = threshold_for("m", &points(), Some(&thin), fpir, n).unwrap();
            assert!(careful.similarity > ask(fpir, n).unwrap().similarity + 0.01);
        }
    }

    #[test]
    fn what_cannot_be_answered_says_why() {
        let says = |error: Error, words: &str| {
            assert_eq!(error.kind(), ErrorKind::InvalidArgument);
            assert!(error.to_string().contains(words), "{error}\n  expected: {words}");
        };
        for fpir in [0.0, 1.0, -0.1, f64::NAN, f64::INFINITY] {
            says(ask(fpir, 10).unwrap_err(), "is not a rate above 0 and below 1");
        }
        says(ask(0.01, 0).unwrap_err(), "n must be 1 or more");
        says(ask(0.5, 1).unwrap_err(), "above the largest measured for model \"m\", 0.1");
        let none = threshold_for("m", &points(), None, 0.01, 10).unwrap_err();
        says(none, "model \"m\" has no statistics of impostors: measure them with `faceprint eval");
        let heavy = ImpostorTail { shape: 0.3, ..tail() };
        let error = threshold_for("m", &points(), Some(&heavy), 1e-6, usize::MAX).unwrap_err();
        says(error, "7000000 comparisons of 2000 people measured for model \"m\" support at no");
    }
}
