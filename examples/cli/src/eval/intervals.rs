//! 95 % intervals of error rates whose trials are not independent.
//!
//! Searches with pictures of one person succeed and fail together, so that a thousand of them say less
//! than a thousand people would. [`clustered`] measures by how much, and gives the exact binomial
//! interval of that many independent trials (Korn & Graubard 1998). Exact means Clopper & Pearson
//! (1934): error rates are near 0 and their errors few, where an interval should rather be too wide.

use std::collections::HashMap;
use std::hash::Hash;

use serde::Serialize;

/// An error rate, and how sure it is.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(crate) struct Rate {
    /// Errors by trials, 0..=1.
    pub(crate) rate: f64,
    /// 95 % interval.
    pub(crate) interval: [f64; 2],
    pub(crate) errors: usize,
    pub(crate) trials: usize,
    /// The independent trials that would be as sure.
    pub(crate) effective_trials: f64,
    /// The people the trials are about.
    pub(crate) people: usize,
}

/// The error rate of `trials`, each with its person, its picture and whether it is an error.
///
/// The variance is that of a ratio estimated from clusters, one for each person. No more independent
/// trials are assumed than there are pictures, since one that is searched again in another split is no
/// new picture; and no more than people when there is no error or nothing else, since then nothing
/// shows how alike the pictures of a person are.
pub(crate) fn clustered<P: Eq + Hash>(trials: impl Iterator<Item = (u32, P, bool)>) -> Rate {
    let mut clusters: HashMap<u32, (usize, usize)> = HashMap::new();
    let mut pictures = std::collections::HashSet::new();
    for (person, picture, error) in trials {
        let cluster = clusters.entry(person).or_default();
        cluster.0 += usize::from(error);
        cluster.1 += 1;
        pictures.insert(picture);
    }
    let errors: usize = clusters.values().map(|cluster| cluster.0).sum();
    let trials: usize = clusters.values().map(|cluster| cluster.1).sum();
    let people = clusters.len();
    let rate = if trials == 0 { 0.0 } else { errors as f64 / trials as f64 };
    let spread: f64 = clusters
        .values()
        .map(|&(errors, trials)| (errors as f64 - rate * trials as f64).powi(2))
        .sum();
    let variance =
        spread * people as f64 / (people.max(2) - 1) as f64 / (trials as f64).max(1.0).powi(2);
    let effective_trials = if variance > 0.0 {
        (rate * (1.0 - rate) / variance).min(pictures.len() as f64)
    } else {
        people as f64
    };
    let interval = clopper_pearson(rate * effective_trials, effective_trials);
    Rate { rate, interval, errors, trials, effective_trials, people }
}

/// The 95 % interval of Clopper & Pearson for a share of `hits` in `n`, neither of which need be whole.
pub(crate) fn clopper_pearson(hits: f64, n: f64) -> [f64; 2] {
    let misses = (n - hits).max(0.0);
    let low = if hits > 0.0 { beta_quantile(0.025, hits, misses + 1.0) } else { 0.0 };
    let high = if misses > 0.0 { beta_quantile(0.975, hits + 1.0, misses) } else { 1.0 };
    [low, high]
}

/// Where the beta distribution of `a` and `b` has gathered the share `p`.
fn beta_quantile(p: f64, a: f64, b: f64) -> f64 {
    let (mut low, mut high) = (0.0, 1.0);
    // More halvings than an f64 between 0 and 1 has bits after its first one.
    for _ in 0..200 {
        let middle = f64::midpoint(low, high);
        if beta(middle, a, b) < p { low = middle } else { high = middle }
    }
    high
}

/// The regularized incomplete beta function, by its continued fraction (DLMF 8.17.22) evaluated as
/// Lentz (1976) does.
fn beta(x: f64, a: f64, b: f64) -> f64 {
    if x <= 0.0 || x >= 1.0 {
        return if x <= 0.0 { 0.0 } else { 1.0 };
    }
    // The fraction converges fast on this side of the mean only.
    if x > (a + 1.0) / (a + b + 2.0) {
        return 1.0 - beta(1.0 - x, b, a);
    }
    const TINY: f64 = 1e-300;
    let away = |value: f64| if value.abs() < TINY { TINY } else { value };
    let (mut c, mut d) = (1.0, 1.0 / away(1.0 - (a + b) * x / (a + 1.0)));
    let mut fraction = d;
    for m in 1..10_000 {
        let m = f64::from(m);
        let even = m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m));
        let odd = -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0));
        let before = fraction;
        for step in [even, odd] {
            d = 1.0 / away(1.0 + step * d);
            c = away(1.0 + step / c);
            fraction *= c * d;
        }
        if (fraction - before).abs() <= 1e-15 * fraction.abs() {
            break;
        }
    }
    let front = a * x.ln() + b * (-x).ln_1p() + ln_gamma(a + b) - ln_gamma(a) - ln_gamma(b);
    (front.exp() * fraction / a).clamp(0.0, 1.0)
}

