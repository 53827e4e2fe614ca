//! The keys of one tenant at work: subject and template rows, sealed and opened.

use rusqlite::{OptionalExtension, Row};

use super::format::{Kind, Place, Table, Tag, tag_from_bytes};
use super::keys::TenantKeys;
use super::ledger::Cell;
use super::record::{Counts, Profile, Record, tenant_name_to_bytes};
use super::sqlite::{damaged, sqlite};
use super::store::{Snapshot, Writer, ids};
use crate::crypto::{Key, open, seal};
use crate::error::{Error, ErrorKind, Result};
use crate::id::{SpaceId, SubjectId, TenantId};
use crate::index::Owner;
use crate::vector::Embedding;

/// A tenant's row and keys.
#[derive(Clone)]
pub(super) struct Ring {
    pub(super) row: i64,
    pub(super) tag: Tag,
    pub(super) keys: TenantKeys,
}

/// An opened subject row.
pub(super) struct Person {
    pub(super) row: i64,
    pub(super) tag: Tag,
    pub(super) key: Key,
    pub(super) profile: Profile,
}

/// An opened template row.
pub(super) struct Stored {
    pub(super) row: i64,
    pub(super) space: SpaceId,
    pub(super) record: Record,
}

impl Ring {
    /// How many subjects and templates the tenant has.
    ///
    /// # Errors
    /// [`ErrorKind::TenantNotFound`] when the tenant was erased.
    pub(super) fn counts(&self, at: &Snapshot<'_>) -> Result<Counts> {
        let found: Option<(Vec<u8>, Vec<u8>)> = at
            .conn
            .prepare_cached("SELECT tag, counts FROM tenant WHERE id = ?")
            .and_then(|mut it| {
                it.query_row([self.row], |row| Ok((row.get(0)?, row.get(1)?))).optional()
            })
            .map_err(sqlite)?;
        let Some((tag, sealed)) = found else {
            return Err(Error::new(
                ErrorKind::TenantNotFound,
                "the tenant was erased; ask the gallery for it again to start afresh",
            ));
        };
        if tag != self.tag {
            return Err(damaged(format!("tenant row {} is of another tenant", self.row)));
        }
        let aad = Place::tenant(Kind::TenantCounts, self.row, self.tag).aad(&at.gallery);
        open(&self.keys.data, &aad, &sealed)
            .and_then(|plain| Counts::from_bytes(&plain))
            .ok_or_else(|| damaged(format!("the counts in tenant row {} do not open", self.row)))
    }

    /// Writes the tenant's row anew, with `counts`.
    pub(super) fn set_counts(&self, writer: &mut Writer<'_>, counts: Counts) -> Result<()> {
        let at = writer.snapshot();
        let (key, name): (Vec<u8>, Vec<u8>) = at
            .conn
            .prepare_cached("SELECT key, name FROM tenant WHERE id = ?")
            .and_then(|mut it| it.query_row([self.row], |row| Ok((row.get(0)?, row.get(1)?))))
            .map_err(sqlite)?;
        let counts = self.seal_counts(&at, counts)?;
        writer.update(
            Table::Tenant,
            self.row,
            &[
                Cell::Int(self.row),
                Cell::Bytes(&self.tag),
                Cell::Bytes(&key),
                Cell::Bytes(&name),
                Cell::Bytes(&counts),
            ],
        )
    }

    pub(super) fn seal_counts(&self, at: &Snapshot<'_>, counts: Counts) -> Result<Vec<u8>> {
        let aad = Place::tenant(Kind::TenantCounts, self.row, self.tag).aad(&at.gallery);
        seal(&self.keys.data, &aad, &counts.to_bytes())
    }

    pub(super) fn seal_name(&self, at: &Snapshot<'_>, name: &TenantId) -> Result<Vec<u8>> {
        let aad = Place::tenant(Kind::TenantName, self.row, self.tag).aad(&at.gallery);
        seal(&self.keys.data, &aad, &tenant_name_to_bytes(name.as_str())?)
    }

    pub(super) fn open_name(&self, at: &Snapshot<'_>, sealed: &[u8]) -> Result<TenantId> {
        let aad = Place::tenant(Kind::TenantName, self.row, self.tag).aad(&at.gallery);
        open(&self.keys.data, &aad, sealed)
            .and_then(|plain| super::record::tenant_name_from_bytes(&plain)?.parse().ok())
            .ok_or_else(|| damaged(format!("the name in tenant row {} does not open", self.row)))
    }

