//! Connections to SQLite: how they are set up, and what its errors mean here.

use std::path::Path;
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, OpenFlags};

use super::format;
use crate::error::{Error, ErrorKind, Result};

/// Milliseconds a call waits for another process's write to end, unless told otherwise.
pub(super) const BUSY: Duration = Duration::from_secs(5);

/// A connection to the file at `path`, which exists.
pub(super) fn connect(path: &Path, writable: bool, busy: Duration) -> Result<Connection> {
    let access =
        if writable { OpenFlags::SQLITE_OPEN_READ_WRITE } else { OpenFlags::SQLITE_OPEN_READ_ONLY };
    let conn = Connection::open_with_flags(path, access | OpenFlags::SQLITE_OPEN_NO_MUTEX)
        .map_err(sqlite)?;
    conn.busy_timeout(busy).map_err(sqlite)?;
    // A file that comes from elsewhere brings no code: no triggers, no views, no functions in its schema. And
    // plans do not depend on what is bound: each statement would be compiled anew for each row it is asked for.
    for (setting, on) in [
        (DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true),
        (DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true),
        (DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false),
        (DbConfig::SQLITE_DBCONFIG_ENABLE_TRIGGER, false),
        (DbConfig::SQLITE_DBCONFIG_ENABLE_VIEW, false),
    ] {
        conn.set_db_config(setting, on).map_err(sqlite)?;
    }
    conn.pragma_update(None, "cell_size_check", true).map_err(sqlite)?;
    Ok(conn)
}

/// Prepares a connection for writing. Only to be called on a file that is known to be a gallery, or empty: it
/// changes the header.
pub(super) fn prepare_for_writes(conn: &Connection) -> Result<()> {
    // The page size takes effect in an empty file only, and before the journal is chosen.
    conn.pragma_update(None, "page_size", format::PAGE_BYTES).map_err(sqlite)?;
    let journal: String = conn
        .pragma_update_and_check(None, "journal_mode", "wal", |row| row.get(0))
        .map_err(sqlite)?;
    if journal != "wal" {
        return Err(Error::new(
            ErrorKind::Io,
            format!(
                "the file system keeps no write-ahead log (SQLite chose {journal:?}); put the gallery on \
                 a local disk"
            ),
        ));
    }
    conn.pragma_update(None, "synchronous", "full").map_err(sqlite)?;
    conn.pragma_update(None, "fullfsync", true).map_err(sqlite)?;
    conn.pragma_update(None, "checkpoint_fullfsync", true).map_err(sqlite)?;
    conn.pragma_update_and_check(None, "secure_delete", true, |_| Ok(())).map_err(sqlite)
}

/// What an error of SQLite means to a caller. Its texts name tables and columns, never values.
pub(super) fn sqlite(error: rusqlite::Error) -> Error {
    let code = error.sqlite_error_code();
    match code {
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Error::new(
            ErrorKind::Locked,
            "the gallery is locked by another writer; try again, or wait longer with busy_timeout",
        ),
        Some(
            ErrorCode::CannotOpen
            | ErrorCode::DiskFull
            | ErrorCode::PermissionDenied
            | ErrorCode::ReadOnly
            | ErrorCode::SystemIoFailure
            | ErrorCode::OutOfMemory
            | ErrorCode::FileLockingProtocolFailed,
        ) => Error::with_source(ErrorKind::Io, "the gallery file could not be used", error),
        Some(ErrorCode::ApiMisuse | ErrorCode::InternalMalfunction) => {
            Error::with_source(ErrorKind::Internal, "a query of the gallery is wrong", error)
        }
        Some(ErrorCode::NotADatabase) => Error::with_source(
            ErrorKind::Integrity,
            "the file is no gallery, or its first bytes are damaged; check the path, or restore a backup",
            error,
        ),
        // Queries are fixed and the schema was checked: what is left is a file that is not what it was.
        _ => Error::with_source(ErrorKind::Integrity, "the gallery file is damaged", error),
    }
}

/// The gallery is not as its keys left it.
pub(super) fn damaged(what: impl std::fmt::Display) -> Error {
    Error::new(
        ErrorKind::Integrity,
        format!("the gallery is damaged or was tampered with: {what}; restore a backup"),
    )
}

/// The format the file says it is of.
pub(super) fn version(conn: &Connection) -> Result<u16> {
    let found: i64 = conn
        .prepare_cached("PRAGMA user_version")
        .and_then(|mut it| it.query_row([], |row| row.get(0)))
        .map_err(sqlite)?;
    let known = u16::try_from(found).ok().filter(|it| (1..=format::VERSION).contains(it));
    known.ok_or_else(|| {
        Error::new(
            ErrorKind::GalleryVersion,
            format!(
                "the gallery has format {found}, this version of faceprint reads 1 to {}; update it",
                format::VERSION
            ),
        )
    })
}

/// Reads application and format of the file, and compares the schema word by word.
pub(super) fn check_format(conn: &Connection) -> Result<u16> {
    let application: i64 =
        conn.pragma_query_value(None, "application_id", |row| row.get(0)).map_err(sqlite)?;
    if application != i64::from(format::APPLICATION_ID) {
        return Err(Error::new(
            ErrorKind::GalleryVersion,
            format!(
                "the file is no gallery (application id {application:#x}, expected {:#x}); if its \
                 creation was interrupted, delete it and create it again",
                format::APPLICATION_ID
            ),
        ));
    }
    let version = version(conn)?;
    let mut expected: Vec<_> = format::schema(version).collect();
    let mut statement = conn.prepare("SELECT name, sql FROM sqlite_schema").map_err(sqlite)?;
    let mut found = statement.query([]).map_err(sqlite)?;
    while let Some(row) = found.next().map_err(sqlite)? {
        let (name, sql): (String, Option<String>) =
            (row.get(0).map_err(sqlite)?, row.get(1).map_err(sqlite)?);
        let entry = (name.as_str(), sql.as_deref().unwrap_or_default());
        let at = expected.iter().position(|expected| **expected == entry);
        expected.swap_remove(at.ok_or_else(|| damaged("its schema is another"))?);
    }
    match expected.first() {
        None => Ok(version),
        Some((name, _)) => Err(damaged(format!("{name} is missing from its schema"))),
    }
}
