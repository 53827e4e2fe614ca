//! Transactions: each read sees one commit, each write is one commit with its head.

use std::collections::BTreeSet;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError, RwLock};
use std::time::Duration;

use rusqlite::{Connection, Row, ToSql, TransactionBehavior};

use super::format::{GalleryUid, Table};
use super::ledger::{Cell, Guard, Head};
use super::sqlite::{BUSY, connect, damaged, prepare_for_writes, sqlite};
use crate::error::{Error, ErrorKind, Result};

/// An open gallery file: one connection that reads, one that writes.
pub(super) struct Store {
    pub(super) path: PathBuf,
    guard: RwLock<Guard>,
    reader: Mutex<Link>,
    writer: Option<Mutex<Link>>,
}

/// A connection and what it saw last.
struct Link {
    conn: Connection,
    /// The last commit seen. A file whose head is older was put back.
    sequence: u64,
    /// SQLite's number for "somebody else committed", at that commit.
    version: Option<i64>,
}

impl Store {
    /// The file at `path`, whose keys are known, with every row verified.
    pub(super) fn open(path: &Path, writable: bool, guard: Guard) -> Result<Self> {
        let reader = Link::open(path, writable)?;
        {
            let tx = reader.conn.unchecked_transaction().map_err(sqlite)?;
            guard.verify(&tx)?;
        }
        let writer = if writable { Some(Mutex::new(Link::open(path, true)?)) } else { None };
        Ok(Self {
            path: path.to_owned(),
            guard: RwLock::new(guard),
            reader: Mutex::new(reader),
            writer,
        })
    }

    /// Runs `work` on one commit of the file: the last one.
    pub(super) fn read<T>(&self, work: impl FnOnce(&Snapshot<'_>) -> Result<T>) -> Result<T> {
        let mut link = lock(&self.reader);
        let guard = self.guard.read().unwrap_or_else(PoisonError::into_inner);
        let Link { conn, sequence, version } = &mut *link;
        let tx = conn.transaction().map_err(sqlite)?;
        // This statement begins the transaction: what follows sees the commit it saw.
        let seen: i64 =
            tx.query_row("PRAGMA data_version", [], |row| row.get(0)).map_err(sqlite)?;
        if *version != Some(seen) {
            *sequence = newer(guard.read(&tx)?.sequence, *sequence)?;
            *version = Some(seen);
        }
        work(&Snapshot { conn: &tx, gallery: guard.gallery, sequence: *sequence })
    }

    /// Runs `work` and commits what it did, durably, or nothing when it fails or did nothing.
    ///
    /// # Errors
    /// [`ErrorKind::Locked`] when another process writes and does not end in time,
    /// [`ErrorKind::InvalidArgument`] for a gallery opened for reading only, and those of `work`.
    pub(super) fn write<T>(&self, work: impl FnOnce(&mut Writer<'_>) -> Result<T>) -> Result<T> {
        let mut link = self.writer()?;
        let guard = self.guard.read().unwrap_or_else(PoisonError::into_inner);
        let Link { conn, sequence, .. } = &mut *link;
        let tx = conn.transaction_with_behavior(TransactionBehavior::Immediate).map_err(sqlite)?;
        let head = guard.read(&tx)?;
        *sequence = newer(head.sequence, *sequence)?;
        let mut writer = Writer::new(&tx, &guard, head);
        let done = work(&mut writer)?;
        if writer.changed {
            let committed = writer.finish()?;
            tx.commit().map_err(sqlite)?;
            *sequence = committed;
        }
        Ok(done)
    }

    /// Lets `work` replace every key in one commit. Readers of this process wait at its end, so that they see
    /// new rows with new keys or old rows with old keys. `adopt` runs while they wait.
    pub(super) fn replace_keys<T>(
        &self,
        work: impl FnOnce(&Connection, &Guard) -> Result<(Guard, T)>,
        adopt: impl FnOnce(T),
    ) -> Result<()> {
        let mut link = self.writer()?;
        let tx =
            link.conn.transaction_with_behavior(TransactionBehavior::Immediate).map_err(sqlite)?;
        let (guard, done) = {
            let guard = self.guard.read().unwrap_or_else(PoisonError::into_inner);
            work(&tx, &guard)?
        };
        let sequence = guard.read(&tx)?.sequence;
        let mut reader = lock(&self.reader);
        let mut held = self.guard.write().unwrap_or_else(PoisonError::into_inner);
        tx.commit().map_err(sqlite)?;
        *held = guard;
        adopt(done);
        drop(held);
        reader.version = None;
        drop(reader);
        link.sequence = sequence;
        Ok(())
    }

    /// Runs `work` on both connections' behalf while no call of this process uses them.
    pub(super) fn alone<T>(&self, work: impl FnOnce(&Connection) -> Result<T>) -> Result<T> {
        let link = self.writer()?;
        let _reader = lock(&self.reader);
        work(&link.conn)
    }

    /// Runs `work` on one commit with a connection of its own, so that long work holds nobody up.
    pub(super) fn aside<T>(
        &self,
        work: impl FnOnce(&Connection, &Guard) -> Result<T>,
    ) -> Result<T> {
        let conn = connect(&self.path, self.writer.is_some(), BUSY)?;
        let guard = self.guard.read().unwrap_or_else(PoisonError::into_inner);
        work(&conn, &guard)
    }

    pub(super) fn busy_timeout(&self, wait: Duration) -> Result<()> {
        if let Some(writer) = &self.writer {
            lock(writer).conn.busy_timeout(wait).map_err(sqlite)?;
        }
        lock(&self.reader).conn.busy_timeout(wait).map_err(sqlite)
    }

    pub(super) const fn is_writable(&self) -> bool {
        self.writer.is_some()
    }

    fn writer(&self) -> Result<MutexGuard<'_, Link>> {
        self.writer.as_ref().map(lock).ok_or_else(|| {
            Error::new(
                ErrorKind::InvalidArgument,
                "the gallery was opened for reading only; open it with Gallery::open to change it",
            )
        })
    }
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Store").field("path", &self.path).finish_non_exhaustive()
    }
}

