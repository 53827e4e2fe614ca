//! Changes to a tenant: each call is one durable commit, or none at all.

mod details;
mod screen;

use std::collections::HashMap;

use self::details::describe;
use self::screen::Judged;
use super::format::Table;
use super::origin::{self, Fate};
use super::record::Record;
use super::ring::{Person, Ring};
use super::roster::{Known, Roster, not_enrolled};
use super::store::Writer;
use super::template::NewTemplate;
use super::tenant::{Details, Tenant};
use crate::crypto::random;
use crate::error::{Error, ErrorKind, Result};
use crate::id::{SpaceId, SubjectId, TemplateId};
use crate::index::{BATCH, Index, Owner};
use crate::vector::Similarity;

/// Near misses of one enrolment that are reported, at most.
const NEAR_MISSES: usize = 5;

/// What became of an enrolment. That somebody is there already is an outcome, not an error.
#[derive(Clone, Debug, PartialEq)]
#[expect(clippy::exhaustive_enums, reason = "a template is stored or it is not")]
pub enum Enrollment {
    /// It is stored, and on disk.
    Added {
        /// Its id.
        template: TemplateId,
        /// Other subjects who are nearly similar enough to be the same person, most similar first, five at most: see
        /// [`EnrollPolicy::near_miss_margin`]. Somebody may be there under two names.
        near_misses: Vec<(SubjectId, Similarity)>,
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
    near_miss_margin: f32,
    templates_per_subject: usize,
    subjects_per_tenant: u64,
}

impl Default for EnrollPolicy {
    /// Duplicates from a similarity of 0.6 on, near misses from 0.5 on, 10 templates per subject, 1,000,000 subjects.
    fn default() -> Self {
        Self {
            duplicate_at: Some(0.6),
            near_miss_margin: 0.1,
            templates_per_subject: 10,
            subjects_per_tenant: 1_000_000,
        }
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

    /// How far below [`duplicate_at`](Self::duplicate_at) the similarity to another subject may be for
    /// [`Enrollment::Added`] to report them as a near miss; 0 for no report. The default is 0.1. Where no duplicates are
    /// looked for, there are no near misses either.
    #[must_use]
    pub const fn near_miss_margin(mut self, margin: f32) -> Self {
        self.near_miss_margin = margin;
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
    /// under two names at once. Somebody who had expired starts afresh. [Details](NewTemplate::details) that come with the
    /// template are stored in the same commit.
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
        self.enroll_batch(&[(subject, template.into())], &mut |_| {})?
            .pop()
            .ok_or_else(|| Error::new(ErrorKind::Internal, "an enrolment has no outcome"))
    }

    /// [`enroll`](Self::enroll) for many templates in one durable commit: all of them, or none when one is
    /// refused with an error. Duplicates, within the batch too, are outcomes and do not stop it.
    /// `progress` is told after each how many of how many are done.
    ///
    /// Checking a batch of n templates against one another takes time in n², though 64 of them share each pass
    /// over the others; see [`EnrollPolicy::duplicate_at`].
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
        let all: Vec<_> =
            templates.iter().map(|(subject, template)| (subject, template.into())).collect();
        self.enroll_batch(&all, &mut |done| progress(done, templates.len()))
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
                let alike = batch.screen(&[(subject, template)])?.pop().unwrap_or_default();
                let alike = match batch.judge(alike, subject, template.template)? {
                    Judged::Duplicate { of, similarity } => {
                        return Ok(Enrollment::Duplicate { of, similarity });
                    }
                    Judged::Another { near_misses } => near_misses,
                };
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
                let outcome = batch.add(subject, template, alike)?;
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
        details.check()?;
        self.store.write(|writer| {
            let at = writer.snapshot();
            self.state.at(&at, |ring, roster| {
                let mut person = ring.known_person(&at, roster.find(subject, now)?.row)?;
                describe(&at, &mut person, details)?;
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

    fn enroll_batch(
        &self,
        templates: &[(&SubjectId, NewTemplate<'_>)],
        progress: &mut dyn FnMut(usize),
    ) -> Result<Vec<Enrollment>> {
        let now = self.now()?;
        self.store.write(|writer| {
            let at = writer.snapshot();
            self.state.at(&at, |ring, roster| {
                let mut batch = Batch::new(self, ring, roster, now, writer)?;
                let mut outcomes = Vec::new();
                for block in templates.chunks(BATCH) {
                    for ((subject, template), alike) in block.iter().zip(batch.screen(block)?) {
                        let outcome = match batch.judge(alike, subject, template.template)? {
                            Judged::Duplicate { of, similarity } => {
                                Enrollment::Duplicate { of, similarity }
                            }
                            Judged::Another { near_misses } => {
                                batch.add(subject, *template, near_misses)?
                            }
                        };
                        outcomes.push(outcome);
                        progress(outcomes.len());
                    }
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
    /// Rows of the subjects that were added to since the last screening.
    recent: Vec<i64>,
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
            recent: Vec::new(),
        })
    }

    fn row_of(&self, subject: &SubjectId) -> Option<i64> {
        let pending = self.pending.get(subject).map(|pending| pending.person.row);
        pending.or_else(|| self.roster.find(subject, self.now).ok().map(|known| known.row))
    }

    /// Stores `template` for `subject`, within the limits.
    fn add(
        &mut self,
        subject: &SubjectId,
        template: NewTemplate<'_>,
        near_misses: Vec<(SubjectId, Similarity)>,
    ) -> Result<Enrollment> {
        let policy = self.tenant.policy;
        let NewTemplate { template, picture, details } = template;
        let (space_row, _) = self.roster.space(template.space())?;
        if !self.pending.contains_key(subject) {
            let pending = self.begin(subject, details)?;
            self.pending.insert(subject.clone(), pending);
        }
        let Some(pending) = self.pending.get_mut(subject) else {
            return Err(Error::new(ErrorKind::Internal, "a pending subject is gone"));
        };
        if let Some(details) = details
            && describe(&self.writer.snapshot(), &mut pending.person, details)?
        {
            self.ring.put_person(self.writer, &pending.person, true)?;
        }
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
        self.recent.push(row);
        self.fresh
            .entry(template.space())
            .or_insert_with(|| Index::new(record.embedding.dimension()))
            .insert(Owner { subject: row, template: record.id }, &record.embedding)?;
        Ok(Enrollment::Added { template: record.id, near_misses })
    }

    /// Opens the row of `subject`, or makes one with `details`.
    fn begin(&mut self, subject: &SubjectId, details: Option<&Details>) -> Result<Pending> {
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
        let mut person = self.ring.new_person(row, subject, self.now)?;
        if let Some(details) = details {
            describe(&self.writer.snapshot(), &mut person, details)?;
        }
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
