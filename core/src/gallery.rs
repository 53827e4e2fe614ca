//! People in one encrypted file: many tenants, nothing readable, nothing lost.
//!
//! # In short
//! ```no_run
//! use faceprint::{Access, Enrollment, Gallery, Query, SpaceId, SubjectId, Template};
//!
//! # fn example(space: SpaceId, template: Template, probe: Template) -> faceprint::Result<()> {
//! // The space is the pack's: `pack.space()`. What `enroll` returned is on disk.
//! let gallery = Gallery::create("staff.faceprint", &Access::passphrase("correct horse"), space)?;
//! let acme = gallery.tenant(&"acme".parse()?)?;
//! let alice: SubjectId = "alice".parse()?;
//! match acme.enroll(&alice, &template)? {
//!     Enrollment::Added { template } => println!("stored {template}"),
//!     Enrollment::Duplicate { of, similarity } => println!("already {of} ({similarity})"),
//! }
//! for hit in acme.identify(&probe, &Query::top(3).at_least(0.4))? {
//!     println!("{} {}", hit.subject, hit.similarity);
//! }
//! acme.erase(&alice)?;
//! # Ok(())
//! # }
//! ```
//!
//! # Several processes
//! The file is an SQLite database with a write-ahead log. Any number of processes read it while one writes;
//! each call sees all commits made before it. A second writer waits, for five seconds unless
//! [`busy_timeout`](Gallery::busy_timeout) says otherwise, and then gets
//! [`Locked`](crate::ErrorKind::Locked). The file must be on a local disk: network file systems do not lock
//! as SQLite needs it. Reading needs write access to the folder, for SQLite's shared memory.
//!
//! # Keys
//! | key | made | opens | is found |
//! |---|---|---|---|
//! | access | a passphrase through Argon2id, 32 bytes, or a [`KeyProvider`] | its slot | nowhere in the file |
//! | root | at random, by [`create`](Gallery::create) and [`rekey`](Gallery::rekey) | tenant keys, the head, the tags of tenants | in each slot, sealed by its access key |
//! | tenant | at random, one per tenant | subject keys, the tags of subjects, the tenant's name | in the tenant's row, sealed by the root |
//! | subject | at random, one per subject | templates, id, metadata, consent, expiry | in the subject's row, sealed by the tenant key |
//!
//! [`rotate_key`](Gallery::rotate_key) makes another slot around the same root: it is immediate, and it is what
//! to do when a passphrase is to be changed. [`rekey`](Gallery::rekey) makes every key anew and seals
//! everything again: it is what to do when a key may have been *seen*. Every sealed value is bound to its place
//! ([`format`](mod@format)), and a keyed hash over all rows, verified by [`open`](Gallery::open), tells when one is missing.
//!
//! # What this protects against, and what not
//! A template is a face: pictures that pass for the person can be computed from it. A table of plain templates is
//! therefore a table of faces, and this file is made for whoever gets hold of it.
//!
//! - **Who has the file, and no key,** sees how many tenants, subjects and templates there are, which belong together,
//!   when commits were made relative to one another, the embedding spaces, the sizes of metadata in
//!   steps of 64 bytes, and nothing else. Guessing a passphrase costs 64 MiB and three passes a guess; a weak
//!   one is guessed all the same.
//! - **Who changes the file** is found out: a row that was changed, moved, added, taken out or put back is an
//!   [`Integrity`](crate::ErrorKind::Integrity) error at the next opening, or at the call that meets it, never a wrong
//!   answer. A process that has people in memory already reads only what the file lists as changed; hiding a change
//!   from it, while it runs, is found out when the gallery is next opened. Putting the *whole* file back to an earlier state needs no key and leaves no trace in it: keep
//!   [`head`](Gallery::head) somewhere else and hand it to [`check_head`](Gallery::check_head).
//! - **Who has a copy of the file from before an erasure, and today's passphrase,** has the erased person: the old copy
//!   holds its keys under the old access key. A bare passphrase or key cannot change that; nor can
//!   `rotate_key`, since the root stays. With a [`KeyProvider`] it can be changed: let the provider make a new
//!   key, [`rekey`](Gallery::rekey) with it, and destroy the provider's old key. Nothing opens the old copy then.
//! - **Erased bytes** are overwritten in the file (`secure_delete`) and are gone from the log and from free pages after
//!   [`compact`](Gallery::compact). Solid-state disks and snapshots keep what they like; the erased bytes they
//!   keep are sealed under a key that was erased with them.
//! - **Who reads the process's memory** while a gallery is open sees keys and templates. They are wiped when the last
//!   handle goes; copies in swap, in core dumps or by the caller are beyond this library.
//! - **Tenants** share a file and a root key. Their handles cannot see, match or infer one another; but whoever
//!   can open the gallery can open each of them.

