//! What is done to a gallery now and then: look at it, check it, shrink it, copy it.

use std::path::Path;
use std::time::SystemTime;

use rusqlite::Connection;

use super::ledger::Guard;
use super::record::{Counts, time_from_millis};
use super::roster::spaces;
use super::sqlite::{damaged, sqlite, version};
use super::store::Snapshot;
use super::{Gallery, SlotInfo, reserve, rings};
use crate::error::{Error, ErrorKind, Result};
use crate::id::SpaceId;

/// What is in a gallery, by numbers.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct GalleryInfo {
    /// The version of the file format.
    pub format: u16,
    /// When the gallery was made; milliseconds are kept.
    pub created_at: SystemTime,
    /// Commits so far.
    pub sequence: u64,
    /// Tenants.
    pub tenants: u64,
    /// Subjects of all tenants, expired ones too.
    pub subjects: u64,
    /// Templates of all tenants.
    pub templates: u64,
    /// The embedding spaces the gallery accepts, oldest first.
    pub spaces: Vec<SpaceId>,
    /// The ways in, oldest first.
    pub slots: Vec<SlotInfo>,
    /// Bytes of the file, without its write-ahead log.
    pub bytes: u64,
    /// Of these, bytes [`Gallery::compact`] would give back.
    pub free_bytes: u64,
}

impl Gallery {
    /// What is in the gallery, by numbers.
    ///
    /// # Errors
    /// [`ErrorKind::WrongKey`] when the gallery was rekeyed elsewhere, and [`ErrorKind::Integrity`].
    pub fn info(&self) -> Result<GalleryInfo> {
        let slots = self.slots()?;
        self.shared.store.read(|at| {
            let number = |sql: &str| {
                let value =
                    at.conn.query_row(sql, [], |row| row.get::<_, i64>(0)).map_err(sqlite)?;
                u64::try_from(value).map_err(|_| damaged(format!("{value} is no count")))
            };
            let created: i64 = at
                .conn
                .query_row("SELECT created FROM gallery", [], |row| row.get(0))
                .map_err(sqlite)?;
            let page = number("PRAGMA page_size")?;
            Ok(GalleryInfo {
                format: version(at.conn)?,
                created_at: time_from_millis(created),
                sequence: at.sequence,
                tenants: number("SELECT count(*) FROM tenant")?,
                subjects: number("SELECT count(*) FROM subject")?,
                templates: number("SELECT count(*) FROM template")?,
                spaces: spaces(at)?.into_iter().map(|(_, space)| space).collect(),
                slots,
                bytes: page * number("PRAGMA page_count")?,
                free_bytes: page * number("PRAGMA freelist_count")?,
            })
        })
    }

    /// Reads and opens everything there is: SQLite's own structure, the hash of all rows, every key, name, profile
    /// and template of every tenant. Takes about as long as opening the gallery and loading all tenants.
    ///
    /// # Errors
    /// [`ErrorKind::Integrity`] says what was found first; [`ErrorKind::WrongKey`] and [`ErrorKind::Io`].
    pub fn check(&self) -> Result<()> {
        self.shared.store.aside(|conn, guard| {
            let tx = conn.unchecked_transaction().map_err(sqlite)?;
            let verdict: String =
                tx.query_row("PRAGMA integrity_check(1)", [], |row| row.get(0)).map_err(sqlite)?;
            if verdict != "ok" {
                return Err(damaged(format!("SQLite says {verdict:?}")));
            }
            let head = guard.verify(&tx)?;
            let at = Snapshot { conn: &tx, gallery: guard.gallery, sequence: head.sequence };
            self.check_tenants(&at)
        })
    }

