//! The engine.

mod library;
mod options;

use std::mem;
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};

use faceprint::engine::{EngineBuilder, Selection};
use faceprint::image::RgbImage;
use faceprint::{BackendChoice, Engine, PixelFormat};
use numpy::PyArray3;
use pyo3::prelude::*;
use pyo3::types::PyList;

pub(crate) use self::options::Backend;
use self::options::{backend_named, provider_named, size_of};
use crate::callback::Progress;
use crate::error::Result;
use crate::face::{
    Chosen, Found, Place, PyDetection, PyFace, PyLiveness, Refused, capture as captured,
};
use crate::image::{Content, Picture, layout, rgb_array};
use crate::pack::PyModelPack;
use crate::quality::{PyPolicy, PyQuality, policy as policy_of};
use crate::template::PyTemplate;

/// Loaded models: pictures in, faces and templates out.
///
/// Make one and keep it: it may be used from any number of threads at once, and calls let go of the GIL. Without a
/// pack it has the bundled one. Everything that takes an image takes an ``Image``, a numpy array (RGB, or what
/// ``format`` says), the bytes of a picture file, a path, or a PIL image.
///
/// ``min_face``: shorter side of the smallest face that matters, pixels; the larger, the faster.
/// ``max_faces``: the most faces of a picture. ``score_threshold``, ``nms_threshold``: the detector's, unless the pack's
/// own. ``detection_size``: ``"auto"``, ``"native"``, or the side of a square, a multiple of 32. ``flip_averaging``: templates
/// are the mean of the face's and its mirror image's, at twice the time. ``policy``: what ``capture`` asks of a face, a
/// ``Policy`` or the name of a preset. ``liveness``: the pack's liveness models are loaded and asked.
/// ``accept_licenses``: names of licences or models that restrict use.
///
/// ``backend``: ``"auto"``, ``"onnxruntime"`` or ``"rten"``. ONNX Runtime, several times as fast, is used when its library is
/// found: at the path ``onnxruntime``, in ``ORT_DYLIB_PATH``, in the Python package ``onnxruntime`` (which is not imported
/// for it), beside the executable, or where the system looks; otherwise the engine in pure Rust. ``Engine.backend`` says
/// which. ``provider``: where ONNX Runtime executes; the CPU unless the build has another. ``threads``: of each run of a
/// network; all cores for a run that is alone, unless given.
///
/// In a forked child process (gunicorn with ``--preload``, ``multiprocessing`` with ``fork``) the first call loads the
/// models again on ONNX Runtime, since threads do not survive a fork; the engine in pure Rust raises ``ForkedError``
/// there when the parent used it: make the ``Engine`` in the child.
#[pyclass(frozen, module = "faceprint", name = "Engine")]
pub(crate) struct PyEngine {
    pack: Py<PyModelPack>,
    builder: EngineBuilder,
    backend: BackendChoice,
    library: Option<PathBuf>,
    loaded: Mutex<Loaded>,
}

/// The models, and the process whose threads serve them. Locked with the GIL only, see `process`.
struct Loaded {
    process: u32,
    engine: Option<Engine>,
}

