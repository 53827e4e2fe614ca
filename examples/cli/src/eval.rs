//! Measuring recognition: trials, error rates and their picture.

pub(crate) mod bootstrap;
pub(crate) mod degrade;
pub(crate) mod discard;
pub(crate) mod held_out;
pub(crate) mod impostors;
pub(crate) mod intervals;
pub(crate) mod open_set;
pub(crate) mod pairs;
pub(crate) mod pareto;
pub(crate) mod people;
pub(crate) mod plot;
pub(crate) mod random;
pub(crate) mod stats;
