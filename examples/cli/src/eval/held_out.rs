//! Whether thresholds keep the rate they are for, on people they were not learned from.
//!
//! Half of the people are the statistics, as a pack would have them; the other half is searched, at the
//! thresholds that [`ModelSpec::threshold_for`](faceprint::pack::ModelSpec::threshold_for) answers.

use std::ops::Range;

use serde::Serialize;

use super::impostors::Impostors;
use super::intervals::{self, Rate};
use super::open_set::{self, Search};
use super::people::Scores;
use super::random::Random;
use crate::failure::Failure;

/// What became of one promise.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct HeldOut {
    pub(crate) gallery: usize,
    /// The rate the thresholds are for.
    pub(crate) claimed: f64,
    /// The rate that the statistics hold possible at the thresholds, at the least: the low end of their
    /// interval, mean over the splits. The high end is at most `claimed`.
    pub(crate) at_least: f64,
    /// Splits in which there was a threshold, and those in which the rate measured is at most the claimed.
    pub(crate) answered: usize,
    pub(crate) kept: usize,
    /// Splits whose threshold lies beyond what half of the people could count.
    pub(crate) extrapolated: usize,
    /// Mean over the splits.
    pub(crate) threshold: f64,
    pub(crate) fpir: Rate,
    pub(crate) fnir: Rate,
}

/// One promise in one split: the searches with whether each is an error.
#[derive(Clone, Debug)]
pub(crate) struct Outcome {
    gallery: usize,
    claimed: f64,
    at_least: f64,
    threshold: f32,
    extrapolated: bool,
    non_mated: Vec<(Search, bool)>,
    mated: Vec<(Search, bool)>,
}

/// One split of `people` in halves. Promises that the statistics of one half cannot make are left out.
pub(crate) fn split(
    scores: &Scores,
    people: &[Range<usize>],
    sizes: &[usize],
    rates: &[f64],
    random: &mut Random,
) -> Result<Vec<Outcome>, Failure> {
    let mut order: Vec<(u32, Range<usize>)> = (0..).zip(people.iter().cloned()).collect();
    random.shuffle(&mut order);
    let (known, searched) = order.split_at(order.len() / 2);
    let model = Impostors::measure(scores, known.iter().map(|(_, pictures)| pictures)).model()?;
    let mut outcomes = Vec::new();
    for trial in open_set::split(scores, searched, sizes, random) {
        for &claimed in rates {
            let Ok(answer) = model.threshold_for(claimed, trial.size) else { continue };
            let threshold = answer.similarity;
            let judge = |searches: &[Search], error: &dyn Fn(f32) -> bool| {
                searches.iter().map(|search| (*search, error(search.score))).collect()
            };
            outcomes.push(Outcome {
                gallery: trial.size,
                claimed,
                at_least: 1.0 - (1.0 - answer.ci95.0).powf(trial.size as f64),
                threshold,
                extrapolated: answer.extrapolated,
                non_mated: judge(&trial.non_mated, &|score| score >= threshold),
                mated: judge(&trial.mated, &|score| score < threshold),
            });
        }
    }
    Ok(outcomes)
}

/// The gallery sizes that half of the people allow.
pub(crate) fn sizes(sizes: &[usize], people: usize) -> Vec<usize> {
    let largest = open_set::largest_gallery(people - people / 2);
    sizes.iter().copied().filter(|&size| size <= largest).collect()
}

/// The promises over all splits, in the order of `sizes` and `rates`.
pub(crate) fn pool(outcomes: &[Outcome], sizes: &[usize], rates: &[f64]) -> Vec<HeldOut> {
    let promises = sizes.iter().flat_map(|&size| rates.iter().map(move |&rate| (size, rate)));
    promises
        .filter_map(|(gallery, claimed)| {
            let same: Vec<&Outcome> = outcomes
                .iter()
                .filter(|outcome| outcome.gallery == gallery && outcome.claimed == claimed)
                .collect();
            (!same.is_empty()).then(|| promise(gallery, claimed, &same))
        })
        .collect()
}

fn promise(gallery: usize, claimed: f64, outcomes: &[&Outcome]) -> HeldOut {
    let rate = |of: fn(&Outcome) -> &[(Search, bool)]| {
        let searches = outcomes.iter().flat_map(|outcome| of(outcome));
        intervals::clustered(
            searches.map(|(search, error)| (search.person, search.picture, *error)),
        )
    };
    let kept = |outcome: &&&Outcome| {
        let errors = outcome.non_mated.iter().filter(|(_, error)| *error).count();
        errors as f64 <= claimed * outcome.non_mated.len() as f64
    };
    let mean = |of: fn(&Outcome) -> f64| {
        outcomes.iter().map(|outcome| of(outcome)).sum::<f64>() / outcomes.len() as f64
    };
    HeldOut {
        gallery,
        claimed,
        at_least: mean(|outcome| outcome.at_least),
        answered: outcomes.len(),
        kept: outcomes.iter().filter(kept).count(),
        extrapolated: outcomes.iter().filter(|outcome| outcome.extrapolated).count(),
        threshold: mean(|outcome| f64::from(outcome.threshold)),
        fpir: rate(|outcome| &outcome.non_mated),
        fnir: rate(|outcome| &outcome.mated),
    }
}

#[cfg(test)]
#[allow(clippy::cast_possible_truncation, reason = "made-up scores and small counts")]
mod tests {
    use super::*;

    /// People whose scores follow one law keep each other's promises, whoever is in which half.
    #[test]
    fn promises_are_kept_on_other_people() {
        let (people, own): (usize, usize) = (240, 3);
        let mut random = Random::new(11);
        let common: Vec<f64> = (0..people).map(|_| random.normal()).collect();
        let scores = Scores::from_fn(people * own, |a, b| {
            let mean = if a / own == b / own { 0.6 } else { 0.0 };
            let alike = 0.03 * (common[a / own] + common[b / own]);
            (mean + alike + 0.09 * random.normal()) as f32
        });
        let ranges: Vec<_> = (0..people).map(|i| i * own..(i + 1) * own).collect();
        let (sizes, rates) = (sizes(&[20, 80, 200], people), [0.1, 0.01]);
        assert_eq!(sizes, [20, 80], "half of the people, less a third");
        let mut outcomes = Vec::new();
        for seed in 0..12 {
            let mut random = Random::new(seed);
            outcomes.extend(split(&scores, &ranges, &sizes, &rates, &mut random).unwrap());
        }
        let promises = pool(&outcomes, &sizes, &rates);
        assert_eq!(promises.len(), 4);
        for promise in &promises {
            println!(
                "{} among {}: {:.4} at {:.3}, kept in {} of {}",
                promise.claimed,
                promise.gallery,
                promise.fpir.rate,
                promise.threshold,
                promise.kept,
                promise.answered
            );
            assert_eq!(promise.answered, 12);
            // What was measured and what was promised agree: neither too much nor uselessly little.
            assert!(promise.fpir.interval[0] <= promise.claimed, "{promise:?}");
            assert!(promise.fpir.interval[1] >= promise.at_least, "{promise:?}");
            assert!(promise.at_least > promise.claimed / 20.0, "{promise:?}");
            assert!(promise.fnir.rate < 0.6, "{promise:?}");
        }
        // Of 120 people 64,260 comparisons: counted to 4.7e-4.
        assert_eq!((promises[0].extrapolated, promises[3].extrapolated), (0, 12));
    }
}
