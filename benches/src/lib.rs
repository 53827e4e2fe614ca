//! What the measurements share: where pictures and models are, engines on one thread, bare runs.
#![forbid(unsafe_code)]

pub mod bare;
pub mod data;
pub mod vectors;
