//! Face recognition as a library: detection, alignment, embedding, matching.

#![deny(unsafe_code)]

pub mod align;
#[cfg(feature = "gallery")]
mod crypto;
pub mod detect;
mod embed;
pub mod engine;
pub mod error;
#[cfg(feature = "gallery")]
pub mod gallery;
pub mod geometry;
pub mod id;
pub mod image;
#[cfg(feature = "gallery")]
mod index;
#[cfg(feature = "gallery")]
pub mod matcher;
pub mod pack;
pub mod runtime;
pub mod vector;

pub use crate::detect::{Detection, DetectionSize};
pub use crate::engine::{Capture, Engine, Face, Issue, Sample};
pub use crate::error::{Error, ErrorKind, Result};
#[cfg(feature = "gallery")]
pub use crate::gallery::{Access, Enrollment, Gallery, KeyProvider, Tenant};
pub use crate::geometry::{Landmarks, Point, Rect};
pub use crate::id::{SpaceId, SubjectId, TemplateId, TenantId};
pub use crate::image::{ImageView, Orientation, PixelFormat};
#[cfg(feature = "gallery")]
pub use crate::matcher::{Hit, Query};
pub use crate::pack::{Catalog, ModelPack};
pub use crate::runtime::BackendChoice;
pub use crate::vector::{Embedding, Similarity, Template};
