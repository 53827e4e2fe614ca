//! How similar different people are: the statistics that a manifest holds for choosing thresholds.
//!
//! All pictures of two different people are compared. That makes many comparisons of few people, and
//! those of a person are alike: somebody with a common face is taken for hundreds. The standard errors
//! are therefore those of the jackknife over people (how the result changes without this one), which
//! err to the large side (Efron & Stein 1981): by a factor of up to 1.4 where comparisons are in fact
//! independent, since each is counted with both of its people.

use std::fmt::Write as _;
use std::ops::Range;

use faceprint::pack::{Manifest, ModelSpec};
use serde::Serialize;

use super::intervals;
use super::pareto::Pareto;
use super::people::Scores;
use crate::failure::Failure;

/// The false match rates whose thresholds are measured, as far as the comparisons reach.
const RATES: [f64; 13] =
    [1e-1, 3e-2, 1e-2, 3e-3, 1e-3, 3e-4, 1e-4, 3e-5, 1e-5, 3e-6, 1e-6, 3e-7, 1e-7];

/// A rate is measured when it comes from at least 30 errors: were the comparisons independent, it would
/// be within 30 % of the truth with 90 % confidence (Doddington's rule of 30).
const FEWEST_ERRORS: usize = 30;

/// The tail starts where one comparison in a thousand is left, or at this many when that is fewer.
const TAIL: f64 = 1e-3;
const SMALLEST_TAIL: usize = 250;

/// With fewer people the jackknife's standard errors are themselves too uncertain.
const FEWEST_PEOPLE: usize = 50;

/// What was measured.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Impostors {
    /// People with at least one picture that shows a face.
    pub(crate) people: usize,
    /// Pictures that show a face.
    pub(crate) pictures: usize,
    /// Pairs of pictures of two different people.
    pub(crate) comparisons: usize,
    pub(crate) points: Vec<Point>,
    /// `None` when people or comparisons are too few.
    pub(crate) tail: Option<Tail>,
}

/// A threshold and its false match rate.
#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct Point {
    pub(crate) threshold: f32,
    pub(crate) fmr: f64,
    /// 95 %.
    pub(crate) interval: [f64; 2],
    pub(crate) false_matches: usize,
}

/// The distribution of the scores above a threshold.
#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct Tail {
    pub(crate) above: f32,
    pub(crate) fmr: f64,
    pub(crate) scale: f64,
    pub(crate) shape: f64,
    /// Of ln fmr, ln scale and shape.
    pub(crate) standard_errors: [f64; 3],
    /// fmr and scale, fmr and shape, scale and shape.
    pub(crate) correlations: [f64; 3],
}

/// A comparison with a high score, and the places of its two people.
#[derive(Clone, Copy, Debug)]
struct High {
    score: f32,
    people: [u32; 2],
}

/// The scores above the loosest rate, and how many pictures each person has.
#[derive(Debug)]
struct Comparisons {
    pictures: Vec<usize>,
    total: usize,
    /// From the highest score.
    high: Vec<High>,
}

