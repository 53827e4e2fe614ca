//! Open-set identification: searches for people who are in the gallery and for people who are not.
//!
//! The terms and rates are those of ISO/IEC 19795-1 and of NIST's FRTE 1:N (NISTIR 8271). A search
//! among N templates returns those that are at least as similar as the threshold.
//! - FPIR: the share of non-mated searches (nobody to be found) that return anyone.
//! - FNIR: the share of mated searches that do not return the right template first.
//!
//! A probe without a face finds nobody: a miss when mated, no false positive when not. A person whose
//! enrolled picture has no face is missed by every mated search. Nothing is left out.

use std::ops::Range;

use super::intervals::{self, Rate};
use super::people::Scores;
use super::random::Random;

/// One person in three is never enrolled: their pictures are the non-mated searches.
const STRANGERS: usize = 3;

/// One probe searched in one gallery.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Search {
    /// Whose picture it is.
    pub(crate) person: u32,
    /// Which picture, over all people.
    pub(crate) picture: u32,
    /// The threshold up to which the search returns: mated searches the right template in the first
    /// place, non-mated ones anyone. Negative infinity when it does not at any.
    pub(crate) score: f32,
}

/// The searches in galleries of one size.
#[derive(Clone, Debug, Default)]
pub(crate) struct Trial {
    /// Templates in the gallery, one a person.
    pub(crate) size: usize,
    pub(crate) mated: Vec<Search>,
    pub(crate) non_mated: Vec<Search>,
}

/// The most that can be enrolled of so many people.
pub(crate) const fn largest_gallery(people: usize) -> usize {
    people - people.div_ceil(STRANGERS)
}

/// One random split of `people` (with their pictures) into strangers and enrolled, of whom one random
/// picture is the template and the others are the mated searches. The galleries of `sizes`, ascending
/// and up to [`largest_gallery`], are the first so many of one random order.
pub(crate) fn split(
    scores: &Scores,
    people: &[(u32, Range<usize>)],
    sizes: &[usize],
    random: &mut Random,
) -> Vec<Trial> {
    let mut order: Vec<&(u32, Range<usize>)> = people.iter().collect();
    random.shuffle(&mut order);
    let (strangers, enrolled) = order.split_at(people.len().div_ceil(STRANGERS));
    let templates: Vec<usize> = enrolled
        .iter()
        .map(|(_, pictures)| pictures.start + random.below(pictures.len()))
        .collect();

    let mut trials: Vec<Trial> =
        sizes.iter().map(|&size| Trial { size, ..Trial::default() }).collect();
    for (person, pictures) in strangers {
        for probe in pictures.clone() {
            let best = best_other(scores, probe, &templates, None, sizes);
            for (trial, score) in trials.iter_mut().zip(best) {
                trial.non_mated.push(search(*person, probe, score));
            }
        }
    }
    for (place, (person, pictures)) in enrolled.iter().enumerate() {
        for probe in pictures.clone().filter(|&picture| picture != templates[place]) {
            let mate = scores.between(probe, templates[place]);
            let best = best_other(scores, probe, &templates, Some(place), sizes);
            let galleries = trials.iter_mut().zip(best).filter(|(trial, _)| place < trial.size);
            for (trial, best) in galleries {
                let first = mate > best;
                let score = if first { mate } else { f32::NEG_INFINITY };
                trial.mated.push(search(*person, probe, score));
            }
        }
    }
    trials
}

#[expect(clippy::cast_possible_truncation, reason = "pictures are far fewer than 2^32")]
const fn search(person: u32, picture: usize, score: f32) -> Search {
    Search { person, picture: picture as u32, score }
}

/// The best score among the first `size` templates but the one at `mate`, for each of `sizes`.
fn best_other(
    scores: &Scores,
    probe: usize,
    templates: &[usize],
    mate: Option<usize>,
    sizes: &[usize],
) -> Vec<f32> {
    let (mut best, mut from) = (f32::NEG_INFINITY, 0);
    let mut at_sizes = Vec::with_capacity(sizes.len());
    for &size in sizes {
        for place in (from..size).filter(|&place| Some(place) != mate) {
            best = best.max(scores.between(probe, templates[place]));
        }
        from = size;
        at_sizes.push(best);
    }
    at_sizes
}

