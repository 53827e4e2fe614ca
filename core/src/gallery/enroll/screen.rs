//! Duplicates: who else looks like a template that is to be enrolled, by the policy.

use super::super::template::NewTemplate;
use super::{Batch, EnrollPolicy, NEAR_MISSES};
use crate::error::{Error, Result};
use crate::id::SubjectId;
use crate::index::{Index, Owner, Search};
use crate::vector::{Similarity, Template};

/// The most similar other subjects of a template, by row, most similar first.
pub(super) type Alike = Vec<(i64, Similarity)>;

/// What a template means for an enrolment.
pub(super) enum Judged {
    /// It is of somebody else who is there.
    Duplicate { of: SubjectId, similarity: Similarity },
    /// It is not, as far as the policy goes.
    Another { near_misses: Vec<(SubjectId, Similarity)> },
}

impl Batch<'_, '_> {
    /// Looks for all of `block` at once, among those enrolled and those that came with this commit. Who is
    /// added after this is looked for by [`judge`](Self::judge).
    pub(super) fn screen(&mut self, block: &[(&SubjectId, NewTemplate<'_>)]) -> Result<Vec<Alike>> {
        block.iter().try_for_each(|(_, template)| template.check())?;
        self.recent.clear();
        let mut best: Vec<Alike> = vec![Vec::new(); block.len()];
        let mut left: Vec<usize> = (0..block.len()).collect();
        while let Some(space) = left.first().map(|first| block[*first].1.template.space()) {
            let (these, others): (Vec<_>, _) =
                left.into_iter().partition(|at| block[*at].1.template.space() == space);
            left = others;
            let (_, index) = self.roster.space(space)?;
            let own: Vec<_> = these.iter().map(|at| self.row_of(block[*at].0)).collect();
            let vectors: Vec<_> =
                these.iter().map(|at| block[*at].1.template.embedding().as_slice()).collect();
            if let Some(index) = index {
                vectors.iter().try_for_each(|vector| index.check_dimension(vector.len()))?;
            }
            let Some(at_least) = self.tenant.policy.reported_at() else { continue };
            let (roster, now) = (self.roster, self.now);
            let alive = |at, row| Some(row) != own[at] && roster.alive(row, now).is_some();
            let fresh = |at, row| Some(row) != own[at];
            let at = self.writer.snapshot();
            let read = |owner: Owner| self.ring.embedding(&at, owner, &roster.spaces);
            let mut look_in = |index: &Index, allowed: &(dyn Fn(usize, i64) -> bool + Sync)| {
                let search = Search { at_least, allowed, ..Search::top(1 + NEAR_MISSES) };
                for (at, found) in these.iter().zip(index.search_by(&vectors, &search, &read)?) {
                    keep_best(&mut best[*at], found);
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

    /// Whom `template` is a duplicate of, or nearly: of those who were found by [`screen`](Self::screen), or were added
    /// since.
    pub(super) fn judge(
        &self,
        mut best: Alike,
        subject: &SubjectId,
        template: &Template,
    ) -> Result<Judged> {
        let policy = &self.tenant.policy;
        let (Some(duplicate_at), Some(at_least)) = (policy.duplicate_at, policy.reported_at())
        else {
            return Ok(Judged::Another { near_misses: Vec::new() });
        };
        let own = self.row_of(subject);
        if let Some(index) = self.fresh.get(&template.space()) {
            let search = Search {
                at_least,
                among: Some(&self.recent),
                allowed: &|_, row| Some(row) != own,
                ..Search::top(1 + NEAR_MISSES)
            };
            for found in index.search(&[template.embedding().as_slice()], &search)? {
                keep_best(&mut best, found);
            }
        }
        let name = |row: i64| {
            let known = || self.roster.alive(row, self.now).map(|known| known.id.clone());
            self.names.get(&row).cloned().or_else(known)
        };
        let mut alike: Vec<_> =
            best.into_iter().filter_map(|(row, it)| name(row).map(|name| (name, it))).collect();
        if alike.first().is_some_and(|(_, similarity)| similarity.value() >= duplicate_at) {
            let (of, similarity) = alike.swap_remove(0);
            return Ok(Judged::Duplicate { of, similarity });
        }
        alike.truncate(NEAR_MISSES);
        Ok(Judged::Another { near_misses: alike })
    }
}

impl EnrollPolicy {
    /// From which similarity on somebody else is worth a word.
    fn reported_at(&self) -> Option<f32> {
        self.duplicate_at.map(|similarity| similarity - self.near_miss_margin.max(0.0))
    }
}

/// Adds subjects with the best similarity of each. Of equals those before come first.
fn keep_best(best: &mut Alike, found: Vec<(Owner, Similarity)>) {
    for (Owner { subject, .. }, similarity) in found {
        match best.iter_mut().find(|(row, _)| *row == subject) {
            Some((_, held)) if *held < similarity => *held = similarity,
            Some(_) => {}
            None => best.push((subject, similarity)),
        }
    }
    best.sort_by(|a, b| b.1.value().total_cmp(&a.1.value()));
    best.truncate(1 + NEAR_MISSES);
}
