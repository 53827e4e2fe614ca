//! Embedding spaces: which there are, who is in which, and how a gallery moves from one model to the next.

use super::format::Table;
use super::ledger::Cell;
use super::roster::spaces;
use super::sqlite::{damaged, sqlite};
use super::store::{Snapshot, ids};
use super::tenant::Tenant;
use super::{Gallery, rings};
use crate::error::{Error, ErrorKind, Result};
use crate::id::SpaceId;

/// How far a gallery, or a tenant, has come into an embedding space. People whose time is over count until they
/// are purged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SpaceReport {
    /// The space.
    pub space: SpaceId,
    /// Subjects with a template in it.
    pub subjects: u64,
    /// Subjects without one: a probe of this space does not find them.
    pub lacking: u64,
    /// Templates in it.
    pub templates: u64,
}

/// What [`Gallery::remove_space`] does about subjects who have templates in that space only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "they hold it up or they do not")]
pub enum Stranded {
    /// The space stays while there are any.
    Refuse,
    /// They stay enrolled without a template, and nobody finds them by their face until they are enrolled again.
    Keep,
}

impl Gallery {
    /// The embedding spaces the gallery accepts, oldest first, and how many subjects of all tenants are in
    /// each. Counted, not decrypted.
    ///
    /// # Errors
    /// [`ErrorKind::WrongKey`] and [`ErrorKind::Integrity`].
    pub fn spaces(&self) -> Result<Vec<SpaceReport>> {
        self.shared.store.read(|at| report(at, None))
    }

    /// Accepts templates of `space` too, beside those there are. A probe meets templates of its own space only.
    ///
    /// # Errors
    /// [`ErrorKind::Locked`], [`ErrorKind::WrongKey`] and [`ErrorKind::Integrity`].
    pub fn add_space(&self, space: SpaceId) -> Result<()> {
        self.shared.store.write(|writer| {
            if spaces(&writer.snapshot())?.iter().any(|(_, accepted)| *accepted == space) {
                return Ok(());
            }
            let row = writer.next_id()?;
            writer.insert(Table::Space, &[Cell::Int(row), Cell::Bytes(space.as_bytes())])
        })
    }

    /// Accepts `space` no more, and removes the templates in it, of all tenants, in one commit.
    ///
    /// # Errors
    /// [`ErrorKind::SpaceMismatch`] for a space the gallery does not accept, [`ErrorKind::InvalidArgument`] for the last
    /// one, and when subjects would be [stranded](Stranded); [`ErrorKind::Locked`], [`ErrorKind::WrongKey`] and
    /// [`ErrorKind::Integrity`].
    pub fn remove_space(&self, space: SpaceId, stranded: Stranded) -> Result<()> {
        self.shared.store.write(|writer| {
            let at = writer.snapshot();
            let accepted = spaces(&at)?;
            let Some((row, _)) = accepted.iter().find(|(_, accepted)| *accepted == space) else {
                return Err(Error::new(
                    ErrorKind::SpaceMismatch,
                    format!("space {space:.8} is none of the gallery's {}", accepted.len()),
                ));
            };
            if accepted.len() == 1 {
                return Err(Error::new(
                    ErrorKind::InvalidArgument,
                    "1 embedding space is left, and a gallery has one at least; add another first",
                ));
            }
            let only = count(
                &at,
                "SELECT count(DISTINCT subject) FROM template t WHERE space = ?1 AND NOT EXISTS \
                 (SELECT 1 FROM template o WHERE o.tenant = t.tenant AND o.subject = t.subject \
                 AND o.space <> ?1)",
                &[*row],
            )?;
            if only > 0 && stranded == Stranded::Refuse {
                return Err(Error::new(
                    ErrorKind::InvalidArgument,
                    format!(
                        "{only} subjects have templates in space {space:.8} only; enrol them in another, erase \
                         them, or keep them without (Stranded::Keep)"
                    ),
                ));
            }
            for (ring, _) in rings(&at, &self.keys().root)? {
                let place = [ring.row, *row];
                let sql = "SELECT DISTINCT subject FROM template WHERE tenant = ? AND space = ?";
                for subject in ids(at.conn, sql, &place)? {
                    writer.touch(ring.row, subject);
                }
                let sql = "SELECT id FROM template WHERE tenant = ? AND space = ?";
                let templates = ids(at.conn, sql, &place)?;
                for template in &templates {
                    writer.remove(Table::Template, *template)?;
                }
                let mut counts = ring.counts(&at)?;
                counts.templates = counts.templates.saturating_sub(templates.len() as u64);
                ring.set_counts(writer, counts)?;
            }
            writer.remove(Table::Space, *row)
        })
    }
}

impl Tenant {
    /// [`Gallery::spaces`] of this tenant alone.
    ///
    /// # Errors
    /// Those of [`identify`](Self::identify).
    pub fn spaces(&self) -> Result<Vec<SpaceReport>> {
        self.store.read(|at| report(at, Some(self.state.ring(at)?.row)))
    }
}

fn report(at: &Snapshot<'_>, tenant: Option<i64>) -> Result<Vec<SpaceReport>> {
    let all = tenant.map_or_else(
        || count(at, "SELECT count(*) FROM subject", &[]),
        |row| count(at, "SELECT count(*) FROM subject WHERE tenant = ?", &[row]),
    )?;
    // Answered from the index by subject alone.
    let sql = "SELECT space, count(DISTINCT subject), count(*) FROM template \
               WHERE ?1 IS NULL OR tenant = ?1 GROUP BY space";
    let mut statement = at.conn.prepare_cached(sql).map_err(sqlite)?;
    let found: Vec<(i64, i64, i64)> = statement
        .query_map([tenant], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
        .and_then(Iterator::collect)
        .map_err(sqlite)?;
    let reports = spaces(at)?.into_iter().map(|(row, space)| {
        let (_, subjects, templates) =
            found.iter().find(|(it, ..)| *it == row).copied().unwrap_or_default();
        let (subjects, templates) = (whole(subjects)?, whole(templates)?);
        let lacking = all.checked_sub(subjects).ok_or_else(|| {
            damaged(format!("{subjects} subjects have templates, {all} are enrolled"))
        })?;
        Ok(SpaceReport { space, subjects, lacking, templates })
    });
    reports.collect()
}

fn count(at: &Snapshot<'_>, sql: &str, parameters: &[i64]) -> Result<u64> {
    let mut statement = at.conn.prepare_cached(sql).map_err(sqlite)?;
    let parameters = rusqlite::params_from_iter(parameters);
    statement.query_row(parameters, |row| row.get(0)).map_err(sqlite).and_then(whole)
}

fn whole(count: i64) -> Result<u64> {
    u64::try_from(count).map_err(|_| damaged(format!("{count} is no count")))
}
