//! Face recognition as a library: detection, alignment, embedding, matching.

#![deny(unsafe_code)]

pub mod align;
pub mod detect;
mod embed;
pub mod engine;
pub mod error;
pub mod geometry;
pub mod id;
pub mod image;
pub mod pack;
pub mod runtime;
pub mod vector;

pub use crate::detect::{Detection, DetectionSize};
pub use crate::engine::{Capture, Engine, Face, Issue, Sample};
pub use crate::error::{Error, ErrorKind, Result};
pub use crate::geometry::{Landmarks, Point, Rect};
pub use crate::id::SpaceId;
pub use crate::image::{ImageView, Orientation, PixelFormat};
pub use crate::pack::{Catalog, ModelPack};
pub use crate::runtime::BackendChoice;
pub use crate::vector::{Embedding, Similarity, Template};
