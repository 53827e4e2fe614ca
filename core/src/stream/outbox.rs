//! A queue of events that outlives the network, the power and the process.

mod personal;
mod record;

use std::fmt;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use rusqlite::{Connection, OptionalExtension, Transaction, TransactionBehavior, params};

#[cfg(fuzzing)]
pub use self::record::fuzz_record;
use self::record::{
    event_from_bytes, event_to_bytes, millis, sighting_from_bytes, sighting_to_bytes,
};
use super::event::{Event, EventId, Who};
use super::memory::Sighting;
use crate::crypto::{Key, Mac, derive, open, seal};
use crate::error::{Error, ErrorKind, Result};
use crate::gallery::Access;
use crate::gallery::sealed::{Format, SealedFile, sql_error};
use crate::id::SubjectId;

/// An application of its own ("FPOB") in the header of the SQLite file.
const FORMAT: Format = Format {
    name: "outbox",
    application: 0x4650_4f42,
    version: 1,
    schema: &[
        (
            "event",
            "CREATE TABLE event (id INTEGER PRIMARY KEY, uid BLOB NOT NULL, attempts INTEGER NOT NULL, \
             ready INTEGER NOT NULL, sealed BLOB NOT NULL)",
        ),
        ("event_by_uid", "CREATE UNIQUE INDEX event_by_uid ON event (uid)"),
        (
            "sighting",
            "CREATE TABLE sighting (id INTEGER PRIMARY KEY, tag BLOB NOT NULL, sealed BLOB NOT NULL)",
        ),
        ("sighting_by_tag", "CREATE UNIQUE INDEX sighting_by_tag ON sighting (tag)"),
    ],
};

const LABEL_EVENTS: &str = "faceprint outbox 1: events";
const LABEL_SIGHTINGS: &str = "faceprint outbox 1: sightings";
const LABEL_TAGS: &str = "faceprint outbox 1: tags of subjects";

/// A delivery that failed is tried again after this time, and after each further failure after twice the time...
const FIRST_RETRY: Duration = Duration::from_secs(1);
/// ... up to this, which also bounds a lease.
const LONGEST_WAIT: Duration = Duration::from_secs(3_600);

/// Events on their way to whoever wants them: in a file of their own, sealed like a gallery, until they are
/// acknowledged.
///
/// ```no_run
/// use std::time::{Duration, SystemTime};
///
/// use faceprint::Access;
/// use faceprint::stream::{Event, Limit, Outbox};
///
/// # fn example(event: &Event, upload: impl Fn(&Event) -> bool) -> faceprint::Result<()> {
/// let access = Access::passphrase("…");
/// let outbox = Outbox::open_or_create("door.outbox", &access, Limit::refuse_new(100_000))?;
/// outbox.push(event)?; // durable when it returns
///
/// // In a thread, or a process, of its own:
/// while let Some(delivery) = outbox.lease(SystemTime::now(), Duration::from_secs(60))? {
///     if upload(&delivery.event) {
///         outbox.ack(delivery.event.id)?;
///     } else {
///         outbox.retry(delivery.event.id, SystemTime::now())?; // 1 s, 2 s, 4 s … 1 h later
///     }
/// }
/// # Ok(())
/// # }
/// ```
///
/// # Promises
/// - *At least once.* An event whose push returned is leased again and again until it is acknowledged, whatever
///   is killed in between. Its [id](Event::id) is the same each time, so a consumer that keeps the ids it has seen is
///   exactly-once.
/// - *Bounded.* A [`Limit`] says how many events there may be, and what happens to one too many.
/// - *In order*, oldest first, except for those that wait for another attempt.
/// - *Sealed.* Names and times are sealed with XChaCha20-Poly1305 under keys that an [`Access`] opens, each event bound
///   to its id and file. What shows is how many events there are, how often each was tried, and when it is next.
///   Unlike in a gallery, that whole events were *removed* by somebody who can write the file does not show.
///
/// Whoever is erased from the gallery is [erased](Self::erase) here with a call of its own.
///
/// Several threads and processes may use one outbox. Its commits are in the write-ahead log and synchronised to the disk
/// when a call returns.
pub struct Outbox {
    conn: Mutex<Connection>,
    limit: Limit,
    uid: [u8; 16],
    events: Key,
    sightings: Key,
    tags: Mac,
}

/// How many events an outbox holds, and what becomes of one too many.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit {
    events: u64,
    drop_oldest: bool,
}

