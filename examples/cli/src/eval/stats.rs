//! Error rates of 1:1 comparison: ROC, area, equal error rate, operating points, n-fold accuracy.
//!
//! A pair is accepted when its score is **at least** the threshold. A pair that has no score (no face
//! was found) carries negative infinity: no threshold accepts it.

use serde::Serialize;

/// The outcome of one pair.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Trial {
    /// Similarity; negative infinity when a picture of the pair shows no face.
    pub(crate) score: f32,
    /// Whether both pictures show one person.
    pub(crate) same: bool,
    /// Which fold the pair belongs to, from 0.
    pub(crate) fold: usize,
}

/// How many pairs are accepted at one threshold.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct RocPoint {
    pub(crate) threshold: f32,
    /// Impostor pairs accepted.
    pub(crate) false_accepts: usize,
    /// Genuine pairs accepted.
    pub(crate) true_accepts: usize,
}

/// The whole trade-off: one point for each distinct score, from "accept nothing" to the lowest score.
#[derive(Clone, Debug)]
pub(crate) struct Roc {
    pub(crate) genuine: usize,
    pub(crate) impostors: usize,
    pub(crate) points: Vec<RocPoint>,
}

/// The share of genuine pairs accepted while a given share of impostors is.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct OperatingPoint {
    /// The false accept rate asked for.
    pub(crate) far: f64,
    /// The lowest threshold that stays within it.
    pub(crate) threshold: f32,
    /// Impostors accepted there.
    pub(crate) false_accepts: usize,
    /// Impostor pairs in all.
    pub(crate) impostors: usize,
    /// True accept rate there, 0..=1.
    pub(crate) tar: f64,
    /// Genuine pairs in all.
    pub(crate) genuine: usize,
    /// 95 % Wilson interval of `tar`.
    pub(crate) tar_interval: [f64; 2],
    /// 95 % Wilson interval of the false accept rate measured there.
    pub(crate) far_interval: [f64; 2],
    /// Fewer than ten impostors decide this threshold: read it as an indication.
    pub(crate) few_impostors: bool,
}

/// Accuracy with the threshold of each fold chosen on the other folds.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct FoldAccuracy {
    /// Mean over the folds, 0..=1.
    pub(crate) mean: f64,
    /// Population standard deviation over the folds (`numpy.std`).
    pub(crate) std: f64,
    /// Accuracy of each fold.
    pub(crate) folds: Vec<f64>,
    /// Threshold each fold was judged at.
    pub(crate) thresholds: Vec<f32>,
    /// Only one fold: its threshold was chosen on itself, which flatters.
    pub(crate) optimistic: bool,
}

impl Roc {
    /// Sweeps the threshold over every distinct score of `trials`.
    pub(crate) fn new(trials: &[Trial]) -> Self {
        let genuine = trials.iter().filter(|trial| trial.same).count();
        let mut sorted = trials.to_vec();
        sorted.sort_by(|a, b| b.score.total_cmp(&a.score));

        let nothing = RocPoint { threshold: f32::INFINITY, false_accepts: 0, true_accepts: 0 };
        let mut points = vec![nothing];
        let mut now = nothing;
        for tied in sorted.chunk_by(|a, b| a.score == b.score) {
            let same = tied.iter().filter(|trial| trial.same).count();
            now.threshold = tied[0].score;
            now.true_accepts += same;
            now.false_accepts += tied.len() - same;
            if now.threshold.is_finite() {
                points.push(now);
            }
        }
        Self { genuine, impostors: trials.len() - genuine, points }
    }

    /// False accept rate at `point`, 0..=1.
    pub(crate) fn far(&self, point: &RocPoint) -> f64 {
        ratio(point.false_accepts, self.impostors)
    }

    /// True accept rate at `point`, 0..=1.
    pub(crate) fn tar(&self, point: &RocPoint) -> f64 {
        ratio(point.true_accepts, self.genuine)
    }

    /// Area under the curve: the probability that a genuine pair scores above an impostor pair, ties
    /// counting half. Pairs without a score are tied at the bottom.
    pub(crate) fn area(&self) -> f64 {
        let mut curve = self.rates();
        curve.push((1.0, 1.0));
        curve.windows(2).map(|pair| (pair[1].0 - pair[0].0) * (pair[0].1 + pair[1].1) / 2.0).sum()
    }

    /// The error rate where false accepts equal false rejects, linear between the two points around it.
    pub(crate) fn equal_error_rate(&self) -> f64 {
        let mut curve = self.rates();
        curve.push((1.0, 1.0));
        let gap = |&(far, tar): &(f64, f64)| far - (1.0 - tar);
        let Some(after) = curve.iter().position(|point| gap(point) >= 0.0) else { return 1.0 };
        if after == 0 {
            return curve[0].0;
        }
        let (before, after) = (curve[after - 1], curve[after]);
        let along = -gap(&before) / (gap(&after) - gap(&before));
        before.0 + along * (after.0 - before.0)
    }

