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

    pub(crate) const fn roster(&self) -> Option<&HashSet<SubjectId>> {
        self.roster.as_ref()
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
