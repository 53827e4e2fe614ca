//! Model packs: manifests, the catalogue, and the bytes of models, verified before anything parses them.
//!
//! A manifest is a TOML document of `[[model]]` and `[[pack]]` tables. A pack's folder holds one as
//! `faceprint.toml` beside its ONNX files; a [`Catalog`] is one with many packs, and the library
//! carries one of its own.
//!
//! ```toml
//! format = 1
//!
//! [[model]]
//! name = "yunet-2023mar"
//! role = "detector"                       # detector, embedder or liveness
//! family = "yunet"                        # yunet, scrfd, retinaface; arcface, sface; minifasnet
//! file = "face_detection_yunet_2023mar.onnx"
//! sha256 = "8f2383e4dd3cfbb4553ea8718107fc0423210dc964f9f4280604804ed2552fa4"
//! size = 232589                           # bytes, optional
//! url = "https://…"                       # optional
//! license = { name = "MIT", class = "permissive" }   # or non-commercial, unknown
//! provenance = "who trained it on what"
//! input = { size = [640, 640], channels = "bgr", mean = [0, 0, 0], std = [1, 1, 1] }   # or size = "dynamic"
//! face_range = [10, 300]                  # detectors: pixels of the network's input
//! score_threshold = 0.6
//! nms_threshold = 0.3
//!
//! [[pack]]
//! name = "yunet-sface"
//! description = "small and permissive"
//! detector = "yunet-2023mar"
//! embedder = "sface-2021dec"
//! ```
//!
//! Embedders have `dimension`, `alignment` (`"arcface-112"`, `"retail-0095-128"` or
//! `{ size = [width, height], points = [[x, y], …] }`) and any number of `[[model.operating_point]]`
//! with `threshold`, `fmr`, `impostors`, `ci95 = [low, high]` and `measured`. They may have one
//! `[model.impostor_tail]` with `people`, `comparisons`, `above`, `fmr`, `scale`, `shape`,
//! `standard_errors`, `correlations` and `measured`, see [`ImpostorTail`]. Liveness models have
//! `crop_scale`, and a pack that has them `liveness_threshold`, the mean score (0..=1) from which on a face
//! counts as live.
//!
//! # Choosing a threshold
//!
//! Two pictures of one person are rarely as alike as their copies, and strangers can be alike. The
//! threshold decides which error is made more often, and the right one depends on what is asked.
//!
//! - *Is this the person they say they are?* One comparison: [`ModelPack::threshold`] of the false match
//!   rate (FMR) that can be borne, 1e-4 for a door.
//! - *Who is this?* A search compares with every one of the N templates of the gallery or roster, so that
//!   a stranger has N chances to pass for somebody: [`ModelPack::threshold_for`] of the false positive
//!   identification rate (FPIR) and N. An FPIR of 0.01 means that of 100 strangers who are searched for
//!   one is given a name. What a search with 30 strangers a day may do in 1,000 employees is not what
//!   one in a classroom of 50 may do; a [roster](crate::matcher::Query::among) makes N small again.
//!
//! With independent comparisons FPIR = 1 - (1 - FMR)^N, which is what `threshold_for` inverts. They are
//! not independent: some people look like many others. That makes the true FPIR smaller than the formula
//! says (for a probe p with its own rate F, the mean of 1 - (1 - F)^N over all probes is at most that
//! of the mean rate, the function being concave), so that the formula errs to the strict side.
//!
//! A measurement with few people does not know rates well. Operating points have 95 % intervals, and the
//! threshold is where the *upper* end meets the rate asked for: thinner data, higher threshold. Below the
//! smallest rate that was counted the scores' tail is extrapolated by a fitted generalized Pareto
//! distribution, whose parameters have errors too; such answers have
//! [`extrapolated`](SearchThreshold::extrapolated) set. The interval knows nothing of twins, of siblings,
//! of a population that looks less diverse than the one measured, or of cameras worse than its pictures.
//! So measure on pictures of your own people, with the engine's own settings:
//!
//! ```text
//! faceprint eval identification --images people --statistics statistics.toml --plot det.svg
//! ```
//!
//! prints the false negative identification rate (FNIR, the enrolled who are not found) that each FPIR
//! costs in galleries of several sizes, checks thresholds on people they were not learned from, and
//! writes what belongs into the manifest. For a pack whose manifest cannot be changed, as the bundled
//! one, [`ModelSpec::threshold_for`] answers from a [`Manifest`] of your own.