impl Trial {
    /// Adds the searches of another split with the same gallery size.
    pub(crate) fn add(&mut self, other: Self) {
        self.size = other.size;
        self.mated.extend(other.mated);
        self.non_mated.extend(other.non_mated);
    }

    /// The lowest threshold at which at most the share `fpir` of the non-mated searches returns anyone.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a share of a count, rounded down"
    )]
    pub(crate) fn threshold(&self, fpir: f64) -> f32 {
        let mut scores: Vec<f32> = self.non_mated.iter().map(|search| search.score).collect();
        scores.sort_unstable_by(|a, b| b.total_cmp(a));
        let allowed = (fpir * scores.len() as f64).floor() as usize;
        scores.get(allowed).filter(|score| score.is_finite()).map_or(-1.0, |score| score.next_up())
    }

    /// The share of non-mated searches that return anyone at `threshold`.
    pub(crate) fn fpir(&self, threshold: f32) -> Rate {
        let error = |search: &Search| search.score >= threshold;
        rate(&self.non_mated, error)
    }

    /// The share of mated searches that do not return the right template first at `threshold`; without
    /// one (negative infinity) those where it is not the most similar.
    pub(crate) fn fnir(&self, threshold: f32) -> Rate {
        let found = |search: &Search| search.score >= threshold && search.score.is_finite();
        rate(&self.mated, |search| !found(search))
    }

    /// (FPIR, FNIR) from the strictest threshold to the loosest: a point for each 200th of a decade of
    /// FPIR at most.
    pub(crate) fn curve(&self) -> Vec<(f64, f64)> {
        let sorted = |searches: &[Search]| {
            let mut scores: Vec<f32> = searches.iter().map(|search| search.score).collect();
            scores.sort_unstable_by(|a, b| b.total_cmp(a));
            scores
        };
        let (mated, non_mated) = (sorted(&self.mated), sorted(&self.non_mated));
        let mut curve: Vec<(f64, f64)> = Vec::new();
        for (index, &score) in non_mated.iter().enumerate() {
            if !score.is_finite() {
                break;
            }
            let fpir = (index + 1) as f64 / non_mated.len() as f64;
            if curve.last().is_some_and(|last| (fpir / last.0).log10() < 0.005) {
                continue;
            }
            let found = mated.partition_point(|&mated| mated >= score);
            curve.push((fpir, 1.0 - found as f64 / mated.len().max(1) as f64));
        }
        curve
    }
}

