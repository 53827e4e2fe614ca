//! Packs of models.

use std::path::PathBuf;

use faceprint::pack::{LicenseClass, ModelSpec, SearchThreshold};
use faceprint::{Catalog, ModelPack};
use pyo3::prelude::*;
use pyo3::types::PyTuple;

use crate::error::Result;
use crate::record::record;

/// Models that work together: a detector, an embedder, perhaps liveness models. Nothing is read from their files
/// before an ``Engine`` is made.
///
/// ``ModelPack.bundled()`` is inside the package and needs no download; ``ModelPack.open`` reads a folder of your own;
/// ``ModelPack.find`` knows packs of others by name, whose files ``faceprint models pull`` of the command line fetches.
#[pyclass(frozen, module = "faceprint", name = "ModelPack")]
pub(crate) struct PyModelPack(pub(crate) ModelPack);

#[pymethods]
impl PyModelPack {
    /// The pack inside this package, which may be shipped with any product.
    #[staticmethod]
    fn bundled() -> Self {
        Self(ModelPack::bundled())
    }

    /// The pack of a folder with ``faceprint.toml``, or of a manifest file. ``name`` chooses one of several.
    #[staticmethod]
    #[pyo3(signature = (path, name = None))]
    fn open(py: Python<'_>, path: PathBuf, name: Option<&str>) -> Result<Self> {
        Ok(Self(py.detach(|| match name {
            Some(name) => ModelPack::open_named(&path, name),
            None => ModelPack::open(&path),
        })?))
    }

    /// A pack of the built-in catalogue by name: ``"yunet-sface"``. Its files are looked for in the folders of
    /// ``FACEPRINT_MODELS`` and in the user's cache.
    #[staticmethod]
    fn find(py: Python<'_>, name: &str) -> Result<Self> {
        Ok(Self(py.detach(|| Catalog::builtin()?.find(name))?))
    }

    /// Names of the packs in the built-in catalogue.
    #[staticmethod]
    fn catalog() -> Result<Vec<String>> {
        Ok(Catalog::builtin()?.packs().iter().map(|pack| pack.name().to_owned()).collect())
    }

    /// The pack's name.
    #[getter]
    fn name(&self) -> &str {
        self.0.name()
    }

    /// A sentence for people; may be empty.
    #[getter]
    fn description(&self) -> &str {
        self.0.description()
    }

    /// The embedding space of this pack's templates: 64 hexadecimal digits that change with the embedder, its
    /// preprocessing and its alignment. A gallery is created for a space.
    #[getter]
    fn space(&self) -> Result<String> {
        Ok(self.0.space()?.to_string())
    }

    /// All models: detector, embedder, liveness.
    #[getter]
    fn models<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        let models = self.0.models().map(|spec| Py::new(py, Model::from(spec)));
        PyTuple::new(py, models.collect::<PyResult<Vec<_>>>()?)
    }

    /// The liveness score from which on a face counts as live; ``None`` when the pack has no such models.
    #[getter]
    fn liveness_threshold(&self) -> Option<f32> {
        self.0.liveness_threshold()
    }

    /// The similarity from which on two faces are of one person, when at most the share ``fmr`` of comparisons of
    /// different people may pass: 1e-4 for a door. For one comparison; a search among many is ``threshold_for``.
    fn threshold(&self, fmr: f64) -> Result<f32> {
        Ok(self.0.threshold(fmr)?)
    }

    /// The similarity from which on a search among ``n`` templates may name somebody, when at most the share ``fpir``
    /// of the searches for strangers may. Where nothing was measured it is extrapolated, on the strict side, and
    /// says so.
    fn threshold_for(&self, fpir: f64, n: usize) -> Result<PySearchThreshold> {
        Ok(self.0.threshold_for(fpir, n)?.into())
    }

    fn __repr__(&self) -> String {
        format!("ModelPack(\"{}\")", self.name())
    }
}

record! {
    /// A model of a pack, and the terms it may be used under.
    Model {
        /// Its name.
        name: String,
        /// ``"detector"``, ``"embedder"``, ``"liveness"`` or ``"quality"``.
        role: String,
        /// The file's name.
        file: String,
        /// SHA-256 of the file, 64 hexadecimal digits.
        sha256: String,
        /// The licence: an SPDX identifier, or the upstream's words.
        license: String,
        /// ``"permissive"``, ``"non-commercial"`` or ``"unknown"``; the last two have to be accepted.
        license_class: &'static str,
        /// Who trained it, on what, and what is known of the rights in that data.
        provenance: String,
    }
    match ("name", "role")
    {
        fn __repr__(&self) -> String {
            format!("Model(\"{}\", {}, {})", self.name, self.role, self.license)
        }
    }
}

impl From<&ModelSpec> for Model {
    fn from(spec: &ModelSpec) -> Self {
        Self {
            name: spec.name.clone(),
            role: spec.role().to_string(),
            file: spec.file.clone(),
            sha256: spec.sha256_hex(),
            license: spec.license.name.clone(),
            license_class: match spec.license.class {
                LicenseClass::Permissive => "permissive",
                LicenseClass::NonCommercial => "non-commercial",
                _ => "unknown",
            },
            provenance: spec.provenance.clone(),
        }
    }
}

record! {
    /// A threshold for searches, and how well it is known.
    #[pyo3(name = "SearchThreshold")]
    PySearchThreshold {
        /// Similarity from which on a template counts as found.
        similarity: f32,
        /// The false match rate that each of the n comparisons may have.
        fmr: f64,
        /// The false match rate at ``similarity`` by the best estimate.
        estimate: f64,
        /// 95 % interval of that rate; its upper end is at most ``fmr``.
        ci95: (f64, f64),
        /// Whether it lies above every threshold that was measured.
        extrapolated: bool,
    }
    match ("similarity", "extrapolated")
    {
        fn __repr__(&self) -> String {
            let how = if self.extrapolated { "extrapolated" } else { "measured" };
            format!("SearchThreshold({:.4}, {how})", self.similarity)
        }
    }
}

impl From<SearchThreshold> for PySearchThreshold {
    fn from(found: SearchThreshold) -> Self {
        let SearchThreshold { similarity, fmr, estimate, ci95, extrapolated, .. } = found;
        Self { similarity, fmr, estimate, ci95, extrapolated }
    }
}
