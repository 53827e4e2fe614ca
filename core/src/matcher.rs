//! What is asked of a gallery, and what it answers: people, not templates.

use std::collections::HashSet;
use std::ops::Deref;

use crate::id::{SubjectId, TemplateId};
pub use crate::index::{IndexKind, IndexState, SearchMethod};
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

/// The people an identification found, most similar first, and how they were looked for. A slice of [`Hit`]s.
#[derive(Clone, Debug, PartialEq)]
pub struct Hits {
    found: Vec<Hit>,
    method: SearchMethod,
}

impl Hits {
    pub(crate) const fn new(found: Vec<Hit>, method: SearchMethod) -> Self {
        Self { found, method }
    }

    /// Whether somebody may be missing.
    #[must_use]
    pub const fn method(&self) -> SearchMethod {
        self.method
    }

    /// The people alone.
    #[must_use]
    pub fn into_vec(self) -> Vec<Hit> {
        self.found
    }
}

impl Deref for Hits {
    type Target = [Hit];

    fn deref(&self) -> &[Hit] {
        &self.found
    }
}

impl IntoIterator for Hits {
    type Item = Hit;
    type IntoIter = std::vec::IntoIter<Hit>;

    fn into_iter(self) -> Self::IntoIter {
        self.found.into_iter()
    }
}

impl<'a> IntoIterator for &'a Hits {
    type Item = &'a Hit;
    type IntoIter = std::slice::Iter<'a, Hit>;

    fn into_iter(self) -> Self::IntoIter {
        self.found.iter()
    }
}
