//! What is asked of a gallery, and what it answers: people, not templates.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};

use crate::error::Result;
use crate::id::{SubjectId, TemplateId};
use crate::index::{Index, Owner};
use crate::vector::{Embedding, Similarity};

/// Whom an identification may find: how many, how similar, and among whom.
///
/// `Debug` shows how many people are on the roster, never who.
#[derive(Clone, PartialEq)]
pub struct Query {
    limit: usize,
    at_least: f32,
    roster: Option<HashSet<SubjectId>>,
}

impl Query {
    /// The `limit` most similar subjects. Without [`at_least`](Self::at_least) everyone is a candidate,
    /// however unlike.
    #[must_use]
    pub const fn top(limit: usize) -> Self {
        Self { limit, at_least: -1.0, roster: None }
    }

    /// Only subjects with a similarity (cosine, -1..=1) of `similarity` or more. Packs say which
    /// threshold keeps false matches under which rate. Nobody is found with one that is not a number.
    #[must_use]
    pub const fn at_least(mut self, similarity: f32) -> Self {
        self.at_least = similarity;
        self
    }

    /// Only subjects of `roster`: tonight's guests, the 50 students of this class. An empty roster finds
    /// nobody.
    #[must_use]
    pub fn among<'a>(mut self, roster: impl IntoIterator<Item = &'a SubjectId>) -> Self {
        self.roster = Some(roster.into_iter().cloned().collect());
        self
    }

    /// Subjects asked for, at most.
    #[must_use]
    pub const fn limit(&self) -> usize {
        self.limit
    }

    /// The least similarity, -1..=1.
    #[must_use]
    pub const fn threshold(&self) -> f32 {
        self.at_least
    }

    pub(crate) fn allows(&self, subject: &SubjectId) -> bool {
        self.roster.as_ref().is_none_or(|roster| roster.contains(subject))
    }
}

impl std::fmt::Debug for Query {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Query")
            .field("limit", &self.limit)
            .field("at_least", &self.at_least)
            .field("roster", &self.roster.as_ref().map(HashSet::len))
            .finish()
    }
}

/// One person an identification found.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Hit {
    /// Who.
    pub subject: SubjectId,
    /// Which of their templates is the most similar.
    pub template: TemplateId,
    /// How similar it is.
    pub similarity: Similarity,
}

/// The best template of each subject, most similar first; of equals the subject with the lower number.
pub(crate) fn best_subjects(
    index: &Index,
    probe: &Embedding,
    limit: usize,
    at_least: f32,
    allowed: impl Fn(i64) -> bool,
) -> Result<Vec<(Owner, Similarity)>> {
    if limit == 0 {
        return Ok(Vec::new());
    }
    let mut best: HashMap<i64, (Owner, Similarity)> = HashMap::new();
    let candidates = index.scan(probe)?.filter(|(_, similarity)| similarity.value() >= at_least);
    for candidate in candidates {
        match best.entry(candidate.0.subject) {
            Entry::Vacant(free) => {
                if allowed(candidate.0.subject) {
                    free.insert(candidate);
                }
            }
            Entry::Occupied(mut held) => {
                if rank(held.get(), &candidate).is_gt() {
                    held.insert(candidate);
                }
            }
        }
    }
    let mut best: Vec<_> = best.into_values().collect();
    if limit < best.len() {
        best.select_nth_unstable_by(limit, rank);
        best.truncate(limit);
    }
    best.sort_unstable_by(rank);
    Ok(best)
}

/// More similar first, then the subject with the lower number, then the lower template.
fn rank(a: &(Owner, Similarity), b: &(Owner, Similarity)) -> std::cmp::Ordering {
    b.1.value()
        .total_cmp(&a.1.value())
        .then(a.0.subject.cmp(&b.0.subject))
        .then(a.0.template.cmp(&b.0.template))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_are_subjects_with_their_best_template() {
        let mut index = Index::new(2);
        let vector = |x: f32, y: f32| Embedding::normalize(vec![x, y]).unwrap();
        let rows = [(1, vector(1.0, 0.0)), (1, vector(1.0, 0.1)), (2, vector(1.0, 0.5))];
        for (number, (subject, embedding)) in (0..).zip(&rows) {
            let template = TemplateId::from_bytes([number; 16]);
            index.insert(Owner { subject: *subject, template }, embedding).unwrap();
        }
        let probe = vector(1.0, 0.1);
        let found = best_subjects(&index, &probe, 5, -1.0, |_| true).unwrap();
        let found: Vec<_> = found.iter().map(|(owner, _)| owner.template.as_bytes()[0]).collect();
        assert_eq!(found, [1, 2]);
        assert_eq!(best_subjects(&index, &probe, 1, -1.0, |_| true).unwrap().len(), 1);
        assert_eq!(
            best_subjects(&index, &probe, 5, -1.0, |subject| subject == 2).unwrap().len(),
            1
        );
        assert!(best_subjects(&index, &probe, 5, f32::NAN, |_| true).unwrap().is_empty());
    }
}
