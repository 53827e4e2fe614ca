//! Bringing bundles in: one commit that keeps, of each person, the version that is the latest at the office.

use std::collections::{HashMap, HashSet};
use std::sync::PoisonError;

use super::bundle::{Imported, damaged, unpack};
use super::identity::SignerKey;
use super::origin::{self, FOREVER, Fate, Origin, Source, Version};
use super::payload::{Carried, Entry, parse};
use super::record::Counts;
use super::ring::{Person, Ring};
use super::roster::Roster;
use super::store::Writer;
use super::tenant::Tenant;
use crate::crypto::Key;
use crate::error::Result;
use crate::id::{SpaceId, SubjectId, TemplateId};

impl Tenant {
    /// Brings the people of a bundle in, all in one durable commit, or none. The tenant's name may be another than
    /// at the office.
    ///
    /// Of each person the version of the office's later commit stays, and of one version the one that is
    /// valid for longer: a bundle that comes late or twice changes nothing, and whoever was erased at the
    /// office does not come back with an older bundle. What was changed here of an imported person is replaced
    /// with their next version. Somebody who was erased here stays away until they change at the office.
    /// Somebody who was enrolled here under the same id stays, and is listed as a conflict; erase them, and the
    /// next bundle brings the other.
    ///
    /// Rules of [`EnrollPolicy`](super::EnrollPolicy) do not apply: the office has decided.
    ///
    /// # Errors
    /// [`BundleDamaged`](crate::ErrorKind::BundleDamaged) for bytes that are no bundle or were changed,
    /// [`BundleSigner`](crate::ErrorKind::BundleSigner), [`BundleDevice`](crate::ErrorKind::BundleDevice) and [`BundleExpired`](crate::ErrorKind::BundleExpired),
    /// [`SpaceMismatch`](crate::ErrorKind::SpaceMismatch) for templates of a space this gallery does not accept,
    /// [`LimitReached`](crate::ErrorKind::LimitReached) for more than 256 MiB, [`GalleryVersion`](crate::ErrorKind::GalleryVersion) for a bundle of a later version,
    /// and those of [`enroll`](Self::enroll). Nothing is brought in then.
    pub fn import_bundle(&self, bytes: &[u8], signer: &SignerKey) -> Result<Imported> {
        let now = self.now()?;
        let (valid_until, payload) = {
            let identity = self.identity.read().unwrap_or_else(PoisonError::into_inner);
            unpack(&identity, signer, now, bytes)?
        };
        if valid_until == FOREVER {
            return Err(damaged("it is valid for ever"));
        }
        let (source, mut entries) = parse(&payload).map_err(damaged)?;
        drop(payload);
        // Who goes makes room for whoever comes with the same id.
        entries.sort_by_key(|entry| (entry.person.is_some(), entry.row));
        self.store.write(|writer| {
            let at = writer.snapshot();
            self.state.at(&at, |ring, roster| {
                let counts = ring.counts(&at)?;
                let owners = roster.everyone().flat_map(|known| {
                    known.templates.iter().map(|(template, _)| (*template, known.row))
                });
                let mut import = Import {
                    ring,
                    roster,
                    writer,
                    now,
                    valid_until,
                    source,
                    counts,
                    removed: HashSet::new(),
                    added: HashMap::new(),
                    owners: owners.collect(),
                    done: Imported::default(),
                };
                import.check_templates(&entries)?;
                for entry in entries {
                    import.bring_in(entry)?;
                }
                import.finish(counts)
            })
        })
    }
}

/// An import under way.
struct Import<'a, 'w> {
    ring: &'a Ring,
    roster: &'a Roster,
    writer: &'a mut Writer<'w>,
    now: i64,
    valid_until: i64,
    source: Source,
    counts: Counts,
    /// Rows of the roster that are gone.
    removed: HashSet<i64>,
    /// Rows that are not in the roster yet.
    added: HashMap<SubjectId, i64>,
    /// Whose the templates of the roster are: an index holds each once.
    owners: HashMap<TemplateId, i64>,
    done: Imported,
}

impl Import<'_, '_> {
    /// Refuses what the gallery could not hold, before anything is written.
    fn check_templates(&self, entries: &[Entry]) -> Result<()> {
        let mut dimensions: HashMap<SpaceId, usize> = HashMap::new();
        let people = entries.iter().filter_map(|entry| entry.person.as_ref());
        for (space, record) in people.flat_map(|person| &person.templates) {
            if let (_, Some(index)) = self.roster.space(*space)? {
                index.check_dimension(&record.embedding)?;
            }
            let dimension = record.embedding.dimension();
            if *dimensions.entry(*space).or_insert(dimension) != dimension {
                return Err(damaged("templates of one space differ in length"));
            }
        }
        Ok(())
    }