    /// The point with the lowest threshold whose false accept rate is at most `far`.
    pub(crate) fn operating_point(&self, far: f64) -> OperatingPoint {
        let within = |point: &&RocPoint| self.far(point) <= far;
        let point = self.points.iter().rfind(within).copied().unwrap_or(self.points[0]);
        // The sweep starts at infinity; the highest score is the largest threshold with a meaning.
        let threshold = if point.threshold.is_finite() {
            point.threshold
        } else {
            self.points.get(1).map_or(1.0, |first| first.threshold.next_up())
        };
        OperatingPoint {
            far,
            threshold,
            false_accepts: point.false_accepts,
            impostors: self.impostors,
            tar: self.tar(&point),
            genuine: self.genuine,
            tar_interval: wilson(point.true_accepts, self.genuine),
            far_interval: wilson(point.false_accepts, self.impostors),
            few_impostors: point.false_accepts < 10,
        }
    }

    /// (FAR, TAR) of each point.
    fn rates(&self) -> Vec<(f64, f64)> {
        self.points.iter().map(|point| (self.far(point), self.tar(point))).collect()
    }
}

/// The accuracy protocol of LFW's View 2: each fold is judged at the threshold that is best on all the
/// other folds. Of equally good thresholds the middle one is taken, so that none sits on an edge.
pub(crate) fn fold_accuracy(trials: &[Trial]) -> FoldAccuracy {
    let folds = trials.iter().map(|trial| trial.fold + 1).max().unwrap_or(0);
    let optimistic = folds < 2;
    let (accuracies, thresholds): (Vec<f64>, Vec<f32>) = (0..folds)
        .map(|fold| {
            let (inside, others): (Vec<_>, Vec<_>) =
                trials.iter().copied().partition(|trial| trial.fold == fold);
            let threshold = best_threshold(if optimistic { &inside } else { &others });
            let right = inside.iter().filter(|t| (t.score >= threshold) == t.same).count();
            (ratio(right, inside.len()), threshold)
        })
        .unzip();
    let (mean, std) = mean_and_std(&accuracies);
    FoldAccuracy { mean, std, folds: accuracies, thresholds, optimistic }
}

/// The threshold with the most right answers on `trials`, half-way between two neighbouring scores.
fn best_threshold(trials: &[Trial]) -> f32 {
    let roc = Roc::new(trials);
    let right =
        |point: &RocPoint| point.true_accepts + roc.impostors.saturating_sub(point.false_accepts);
    let most = roc.points.iter().map(right).max().unwrap_or(0);
    let best: Vec<usize> =
        (0..roc.points.len()).filter(|&i| right(&roc.points[i]) == most).collect();
    let Some(&middle) = best.get(best.len() / 2) else { return 0.0 };
    match (roc.points.get(middle), roc.points.get(middle + 1)) {
        (Some(above), Some(below)) if above.threshold.is_finite() => {
            f32::midpoint(above.threshold, below.threshold)
        }
        (Some(above), None) if above.threshold.is_finite() => above.threshold,
        (_, Some(first)) => first.threshold.next_up(),
        _ => 0.0,
    }
}

/// The 95 % interval of a share of `hits` in `n`, after Wilson (1927): unlike the normal
/// approximation it stays inside 0..=1 and is honest near both ends.
pub(crate) fn wilson(hits: usize, n: usize) -> [f64; 2] {
    // The 97.5 % quantile of the normal distribution.
    const Z: f64 = 1.959_963_984_540_054;
    if n == 0 {
        return [0.0, 1.0];
    }
    let (n, p) = (to_f64(n), ratio(hits, n));
    let scale = 1.0 + Z * Z / n;
    let center = (p + Z * Z / (2.0 * n)) / scale;
    let half = Z / scale * (p * (1.0 - p) / n + Z * Z / (4.0 * n * n)).sqrt();
    [(center - half).max(0.0), (center + half).min(1.0)]
}

/// Mean and population standard deviation.
fn mean_and_std(values: &[f64]) -> (f64, f64) {
    if values.is_empty() {
        return (0.0, 0.0);
    }
    let n = to_f64(values.len());
    let mean = values.iter().sum::<f64>() / n;
    let variance = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / n;
    (mean, variance.sqrt())
}

/// `part` of `whole`, 0 when there is no whole.
fn ratio(part: usize, whole: usize) -> f64 {
    if whole == 0 { 0.0 } else { to_f64(part) / to_f64(whole) }
}

