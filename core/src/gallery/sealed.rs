//! What a gallery shares with other sealed files: an SQLite file that an [`Access`] opens.

use std::path::Path;

use rusqlite::{Connection, OptionalExtension, TransactionBehavior, params};

use super::access::Access;
use super::keys::unlock;
use super::sqlite::{BUSY, connect, prepare_for_writes, sqlite};
use crate::crypto::{Key, random};
use crate::error::{Error, ErrorKind, Result};

/// A kind of file that is no gallery.
#[derive(Debug)]
pub(crate) struct Format {
    /// What messages call it.
    pub(crate) name: &'static str,
    /// SQLite's `application_id`.
    pub(crate) application: i32,
    /// SQLite's `user_version`.
    pub(crate) version: i32,
    /// Its own entries of `sqlite_schema`: name and text.
    pub(crate) schema: &'static [(&'static str, &'static str)],
}

/// Entries of `sqlite_schema` that every such file has.
const SHARED: &[(&str, &str)] = &[
    ("file", "CREATE TABLE file (id INTEGER PRIMARY KEY, uid BLOB NOT NULL)"),
    (
        "slot",
        "CREATE TABLE slot (id INTEGER PRIMARY KEY, kind INTEGER NOT NULL, parameters BLOB NOT NULL, \
         wrapped BLOB NOT NULL)",
    ),
];

/// An open file.
pub(crate) struct SealedFile {
    pub(crate) conn: Connection,
    /// What names it: a part of the associated data of whatever is sealed in it.
    pub(crate) uid: [u8; 16],
    /// The key above all others of the file.
    pub(crate) root: Key,
}

impl Format {
    /// Makes a file that only its owner reads, where there is none.
    pub(crate) fn create(&self, path: &Path, access: &Access) -> Result<SealedFile> {
        super::reserve(path)?;
        self.fill(path, access).map_err(|error| error.about(self.name)).inspect_err(|_| {
            // What cannot be removed is no such file, and opening it says so.
            let _ = std::fs::remove_file(path);
        })
    }

    /// Opens a file that is there.
    pub(crate) fn open(&self, path: &Path, access: &Access) -> Result<SealedFile> {
        if !path.is_file() {
            return Err(Error::new(
                ErrorKind::GalleryNotFound,
                format!("there is no {} at {}; create it first", self.name, path.display()),
            ));
        }
        self.unlock(path, access).map_err(|error| error.about(self.name))
    }

    fn fill(&self, path: &Path, access: &Access) -> Result<SealedFile> {
        let (uid, root) = (random()?, Key::generate()?);
        let slot = access.prepare()?.seal(&uid, 1, &root)?;
        let mut conn = connect(path, true, BUSY)?;
        prepare_for_writes(&conn)?;
        let tx = conn.transaction_with_behavior(TransactionBehavior::Immediate).map_err(sqlite)?;
        tx.pragma_update(None, "application_id", self.application).map_err(sqlite)?;
        tx.pragma_update(None, "user_version", self.version).map_err(sqlite)?;
        for (_, sql) in SHARED.iter().chain(self.schema) {
            tx.execute(sql, []).map_err(sqlite)?;
        }
        tx.execute("INSERT INTO file VALUES (1, ?)", [&uid[..]]).map_err(sqlite)?;
        let row = params![slot.id, slot.kind as i64, slot.parameters, slot.wrapped];
        tx.execute("INSERT INTO slot VALUES (?, ?, ?, ?)", row).map_err(sqlite)?;
        tx.commit().map_err(sqlite)?;
        Ok(SealedFile { conn, uid, root })
    }

    fn unlock(&self, path: &Path, access: &Access) -> Result<SealedFile> {
        let conn = connect(path, true, BUSY)?;
        self.check(&conn)?;
        prepare_for_writes(&conn)?;
        let uid: Option<[u8; 16]> = conn
            .query_row("SELECT uid FROM file WHERE id = 1", [], |row| row.get(0))
            .optional()
            .map_err(sqlite)?;
        let uid = uid.ok_or_else(|| self.wrong("its first row is missing"))?;
        let (root, _) = unlock(&conn, &uid, access)?;
        Ok(SealedFile { conn, uid, root })
    }

    /// Reads application and version, and compares the schema word by word.
    fn check(&self, conn: &Connection) -> Result<()> {
        let number = |pragma| -> Result<i32> {
            conn.pragma_query_value(None, pragma, |row| row.get(0)).map_err(sqlite)
        };
        let (application, version) = (number("application_id")?, number("user_version")?);
        if (application, version) != (self.application, self.version) {
            return Err(Error::new(
                ErrorKind::GalleryVersion,
                format!(
                    "the file has application id {application:#x} and format {version}, expected {:#x} and {}; \
                     if its creation was interrupted, delete it and create it again",
                    self.application, self.version
                ),
            ));
        }
        let mut statement = conn.prepare("SELECT name, sql FROM sqlite_schema").map_err(sqlite)?;
        let mut rows = statement.query([]).map_err(sqlite)?;
        let mut expected: Vec<_> = SHARED.iter().chain(self.schema).collect();
        while let Some(row) = rows.next().map_err(sqlite)? {
            let name: String = row.get(0).map_err(sqlite)?;
            let sql: Option<String> = row.get(1).map_err(sqlite)?;
            let entry = (name.as_str(), sql.as_deref().unwrap_or_default());
            let at = expected.iter().position(|expected| **expected == entry);
            expected.swap_remove(at.ok_or_else(|| self.wrong("its schema is another"))?);
        }
        if expected.is_empty() { Ok(()) } else { Err(self.wrong("its schema is incomplete")) }
    }

    fn wrong(&self, what: &str) -> Error {
        Error::new(ErrorKind::Integrity, format!("the {} is damaged: {what}", self.name))
    }
}

/// What an error of SQLite means for a file called `name`.
pub(crate) fn sql_error(name: &str) -> impl Fn(rusqlite::Error) -> Error + '_ {
    move |error| sqlite(error).about(name)
}
