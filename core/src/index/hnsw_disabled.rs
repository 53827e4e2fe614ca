//! The stand-in for builds without the feature `hnsw`: the scan answers, and nobody can ask for anything else.

use super::{Index, IndexState, Owner, Search, SearchMethod};
use crate::id::TemplateId;
use crate::vector::{Embedding, Similarity};

#[derive(Debug, Default)]
pub(super) struct Keeper;

impl Keeper {
    pub(super) fn search(
        &self,
        _: &Index,
        _: &[f32],
        _: &Search<'_>,
        _: f64,
    ) -> Option<(Vec<(Owner, Similarity)>, SearchMethod)> {
        None
    }

    pub(super) fn state(&self, _: &Index, _: f64) -> IndexState {
        IndexState::Exact
    }

    pub(super) fn added(&mut self, _: TemplateId, _: &Embedding) {}

    pub(super) fn removed(&mut self, _: &TemplateId) {}
}