/// What became of an event that was pushed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "it is new or not")]
pub enum Pushed {
    /// It is in the outbox now; `dropped` older ones had to go, 0 unless the limit says so.
    Added {
        /// How many events were given up.
        dropped: u64,
    },
    /// An event with its id is waiting already; nothing was changed.
    Known,
}

/// An event that is to be delivered.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Delivery {
    /// The event.
    pub event: Event,
    /// Which attempt this is, from 1.
    pub attempt: u32,
}

impl Limit {
    /// At most `events`; one more is [refused](ErrorKind::LimitReached). For whoever must not lose any, and can stop
    /// making them.
    #[must_use]
    pub const fn refuse_new(events: u64) -> Self {
        Self { events, drop_oldest: false }
    }

    /// At most `events`; for one more the oldest is given up, and [`Pushed::Added`] says so. For whoever is
    /// interested in what happened last.
    #[must_use]
    pub const fn drop_oldest(events: u64) -> Self {
        Self { events, drop_oldest: true }
    }
}

impl Outbox {
    /// Makes an outbox at `path`, readable by its owner only, that `access` opens. The limit is not stored.
    ///
    /// # Errors
    /// [`ErrorKind::GalleryExists`] when there is a file already, [`ErrorKind::InvalidArgument`] for an empty passphrase or
    /// a limit of 0, [`ErrorKind::KeyProvider`] and [`ErrorKind::Io`].
    pub fn create(path: impl AsRef<Path>, access: &Access, limit: Limit) -> Result<Self> {
        check(limit)?;
        Self::assemble(FORMAT.create(path.as_ref(), access)?, limit)
    }

    /// Opens the outbox at `path`.
    ///
    /// # Errors
    /// [`ErrorKind::GalleryNotFound`], [`ErrorKind::WrongKey`], [`ErrorKind::GalleryVersion`] for another kind of file,
    /// [`ErrorKind::Integrity`], and those of [`create`](Self::create).
    pub fn open(path: impl AsRef<Path>, access: &Access, limit: Limit) -> Result<Self> {
        check(limit)?;
        Self::assemble(FORMAT.open(path.as_ref(), access)?, limit)
    }

    /// [Opens](Self::open) the outbox at `path`, or [makes](Self::create) it when there is no file.
    ///
    /// # Errors
    /// Those of the two.
    pub fn open_or_create(path: impl AsRef<Path>, access: &Access, limit: Limit) -> Result<Self> {
        match Self::open(&path, access, limit) {
            Err(error) if error.kind() == ErrorKind::GalleryNotFound => {
                Self::create(path, access, limit)
            }
            result => result,
        }
    }

    /// Adds an event, durably. Its sighting, if it is somebody's of the gallery, is kept in the same commit.
    ///
    /// # Errors
    /// [`ErrorKind::LimitReached`] when there is no room, [`ErrorKind::Locked`] and [`ErrorKind::Io`].
    pub fn push(&self, event: &Event) -> Result<Pushed> {
        let sealed = seal(&self.events, &self.aad(event.id.as_bytes()), &event_to_bytes(event)?)?;
        self.write(|tx| {
            if find(tx, event.id)?.is_some() {
                return Ok(Pushed::Known);
            }
            let dropped = self.make_room(tx)?;
            tx.prepare_cached(
                "INSERT INTO event (uid, attempts, ready, sealed) VALUES (?, 0, 0, ?)",
            )
            .and_then(|mut it| it.execute(params![&event.id.as_bytes()[..], sealed]))
            .map_err(sql_error(FORMAT.name))?;
            if let Who::Subject { id, .. } = &event.who {
                self.remember_in(tx, id, event.at)?;
            }
            Ok(Pushed::Added { dropped })
        })
    }