impl Link {
    fn open(path: &Path, writable: bool) -> Result<Self> {
        let conn = connect(path, writable, BUSY)?;
        if writable {
            prepare_for_writes(&conn)?;
        }
        Ok(Self { conn, sequence: 0, version: None })
    }
}

/// A panic under the lock rolls its transaction back; what the lock guards is then as before.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn newer(found: u64, seen: u64) -> Result<u64> {
    if found >= seen {
        return Ok(found);
    }
    Err(damaged(format!("it went back from commit {seen} to {found} while it was open")))
}

/// One commit of the file.
#[derive(Clone, Copy)]
pub(super) struct Snapshot<'a> {
    pub(super) conn: &'a Connection,
    pub(super) gallery: GalleryUid,
    pub(super) sequence: u64,
}

/// A commit being made. All rows are written through it, so that the head cannot miss one.
pub(super) struct Writer<'a> {
    conn: &'a Connection,
    guard: &'a Guard,
    head: Head,
    touched: BTreeSet<(i64, i64)>,
    changed: bool,
}

impl<'a> Writer<'a> {
    pub(super) const fn new(conn: &'a Connection, guard: &'a Guard, head: Head) -> Self {
        Self { conn, guard, head, touched: BTreeSet::new(), changed: false }
    }

    /// The file as it is at this point of the transaction; its number is that of the commit before.
    pub(super) const fn snapshot(&self) -> Snapshot<'a> {
        Snapshot { conn: self.conn, gallery: self.guard.gallery, sequence: self.head.sequence }
    }

    /// A row id that no row ever had.
    pub(super) fn next_id(&mut self) -> Result<i64> {
        let id = i64::try_from(self.head.next).map_err(|_| damaged("it ran out of row ids"))?;
        self.head.next += 1;
        Ok(id)
    }

    /// Adds a row; the first cell is its id.
    pub(super) fn insert(&mut self, table: Table, cells: &[Cell<'_>]) -> Result<()> {
        let marks = vec!["?"; cells.len()].join(", ");
        let sql = format!("INSERT INTO {} VALUES ({marks})", table.name());
        let values: Vec<&dyn ToSql> = cells
            .iter()
            .map(|cell| match cell {
                Cell::Int(value) => value as &dyn ToSql,
                Cell::Bytes(bytes) => bytes as &dyn ToSql,
            })
            .collect();
        self.conn
            .prepare_cached(&sql)
            .and_then(|mut it| it.execute(&values[..]))
            .map_err(sqlite)?;
        self.head.hash.add(&self.guard.of_cells(table, cells));
        self.head.rows += 1;
        self.changed = true;
        Ok(())
    }

    /// Removes the row `id`.
    pub(super) fn remove(&mut self, table: Table, id: i64) -> Result<()> {
        let hash = self
            .conn
            .prepare_cached(&format!("SELECT * FROM {} WHERE id = ?", table.name()))
            .map_err(sqlite)?
            .query_row([id], |row: &Row<'_>| Ok(self.guard.of_stored(table, row)))
            .map_err(sqlite)??;
        self.conn
            .prepare_cached(&format!("DELETE FROM {} WHERE id = ?", table.name()))
            .and_then(|mut it| it.execute([id]))
            .map_err(sqlite)?;
        self.head.hash.subtract(&hash);
        self.head.rows = self
            .head
            .rows
            .checked_sub(1)
            .ok_or_else(|| damaged("it has more rows than counted"))?;
        self.changed = true;
        Ok(())
    }

    /// Puts another row in the place of one with the same id.
    pub(super) fn update(&mut self, table: Table, id: i64, cells: &[Cell<'_>]) -> Result<()> {
        self.remove(table, id)?;
        self.insert(table, cells)
    }

    /// Says that a subject is not what it was, to whoever holds it in memory.
    pub(super) fn touch(&mut self, tenant: i64, subject: i64) {
        self.touched.insert((tenant, subject));
    }

    /// Writes who changed and the head; gives the number of the commit.
    pub(super) fn finish(mut self) -> Result<u64> {
        self.head.sequence += 1;
        let sequence = integer(self.head.sequence)?;
        for (tenant, subject) in std::mem::take(&mut self.touched) {
            let cells = [Cell::Int(subject), Cell::Int(sequence), Cell::Int(tenant)];
            if ids(self.conn, "SELECT id FROM change WHERE id = ?", &[subject])?.is_empty() {
                self.insert(Table::Change, &cells)?;
            } else {
                self.update(Table::Change, subject, &cells)?;
            }
        }
        self.guard.write(self.conn, &self.head)?;
        Ok(self.head.sequence)
    }
}

/// The first column of all rows of a query, row ids.
pub(super) fn ids(conn: &Connection, sql: &str, parameters: &[i64]) -> Result<Vec<i64>> {
    let mut statement = conn.prepare_cached(sql).map_err(sqlite)?;
    let found = statement
        .query_map(rusqlite::params_from_iter(parameters), |row| row.get(0))
        .map_err(sqlite)?;
    found.collect::<rusqlite::Result<_>>().map_err(sqlite)
}

/// A count as SQLite keeps it.
pub(super) fn integer(value: u64) -> Result<i64> {
    i64::try_from(value).map_err(|_| damaged(format!("{value} is too large a count")))
}
