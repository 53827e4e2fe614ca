//! Face recognition as a library: faces are found, aligned, turned into templates, kept in an encrypted
//! gallery and compared.
//!
//! Nothing is downloaded and nothing has to be installed: the models are part of the library, and so is
//! an engine that runs them.
//!
//! ```
//! use faceprint::image::{DecodeLimits, decode};
//! use faceprint::{Engine, ModelPack};
//!
//! let pack = ModelPack::bundled();
//! let engine = Engine::builder(&pack).build()?;
//!
//! # let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../examples/images/");
//! let read = |name: &str| -> Result<_, Box<dyn std::error::Error>> {
//!     Ok(decode(&std::fs::read(format!("{folder}{name}"))?, &DecodeLimits::default())?)
//! };
//! let known = engine.analyze(&read("people/elva/1.jpg")?.view())?;
//! let group = engine.analyze(&read("group.jpg")?.view())?;
//!
//! let threshold = pack.threshold(1e-3)?; // at most one stranger in a thousand passes for somebody
//! let similar = |face: &&faceprint::Face| {
//!     known[0].template.similarity(&face.template).is_ok_and(|it| it.value() >= threshold)
//! };
//! assert_eq!(group.len(), 6);
//! assert_eq!(group.iter().filter(similar).count(), 1); // Elva is the second from the left
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Where to look
//!
//! | to | see |
//! |---|---|
//! | find faces, make templates, work through many pictures | [`Engine`] |
//! | know whether a picture is good enough, and choose the best of several | [`quality`], [`Engine::capture`], [`engine::Series`] |
//! | turn a camera into one event for each visit, and keep events until they are delivered | [`Stream`], [`stream::Outbox`] |
//! | refuse prints and screens, within limits | [`liveness`] |
//! | bring pixels from a camera or a file | [`ImageView`], [`image::decode`] |
//! | choose models and their licences | [`ModelPack`], [`Catalog`], [`pack`] |
//! | choose a threshold for one comparison or for a search among N | [`pack`](pack#choosing-a-threshold) |
//! | keep people in an encrypted file, identify and verify them | [`Gallery`], [`Tenant`], [`Query`], [`Verdict`] |
//! | bring some of them to a device, or keep a copy elsewhere | [`gallery`], [`gallery::BundleRequest`], [`Tenant::changes_since`] |
//! | know how the file is laid out, and what it protects against | [`manual::format`](mod@manual::format), [`manual::threats`] |
//! | read and write vectors in Fernet tokens | [`fernet`] |
//! | compare two templates | [`Template::similarity`] |
//! | choose what runs the networks, or a GPU | [`runtime`] |
//! | know what went wrong | [`Error::kind`], [`ErrorKind`] |
//! | align or detect with a policy of your own | [`mod@align`], [`detect`] |
//!
//! # How it is built
//!
//! Modules import only from rows above their own; `core/tests/tidy.rs` holds this.
//!
//! | row | modules | know |
//! |---|---|---|
//! | 0 | [`error`] [`id`] [`geometry`] | nothing |
//! | 1 | [`mod@image`] [`vector`] `crypto` | row 0; `crypto` never sees a face |
//! | 2 | [`mod@align`] [`runtime`] | `runtime` knows errors only and is the one place that names an inference engine |
//! | 3 | [`pack`] `index` [`fernet`] | manifests, the catalogue, verified bytes; scans of templates; vectors in tokens |
//! | 4 | [`detect`] `embed` [`quality`] [`liveness`] [`matcher`] | networks run here; `matcher` knows `index` and `vector` only |
//! | 5 | [`engine`] [`gallery`] | the paved road over row 4; a store that never loads a model |
//! | 6 | [`stream`] | from frames to one event for each visit, and to a queue that loses none |
//!
//! # Words
//!
//! Those of ISO/IEC 2382-37: a *probe* is compared with the *templates* of *subjects*; *verify* is one to
//! one, *identify* one to many. *Similarity* is the cosine of two templates' angle, -1 to 1. *FMR* is the
//! share of pairs of different people that a threshold takes for the same; *FPIR* the share of searches
//! for people who are not in a gallery that name somebody, *FNIR* of searches for people who are in it
//! that do not name them.
//!
//! # Features
//!
//! `bundled` (default) the models inside the library, 5 MB. `codecs` (default) JPEG, PNG, WebP and BMP.
//! `gallery` (default) the encrypted gallery. `onnxruntime` (default) the faster engine, when its library is on the machine. `rten` (default) the
//! engine in pure Rust. `hnsw` an
//! approximate index for galleries of several 100,000 templates. `download` `Catalog::pull`. `cuda`, `coreml`, `nnapi`, `directml` pass execution
//! providers through to ONNX Runtime.

#![deny(unsafe_code)]
#![warn(missing_docs)]

pub mod align;
#[cfg(feature = "bench")]
#[doc(hidden)]
pub mod bench;
#[cfg(feature = "gallery")]
mod crypto;
pub mod detect;
mod embed;
pub mod engine;
pub mod error;
#[cfg(feature = "gallery")]
pub mod fernet;
#[cfg(feature = "gallery")]
pub mod gallery;
pub mod geometry;
pub mod id;
pub mod image;
#[cfg(feature = "gallery")]
mod index;
pub mod liveness;
#[cfg(feature = "gallery")]
pub mod manual;
#[cfg(feature = "gallery")]
pub mod matcher;
pub mod pack;
pub mod quality;
pub mod runtime;
#[cfg(feature = "gallery")]
pub mod stream;
pub mod vector;

pub use crate::detect::{Detection, DetectionSize};
pub use crate::engine::{Capture, Engine, Face, Sample};
pub use crate::error::{Error, ErrorKind, Result};
#[cfg(feature = "gallery")]
pub use crate::gallery::{Access, Enrollment, Gallery, KeyProvider, Tenant};
pub use crate::geometry::{Landmarks, Point, Rect};
pub use crate::id::{SpaceId, SubjectId, TemplateId, TenantId};
pub use crate::image::{ImageView, Orientation, PixelFormat};
#[cfg(feature = "gallery")]
pub use crate::matcher::{Hit, Hits, IndexKind, Query, SearchMethod, Verdict};
pub use crate::pack::{Catalog, ModelPack};
pub use crate::quality::{Issue, Policy, Quality};
pub use crate::runtime::BackendChoice;
#[cfg(feature = "gallery")]
pub use crate::stream::Stream;
pub use crate::vector::{Embedding, Similarity, Template};

/// The README's programs compile.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct Readme;
