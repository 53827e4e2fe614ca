//! Measuring recognition: trials, error rates and their picture.

pub(crate) mod degrade;
pub(crate) mod discard;
pub(crate) mod pairs;
pub(crate) mod plot;
pub(crate) mod stats;