#[pymethods]
impl PyEngine {
    #[new]
    #[pyo3(signature = (
        pack = None, *, min_face = None, max_faces = None, score_threshold = None, nms_threshold = None,
        detection_size = None, flip_averaging = false, policy = None, liveness = false, backend = "auto",
        onnxruntime = None, provider = "cpu", threads = None, accept_licenses = Vec::new(),
    ))]
    #[expect(clippy::too_many_arguments, reason = "they are keywords")]
    fn new(
        py: Python<'_>,
        pack: Option<Py<PyModelPack>>,
        min_face: Option<u32>,
        max_faces: Option<usize>,
        score_threshold: Option<f32>,
        nms_threshold: Option<f32>,
        detection_size: Option<&Bound<'_, PyAny>>,
        flip_averaging: bool,
        policy: Option<&Bound<'_, PyAny>>,
        liveness: bool,
        backend: &str,
        onnxruntime: Option<PathBuf>,
        provider: &str,
        threads: Option<usize>,
        accept_licenses: Vec<String>,
    ) -> Result<Self> {
        let pack = match pack {
            Some(pack) => pack,
            None => Py::new(py, PyModelPack(faceprint::ModelPack::bundled()))?,
        };
        let backend = backend_named(backend)?;
        let mut builder = Engine::builder(&pack.get().0)
            .backend(backend)
            .provider(provider_named(provider)?)
            .flip_averaging(flip_averaging)
            .liveness(liveness);
        if let Some(pixels) = min_face {
            builder = builder.min_face(pixels);
        }
        if let Some(faces) = max_faces {
            builder = builder.max_faces(faces);
        }
        if let Some(score) = score_threshold {
            builder = builder.score_threshold(score);
        }
        if let Some(iou) = nms_threshold {
            builder = builder.nms_threshold(iou);
        }
        if let Some(size) = detection_size {
            builder = builder.detection_size(size_of(size)?);
        }
        if let Some(policy) = policy {
            builder = builder.policy(policy_of(policy)?);
        }
        if let Some(threads) = threads {
            builder = builder.threads(threads);
        }
        for license in accept_licenses {
            builder = builder.accept_license(license);
        }
        let library = match onnxruntime {
            Some(path) => Some(path),
            None if backend != BackendChoice::Rten => library::installed(py)?,
            None => None,
        };
        if let Some(path) = &library {
            builder = builder.onnxruntime_library(path);
        }
        library::survives(py, backend, library.as_deref())?;
        let engine = py.detach(|| builder.clone().build())?;
        library::loaded(py, engine.backend())?;
        let loaded = Loaded { process: std::process::id(), engine: Some(engine) };
        Ok(Self { pack, builder, backend, library, loaded: Mutex::new(loaded) })
    }

    /// The faces in the picture, best score first.
    #[pyo3(signature = (image, *, format = None))]
    fn detect<'py>(
        &self,
        image: &Bound<'py, PyAny>,
        format: Option<&str>,
    ) -> Result<Bound<'py, PyList>> {
        let found =
            self.look(image, format, |engine, image| image.with(|view| engine.detect(view)))?;
        let py = image.py();
        let found = found.into_iter().map(|detection| Py::new(py, PyDetection(detection)));
        Ok(PyList::new(py, found.collect::<PyResult<Vec<_>>>()?)?)
    }

    /// The faces in the picture with a template and their quality each, best score first. Nothing is judged: every
    /// face that was found is there.
    #[pyo3(signature = (image, *, format = None))]
    fn analyze<'py>(
        &self,
        image: &Bound<'py, PyAny>,
        format: Option<&str>,
    ) -> Result<Bound<'py, PyList>> {
        let found =
            self.look(image, format, |engine, image| image.with(|view| engine.analyze(view)))?;
        faces(image.py(), found)
    }

    /// ``analyze`` for many pictures on all cores: a list of faces for each, in order. Files are read and decoded by the
    /// workers, so that only as many pictures are in memory as there are cores.
    ///
    /// ``progress(done, total)`` is called after each. A picture that cannot be read raises, when all are done; with
    /// ``return_exceptions`` its exception stands in the place of its faces.
    #[pyo3(signature = (images, *, format = None, progress = None, return_exceptions = false))]
    fn analyze_all<'py>(
        &self,
        py: Python<'py>,
        images: Vec<Bound<'py, PyAny>>,
        format: Option<&str>,
        progress: Option<Py<PyAny>>,
        return_exceptions: bool,
    ) -> Result<Bound<'py, PyList>> {
        let engine = self.engine(py)?;
        let format = format.map(layout::format).transpose()?;
        let pictures = pictures(&images, format)?;
        let held = pictures.iter().map(|it| it.hold(py)).collect::<Result<Vec<_>>>()?;
        let contents = held.iter().map(|it| it.content()).collect::<Result<Vec<_>>>()?;
        let progress = Progress::new(progress);
        let results = py.detach(|| {
            engine.batch(
                &contents,
                |engine, content| content.with(|view| engine.analyze(view)),
                |done, total| progress.tell(done, total),
            )
        });
        progress.finish()?;
        let list = PyList::empty(py);
        for result in results {
            match result {
                Ok(found) => list.append(faces(py, found)?)?,
                Err(failure) if return_exceptions => list.append(PyErr::from(failure).value(py))?,
                Err(failure) => return Err(failure),
            }
        }
        Ok(list)
    }

    /// The one prominent face of the picture, judged by the engine's policy and, if the engine has them, the liveness
    /// models: a ``Sample``, or a ``Rejected`` that says why there is none. A poor picture is an outcome, not an error.
    ///
    /// >>> match engine.capture("alice.jpg"):
    /// ...     case Rejected(issues): print("again, please:", *issues)
    /// ...     case Sample(template): acme.enroll("alice", template)
    #[pyo3(signature = (image, *, format = None))]
    fn capture(&self, image: &Bound<'_, PyAny>, format: Option<&str>) -> Result<Py<PyAny>> {
        let outcome =
            self.look(image, format, |engine, image| image.with(|view| engine.capture(view)))?;
        Ok(captured(image.py(), outcome)?)
    }

    /// ``capture`` for several pictures of one person, and the best of those that agree: ``Chosen``, or ``Refused`` when
    /// fewer than ``needed`` are of one person, or not more than half. Two pictures are of one person from the similarity
    /// ``same_person`` on; the pack's threshold at 1e-3 suits an enrolment, and is what is used unless given.
    #[pyo3(signature = (images, *, needed = 3, same_person = None, format = None))]
    fn capture_best<'py>(
        &self,
        py: Python<'py>,
        images: Vec<Bound<'py, PyAny>>,
        needed: usize,
        same_person: Option<f32>,
        format: Option<&str>,
    ) -> Result<Py<PyAny>> {
        let engine = self.engine(py)?;
        let same_person = same_person.map_or_else(|| engine.threshold(1e-3), Ok)?;
        let format = format.map(layout::format).transpose()?;
        let pictures = pictures(&images, format)?;
        let held = pictures.iter().map(|it| it.hold(py)).collect::<Result<Vec<_>>>()?;
        let contents = held.iter().map(|it| it.content()).collect::<Result<Vec<_>>>()?;
        let selection = py.detach(|| -> Result<Selection> {
            let mut series = faceprint::engine::Series::new(same_person);
            for content in contents {
                series.push(content.with(|view| engine.capture(view))?);
            }
            Ok(series.select(needed)?)
        })?;
        Ok(match selection {
            Selection::Chosen(best) => Py::new(py, Chosen::make(py, *best)?)?.into_any(),
            Selection::Refused(why) => Py::new(py, Refused::make(py, why)?)?.into_any(),
        })
    }

    /// How good the face of a detection is as a sample. Other faces are not known here: it counts as alone.
    #[pyo3(signature = (image, face, *, format = None))]
    fn quality(
        &self,
        image: &Bound<'_, PyAny>,
        face: Found,
        format: Option<&str>,
    ) -> Result<PyQuality> {
        self.look(image, format, |engine, image| image.with(|view| engine.quality(view, &face.0)))
            .map(PyQuality)
    }

    /// The template of the face at ``face``: a ``Detection``, or five landmarks (5 x 2, pixels).
    #[pyo3(signature = (image, face, *, format = None))]
    fn template(
        &self,
        image: &Bound<'_, PyAny>,
        face: Place,
        format: Option<&str>,
    ) -> Result<PyTemplate> {
        self.look(image, format, |engine, image| image.with(|view| engine.template(view, &face.0)))
            .map(PyTemplate)
    }

    /// The face at ``face``, aligned as the pack's embedder sees it: height x width x 3, RGB.
    #[pyo3(signature = (image, face, *, format = None))]
    fn crop<'py>(
        &self,
        image: &Bound<'py, PyAny>,
        face: Place,
        format: Option<&str>,
    ) -> Result<Bound<'py, PyArray3<u8>>> {
        let crop = self
            .look(image, format, |engine, image| image.with(|view| engine.crop(view, &face.0)))?;
        rgb_array(image.py(), crop)
    }

    /// The templates of crops that are aligned already, as ``crop`` makes them.
    #[pyo3(signature = (crops, *, format = None))]
    fn embed<'py>(
        &self,
        py: Python<'py>,
        crops: Vec<Bound<'py, PyAny>>,
        format: Option<&str>,
    ) -> Result<Bound<'py, PyList>> {
        let engine = self.engine(py)?;
        let format = format.map(layout::format).transpose()?;
        let pictures = pictures(&crops, format)?;
        let held = pictures.iter().map(|it| it.hold(py)).collect::<Result<Vec<_>>>()?;
        let contents = held.iter().map(|it| it.content()).collect::<Result<Vec<_>>>()?;
        let templates = py.detach(|| -> Result<_> {
            let crops = contents.into_iter().map(|it| it.with(|view| Ok(view.raster().into_rgb())));
            let crops: Vec<RgbImage> = crops.collect::<Result<_>>()?;
            Ok(engine.templates_of_crops(&crops)?)
        })?;
        let templates = templates.into_iter().map(|template| Py::new(py, PyTemplate(template)));
        Ok(PyList::new(py, templates.collect::<PyResult<Vec<_>>>()?)?)
    }

    /// What the pack's liveness models say about a face, for an engine that was made with ``liveness=True``. They look at
    /// the picture around it too, so give the whole frame.
    #[pyo3(signature = (image, face, *, format = None))]
    fn liveness(
        &self,
        image: &Bound<'_, PyAny>,
        face: Found,
        format: Option<&str>,
    ) -> Result<PyLiveness> {
        self.look(image, format, |engine, image| image.with(|view| engine.liveness(view, &face.0)))
            .map(PyLiveness::from)
    }

    /// The similarity from which on two faces are of one person, see ``ModelPack.threshold``.
    fn threshold(&self, fmr: f64) -> Result<f32> {
        Ok(self.pack.get().0.threshold(fmr)?)
    }

    /// Whether the engine was made with ``liveness=True``.
    #[getter]
    fn has_liveness(&self, py: Python<'_>) -> Result<bool> {
        Ok(self.engine(py)?.has_liveness())
    }

    /// The models.
    #[getter]
    fn pack(&self, py: Python<'_>) -> Py<PyModelPack> {
        self.pack.clone_ref(py)
    }

    /// What ``capture`` asks of a face.
    #[getter]
    fn policy(&self, py: Python<'_>) -> Result<PyPolicy> {
        Ok(PyPolicy(self.engine(py)?.policy().clone()))
    }

    /// What runs the networks.
    #[getter]
    fn backend(&self, py: Python<'_>) -> Result<Backend> {
        Ok(self.engine(py)?.backend().into())
    }

    fn __repr__(&self, py: Python<'_>) -> Result<String> {
        let name = self.pack.get().0.name().to_owned();
        Ok(format!("Engine(\"{name}\" on {})", self.engine(py)?.backend().name))
    }
}

