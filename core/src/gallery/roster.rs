//! What a process holds of a tenant in memory: who is enrolled, and the vectors to search.

use std::collections::HashMap;
use std::fmt;
use std::sync::{PoisonError, RwLock, RwLockReadGuard};

use super::changes::touched_since;
use super::record::Counts;
use super::ring::Ring;
use super::sqlite::{damaged, sqlite};
use super::store::{Snapshot, Store};
use crate::error::{Error, ErrorKind, Result};
use crate::id::{SpaceId, SubjectId, TemplateId};
use crate::index::{Index, Memory, Owner};

/// A tenant as all handles of this process share it.
pub(super) struct TenantState {
    pub(super) ring: RwLock<Ring>,
    pub(super) memory: Memory,
    roster: RwLock<Roster>,
}

impl TenantState {
    pub(super) fn new(ring: Ring, memory: Memory) -> Self {
        let roster = Roster { memory, ..Roster::default() };
        Self { ring: RwLock::new(ring), memory, roster: RwLock::new(roster) }
    }

    /// What is enrolled at the last commit. Searching it holds up neither readers nor writers of the file.
    pub(super) fn current(&self, store: &Store) -> Result<RwLockReadGuard<'_, Roster>> {
        loop {
            store.read(|at| self.at(at, |_, _| Ok(())))?;
            let roster = self.roster.read().unwrap_or_else(PoisonError::into_inner);
            // Another thread's failure to refresh may have come between.
            if roster.sequence.is_some() {
                return Ok(roster);
            }
        }
    }

    /// The tenant's keys at the commit `at`, for work that needs nobody in memory.
    ///
    /// # Errors
    /// [`ErrorKind::TenantNotFound`] when the tenant was erased.
    pub(super) fn ring(&self, at: &Snapshot<'_>) -> Result<RwLockReadGuard<'_, Ring>> {
        let ring = self.ring.read().unwrap_or_else(PoisonError::into_inner);
        ring.counts(at)?;
        Ok(ring)
    }

    /// Runs `work` on the vectors of `space`, if any are in memory.
    #[cfg(feature = "hnsw")]
    pub(super) fn with_index(&self, space: SpaceId, work: &mut dyn FnMut(&Index)) {
        let roster = self.roster.read().unwrap_or_else(PoisonError::into_inner);
        roster.indexes.get(&space).into_iter().for_each(work);
    }

    #[cfg(all(test, feature = "hnsw"))]
    pub(super) fn with_indexes(&self, work: impl FnMut(&mut Index)) {
        let mut roster = self.roster.write().unwrap_or_else(PoisonError::into_inner);
        roster.indexes.values_mut().for_each(work);
    }

    /// Runs `work` on what is enrolled at `at`, or at a later commit that was already read.
    pub(super) fn at<T>(
        &self,
        at: &Snapshot<'_>,
        work: impl FnOnce(&Ring, &Roster) -> Result<T>,
    ) -> Result<T> {
        let ring = self.ring.read().unwrap_or_else(PoisonError::into_inner);
        let is_current = |it: &Roster| it.sequence.is_some_and(|sequence| sequence >= at.sequence);
        loop {
            {
                let roster = self.roster.read().unwrap_or_else(PoisonError::into_inner);
                if is_current(&roster) {
                    return work(&ring, &roster);
                }
            }
            let mut roster = self.roster.write().unwrap_or_else(PoisonError::into_inner);
            if !is_current(&roster) {
                roster.refresh(at, &ring)?;
            }
        }
    }
}

impl fmt::Debug for TenantState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TenantState(..)")
    }
}

/// The subjects of a tenant at one commit. Expired ones are here too, and are passed over when asked.
#[derive(Default)]
pub(super) struct Roster {
    /// The commit; none while nothing, or only a part, is loaded.
    sequence: Option<u64>,
    memory: Memory,
    pub(super) spaces: Vec<(i64, SpaceId)>,
    subjects: HashMap<i64, Known>,
    rows: HashMap<SubjectId, i64>,
    indexes: HashMap<SpaceId, Index>,
    templates: u64,
}

/// A subject in memory.
pub(super) struct Known {
    pub(super) row: i64,
    pub(super) id: SubjectId,
    pub(super) expires: Option<i64>,
    pub(super) templates: Vec<(TemplateId, SpaceId)>,
}

impl Known {
    pub(super) fn is_expired(&self, now: i64) -> bool {
        self.expires.is_some_and(|expires| expires <= now)
    }
}

impl Roster {
    /// Whether this is what the tenant was at the commit `at`.
    pub(super) fn is_of(&self, at: &Snapshot<'_>) -> bool {
        self.sequence == Some(at.sequence)
    }

    /// The subject, expired or not.
    pub(super) fn any(&self, id: &SubjectId) -> Option<&Known> {
        self.rows.get(id).and_then(|row| self.subjects.get(row))
    }

