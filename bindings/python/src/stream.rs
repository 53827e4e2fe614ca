//! From a camera to events.

mod event;
mod outbox;

use std::process;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use faceprint::Stream;
use faceprint::stream::{self, Sighting};
use pyo3::prelude::*;
use pyo3::types::PyList;

pub(crate) use self::event::{Known, PyEvent, PyWho, Suspected, Visitor};
pub(crate) use self::outbox::{Delivery, Pushed, PyOutbox};
use crate::engine::PyEngine;
use crate::error::{Failure, Result};
use crate::face::{PyRect, landmarks_array};
use crate::gallery::Child;
use crate::image::{Picture, layout};
use crate::process::Slot;
use crate::record::record;
use crate::tenant::PyTenant;
use crate::time::{Moment, Span};

/// A camera's frames on the way to events: exactly one for each visit.
///
/// A visit begins with the first frame that somebody is seen in and lasts until they have not been seen for the
/// ``cooldown``: 30 seconds at a door, 12 hours for attendance (a ``timedelta`` or seconds). Faces are followed from frame to
/// frame, and templates made where a path is new, better or in doubt.
///
/// ``threshold``: the similarity from which on two templates are of one person; the pack's at a false match rate of 1e-4
/// unless given. ``confirm_after``: templates of a face that must lead to the same person. ``unknown_after``: templates that
/// must lead to nobody before it is a visitor's. ``look_interval``: after which time a face is verified again.
/// ``quality_gain``: how much better a face must be for another template. ``every``: each nth frame is looked at.
/// ``lost_after``: how long a path waits for a face that is hidden. ``sure_score``: the detection score from which on a face
/// begins a path. ``liveness``: how many frames of a face vote on whether it is alive, for an engine made with
/// ``liveness=True``; who does not pass is ``Suspected``. ``resume``: the sightings of an earlier stream, so that nobody is said twice.
///
/// One per camera. It is closed with its gallery.
#[pyclass(frozen, module = "faceprint", name = "Stream")]
pub(crate) struct PyStream {
    stream: Arc<Slot<Arc<Mutex<Stream>>>>,
}

#[pymethods]
impl PyStream {
    #[new]
    #[pyo3(signature = (
        engine, tenant, *, threshold = None, confirm_after = None, unknown_after = None, cooldown = None,
        look_interval = None, quality_gain = None, every = None, lost_after = None, sure_score = None, liveness = None, resume = None
    ))]
    #[expect(clippy::too_many_arguments, reason = "they are keywords")]
    fn new(
        py: Python<'_>,
        engine: &PyEngine,
        tenant: &PyTenant,
        threshold: Option<f32>,
        confirm_after: Option<u32>,
        unknown_after: Option<u32>,
        cooldown: Option<Span>,
        look_interval: Option<Span>,
        quality_gain: Option<f32>,
        every: Option<u64>,
        lost_after: Option<Span>,
        sure_score: Option<f32>,
        liveness: Option<u32>,
        resume: Option<Vec<Bound<'_, PyAny>>>,
    ) -> Result<Self> {
        let mut builder = Stream::builder(&engine.engine(py)?, &tenant.core()?);
        if let Some(similarity) = threshold {
            builder = builder.threshold(similarity);
        }
        if let Some(looks) = confirm_after {
            builder = builder.confirm_after(looks);
        }
        if let Some(looks) = unknown_after {
            builder = builder.unknown_after(looks);
        }
        if let Some(Span(away)) = cooldown {
            builder = builder.cooldown(away);
        }
        if let Some(Span(interval)) = look_interval {
            builder = builder.look_interval(interval);
        }
        if let Some(points) = quality_gain {
            builder = builder.quality_gain(points);
        }
        if let Some(n) = every {
            builder = builder.every(n);
        }
        if let Some(Span(unseen)) = lost_after {
            builder = builder.lost_after(unseen);
        }
        if let Some(score) = sure_score {
            builder = builder.sure_score(score);
        }
        if let Some(frames) = liveness {
            builder = builder.liveness(frames);
        }
        if let Some(seen) = resume {
            builder = builder.resume(sightings_of(&seen)?);
        }
        let stream = Arc::new(Mutex::new(builder.build()?));
        let stream = Arc::new(Slot::new("stream", process::id(), stream));
        tenant.siblings.adopt(&(Arc::clone(&stream) as Arc<dyn Child>));
        Ok(Self { stream })
    }

    /// Looks at the next frame, taken ``at`` (an aware ``datetime``, or seconds as ``time.time()`` has them; now unless
    /// given), and gives what it decides: usually an empty list.
    #[pyo3(signature = (frame, at = None, *, format = None))]
    fn push<'py>(
        &self,
        frame: &Bound<'py, PyAny>,
        at: Option<Moment>,
        format: Option<&str>,
    ) -> Result<Bound<'py, PyList>> {
        let py = frame.py();
        let stream = self.stream.get()?;
        let at = at.map_or_else(SystemTime::now, |it| it.0);
        let picture = Picture::from_python(frame, format.map(layout::format).transpose()?)?;
        let held = picture.hold(py)?;
        let content = held.content()?;
        let events = py.detach(|| {
            let mut stream = stream.lock().unwrap_or_else(PoisonError::into_inner);
            content.with(|view| stream.push(view, at))
        })?;
        let events = events.into_iter().map(|event| Py::new(py, PyEvent(event)));
        Ok(PyList::new(py, events.collect::<PyResult<Vec<_>>>()?)?)
    }

    /// The faces of the last frame that are followed.
    fn followed<'py>(&self, py: Python<'py>) -> Result<Bound<'py, PyList>> {
        let stream = self.stream.get()?;
        let followed: Vec<_> = py
            .detach(|| stream.lock().unwrap_or_else(PoisonError::into_inner).followed().collect());
        let followed = followed.into_iter().map(|face| Ok(Py::new(py, Followed::make(py, face)?)?));
        Ok(PyList::new(py, followed.collect::<Result<Vec<_>>>()?)?)
    }

    /// Who of the gallery was seen within the cooldown, and when last: what a stream that takes over needs to resume.
    fn sightings<'py>(&self, py: Python<'py>) -> Result<Bound<'py, PyList>> {
        let stream = self.stream.get()?;
        let seen = py.detach(|| stream.lock().unwrap_or_else(PoisonError::into_inner).sightings());
        sightings(py, seen)
    }

    /// Forgets somebody who was erased from the gallery, so that ``sightings`` do not bring them back. Call it after the
    /// erasure.
    fn forget(&self, py: Python<'_>, subject: &str) -> Result<()> {
        let (stream, subject) = (self.stream.get()?, subject.parse()?);
        py.detach(|| stream.lock().unwrap_or_else(PoisonError::into_inner).forget(&subject));
        Ok(())
    }

    /// What was done so far.
    #[getter]
    fn stats(&self, py: Python<'_>) -> Result<Stats> {
        let stream = self.stream.get()?;
        let stats = py.detach(|| stream.lock().unwrap_or_else(PoisonError::into_inner).stats());
        Ok(stats.into())
    }

    #[expect(clippy::unused_self, reason = "Python calls it on an object")]
    const fn __repr__(&self) -> &'static str {
        "Stream(..)"
    }
}

