//! Who changed since a point in time: for whoever keeps a copy of a tenant elsewhere.

use std::fmt;
use std::str::FromStr;

use super::format::GalleryUid;
use super::sqlite::{sqlite, version};
use super::store::{Snapshot, ids, integer};
use super::tenant::Tenant;
use crate::error::{Error, ErrorKind, Result};
use crate::id::{SubjectId, bytes_from_hex, hex_from_bytes};

/// Which enrolment of a person: the gallery and a number that is never given again. Somebody who was erased and
/// comes back has another. It says nothing of who they are, and outlives them.
///
/// Written as 32 hexadecimal digits, `-` and a decimal number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SubjectRef {
    gallery: GalleryUid,
    row: i64,
}

/// A place in a tenant's list of changes, of one gallery and one tenant.
///
/// Written as 80 hexadecimal digits, to be kept beside the copy it belongs to. It is no secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Cursor {
    gallery: GalleryUid,
    tenant: i64,
    sequence: i64,
    row: i64,
}

/// A page of changes, oldest first.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Changes {
    /// What changed; each person is here once, with what became of them last.
    pub changes: Vec<Change>,
    /// Where the next page begins. It is the one that was given when nothing changed.
    pub cursor: Cursor,
}

/// What became of a person.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "a person is there or is not")]
pub enum Change {
    /// They were enrolled, or their templates or details changed.
    Updated {
        /// Which enrolment.
        reference: SubjectRef,
        /// Who.
        subject: SubjectId,
    },
    /// They were erased or have expired, perhaps before this copy ever saw them.
    Erased {
        /// Which enrolment.
        reference: SubjectRef,
    },
}

impl Tenant {
    /// Up to `limit` people who changed after `cursor`, and where to go on. The list is complete from
    /// [`Cursor::start`] on, and no cursor is ever too old.
    ///
    /// A worker that keeps a copy elsewhere asks until nothing is left, and keeps the cursor with the copy, in
    /// one transaction of its own:
    ///
    /// ```no_run
    /// # use faceprint::{Result, Tenant};
    /// # use faceprint::gallery::{Change, Cursor, StoredTemplate, Subject, SubjectRef};
    /// # fn kept() -> Result<Option<String>> { Ok(None) }
    /// # fn put(_: Subject, _: Vec<StoredTemplate>) {}
    /// # fn delete(_: SubjectRef) {}
    /// # fn keep(_: &str) {}
    /// # fn example(acme: Tenant) -> Result<()> {
    /// let mut cursor = kept()?.map_or(Ok(Cursor::start()), |text| text.parse())?;
    /// loop {
    ///     let page = acme.changes_since(&cursor, 1_000)?;
    ///     if page.changes.is_empty() {
    ///         break; // ask again in a while
    ///     }
    ///     for change in page.changes {
    ///         match change {
    ///             Change::Updated { reference, subject } => match acme.subject(&subject) {
    ///                 Ok(found) if found.reference == reference => put(found, acme.templates(&subject)?),
    ///                 // Gone meanwhile: a later page says so.
    ///                 _ => {}
    ///             },
    ///             Change::Erased { reference } => delete(reference),
    ///         }
    ///     }
    ///     cursor = page.cursor;
    ///     keep(&cursor.to_string());
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// That somebody's time has come is no change: a copy keeps
    /// [`expires_at`](super::Details::expires_at) and looks at the clock.
    ///
    /// # Errors
    /// [`ErrorKind::WrongCursor`] for a cursor of another gallery or tenant (or of one of this name that was erased),
    /// and for one of a later state than the gallery is in, which means that an old file was put back: drop the copy
    /// and begin at the start. [`ErrorKind::InvalidArgument`] for a limit of 0, [`ErrorKind::GalleryVersion`] for a file of
    /// format 1 that is open for reading only, and those of [`identify`](Self::identify).
    pub fn changes_since(&self, cursor: &Cursor, limit: usize) -> Result<Changes> {
        if limit == 0 {
            return Err(Error::new(
                ErrorKind::InvalidArgument,
                "a page of changes has 1 entry or more, 0 were asked for",
            ));
        }
        let now = self.now()?;
        self.store.read(|at| {
            let ring = self.state.ring(at)?;
            let mut cursor = cursor.checked(at, ring.row)?;
            let mut changes = Vec::new();
            for touched in changed(at, &cursor, limit)? {
                let reference = SubjectRef::new(at.gallery, touched.row);
                let person = ring.person(at, touched.row)?;
                changes.push(match person.filter(|it| !it.profile.is_expired(now)) {
                    Some(person) => Change::Updated { reference, subject: person.id()? },
                    None => Change::Erased { reference },
                });
                cursor = cursor.behind(&touched);
            }
            Ok(Changes { changes, cursor })
        })
    }
}

/// The last commit that touched a subject row.
pub(super) struct Touched {
    pub(super) row: i64,
    pub(super) sequence: i64,
}

