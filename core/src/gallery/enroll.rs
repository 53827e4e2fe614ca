//! Changes to a tenant: each call is one durable commit, or none at all.

use std::collections::HashMap;

use super::format::Table;
use super::origin::{self, Fate};
use super::record::{Record, millis_from_time};
use super::ring::{Person, Ring};
use super::roster::{Known, Roster, not_enrolled};
use super::store::Writer;
use super::template::NewTemplate;
use super::tenant::{Details, Tenant};
use crate::crypto::random;
use crate::error::{Error, ErrorKind, Result};
use crate::id::{SpaceId, SubjectId, TemplateId};
use crate::index::{Index, Owner};
use crate::matcher::best_subjects;
use crate::vector::Similarity;

/// Bytes of metadata, at most.
const METADATA: usize = 64 * 1024;

/// What became of an enrolment. That somebody is there already is an outcome, not an error.
#[derive(Clone, Debug, PartialEq)]
#[expect(clippy::exhaustive_enums, reason = "a template is stored or it is not")]
pub enum Enrollment {
    /// It is stored, and on disk.
    Added {
        /// Its id.
        template: TemplateId,
    },
    /// Nothing was stored: another subject looks the same.
    Duplicate {
        /// Who.
        of: SubjectId,
        /// How similar, -1..=1.
        similarity: Similarity,
    },
}

/// What an erasure removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Erased {
    /// Subjects.
    pub subjects: u64,
    /// Templates.
    pub templates: u64,
}

/// Rules for enrolment: when two subjects are one person, and how many of anything there may be.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct EnrollPolicy {
    duplicate_at: Option<f32>,
    templates_per_subject: usize,
    subjects_per_tenant: u64,
}

impl Default for EnrollPolicy {
    /// Duplicates from a similarity of 0.6 on, 10 templates per subject, 1,000,000 subjects.
    fn default() -> Self {
        Self { duplicate_at: Some(0.6), templates_per_subject: 10, subjects_per_tenant: 1_000_000 }
    }
}

impl EnrollPolicy {
    /// From which similarity (cosine, -1..=1) to a template of *another* subject an enrolment is a
    /// duplicate; none for no check. The default is 0.6, above what the known embedders give two people;
    /// [`ModelPack::threshold`](../pack/struct.ModelPack.html#method.threshold) gives a measured one.
    /// Without the check, large batches are enrolled much faster.
    #[must_use]
    pub const fn duplicate_at(mut self, similarity: Option<f32>) -> Self {
        self.duplicate_at = similarity;
        self
    }

    /// Templates a subject may have, in all spaces together.
    #[must_use]
    pub const fn templates_per_subject(mut self, limit: usize) -> Self {
        self.templates_per_subject = limit;
        self
    }

    /// Subjects the tenant may have.
    #[must_use]
    pub const fn subjects_per_tenant(mut self, limit: u64) -> Self {
        self.subjects_per_tenant = limit;
        self
    }
}

