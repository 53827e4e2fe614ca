//! Tenants: who is enrolled, and who a probe is.

mod outcome;
mod subject;
mod sync;

use std::process;
use std::sync::Arc;

use faceprint::gallery::{Details, NewTemplate};
use faceprint::{IndexKind, Query, SubjectId, Template, TemplateId, TenantId};
use pyo3::prelude::*;
use pyo3::types::{PyList, PyTuple};

pub(crate) use self::outcome::{
    Added, Ambiguous, Duplicate, DuplicatePair, Hit, Hits, IndexState, Match, NoMatch,
};
pub(crate) use self::subject::{StoredTemplate, Subject};
pub(crate) use self::sync::{Bundle, Changes, Imported, SubjectErased, SubjectUpdated};
use crate::callback::Progress;
use crate::error::{Failure, Result};
use crate::face::Place;
use crate::gallery::{Child, Children, Erased, SharedTenant};
use crate::process::Slot;
use crate::template::Probe;
use crate::time::Moment;

/// One customer, site or class of a gallery: enrols, finds and forgets people. ``Gallery.tenant`` makes it.
///
/// Subjects are named by strings of 1 to 255 bytes. People are loaded into memory at the first call that needs them,
/// about 2.7 kB per template of 512 values; keep the object, and share it between threads. Where a ``Template`` is taken,
/// a ``Sample`` or ``Face`` is too.
#[pyclass(frozen, module = "faceprint", name = "Tenant")]
pub(crate) struct PyTenant {
    tenant: SharedTenant,
    pub(crate) siblings: Arc<Children>,
    id: TenantId,
}

impl PyTenant {
    /// A tenant that is closed with `siblings`.
    pub(crate) fn new(tenant: SharedTenant, siblings: Arc<Children>, id: TenantId) -> Self {
        siblings.adopt(&(Arc::clone(&tenant) as Arc<dyn Child>));
        Self { tenant, siblings, id }
    }

    pub(crate) fn core(&self) -> Result<faceprint::Tenant> {
        self.tenant.get()
    }
}

