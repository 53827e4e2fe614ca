//! The head: how many commits and rows, and a keyed hash of all rows, kept up to date by each commit.

use rusqlite::types::ValueRef;
use rusqlite::{Connection, OptionalExtension, Row};
use zeroize::Zeroizing;

use super::format::{GalleryUid, Kind, LABEL_HEAD, LABEL_ROWS, Place, Table};
use super::sqlite::{damaged, sqlite, version};
use crate::crypto::{Key, Mac, SEAL_OVERHEAD, derive, open, seal};
use crate::error::{Error, ErrorKind, Result};

/// A value of a row.
#[derive(Clone, Copy, Debug)]
pub(super) enum Cell<'a> {
    Int(i64),
    Bytes(&'a [u8]),
}

/// What guards the rows of a gallery between two rekeys.
#[derive(Debug)]
pub(super) struct Guard {
    pub(super) gallery: GalleryUid,
    pub(super) epoch: i64,
    head: Key,
    rows: Mac,
}

impl Guard {
    pub(super) fn new(root: &Key, gallery: GalleryUid, epoch: i64) -> Result<Self> {
        let head = derive(root, LABEL_HEAD)?;
        let rows = Mac::new(&derive(root, LABEL_ROWS)?);
        Ok(Self { gallery, epoch, head, rows })
    }

    /// The head of the file as `conn` sees it.
    ///
    /// # Errors
    /// [`ErrorKind::WrongKey`] when the gallery was rekeyed since it was opened,
    /// [`ErrorKind::Integrity`] when the head is not one of these keys.
    pub(super) fn read(&self, conn: &Connection) -> Result<Head> {
        let epoch: Option<i64> = conn
            .prepare_cached("SELECT epoch FROM gallery WHERE id = 1")
            .and_then(|mut it| it.query_row([], |row| row.get(0)).optional())
            .map_err(sqlite)?;
        match epoch {
            Some(epoch) if epoch == self.epoch => {}
            Some(epoch) if epoch > self.epoch => {
                return Err(Error::new(
                    ErrorKind::WrongKey,
                    "the gallery was rekeyed since it was opened; open it again",
                ));
            }
            _ => return Err(damaged("its epoch went back")),
        }
        let sealed: Option<Vec<u8>> = conn
            .prepare_cached("SELECT sealed FROM head WHERE id = 1")
            .and_then(|mut it| it.query_row([], |row| row.get(0)).optional())
            .map_err(sqlite)?;
        let aad = Place::gallery(Kind::Head, self.epoch).aad(&self.gallery);
        sealed
            .and_then(|sealed| open(&self.head, &aad, &sealed))
            .and_then(|plain| Head::from_bytes(&plain))
            .ok_or_else(|| damaged("its head does not open"))
    }

    pub(super) fn write(&self, conn: &Connection, head: &Head) -> Result<()> {
        let aad = Place::gallery(Kind::Head, self.epoch).aad(&self.gallery);
        let sealed = seal(&self.head, &aad, &head.to_bytes())?;
        conn.prepare_cached("INSERT OR REPLACE INTO head VALUES (1, ?)")
            .and_then(|mut it| it.execute([sealed]))
            .map_err(sqlite)?;
        Ok(())
    }

    /// Number and hash of the rows that are there.
    pub(super) fn count(&self, conn: &Connection) -> Result<(u64, RowHash)> {
        let (mut count, mut hash) = (0, RowHash::default());
        for table in Table::all(version(conn)?) {
            let sql = format!("SELECT * FROM {} NOT INDEXED", table.name());
            let mut statement = conn.prepare(&sql).map_err(sqlite)?;
            let mut rows = statement.query([]).map_err(sqlite)?;
            while let Some(row) = rows.next().map_err(sqlite)? {
                hash.add(&self.of_stored(table, row)?);
                count += 1;
            }
        }
        Ok((count, hash))
    }

    /// Whether the rows that are there are those the head speaks of.
    pub(super) fn verify(&self, conn: &Connection) -> Result<Head> {
        let head = self.read(conn)?;
        let (rows, hash) = self.count(conn)?;
        if rows != head.rows {
            return Err(damaged(format!("it has {rows} rows, its head says {}", head.rows)));
        }
        if hash != head.hash {
            return Err(damaged(format!("its {rows} rows are not those of its head")));
        }
        Ok(head)
    }

