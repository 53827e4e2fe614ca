//! Galleries.

mod info;

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use faceprint::gallery::{EnrollPolicy, HeadToken, Memory, SlotKind, Stranded};
use faceprint::{Gallery, SpaceId, Tenant, TenantId};
use pyo3::prelude::*;
use pyo3::types::PyTuple;

pub(crate) use self::info::{Erased, GalleryInfo, SlotInfo, SpaceReport, spaces};
use crate::access::access;
use crate::error::{Failure, Result};
use crate::process::{Slot, closed};
use crate::tenant::PyTenant;
use crate::time::Span;

/// People in one encrypted file, for any number of tenants.
///
/// ``Gallery.create`` makes one, ``Gallery.open`` opens it and verifies that nothing in it was changed. Each needs one way
/// in: ``passphrase``, ``key`` (32 bytes that you keep), or ``provider`` (a ``KeyProvider``, for a key in a KMS). ``cost``
/// sets what a guess of the passphrase costs: memory in KiB, passes, lanes.
///
/// What a call enrolled or erased is on disk when it returns. Several threads and processes may use one file at once:
/// each process opens it itself (after a fork too), one writes at a time, and every call sees what was committed before
/// it. The file must be on a local disk.
///
/// A gallery is a context manager: it is closed at the end, with its tenants and streams, and what was in memory is
/// wiped.
#[pyclass(frozen, module = "faceprint", name = "Gallery")]
pub(crate) struct PyGallery {
    path: PathBuf,
    gallery: Slot<Gallery>,
    /// What has to be closed with it.
    children: Arc<Children>,
}

/// What was made of a gallery and has to be closed with it. Locked with the GIL only, see `process`.
#[derive(Default)]
pub(crate) struct Children(Mutex<Vec<Weak<dyn Child>>>);

/// What holds a part of a gallery open.
pub(crate) trait Child: Send + Sync {
    /// What it holds, to be dropped without the GIL.
    fn take_out(&self) -> Option<Box<dyn Send>>;
}

impl<T: Send + 'static> Child for Slot<T> {
    fn take_out(&self) -> Option<Box<dyn Send>> {
        self.take().map(|value| Box::new(value) as Box<dyn Send>)
    }
}

/// A tenant, and what is to be closed when its gallery is.
pub(crate) type SharedTenant = Arc<Slot<Tenant>>;

#[pymethods]
impl PyGallery {
    /// Makes a gallery at ``path``, readable by its owner only, that accepts templates of ``space``.
    #[staticmethod]
    #[pyo3(signature = (path, *, space, passphrase = None, key = None, provider = None, cost = None))]
    fn create(
        py: Python<'_>,
        path: PathBuf,
        space: &str,
        passphrase: Option<&str>,
        key: Option<&[u8]>,
        provider: Option<Py<PyAny>>,
        cost: Option<(u32, u32, u32)>,
    ) -> Result<Self> {
        let (access, space) = (access(passphrase, key, provider, cost)?, space.parse::<SpaceId>()?);
        let gallery = py.detach(|| Gallery::create(&path, &access, space))?;
        Ok(Self::around(path, gallery))
    }

    /// Opens the gallery at ``path`` and verifies every row: ``IntegrityError`` when one is missing, added or changed.
    ///
    /// With ``lean_memory`` it holds a fifth of each template in memory and reads the values that decide from the file:
    /// the same answers, slower, and without graphs (``Tenant.with_index``).
    #[staticmethod]
    #[pyo3(signature = (path, *, passphrase = None, key = None, provider = None, read_only = false, lean_memory = false))]
    fn open(
        py: Python<'_>,
        path: PathBuf,
        passphrase: Option<&str>,
        key: Option<&[u8]>,
        provider: Option<Py<PyAny>>,
        read_only: bool,
        lean_memory: bool,
    ) -> Result<Self> {
        let access = access(passphrase, key, provider, None)?;
        let memory = if lean_memory { Memory::Lean } else { Memory::Full };
        let gallery = py.detach(|| {
            if read_only {
                return Gallery::open_read_only(&path, &access);
            }
            Gallery::open(&path, &access)
        })?;
        Ok(Self::around(path, gallery.with_memory(memory)))
    }