#[pymethods]
impl PyTenant {
    /// Adds a template to ``subject``, who is enrolled if they are not yet: ``Added``, or ``Duplicate`` when somebody else
    /// looks the same. It is on disk when this returns.
    ///
    /// ``quality`` and ``landmarks`` are kept with the template; of a ``Sample`` or ``Face`` they are known already.
    /// ``metadata`` (anything that ``json.dumps`` takes, up to 64 KiB), ``consent`` (when the person agreed) and
    /// ``expires_at`` (from when on they are not found any more) are kept with the subject from now on, in the same commit:
    /// if any of them is given, in place of all that was.
    #[pyo3(signature = (
        subject, template, *, quality = None, landmarks = None, metadata = None, consent = None, expires_at = None
    ))]
    #[expect(clippy::too_many_arguments, reason = "they are keywords")]
    fn enroll(
        &self,
        py: Python<'_>,
        subject: &str,
        template: &Bound<'_, PyAny>,
        quality: Option<f32>,
        landmarks: Option<Place>,
        metadata: Option<&Bound<'_, PyAny>>,
        consent: Option<Moment>,
        expires_at: Option<Moment>,
    ) -> Result<Py<PyAny>> {
        let (tenant, id) = (self.core()?, subject.parse::<SubjectId>()?);
        let mut given = outcome::Given::from_python(template)?;
        given.quality = quality.or(given.quality);
        given.landmarks = landmarks.map(|it| it.0).or(given.landmarks);
        let details = subject::details(metadata, consent, expires_at)?;
        given.details = Some(details).filter(|it| *it != Details::default());
        let enrolled = py.detach(|| tenant.enroll(&id, given.new_template()))?;
        Ok(outcome::enrollment(py, enrolled)?)
    }

    /// ``enroll`` for many pairs of subject and template, in one commit: all of them, or none when one raises. Duplicates,
    /// within the batch too, are outcomes and do not stop it. ``progress(done, total)`` is called after each.
    #[pyo3(signature = (pairs, *, progress = None))]
    fn enroll_all<'py>(
        &self,
        py: Python<'py>,
        pairs: &Bound<'py, PyAny>,
        progress: Option<Py<PyAny>>,
    ) -> Result<Bound<'py, PyList>> {
        let tenant = self.core()?;
        let mut given = Vec::new();
        for pair in pairs.try_iter()? {
            let (subject, template): (String, Bound<'_, PyAny>) = pair?.extract()?;
            given.push((subject.parse::<SubjectId>()?, outcome::Given::from_python(&template)?));
        }
        let templates: Vec<(SubjectId, NewTemplate<'_>)> =
            given.iter().map(|(subject, it)| (subject.clone(), it.new_template())).collect();
        let progress = Progress::new(progress);
        let enrolled =
            py.detach(|| tenant.enroll_all(&templates, |done, all| progress.tell(done, all)))?;
        progress.finish()?;
        let enrolled = enrolled.into_iter().map(|it| outcome::enrollment(py, it));
        Ok(PyList::new(py, enrolled.collect::<PyResult<Vec<_>>>()?)?)
    }

    /// Puts ``template`` in the place of all that ``subject`` has in its space, unless it is a duplicate of somebody else.
    #[pyo3(signature = (subject, template, *, quality = None, landmarks = None))]
    fn replace(
        &self,
        py: Python<'_>,
        subject: &str,
        template: &Bound<'_, PyAny>,
        quality: Option<f32>,
        landmarks: Option<Place>,
    ) -> Result<Py<PyAny>> {
        let (tenant, id) = (self.core()?, subject.parse::<SubjectId>()?);
        let mut given = outcome::Given::from_python(template)?;
        given.quality = quality.or(given.quality);
        given.landmarks = landmarks.map(|it| it.0).or(given.landmarks);
        let enrolled = py.detach(|| tenant.replace(&id, given.new_template()))?;
        Ok(outcome::enrollment(py, enrolled)?)
    }

    /// The most similar people to ``probe``, most similar first, each with their best template: at most ``top``, with a
    /// similarity of ``at_least`` (``ModelPack.threshold_for``; -1 for everybody), and only ``among`` a roster of subjects
    /// if there is one. Nobody is missed, unless ``with_index`` allows it.
    #[pyo3(signature = (probe, *, at_least, top = 1, among = None))]
    fn identify(
        &self,
        py: Python<'_>,
        probe: Probe,
        at_least: f32,
        top: usize,
        among: Option<&Bound<'_, PyAny>>,
    ) -> Result<Hits> {
        let (tenant, query) = (self.core()?, query(at_least, top, among)?);
        let found = py.detach(|| tenant.identify(&probe.0, &query))?;
        Hits::make(py, found)
    }

    /// ``identify`` for many probes at once, in one pass over the gallery for up to 64 of them: the same answers, one
    /// for each probe.
    #[pyo3(signature = (probes, *, at_least, top = 1, among = None))]
    fn identify_all<'py>(
        &self,
        py: Python<'py>,
        probes: &Bound<'py, PyAny>,
        at_least: f32,
        top: usize,
        among: Option<&Bound<'_, PyAny>>,
    ) -> Result<Bound<'py, PyList>> {
        let (tenant, query) = (self.core()?, query(at_least, top, among)?);
        let mut templates: Vec<Template> = Vec::new();
        for probe in probes.try_iter()? {
            templates.push(probe?.extract::<Probe>()?.0);
        }
        let found = py.detach(|| tenant.identify_all(&templates, &query))?;
        let found = found.into_iter().map(|hits| Ok(Py::new(py, Hits::make(py, hits)?)?));
        Ok(PyList::new(py, found.collect::<Result<Vec<_>>>()?)?)
    }

    /// Who ``probe`` is: ``Match``, ``Ambiguous`` when the next one is closer to the best than ``margin`` (twins, doubles,
    /// one person under two names), or ``NoMatch``. ``top`` is how many an ``Ambiguous`` names at most, two at least.
    ///
    /// >>> match acme.decide(probe, at_least=threshold, margin=0.05):
    /// ...     case Match(subject, similarity): ...
    /// ...     case Ambiguous(hits): ...
    /// ...     case NoMatch(): ...
    #[pyo3(signature = (probe, *, at_least, margin = 0.0, top = 2, among = None))]
    fn decide(
        &self,
        py: Python<'_>,
        probe: Probe,
        at_least: f32,
        margin: f32,
        top: usize,
        among: Option<&Bound<'_, PyAny>>,
    ) -> Result<Py<PyAny>> {
        let (tenant, query) = (self.core()?, query(at_least, top, among)?.ambiguity_margin(margin));
        let verdict = py.detach(|| tenant.decide(&probe.0, &query))?;
        outcome::verdict(py, verdict)
    }

    /// The similarity of ``probe`` to the most similar template of ``subject``. Whether that is enough is your threshold to
    /// say.
    fn verify(&self, py: Python<'_>, subject: &str, probe: Probe) -> Result<f32> {
        let (tenant, id) = (self.core()?, subject.parse::<SubjectId>()?);
        Ok(py.detach(|| tenant.verify(&id, &probe.0))?.value())
    }

    /// Everybody who is enrolled and has not expired, in order.
    fn subjects(&self, py: Python<'_>) -> Result<Vec<String>> {
        let tenant = self.core()?;
        let subjects = py.detach(|| tenant.subjects())?;
        Ok(subjects.iter().map(ToString::to_string).collect())
    }

    /// What is stored of ``subject``, without the templates.
    fn subject(&self, py: Python<'_>, subject: &str) -> Result<Subject> {
        let (tenant, id) = (self.core()?, subject.parse::<SubjectId>()?);
        let found = py.detach(|| tenant.subject(&id))?;
        Subject::make(py, found)
    }

    /// The templates of ``subject``, oldest first, bit by bit as they were enrolled.
    fn templates<'py>(&self, py: Python<'py>, subject: &str) -> Result<Bound<'py, PyTuple>> {
        let (tenant, id) = (self.core()?, subject.parse::<SubjectId>()?);
        let found = py.detach(|| tenant.templates(&id))?;
        let found = found.into_iter().map(|it| Ok(Py::new(py, StoredTemplate::make(py, it)?)?));
        Ok(PyTuple::new(py, found.collect::<Result<Vec<_>>>()?)?)
    }

    /// Stores what is kept with ``subject`` in place of all that was: what is not given is gone.
    #[pyo3(signature = (subject, *, metadata = None, consent = None, expires_at = None))]
    fn set_details(
        &self,
        py: Python<'_>,
        subject: &str,
        metadata: Option<&Bound<'_, PyAny>>,
        consent: Option<Moment>,
        expires_at: Option<Moment>,
    ) -> Result<()> {
        let (tenant, id) = (self.core()?, subject.parse::<SubjectId>()?);
        let details = subject::details(metadata, consent, expires_at)?;
        Ok(py.detach(|| tenant.set_details(&id, &details))?)
    }

    /// Removes one template. A subject without templates stays, and is not found by their face.
    fn remove_template(&self, py: Python<'_>, subject: &str, template: &str) -> Result<()> {
        let (tenant, id) = (self.core()?, subject.parse::<SubjectId>()?);
        let template: TemplateId = template.parse()?;
        Ok(py.detach(|| tenant.remove_template(&id, &template))?)
    }

    /// Forgets ``subject``: key, templates and details go in one commit. ``Gallery.compact`` removes what the file still
    /// holds of the sealed bytes.
    fn erase(&self, py: Python<'_>, subject: &str) -> Result<Erased> {
        let (tenant, id) = (self.core()?, subject.parse::<SubjectId>()?);
        Ok(py.detach(|| tenant.erase(&id))?.into())
    }

    /// Erases everybody who has expired.
    fn purge_expired(&self, py: Python<'_>) -> Result<Erased> {
        let tenant = self.core()?;
        Ok(py.detach(|| tenant.purge_expired())?.into())
    }

    /// Pairs of subjects whose templates are similar by ``at_least`` or more, most similar first. The time grows with the
    /// square of the number of templates; ``progress(done, total)`` tells how far it is.
    #[pyo3(signature = (at_least, *, progress = None))]
    fn find_duplicates<'py>(
        &self,
        py: Python<'py>,
        at_least: f32,
        progress: Option<Py<PyAny>>,
    ) -> Result<Bound<'py, PyList>> {
        let tenant = self.core()?;
        let progress = Progress::new(progress);
        let found =
            py.detach(|| tenant.find_duplicates(at_least, |done, all| progress.tell(done, all)))?;
        progress.finish()?;
        let found = found.into_iter().map(|pair| Py::new(py, DuplicatePair::from(pair)));
        Ok(PyList::new(py, found.collect::<PyResult<Vec<_>>>()?)?)
    }

    /// The embedding spaces the gallery accepts, and how many subjects of this tenant are in each.
    fn spaces<'py>(&self, py: Python<'py>) -> Result<Bound<'py, PyTuple>> {
        let tenant = self.core()?;
        let reports = py.detach(|| tenant.spaces())?;
        crate::gallery::spaces(py, reports)
    }

    /// The same tenant, searched by an approximate index where that is faster and an audit on its own templates shows
    /// that it finds the most similar person for a share of ``target_recall`` (0.5 to 0.999) at least; with ``None``
    /// exactly, as it is by default. ``Hits.exact`` tells how an answer was found. It pays from several 100,000
    /// templates on, and is built in the background.
    #[pyo3(signature = (target_recall))]
    fn with_index(&self, target_recall: Option<f64>) -> Result<Self> {
        let kind = target_recall
            .map_or(IndexKind::Exact, |target_recall| IndexKind::Approximate { target_recall });
        let tenant = Arc::new(Slot::new("gallery", process::id(), self.core()?.with_index(kind)?));
        Ok(Self::new(tenant, Arc::clone(&self.siblings), self.id.clone()))
    }

    /// Where the index stands, for templates of ``space``. Asking begins its building.
    fn index_state(&self, py: Python<'_>, space: &str) -> Result<IndexState> {
        let (tenant, space) = (self.core()?, space.parse()?);
        Ok(py.detach(|| tenant.index_state(space))?.into())
    }

    /// A bundle of some people for a device, encrypted to it and signed by this gallery, see ``Gallery.device_key``. On the
    /// device they are gone from ``valid_until`` on. ``only`` these subjects, or everybody; ``since`` a bundle's cursor,
    /// only what changed after it.
    #[pyo3(signature = (device, valid_until, *, only = None, since = None))]
    fn export_bundle(
        &self,
        py: Python<'_>,
        device: &str,
        valid_until: Moment,
        only: Option<&Bound<'_, PyAny>>,
        since: Option<&str>,
    ) -> Result<Bundle> {
        let request = sync::request(device, valid_until, only.map(roster).transpose()?, since)?;
        let tenant = self.core()?;
        let bundle = py.detach(|| tenant.export_bundle(&request))?;
        Bundle::make(py, bundle)
    }

    /// Brings the people of a bundle in, in one commit. ``signer`` is the key of the office that is trusted, see
    /// ``Gallery.signer``. Late, twice or in another order: the latest version of each person stays.
    fn import_bundle(&self, py: Python<'_>, data: &[u8], signer: &str) -> Result<Imported> {
        let (tenant, signer) = (self.core()?, signer.parse()?);
        Ok(py.detach(|| tenant.import_bundle(data, &signer))?.into())
    }

    /// Up to ``limit`` people who changed after ``cursor``, the erased as well, and the cursor to go on from. Without a
    /// cursor from the beginning. For whoever keeps a copy elsewhere: ask until ``changes`` is empty.
    #[pyo3(signature = (cursor = None, *, limit = 1_000))]
    fn changes_since(&self, py: Python<'_>, cursor: Option<&str>, limit: usize) -> Result<Changes> {
        let (tenant, cursor) = (self.core()?, sync::cursor(cursor)?);
        let changes = py.detach(|| tenant.changes_since(&cursor, limit))?;
        Changes::make(py, changes)
    }

    /// The tenant's name.
    #[getter]
    fn name(&self) -> &str {
        self.id.as_str()
    }

    #[expect(clippy::unused_self, reason = "Python calls it on an object")]
    const fn __repr__(&self) -> &'static str {
        // Whose people they are may be personal too.
        "Tenant(..)"
    }
}

fn query(at_least: f32, top: usize, among: Option<&Bound<'_, PyAny>>) -> Result<Query> {
    let query = Query::top(top).at_least(at_least);
    Ok(match among {
        Some(names) => query.among(&roster(names)?),
        None => query,
    })
}

fn roster(names: &Bound<'_, PyAny>) -> Result<Vec<SubjectId>> {
    if names.is_instance_of::<pyo3::types::PyString>() {
        return Err(Failure::Type("a roster is a collection of subjects, not one".to_owned()));
    }
    names.try_iter()?.map(|name| Ok(name?.extract::<&str>()?.parse()?)).collect()
}
