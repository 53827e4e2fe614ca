//! The clock that is measured by: the wall's, or with `FACEPRINT_CLOCK=cpu` time on the core, for a machine that is
//! not quiet.

use std::env;
use std::time::{Duration, Instant};

use cpu_time::ProcessTime;

/// A start.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Stopwatch {
    /// By the clock on the wall.
    Wall(Instant),
    /// By the time this process had a core.
    Core(ProcessTime),
}

impl Stopwatch {
    /// Starts now.
    #[must_use]
    pub fn start() -> Self {
        if env::var_os("FACEPRINT_CLOCK").is_some_and(|it| it == "cpu") {
            Self::Core(ProcessTime::now())
        } else {
            Self::Wall(Instant::now())
        }
    }

    /// Time since.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        match self {
            Self::Wall(start) => start.elapsed(),
            Self::Core(start) => start.elapsed(),
        }
    }

    /// Seconds since.
    #[must_use]
    pub fn seconds(&self) -> f64 {
        self.elapsed().as_secs_f64()
    }
}