    /// The subject, unless it expired.
    ///
    /// # Errors
    /// [`ErrorKind::SubjectNotFound`].
    pub(super) fn find(&self, id: &SubjectId, now: i64) -> Result<&Known> {
        self.any(id).filter(|known| !known.is_expired(now)).ok_or_else(not_enrolled)
    }

    /// The subject in row `row`, unless it expired.
    pub(super) fn alive(&self, row: i64, now: i64) -> Option<&Known> {
        self.subjects.get(&row).filter(|known| !known.is_expired(now))
    }

    /// All subjects, expired ones too, in no order.
    pub(super) fn everyone(&self) -> impl Iterator<Item = &Known> {
        self.subjects.values()
    }

    /// The vectors of every space.
    pub(super) fn indexes(&self) -> impl Iterator<Item = &Index> {
        self.indexes.values()
    }

    /// The row of `space` and its vectors, if there are any yet.
    ///
    /// # Errors
    /// [`ErrorKind::SpaceMismatch`] when the gallery does not accept the space.
    pub(super) fn space(&self, space: SpaceId) -> Result<(i64, Option<&Index>)> {
        let row = self.spaces.iter().find(|(_, accepted)| *accepted == space).map(|(row, _)| *row);
        let row = row.ok_or_else(|| {
            Error::new(
                ErrorKind::SpaceMismatch,
                format!(
                    "the template is of space {space:.8}, the gallery accepts {} others; embed with the \
                     gallery's pack, or accept another space with Gallery::add_space",
                    self.spaces.len()
                ),
            )
        })?;
        Ok((row, self.indexes.get(&space)))
    }

    /// Brings this to the commit `at`. When it fails, the next call loads everything again.
    fn refresh(&mut self, at: &Snapshot<'_>, ring: &Ring) -> Result<()> {
        let known = self.sequence.take();
        let memory = self.memory;
        let counts = ring.counts(at).inspect_err(|_| *self = Self { memory, ..Self::default() })?;
        self.spaces = spaces(at)?;
        let changed = known.map(|known| touched_since(at, ring.row, known)).transpose()?;
        match changed.flatten() {
            Some(changed) => {
                // A name may have moved from one row to another: first all go, then all come.
                for row in &changed {
                    self.forget(*row);
                }
                for row in changed {
                    self.load(at, ring, row)?;
                }
            }
            None => {
                let spaces = std::mem::take(&mut self.spaces);
                *self = Self { memory, spaces, ..Self::default() };
                for row in ring.subject_rows(at)? {
                    self.load(at, ring, row)?;
                }
            }
        }
        let found = Counts { subjects: self.subjects.len() as u64, templates: self.templates };
        if found != counts {
            return Err(damaged(format!(
                "tenant row {} counts {} subjects and {} templates, there are {} and {}",
                ring.row, counts.subjects, counts.templates, found.subjects, found.templates
            )));
        }
        self.sequence = Some(at.sequence);
        Ok(())
    }

    fn forget(&mut self, row: i64) {
        let Some(known) = self.subjects.remove(&row) else { return };
        self.rows.remove(&known.id);
        self.templates -= known.templates.len() as u64;
        for (template, space) in &known.templates {
            if let Some(index) = self.indexes.get_mut(space) {
                index.remove(template);
            }
        }
    }

    /// Loads the subject in row `row`, unless it was erased.
    fn load(&mut self, at: &Snapshot<'_>, ring: &Ring, row: i64) -> Result<()> {
        let Some(person) = ring.person(at, row)? else { return Ok(()) };
        let mut templates = Vec::new();
        for stored in ring.templates(at, &person, &self.spaces)? {
            let embedding = &stored.record.embedding;
            let index = self
                .indexes
                .entry(stored.space)
                .or_insert_with(|| Index::with_memory(embedding.dimension(), self.memory));
            let owner = Owner { subject: row, template: stored.record.id };
            index.insert(owner, embedding).map_err(damaged)?;
            templates.push((stored.record.id, stored.space));
        }
        let id = person.id()?;
        self.templates += templates.len() as u64;
        self.rows.insert(id.clone(), row);
        let known = Known { row, id, expires: person.profile.expires, templates };
        self.subjects.insert(row, known);
        Ok(())
    }
}

/// The embedding spaces the gallery accepts, by row.
pub(super) fn spaces(at: &Snapshot<'_>) -> Result<Vec<(i64, SpaceId)>> {
    let mut statement =
        at.conn.prepare_cached("SELECT id, space FROM space ORDER BY id").map_err(sqlite)?;
    let mut rows = statement.query([]).map_err(sqlite)?;
    let mut spaces = Vec::new();
    while let Some(row) = rows.next().map_err(sqlite)? {
        let bytes: [u8; 32] = row.get(1).map_err(sqlite)?;
        spaces.push((row.get(0).map_err(sqlite)?, SpaceId::from_bytes(bytes)));
    }
    Ok(spaces)
}

pub(super) fn not_enrolled() -> Error {
    Error::new(
        ErrorKind::SubjectNotFound,
        "the subject is not enrolled in this tenant, was erased, or has expired",
    )
}
