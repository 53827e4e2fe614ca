//! Face recognition as a library: detection, alignment, embedding, matching.

#![deny(unsafe_code)]

pub mod align;
pub mod error;
pub mod geometry;
pub mod id;
pub mod image;
pub mod pack;

pub use crate::error::{Error, ErrorKind, Result};
pub use crate::geometry::{Landmarks, Point, Rect};
pub use crate::id::SpaceId;
pub use crate::image::{ImageView, Orientation, PixelFormat};
pub use crate::pack::{Catalog, ModelPack};