/// Stirling's series (DLMF 5.11.1), whose next term is below 1e-15 from 15 on.
fn ln_gamma(x: f64) -> f64 {
    let mut shift = 0.0;
    let mut x = x;
    while x < 15.0 {
        shift += x.ln();
        x += 1.0;
    }
    let square = x * x;
    let series = (1.0 / 12.0
        - (1.0 / 360.0
            - (1.0 / 1260.0 - (1.0 / 1680.0 - 1.0 / (1188.0 * square)) / square) / square)
            / square)
        / x;
    (x - 0.5) * x.ln() - x + 0.5 * (2.0 * std::f64::consts::PI).ln() + series - shift
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::eval::random::Random;

    fn close(value: f64, expected: f64) -> bool {
        (value - expected).abs() < 1e-9
    }

    #[test]
    fn exact_intervals_are_those_of_scipy() {
        // scipy.stats.binomtest(k, n).proportion_ci(method="exact")
        for (hits, n, expected) in [
            (0.0, 10.0, [0.0, 0.308_497_107_818_762_94]),
            (1.0, 10.0, [0.002_528_578_544_462_572_8, 0.445_016_117_028_195_43]),
            (8.0, 10.0, [0.443_904_537_692_358_5, 0.974_789_273_673_166_7]),
            (10.0, 10.0, [0.691_502_892_181_237_1, 1.0]),
            (3.0, 1000.0, [0.000_619_099_931_649_917_3, 0.008_742_023_238_657_654]),
            (0.0, 2195.0, [0.0, 0.001_679_171_506_146_466]),
            // scipy.stats.beta.ppf(.025, 2.5, 99), scipy.stats.beta.ppf(.975, 3.5, 98)
            (2.5, 100.5, [0.004_157_908_595_584_672, 0.077_510_705_541_669_4]),
        ] {
            let interval = clopper_pearson(hits, n);
            assert!(close(interval[0], expected[0]), "{hits} of {n}: {interval:?}");
            assert!(close(interval[1], expected[1]), "{hits} of {n}: {interval:?}");
        }
    }

    #[test]
    fn pictures_that_fail_together_count_as_one() {
        // Ten people with ten pictures each, all pictures of a person alike: 10 trials, not 100.
        let trial = |i: u32| (i / 10, i, i < 20);
        let alike = clustered((0..100).map(trial));
        assert_eq!((alike.errors, alike.trials, alike.people), (20, 100, 10));
        assert!((alike.effective_trials - 9.0).abs() < 1e-9, "{alike:?}");
        // As many errors, one or two for each person: as good as independent, and never better.
        let spread = clustered((0..100).map(|i| (i / 10, i, i % 10 < 2)));
        assert!(spread.interval[1] - spread.interval[0] < alike.interval[1] - alike.interval[0]);
        assert!(spread.effective_trials <= 100.0);
    }

    #[test]
    fn a_picture_that_is_searched_again_is_no_new_one() {
        let once = clustered((0..500).map(|i| (i, i, i % 50 == 0)));
        let again = clustered((0..5000).map(|i| (i % 500, i % 500, i < 500 && i % 50 == 0)));
        assert!(again.effective_trials <= 500.0 && once.effective_trials <= 500.0);
        let none = clustered((0..1000).map(|i| (i % 10, i, false)));
        assert_eq!((none.effective_trials, none.interval[0]), (10.0, 0.0));
        assert_eq!(clustered(std::iter::empty::<(u32, u32, bool)>()).interval, [0.0, 1.0]);
    }

    /// People differ in how often they fail: the interval still holds the true rate as often as it says.
    #[test]
    fn intervals_hold_the_truth_as_often_as_they_say() {
        let mut random = Random::new(7);
        let (runs, people, pictures) = (400, 300, 6);
        let (mut held, mut held_if_independent) = (0, 0);
        let holds = |[low, high]: [f64; 2]| usize::from(low <= 0.08 && 0.08 <= high);
        for _ in 0..runs {
            let mut trials = Vec::new();
            for person in 0..people {
                // One person in five fails four times of ten, the others never: a rate of 0.08.
                let fails = if random.uniform() < 0.2 { 0.4 } else { 0.0 };
                for picture in 0..pictures {
                    let error = random.uniform() < fails;
                    trials.push((person, person * pictures + picture, error));
                }
            }
            let rate = clustered(trials.into_iter());
            held += holds(rate.interval);
            held_if_independent += holds(clopper_pearson(rate.errors as f64, rate.trials as f64));
        }
        assert!(held * 100 >= runs * 93, "{held} of {runs}");
        // The test can tell: with every search taken as independent it is not so.
        assert!(held_if_independent * 100 < runs * 85, "{held_if_independent} of {runs}");
    }
}