impl Impostors {
    /// Compares all of `people`, whose pictures lie in `scores`. Pictures without a face take no part:
    /// they make no comparison.
    pub(crate) fn measure<'a>(
        scores: &Scores,
        people: impl Iterator<Item = &'a Range<usize>>,
    ) -> Self {
        let people: Vec<&Range<usize>> = people.collect();
        let comparisons = Comparisons::collect(scores, &people);
        let points = RATES.iter().filter_map(|&rate| comparisons.point(rate)).collect();
        Self {
            people: comparisons.pictures.iter().filter(|&&pictures| pictures > 0).count(),
            pictures: comparisons.pictures.iter().sum(),
            comparisons: comparisons.total,
            points,
            tail: comparisons.tail(),
        }
    }

    /// The statistics as a manifest has them, to be pasted at the end of the embedder's `[[model]]`.
    pub(crate) fn toml(&self) -> String {
        let mut text = String::new();
        // Writing to a String cannot fail.
        let _ = self.write(&mut text);
        text
    }

    fn write(&self, text: &mut String) -> std::fmt::Result {
        let measured = format!(
            "faceprint eval identification, all pairs of pictures of different people: {} pictures of \
             {} people",
            self.pictures, self.people
        );
        for Point { threshold, fmr, interval: [low, high], .. } in &self.points {
            writeln!(text, "[[model.operating_point]]")?;
            writeln!(text, "threshold = {threshold:.4}\nfmr = {fmr:.4e}")?;
            writeln!(text, "impostors = {}", self.comparisons)?;
            writeln!(text, "ci95 = [{low:.3e}, {high:.3e}]\nmeasured = \"{measured}\"\n")?;
        }
        let Some(tail) = &self.tail else { return Ok(()) };
        let [a, b, c] = tail.standard_errors;
        let [d, e, f] = tail.correlations;
        writeln!(text, "[model.impostor_tail]")?;
        writeln!(text, "people = {}\ncomparisons = {}", self.people, self.comparisons)?;
        writeln!(text, "above = {:.4}\nfmr = {:.4e}", tail.above, tail.fmr)?;
        writeln!(text, "scale = {:.5}\nshape = {:.4}", tail.scale, tail.shape)?;
        writeln!(text, "standard_errors = [{a:.4}, {b:.4}, {c:.4}]")?;
        writeln!(text, "correlations = [{d:.4}, {e:.4}, {f:.4}]\nmeasured = \"{measured}\"")
    }

    /// The model that a manifest with these statistics describes: what is printed is what is used.
    pub(crate) fn model(&self) -> Result<ModelSpec, Failure> {
        const MODEL: &str = r#"
            format = 1
            [[model]]
            name = "measured"
            role = "embedder"
            family = "arcface"
            file = "measured.onnx"
            sha256 = "0000000000000000000000000000000000000000000000000000000000000000"
            license = { name = "none", class = "unknown" }
            provenance = "statistics only"
            input = { size = "dynamic", channels = "rgb", mean = [0, 0, 0], std = [1, 1, 1] }
            dimension = 1
            alignment = "arcface-112"
        "#;
        let manifest = Manifest::parse(&format!("{MODEL}\n{}", self.toml()))?;
        let model = manifest.models().first().cloned();
        model.ok_or_else(|| Failure::usage("the statistics describe no model"))
    }
}

impl Comparisons {
    fn collect(scores: &Scores, people: &[&Range<usize>]) -> Self {
        let each = |keep: &mut dyn FnMut(f32, usize, usize)| {
            for (i, of_i) in people.iter().enumerate() {
                for (j, of_j) in people[..i].iter().enumerate() {
                    for a in (*of_i).clone() {
                        for b in (*of_j).clone() {
                            let score = scores.between(a, b);
                            if score.is_finite() {
                                keep(score, i, j);
                            }
                        }
                    }
                }
            }
        };
        let mut all = Vec::new();
        each(&mut |score, _, _| all.push(score));
        let total = all.len();
        // One score more than the loosest rate needs, so that a threshold can lie above it.
        let loosest = share(total, RATES[0]);
        let lowest = if loosest < total {
            *all.select_nth_unstable_by(loosest, |a, b| b.total_cmp(a)).1
        } else {
            f32::INFINITY
        };
        drop(all);
        let mut high = Vec::new();
        each(&mut |score, i, j| {
            if score >= lowest {
                high.push(High { score, people: [i, j].map(place) });
            }
        });
        high.sort_unstable_by(|a, b| b.score.total_cmp(&a.score));
        let with_face = |pictures: &&Range<usize>| {
            (*pictures).clone().filter(|&picture| scores.shows_face(picture)).count()
        };
        let pictures = people.iter().map(with_face).collect();
        Self { pictures, total, high }
    }