mod access;
mod duplicates;
mod enroll;
pub mod format;
mod head;
mod keys;
mod ledger;
mod record;
mod rekey;
mod ring;
mod roster;
mod slots;
mod sqlite;
mod store;
mod tenant;
mod upkeep;

use std::collections::HashMap;
use std::fmt;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError, RwLock, Weak};
use std::time::{Duration, SystemTime};

use rusqlite::{OptionalExtension, TransactionBehavior};
use zeroize::Zeroizing;

pub use self::access::{Access, KeyProvider, SlotId, SlotKind};
pub use self::enroll::{EnrollPolicy, Enrollment, Erased};
use self::format::{GalleryUid, Table, Tag, tag_from_bytes};
pub use self::head::HeadToken;
use self::keys::{RootKeys, TenantKeys, unlock};
use self::ledger::{Cell, Guard, Head, RowHash};
use self::record::{Counts, millis_from_time};
use self::ring::Ring;
use self::roster::{TenantState, spaces};
pub use self::slots::SlotInfo;
use self::sqlite::{BUSY, check_format, connect, damaged, prepare_for_writes, sqlite};
use self::store::{Snapshot, Store, Writer, ids};
use self::tenant::Clock;
pub use self::tenant::{Details, StoredTemplate, Subject, Tenant};
pub use self::upkeep::GalleryInfo;
use crate::crypto::{Key, random};
use crate::error::{Error, ErrorKind, Result};
use crate::id::{SpaceId, TenantId};
use crate::matcher::IndexKind;

/// An open gallery. Cheap to clone and usable from several threads; all handles of a clone share what they
/// hold in memory. See the [module](self) for what it is and what it protects.
#[derive(Clone)]
pub struct Gallery {
    shared: Arc<Shared>,
    clock: Clock,
}

struct Shared {
    store: Arc<Store>,
    keys: RwLock<Opened>,
    tenants: Mutex<HashMap<i64, Weak<TenantState>>>,
}

/// The keys, and the slot they were reached through.
struct Opened {
    root: RootKeys,
    slot: i64,
}

impl Gallery {
    /// Makes a gallery at `path`, readable by its owner only, that `access` opens and that accepts templates
    /// of `space`.
    ///
    /// # Errors
    /// [`ErrorKind::GalleryExists`] when there is a file already, [`ErrorKind::InvalidArgument`] for an empty
    /// passphrase, [`ErrorKind::KeyProvider`] and [`ErrorKind::Io`].
    pub fn create(path: impl AsRef<Path>, access: &Access, space: SpaceId) -> Result<Self> {
        let path = path.as_ref();
        reserve(path)?;
        Self::fill(path, access, space).inspect_err(|_| {
            for ending in ["", "-wal", "-shm"] {
                let mut name = path.as_os_str().to_owned();
                name.push(ending);
                // What cannot be removed is no gallery, and opening it says so.
                let _ = std::fs::remove_file(name);
            }
        })
    }