    /// The oldest event that is due at `now`. For the time of `lease`, an hour at most, it is nobody else's; then it is
    /// due again, unless it was [acknowledged](Self::ack).
    ///
    /// # Errors
    /// [`ErrorKind::Integrity`] for an event that does not open, [`ErrorKind::Locked`] and [`ErrorKind::Io`].
    pub fn lease(&self, now: SystemTime, lease: Duration) -> Result<Option<Delivery>> {
        let at = millis(now);
        let until = at.saturating_add(as_millis(lease.min(LONGEST_WAIT)));
        self.write(|tx| {
            // Whatever is due later than anything can be was written before the clock was set back.
            let latest = at.saturating_add(as_millis(LONGEST_WAIT));
            let due: Option<(i64, [u8; 16], i64, Vec<u8>)> = tx
                .prepare_cached(
                    "SELECT id, uid, attempts, sealed FROM event WHERE ready <= ?1 OR ready > ?2 \
                     ORDER BY id LIMIT 1",
                )
                .and_then(|mut it| {
                    it.query_row([at, latest], |row| {
                        Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?))
                    })
                    .optional()
                })
                .map_err(sql_error(FORMAT.name))?;
            let Some((row, uid, attempts, sealed)) = due else { return Ok(None) };
            let event = self.open_event(row, uid, &sealed)?;
            let attempts = attempts.saturating_add(1);
            tx.prepare_cached("UPDATE event SET attempts = ?, ready = ? WHERE id = ?")
                .and_then(|mut it| it.execute([attempts, until, row]))
                .map_err(sql_error(FORMAT.name))?;
            Ok(Some(Delivery { event, attempt: u32::try_from(attempts).unwrap_or(u32::MAX) }))
        })
    }

    /// The event was delivered: it is removed, and its bytes are overwritten. `false` when it was gone already.
    ///
    /// # Errors
    /// [`ErrorKind::Locked`] and [`ErrorKind::Io`].
    pub fn ack(&self, event: EventId) -> Result<bool> {
        self.write(|tx| {
            let sql = "DELETE FROM event WHERE uid = ?";
            let gone = tx.execute(sql, [&event.as_bytes()[..]]).map_err(sql_error(FORMAT.name))?;
            Ok(gone > 0)
        })
    }

    /// The event could not be delivered: it is due again 1 second after `now`, after the second attempt 2 seconds, then
    /// 4, 8 … and an hour at most. Says when; none when it is gone.
    ///
    /// # Errors
    /// [`ErrorKind::Locked`] and [`ErrorKind::Io`].
    pub fn retry(&self, event: EventId, now: SystemTime) -> Result<Option<SystemTime>> {
        self.write(|tx| {
            let Some(attempts) = find(tx, event)? else { return Ok(None) };
            let wait = backoff(attempts);
            let ready = millis(now).saturating_add(as_millis(wait));
            tx.execute(
                "UPDATE event SET ready = ? WHERE uid = ?",
                params![ready, &event.as_bytes()[..]],
            )
            .map_err(sql_error(FORMAT.name))?;
            Ok(now.checked_add(wait))
        })
    }

    /// How many events wait.
    ///
    /// # Errors
    /// [`ErrorKind::Io`].
    pub fn len(&self) -> Result<u64> {
        count(&self.lock())
    }

    /// Whether none waits.
    ///
    /// # Errors
    /// [`ErrorKind::Io`].
    pub fn is_empty(&self) -> Result<bool> {
        Ok(self.len()? == 0)
    }

    /// Replaces the sightings by those of a stream, see [`Stream::sightings`](super::Stream::sightings). Every few
    /// seconds is often enough: what is older than the last call makes a visit end that much earlier after
    /// a crash.
    ///
    /// # Errors
    /// [`ErrorKind::Locked`] and [`ErrorKind::Io`].
    pub fn remember(&self, sightings: &[Sighting]) -> Result<()> {
        self.write(|tx| {
            tx.execute("DELETE FROM sighting", []).map_err(sql_error(FORMAT.name))?;
            sightings.iter().try_for_each(|seen| self.remember_in(tx, &seen.subject, seen.at))
        })
    }

    /// Who was seen, and when last, for [`StreamBuilder::resume`](super::StreamBuilder::resume).
    ///
    /// # Errors
    /// [`ErrorKind::Integrity`] and [`ErrorKind::Io`].
    pub fn sightings(&self) -> Result<Vec<Sighting>> {
        let conn = self.lock();
        let mut statement = conn
            .prepare_cached("SELECT tag, sealed FROM sighting ORDER BY id")
            .map_err(sql_error(FORMAT.name))?;
        let mut rows = statement.query([]).map_err(sql_error(FORMAT.name))?;
        let mut sightings = Vec::new();
        while let Some(row) = rows.next().map_err(sql_error(FORMAT.name))? {
            let tag: Vec<u8> = row.get(0).map_err(sql_error(FORMAT.name))?;
            let sealed: Vec<u8> = row.get(1).map_err(sql_error(FORMAT.name))?;
            let seen = open(&self.sightings, &self.aad(&tag), &sealed)
                .and_then(|plain| sighting_from_bytes(&plain))
                .ok_or_else(|| damaged("a sighting does not open"))?;
            sightings.push(seen);
        }
        Ok(sightings)
    }

    fn assemble(file: SealedFile, limit: Limit) -> Result<Self> {
        let SealedFile { conn, uid, root } = file;
        let events = derive(&root, LABEL_EVENTS)?;
        let sightings = derive(&root, LABEL_SIGHTINGS)?;
        let tags = Mac::new(&derive(&root, LABEL_TAGS)?);
        Ok(Self { conn: Mutex::new(conn), limit, uid, events, sightings, tags })
    }

    fn open_event(&self, row: i64, uid: [u8; 16], sealed: &[u8]) -> Result<Event> {
        open(&self.events, &self.aad(&uid), sealed)
            .and_then(|plain| event_from_bytes(EventId::from_bytes(uid), &plain))
            .ok_or_else(|| damaged(&format!("event {row} does not open")))
    }

    /// Gives up the oldest events until there is room for one more; how many.
    fn make_room(&self, tx: &Transaction<'_>) -> Result<u64> {
        let held = count(tx)?;
        if held < self.limit.events {
            return Ok(0);
        }
        if !self.limit.drop_oldest {
            return Err(Error::new(
                ErrorKind::LimitReached,
                format!(
                    "the outbox holds {held} events, at most {} are allowed; deliver some, or choose \
                     Limit::drop_oldest",
                    self.limit.events
                ),
            ));
        }
        let dropped = held - self.limit.events + 1;
        let sql = "DELETE FROM event WHERE id IN (SELECT id FROM event ORDER BY id LIMIT ?)";
        tx.execute(sql, [i64::try_from(dropped).unwrap_or(i64::MAX)])
            .map_err(sql_error(FORMAT.name))?;
        Ok(dropped)
    }

    fn remember_in(&self, tx: &Transaction<'_>, subject: &SubjectId, at: SystemTime) -> Result<()> {
        let tag = self.tags.tag(&[subject.as_str().as_bytes()]);
        let sealed = seal(&self.sightings, &self.aad(&tag), &sighting_to_bytes(subject, at))?;
        tx.prepare_cached(
            "INSERT INTO sighting (tag, sealed) VALUES (?, ?) \
             ON CONFLICT (tag) DO UPDATE SET sealed = excluded.sealed",
        )
        .and_then(|mut it| it.execute(params![&tag[..], sealed]))
        .map(drop)
        .map_err(sql_error(FORMAT.name))
    }

    /// In one commit, or not at all.
    fn write<T>(&self, work: impl FnOnce(&Transaction<'_>) -> Result<T>) -> Result<T> {
        let mut conn = self.lock();
        let tx = conn
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .map_err(sql_error(FORMAT.name))?;
        let done = work(&tx)?;
        tx.commit().map_err(sql_error(FORMAT.name))?;
        Ok(done)
    }

    /// What binds a sealed value to its row. Events and sightings have keys of their own.
    fn aad(&self, row: &[u8]) -> Vec<u8> {
        [&[1][..], &self.uid, row].concat()
    }

    fn lock(&self) -> MutexGuard<'_, Connection> {
        // A panic rolled the transaction back.
        self.conn.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Outbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Outbox").field("limit", &self.limit).finish_non_exhaustive()
    }
}

