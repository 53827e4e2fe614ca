//! Whether a path is of somebody alive: several frames have a vote.

use std::collections::VecDeque;

use crate::liveness::Liveness;

/// The frames of a path that were judged last.
#[derive(Debug)]
pub(super) struct Votes(VecDeque<Liveness>);

/// What the votes amount to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Verdict {
    /// Too few so far.
    Open,
    /// More than half of the frames show somebody alive, whatever the missing ones say.
    Live,
    /// They cannot any more. With the median.
    Suspected(Liveness),
}

impl Votes {
    pub(super) const fn new() -> Self {
        Self(VecDeque::new())
    }

    /// One more frame; the oldest beyond `frames` has no say any more.
    pub(super) fn add(&mut self, vote: Liveness, frames: usize) {
        self.0.push_back(vote);
        while self.0.len() > frames {
            self.0.pop_front();
        }
    }

    /// Nobody has voted.
    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    /// The verdict of `frames` frames, at least 1. It is there before the last of them when those cannot change it.
    pub(super) fn verdict(&self, frames: usize) -> Verdict {
        let live = self.0.iter().filter(|vote| vote.is_live()).count();
        if live > frames / 2 {
            return Verdict::Live;
        }
        if self.0.len() - live < frames - frames / 2 {
            return Verdict::Open;
        }
        let mut votes: Vec<_> = self.0.iter().copied().collect();
        votes.sort_by(|a, b| a.score.total_cmp(&b.score));
        // The lower one of two: a tie is none for life.
        votes.get((votes.len() - 1) / 2).map_or(Verdict::Open, |median| Verdict::Suspected(*median))
    }

    /// Whether another vote is worth its time: there is no verdict, or the last frame contradicts it.
    pub(super) fn is_open(&self, frames: usize) -> bool {
        let last = self.0.back().map(Liveness::is_live);
        match self.verdict(frames) {
            Verdict::Open => true,
            Verdict::Live => last == Some(false),
            Verdict::Suspected(_) => last == Some(true),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// An early verdict is that of all frames, and the median of the score that is reported says the same.
        #[test]
        fn the_majority_decides(scores in prop::collection::vec(0.0_f32..1.0, 1..12)) {
            let frames = scores.len();
            let live = scores.iter().filter(|&&score| score >= 0.5).count();
            let (mut votes, mut early) = (Votes::new(), None);
            for &score in &scores {
                votes.add(Liveness::new(score, 0.5), frames);
                match (votes.verdict(frames), early) {
                    (Verdict::Open, None) => {}
                    (Verdict::Live, None | Some(true)) => early = Some(true),
                    (Verdict::Suspected(median), None | Some(false)) => {
                        prop_assert!(!median.is_live());
                        early = Some(false);
                    }
                    (changed, before) => prop_assert!(false, "{changed:?} after {before:?}"),
                }
            }
            prop_assert_eq!(early, Some(2 * live > frames));
        }
    }

    #[test]
    fn the_oldest_frame_leaves_and_a_contradiction_opens_the_vote() {
        let mut votes = Votes::new();
        let mut say = |live: bool| {
            votes.add(Liveness::new(f32::from(u8::from(live)), 0.5), 3);
            (matches!(votes.verdict(3), Verdict::Live), votes.is_open(3))
        };
        assert_eq!(say(true), (false, true));
        assert_eq!(say(true), (true, false));
        assert_eq!(say(false), (true, true), "outvoted");
        assert_eq!(say(true), (true, false));
        assert_eq!(say(true), (true, false));
        assert_eq!(say(false), (true, true));
        assert_eq!(say(false), (false, false), "two of the last three");
    }
}