    /// The threshold for at most `rate`, when enough comparisons reach it.
    fn point(&self, rate: f64) -> Option<Point> {
        let (threshold, high) = self.above(share(self.total, rate))?;
        if high.len() < FEWEST_ERRORS {
            return None;
        }
        let fmr = high.len() as f64 / self.total as f64;
        let variance = self.jackknife(high, |_| [1.0], [fmr])[0][0] / (self.total as f64).powi(2);
        let effective = (fmr * (1.0 - fmr) / variance).min(self.total as f64);
        let interval = intervals::clopper_pearson(fmr * effective, effective);
        Some(Point { threshold, fmr, interval, false_matches: high.len() })
    }

    fn tail(&self) -> Option<Tail> {
        let people = self.pictures.iter().filter(|&&pictures| pictures > 0).count();
        let count = share(self.total, TAIL).max(SMALLEST_TAIL);
        if people < FEWEST_PEOPLE || count > share(self.total, RATES[0]) {
            return None;
        }
        let (above, high) = self.above(count)?;
        let excess = |high: &High| f64::from(high.score) - f64::from(above);
        let excesses: Vec<f64> = high.iter().map(excess).collect();
        let fit = Pareto::fit(&excesses)?;
        let fmr = high.len() as f64 / self.total as f64;

        // What one comparison changes: ln fmr by 1, the fit by its score times the inverse information.
        let inverse = fit.inverse_information();
        let influence = |high: &High| {
            let [of_scale, of_shape] = fit.score(excess(high));
            let of = |row: [f64; 2]| row[0] * of_scale + row[1] * of_shape;
            [1.0, of(inverse[0]), of(inverse[1])]
        };
        let covariance = self.jackknife(high, influence, [fmr, 0.0, 0.0]);
        let standard_errors: [f64; 3] =
            std::array::from_fn(|i| covariance[i][i].sqrt() / high.len() as f64);
        let correlation =
            |i: usize, j: usize| covariance[i][j] / (covariance[i][i] * covariance[j][j]).sqrt();
        let correlations = [correlation(0, 1), correlation(0, 2), correlation(1, 2)];
        let tail =
            Tail { above, fmr, scale: fit.scale, shape: fit.shape, standard_errors, correlations };
        // So few people are behind the excesses that nothing can be said of the errors.
        correlations.iter().all(|correlation| correlation.is_finite()).then_some(tail)
    }

    /// At most the highest `count` scores: those from a threshold of four digits on.
    fn above(&self, count: usize) -> Option<(f32, &[High])> {
        let next = self.high.get(count)?.score;
        // Four digits above the next score leave it out, and perhaps some of the others.
        let threshold = four_digits_above(next);
        let end = self.high.partition_point(|high| high.score >= threshold);
        (end > 0).then(|| (threshold, &self.high[..end]))
    }

    /// The covariance of sums over comparisons, by leaving out one person at a time. A comparison adds
    /// its `influence` when it is one of `high`, less `mean` whether it is or not.
    fn jackknife<const K: usize>(
        &self,
        high: &[High],
        influence: impl Fn(&High) -> [f64; K],
        mean: [f64; K],
    ) -> [[f64; K]; K] {
        let pictures: usize = self.pictures.iter().sum();
        let expected = |&own: &usize| mean.map(|mean| -mean * (own * (pictures - own)) as f64);
        let mut sums: Vec<[f64; K]> = self.pictures.iter().map(expected).collect();
        for comparison in high {
            let change = influence(comparison);
            for person in comparison.people {
                for (sum, change) in sums[person as usize].iter_mut().zip(change) {
                    *sum += change;
                }
            }
        }
        let people = self.pictures.iter().filter(|&&pictures| pictures > 0).count() as f64;
        let small_sample = people / (people - 1.0).max(1.0);
        std::array::from_fn(|i| {
            std::array::from_fn(|j| {
                small_sample * sums.iter().map(|sum| sum[i] * sum[j]).sum::<f64>()
            })
        })
    }
}

/// The least number of four decimal digits above `score`.
#[expect(clippy::cast_possible_truncation, reason = "a similarity")]
fn four_digits_above(score: f32) -> f32 {
    let mut digits = (f64::from(score) * 1e4).floor();
    while (digits / 1e4) as f32 <= score {
        digits += 1.0;
    }
    (digits / 1e4) as f32
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a share of a count, rounded down"
)]
fn share(count: usize, rate: f64) -> usize {
    (count as f64 * rate).floor() as usize
}

