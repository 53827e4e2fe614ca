//! The two ways to search, and what can be said of an answer.

use crate::error::{Error, ErrorKind, Result};

/// The least and the greatest recall that can be asked for: less finds half of the people only, and more would
/// take tens of thousands of probes to prove.
const TARGETS: std::ops::RangeInclusive<f64> = 0.5..=0.999;

/// How a tenant is searched.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[expect(clippy::exhaustive_enums, reason = "a search misses nothing, or it may")]
pub enum IndexKind {
    /// By a scan of all templates that provably misses nothing.
    #[default]
    Exact,
    /// By a graph, where that is faster and keeps its promise: it finds the most similar person for a share
    /// of `target_recall` (0.5..=0.999) of hard probes at least. Whenever it does not, the scan answers. It needs all
    /// values in memory, [`Memory::Full`](crate::gallery::Memory::Full).
    Approximate {
        /// The share, 0.5..=0.999.
        target_recall: f64,
    },
}

/// How an answer was found.
#[derive(Clone, Copy, Debug, PartialEq)]
#[expect(clippy::exhaustive_enums, reason = "a search misses nothing, or it may")]
pub enum SearchMethod {
    /// Nothing can be missing: a scan of all templates.
    Exact,
    /// Somebody may be missing. The similarities are those of the scan.
    Approximate {
        /// The share of probes whose most similar person is found, at least, with a confidence of 95 %: audited
        /// against the scan, with hard probes made from this tenant's own templates. It speaks of the
        /// first hit; of those behind it more may be missing.
        audited_recall: f64,
    },
}

/// Where a tenant's approximate index stands. All states but `Approximate` mean exact answers.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum IndexState {
    /// None was asked for.
    Exact,
    /// There are so few templates that the scan is the faster of the two.
    Small {
        /// Templates there are.
        templates: usize,
        /// From how many on a graph is tried.
        from: usize,
    },
    /// It is being built and audited in the background.
    Building,
    /// It answers.
    Approximate {
        /// As in [`SearchMethod::Approximate`].
        audited_recall: f64,
        /// Probes of the audit.
        probes: usize,
        /// Probes whose most similar person was missed.
        missed: usize,
    },
    /// It missed too many to be faster than the scan and keep its promise. Tried again when the number of templates
    /// has doubled or halved, or less is asked for.
    Refused {
        /// The best that can be said of it, as in [`SearchMethod::Approximate`].
        audited_recall: f64,
        /// Probes of the audit.
        probes: usize,
        /// Probes whose most similar person was missed.
        missed: usize,
    },
    /// The graph library failed, and is not tried again before the tenant is opened anew.
    Failed,
}

impl IndexKind {
    /// This, if it can be had.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidArgument`] and, in builds without graphs, [`ErrorKind::Unsupported`].
    pub(crate) fn check(self) -> Result<Self> {
        let Self::Approximate { target_recall } = self else { return Ok(self) };
        if !TARGETS.contains(&target_recall) {
            return Err(Error::new(
                ErrorKind::InvalidArgument,
                format!(
                    "the target recall is {target_recall}, it must be {} to {}; to miss nobody ask for \
                     IndexKind::Exact",
                    TARGETS.start(),
                    TARGETS.end()
                ),
            ));
        }
        if cfg!(not(feature = "hnsw")) {
            return Err(Error::new(
                ErrorKind::Unsupported,
                "this build has no approximate index; build with the cargo feature `hnsw`, or ask for \
                 IndexKind::Exact",
            ));
        }
        Ok(self)
    }
}
