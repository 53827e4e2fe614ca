//! Where imported people came from, and in which version: what makes bundles idempotent, and lets them arrive in
//! any order.

use rusqlite::{OptionalExtension, Row};

use super::format::{GalleryUid, Table};
use super::ledger::Cell;
use super::sqlite::sqlite;
use super::store::{Snapshot, Writer};
use crate::error::Result;

/// A tenant of another gallery: the gallery's 16 bytes, then the tenant's row (i64).
pub(super) type Source = [u8; 24];

pub(super) fn source(gallery: GalleryUid, tenant: i64) -> Source {
    let mut source = [0; 24];
    source[..16].copy_from_slice(&gallery);
    source[16..].copy_from_slice(&tenant.to_be_bytes());
    source
}

/// The version of a person: the greater one wins, whenever it arrives. Nothing is greater than an erasure with the
/// same commit, which is valid for ever.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Version {
    /// The commit of the source.
    pub(super) sequence: i64,
    /// When the bundle's time is over, milliseconds since 1970 UTC; [`FOREVER`] for an erasure.
    pub(super) valid_until: i64,
}

pub(super) const FOREVER: i64 = i64::MAX;

impl Version {
    pub(super) const fn erased(sequence: i64) -> Self {
        Self { sequence, valid_until: FOREVER }
    }
}

/// What is known of a source's subject.
#[derive(Clone, Copy, Debug)]
pub(super) struct Origin {
    pub(super) source: Source,
    /// The subject's row in the source.
    pub(super) subject: i64,
    pub(super) version: Version,
    /// Their row here; 0 for somebody who was erased, or whose time is over.
    pub(super) local: i64,
}

/// Why a local row goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// They were erased here: this version of them does not come back.
    Erased,
    /// Their time is over: the same version may come back with more of it.
    Expired,
}

/// What `tenant` knows of `subject` of `source`.
pub(super) fn find(
    at: &Snapshot<'_>,
    tenant: i64,
    source: &Source,
    subject: i64,
) -> Result<Option<Origin>> {
    at.conn
        .prepare_cached(&format!("{SELECT} WHERE tenant = ? AND source = ? AND subject = ?"))
        .and_then(|mut it| {
            it.query_row(rusqlite::params![tenant, &source[..], subject], from_row).optional()
        })
        .map_err(sqlite)
}

/// Where the subject in row `local` came from; none for somebody who was enrolled here.
pub(super) fn of_local(at: &Snapshot<'_>, local: i64) -> Result<Option<Origin>> {
    at.conn
        .prepare_cached(&format!("{SELECT} WHERE local = ?"))
        .and_then(|mut it| it.query_row([local], from_row).optional())
        .map_err(sqlite)
}

/// Writes what `tenant` knows, in place of what it knew.
pub(super) fn put(writer: &mut Writer<'_>, tenant: i64, origin: &Origin) -> Result<()> {
    let conn = writer.snapshot().conn;
    let held: Option<i64> = conn
        .prepare_cached("SELECT id FROM origin WHERE tenant = ? AND source = ? AND subject = ?")
        .and_then(|mut it| {
            let key = rusqlite::params![tenant, &origin.source[..], origin.subject];
            it.query_row(key, |row| row.get(0)).optional()
        })
        .map_err(sqlite)?;
    let id = match held {
        Some(id) => {
            writer.remove(Table::Origin, id)?;
            id
        }
        None => writer.next_id()?,
    };
    writer.insert(
        Table::Origin,
        &[
            Cell::Int(id),
            Cell::Int(tenant),
            Cell::Bytes(&origin.source),
            Cell::Int(origin.subject),
            Cell::Int(origin.version.sequence),
            Cell::Int(origin.version.valid_until),
            Cell::Int(origin.local),
        ],
    )
}

/// Notes that the subject in row `local` goes, if it was imported.
pub(super) fn release(writer: &mut Writer<'_>, tenant: i64, local: i64, fate: Fate) -> Result<()> {
    let Some(mut origin) = of_local(&writer.snapshot(), local)? else { return Ok(()) };
    origin.local = 0;
    if fate == Fate::Erased {
        origin.version = Version::erased(origin.version.sequence);
    }
    put(writer, tenant, &origin)
}

/// The expiry of the subject in row `local`, who was perhaps imported: never later than the bundle's.
pub(super) fn cap(at: &Snapshot<'_>, local: i64, expires: Option<i64>) -> Result<Option<i64>> {
    let Some(origin) = of_local(at, local)? else { return Ok(expires) };
    let until = origin.version.valid_until;
    Ok(Some(expires.map_or(until, |expires| expires.min(until))))
}

const SELECT: &str = "SELECT source, subject, sequence, valid_until, local FROM origin";

fn from_row(row: &Row<'_>) -> rusqlite::Result<Origin> {
    Ok(Origin {
        source: row.get(0)?,
        subject: row.get(1)?,
        version: Version { sequence: row.get(2)?, valid_until: row.get(3)? },
        local: row.get(4)?,
    })
}
