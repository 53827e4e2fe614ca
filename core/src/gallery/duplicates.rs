//! One person under several names: everybody in a tenant compared with everybody else.

use std::collections::HashMap;

use super::roster::Roster;
use super::tenant::Tenant;
use crate::error::Result;
use crate::id::SubjectId;
use crate::index::{BATCH, Index, Read, Search, Values};
use crate::vector::Similarity;

impl Tenant {
    /// Pairs of subjects whose most similar templates are similar by `at_least` or more, most similar first; in a
    /// pair, the one enrolled first comes first. Only templates of one space are compared; expired people are left out.
    /// `progress` is told how many of how many subjects are done.
    ///
    /// 64 templates share a pass over the tenant, and enrolments may come between two passes: a pair is
    /// found when both are there throughout. The time grows with the square of the number of templates.
    /// All pairs are held in memory: with a threshold far below a pack's, those are many.
    ///
    /// # Errors
    /// Those of [`identify`](Self::identify).
    pub fn find_duplicates(
        &self,
        at_least: f32,
        mut progress: impl FnMut(usize, usize),
    ) -> Result<Vec<(SubjectId, SubjectId, Similarity)>> {
        let now = self.now()?;
        let mut subjects: Vec<(i64, usize)> = {
            let roster = self.state.current(&self.store)?;
            let alive = roster.everyone().filter(|known| !known.is_expired(now));
            alive.map(|known| (known.row, known.templates.len())).collect()
        };
        subjects.sort_unstable();
        let (mut pairs, mut done, mut left) = (Vec::new(), 0, subjects.as_slice());
        while !left.is_empty() {
            let (these, others) = left.split_at(first_batch(left));
            left = others;
            // Not held from pass to pass: who wants to enrol meanwhile waits for one pass only.
            let found = self.state.search(&self.store, |roster, read| {
                let found = self::pairs(roster, these, at_least, now, read)?;
                let named = found.into_iter().filter_map(|(row, other, similarity)| {
                    let (one, other) = (roster.alive(row, now)?, roster.alive(other, now)?);
                    Some((one.id.clone(), other.id.clone(), similarity))
                });
                Ok(named.collect::<Vec<_>>())
            })?;
            pairs.extend(found);
            done += these.len();
            progress(done, subjects.len());
        }
        pairs.sort_by(|a, b| {
            let similar = b.2.value().total_cmp(&a.2.value());
            similar.then_with(|| (&a.0, &a.1).cmp(&(&b.0, &b.1)))
        });
        Ok(pairs)
    }
}

/// How many subjects have about as many templates as share a scan.
fn first_batch(subjects: &[(i64, usize)]) -> usize {
    let mut templates = 0;
    let fits = |(_, count): &&(i64, usize)| {
        templates += count;
        templates <= BATCH
    };
    subjects.iter().take_while(fits).count().max(1)
}

/// Pairs of one of `subjects` and one with a higher row.
fn pairs(
    roster: &Roster,
    subjects: &[(i64, usize)],
    at_least: f32,
    now: i64,
    read: Read<'_>,
) -> Result<Vec<(i64, i64, Similarity)>> {
    let mut best: HashMap<(i64, i64), Similarity> = HashMap::new();
    for index in roster.indexes() {
        for (row, other, similarity) in pairs_in(index, roster, subjects, (at_least, now), read)? {
            let held = best.entry((row, other)).or_insert(similarity);
            if *held < similarity {
                *held = similarity;
            }
        }
    }
    Ok(best.into_iter().map(|((row, other), similarity)| (row, other, similarity)).collect())
}

fn pairs_in(
    index: &Index,
    roster: &Roster,
    subjects: &[(i64, usize)],
    (at_least, now): (f32, i64),
    read: Read<'_>,
) -> Result<Vec<(i64, i64, Similarity)>> {
    let (mut rows, mut values) = (Vec::new(), Vec::new());
    for (row, _) in subjects {
        values.extend(index.vectors_of(*row, read)?);
        rows.resize(values.len(), *row);
    }
    let vectors: Vec<_> = values.iter().map(Values::as_slice).collect();
    let search = Search {
        at_least,
        allowed: &|at, other| other > rows[at] && roster.alive(other, now).is_some(),
        ..Search::top(usize::MAX)
    };
    let found = index.search_by(&vectors, &search, read)?;
    let pairs = rows.iter().zip(found).flat_map(|(row, found)| {
        found.into_iter().map(|(owner, similarity)| (*row, owner.subject, similarity))
    });
    Ok(pairs.collect())
}