    /// Opens the gallery at `path` and verifies that every row is there and is what it was.
    ///
    /// # Errors
    /// [`ErrorKind::GalleryNotFound`], [`ErrorKind::WrongKey`], [`ErrorKind::Integrity`],
    /// [`ErrorKind::GalleryVersion`], [`ErrorKind::KeyProvider`] and [`ErrorKind::Io`].
    pub fn open(path: impl AsRef<Path>, access: &Access) -> Result<Self> {
        Self::unlock(path.as_ref(), access, true)
    }

    /// [`open`](Self::open) without the possibility to change anything.
    ///
    /// # Errors
    /// Those of [`open`](Self::open).
    pub fn open_read_only(path: impl AsRef<Path>, access: &Access) -> Result<Self> {
        Self::unlock(path.as_ref(), access, false)
    }

    /// The same gallery with another clock, for the times of enrolment and for expiry. Tenants asked of it use
    /// the clock too. The default is the system's.
    #[must_use]
    pub fn with_clock(mut self, clock: impl Fn() -> SystemTime + Send + Sync + 'static) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// How long calls wait while another process writes. The default is 5 seconds.
    ///
    /// # Errors
    /// [`ErrorKind::Io`] when SQLite refuses.
    pub fn busy_timeout(&self, wait: Duration) -> Result<()> {
        self.shared.store.busy_timeout(wait)
    }

    /// The tenant `id`, which is made if it is not there yet and the gallery can be written.
    ///
    /// # Errors
    /// [`ErrorKind::TenantNotFound`] in a gallery opened for reading only, [`ErrorKind::Locked`],
    /// [`ErrorKind::WrongKey`] and [`ErrorKind::Integrity`].
    pub fn tenant(&self, id: &TenantId) -> Result<Tenant> {
        let found = self.shared.store.read(|at| self.find_tenant(at, id))?;
        let state = match found {
            Some(state) => state,
            None if !self.shared.store.is_writable() => return Err(no_tenant()),
            None => {
                self.shared.store.write(|writer| self.make_tenant(writer, id))?;
                let found = self.shared.store.read(|at| self.find_tenant(at, id))?;
                found.ok_or_else(no_tenant)?
            }
        };
        Ok(Tenant {
            id: id.clone(),
            store: Arc::clone(&self.shared.store),
            state,
            policy: EnrollPolicy::default(),
            kind: IndexKind::Exact,
            clock: Arc::clone(&self.clock),
        })
    }

    /// The tenants there are, in order of their names' bytes.
    ///
    /// # Errors
    /// [`ErrorKind::WrongKey`] and [`ErrorKind::Integrity`].
    pub fn tenants(&self) -> Result<Vec<TenantId>> {
        let mut names = self.shared.store.read(|at| {
            let keys = self.keys();
            let rings = rings(at, &keys.root)?;
            rings
                .into_iter()
                .map(|(ring, name)| ring.open_name(at, &name))
                .collect::<Result<Vec<_>>>()
        })?;
        names.sort_unstable();
        Ok(names)
    }

    /// Forgets a tenant with everybody in it, in one commit. Handles of it find it no more.
    ///
    /// # Errors
    /// [`ErrorKind::TenantNotFound`], [`ErrorKind::Locked`], [`ErrorKind::WrongKey`] and
    /// [`ErrorKind::Integrity`].
    pub fn erase_tenant(&self, id: &TenantId) -> Result<Erased> {
        let tag = self.keys().root.tenant_tag(id);
        self.shared.store.write(|writer| {
            let conn = writer.snapshot().conn;
            let (row, _) = tenant_row(&writer.snapshot(), tag)?.ok_or_else(no_tenant)?;
            let templates = ids(conn, "SELECT id FROM template WHERE tenant = ?", &[row])?;
            let subjects = ids(conn, "SELECT id FROM subject WHERE tenant = ?", &[row])?;
            for template in &templates {
                writer.remove(Table::Template, *template)?;
            }
            for subject in &subjects {
                writer.remove(Table::Subject, *subject)?;
            }
            writer.remove(Table::Tenant, row)?;
            Ok(Erased { subjects: subjects.len() as u64, templates: templates.len() as u64 })
        })
    }

    /// The embedding spaces the gallery accepts, oldest first.
    ///
    /// # Errors
    /// [`ErrorKind::WrongKey`] and [`ErrorKind::Integrity`].
    pub fn spaces(&self) -> Result<Vec<SpaceId>> {
        let spaces = self.shared.store.read(spaces)?;
        Ok(spaces.into_iter().map(|(_, space)| space).collect())
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

    /// Fills the empty file at `path`, in one transaction.
    fn fill(path: &Path, access: &Access, space: SpaceId) -> Result<Self> {
        let slot = access.prepare()?;
        let mut conn = connect(path, true, BUSY)?;
        prepare_for_writes(&conn)?;
        let gallery: GalleryUid = random()?;
        let root = Key::generate()?;
        let guard = Guard::new(&root, gallery, 0)?;
        let created = millis_from_time(SystemTime::now())?;
        let tx = conn.transaction_with_behavior(TransactionBehavior::Immediate).map_err(sqlite)?;
        tx.pragma_update(None, "application_id", format::APPLICATION_ID).map_err(sqlite)?;
        tx.pragma_update(None, "user_version", format::VERSION).map_err(sqlite)?;
        for (_, sql) in format::SCHEMA {
            tx.execute(sql, []).map_err(sqlite)?;
        }
        let token_key = Zeroizing::new(random()?);
        let head = Head { sequence: 0, rows: 0, next: 1, hash: RowHash::default(), token_key };
        let mut writer = Writer::new(&tx, &guard, head);
        let row = writer.next_id()?;
        let cells = [Cell::Int(row), Cell::Bytes(&gallery), Cell::Int(0), Cell::Int(created)];
        writer.insert(Table::Gallery, &cells)?;
        let row = writer.next_id()?;
        writer.insert(Table::Space, &[Cell::Int(row), Cell::Bytes(space.as_bytes())])?;
        let slot = slots::insert(&mut writer, slot, &root)?;
        writer.finish()?;
        tx.commit().map_err(sqlite)?;
        drop(conn);
        Self::assemble(path, true, gallery, guard, root, slot)
    }

    fn unlock(path: &Path, access: &Access, writable: bool) -> Result<Self> {
        if !path.is_file() {
            return Err(Error::new(
                ErrorKind::GalleryNotFound,
                format!("there is no gallery at {}; create it first", path.display()),
            ));
        }
        let conn = connect(path, writable, BUSY)?;
        check_format(&conn)?;
        let (gallery, epoch): (GalleryUid, i64) = conn
            .query_row("SELECT gallery, epoch FROM gallery WHERE id = 1", [], |row| {
                Ok((row.get(0)?, row.get(1)?))
            })
            .optional()
            .map_err(sqlite)?
            .ok_or_else(|| damaged("its first row is missing"))?;
        let (root, slot) = unlock(&conn, &gallery, access)?;
        drop(conn);
        let guard = Guard::new(&root, gallery, epoch)?;
        Self::assemble(path, writable, gallery, guard, root, slot)
    }

    fn assemble(
        path: &Path,
        writable: bool,
        gallery: GalleryUid,
        guard: Guard,
        root: Key,
        slot: i64,
    ) -> Result<Self> {
        let keys = RwLock::new(Opened { root: RootKeys::new(root, gallery)?, slot });
        let store = Arc::new(Store::open(path, writable, guard)?);
        let shared = Shared { store, keys, tenants: Mutex::default() };
        Ok(Self { shared: Arc::new(shared), clock: Arc::new(SystemTime::now) })
    }

    fn keys(&self) -> std::sync::RwLockReadGuard<'_, Opened> {
        self.shared.keys.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// The tenant as all handles share it, if it is in the file.
    fn find_tenant(&self, at: &Snapshot<'_>, id: &TenantId) -> Result<Option<Arc<TenantState>>> {
        let keys = self.keys();
        let tag = keys.root.tenant_tag(id);
        let Some((row, wrapped)) = tenant_row(at, tag)? else { return Ok(None) };
        let mut tenants = self.shared.tenants.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(state) = tenants.get(&row).and_then(Weak::upgrade) {
            return Ok(Some(state));
        }
        let ring = Ring { row, tag, keys: keys.root.unwrap_tenant(row, tag, &wrapped)? };
        let state = Arc::new(TenantState::new(ring));
        tenants.retain(|_, state| state.strong_count() > 0);
        tenants.insert(row, Arc::downgrade(&state));
        Ok(Some(state))
    }

    fn make_tenant(&self, writer: &mut Writer<'_>, id: &TenantId) -> Result<()> {
        let keys = self.keys();
        let tag = keys.root.tenant_tag(id);
        if tenant_row(&writer.snapshot(), tag)?.is_some() {
            return Ok(());
        }
        let ring = Ring { row: writer.next_id()?, tag, keys: TenantKeys::generate()? };
        let at = writer.snapshot();
        writer.insert(
            Table::Tenant,
            &[
                Cell::Int(ring.row),
                Cell::Bytes(&tag),
                Cell::Bytes(&keys.root.wrap_tenant(ring.row, tag, &ring.keys)?),
                Cell::Bytes(&ring.seal_name(&at, id)?),
                Cell::Bytes(&ring.seal_counts(&at, Counts::default())?),
            ],
        )
    }
}

impl fmt::Debug for Gallery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Gallery").field("path", &self.shared.store.path).finish_non_exhaustive()
    }
}