#[cfg(feature = "bundled")]
mod bundled;
mod catalog;
mod check;
mod locations;
mod manifest;
mod points;
mod pull;
mod raw;
mod search;
mod space;
mod spec;
mod tail;
mod verify;

use std::path::Path;
use std::sync::Arc;

use crate::error::{Error, ErrorKind, Result};
use crate::id::SpaceId;

pub use self::catalog::Catalog;
pub use self::locations::{Locations, MODELS_VARIABLE};
pub use self::manifest::{Manifest, PackSpec};
pub use self::points::OperatingPoint;
pub use self::pull::{MIRROR_VARIABLE, Progress, PullOptions, Pulled};
pub use self::search::SearchThreshold;
pub use self::spec::{
    DetectorSpec, EmbedderSpec, Family, InputSize, InputSpec, License, LicenseClass, LivenessSpec,
    ModelKind, ModelSpec, Role,
};
pub use self::tail::ImpostorTail;

/// A set of models that work together, and where their files are. Cheap to clone; nothing is read
/// from a model file before [`load`](Self::load).
#[derive(Clone, Debug)]
pub struct ModelPack {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    name: String,
    description: String,
    detector: Option<ModelSpec>,
    embedder: Option<ModelSpec>,
    liveness: Vec<ModelSpec>,
    liveness_threshold: Option<f32>,
    locations: Locations,
    embedded: &'static [verify::Embedded],
}

impl ModelPack {
    /// The pack inside the library: a detector and an embedder of this project's own, which may be
    /// shipped with any product. How they were made, what they were measured at and what they must not
    /// be used for is in `MODEL_CARD.md` beside them.
    ///
    /// ```
    /// let pack = faceprint::ModelPack::bundled();
    /// let engine = faceprint::Engine::builder(&pack).build()?;
    /// # Ok::<(), faceprint::Error>(())
    /// ```
    #[cfg(feature = "bundled")]
    #[must_use]
    pub fn bundled() -> Self {
        bundled::pack()
    }