record! {
    /// A face that is followed.
    Followed {
        /// The number of its path.
        track: u64,
        /// Where the face is.
        bounds: Py<PyRect>,
        /// Its landmarks, 5 x 2.
        landmarks: Py<numpy::PyArray2<f32>>,
        /// Who it is, ``Known`` or ``Visitor``, once that is decided.
        who: Option<PyWho>,
        /// Whether the path is in doubt.
        doubtful: bool,
    }
    match ("track", "who")
    {
        fn __repr__(&self) -> String {
            format!("Followed(track {})", self.track)
        }
    }
}

impl Followed {
    fn make(py: Python<'_>, face: stream::Followed) -> Result<Self> {
        let stream::Followed { track, bounds, landmarks, who, doubtful, .. } = face;
        Ok(Self {
            track,
            bounds: Py::new(py, PyRect::from(bounds))?,
            landmarks: landmarks_array(py, &landmarks)?.unbind(),
            who: who.map(|who| PyWho::make(py, &who)).transpose()?,
            doubtful,
        })
    }
}

record! {
    /// When somebody was last seen.
    #[pyo3(name = "Sighting")]
    PySighting {
        /// Who.
        subject: String,
        /// When last.
        at: SystemTime,
    }
    match ("subject", "at")
    {
        #[new]
        fn new(subject: String, at: Moment) -> Self {
            Self { subject, at: at.0 }
        }

        #[expect(clippy::unused_self, reason = "Python calls it on an object")]
        const fn __repr__(&self) -> &'static str {
            "Sighting(..)"
        }
    }
}

pub(crate) fn sightings(py: Python<'_>, seen: Vec<Sighting>) -> Result<Bound<'_, PyList>> {
    let seen = seen.into_iter().map(|Sighting { subject, at }| {
        Py::new(py, PySighting { subject: subject.to_string(), at })
    });
    Ok(PyList::new(py, seen.collect::<PyResult<Vec<_>>>()?)?)
}

pub(crate) fn sightings_of(seen: &[Bound<'_, PyAny>]) -> Result<Vec<Sighting>> {
    let one = |it: &Bound<'_, PyAny>| -> Result<Sighting> {
        let sighting = it.cast::<PySighting>().map_err(|_| {
            Failure::Type(
                "sightings are what Stream.sightings and Outbox.sightings give".to_owned(),
            )
        })?;
        let PySighting { subject, at } = sighting.get();
        Ok(Sighting { subject: subject.parse()?, at: *at })
    };
    seen.iter().map(one).collect()
}

record! {
    /// What a stream has done. ``str`` of it is a line for people.
    Stats {
        /// Frames that were pushed.
        frames: u64,
        /// Frames that were not looked at.
        skipped: u64,
        /// Faces that were followed, counted in each frame.
        faces: u64,
        /// Templates made.
        embeddings: u64,
        /// Faces that were followed without one.
        saved: u64,
        /// Frames for which at least one template was made.
        embedded_frames: u64,
        /// Events given.
        events: u64,
        /// Faces that were judged for liveness.
        judged: u64,
        /// The line.
        description: String,
    }
    match ("frames", "events")
    {
        fn __str__(&self) -> &str {
            &self.description
        }

        fn __repr__(&self) -> String {
            format!("Stats({})", self.description)
        }
    }
}

impl From<stream::Stats> for Stats {
    fn from(stats: stream::Stats) -> Self {
        let description = stats.to_string();
        let stream::Stats {
            frames,
            skipped,
            faces,
            embeddings,
            saved,
            embedded_frames,
            events,
            judged,
            ..
        } = stats;
        Self {
            frames,
            skipped,
            faces,
            embeddings,
            saved,
            embedded_frames,
            events,
            judged,
            description,
        }
    }
}
