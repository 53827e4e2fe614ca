//! Who a probe is.

use std::ffi::{CString, c_char, c_void};

use faceprint::matcher::IndexState;
use faceprint::{Hit, IndexKind, Query, SearchMethod, SpaceId, SubjectId, Verdict};

use crate::boundary::{Growing, Items, Options, Out, Text, User, call, free, need};
use crate::error::{Failure, faceprint_error, faceprint_status};
use crate::template::{all, faceprint_space_id, faceprint_template, faceprint_template_id};
use crate::tenant::faceprint_tenant;
use crate::text::{List, c_string};

/// Is told how many of how many are done.
pub type faceprint_progress =
    Option<unsafe extern "C-unwind" fn(user: *mut c_void, done: usize, all: usize)>;

/// Who a probe is.
#[repr(u32)]
#[derive(Clone, Copy, PartialEq, Eq)]
#[allow(clippy::exhaustive_enums, reason = "declared for C; calls give numbers")]
pub enum faceprint_verdict {
    /// Nobody is similar enough.
    NoMatch = 0,
    /// The one that is listed.
    Match = 1,
    /// One of those that are listed, which are too close to tell apart.
    Ambiguous = 2,
}

/// Where an approximate index stands; all states but the first mean exact answers.
#[repr(u32)]
#[derive(Clone, Copy, PartialEq, Eq)]
#[allow(clippy::exhaustive_enums, reason = "declared for C; calls give numbers")]
pub enum faceprint_index_state {
    /// It answers.
    Approximate = 0,
    /// None was asked for.
    Exact = 1,
    /// There are so few templates that the scan is faster.
    Small = 2,
    /// It is being built and audited in the background.
    Building = 3,
    /// It missed too many.
    Refused = 4,
    /// The graph library failed.
    Failed = 5,
}

/// Whom a search may find; FACEPRINT_QUERY_INIT.
#[repr(C)]
#[derive(Clone, Copy)]
#[allow(clippy::exhaustive_structs, reason = "C's; it grows by struct_size")]
pub struct faceprint_query {
    /// sizeof(faceprint_query).
    pub struct_size: usize,
    /// Subjects, at most. 1 by default.
    pub limit: usize,
    /// Only subjects that are this similar, -1 to 1; -1 by default, which is everybody.
    pub at_least: f32,
    /// For faceprint_tenant_decide: how much more similar the best must be than the next one.
    pub ambiguity_margin: f32,
    /// Only these subjects. NULL for everybody; with 0 of them nobody is found.
    pub among: Items<Text>,
    /// How many.
    pub among_len: usize,
}

/// One person a search found. The name lives as long as the list.
#[repr(C)]
#[derive(Clone, Copy)]
#[allow(clippy::exhaustive_structs, reason = "C's, and only read")]
pub struct faceprint_hit {
    /// Who.
    pub subject: *const c_char,
    /// How similar, -1 to 1.
    pub similarity: f32,
    /// Which of their templates.
    pub id: faceprint_template_id,
}

/// People a search found, most similar first.
pub struct faceprint_hits {
    hits: List<faceprint_hit>,
    audited_recall: f64,
}

/// Two subjects that look the same. The names live as long as the list.
#[repr(C)]
#[derive(Clone, Copy)]
#[allow(clippy::exhaustive_structs, reason = "C's, and only read")]
pub struct faceprint_pair {
    /// Who was enrolled first.
    pub subject: *const c_char,
    /// Whom they look like.
    pub other: *const c_char,
    /// How similar, -1 to 1.
    pub similarity: f32,
}

/// Subjects that look the same, most similar first.
pub struct faceprint_pairs(List<faceprint_pair>);

/// The people most similar to `probe`, each with their best template. `query` may be NULL.
#[unsafe(no_mangle)]
pub extern "C" fn faceprint_tenant_identify(
    tenant: Option<&faceprint_tenant>,
    probe: Option<&faceprint_template>,
    query: Options<faceprint_query>,
    hits: Out<*mut faceprint_hits>,
    error: Out<*mut faceprint_error>,
) -> faceprint_status {
    call(error, || {
        let hits = hits.check("hits")?;
        let query = query.read("query")?.query()?;
        let found = need(tenant, "tenant")?.tenant.identify(&need(probe, "probe")?.0, &query)?;
        hits.give(found.into());
        Ok(())
    })
}