    /// The pack of a folder with `faceprint.toml`, or of a manifest file, that holds exactly one. Its
    /// models are looked for beside the manifest, then in [`Locations::from_env`].
    ///
    /// # Errors
    /// Those of [`Catalog::open`], and [`ErrorKind::ModelNotFound`] when it holds none or several.
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        Catalog::open(path)?.only()
    }

    /// As [`open`](Self::open), choosing one of several packs.
    ///
    /// # Errors
    /// Those of [`Catalog::open`] and [`Catalog::find`].
    pub fn open_named(path: impl AsRef<Path>, name: &str) -> Result<Self> {
        Catalog::open(path)?.find(name)
    }

    /// `pack` is one of `manifest`'s, so that every model it names is there.
    fn from_parts(
        manifest: &Manifest,
        pack: &PackSpec,
        locations: Locations,
        embedded: &'static [verify::Embedded],
    ) -> Self {
        let model = |name: &String| manifest.model(name).cloned();
        Self {
            inner: Arc::new(Inner {
                name: pack.name.clone(),
                description: pack.description.clone(),
                detector: pack.detector.as_ref().and_then(model),
                embedder: pack.embedder.as_ref().and_then(model),
                liveness: pack.liveness.iter().filter_map(model).collect(),
                liveness_threshold: pack.liveness_threshold,
                locations,
                embedded,
            }),
        }
    }

    /// The pack's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.inner.name
    }

    /// A sentence for people; may be empty.
    #[must_use]
    pub fn description(&self) -> &str {
        &self.inner.description
    }

    /// The model that finds faces.
    #[must_use]
    pub fn detector(&self) -> Option<&ModelSpec> {
        self.inner.detector.as_ref()
    }

    /// The model that turns an aligned face into a vector.
    #[must_use]
    pub fn embedder(&self) -> Option<&ModelSpec> {
        self.inner.embedder.as_ref()
    }

    /// The models whose liveness scores are averaged; may be empty.
    #[must_use]
    pub fn liveness(&self) -> &[ModelSpec] {
        &self.inner.liveness
    }

    /// The mean of the liveness models' scores from which on a face counts as live, 0..=1; `None` when the
    /// pack has no such models.
    #[must_use]
    pub fn liveness_threshold(&self) -> Option<f32> {
        self.inner.liveness_threshold
    }

    /// All models: detector, embedder, liveness.
    pub fn models(&self) -> impl Iterator<Item = &ModelSpec> {
        self.detector().into_iter().chain(self.embedder()).chain(self.liveness())
    }

    /// The embedding space of this pack's templates.
    ///
    /// # Errors
    /// [`ErrorKind::ModelNotFound`] when the pack has no embedder.
    pub fn space(&self) -> Result<SpaceId> {
        self.embedder().and_then(ModelSpec::space).ok_or_else(|| self.no_embedder())
    }

    /// The similarity (cosine, -1..=1) from which two faces are the same with a false match rate of at
    /// most `fmr` (above 0, below 1), by the embedder's measured operating points. Between two of
    /// them the answer errs to the strict side.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidArgument`] outside the measured range, which the message states;
    /// [`ErrorKind::ModelNotFound`] when the pack has no embedder.
    pub fn threshold(&self, fmr: f64) -> Result<f32> {
        let model = self.embedder().ok_or_else(|| self.no_embedder())?;
        let points = model.kind.embedder().map_or(&[][..], |embedder| &embedder.operating_points);
        points::threshold(&model.name, points, fmr)
    }

    /// The similarity from which on a search among `n` templates may name somebody, so that at most
    /// the share `fpir` (above 0, below 1) of the searches for people who are not among them does: the
    /// *false positive identification rate* of ISO/IEC 19795-1.
    ///
    /// `n` counts templates, not people, of the gallery or roster that is searched. The threshold is
    /// where the upper end of the measurement's 95 % interval meets the rate, so that thin data give a
    /// higher one. See [choosing a threshold](crate::pack#choosing-a-threshold).
    ///
    /// ```
    /// let pack = faceprint::ModelPack::bundled();
    /// let team = pack.threshold_for(0.01, 50)?;
    /// let company = pack.threshold_for(0.01, 5_000)?;
    /// assert!(team.similarity < company.similarity);
    /// assert!(!team.extrapolated && company.extrapolated);
    /// # Ok::<(), faceprint::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::InvalidArgument`] for an `fpir` or `n` out of range, for a rate that is larger than
    /// any measured or that the statistics support at no similarity, and for a pack without statistics;
    /// [`ErrorKind::ModelNotFound`] when the pack has no embedder.
    pub fn threshold_for(&self, fpir: f64, n: usize) -> Result<SearchThreshold> {
        let model = self.embedder().ok_or_else(|| self.no_embedder())?;
        model.threshold_for(fpir, n)
    }

    /// The bytes of `model`'s file, once its size and SHA-256 are those of the manifest.
    ///
    /// # Errors
    /// [`ErrorKind::ModelNotFound`] with the folders that were searched and the command that gets it,
    /// [`ErrorKind::ModelCorrupt`] when the first file found is another one, [`ErrorKind::Io`].
    pub fn load(&self, model: &ModelSpec) -> Result<Vec<u8>> {
        verify::load(model, self.inner.embedded, &self.inner.locations)
    }

    /// Passes when every model of the pack may be loaded, see [`ModelSpec::require_license`].
    ///
    /// # Errors
    /// [`ErrorKind::LicenseNotAccepted`], naming the first model that needs it.
    pub fn require_license(&self, accepted: &[String]) -> Result<()> {
        self.models().try_for_each(|model| model.require_license(accepted))
    }

    /// Where files are looked for.
    #[must_use]
    pub fn locations(&self) -> &Locations {
        &self.inner.locations
    }

    fn no_embedder(&self) -> Error {
        let message = format!("pack \"{}\" has no embedder: choose one that has", self.inner.name);
        Error::new(ErrorKind::ModelNotFound, message)
    }
}
