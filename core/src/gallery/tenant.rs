//! One tenant: who is enrolled, and who a probe is.

use std::fmt;
use std::sync::{Arc, RwLock};
use std::time::SystemTime;

use super::changes::SubjectRef;
use super::enroll::EnrollPolicy;
use super::identity::Identity;
use super::record::{millis_from_time, time_from_millis};
use super::roster::{Roster, TenantState};
use super::store::Store;
use super::template::StoredTemplate;
use crate::error::{Error, ErrorKind, Result};
use crate::id::{SpaceId, SubjectId, TenantId};
use crate::index::{Answer, Index, Memory, Read, Search};
use crate::matcher::{Hit, Hits, IndexKind, IndexState, Query, SearchMethod, Verdict};
use crate::vector::{Similarity, Template};

/// What tells the time, for expiry and for the times of enrolment.
pub(super) type Clock = Arc<dyn Fn() -> SystemTime + Send + Sync>;

/// One customer, site or class of a gallery: enrols, finds and forgets people. Cheap to clone, usable from
/// several threads, and it carries no key of another tenant.
///
/// Each call sees every commit made before it, by whichever process. People are loaded into memory at the
/// first call that needs them: about 2.7 kB per template of 512 values, or 0.6 kB where memory is short
/// ([`Gallery::with_memory`](super::Gallery::with_memory)), and 0.5 kB per person, wiped when the last handle goes.
#[derive(Clone)]
pub struct Tenant {
    pub(super) id: TenantId,
    pub(super) store: Arc<Store>,
    pub(super) state: Arc<TenantState>,
    pub(super) policy: EnrollPolicy,
    pub(super) kind: IndexKind,
    pub(super) clock: Clock,
    pub(super) identity: Arc<RwLock<Identity>>,
}

impl Tenant {
    /// The same tenant with other rules for enrolment through this handle. They are not stored.
    #[must_use]
    pub const fn with_policy(mut self, policy: EnrollPolicy) -> Self {
        self.policy = policy;
        self
    }

    /// The same tenant searched in another way through this handle; exact by default. An approximate index is built
    /// in the background when the first call asks for it, in memory only, one for each embedding space, and shared
    /// by the handles that ask for one. It takes about 5 kB per template of 512 values, and answers when an
    /// audit against the scan has shown that it keeps the promise; see
    /// [`Hits::method`] and [`index_state`](Self::index_state). What is enrolled or removed meanwhile counts at
    /// once. Queries [`among`](Query::among) a roster, and several probes at once, are always exact.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidArgument`] for a target out of range; [`ErrorKind::Unsupported`] for an approximate
    /// index in a build without the feature `hnsw`, and of a tenant with [`Memory::Lean`].
    pub fn with_index(mut self, kind: IndexKind) -> Result<Self> {
        self.kind = kind.check()?;
        if self.kind != IndexKind::Exact && self.state.memory == Memory::Lean {
            return Err(Error::new(
                ErrorKind::Unsupported,
                "an approximate index needs all values in memory; open the gallery with Memory::Full, or ask \
                 for IndexKind::Exact",
            ));
        }
        Ok(self)
    }

    /// Where the index of this handle's [kind](Self::with_index) stands, for templates of `space`. Asking begins
    /// its building, if it is to be built.
    ///
    /// # Errors
    /// Those of [`identify`](Self::identify).
    pub fn index_state(&self, space: SpaceId) -> Result<IndexState> {
        let roster = self.state.current(&self.store)?;
        let (_, Some(index)) = roster.space(space)? else { return Ok(IndexState::Exact) };
        self.prepare(self.kind, space, index);
        Ok(index.state(self.kind))
    }

    /// Whose people these are.
    #[must_use]
    pub const fn id(&self) -> &TenantId {
        &self.id
    }

    /// The most similar people to `probe`, most similar first, each with their best template. Only templates
    /// of the probe's own space are compared, and expired people are not found. Nobody is missed, unless the
    /// [kind of index](Self::with_index) allows it; the similarities are exact in any case.
    ///
    /// # Errors
    /// [`ErrorKind::SpaceMismatch`] for a probe of a space the gallery does not accept;
    /// [`ErrorKind::TenantNotFound`], [`ErrorKind::WrongKey`] and [`ErrorKind::Integrity`] when the tenant was
    /// erased, or the gallery rekeyed elsewhere or damaged.
    pub fn identify(&self, probe: &Template, query: &Query) -> Result<Hits> {
        let all = self.identify_all(std::slice::from_ref(probe), query)?;
        let none = || Hits::new(Vec::new(), SearchMethod::Exact);
        Ok(all.into_iter().next().unwrap_or_else(none))
    }