fn check(limit: Limit) -> Result<()> {
    if limit.events == 0 {
        return Err(Error::new(
            ErrorKind::InvalidArgument,
            "an outbox holds at least 1 event, the limit is 0",
        ));
    }
    Ok(())
}

/// How often the event was leased, if it is there.
fn find(tx: &Transaction<'_>, event: EventId) -> Result<Option<i64>> {
    tx.prepare_cached("SELECT attempts FROM event WHERE uid = ?")
        .and_then(|mut it| it.query_row([&event.as_bytes()[..]], |row| row.get(0)).optional())
        .map_err(sql_error(FORMAT.name))
}

fn count(conn: &Connection) -> Result<u64> {
    let held: i64 = conn
        .prepare_cached("SELECT count(*) FROM event")
        .and_then(|mut it| it.query_row([], |row| row.get(0)))
        .map_err(sql_error(FORMAT.name))?;
    Ok(u64::try_from(held).unwrap_or_default())
}

/// The wait after `attempts` of them.
fn backoff(attempts: i64) -> Duration {
    let doublings = u32::try_from(attempts.saturating_sub(1).clamp(0, 30)).unwrap_or_default();
    FIRST_RETRY.saturating_mul(1 << doublings).min(LONGEST_WAIT)
}

fn as_millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

fn damaged(what: &str) -> Error {
    Error::new(ErrorKind::Integrity, format!("the outbox is damaged or was tampered with: {what}"))
}
