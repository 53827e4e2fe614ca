//! Operating points: which threshold gives which false match rate, as measured.

use crate::error::{Error, ErrorKind, Result};

/// One measured threshold of an embedder.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct OperatingPoint {
    /// Similarity (cosine, -1..=1) from which two faces count as the same.
    pub threshold: f32,
    /// False match rate measured there, above 0 and below 1.
    pub fmr: f64,
    /// Impostor comparisons it was measured with.
    pub impostors: u64,
    /// 95 % confidence interval of `fmr`, low and high end.
    pub ci95: (f64, f64),
    /// On what and how.
    pub measured: String,
}

/// Orders `points` from the loosest to the strictest. `Err` holds the positions, as given, of two
/// points that contradict each other: a higher threshold must have a lower rate.
pub(crate) fn sort(points: &mut [OperatingPoint]) -> Result<(), String> {
    points.sort_by(|a, b| a.threshold.total_cmp(&b.threshold));
    match points
        .windows(2)
        .find(|pair| pair[0].threshold >= pair[1].threshold || pair[0].fmr <= pair[1].fmr)
    {
        Some(pair) => Err(format!(
            "has fmr {} at threshold {} and fmr {} at threshold {}, must fall as the threshold rises",
            pair[0].fmr, pair[0].threshold, pair[1].fmr, pair[1].threshold
        )),
        None => Ok(()),
    }
}

/// The threshold for a false match rate of at most `fmr`, from `points` ordered by [`sort`].
///
/// A measured rate gives its own threshold. Between two points, the rate is taken to fall
/// exponentially from one to the other, starting at the high end of each confidence interval, so
/// that the answer errs to the strict side and never leaves the two measured thresholds.
pub(crate) fn threshold(model: &str, points: &[OperatingPoint], fmr: f64) -> Result<f32> {
    let refuse = |message| Err(Error::new(ErrorKind::InvalidArgument, message));
    if !(fmr > 0.0 && fmr < 1.0) {
        return refuse(format!("fmr {fmr} is not a rate above 0 and below 1"));
    }
    let (Some(loosest), Some(strictest)) = (points.first(), points.last()) else {
        return refuse(format!(
            "model \"{model}\" has no measured operating points: measure it with `faceprint eval` \
             or choose the threshold yourself"
        ));
    };
    if fmr < strictest.fmr {
        return refuse(format!(
            "fmr {fmr} is below the smallest measured for model \"{model}\", {} with {} impostor comparisons",
            strictest.fmr, strictest.impostors
        ));
    }
    if fmr > loosest.fmr {
        return refuse(format!(
            "fmr {fmr} is above the largest measured for model \"{model}\", {} with {} impostor comparisons",
            loosest.fmr, loosest.impostors
        ));
    }
    // The first point that is strict enough; one exists, since fmr >= strictest.fmr.
    let next = points.partition_point(|point| point.fmr > fmr);
    let Some(strict) = points.get(next) else { return Ok(strictest.threshold) };
    let Some(loose) = next.checked_sub(1).and_then(|before| points.get(before)) else {
        return Ok(strict.threshold);
    };
    if strict.fmr >= fmr {
        return Ok(strict.threshold);
    }
    Ok(between(loose, strict, fmr))
}

fn between(loose: &OperatingPoint, strict: &OperatingPoint, fmr: f64) -> f32 {
    let (from, to) = (loose.ci95.1.ln(), strict.ci95.1.ln());
    if from <= to {
        return strict.threshold;
    }
    let share = ((from - fmr.ln()) / (from - to)).clamp(0.0, 1.0);
    let (low, high) = (f64::from(loose.threshold), f64::from(strict.threshold));
    #[allow(clippy::cast_possible_truncation)]
    // Rounding to f32; the next line corrects it upwards.
    let threshold = (low + share * (high - low)) as f32;
    threshold.next_up().clamp(loose.threshold, strict.threshold)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn point(threshold: f32, fmr: f64, ci95: (f64, f64)) -> OperatingPoint {
        OperatingPoint { threshold, fmr, impostors: 1_000_000, ci95, measured: "test".into() }
    }

    fn points() -> Vec<OperatingPoint> {
        let mut points = vec![
            point(0.5, 1e-5, (0.5e-5, 2e-5)),
            point(0.3, 1e-3, (0.9e-3, 1.1e-3)),
            point(0.4, 1e-4, (0.8e-4, 1.2e-4)),
        ];
        sort(&mut points).unwrap();
        points
    }

    #[test]
    fn a_measured_rate_gives_its_own_threshold() {
        for (fmr, expected) in [(1e-3, 0.3), (1e-4, 0.4), (1e-5, 0.5)] {
            assert_eq!(threshold("m", &points(), fmr).unwrap(), expected);
        }
    }

    #[test]
    fn between_two_points_the_answer_errs_to_the_strict_side() {
        let middle = threshold("m", &points(), 1e-3_f64.sqrt() * 1e-2).unwrap();
        assert!(middle > 0.35 && middle < 0.4, "{middle}");
        let mut before = 0.0;
        for step in 0..=200 {
            let fmr =
                (1e-3_f64.ln() - f64::from(step) / 200.0 * 1e2_f64.ln()).exp().clamp(1e-5, 1e-3);
            let now = threshold("m", &points(), fmr).unwrap();
            assert!(now >= before, "fmr {fmr}: {now} after {before}");
            before = now;
        }
    }

    #[test]
    fn beyond_the_measured_range_the_error_states_it() {
        for (fmr, words) in [
            (1e-6, "below the smallest measured for model \"m\", 0.00001 with 1000000 impostor"),
            (0.1, "above the largest measured for model \"m\", 0.001 with 1000000 impostor"),
            (0.0, "fmr 0 is not a rate"),
            (f64::NAN, "fmr NaN is not a rate"),
        ] {
            let error = threshold("m", &points(), fmr).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidArgument);
            assert!(error.to_string().contains(words), "{error}");
        }
        assert!(
            threshold("m", &[], 1e-3)
                .unwrap_err()
                .to_string()
                .contains("no measured operating points")
        );
    }

    #[test]
    fn points_that_contradict_each_other_are_refused() {
        let mut points = vec![point(0.3, 1e-4, (0.0, 1e-3)), point(0.4, 1e-3, (0.0, 1e-2))];
        assert!(sort(&mut points).unwrap_err().contains("must fall"));
    }
}