#[expect(clippy::cast_possible_truncation, reason = "people are far fewer than 2^32")]
const fn place(person: usize) -> u32 {
    person as u32
}

#[cfg(test)]
#[allow(clippy::cast_possible_truncation, reason = "made-up scores and small counts")]
mod tests {
    use super::*;
    use crate::eval::random::Random;

    /// A population whose impostor scores are known: standard normal values, made into a distribution
    /// with the tail 0.01 · (1 - 0.1 · (t - 0.3) / 0.05)^10, or left normal with a deviation of 0.1.
    /// Two comparisons with a person in common are alike: their correlation is `alike`.
    struct Known {
        people: usize,
        pictures: usize,
        alike: f64,
        normal: bool,
    }

    impl Known {
        fn people(&self) -> Vec<Range<usize>> {
            let own = |person: usize| person * self.pictures..(person + 1) * self.pictures;
            (0..self.people).map(own).collect()
        }

        fn scores(&self, random: &mut Random) -> Scores {
            let common: Vec<f64> = (0..self.people).map(|_| random.normal()).collect();
            let alone = (1.0 - 2.0 * self.alike).sqrt();
            Scores::from_fn(self.people * self.pictures, |a, b| {
                let common = common[a / self.pictures] + common[b / self.pictures];
                let z = self.alike.sqrt() * common + alone * random.normal();
                self.similarity(z) as f32
            })
        }

        fn similarity(&self, z: f64) -> f64 {
            if self.normal {
                return 0.1 * z;
            }
            // 2.326 347 87 is where 0.01 of the standard normal distribution is left.
            if z < 2.326_347_87 {
                0.1 * z
            } else {
                0.3 + 0.05 / 0.1 * (1.0 - (left(z) / 0.01).powf(0.1))
            }
        }

        /// The true false match rate at `similarity` (of 0.3 and more).
        fn fmr(&self, similarity: f64) -> f64 {
            if self.normal {
                return left(similarity / 0.1);
            }
            0.01 * (1.0 - 0.1 * (similarity - 0.3) / 0.05).max(0.0).powi(10)
        }

        fn measure(&self, seed: u64) -> Impostors {
            let scores = self.scores(&mut Random::new(seed));
            Impostors::measure(&scores, self.people().iter())
        }
    }

    /// What is left of the standard normal distribution above `z` (of 1 and more), by the continued
    /// fraction of Laplace (DLMF 7.9.2).
    fn left(z: f64) -> f64 {
        let fraction = (1..200).rev().fold(z, |below, k| z + f64::from(k) / below);
        (-z * z / 2.0).exp() / (2.0 * std::f64::consts::PI).sqrt() / fraction
    }

    #[test]
    fn the_normal_distribution_is_that_of_scipy() {
        // scipy.stats.norm.sf
        for (z, expected) in [
            (1.5, 0.066_807_201_268_858_1),
            (3.0, 0.001_349_898_031_630_09),
            (5.0, 2.866_515_719e-7),
        ] {
            assert!((left(z) / expected - 1.0).abs() < 1e-9, "{z}: {}", left(z));
        }
    }

    #[test]
    fn everything_is_counted() {
        // 100 people with 2 pictures: 4,950 pairs of people with 4 comparisons each, less those of
        // the picture without a face, which would have been compared with 198 others.
        let known = Known { people: 100, pictures: 2, alike: 0.1, normal: true };
        let scores = known.scores(&mut Random::new(1)).without_face(7);
        let impostors = Impostors::measure(&scores, known.people().iter());
        assert_eq!((impostors.people, impostors.pictures), (100, 199));
        assert_eq!(impostors.comparisons, 4_950 * 4 - 198);
        for point in &impostors.points {
            let mut false_matches = 0;
            for a in 0..200 {
                for b in (0..a).filter(|b| a / 2 != b / 2) {
                    false_matches += usize::from(scores.between(a, b) >= point.threshold);
                }
            }
            assert_eq!(point.false_matches, false_matches);
            assert!((point.fmr - false_matches as f64 / 19_602.0).abs() < 1e-12);
            assert!(point.interval[0] < point.fmr && point.fmr < point.interval[1]);
        }
        // 19,602 comparisons: 30 are a rate of 1.5e-3.
        assert_eq!(impostors.points.len(), 4);
    }

