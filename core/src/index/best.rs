//! The best so far: a bounded set of subjects, each with the best of their rows.

use std::cmp::Ordering;
use std::collections::{BTreeSet, HashMap};

use super::Owner;
use super::exact::Left;
use crate::vector::Similarity;

/// At most `limit` subjects with a similarity of `at_least` or more. Where values are not in memory, similarities
/// are what they are at least, and the rows that may be among the best are put down.
#[derive(Debug)]
pub(super) struct Best {
    limit: usize,
    at_least: f32,
    order: BTreeSet<Ranked>,
    held: HashMap<i64, Ranked>,
    floor: f32,
    put_down: Vec<Left>,
}

impl Best {
    pub(super) fn new(limit: usize, at_least: f32) -> Self {
        let floor = floor(at_least);
        let (order, held, put_down) = (BTreeSet::new(), HashMap::new(), Vec::new());
        Self { limit, at_least, order, held, floor, put_down }
    }

    /// Similarities below this change nothing any more.
    pub(super) const fn floor(&self) -> f32 {
        self.floor
    }

    /// How many more there is place for.
    pub(super) fn lacks(&self) -> usize {
        self.limit - self.order.len()
    }

    pub(super) fn offer(&mut self, owner: Owner, similarity: Similarity) {
        let new = Ranked { owner, similarity };
        let wanted = similarity.value() >= self.at_least;
        if !wanted || self.order.len() == self.limit && self.order.last() < Some(&new) {
            return;
        }
        match self.held.get_mut(&owner.subject) {
            Some(old) if *old <= new => return,
            Some(old) => {
                self.order.remove(old);
                *old = new;
            }
            None => {
                self.held.insert(owner.subject, new);
            }
        }
        self.order.insert(new);
        if self.order.len() > self.limit
            && let Some(out) = self.order.pop_last()
        {
            self.held.remove(&out.owner.subject);
        }
        if self.order.len() == self.limit
            && let Some(worst) = self.order.last()
        {
            self.floor = floor(worst.similarity.value());
        }
    }

    /// Puts a row down whose values are to be read. `limit` subjects that are similar by `floor` at least leave no
    /// place for a row that is less similar than that at most.
    pub(super) fn put_down(&mut self, owner: Owner, row: Left) {
        self.offer(owner, Similarity::at_least(row.least));
        self.put_down.push(row);
    }

    /// The rows that may be among the best, those that may be most similar first.
    pub(super) fn into_put_down(mut self) -> Vec<Left> {
        self.put_down.retain(|row| row.most >= self.floor);
        self.put_down.sort_unstable_by(Left::most_first);
        self.put_down
    }

    /// Takes over what `other` found.
    pub(super) fn merge(&mut self, other: Self) {
        for Ranked { owner, similarity } in other.order {
            self.offer(owner, similarity);
        }
        self.put_down.extend(other.put_down);
    }

    /// Most similar first.
    pub(super) fn into_sorted(self) -> Vec<(Owner, Similarity)> {
        self.order.into_iter().map(|it| (it.owner, it.similarity)).collect()
    }
}

/// Everything is similar by -1 at least, by a clamp that bounds do not know of.
fn floor(similarity: f32) -> f32 {
    if similarity <= -1.0 { f32::NEG_INFINITY } else { similarity }
}

/// Ordered: more similar first, then the subject with the lower number, then the lower template.
#[derive(Clone, Copy, Debug)]
struct Ranked {
    owner: Owner,
    similarity: Similarity,
}

impl Ord for Ranked {
    fn cmp(&self, other: &Self) -> Ordering {
        let similar = other.similarity.value().total_cmp(&self.similarity.value());
        similar
            .then(self.owner.subject.cmp(&other.owner.subject))
            .then(self.owner.template.cmp(&other.owner.template))
    }
}

impl PartialOrd for Ranked {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Ranked {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Ranked {}
