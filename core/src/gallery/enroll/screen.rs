//! Duplicates: who else looks like a template that is to be enrolled, by the policy.

use super::{Batch, Enrollment};
use crate::error::{Error, Result};
use crate::id::SubjectId;
use crate::index::{Index, Search};
use crate::vector::{Similarity, Template};

/// The most similar other subject of a template, by row.
pub(super) type Alike = Option<(i64, Similarity)>;

impl Batch<'_, '_> {
    /// Looks for all of `block` at once, among those enrolled and those that came with this commit. Who is
    /// added after this is looked for by [`duplicate`](Self::duplicate).
    pub(super) fn screen(&mut self, block: &[(&SubjectId, &Template)]) -> Result<Vec<Alike>> {
        self.recent.clear();
        let mut best: Vec<Alike> = vec![None; block.len()];
        let mut left: Vec<usize> = (0..block.len()).collect();
        while let Some(space) = left.first().map(|first| block[*first].1.space()) {
            let (these, others): (Vec<_>, _) =
                left.into_iter().partition(|at| block[*at].1.space() == space);
            left = others;
            let (_, index) = self.roster.space(space)?;
            let own: Vec<_> = these.iter().map(|at| self.row_of(block[*at].0)).collect();
            let vectors: Vec<_> =
                these.iter().map(|at| block[*at].1.embedding().as_slice()).collect();
            if let Some(index) = index {
                vectors.iter().try_for_each(|vector| index.check_dimension(vector.len()))?;
            }
            let Some(at_least) = self.tenant.policy.duplicate_at else { continue };
            let (roster, now) = (self.roster, self.now);
            let alive = |at, row| Some(row) != own[at] && roster.alive(row, now).is_some();
            let fresh = |at, row| Some(row) != own[at];
            let mut look_in = |index: &Index, allowed: &(dyn Fn(usize, i64) -> bool + Sync)| {
                let search = Search { at_least, allowed, ..Search::top(1) };
                for (at, found) in these.iter().zip(index.search(&vectors, &search)?) {
                    let found = found.first().map(|(owner, it)| (owner.subject, *it));
                    keep_better(&mut best[*at], found);
                }
                Ok::<_, Error>(())
            };
            if let Some(index) = index {
                look_in(index, &alive)?;
            }
            if let Some(index) = self.fresh.get(&space) {
                look_in(index, &fresh)?;
            }
        }
        Ok(best)
    }

    /// Whom `template` is a duplicate of: who was found by [`screen`](Self::screen), or was added since.
    pub(super) fn duplicate(
        &self,
        mut best: Alike,
        subject: &SubjectId,
        template: &Template,
    ) -> Result<Option<Enrollment>> {
        let Some(at_least) = self.tenant.policy.duplicate_at else { return Ok(None) };
        let own = self.row_of(subject);
        if let Some(index) = self.fresh.get(&template.space()) {
            let search = Search {
                at_least,
                among: Some(&self.recent),
                allowed: &|_, row| Some(row) != own,
                ..Search::top(1)
            };
            let found = index.search(&[template.embedding().as_slice()], &search)?;
            keep_better(
                &mut best,
                found.first().and_then(|it| it.first()).map(|it| (it.0.subject, it.1)),
            );
        }
        let name = |row: i64| {
            let known = || self.roster.alive(row, self.now).map(|known| known.id.clone());
            self.names.get(&row).cloned().or_else(known)
        };
        Ok(best.and_then(|(row, similarity)| {
            name(row).map(|of| Enrollment::Duplicate { of, similarity })
        }))
    }
}

/// Of equals the one before is kept.
fn keep_better(best: &mut Alike, found: Alike) {
    if let Some(found) = found
        && best.is_none_or(|(_, held)| held < found.1)
    {
        *best = Some(found);
    }
}