    #[test]
    fn too_few_people_have_no_tail() {
        let few = Known { people: 40, pictures: 4, alike: 0.1, normal: true };
        assert!(few.measure(1).tail.is_none());
        let none = Impostors::measure(&Scores::from_fn(0, |_, _| 0.0), [].iter());
        assert!(none.points.is_empty() && none.tail.is_none());
        assert!(none.toml().is_empty());
    }

    #[test]
    fn what_is_printed_is_a_manifest() {
        let known = Known { people: 150, pictures: 2, alike: 0.05, normal: false };
        let impostors = known.measure(3);
        let model = impostors.model().unwrap();
        let embedder = model.kind.embedder().unwrap();
        assert_eq!(embedder.operating_points.len(), impostors.points.len());
        let (tail, printed) = (impostors.tail.unwrap(), embedder.impostor_tail.as_ref().unwrap());
        assert_eq!((printed.people, printed.comparisons), (150, impostors.comparisons as u64));
        assert!((printed.above - tail.above).abs() < 1e-6);
        assert!((printed.scale / tail.scale - 1.0).abs() < 1e-3);
        assert!((printed.fmr / tail.fmr - 1.0).abs() < 1e-3);
    }

    /// Thresholds asked of small measurements (44,700 comparisons of 150 people): what was counted
    /// reaches to 1e-3. Among 10 it is used as it is, among 1,000 and 100,000 the tail is relied on 67
    /// and 6,700 times further. Nominal is 0.975; what cannot be answered is refused and does no harm.
    #[test]
    fn intervals_hold_the_truth_and_thresholds_keep_the_rate() {
        const RUNS: u64 = 100;
        for (alike, normal, at_least) in [
            (0.0, false, 0.94),
            (0.05, false, 0.94),
            (0.0, true, 0.94),
            (0.1, true, 0.91),
            // A few common faces make most of the tail: standard errors from 150 people are too small.
            (0.2, false, 0.85),
        ] {
            let known = Known { people: 150, pictures: 2, alike, normal };
            let sizes = [10, 1000, 100_000];
            let (mut points, mut held, mut kept, mut refused) = (0, 0, [0; 3], [0; 3]);
            for seed in 0..RUNS {
                let impostors = known.measure(seed);
                for point in impostors.points.iter().filter(|point| point.threshold >= 0.3) {
                    let truth = known.fmr(f64::from(point.threshold));
                    points += 1;
                    held += u32::from(point.interval[0] <= truth && truth <= point.interval[1]);
                }
                let model = impostors.model().unwrap();
                for (i, n) in sizes.into_iter().enumerate() {
                    let Ok(answer) = model.threshold_for(0.01, n) else {
                        refused[i] += 1;
                        continue;
                    };
                    assert!(answer.extrapolated || n < 1000);
                    let fpir = 1.0 - (1.0 - known.fmr(f64::from(answer.similarity))).powf(n as f64);
                    kept[i] += u32::from(fpir <= 0.01);
                }
            }
            println!(
                "alike {alike}, normal {normal}: {held} of {points} intervals hold; of {RUNS} thresholds \
                 among {sizes:?} {kept:?} keep the rate, {refused:?} are refused"
            );
            assert!(f64::from(held) >= 0.93 * f64::from(points), "{held} of {points}");
            for (kept, refused) in kept.into_iter().zip(refused) {
                assert!(f64::from(kept + refused) >= at_least * RUNS as f64, "{kept} + {refused}");
                assert!(refused <= 40, "{refused}");
            }
        }
    }
}