fn rate(searches: &[Search], error: impl Fn(&Search) -> bool) -> Rate {
    intervals::clustered(
        searches.iter().map(|search| (search.person, search.picture, error(search))),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Nine people with two pictures each: 18 pictures. Pictures of one person score 0.9, but those of
    /// person 0 only 0.3; strangers score by their numbers, below 0.6.
    fn scores() -> Scores {
        Scores::from_fn(18, |a, b| match (a / 2, b / 2) {
            (0, 0) => 0.3,
            (a, b) if a == b => 0.9,
            (a, b) => 0.03 * (a + b) as f32,
        })
    }

    fn people() -> Vec<(u32, Range<usize>)> {
        (0..9).map(|person| (person, person as usize * 2..person as usize * 2 + 2)).collect()
    }

    fn trials(sizes: &[usize], splits: u64) -> Vec<Trial> {
        let mut trials = vec![Trial::default(); sizes.len()];
        for seed in 0..splits {
            let split = split(&scores(), &people(), sizes, &mut Random::new(seed));
            trials.iter_mut().zip(split).for_each(|(trial, split)| trial.add(split));
        }
        trials
    }

    #[test]
    fn a_split_searches_for_everyone_in_their_place() {
        assert_eq!(largest_gallery(9), 6);
        let [small, all] = &trials(&[2, 6], 1)[..] else { panic!("two sizes") };
        // Three strangers with two pictures; each enrolled person has one picture left.
        assert_eq!((small.non_mated.len(), small.mated.len()), (6, 2));
        assert_eq!((all.non_mated.len(), all.mated.len()), (6, 6));
        let strangers: Vec<_> = all.non_mated.iter().map(|search| search.person).collect();
        assert!(all.mated.iter().all(|search| !strangers.contains(&search.person)));
        // A larger gallery can only raise the best score.
        let pairs = small.non_mated.iter().zip(&all.non_mated);
        assert!(pairs.clone().all(|(small, all)| small.score <= all.score));
        assert!(pairs.clone().any(|(small, all)| small.score < all.score));
    }

    #[test]
    fn the_best_score_is_that_of_a_plain_search() {
        // By the rule of `scores`, a stranger's best is 0.03 x (own number + the highest enrolled).
        for seed in 0..20 {
            let trial = &split(&scores(), &people(), &[6], &mut Random::new(seed))[0];
            let enrolled = trial.mated.iter().map(|search| search.person).max().unwrap();
            for search in &trial.non_mated {
                assert_eq!(search.score, 0.03 * (search.person + enrolled) as f32);
            }
            for search in &trial.mated {
                // Person 0 is like somebody of number 7 or 8 with 0.21 or 0.24: below 0.3.
                let expected = if search.person == 0 { 0.3 } else { 0.9 };
                assert_eq!(search.score, expected);
            }
        }
    }

    #[test]
    fn a_mate_that_is_not_first_is_missed_at_any_threshold() {
        // Person 8 is more like every other (0.24 and more) than like their own other picture.
        let scores = Scores::from_fn(18, |a, b| match (a / 2, b / 2) {
            (8, 8) => 0.2,
            (a, b) => scores().between(2 * a, 2 * b + usize::from(a == b)),
        });
        let trial = (0..20)
            .map(|seed| split(&scores, &people(), &[6], &mut Random::new(seed)).remove(0))
            .find(|trial| trial.mated.iter().any(|search| search.person == 8))
            .unwrap();
        assert_eq!(trial.fnir(f32::NEG_INFINITY).errors, 1);
        assert_eq!((trial.fnir(0.1).errors, trial.fnir(-1.0).errors), (1, 1));
    }

    #[test]
    fn the_threshold_is_the_lowest_that_keeps_the_rate() {
        let trial = &trials(&[6], 50)[0];
        for fpir in [0.0, 0.01, 0.1, 0.5] {
            let threshold = trial.threshold(fpir);
            assert!(trial.fpir(threshold).rate <= fpir, "{fpir}");
            assert!(trial.fpir(threshold.next_down()).rate > fpir, "{fpir}");
        }
        assert_eq!(trial.threshold(1.0), -1.0);
        // Above 0.3 the six searches in nine for person 0 are missed, above 0.9 all.
        let of_0 = trial.mated.iter().filter(|search| search.person == 0).count();
        assert_eq!((trial.fnir(0.35).errors, trial.fnir(0.3).errors), (of_0, 0));
        assert_eq!(trial.fnir(0.95).rate, 1.0);
    }

    #[test]
    fn a_picture_without_a_face_is_a_miss_and_no_false_positive() {
        let blind = scores().without_face(5);
        let (mut mated, mut non_mated) = (0, 0);
        for seed in 0..30 {
            let trial = &split(&blind, &people(), &[6], &mut Random::new(seed))[0];
            // Person 2 has pictures 4 and 5: whichever is enrolled, the other is not found.
            for search in trial.mated.iter().filter(|search| search.person == 2) {
                assert_eq!(search.score, f32::NEG_INFINITY);
                mated += 1;
            }
            for search in trial.non_mated.iter().filter(|search| search.picture == 5) {
                assert_eq!(search.score, f32::NEG_INFINITY);
                non_mated += 1;
            }
            assert_eq!(trial.non_mated.len() + trial.mated.len(), 12, "nothing is left out");
        }
        assert!(mated > 0 && non_mated > 0);
    }

    #[test]
    fn the_curve_falls() {
        let trial = &trials(&[6], 50)[0];
        let curve = trial.curve();
        assert!(curve.windows(2).all(|pair| pair[0].0 < pair[1].0 && pair[0].1 >= pair[1].1));
        assert!(Trial::default().curve().is_empty());
    }
}