impl Tenant {
    /// Adds a template to `subject`, who is enrolled if they are not yet. It is on disk when this returns.
    ///
    /// The check for duplicates and the enrolment are one transaction: two doors cannot enrol one visitor
    /// under two names at once. Somebody who had expired starts afresh.
    ///
    /// # Errors
    /// [`ErrorKind::LimitReached`] by the [policy](Self::with_policy), [`ErrorKind::SpaceMismatch`] for a template of
    /// a space the gallery does not accept, [`ErrorKind::InvalidArgument`] for a quality or a landmark that is not
    /// finite, [`ErrorKind::Locked`] when another process writes for too long, and those of
    /// [`identify`](Self::identify).
    pub fn enroll<'a>(
        &self,
        subject: &SubjectId,
        template: impl Into<NewTemplate<'a>>,
    ) -> Result<Enrollment> {
        self.enroll_batch(std::iter::once((subject, template.into())), &mut |_| {})?
            .pop()
            .ok_or_else(|| Error::new(ErrorKind::Internal, "an enrolment has no outcome"))
    }

    /// [`enroll`](Self::enroll) for many templates in one durable commit: all of them, or none when one is
    /// refused with an error. Duplicates, within the batch too, are outcomes and do not stop it.
    /// `progress` is told after each how many of how many are done.
    ///
    /// Checking a batch of n templates against one another takes time in n²; see
    /// [`EnrollPolicy::duplicate_at`].
    ///
    /// # Errors
    /// Those of [`enroll`](Self::enroll).
    pub fn enroll_all<'a, T>(
        &self,
        templates: &'a [(SubjectId, T)],
        mut progress: impl FnMut(usize, usize),
    ) -> Result<Vec<Enrollment>>
    where
        &'a T: Into<NewTemplate<'a>>,
    {
        let all = templates.iter().map(|(subject, template)| (subject, template.into()));
        self.enroll_batch(all, &mut |done| progress(done, templates.len()))
    }

    /// Puts `template` in the place of all templates `subject` has in its space, in one commit, unless it is
    /// a duplicate of somebody else.
    ///
    /// # Errors
    /// [`ErrorKind::SubjectNotFound`], and those of [`enroll`](Self::enroll).
    pub fn replace<'a>(
        &self,
        subject: &SubjectId,
        template: impl Into<NewTemplate<'a>>,
    ) -> Result<Enrollment> {
        let now = self.now()?;
        let template = template.into();
        self.store.write(|writer| {
            let at = writer.snapshot();
            self.state.at(&at, |ring, roster| {
                let known = roster.find(subject, now)?;
                let mut batch = Batch::new(self, ring, roster, now, writer)?;
                if let Some(duplicate) = batch.duplicate(Some(known.row), template)? {
                    return Ok(duplicate);
                }
                let person = ring.known_person(&at, known.row)?;
                let mut left = known.templates.len();
                for stored in ring.templates(&at, &person, &roster.spaces)? {
                    if stored.space == template.template.space() {
                        batch.writer.remove(Table::Template, stored.row)?;
                        batch.counts.templates = batch.counts.templates.saturating_sub(1);
                        left -= 1;
                    }
                }
                batch.pending.insert(subject.clone(), Pending { person, templates: left });
                let outcome = batch.add(subject, template)?;
                batch.finish()?;
                Ok(outcome)
            })
        })
    }

    /// Removes one template. A subject without templates stays, and is not found by their face.
    ///
    /// # Errors
    /// [`ErrorKind::SubjectNotFound`], [`ErrorKind::TemplateNotFound`], and those of [`enroll`](Self::enroll).
    pub fn remove_template(&self, subject: &SubjectId, template: &TemplateId) -> Result<()> {
        let now = self.now()?;
        self.store.write(|writer| {
            let at = writer.snapshot();
            self.state.at(&at, |ring, roster| {
                let person = ring.known_person(&at, roster.find(subject, now)?.row)?;
                let stored = ring.templates(&at, &person, &roster.spaces)?;
                let found = stored.iter().find(|stored| stored.record.id == *template);
                let row = found.map(|stored| stored.row).ok_or_else(|| {
                    Error::new(
                        ErrorKind::TemplateNotFound,
                        format!("none of the subject's {} templates is {template}", stored.len()),
                    )
                })?;
                writer.remove(Table::Template, row)?;
                writer.touch(ring.row, person.row);
                let mut counts = ring.counts(&at)?;
                counts.templates = counts.templates.saturating_sub(1);
                ring.set_counts(writer, counts)
            })
        })
    }

    /// Stores `details` of `subject` in place of those before.
    ///
    /// # Errors
    /// [`ErrorKind::SubjectNotFound`], [`ErrorKind::LimitReached`] for more than 65,536 bytes of metadata,
    /// [`ErrorKind::InvalidArgument`] for metadata that is not JSON and for times before 1970, and those of
    /// [`enroll`](Self::enroll).
    pub fn set_details(&self, subject: &SubjectId, details: &Details) -> Result<()> {
        let now = self.now()?;
        if let Some(metadata) = &details.metadata {
            check_metadata(metadata)?;
        }
        let consent = details.consent.map(millis_from_time).transpose()?;
        let expires = details.expires_at.map(millis_from_time).transpose()?;
        self.store.write(|writer| {
            let at = writer.snapshot();
            self.state.at(&at, |ring, roster| {
                let mut person = ring.known_person(&at, roster.find(subject, now)?.row)?;
                person.profile.consent = consent;
                // Who was imported stays until the bundle's time is over, at most.
                person.profile.expires = origin::cap(&at, person.row, expires)?;
                person.profile.metadata.clone_from(&details.metadata);
                ring.put_person(writer, &person, true)
            })
        })
    }

    /// Forgets `subject`, expired or not: key, templates and details go in one commit. What the file still
    /// holds of the old bytes, sealed under a key that is gone, goes with [`Gallery::compact`](super::Gallery::compact).
    ///
    /// # Errors
    /// [`ErrorKind::SubjectNotFound`], and those of [`enroll`](Self::enroll).
    pub fn erase(&self, subject: &SubjectId) -> Result<Erased> {
        self.store.write(|writer| {
            let at = writer.snapshot();
            self.state.at(&at, |ring, roster| {
                let known = roster.any(subject).ok_or_else(not_enrolled)?;
                erase_rows(ring, writer, &[known], Fate::Erased)
            })
        })
    }

    /// Erases everybody who has expired.
    ///
    /// # Errors
    /// Those of [`enroll`](Self::enroll).
    pub fn purge_expired(&self) -> Result<Erased> {
        let now = self.now()?;
        self.store.write(|writer| {
            let at = writer.snapshot();
            self.state.at(&at, |ring, roster| {
                let expired: Vec<_> = roster.everyone().filter(|it| it.is_expired(now)).collect();
                erase_rows(ring, writer, &expired, Fate::Expired)
            })
        })
    }

    fn enroll_batch<'a>(
        &self,
        templates: impl Iterator<Item = (&'a SubjectId, NewTemplate<'a>)>,
        progress: &mut dyn FnMut(usize),
    ) -> Result<Vec<Enrollment>> {
        let now = self.now()?;
        self.store.write(|writer| {
            let at = writer.snapshot();
            self.state.at(&at, |ring, roster| {
                let mut batch = Batch::new(self, ring, roster, now, writer)?;
                let mut outcomes = Vec::new();
                for (subject, template) in templates {
                    let outcome = match batch.duplicate(batch.row_of(subject), template)? {
                        Some(duplicate) => duplicate,
                        None => batch.add(subject, template)?,
                    };
                    outcomes.push(outcome);
                    progress(outcomes.len());
                }
                batch.finish()?;
                Ok(outcomes)
            })
        })
    }
}

