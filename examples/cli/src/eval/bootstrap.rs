//! The interval of FNIR at an FPIR, whose threshold is uncertain too.

use super::open_set::{Search, Trial};
use super::random::Random;

/// More would move the ends by less than the interval is wide in a hundred.
const RESAMPLES: usize = 1000;

/// The 95 % interval of FNIR where FPIR is `fpir`: the percentiles of what is measured with as many
/// people drawn from the `people` with replacement, each with all of their searches (the bootstrap over
/// people, Efron 1979). Every draw finds its own threshold. `None` without mated searches.
///
/// The people in the galleries are not drawn anew: what depends on who is enrolled is seen only as
/// far as the splits differ.
pub(crate) fn fnir_interval(
    trial: &Trial,
    fpir: f64,
    people: usize,
    seed: u64,
) -> Option<[f64; 2]> {
    let (non_mated, mated) = (sorted(&trial.non_mated), sorted(&trial.mated));
    let (searches, probes) = (counts(&non_mated, people), counts(&mated, people));
    let mut random = Random::new(seed);
    let mut rates = Vec::with_capacity(RESAMPLES);
    for _ in 0..RESAMPLES {
        let mut drawn = vec![0_usize; people];
        (0..people).for_each(|_| drawn[random.below(people)] += 1);
        let times =
            |of: &[usize]| drawn.iter().zip(of).map(|(times, of)| times * of).sum::<usize>();
        let allowed = fpir * times(&searches) as f64;
        let mut returned = 0;
        // The first search too many must not return anyone: the threshold lies above it.
        let too_many = non_mated.iter().find(|search| {
            returned += drawn[search.person as usize];
            returned as f64 > allowed
        });
        let threshold = too_many.map_or(f32::NEG_INFINITY, |search| search.score);
        let found = mated.iter().take_while(|search| search.score > threshold);
        let found: usize = found.map(|search| drawn[search.person as usize]).sum();
        let all = times(&probes);
        if all > 0 {
            rates.push(1.0 - found as f64 / all as f64);
        }
    }
    rates.sort_unstable_by(f64::total_cmp);
    let last = rates.len().checked_sub(1)?;
    // 2.5 % on either side.
    Some([rates[last / 40], rates[last - last / 40]])
}

/// From the highest score.
fn sorted(searches: &[Search]) -> Vec<Search> {
    let mut searches = searches.to_vec();
    searches.sort_unstable_by(|a, b| b.score.total_cmp(&a.score));
    searches
}

/// The searches of each person.
fn counts(searches: &[Search], people: usize) -> Vec<usize> {
    let mut counts = vec![0; people];
    searches.iter().for_each(|search| counts[search.person as usize] += 1);
    counts
}

#[cfg(test)]
#[allow(clippy::cast_possible_truncation, reason = "made-up scores and small counts")]
mod tests {
    use super::*;

    /// Strangers score normal around 0, mates around 3: at an FPIR of 0.02 the threshold is 2.0537 and
    /// the FNIR norm.cdf(2.0537 - 3) = 0.17201 (scipy.stats.norm).
    #[test]
    fn the_interval_holds_the_truth_as_often_as_it_says() {
        let (runs, people): (u64, usize) = (60, 400);
        let (mut held, mut held_at_threshold) = (0, 0);
        for seed in 0..runs {
            let mut random = Random::new(100 + seed);
            let mut search = |person: usize, mean: f64| Search {
                person: person as u32,
                picture: person as u32,
                score: (mean + random.normal()) as f32,
            };
            let trial = Trial {
                size: 1,
                non_mated: (0..people).map(|person| search(person, 0.0)).collect(),
                mated: (0..people).map(|person| search(person, 3.0)).collect(),
            };
            let [low, high] = fnir_interval(&trial, 0.02, people, seed).unwrap();
            held += u32::from(low <= 0.172_01 && 0.172_01 <= high);
            let [low, high] = trial.fnir(trial.threshold(0.02)).interval;
            held_at_threshold += u32::from(low <= 0.172_01 && 0.172_01 <= high);
        }
        println!("{held} and {held_at_threshold} of {runs}");
        assert!(held >= 54, "{held}");
        assert!(held_at_threshold < 48, "the threshold's uncertainty matters: {held_at_threshold}");
    }

    #[test]
    fn nothing_to_draw_from_is_no_crash() {
        assert_eq!(fnir_interval(&Trial::default(), 0.01, 5, 1), None);
        assert_eq!(fnir_interval(&Trial::default(), 0.01, 0, 1), None);
    }
}
