//! The queue of events.

use std::path::PathBuf;
use std::process;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use faceprint::stream::{self, EventId, Limit, Outbox};
use pyo3::prelude::*;
use pyo3::types::PyList;

use super::event::PyEvent;
use super::{sightings, sightings_of};
use crate::access::access;
use crate::error::Result;
use crate::process::Slot;
use crate::record::record;
use crate::time::{Moment, Span};

/// Events on their way to whoever wants them: in a sealed file of their own, until they are acknowledged.
///
/// An event whose ``push`` returned is leased again and again until it is acknowledged, whatever is killed in between,
/// and always under the same id. ``limit`` is how many events there may be; one more is refused with
/// ``LimitReachedError``, or with ``drop_oldest`` the oldest is given up. A context manager.
///
/// >>> with Outbox.open_or_create("door.outbox", limit=100_000, passphrase=secret) as outbox:
/// ...     while (delivery := outbox.lease()) is not None:
/// ...         if upload(delivery.event): outbox.ack(delivery.event.id)
/// ...         else: outbox.retry(delivery.event.id)
#[pyclass(frozen, module = "faceprint", name = "Outbox")]
pub(crate) struct PyOutbox {
    outbox: Slot<Arc<Outbox>>,
}

#[pymethods]
impl PyOutbox {
    /// Makes an outbox at ``path``, readable by its owner only.
    #[staticmethod]
    #[pyo3(signature = (path, *, limit, drop_oldest = false, passphrase = None, key = None, provider = None))]
    fn create(
        py: Python<'_>,
        path: PathBuf,
        limit: u64,
        drop_oldest: bool,
        passphrase: Option<&str>,
        key: Option<&[u8]>,
        provider: Option<Py<PyAny>>,
    ) -> Result<Self> {
        let (access, limit) = (access(passphrase, key, provider, None)?, bound(limit, drop_oldest));
        Ok(Self::around(py.detach(|| Outbox::create(&path, &access, limit))?))
    }

    /// Opens the outbox at ``path``.
    #[staticmethod]
    #[pyo3(signature = (path, *, limit, drop_oldest = false, passphrase = None, key = None, provider = None))]
    fn open(
        py: Python<'_>,
        path: PathBuf,
        limit: u64,
        drop_oldest: bool,
        passphrase: Option<&str>,
        key: Option<&[u8]>,
        provider: Option<Py<PyAny>>,
    ) -> Result<Self> {
        let (access, limit) = (access(passphrase, key, provider, None)?, bound(limit, drop_oldest));
        Ok(Self::around(py.detach(|| Outbox::open(&path, &access, limit))?))
    }

    /// Opens the outbox at ``path``, or makes it when there is no file.
    #[staticmethod]
    #[pyo3(signature = (path, *, limit, drop_oldest = false, passphrase = None, key = None, provider = None))]
    fn open_or_create(
        py: Python<'_>,
        path: PathBuf,
        limit: u64,
        drop_oldest: bool,
        passphrase: Option<&str>,
        key: Option<&[u8]>,
        provider: Option<Py<PyAny>>,
    ) -> Result<Self> {
        let (access, limit) = (access(passphrase, key, provider, None)?, bound(limit, drop_oldest));
        Ok(Self::around(py.detach(|| Outbox::open_or_create(&path, &access, limit))?))
    }

    /// Adds an event, durably.
    fn push(&self, py: Python<'_>, event: &PyEvent) -> Result<Pushed> {
        let outbox = self.outbox.get()?;
        Ok(py.detach(|| outbox.push(&event.0))?.into())
    }

    /// The oldest event that is due, or ``None``. For the time of ``lease``, an hour at most, it is nobody else's; then it
    /// is due again, unless it was acknowledged.
    #[pyo3(signature = (now = None, *, lease = None))]
    fn lease(
        &self,
        py: Python<'_>,
        now: Option<Moment>,
        lease: Option<Span>,
    ) -> Result<Option<Delivery>> {
        let outbox = self.outbox.get()?;
        let now = now.map_or_else(SystemTime::now, |it| it.0);
        let lease = lease.map_or(Duration::from_secs(60), |it| it.0);
        let delivery = py.detach(|| outbox.lease(now, lease))?;
        delivery.map(|delivery| Delivery::make(py, delivery)).transpose()
    }

    /// The event was delivered: it is removed. ``False`` when it was gone already.
    fn ack(&self, py: Python<'_>, event: &str) -> Result<bool> {
        let (outbox, event) = (self.outbox.get()?, event.parse::<EventId>()?);
        Ok(py.detach(|| outbox.ack(event))?)
    }