    fn bring_in(&mut self, entry: Entry) -> Result<()> {
        let at = self.writer.snapshot();
        let held = origin::find(&at, self.ring.row, &self.source, entry.row)?;
        let version = match entry.person {
            Some(_) => Version { sequence: entry.sequence, valid_until: self.valid_until },
            None => Version::erased(entry.sequence),
        };
        if held.is_some_and(|held| held.version >= version) {
            self.done.unchanged += 1;
            return Ok(());
        }
        let mut local = held.map_or(0, |held| held.local);
        let mut origin = Origin { source: self.source, subject: entry.row, version, local };
        let person = entry.person.filter(|it| !it.profile.is_expired(self.now));
        let Some(person) = person else {
            origin.local = 0;
            if local == 0 {
                self.done.unchanged += 1;
            } else {
                self.remove(local)?;
                self.done.erased += 1;
            }
            return origin::put(self.writer, self.ring.row, &origin);
        };
        match self.make_room(&person.id, &origin)? {
            Room::Taken => {
                self.done.conflicts.push(person.id);
                return Ok(());
            }
            Room::Outlived(by) => {
                if local != 0 {
                    self.remove(local)?;
                }
                (origin.local, origin.version) = (0, Version::erased(by));
                self.done.unchanged += 1;
                return origin::put(self.writer, self.ring.row, &origin);
            }
            Room::Free => {}
        }
        // An office whose file was put back may give a row to somebody else.
        if local != 0 && self.roster.any(&person.id).is_none_or(|known| known.row != local) {
            self.remove(local)?;
            local = 0;
        }
        if local == 0 {
            origin.local = self.writer.next_id()?;
            self.done.added += 1;
        } else {
            self.done.updated += 1;
        }
        self.store(person, origin.local, local != 0)?;
        origin::put(self.writer, self.ring.row, &origin)
    }

    /// Whether `origin` can be here under `id`; who is in its way and has no right to be there goes.
    fn make_room(&mut self, id: &SubjectId, origin: &Origin) -> Result<Room> {
        let known = self.roster.any(id).filter(|known| !self.removed.contains(&known.row));
        let Some(holder) = self.added.get(id).copied().or(known.map(|known| known.row)) else {
            return Ok(Room::Free);
        };
        if holder == origin.local {
            return Ok(Room::Free);
        }
        let other = origin::of_local(&self.writer.snapshot(), holder)?;
        match other.filter(|other| other.source == self.source) {
            // At the office one row of a name follows the other: the lower one was erased before the higher was
            // enrolled, whether or not the news of it came through.
            Some(other) if other.subject > origin.subject => {
                Ok(Room::Outlived(other.version.sequence))
            }
            Some(mut other) => {
                self.remove(holder)?;
                other.local = 0;
                other.version = Version::erased(origin.version.sequence);
                origin::put(self.writer, self.ring.row, &other)?;
                self.done.erased += 1;
                Ok(Room::Free)
            }
            None if known.is_some_and(|known| known.is_expired(self.now)) => {
                origin::release(self.writer, self.ring.row, holder, Fate::Expired)?;
                self.remove(holder)?;
                Ok(Room::Free)
            }
            None => Ok(Room::Taken),
        }
    }

    fn remove(&mut self, row: i64) -> Result<()> {
        let templates = self.ring.remove_person(self.writer, row)?;
        self.counts.subjects = self.counts.subjects.saturating_sub(1);
        self.counts.templates = self.counts.templates.saturating_sub(templates);
        self.removed.insert(row);
        Ok(())
    }

    /// Writes `person` to `row`, in place of the version before when they are `known`.
    fn store(&mut self, person: Carried, row: i64, known: bool) -> Result<()> {
        let Carried { id, mut profile, templates } = person;
        let expires = profile.expires.unwrap_or(self.valid_until);
        profile.expires = Some(expires.min(self.valid_until));
        let tag = self.ring.keys.subject_tag(&id);
        let person = Person { row, tag, key: Key::generate()?, profile };
        if known {
            let gone = self.ring.remove_templates(self.writer, row)?;
            self.counts.templates = self.counts.templates.saturating_sub(gone);
        } else {
            self.counts.subjects += 1;
        }
        self.ring.put_person(self.writer, &person, known)?;
        for (space, record) in &templates {
            let owner = self.owners.get(&record.id);
            if owner.is_some_and(|owner| *owner != row && !self.removed.contains(owner)) {
                return Err(damaged("a template is that of somebody else here"));
            }
            let (space_row, _) = self.roster.space(*space)?;
            self.ring.add_template(self.writer, &person, (space_row, *space), record)?;
        }
        self.counts.templates += templates.len() as u64;
        self.added.insert(id, row);
        Ok(())
    }

    fn finish(self, before: Counts) -> Result<Imported> {
        if self.counts != before {
            self.ring.set_counts(self.writer, self.counts)?;
        }
        Ok(self.done)
    }
}

/// Whether an id is free for somebody who comes.
enum Room {
    Free,
    /// Somebody else has it.
    Taken,
    /// Who comes was erased at the office before this commit, which enrolled another of that id.
    Outlived(i64),
}