    /// The tenant ``name``, one customer, site or class of the gallery. It is made if it is not there yet.
    ///
    /// The rules of enrolment through this object, which are not stored: ``duplicate_at``, the similarity from which on
    /// another subject's template is a duplicate (``None``: no check); ``near_miss_margin``, how far below it somebody
    /// is reported as a near miss; ``templates_per_subject`` and
    /// ``subjects_per_tenant``, limits.
    #[pyo3(
        signature = (
            name, *, duplicate_at = Some(0.6), near_miss_margin = 0.1, templates_per_subject = 10, subjects_per_tenant = 1_000_000
        ),
        text_signature = "(self, name, *, duplicate_at=0.6, near_miss_margin=0.1, templates_per_subject=10, subjects_per_tenant=1000000)"
    )]
    fn tenant(
        &self,
        py: Python<'_>,
        name: &str,
        duplicate_at: Option<f32>,
        near_miss_margin: f32,
        templates_per_subject: usize,
        subjects_per_tenant: u64,
    ) -> Result<PyTenant> {
        let (gallery, id) = (self.gallery.get()?, name.parse::<TenantId>()?);
        let policy = EnrollPolicy::default()
            .duplicate_at(duplicate_at)
            .near_miss_margin(near_miss_margin)
            .templates_per_subject(templates_per_subject)
            .subjects_per_tenant(subjects_per_tenant);
        let tenant = py.detach(|| gallery.tenant(&id))?.with_policy(policy);
        let tenant: SharedTenant = Arc::new(Slot::new("gallery", std::process::id(), tenant));
        if !self.gallery.is_open() {
            return Err(closed("gallery"));
        }
        Ok(PyTenant::new(tenant, Arc::clone(&self.children), id))
    }

    /// The names of the tenants there are, in order.
    fn tenants(&self, py: Python<'_>) -> Result<Vec<String>> {
        let gallery = self.gallery.get()?;
        let tenants = py.detach(|| gallery.tenants())?;
        Ok(tenants.iter().map(ToString::to_string).collect())
    }

    /// Forgets a tenant with everybody in it.
    fn erase_tenant(&self, py: Python<'_>, name: &str) -> Result<Erased> {
        let (gallery, id) = (self.gallery.get()?, name.parse::<TenantId>()?);
        Ok(py.detach(|| gallery.erase_tenant(&id))?.into())
    }

    /// Puts a new way in in the place of the one this gallery was opened with. Immediate. When a key may have been
    /// *seen*, ``rekey`` is the answer.
    #[pyo3(signature = (*, passphrase = None, key = None, provider = None, cost = None))]
    fn rotate_key(
        &self,
        py: Python<'_>,
        passphrase: Option<&str>,
        key: Option<&[u8]>,
        provider: Option<Py<PyAny>>,
        cost: Option<(u32, u32, u32)>,
    ) -> Result<()> {
        let (gallery, access) = (self.gallery.get()?, access(passphrase, key, provider, cost)?);
        Ok(py.detach(|| gallery.rotate_key(&access))?)
    }

    /// Makes every key anew and seals everything again; what is given becomes the only way in. One commit: when it is
    /// interrupted, the gallery is as before. Other processes have to open it again.
    #[pyo3(signature = (*, passphrase = None, key = None, provider = None, cost = None))]
    fn rekey(
        &self,
        py: Python<'_>,
        passphrase: Option<&str>,
        key: Option<&[u8]>,
        provider: Option<Py<PyAny>>,
        cost: Option<(u32, u32, u32)>,
    ) -> Result<()> {
        let (gallery, access) = (self.gallery.get()?, access(passphrase, key, provider, cost)?);
        Ok(py.detach(|| gallery.rekey(&access))?)
    }

    /// Adds a way in, and gives its number.
    #[pyo3(signature = (*, passphrase = None, key = None, provider = None, cost = None))]
    fn add_access(
        &self,
        py: Python<'_>,
        passphrase: Option<&str>,
        key: Option<&[u8]>,
        provider: Option<Py<PyAny>>,
        cost: Option<(u32, u32, u32)>,
    ) -> Result<i64> {
        let (gallery, access) = (self.gallery.get()?, access(passphrase, key, provider, cost)?);
        let id = py.detach(|| gallery.add_access(&access))?;
        info::slot_number(id)
    }

    /// Closes the way in with that number. Who kept the root key or an older copy of the file is kept out by ``rekey``
    /// only.
    fn remove_access(&self, py: Python<'_>, slot: i64) -> Result<()> {
        let gallery = self.gallery.get()?;
        py.detach(|| {
            let slots = gallery.slots()?;
            let found = slots.iter().find(|it| it.id.to_string() == slot.to_string());
            let Some(found) = found else {
                return Err(Failure::Argument(format!("there is no access slot {slot}")));
            };
            Ok(gallery.remove_access(found.id)?)
        })
    }

    /// The ways in, oldest first.
    fn slots<'py>(&self, py: Python<'py>) -> Result<Bound<'py, PyTuple>> {
        let gallery = self.gallery.get()?;
        let slots = py.detach(|| gallery.slots())?;
        info::slots(py, slots)
    }

    /// What is in the gallery, by numbers.
    fn info(&self, py: Python<'_>) -> Result<GalleryInfo> {
        let gallery = self.gallery.get()?;
        let found = py.detach(|| gallery.info())?;
        GalleryInfo::make(py, found)
    }

    /// Reads and opens everything there is; ``IntegrityError`` says what is wrong first.
    fn check(&self, py: Python<'_>) -> Result<()> {
        let gallery = self.gallery.get()?;
        Ok(py.detach(|| gallery.check())?)
    }

    /// Gives free space back and removes every byte of what was erased.
    fn compact(&self, py: Python<'_>) -> Result<()> {
        let gallery = self.gallery.get()?;
        Ok(py.detach(|| gallery.compact())?)
    }

    /// Writes a copy to ``to``, while readers and writers go on.
    fn backup(&self, py: Python<'_>, to: PathBuf) -> Result<()> {
        let gallery = self.gallery.get()?;
        Ok(py.detach(|| gallery.backup(&to))?)
    }

    /// A token of the state the gallery is in: 80 hexadecimal digits to keep elsewhere. ``check_head`` tells a restored
    /// old file from today's by it.
    fn head(&self, py: Python<'_>) -> Result<String> {
        let gallery = self.gallery.get()?;
        Ok(py.detach(|| gallery.head())?.to_string())
    }

    /// Raises ``IntegrityError`` when the gallery is older than it was when ``token`` was taken. Check it right after
    /// opening.
    fn check_head(&self, py: Python<'_>, token: &str) -> Result<()> {
        let (gallery, token) = (self.gallery.get()?, token.parse::<HeadToken>()?);
        Ok(py.detach(|| gallery.check_head(&token))?)
    }

    /// The embedding spaces the gallery accepts, and how many subjects are in each.
    fn spaces<'py>(&self, py: Python<'py>) -> Result<Bound<'py, PyTuple>> {
        let gallery = self.gallery.get()?;
        let reports = py.detach(|| gallery.spaces())?;
        spaces(py, reports)
    }

    /// Accepts templates of ``space`` too, to go from one model to the next.
    fn add_space(&self, py: Python<'_>, space: &str) -> Result<()> {
        let (gallery, space) = (self.gallery.get()?, space.parse::<SpaceId>()?);
        Ok(py.detach(|| gallery.add_space(space))?)
    }

    /// Accepts ``space`` no more and removes its templates. Subjects with templates in it only hold it up, unless
    /// ``keep_stranded``: then they stay without a template.
    #[pyo3(signature = (space, *, keep_stranded = false))]
    fn remove_space(&self, py: Python<'_>, space: &str, keep_stranded: bool) -> Result<()> {
        let (gallery, space) = (self.gallery.get()?, space.parse::<SpaceId>()?);
        let stranded = if keep_stranded { Stranded::Keep } else { Stranded::Refuse };
        Ok(py.detach(|| gallery.remove_space(space, stranded))?)
    }

    /// What bundles for this gallery are encrypted to: ``device-…``, to be told the office.
    fn device_key(&self, py: Python<'_>) -> Result<String> {
        let gallery = self.gallery.get()?;
        Ok(py.detach(|| gallery.device_key())?.to_string())
    }

    /// What this gallery signs its bundles with: ``signer-…``, to be told the devices.
    fn signer(&self) -> Result<String> {
        Ok(self.gallery.get()?.signer().to_string())
    }

    /// How long calls wait while another process writes: a ``timedelta`` or seconds; 5 seconds unless set.
    fn busy_timeout(&self, py: Python<'_>, wait: Span) -> Result<()> {
        let gallery = self.gallery.get()?;
        Ok(py.detach(|| gallery.busy_timeout(wait.0))?)
    }

    /// Closes the gallery, its tenants and their streams; calls that run are finished first. Closing twice is fine.
    fn close(&self, py: Python<'_>) {
        let parts = self.children.take_out();
        let gallery = self.gallery.take();
        py.detach(|| drop((parts, gallery)));
    }

    /// Whether the gallery is closed.
    #[getter]
    fn closed(&self) -> bool {
        !self.gallery.is_open()
    }

    /// Where the file is.
    #[getter]
    fn path(&self) -> PathBuf {
        self.path.clone()
    }

    fn __enter__(this: Py<Self>) -> Py<Self> {
        this
    }

    fn __exit__(
        &self,
        py: Python<'_>,
        _class: &Bound<'_, PyAny>,
        _value: &Bound<'_, PyAny>,
        _traceback: &Bound<'_, PyAny>,
    ) {
        self.close(py);
    }

    fn __repr__(&self) -> String {
        let state = if self.closed() { ", closed" } else { "" };
        format!("Gallery(\"{}\"{state})", self.path.display())
    }
}

impl PyGallery {
    fn around(path: PathBuf, gallery: Gallery) -> Self {
        let gallery = Slot::new("gallery", std::process::id(), gallery);
        Self { path, gallery, children: Arc::default() }
    }
}

impl Children {
    /// Has `child` closed with the gallery.
    pub(crate) fn adopt(&self, child: &Arc<dyn Child>) {
        let mut children = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        children.retain(|child| child.strong_count() > 0);
        children.push(Arc::downgrade(child));
    }

    fn take_out(&self) -> Vec<Box<dyn Send>> {
        let children = std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        children.iter().filter_map(Weak::upgrade).filter_map(|child| child.take_out()).collect()
    }
}

pub(crate) const fn slot_kind(kind: SlotKind) -> &'static str {
    match kind {
        SlotKind::Passphrase => "passphrase",
        SlotKind::Key => "key",
        SlotKind::Provider => "provider",
        _ => "unknown",
    }
}
