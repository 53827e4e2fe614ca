//! What the measurements share: where pictures and models are, engines on one thread, bare runs, people
//! to enrol.
#![forbid(unsafe_code)]

pub mod bare;
pub mod clock;
pub mod data;
pub mod people;
pub mod vectors;
