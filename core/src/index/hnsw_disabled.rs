//! The stand-in for builds without the feature `hnsw`: the scan answers, and nobody can ask for anything else.

use super::{Answer, Index, IndexState, Search};
use crate::id::TemplateId;
use crate::vector::Embedding;

#[derive(Debug, Default)]
pub(super) struct Keeper(());

impl Keeper {
    pub(super) fn search(&self, _: &Index, _: &[f32], _: &Search<'_>, _: f64) -> Option<Answer> {
        None
    }

    pub(super) fn state(&self, _: &Index, _: f64) -> IndexState {
        IndexState::Exact
    }

    pub(super) fn added(&mut self, _: TemplateId, _: &Embedding) {}

    pub(super) fn removed(&mut self, _: &TemplateId) {}
}