    /// Row ids of all subjects.
    pub(super) fn subject_rows(&self, at: &Snapshot<'_>) -> Result<Vec<i64>> {
        let mut rows = ids(at.conn, "SELECT id FROM subject WHERE tenant = ?", &[self.row])?;
        rows.sort_unstable();
        Ok(rows)
    }

    /// The subject in row `row` of this tenant, if it is there.
    pub(super) fn person(&self, at: &Snapshot<'_>, row: i64) -> Result<Option<Person>> {
        let sql = "SELECT tag, key, profile FROM subject WHERE id = ? AND tenant = ?";
        at.conn
            .prepare_cached(sql)
            .map_err(sqlite)?
            .query_row([row, self.row], |found| Ok(self.open_person(at, row, found)))
            .optional()
            .map_err(sqlite)?
            .transpose()
    }

    /// The subject `id` of this tenant, if they are there.
    pub(super) fn find(&self, at: &Snapshot<'_>, id: &SubjectId) -> Result<Option<Person>> {
        let row: Option<i64> = at
            .conn
            .prepare_cached("SELECT id FROM subject WHERE tenant = ? AND tag = ?")
            .and_then(|mut it| {
                let place = rusqlite::params![self.row, &self.keys.subject_tag(id)[..]];
                it.query_row(place, |found| found.get(0)).optional()
            })
            .map_err(sqlite)?;
        row.map_or(Ok(None), |row| self.person(at, row))
    }

    /// [`person`](Self::person) of a row that must be there.
    pub(super) fn known_person(&self, at: &Snapshot<'_>, row: i64) -> Result<Person> {
        self.person(at, row)?.ok_or_else(|| damaged(format!("subject row {row} is missing")))
    }

    fn open_person(&self, at: &Snapshot<'_>, row: i64, found: &Row<'_>) -> Result<Person> {
        let blob = |index| found.get_ref(index).and_then(|it| Ok(it.as_blob()?)).map_err(sqlite);
        let tag = tag_from_bytes(blob(0)?)?;
        let place = |kind| Place::subject(kind, row, self.tag, tag).aad(&at.gallery);
        let key = self.keys.unwrap_subject(row, &place(Kind::SubjectKey), blob(1)?)?;
        let profile = open(&key, &place(Kind::Profile), blob(2)?)
            .and_then(|plain| Profile::from_bytes(&plain))
            .ok_or_else(|| damaged(format!("the profile in subject row {row} does not open")))?;
        let person = Person { row, tag, key, profile };
        if self.keys.subject_tag(&person.id()?) != tag {
            return Err(damaged(format!("subject row {row} has the tag of another name")));
        }
        Ok(person)
    }

    /// A new person; [`put_person`](Self::put_person) stores it.
    pub(super) fn new_person(&self, row: i64, id: &SubjectId, now: i64) -> Result<Person> {
        Ok(Person {
            row,
            tag: self.keys.subject_tag(id),
            key: Key::generate()?,
            profile: Profile {
                id: id.as_str().to_owned(),
                enrolled: now,
                consent: None,
                expires: None,
                metadata: None,
            },
        })
    }

    /// Writes the row of a new person, or of one `replaced`.
    pub(super) fn put_person(
        &self,
        writer: &mut Writer<'_>,
        person: &Person,
        replaced: bool,
    ) -> Result<()> {
        let (key, profile) = self.seal_person(&writer.snapshot(), person)?;
        if replaced {
            writer.remove(Table::Subject, person.row)?;
        }
        writer.touch(self.row, person.row);
        writer.insert(
            Table::Subject,
            &[
                Cell::Int(person.row),
                Cell::Int(self.row),
                Cell::Bytes(&person.tag),
                Cell::Bytes(&key),
                Cell::Bytes(&profile),
            ],
        )
    }

    /// Key and profile as stored.
    pub(super) fn seal_person(
        &self,
        at: &Snapshot<'_>,
        person: &Person,
    ) -> Result<(Vec<u8>, Vec<u8>)> {
        let place = |kind| Place::subject(kind, person.row, self.tag, person.tag).aad(&at.gallery);
        let key = self.keys.wrap_subject(&place(Kind::SubjectKey), &person.key)?;
        let profile = seal(&person.key, &place(Kind::Profile), &person.profile.to_bytes()?)?;
        Ok((key, profile))
    }