/// faceprint_tenant_identify for `len` probes in one pass: `hits` has `len` places, all of which are filled, or none.
#[unsafe(no_mangle)]
pub extern "C" fn faceprint_tenant_identify_all(
    tenant: Option<&faceprint_tenant>,
    probes: Items<Option<&faceprint_template>>,
    len: usize,
    query: Options<faceprint_query>,
    hits: Out<*mut faceprint_hits>,
    error: Out<*mut faceprint_error>,
) -> faceprint_status {
    call(error, || {
        let hits = hits.check("hits")?;
        let query = query.read("query")?.query()?;
        let probes: Vec<_> = all(probes, len)?.into_iter().map(|it| it.0.clone()).collect();
        let found = need(tenant, "tenant")?.tenant.identify_all(&probes, &query)?;
        hits.put_all(found.into_iter().map(|it| Box::into_raw(Box::new(it.into()))));
        Ok(())
    })
}

/// Who `probe` is: a faceprint_verdict, and those it is about. Always exact.
#[unsafe(no_mangle)]
pub extern "C" fn faceprint_tenant_decide(
    tenant: Option<&faceprint_tenant>,
    probe: Option<&faceprint_template>,
    query: Options<faceprint_query>,
    verdict: Out<u32>,
    hits: Out<*mut faceprint_hits>,
    error: Out<*mut faceprint_error>,
) -> faceprint_status {
    call(error, || {
        let (verdict, hits) = (verdict.check("verdict")?, hits.check("hits")?);
        let query = query.read("query")?.query()?;
        let decided = need(tenant, "tenant")?.tenant.decide(&need(probe, "probe")?.0, &query)?;
        let (which, about) = match decided {
            Verdict::NoMatch => (faceprint_verdict::NoMatch, Vec::new()),
            Verdict::Match(hit) => (faceprint_verdict::Match, vec![hit]),
            Verdict::Ambiguous(close) => (faceprint_verdict::Ambiguous, close),
        };
        verdict.put(which as u32);
        hits.give(shown(&about, 1.0));
        Ok(())
    })
}

/// The similarity of `probe` to the most similar template of `subject`. Whether that is enough is the caller's threshold
/// to say.
#[unsafe(no_mangle)]
pub extern "C" fn faceprint_tenant_verify(
    tenant: Option<&faceprint_tenant>,
    subject: Text,
    probe: Option<&faceprint_template>,
    similarity: Out<f32>,
    error: Out<*mut faceprint_error>,
) -> faceprint_status {
    call(error, || {
        let similarity = similarity.check("similarity")?;
        let subject: SubjectId = subject.get("subject")?.parse()?;
        let found = need(tenant, "tenant")?.tenant.verify(&subject, &need(probe, "probe")?.0)?;
        similarity.put(found.value());
        Ok(())
    })
}

/// Pairs of subjects that are similar by `at_least` or more. `progress` may be NULL.
#[unsafe(no_mangle)]
pub extern "C" fn faceprint_tenant_find_duplicates(
    tenant: Option<&faceprint_tenant>,
    at_least: f32,
    progress: faceprint_progress,
    user: *mut c_void,
    pairs: Out<*mut faceprint_pairs>,
    error: Out<*mut faceprint_error>,
) -> faceprint_status {
    call(error, || {
        let (pairs, user) = (pairs.check("pairs")?, User(user));
        let say = |done, all| tell(progress, user, done, all);
        let found = need(tenant, "tenant")?.tenant.find_duplicates(at_least, say)?;
        let names = found.iter().map(|(one, other, _)| [c_string(one), c_string(other)]);
        let names: Vec<[CString; 2]> = names.collect();
        let shown = found.iter().zip(&names).map(|((.., similarity), [one, other])| {
            let (subject, other) = (one.as_ptr(), other.as_ptr());
            faceprint_pair { subject, other, similarity: similarity.value() }
        });
        let shown = shown.collect();
        pairs.give(faceprint_pairs(List::new(shown, names.into_iter().flatten().collect())));
        Ok(())
    })
}

/// Another handle of the tenant, searched by a graph that finds the most similar person for a share of `target_recall`
/// (0.5 to 0.999) of hard probes at least; 0 for the exact scan, which is the default.
#[unsafe(no_mangle)]
pub extern "C" fn faceprint_tenant_with_index(
    tenant: Option<&faceprint_tenant>,
    target_recall: f64,
    other: Out<*mut faceprint_tenant>,
    error: Out<*mut faceprint_error>,
) -> faceprint_status {
    call(error, || {
        let other = other.check("other")?;
        let exact = target_recall == 0.0;
        let kind = if exact { IndexKind::Exact } else { IndexKind::Approximate { target_recall } };
        other.give(need(tenant, "tenant")?.tenant.clone().with_index(kind)?.into());
        Ok(())
    })
}

