//! What the measurements share: where pictures and models are, engines on one thread, bare runs.

pub mod bare;
pub mod data;