    /// [`identify`](Self::identify) for many probes at once: the same answers, one for each probe, from one
    /// pass over the gallery for up to 64 of them. Probes of several spaces may be mixed.
    ///
    /// # Errors
    /// Those of [`identify`](Self::identify).
    pub fn identify_all(&self, probes: &[Template], query: &Query) -> Result<Vec<Hits>> {
        self.find(probes, query, self.kind)
    }

    /// Who `probe` is: one subject that is similar enough and leads the next one by the
    /// [margin](Query::ambiguity_margin), several that are too close to tell apart, or nobody. Always exact: an
    /// approximate index may miss the rival.
    ///
    /// # Errors
    /// Those of [`identify`](Self::identify).
    pub fn decide(&self, probe: &Template, query: &Query) -> Result<Verdict> {
        let hits =
            self.find(std::slice::from_ref(probe), &query.with_rivals(), IndexKind::Exact)?;
        Ok(query.verdict(hits.into_iter().flatten().collect()))
    }

    /// The similarity of `probe` to the most similar template of `subject` in the probe's space. Whether that is
    /// enough is the caller's threshold to say.
    ///
    /// # Errors
    /// [`ErrorKind::SubjectNotFound`] for somebody who is not enrolled or has expired,
    /// [`ErrorKind::TemplateNotFound`] for somebody without a template in this space, and those of
    /// [`identify`](Self::identify).
    pub fn verify(&self, subject: &SubjectId, probe: &Template) -> Result<Similarity> {
        let now = self.now()?;
        let best = self.state.search(&self.store, |roster, read| {
            let (_, index) = roster.space(probe.space())?;
            let row = roster.find(subject, now)?.row;
            let Some(index) = index else { return Ok(Vec::new()) };
            let search = Search { among: Some(&[row]), ..Search::top(1) };
            index.search_by(&[probe.embedding().as_slice()], &search, read)
        })?;
        best.iter().flatten().next().map(|(_, similarity)| *similarity).ok_or_else(|| {
            Error::new(
                ErrorKind::TemplateNotFound,
                format!("the subject has no template in space {:.8}; enrol one", probe.space()),
            )
        })
    }

    /// Everybody who is enrolled and has not expired, in order of their ids' bytes.
    ///
    /// # Errors
    /// Those of [`identify`](Self::identify).
    pub fn subjects(&self) -> Result<Vec<SubjectId>> {
        let now = self.now()?;
        let roster = self.state.current(&self.store)?;
        let alive = roster.everyone().filter(|known| !known.is_expired(now));
        let mut subjects: Vec<_> = alive.map(|known| known.id.clone()).collect();
        subjects.sort_unstable();
        Ok(subjects)
    }

    /// What is stored of `subject`.
    ///
    /// # Errors
    /// [`ErrorKind::SubjectNotFound`], and those of [`identify`](Self::identify).
    pub fn subject(&self, subject: &SubjectId) -> Result<Subject> {
        let now = self.now()?;
        self.store.read(|at| {
            self.state.at(at, |ring, roster| {
                let known = roster.find(subject, now)?;
                let profile = ring.known_person(at, known.row)?.profile;
                Ok(Subject {
                    id: known.id.clone(),
                    reference: SubjectRef::new(at.gallery, known.row),
                    enrolled_at: time_from_millis(profile.enrolled),
                    templates: known.templates.len(),
                    details: Details {
                        metadata: profile.metadata,
                        consent: profile.consent.map(time_from_millis),
                        expires_at: profile.expires.map(time_from_millis),
                    },
                })
            })
        })
    }

    /// The templates of `subject` in all spaces, oldest first, bit by bit as they were enrolled.
    ///
    /// # Errors
    /// [`ErrorKind::SubjectNotFound`], and those of [`identify`](Self::identify).
    pub fn templates(&self, subject: &SubjectId) -> Result<Vec<StoredTemplate>> {
        let now = self.now()?;
        self.store.read(|at| {
            self.state.at(at, |ring, roster| {
                let row = roster.find(subject, now)?.row;
                let person = ring.known_person(at, row)?;
                let stored = ring.templates(at, &person, &roster.spaces)?;
                let opened = stored.into_iter().map(|stored| StoredTemplate {
                    id: stored.record.id,
                    enrolled_at: time_from_millis(stored.record.enrolled),
                    quality: stored.record.picture.quality,
                    landmarks: stored.record.picture.landmarks,
                    template: Template::new(stored.record.embedding, stored.space),
                });
                Ok(opened.collect())
            })
        })
    }