    /// The event could not be delivered: it is due again after 1 second, then 2, 4, 8 … and an hour at most. Says when;
    /// ``None`` when it is gone.
    #[pyo3(signature = (event, now = None))]
    fn retry(
        &self,
        py: Python<'_>,
        event: &str,
        now: Option<Moment>,
    ) -> Result<Option<SystemTime>> {
        let (outbox, event) = (self.outbox.get()?, event.parse::<EventId>()?);
        let now = now.map_or_else(SystemTime::now, |it| it.0);
        Ok(py.detach(|| outbox.retry(event, now))?)
    }

    /// The oldest events, ``at_most`` of them, whether they are due or not. Nothing is changed.
    fn peek<'py>(&self, py: Python<'py>, at_most: usize) -> Result<Bound<'py, PyList>> {
        let outbox = self.outbox.get()?;
        let events = py.detach(|| outbox.peek(at_most))?;
        let events = events.into_iter().map(|event| Py::new(py, PyEvent(event)));
        Ok(PyList::new(py, events.collect::<PyResult<Vec<_>>>()?)?)
    }

    /// Forgets ``subject``: their events, delivered or not, and their sighting, in one commit; says how many events that
    /// were. A ``Stream`` that runs has to be told before, with ``forget``.
    fn erase(&self, py: Python<'_>, subject: &str) -> Result<u64> {
        let (outbox, subject) = (self.outbox.get()?, subject.parse()?);
        Ok(py.detach(|| outbox.erase(&subject))?)
    }

    /// Replaces the sightings by those of a stream. Every few seconds is often enough.
    fn remember(&self, py: Python<'_>, sightings: Vec<Bound<'_, PyAny>>) -> Result<()> {
        let (outbox, seen) = (self.outbox.get()?, sightings_of(&sightings)?);
        Ok(py.detach(|| outbox.remember(&seen))?)
    }

    /// Who was seen, and when last, for ``Stream(resume=...)``.
    fn sightings<'py>(&self, py: Python<'py>) -> Result<Bound<'py, PyList>> {
        let outbox = self.outbox.get()?;
        let seen = py.detach(|| outbox.sightings())?;
        sightings(py, seen)
    }

    /// How many events wait.
    fn __len__(&self, py: Python<'_>) -> Result<usize> {
        let outbox = self.outbox.get()?;
        let count = py.detach(|| outbox.len())?;
        Ok(usize::try_from(count).unwrap_or(usize::MAX))
    }

    /// Closes the file.
    fn close(&self, py: Python<'_>) {
        let outbox = self.outbox.take();
        py.detach(|| drop(outbox));
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

    #[expect(clippy::unused_self, reason = "Python calls it on an object")]
    const fn __repr__(&self) -> &'static str {
        "Outbox(..)"
    }
}

impl PyOutbox {
    fn around(outbox: Outbox) -> Self {
        Self { outbox: Slot::new("outbox", process::id(), Arc::new(outbox)) }
    }
}

const fn bound(events: u64, drop_oldest: bool) -> Limit {
    if drop_oldest { Limit::drop_oldest(events) } else { Limit::refuse_new(events) }
}

record! {
    /// What became of an event that was pushed.
    Pushed {
        /// Whether it is in the outbox now and was not before.
        added: bool,
        /// How many older events were given up for it.
        dropped: u64,
    }
    match ("added", "dropped")
    {
        fn __repr__(&self) -> String {
            format!("Pushed(added={}, dropped={})", self.added, self.dropped)
        }
    }
}

impl From<stream::Pushed> for Pushed {
    fn from(pushed: stream::Pushed) -> Self {
        match pushed {
            stream::Pushed::Added { dropped } => Self { added: true, dropped },
            stream::Pushed::Known => Self { added: false, dropped: 0 },
        }
    }
}

record! {
    /// An event that is to be delivered.
    Delivery {
        /// The event.
        event: Py<PyEvent>,
        /// Which attempt this is, from 1.
        attempt: u32,
    }
    match ("event", "attempt")
    {
        fn __repr__(&self) -> String {
            format!("Delivery(attempt {})", self.attempt)
        }
    }
}

impl Delivery {
    fn make(py: Python<'_>, delivery: stream::Delivery) -> Result<Self> {
        let stream::Delivery { event, attempt, .. } = delivery;
        Ok(Self { event: Py::new(py, PyEvent(event))?, attempt })
    }
}
