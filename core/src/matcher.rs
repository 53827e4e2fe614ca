//! What is asked of a gallery, and what it answers: people, not templates.

use std::collections::HashSet;

use crate::id::{SubjectId, TemplateId};
use crate::vector::Similarity;

/// Whom an identification may find: how many, how similar, and among whom.
///
/// `Debug` shows how many people are on the roster, never who.
#[derive(Clone, PartialEq)]
pub struct Query {
    limit: usize,
    at_least: f32,
    margin: f32,
    roster: Option<HashSet<SubjectId>>,
}

impl Query {
    /// The `limit` most similar subjects. Without [`at_least`](Self::at_least) everyone is a candidate,
    /// however unlike.
    #[must_use]
    pub const fn top(limit: usize) -> Self {
        Self { limit, at_least: -1.0, margin: 0.0, roster: None }
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

    /// For [`Tenant::decide`](crate::Tenant::decide): how much more similar (difference of cosines, 0..=2) the best
    /// subject must be than the next one, or the verdict is [`Verdict::Ambiguous`]: twins, doubles, one
    /// person under two names. The next one counts even when below the threshold, unless they are not on the
    /// roster; several templates of one subject are no rivals. 0, the default, takes the best whatever comes
    /// next; with a margin that is not a number every rival is too close.
    #[must_use]
    pub const fn ambiguity_margin(mut self, margin: f32) -> Self {
        self.margin = margin;
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

    /// What has to be found for a verdict: the second subject too, and rivals below the threshold.
    pub(crate) fn with_rivals(&self) -> Self {
        let limit = if self.limit == 0 { 0 } else { self.limit.max(2) };
        // A little lower, lest rounding lose one; the verdict looks again.
        let lower = if self.margin > 0.0 { self.margin + 1e-6 } else { 0.0 };
        Self { limit, at_least: self.at_least - lower, ..self.clone() }
    }

    /// The verdict on what [`with_rivals`](Self::with_rivals) found, most similar first.
    pub(crate) fn verdict(&self, mut hits: Vec<Hit>) -> Verdict {
        let Some(first) = hits.first().map(|hit| hit.similarity.value()) else {
            return Verdict::NoMatch;
        };
        if first < self.at_least {
            return Verdict::NoMatch;
        }
        let leads = |rival: &Hit| first - rival.similarity.value() >= self.margin;
        let close = 1 + hits.iter().skip(1).take_while(|rival| !leads(rival)).count();
        hits.truncate(close);
        if close > 1 {
            return Verdict::Ambiguous(hits);
        }
        hits.pop().map_or(Verdict::NoMatch, Verdict::Match)
    }

    pub(crate) const fn roster(&self) -> Option<&HashSet<SubjectId>> {
        self.roster.as_ref()
    }
}

impl std::fmt::Debug for Query {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Query")
            .field("limit", &self.limit)
            .field("at_least", &self.at_least)
            .field("ambiguity_margin", &self.margin)
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

/// Who a probe is, by a [`Query`].
#[derive(Clone, Debug, PartialEq)]
#[expect(clippy::exhaustive_enums, reason = "one, several or nobody")]
pub enum Verdict {
    /// This subject: similar enough, and ahead of the next one by the margin.
    Match(Hit),
    /// One of these, most similar first: the best is similar enough, the others are closer to it than the margin.
    /// Two of them at least; as many as the query asks for, at most.
    Ambiguous(Vec<Hit>),
    /// Nobody is similar enough.
    NoMatch,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hits(similarities: &[f32]) -> Vec<Hit> {
        let hit = |(at, value): (usize, &f32)| Hit {
            subject: format!("s{at}").parse().unwrap(),
            template: TemplateId::from_bytes([0; 16]),
            similarity: Similarity::between(&[*value], &[1.0]),
        };
        similarities.iter().enumerate().map(hit).collect()
    }

    #[test]
    fn verdicts() {
        let query = Query::top(1).at_least(0.5).ambiguity_margin(0.25);
        let verdict = |similarities: &[f32]| query.verdict(hits(similarities));
        assert_eq!(verdict(&[]), Verdict::NoMatch);
        assert_eq!(verdict(&[0.49, 0.4]), Verdict::NoMatch);
        assert_eq!(verdict(&[0.5]), Verdict::Match(hits(&[0.5]).remove(0)));
        // Exactly the margin is enough; less is not, though the rival is below the threshold.
        assert_eq!(verdict(&[0.75, 0.5]), Verdict::Match(hits(&[0.75]).remove(0)));
        assert_eq!(verdict(&[0.5, 0.3]), Verdict::Ambiguous(hits(&[0.5, 0.3])));
        assert_eq!(verdict(&[0.75, 0.625, 0.5]), Verdict::Ambiguous(hits(&[0.75, 0.625])));
        let plain = Query::top(3).at_least(0.5);
        assert_eq!(plain.verdict(hits(&[0.5, 0.5])), Verdict::Match(hits(&[0.5]).remove(0)));
        let none = plain.ambiguity_margin(f32::NAN);
        assert!(matches!(none.verdict(hits(&[0.9, 0.5])), Verdict::Ambiguous(_)));
    }

    #[test]
    fn rivals_are_looked_for_below_the_threshold() {
        let wide = Query::top(1).at_least(0.5).ambiguity_margin(0.25).with_rivals();
        assert_eq!(wide.limit(), 2);
        assert!(wide.threshold() < 0.25 && wide.threshold() > 0.2499);
        assert_eq!(Query::top(0).with_rivals().limit(), 0);
        assert_eq!(Query::top(7).with_rivals(), Query::top(7));
    }
}
