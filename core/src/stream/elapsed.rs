//! Time that only goes forward, from a clock that may not.

use std::time::{Duration, SystemTime};

/// Longer steps between two frames leave room for people to change places unseen.
const SURE_STEP: Duration = Duration::from_millis(500);

/// Before the first frame there is this much time for what was seen earlier.
const PAST: Duration = Duration::from_secs(10 * 366 * 86_400);

/// The sum of a clock's positive steps.
#[derive(Debug)]
pub(super) struct Elapsed {
    now: Duration,
    last: Option<SystemTime>,
    resumed_at: Duration,
}

impl Elapsed {
    pub(super) const fn new() -> Self {
        Self { now: PAST, last: None, resumed_at: PAST }
    }

    /// Goes on to `at`. Whether the step was so short, and forward, that a face is where it can be expected.
    pub(super) fn advance(&mut self, at: SystemTime) -> bool {
        let step = self.last.map(|last| at.duration_since(last));
        self.last = Some(at);
        match step {
            Some(Ok(step)) => {
                self.now = self.now.saturating_add(step);
                step <= SURE_STEP
            }
            // The clock was set back: how much time went by is not known.
            Some(Err(_)) => false,
            None => true,
        }
    }

    pub(super) const fn now(&self) -> Duration {
        self.now
    }

    /// Whether no frame has been seen yet.
    pub(super) const fn is_fresh(&self) -> bool {
        self.last.is_none()
    }

    /// `at`, as seen from the first frame, `first`: what lies in the future counts as just now.
    pub(super) fn before(&self, at: SystemTime, first: SystemTime) -> Duration {
        self.resumed_at.saturating_sub(first.duration_since(at).unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_goes_forward_only() {
        let start = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000);
        let second = Duration::from_secs(1);
        let mut elapsed = Elapsed::new();
        assert!(elapsed.is_fresh() && elapsed.advance(start));
        assert!(elapsed.advance(start + second / 10));
        assert!(!elapsed.advance(start - 500 * second), "set back");
        assert!(elapsed.advance(start - 500 * second + second / 10));
        assert!(!elapsed.advance(start + 500 * second), "a pause, or set forward");
        assert_eq!(elapsed.now() - PAST, second / 5 + 1_000 * second - second / 10);
        assert_eq!(elapsed.before(start - 7 * second, start), PAST - 7 * second);
        assert_eq!(elapsed.before(start + second, start), PAST);
    }
}