fn erase_rows(
    ring: &Ring,
    writer: &mut Writer<'_>,
    subjects: &[&Known],
    fate: Fate,
) -> Result<Erased> {
    let mut erased = Erased { subjects: 0, templates: 0 };
    for known in subjects {
        origin::release(writer, ring.row, known.row, fate)?;
        erased.templates += ring.remove_person(writer, known.row)?;
        erased.subjects += 1;
    }
    if erased.subjects > 0 {
        let mut counts = ring.counts(&writer.snapshot())?;
        counts.subjects = counts.subjects.saturating_sub(erased.subjects);
        counts.templates = counts.templates.saturating_sub(erased.templates);
        ring.set_counts(writer, counts)?;
    }
    Ok(erased)
}

fn check_metadata(metadata: &str) -> Result<()> {
    if metadata.len() > METADATA {
        return Err(Error::new(
            ErrorKind::LimitReached,
            format!("the metadata has {} bytes, at most {METADATA} are kept", metadata.len()),
        ));
    }
    serde_json::from_str::<serde::de::IgnoredAny>(metadata).map(drop).map_err(|error| {
        Error::new(
            ErrorKind::InvalidArgument,
            format!("the metadata is not JSON (line {}, column {})", error.line(), error.column()),
        )
    })
}

/// Enrolments of one commit: who is there, and who comes with it.
struct Batch<'a, 'w> {
    tenant: &'a Tenant,
    ring: &'a Ring,
    roster: &'a Roster,
    now: i64,
    writer: &'a mut Writer<'w>,
    counts: super::record::Counts,
    started_with: super::record::Counts,
    pending: HashMap<SubjectId, Pending>,
    names: HashMap<i64, SubjectId>,
    fresh: HashMap<SpaceId, Index>,
}

/// A subject this commit adds to.
struct Pending {
    person: Person,
    templates: usize,
}

impl<'a, 'w> Batch<'a, 'w> {
    fn new(
        tenant: &'a Tenant,
        ring: &'a Ring,
        roster: &'a Roster,
        now: i64,
        writer: &'a mut Writer<'w>,
    ) -> Result<Self> {
        let counts = ring.counts(&writer.snapshot())?;
        Ok(Self {
            tenant,
            ring,
            roster,
            now,
            writer,
            counts,
            started_with: counts,
            pending: HashMap::new(),
            names: HashMap::new(),
            fresh: HashMap::new(),
        })
    }

    fn row_of(&self, subject: &SubjectId) -> Option<i64> {
        let pending = self.pending.get(subject).map(|pending| pending.person.row);
        pending.or_else(|| self.roster.find(subject, self.now).ok().map(|known| known.row))
    }