impl PyEngine {
    /// The models of this process. They are loaded again after a fork.
    pub(crate) fn engine(&self, py: Python<'_>) -> Result<Engine> {
        let process = std::process::id();
        {
            let loaded = self.lock();
            if let (true, Some(engine)) = (loaded.process == process, &loaded.engine) {
                return Ok(engine.clone());
            }
        }
        library::survives(py, self.backend, self.library.as_deref())?;
        let engine = py.detach(|| self.builder.clone().build())?;
        let mut loaded = self.lock();
        if loaded.process != process {
            // Dropping it would wait for threads that are not in this process.
            mem::forget(loaded.engine.replace(engine.clone()));
            loaded.process = process;
        }
        Ok(engine)
    }

    fn look<R: Send>(
        &self,
        image: &Bound<'_, PyAny>,
        format: Option<&str>,
        work: impl FnOnce(&Engine, Content<'_>) -> Result<R> + Send,
    ) -> Result<R> {
        let py = image.py();
        let engine = self.engine(py)?;
        let picture = Picture::from_python(image, format.map(layout::format).transpose()?)?;
        let held = picture.hold(py)?;
        let content = held.content()?;
        py.detach(|| work(&engine, content))
    }

    fn lock(&self) -> MutexGuard<'_, Loaded> {
        self.loaded.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Loaded {
    fn drop(&mut self) {
        if self.process != std::process::id() {
            mem::forget(self.engine.take());
        }
    }
}

fn pictures(images: &[Bound<'_, PyAny>], format: Option<PixelFormat>) -> Result<Vec<Picture>> {
    // A folder of paths has no format, and arrays among them have.
    images.iter().map(|image| Picture::from_python(image, format)).collect()
}

fn faces(py: Python<'_>, found: Vec<faceprint::Face>) -> Result<Bound<'_, PyList>> {
    let faces = found.into_iter().map(|face| PyFace::make(py, face));
    Ok(PyList::new(py, faces.collect::<PyResult<Vec<_>>>()?)?)
}