    fn find(&self, probes: &[Template], query: &Query, kind: IndexKind) -> Result<Vec<Hits>> {
        let now = self.now()?;
        self.state.search(&self.store, |roster, read| {
            self.find_in(roster, probes, query, kind, (now, read))
        })
    }

    /// [`find`](Self::find) at a time, with what reads values that are not in memory.
    fn find_in(
        &self,
        roster: &Roster,
        probes: &[Template],
        query: &Query,
        kind: IndexKind,
        (now, read): (i64, Read<'_>),
    ) -> Result<Vec<Hits>> {
        let among: Option<Vec<i64>> =
            query.roster().map(|it| it.iter().filter_map(|id| Some(roster.any(id)?.row)).collect());
        let mut hits = vec![Hits::new(Vec::new(), SearchMethod::Exact); probes.len()];
        let mut left: Vec<usize> = (0..probes.len()).collect();
        while let Some(space) = left.first().map(|first| probes[*first].space()) {
            let (these, others): (Vec<_>, _) =
                left.into_iter().partition(|it| probes[*it].space() == space);
            left = others;
            let (_, Some(index)) = roster.space(space)? else { continue };
            let search = Search {
                at_least: query.threshold(),
                among: among.as_deref(),
                allowed: &|_, row| roster.alive(row, now).is_some(),
                ..Search::top(query.limit())
            };
            self.prepare(kind, space, index);
            let vectors: Vec<_> =
                these.iter().map(|it| probes[*it].embedding().as_slice()).collect();
            let found = index.answer(&vectors, &search, kind, read)?;
            for (probe, Answer { best, method }) in these.into_iter().zip(found) {
                let best = best.into_iter().filter_map(|(owner, similarity)| {
                    let subject = roster.alive(owner.subject, now)?.id.clone();
                    Some(Hit { subject, template: owner.template, similarity })
                });
                hits[probe] = Hits::new(best.collect(), method);
            }
        }
        Ok(hits)
    }

    /// Has what `kind` needs made. The job must not keep the tenant in memory.
    #[cfg(feature = "hnsw")]
    fn prepare(&self, kind: IndexKind, space: SpaceId, index: &Index) {
        index.prepare(kind, || {
            let state = Arc::downgrade(&self.state);
            Box::new(move |work| {
                if let Some(state) = state.upgrade() {
                    state.with_index(space, work);
                }
            })
        });
    }

    #[cfg(not(feature = "hnsw"))]
    fn prepare(&self, _: IndexKind, _: SpaceId, _: &Index) {}

    pub(super) fn now(&self) -> Result<i64> {
        millis_from_time((self.clock)())
    }
}

impl fmt::Debug for Tenant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tenant").field("id", &self.id).finish_non_exhaustive()
    }
}

/// What is stored of a person besides templates.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Subject {
    /// Who.
    pub id: SubjectId,
    /// Which enrolment of them this is; it stays the same until they are erased.
    pub reference: SubjectRef,
    /// When the first template was enrolled; milliseconds are kept.
    pub enrolled_at: SystemTime,
    /// How many templates there are, in all spaces.
    pub templates: usize,
    /// What the caller keeps with them.
    pub details: Details,
}

/// What a caller keeps with a subject. `Debug` does not show the metadata.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Details {
    /// JSON, 65,536 bytes at most. It is kept as it is written.
    pub metadata: Option<String>,
    /// When the person agreed to be enrolled; milliseconds are kept.
    pub consent: Option<SystemTime>,
    /// From when on the person is not found, listed or verified any more; milliseconds are kept.
    /// [`purge_expired`](Tenant::purge_expired) erases who has expired.
    pub expires_at: Option<SystemTime>,
}

impl fmt::Debug for Details {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Details")
            .field("metadata", &self.metadata.as_ref().map(|it| format!("{} bytes", it.len())))
            .field("consent", &self.consent)
            .field("expires_at", &self.expires_at)
            .finish()
    }
}

#[cfg(all(test, feature = "hnsw"))]
mod tests;
