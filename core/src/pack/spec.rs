//! What a manifest says about one model, as types that cannot be half-valid.

use std::fmt;
use std::path::Path;

use crate::align::AlignmentTemplate;
use crate::error::{Error, ErrorKind, Result};
use crate::id::SpaceId;
use crate::image::PlanarSpec;
use crate::pack::points::OperatingPoint;
use crate::pack::search::{self, SearchThreshold};
use crate::pack::tail::ImpostorTail;
use crate::pack::{space, verify};

/// One model file: where it comes from, how to know it, what to feed it and what it promises.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct ModelSpec {
    /// Unique in its manifest, 1–64 of `a-z 0-9 . _ -`.
    pub name: String,
    /// The layout of inputs and outputs.
    pub family: Family,
    /// A file name, never a path.
    pub file: String,
    /// SHA-256 of the file.
    pub sha256: [u8; 32],
    /// Bytes of the file, when the manifest knows.
    pub size: Option<u64>,
    /// Where the file is published, an https URL.
    pub url: Option<String>,
    /// The terms it may be used under.
    pub license: License,
    /// Who trained it, on what, and what is known of the rights in that data.
    pub provenance: String,
    /// What the network is fed.
    pub input: InputSpec,
    /// What it is for, with what only that role needs.
    pub kind: ModelKind,
}

impl ModelSpec {
    /// What the model is for.
    #[must_use]
    pub const fn role(&self) -> Role {
        self.kind.role()
    }

    /// The first 8 hexadecimal digits of the file's SHA-256, for people.
    #[must_use]
    pub fn short_hash(&self) -> String {
        hex(&self.sha256[..4])
    }

    /// The file's SHA-256 as 64 lowercase hexadecimal digits.
    #[must_use]
    pub fn sha256_hex(&self) -> String {
        hex(&self.sha256)
    }

    /// Hashes the file at `path` without keeping it: its size in bytes.
    ///
    /// # Errors
    /// [`ErrorKind::ModelCorrupt`] when it is not the file the manifest promises, [`ErrorKind::Io`]
    /// when it cannot be read.
    pub fn verify_file(&self, path: impl AsRef<Path>) -> Result<u64> {
        verify::verify(self, path.as_ref())
    }

    /// Passes when the licence is permissive, or when `accepted` holds its name or the model's
    /// (ASCII case does not matter).
    ///
    /// # Errors
    /// [`ErrorKind::LicenseNotAccepted`], naming the model, its licence and how to accept it.
    pub fn require_license(&self, accepted: &[String]) -> Result<()> {
        let is_accepted =
            |name: &str| accepted.iter().any(|entry| entry.eq_ignore_ascii_case(name));
        let License { name, class, .. } = &self.license;
        if *class == LicenseClass::Permissive || is_accepted(name) || is_accepted(&self.name) {
            return Ok(());
        }
        Err(Error::new(
            ErrorKind::LicenseNotAccepted,
            format!(
                "model \"{}\" is under the licence \"{name}\" ({class}), which has to be accepted: \
                 --accept-license \"{name}\" or .accept_license(\"{name}\")",
                self.name
            ),
        ))
    }

    /// The embedding space of this model's templates; `None` unless it is an embedder.
    #[must_use]
    pub fn space(&self) -> Option<SpaceId> {
        match &self.kind {
            ModelKind::Embedder(embedder) => {
                Some(space::space_id(&self.sha256, &self.input.planar, embedder))
            }
            _ => None,
        }
    }

    /// As [`ModelPack::threshold_for`](crate::ModelPack::threshold_for), for statistics in a manifest
    /// of your own.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidArgument`], as there; a model that is no embedder has no statistics.
    pub fn threshold_for(&self, fpir: f64, n: usize) -> Result<SearchThreshold> {
        let embedder = self.kind.embedder();
        let points = embedder.map_or(&[][..], |embedder| &embedder.operating_points);
        let tail = embedder.and_then(|embedder| embedder.impostor_tail.as_ref());
        search::threshold_for(&self.name, points, tail, fpir, n)
    }
}

/// `model "NAME"`, as messages speak of it.
impl fmt::Display for ModelSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "model \"{}\"", self.name)
    }
}

/// What a model is for, with what only that role needs.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum ModelKind {
    /// Finds faces and their landmarks.
    Detector(DetectorSpec),
    /// Turns an aligned face into a vector.
    Embedder(EmbedderSpec),
    /// Tells a live face from a picture of one.
    Liveness(LivenessSpec),
}

impl ModelKind {
    /// The role alone.
    #[must_use]
    pub const fn role(&self) -> Role {
        match self {
            Self::Detector(_) => Role::Detector,
            Self::Embedder(_) => Role::Embedder,
            Self::Liveness(_) => Role::Liveness,
        }
    }

    /// The detector's part.
    #[must_use]
    pub const fn detector(&self) -> Option<&DetectorSpec> {
        if let Self::Detector(spec) = self { Some(spec) } else { None }
    }