    /// Who else looks like `template`, by the policy.
    fn duplicate(&self, own: Option<i64>, template: NewTemplate<'_>) -> Result<Option<Enrollment>> {
        template.check()?;
        let template = template.template;
        let (_, index) = self.roster.space(template.space())?;
        let probe = template.embedding();
        if let Some(index) = index {
            index.check_dimension(probe)?;
        }
        let Some(threshold) = self.tenant.policy.duplicate_at else { return Ok(None) };
        let mut best: Option<(SubjectId, Similarity)> = None;
        let mut consider = |index: &Index, name: &dyn Fn(i64) -> Option<SubjectId>| {
            let allowed = |row| Some(row) != own && name(row).is_some();
            let found = best_subjects(index, probe, 1, threshold, allowed)?;
            if let Some((owner, similarity)) = found.first()
                && best.as_ref().is_none_or(|(_, held)| held < similarity)
                && let Some(subject) = name(owner.subject)
            {
                best = Some((subject, *similarity));
            }
            Ok::<_, Error>(())
        };
        if let Some(index) = index {
            consider(index, &|row| self.roster.alive(row, self.now).map(|it| it.id.clone()))?;
        }
        if let Some(index) = self.fresh.get(&template.space()) {
            consider(index, &|row| self.names.get(&row).cloned())?;
        }
        Ok(best.map(|(of, similarity)| Enrollment::Duplicate { of, similarity }))
    }

    /// Stores `template` for `subject`, within the limits.
    fn add(&mut self, subject: &SubjectId, template: NewTemplate<'_>) -> Result<Enrollment> {
        let policy = self.tenant.policy;
        let NewTemplate { template, picture } = template;
        let (space_row, _) = self.roster.space(template.space())?;
        if !self.pending.contains_key(subject) {
            let pending = self.begin(subject)?;
            self.pending.insert(subject.clone(), pending);
        }
        let Some(pending) = self.pending.get_mut(subject) else {
            return Err(Error::new(ErrorKind::Internal, "a pending subject is gone"));
        };
        if pending.templates >= policy.templates_per_subject {
            return Err(Error::new(
                ErrorKind::LimitReached,
                format!(
                    "the subject has {} templates, at most {} are allowed; remove or replace one",
                    pending.templates, policy.templates_per_subject
                ),
            ));
        }
        let record = Record {
            id: TemplateId::from_bytes(random()?),
            enrolled: self.now,
            embedding: template.embedding().clone(),
            picture,
        };
        let space = (space_row, template.space());
        self.ring.add_template(self.writer, &pending.person, space, &record)?;
        pending.templates += 1;
        self.counts.templates += 1;
        let row = pending.person.row;
        self.names.insert(row, subject.clone());
        self.fresh
            .entry(template.space())
            .or_insert_with(|| Index::new(record.embedding.dimension()))
            .insert(Owner { subject: row, template: record.id }, &record.embedding)?;
        Ok(Enrollment::Added { template: record.id })
    }

    /// Opens the row of `subject`, or makes one.
    fn begin(&mut self, subject: &SubjectId) -> Result<Pending> {
        match self.roster.any(subject) {
            Some(known) if !known.is_expired(self.now) => {
                let person = self.ring.known_person(&self.writer.snapshot(), known.row)?;
                return Ok(Pending { person, templates: known.templates.len() });
            }
            Some(expired) => {
                origin::release(self.writer, self.ring.row, expired.row, Fate::Expired)?;
                let templates = self.ring.remove_person(self.writer, expired.row)?;
                self.counts.subjects = self.counts.subjects.saturating_sub(1);
                self.counts.templates = self.counts.templates.saturating_sub(templates);
            }
            None => {}
        }
        let limit = self.tenant.policy.subjects_per_tenant;
        if self.counts.subjects >= limit {
            return Err(Error::new(
                ErrorKind::LimitReached,
                format!(
                    "the tenant has {} subjects, at most {limit} are allowed; erase some, or purge the \
                     expired",
                    self.counts.subjects
                ),
            ));
        }
        let row = self.writer.next_id()?;
        let person = self.ring.new_person(row, subject, self.now)?;
        self.ring.put_person(self.writer, &person, false)?;
        self.counts.subjects += 1;
        Ok(Pending { person, templates: 0 })
    }

    fn finish(self) -> Result<()> {
        if self.counts == self.started_with {
            return Ok(());
        }
        self.ring.set_counts(self.writer, self.counts)
    }
}