    /// The templates of `person`, oldest first.
    pub(super) fn templates(
        &self,
        at: &Snapshot<'_>,
        person: &Person,
        spaces: &[(i64, SpaceId)],
    ) -> Result<Vec<Stored>> {
        let sql =
            "SELECT id, space, vector FROM template WHERE tenant = ? AND subject = ? ORDER BY id";
        let mut statement = at.conn.prepare_cached(sql).map_err(sqlite)?;
        let mut rows = statement.query([self.row, person.row]).map_err(sqlite)?;
        let mut templates = Vec::new();
        while let Some(found) = rows.next().map_err(sqlite)? {
            let row: i64 = found.get(0).map_err(sqlite)?;
            let space_row: i64 = found.get(1).map_err(sqlite)?;
            let sealed = found.get_ref(2).and_then(|it| Ok(it.as_blob()?)).map_err(sqlite)?;
            let space = spaces.iter().find(|(row, _)| *row == space_row).map(|(_, space)| *space);
            let space = space
                .ok_or_else(|| damaged(format!("template row {row} is of an unknown space")))?;
            let aad = Place::template(row, self.tag, person.tag, space).aad(&at.gallery);
            let record = open(&person.key, &aad, sealed)
                .and_then(|plain| Record::from_bytes(&plain))
                .ok_or_else(|| damaged(format!("the template in row {row} does not open")))?;
            templates.push(Stored { row, space, record });
        }
        Ok(templates)
    }

    /// The values of one template, which is there.
    pub(super) fn embedding(
        &self,
        at: &Snapshot<'_>,
        owner: Owner,
        spaces: &[(i64, SpaceId)],
    ) -> Result<Embedding> {
        let Owner { subject, template } = owner;
        let person = self.known_person(at, subject)?;
        let stored = self.templates(at, &person, spaces)?;
        let found = stored.into_iter().find(|stored| stored.record.id == template);
        found.map(|stored| stored.record.embedding).ok_or_else(|| {
            damaged(format!("a template of the subject in row {subject} is missing"))
        })
    }

    pub(super) fn seal_record(
        &self,
        at: &Snapshot<'_>,
        person: &Person,
        row: i64,
        space: SpaceId,
        record: &Record,
    ) -> Result<Vec<u8>> {
        let aad = Place::template(row, self.tag, person.tag, space).aad(&at.gallery);
        seal(&person.key, &aad, &record.to_bytes()?)
    }

    /// Stores a template of `person`.
    pub(super) fn add_template(
        &self,
        writer: &mut Writer<'_>,
        person: &Person,
        space: (i64, SpaceId),
        record: &Record,
    ) -> Result<()> {
        let row = writer.next_id()?;
        let sealed = self.seal_record(&writer.snapshot(), person, row, space.1, record)?;
        writer.touch(self.row, person.row);
        writer.insert(
            Table::Template,
            &[
                Cell::Int(row),
                Cell::Int(self.row),
                Cell::Int(person.row),
                Cell::Int(space.0),
                Cell::Bytes(&sealed),
            ],
        )
    }

    /// Removes a subject with key and templates; gives how many templates there were.
    pub(super) fn remove_person(&self, writer: &mut Writer<'_>, row: i64) -> Result<u64> {
        let templates = self.remove_templates(writer, row)?;
        writer.remove(Table::Subject, row)?;
        Ok(templates)
    }

    /// Removes all templates of a subject; gives how many there were.
    pub(super) fn remove_templates(&self, writer: &mut Writer<'_>, row: i64) -> Result<u64> {
        let sql = "SELECT id FROM template WHERE tenant = ? AND subject = ?";
        let templates = ids(writer.snapshot().conn, sql, &[self.row, row])?;
        for template in &templates {
            writer.remove(Table::Template, *template)?;
        }
        writer.touch(self.row, row);
        Ok(templates.len() as u64)
    }
}

impl Person {
    pub(super) fn id(&self) -> Result<SubjectId> {
        self.profile
            .id
            .parse()
            .map_err(|_| damaged(format!("the id in subject row {} is none", self.row)))
    }
}