/// Subject rows of the cursor's tenant that were touched after it, in the order of commits.
pub(super) fn changed(at: &Snapshot<'_>, after: &Cursor, limit: usize) -> Result<Vec<Touched>> {
    if version(at.conn)? == 1 {
        return Err(Error::new(
            ErrorKind::GalleryVersion,
            "the gallery has format 1, which keeps no complete list of changes; open it for writing once, \
             which upgrades it",
        ));
    }
    let sql = "SELECT id, sequence FROM change WHERE tenant = ? AND (sequence, id) > (?, ?) \
               ORDER BY sequence, id LIMIT ?";
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let mut statement = at.conn.prepare_cached(sql).map_err(sqlite)?;
    let found = statement
        .query_map([after.tenant, after.sequence, after.row, limit], |row| {
            Ok(Touched { row: row.get(0)?, sequence: row.get(1)? })
        })
        .map_err(sqlite)?;
    found.collect::<rusqlite::Result<_>>().map_err(sqlite)
}

/// The subject rows of `tenant` that were touched after commit `known`; none when the file does not say.
pub(super) fn touched_since(
    at: &Snapshot<'_>,
    tenant: i64,
    known: u64,
) -> Result<Option<Vec<i64>>> {
    if version(at.conn)? == 1 {
        return Ok(None);
    }
    let sql = "SELECT id FROM change WHERE tenant = ? AND sequence > ?";
    ids(at.conn, sql, &[tenant, integer(known)?]).map(Some)
}

impl SubjectRef {
    pub(super) const fn new(gallery: GalleryUid, row: i64) -> Self {
        Self { gallery, row }
    }
}

impl fmt::Display for SubjectRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format!("{}-{}", hex_from_bytes(&self.gallery), self.row))
    }
}

impl FromStr for SubjectRef {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let row = |digits: &str| digits.parse().ok().filter(|row| *row > 0);
        let parts = text.split_once('-').and_then(|(gallery, row_)| Some((gallery, row(row_)?)));
        let (gallery, row) = parts.ok_or_else(|| {
            Error::new(
                ErrorKind::InvalidArgument,
                "a reference of a subject is 32 hexadecimal digits, \"-\" and a number from 1 on",
            )
        })?;
        Ok(Self { gallery: bytes_from_hex("the gallery of a reference", gallery)?, row })
    }
}

impl Cursor {
    /// Before the first change, of any gallery and tenant.
    #[must_use]
    pub const fn start() -> Self {
        Self { gallery: [0; 16], tenant: 0, sequence: 0, row: 0 }
    }

    /// The same place, when it is one of this tenant.
    pub(super) fn checked(&self, at: &Snapshot<'_>, tenant: i64) -> Result<Self> {
        if *self == Self::start() {
            return Ok(Self { gallery: at.gallery, tenant, ..*self });
        }
        if self.gallery != at.gallery || self.tenant != tenant {
            return Err(Error::new(
                ErrorKind::WrongCursor,
                "the cursor is of another gallery or tenant; begin with Cursor::start",
            ));
        }
        let sequence = integer(at.sequence)?;
        if self.sequence > sequence {
            return Err(Error::new(
                ErrorKind::WrongCursor,
                format!(
                    "the cursor is of commit {}, the gallery is at {sequence}: an old file was put back; \
                     drop the copy and begin with Cursor::start",
                    self.sequence
                ),
            ));
        }
        Ok(*self)
    }

    /// Behind `touched`.
    pub(super) const fn behind(self, touched: &Touched) -> Self {
        Self { sequence: touched.sequence, row: touched.row, ..self }
    }
}

impl Default for Cursor {
    fn default() -> Self {
        Self::start()
    }
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = hex_from_bytes(&self.gallery);
        for number in [self.tenant, self.sequence, self.row] {
            text += &hex_from_bytes(&number.to_be_bytes());
        }
        f.pad(&text)
    }
}

impl FromStr for Cursor {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let bytes: [u8; 40] = bytes_from_hex("a cursor", text)?;
        let number = |at: usize| i64::from_be_bytes(std::array::from_fn(|byte| bytes[at + byte]));
        Ok(Self {
            gallery: std::array::from_fn(|at| bytes[at]),
            tenant: number(16),
            sequence: number(24),
            row: number(32),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cursors_and_references_read_back_and_others_are_refused() {
        let cursor = Cursor { gallery: [0xa1; 16], tenant: 3, sequence: i64::MAX, row: 4 };
        let text = cursor.to_string();
        assert_eq!(text.len(), 80);
        assert_eq!(text.parse::<Cursor>().unwrap(), cursor);
        assert_eq!(Cursor::start().to_string().parse::<Cursor>().unwrap(), Cursor::default());
        for wrong in ["", "start", &text[1..], &text.replace('a', "g"), &"é".repeat(40)] {
            assert_eq!(wrong.parse::<Cursor>().unwrap_err().kind(), ErrorKind::InvalidArgument);
        }
        let reference = SubjectRef::new([0xb2; 16], 77);
        let text = reference.to_string();
        assert_eq!(text, format!("{}-77", "b2".repeat(16)));
        assert_eq!(text.parse::<SubjectRef>().unwrap(), reference);
        for wrong in [
            "",
            "-",
            "77",
            &text[1..],
            &text[..33],
            &text.replace("77", "-7"),
            &text.replace("77", "0"),
        ] {
            assert!(wrong.parse::<SubjectRef>().is_err(), "{wrong}");
        }
    }
}