    /// Gives free space back and removes every byte of what was erased, from the file and its write-ahead log.
    /// Needs about the gallery's size on disk while it runs; readers go on, writers wait.
    ///
    /// # Errors
    /// [`ErrorKind::Locked`] when another process reads or writes for so long that its log could not be emptied: call
    /// it again; [`ErrorKind::Io`], and [`ErrorKind::InvalidArgument`] for a gallery opened for reading only.
    pub fn compact(&self) -> Result<()> {
        self.shared.store.alone(|conn| {
            conn.execute_batch("VACUUM").map_err(sqlite)?;
            let busy: i64 = conn
                .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0))
                .map_err(sqlite)?;
            if busy == 0 {
                return Ok(());
            }
            Err(Error::new(
                ErrorKind::Locked,
                "another process reads an older state of the gallery, and its log could not be emptied; \
                 compact again when it is done",
            ))
        })
    }

    /// Writes a copy of the gallery as it is now to `to`, compacted, while readers and writers go on. The
    /// copy is opened as the original is, and appears under its name when it is complete and on disk.
    ///
    /// # Errors
    /// [`ErrorKind::GalleryExists`] when there is a file at `to`, [`ErrorKind::Io`],
    /// [`ErrorKind::WrongKey`] and [`ErrorKind::Integrity`].
    pub fn backup(&self, to: impl AsRef<Path>) -> Result<()> {
        let to = to.as_ref();
        let mut partial = to.as_os_str().to_owned();
        partial.push(".partial");
        let partial = Path::new(&partial);
        reserve(to)?;
        let copied = reserve(partial).and_then(|()| {
            let copied = self.shared.store.aside(|conn, guard| copy(conn, guard, partial, to));
            copied.inspect_err(|_| drop(std::fs::remove_file(partial)))
        });
        copied.inspect_err(|_| drop(std::fs::remove_file(to)))
    }

    fn check_tenants(&self, at: &Snapshot<'_>) -> Result<()> {
        let keys = self.keys();
        let spaces = spaces(at)?;
        let mut total = Counts::default();
        for (ring, name) in rings(at, &keys.root)? {
            let name = ring.open_name(at, &name)?;
            if keys.root.tenant_tag(&name) != ring.tag {
                return Err(damaged(format!(
                    "tenant row {} has the tag of another name",
                    ring.row
                )));
            }
            let mut found = Counts::default();
            for row in ring.subject_rows(at)? {
                let person = ring.known_person(at, row)?;
                found.subjects += 1;
                found.templates += ring.templates(at, &person, &spaces)?.len() as u64;
            }
            let counted = ring.counts(at)?;
            if found != counted {
                return Err(damaged(format!(
                    "tenant row {} counts {} subjects and {} templates, there are {} and {}",
                    ring.row, counted.subjects, counted.templates, found.subjects, found.templates
                )));
            }
            total.subjects += found.subjects;
            total.templates += found.templates;
        }
        let rows = |sql| at.conn.query_row(sql, [], |row| row.get::<_, i64>(0)).map_err(sqlite);
        let subjects = rows("SELECT count(*) FROM subject")?;
        let templates = rows("SELECT count(*) FROM template")?;
        if u64::try_from(subjects) == Ok(total.subjects)
            && u64::try_from(templates) == Ok(total.templates)
        {
            return Ok(());
        }
        Err(damaged(format!(
            "{subjects} subjects and {templates} templates are stored, {} and {} belong to somebody",
            total.subjects, total.templates
        )))
    }
}

/// Copies one commit to the empty file `partial`, which becomes `to` when it is on disk.
fn copy(conn: &Connection, guard: &Guard, partial: &Path, to: &Path) -> Result<()> {
    // A gallery that was rekeyed or damaged meanwhile is not worth copying.
    guard.read(conn)?;
    let name = partial.to_str().ok_or_else(|| {
        Error::new(ErrorKind::InvalidArgument, "the path of a backup has to be UTF-8")
    })?;
    conn.execute("VACUUM INTO ?", [name]).map_err(sqlite)?;
    let failed = |error| {
        Error::with_source(ErrorKind::Io, format!("{} could not be written", to.display()), error)
    };
    let file = std::fs::OpenOptions::new().write(true).open(partial).map_err(failed)?;
    file.sync_all().map_err(failed)?;
    std::fs::rename(partial, to).map_err(failed)?;
    #[cfg(unix)]
    if let Some(folder) = to.parent() {
        let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
        std::fs::File::open(folder).and_then(|it| it.sync_all()).map_err(failed)?;
    }
    Ok(())
}
