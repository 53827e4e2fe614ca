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
//!     Enrollment::Added { template, .. } => println!("stored {template}"),
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
//! ([`manual::format`](mod@crate::manual::format)), and a keyed hash over all rows, verified by [`open`](Gallery::open), tells
//! when one is missing. What all this protects against, and what not, is on a [page of its own](crate::manual::threats).
//!
//! # Copies elsewhere
//! A worker that mirrors a tenant into another database asks [`changes_since`](Tenant::changes_since) for who changed after
//! its [`Cursor`]. Each person is in the list once, with what became of them last, the erased as well: a worker
//! that slept for a year misses nothing, and one that begins at the start reads as many entries as there ever
//! were people. [`SubjectRef`] names an enrolment for ever, and is the key to keep rows under.
//!
//! # Bundles: some people, on a device, for a time
//! ```no_run
//! use std::time::{Duration, SystemTime};
//!
//! use faceprint::gallery::{BundleRequest, DeviceKey, SignerKey};
//! use faceprint::{Gallery, SubjectId, Tenant};
//!
//! # fn example(device: Gallery, office: Gallery, school: Tenant, class: Vec<SubjectId>) -> faceprint::Result<()> {
//! // Once: the keys are exchanged, as text, over a way that is trusted.
//! let to: DeviceKey = device.device_key()?.to_string().parse()?;
//! let from: SignerKey = office.signer().to_string().parse()?;
//!
//! // In the office, before the lesson: the 50 of 5,000.
//! let tonight = SystemTime::now() + Duration::from_secs(12 * 3_600);
//! let bundle = school.export_bundle(&BundleRequest::new(to, tonight).only(&class))?;
//!
//! // On the device, which brings them in and finds them like its own.
//! let room = device.tenant(&"room 12".parse()?)?;
//! let imported = room.import_bundle(&bundle.bytes, &from)?;
//! println!("{} came, {} went", imported.added, imported.erased);
//!
//! // Later: what changed since, the erased included.
//! let delta = school.export_bundle(&BundleRequest::new(to, tonight).since(bundle.cursor))?;
//! # Ok(())
//! # }
//! ```
//!
//! Bundles may be lost, and arrive late, twice, or in any order: of each person the device keeps the version of the
//! office's latest commit that it has seen. When every delta has arrived, or one bundle in full, the device is as the
//! office was. A bundle in full carries the marks of all who were ever erased, so it makes good whatever was lost.
//! Whoever leaves the roster, but not the office, stays on the device until the time of their last bundle is over.
//! [`rotate_key`](Gallery::rotate_key) keeps both public keys; [`rekey`](Gallery::rekey) makes others.
//!
//! An office whose *file* was restored from a backup counts its commits from there again, and devices take what it then
//! says for old. Erase the tenant on the devices and import in full.
//!
//! # From one model to the next
//! Templates of two models do not compare. A gallery holds both while it lasts:
//! [`add_space`](Gallery::add_space) accepts the new model's; whoever is next seen is enrolled in it with one call of
//! [`enroll`](Tenant::enroll), beside what they have; and [`spaces`](Gallery::spaces) counts who still lacks it. A probe meets
//! templates of its own space only: until then, look for people with both embedders. When nobody lacks the new
//! space, [`remove_space`](Gallery::remove_space) removes the old one. Vectors that another system kept in Fernet tokens
//! come in through [`fernet`](crate::fernet).

mod access;
mod bundle;
mod changes;
mod duplicates;
mod enroll;
mod export;
mod format;
mod head;
mod identity;
mod import;
mod keys;
mod ledger;
mod memory;
mod origin;
mod payload;
mod record;
mod rekey;
mod ring;
mod roster;
pub(crate) mod sealed;
mod slots;
mod spaces;
mod sqlite;
mod store;
mod template;
mod tenant;
mod upgrade;
mod upkeep;

use std::collections::HashMap;
use std::fmt;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError, RwLock, Weak};
use std::time::{Duration, SystemTime};

use rusqlite::{OptionalExtension, TransactionBehavior};
use zeroize::Zeroizing;

pub use self::access::{Access, KeyProvider, SlotId, SlotKind};
#[cfg(fuzzing)]
#[doc(hidden)]
pub use self::bundle::fuzz_bundle;
pub use self::bundle::{Bundle, BundleRequest, Imported};
pub use self::changes::{Change, Changes, Cursor, SubjectRef};
pub use self::enroll::{EnrollPolicy, Enrollment, Erased};
use self::format::{GalleryUid, Table, Tag, tag_from_bytes};
pub use self::head::HeadToken;
use self::identity::Identity;
pub use self::identity::{DeviceKey, SignerKey};
use self::keys::{RootKeys, TenantKeys, unlock};
use self::ledger::{Cell, Guard, Head, RowHash};
pub use self::memory::Memory;
use self::record::{Counts, millis_from_time};
use self::ring::Ring;
use self::roster::TenantState;
pub use self::slots::SlotInfo;
pub use self::spaces::{SpaceReport, Stranded};
use self::sqlite::{BUSY, check_format, connect, damaged, prepare_for_writes, sqlite};
use self::store::{Snapshot, Store, Writer, ids};
pub use self::template::{NewTemplate, StoredTemplate};
use self::tenant::Clock;
pub use self::tenant::{Details, Subject, Tenant};
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
    memory: Memory,
    clock: Clock,
}

struct Shared {
    store: Arc<Store>,
    keys: RwLock<Opened>,
    tenants: Mutex<HashMap<(i64, Memory), Weak<TenantState>>>,
    identity: Arc<RwLock<Identity>>,
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

    /// Opens the gallery at `path` and verifies that every row is there and is what it was. A file of format 1 is
    /// upgraded, in one transaction; versions of this library that do not know format 2 cannot open it then.
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
            identity: Arc::clone(&self.shared.identity),
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
            for table in [Table::Change, Table::Origin] {
                let sql = format!("SELECT id FROM {} WHERE tenant = ?", table.name());
                for known in ids(conn, &sql, &[row])? {
                    writer.remove(table, known)?;
                }
            }
            writer.remove(Table::Tenant, row)?;
            Ok(Erased { subjects: subjects.len() as u64, templates: templates.len() as u64 })
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
        for (_, sql) in format::schema(format::VERSION) {
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
        let version = check_format(&conn)?;
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
        if writable && version == 1 {
            upgrade::upgrade(path, &guard)?;
        }
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
        let identity = Arc::new(RwLock::new(Identity::new(&root)?));
        let keys = RwLock::new(Opened { root: RootKeys::new(root, gallery)?, slot });
        let store = Arc::new(Store::open(path, writable, guard)?);
        let shared = Shared { store, keys, tenants: Mutex::default(), identity };
        let (shared, clock) = (Arc::new(shared), Arc::new(SystemTime::now));
        Ok(Self { shared, memory: Memory::default(), clock })
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
        let place = (row, self.memory);
        if let Some(state) = tenants.get(&place).and_then(Weak::upgrade) {
            return Ok(Some(state));
        }
        let ring = Ring { row, tag, keys: keys.root.unwrap_tenant(row, tag, &wrapped)? };
        let state = Arc::new(TenantState::new(ring, self.memory));
        tenants.retain(|_, state| state.strong_count() > 0);
        tenants.insert(place, Arc::downgrade(&state));
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