/// Where the index of this handle stands for templates of `space`: a faceprint_index_state. Asking begins its building.
#[unsafe(no_mangle)]
pub extern "C" fn faceprint_tenant_index_state(
    tenant: Option<&faceprint_tenant>,
    space: Option<&faceprint_space_id>,
    state: Out<u32>,
    error: Out<*mut faceprint_error>,
) -> faceprint_status {
    call(error, || {
        let state = state.check("state")?;
        let space = SpaceId::from_bytes(need(space, "space")?.bytes);
        let found = match need(tenant, "tenant")?.tenant.index_state(space)? {
            IndexState::Approximate { .. } => faceprint_index_state::Approximate,
            IndexState::Exact => faceprint_index_state::Exact,
            IndexState::Small { .. } => faceprint_index_state::Small,
            IndexState::Building => faceprint_index_state::Building,
            IndexState::Refused { .. } => faceprint_index_state::Refused,
            _ => faceprint_index_state::Failed,
        };
        state.put(found as u32);
        Ok(())
    })
}

/// How many people were found.
#[unsafe(no_mangle)]
pub extern "C" fn faceprint_hits_len(hits: Option<&faceprint_hits>) -> usize {
    List::len(hits.map(|it| &it.hits))
}

/// One of them; NULL from the length on.
#[unsafe(no_mangle)]
pub extern "C" fn faceprint_hits_at(
    hits: Option<&faceprint_hits>,
    index: usize,
) -> *const faceprint_hit {
    List::at(hits.map(|it| &it.hits), index)
}

/// 1 for an exact answer; otherwise the share of probes whose most similar person is found, as audited.
#[unsafe(no_mangle)]
pub extern "C" fn faceprint_hits_audited_recall(hits: Option<&faceprint_hits>) -> f64 {
    hits.map_or(0.0, |hits| hits.audited_recall)
}

/// Frees a list.
#[unsafe(no_mangle)]
pub extern "C" fn faceprint_hits_free(hits: Option<Box<faceprint_hits>>) {
    free(hits);
}

/// How many pairs there are.
#[unsafe(no_mangle)]
pub extern "C" fn faceprint_pairs_len(pairs: Option<&faceprint_pairs>) -> usize {
    List::len(pairs.map(|it| &it.0))
}

/// One of them; NULL from the length on.
#[unsafe(no_mangle)]
pub extern "C" fn faceprint_pairs_at(
    pairs: Option<&faceprint_pairs>,
    index: usize,
) -> *const faceprint_pair {
    List::at(pairs.map(|it| &it.0), index)
}

/// Frees a list.
#[unsafe(no_mangle)]
pub extern "C" fn faceprint_pairs_free(pairs: Option<Box<faceprint_pairs>>) {
    free(pairs);
}

// SAFETY: repr(C), `struct_size` first, then numbers and a pointer.
unsafe impl Growing for faceprint_query {
    fn defaults() -> Self {
        Self {
            struct_size: size_of::<Self>(),
            limit: 1,
            at_least: -1.0,
            ambiguity_margin: 0.0,
            among: Items::NULL,
            among_len: 0,
        }
    }
}

impl faceprint_query {
    fn query(&self) -> Result<Query, Failure> {
        let query =
            Query::top(self.limit).at_least(self.at_least).ambiguity_margin(self.ambiguity_margin);
        if self.among.is_null() {
            return Ok(query);
        }
        Ok(query.among(&subjects(self.among, self.among_len)?))
    }
}

/// Names of the caller.
pub(crate) fn subjects(names: Items<Text>, len: usize) -> Result<Vec<SubjectId>, Failure> {
    let names = names.slice(len, "subjects")?.iter();
    names.map(|name| Ok(name.get("a subject")?.parse()?)).collect()
}

/// Calls a callback, if there is one.
pub(crate) fn tell(progress: faceprint_progress, User(user): User, done: usize, all: usize) {
    if let Some(progress) = progress {
        // SAFETY: the function was given as one of this type, and `user` with it.
        unsafe { progress(user, done, all) };
    }
}

impl From<faceprint::Hits> for faceprint_hits {
    fn from(hits: faceprint::Hits) -> Self {
        let recall = match hits.method() {
            SearchMethod::Exact => 1.0,
            SearchMethod::Approximate { audited_recall } => audited_recall,
        };
        shown(&hits, recall)
    }
}

fn shown(found: &[Hit], audited_recall: f64) -> faceprint_hits {
    let names: Vec<CString> = found.iter().map(|hit| c_string(&hit.subject)).collect();
    let hits = found.iter().zip(&names).map(|(hit, name)| faceprint_hit {
        subject: name.as_ptr(),
        similarity: hit.similarity.value(),
        id: hit.template.into(),
    });
    let hits = hits.collect();
    faceprint_hits { hits: List::new(hits, names), audited_recall }
}