/// Counts of pairs are far below 2^53.
fn to_f64(count: usize) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Twelve pairs in three folds, with ties across the classes and one missing face.
    ///
    /// The area comes from an independent implementation:
    /// ```text
    /// python - <<'E'
    /// import numpy as np, scipy.stats
    /// s = np.array([.9,.65,.2,.1, .7,.4,.4,.0, .8,-9,.5,.25]); y = np.array([1,1,0,0]*3)
    /// print(scipy.stats.mannwhitneyu(s[y==1], s[y==0]).statistic / 36)
    /// E
    /// ```
    fn trials() -> Vec<Trial> {
        let scores =
            [0.9, 0.65, 0.2, 0.1, 0.7, 0.4, 0.4, 0.0, 0.8, f32::NEG_INFINITY, 0.5, 0.25_f32];
        let of = |(i, &score): (usize, &f32)| Trial { score, same: i % 4 < 2, fold: i / 4 };
        scores.iter().enumerate().map(of).collect()
    }

    fn close(a: f64, b: f64) -> bool {
        (a - b).abs() < 1e-9
    }

    #[test]
    fn area_counts_ties_half_and_missing_faces_as_lowest() {
        // By hand: of 36 genuine/impostor pairs, 4 x 6 + 4.5 + 0 rank right.
        assert!(close(Roc::new(&trials()).area(), 28.5 / 36.0));
    }

    #[test]
    fn area_is_one_when_the_classes_part_and_half_when_all_tie() {
        let trial = |score, same| Trial { score, same, fold: 0 };
        assert!(close(Roc::new(&[trial(0.9, true), trial(0.1, false)]).area(), 1.0));
        assert!(close(Roc::new(&[trial(0.5, true), trial(0.5, false)]).area(), 0.5));
        assert!(close(Roc::new(&[trial(0.1, true), trial(0.9, false)]).area(), 0.0));
    }

    #[test]
    fn operating_point_is_the_lowest_threshold_within_the_rate() {
        let roc = Roc::new(&trials());
        let strict = roc.operating_point(0.0);
        assert_eq!((strict.false_accepts, strict.threshold), (0, 0.65));
        assert!(close(strict.tar, 4.0 / 6.0));
        // 1/6 of the impostors: the one at 0.5. The next score, 0.4, would let a second one in.
        let looser = roc.operating_point(0.2);
        assert_eq!((looser.false_accepts, looser.threshold), (1, 0.5));
        let all = roc.operating_point(1.0);
        assert_eq!(all.false_accepts, 6);
        assert!(close(all.tar, 5.0 / 6.0), "a missing face is never accepted");
    }

    #[test]
    fn equal_error_rate_lies_between_the_points_around_it() {
        // FAR/FNMR: (0, 2/6), (1/6, 2/6), (2/6, 1/6): they cross half-way, at 1/4.
        assert!(close(Roc::new(&trials()).equal_error_rate(), 0.25));
    }

    #[test]
    fn wilson_gives_the_textbook_interval() {
        // scipy.stats.binomtest(8, 10).proportion_ci(method="wilson")
        let [low, high] = wilson(8, 10);
        assert!((low - 0.490_162_5).abs() < 1e-6 && (high - 0.943_317_8).abs() < 1e-6);
        assert_eq!(wilson(0, 10)[0], 0.0);
        assert!(wilson(10, 10)[1] > 1.0 - 1e-12);
        assert_eq!(wilson(0, 0), [0.0, 1.0]);
    }

    #[test]
    fn each_fold_is_judged_by_the_other_folds() {
        let accuracy = fold_accuracy(&trials());
        // Fold 0 is judged half-way between 0.7 and 0.5, fold 1 between 0.65 and 0.5; for fold 2 the
        // others are judged equally well at 0.65 and at 0.4, and the lower one lets 0.5 in.
        assert_eq!(accuracy.folds, [1.0, 0.75, 0.5]);
        assert!(close(accuracy.mean, 0.75) && close(accuracy.std, (1.0_f64 / 24.0).sqrt()));
        assert!(!accuracy.optimistic);
    }

    #[test]
    fn one_fold_says_that_it_flatters() {
        let one: Vec<_> = trials().into_iter().map(|t| Trial { fold: 0, ..t }).collect();
        let accuracy = fold_accuracy(&one);
        assert!(accuracy.optimistic);
        assert!(close(accuracy.mean, 10.0 / 12.0), "{accuracy:?}");
        assert!(close(accuracy.std, 0.0));
    }

    #[test]
    fn nothing_to_judge_is_not_a_crash() {
        let roc = Roc::new(&[]);
        assert_eq!(roc.operating_point(1e-3).genuine, 0);
        assert!(roc.equal_error_rate().is_finite() && roc.area().is_finite());
        assert_eq!(fold_accuracy(&[]).folds.len(), 0);
    }
}