/// Makes an empty file that only its owner reads, where there is none.
fn reserve(path: &Path) -> Result<()> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(path) {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Err(Error::new(
            ErrorKind::GalleryExists,
            format!(
                "there is a file at {} already; open it, or choose another path",
                path.display()
            ),
        )),
        Err(error) => Err(Error::with_source(
            ErrorKind::Io,
            format!("{} could not be made", path.display()),
            error,
        )),
    }
}

/// Row and sealed key of the tenant with `tag`.
fn tenant_row(at: &Snapshot<'_>, tag: Tag) -> Result<Option<(i64, Vec<u8>)>> {
    at.conn
        .prepare_cached("SELECT id, key FROM tenant WHERE tag = ?")
        .and_then(|mut it| {
            it.query_row([&tag[..]], |row| Ok((row.get(0)?, row.get(1)?))).optional()
        })
        .map_err(sqlite)
}

/// The keys of all tenants, each with its sealed name.
fn rings(at: &Snapshot<'_>, root: &RootKeys) -> Result<Vec<(Ring, Vec<u8>)>> {
    let mut statement =
        at.conn.prepare("SELECT id, tag, key, name FROM tenant ORDER BY id").map_err(sqlite)?;
    let mut rows = statement.query([]).map_err(sqlite)?;
    let mut rings = Vec::new();
    while let Some(found) = rows.next().map_err(sqlite)? {
        let row: i64 = found.get(0).map_err(sqlite)?;
        let tag: Vec<u8> = found.get(1).map_err(sqlite)?;
        let tag = tag_from_bytes(&tag)?;
        let wrapped: Vec<u8> = found.get(2).map_err(sqlite)?;
        let keys = root.unwrap_tenant(row, tag, &wrapped)?;
        rings.push((Ring { row, tag, keys }, found.get(3).map_err(sqlite)?));
    }
    Ok(rings)
}

fn no_tenant() -> Error {
    Error::new(
        ErrorKind::TenantNotFound,
        "the gallery has no such tenant; a gallery opened for writing makes it",
    )
}