    /// The embedder's part.
    #[must_use]
    pub const fn embedder(&self) -> Option<&EmbedderSpec> {
        if let Self::Embedder(spec) = self { Some(spec) } else { None }
    }

    /// The liveness model's part.
    #[must_use]
    pub const fn liveness(&self) -> Option<&LivenessSpec> {
        if let Self::Liveness(spec) = self { Some(spec) } else { None }
    }
}

/// What a detector promises, and its upstream's defaults.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct DetectorSpec {
    /// Smallest and largest face it finds reliably: shorter side in pixels of the network's input.
    pub face_range: (f32, f32),
    /// Faces scoring less are dropped, 0..=1.
    pub score_threshold: f32,
    /// Of two boxes that overlap more than this (IoU, above 0 and up to 1) the weaker is dropped.
    pub nms_threshold: f32,
}

/// What an embedder promises.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct EmbedderSpec {
    /// Length of the vector, 1..=4096.
    pub dimension: usize,
    /// Where the landmarks lie in the face it is fed.
    pub alignment: AlignmentTemplate,
    /// Measured thresholds, from the loosest to the strictest; may be empty.
    pub operating_points: Vec<OperatingPoint>,
    /// What lies beyond the strictest of them, when it was measured.
    pub impostor_tail: Option<ImpostorTail>,
}

/// What a liveness model is shown.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct LivenessSpec {
    /// The face's box is scaled by this around its centre before the crop, 1..=8.
    pub crop_scale: f64,
}

/// What a network is fed.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct InputSpec {
    /// The size the file is made for.
    pub size: InputSize,
    /// How pixels become numbers: channel order, then (x - mean) / std with x in 0..=255.
    pub planar: PlanarSpec,
}

/// The picture size a model file is made for, pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum InputSize {
    /// The file names one size. The runtime can re-shape the file of a detector.
    Fixed {
        /// Pixels, 1..=8192.
        width: u32,
        /// Pixels, 1..=8192.
        height: u32,
    },
    /// The file takes any size its family allows.
    Dynamic,
}

/// The terms a model may be used under.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct License {
    /// SPDX identifier, or the upstream's words.
    pub name: String,
    /// What it means for users.
    pub class: LicenseClass,
    /// Where it is written, an https URL.
    pub url: Option<String>,
}

/// What a licence means for the one who uses the model.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum LicenseClass {
    /// Any use.
    Permissive,
    /// Research or private use only.
    NonCommercial,
    /// Nobody said.
    Unknown,
}

impl LicenseClass {
    pub(crate) const ALL: [Self; 3] = [Self::Permissive, Self::NonCommercial, Self::Unknown];

    /// As written in manifests.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Permissive => "permissive",
            Self::NonCommercial => "non-commercial",
            Self::Unknown => "unknown",
        }
    }
}

impl fmt::Display for LicenseClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// What a model is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Role {
    /// Finds faces and their landmarks.
    Detector,
    /// Turns an aligned face into a vector.
    Embedder,
    /// Tells a live face from a picture of one.
    Liveness,
}

impl Role {
    pub(crate) const ALL: [Self; 3] = [Self::Detector, Self::Embedder, Self::Liveness];

    /// As written in manifests.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Detector => "detector",
            Self::Embedder => "embedder",
            Self::Liveness => "liveness",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// The layout of a network's inputs and outputs: which code reads it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Family {
    /// YuNet: 12 outputs, `cls`, `obj`, `bbox` and `kps` for strides 8, 16 and 32.
    Yunet,
    /// SCRFD with keypoints: 9 outputs, two anchors a cell.
    Scrfd,
    /// RetinaFace mobilenet0.25: prior boxes with two variances.
    Retinaface,
    /// One vector from an aligned face, as ArcFace does.
    Arcface,
    /// OpenCV's SFace: one vector from an aligned face with raw pixel values.
    Sface,
    /// Silent-Face anti-spoofing: three logits, class 1 is a live face.
    Minifasnet,
}

impl Family {
    pub(crate) const ALL: [Self; 6] =
        [Self::Yunet, Self::Scrfd, Self::Retinaface, Self::Arcface, Self::Sface, Self::Minifasnet];

    /// As written in manifests.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Yunet => "yunet",
            Self::Scrfd => "scrfd",
            Self::Retinaface => "retinaface",
            Self::Arcface => "arcface",
            Self::Sface => "sface",
            Self::Minifasnet => "minifasnet",
        }
    }

    /// The only role models of this family have.
    #[must_use]
    pub const fn role(self) -> Role {
        match self {
            Self::Yunet | Self::Scrfd | Self::Retinaface => Role::Detector,
            Self::Arcface | Self::Sface => Role::Embedder,
            Self::Minifasnet => Role::Liveness,
        }
    }
}

impl fmt::Display for Family {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// Lowercase hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    use fmt::Write as _;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