    pub(super) fn of_cells(&self, table: Table, cells: &[Cell<'_>]) -> RowHash {
        let mut mac = self.begin(table);
        for (cell, column) in cells.iter().zip(table.columns()) {
            update(&mut mac, *cell, column.ends_with('*'));
        }
        RowHash::from_mac(mac)
    }

    pub(super) fn of_stored(&self, table: Table, row: &Row<'_>) -> Result<RowHash> {
        let mut mac = self.begin(table);
        for (index, column) in table.columns().iter().enumerate() {
            let cell = match row.get_ref(index).map_err(sqlite)? {
                ValueRef::Integer(value) => Cell::Int(value),
                ValueRef::Blob(bytes) => Cell::Bytes(bytes),
                _ => return Err(damaged(format!("{}.{column} has another type", table.name()))),
            };
            update(&mut mac, cell, column.ends_with('*'));
        }
        Ok(RowHash::from_mac(mac))
    }

    /// What a [`HeadToken`](super::HeadToken) carries of `head`: nothing that helps whoever reads it.
    pub(super) fn digest(head: &Head) -> [u8; 16] {
        let plain = head.to_bytes();
        let tag = Mac::new(&Key::from_array(&head.token_key)).tag(&[&plain[..HEAD_BYTES - 32]]);
        std::array::from_fn(|at| tag[at])
    }

    fn begin(&self, table: Table) -> Mac {
        let mut mac = self.rows.clone();
        mac.update(table.name().as_bytes());
        mac
    }
}

fn update(mac: &mut Mac, cell: Cell<'_>, sealed: bool) {
    match cell {
        Cell::Int(value) => {
            mac.update(b"i");
            mac.update(&value.to_be_bytes());
        }
        Cell::Bytes(bytes) => {
            mac.update(b"b");
            mac.update(&(bytes.len() as u64).to_be_bytes());
            if sealed && bytes.len() > SEAL_OVERHEAD {
                mac.update(&bytes[..24]);
                mac.update(&bytes[bytes.len() - 16..]);
            } else {
                mac.update(bytes);
            }
        }
    }
}

const HEAD_BYTES: usize = 8 * 7 + 32;

/// What the head row holds.
#[derive(Clone)]
pub(super) struct Head {
    /// Commits so far.
    pub(super) sequence: u64,
    /// Rows in all tables but `head`.
    pub(super) rows: u64,
    /// The next row id.
    pub(super) next: u64,
    /// The hash of those rows.
    pub(super) hash: RowHash,
    /// What tokens are made with; it outlives rekeys.
    pub(super) token_key: Zeroizing<[u8; 32]>,
}

impl Head {
    fn to_bytes(&self) -> Zeroizing<Vec<u8>> {
        let mut bytes = Zeroizing::new(Vec::with_capacity(HEAD_BYTES));
        for value in [self.sequence, self.rows, self.next].iter().chain(&self.hash.0) {
            bytes.extend_from_slice(&value.to_be_bytes());
        }
        bytes.extend_from_slice(&self.token_key[..]);
        bytes
    }

    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (numbers, token_key) = bytes.split_last_chunk::<32>()?;
        let (numbers, []) = numbers.as_chunks::<8>() else { return None };
        let &[sequence, rows, next, a, b, c, d] = numbers else { return None };
        Some(Self {
            sequence: u64::from_be_bytes(sequence),
            rows: u64::from_be_bytes(rows),
            next: u64::from_be_bytes(next),
            hash: RowHash([a, b, c, d].map(u64::from_be_bytes)),
            token_key: Zeroizing::new(*token_key),
        })
    }
}

/// A sum of keyed hashes: of one row, or of many in any order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct RowHash([u64; 4]);

impl RowHash {
    fn from_mac(mac: Mac) -> Self {
        let tag = mac.finish();
        let lane = |at: usize| u64::from_be_bytes(std::array::from_fn(|byte| tag[8 * at + byte]));
        Self(std::array::from_fn(lane))
    }

    pub(super) fn add(&mut self, other: &Self) {
        for (lane, other) in self.0.iter_mut().zip(other.0) {
            *lane = lane.wrapping_add(other);
        }
    }

    pub(super) fn subtract(&mut self, other: &Self) {
        for (lane, other) in self.0.iter_mut().zip(other.0) {
            *lane = lane.wrapping_sub(other);
        }
    }
}
