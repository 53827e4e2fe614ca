//! Galleries that hold less in memory, and searching them.

use super::Gallery;
use super::roster::{Roster, TenantState};
use super::store::Store;
use crate::error::Result;
pub use crate::index::Memory;
use crate::index::{Owner, Read, nothing};

impl Gallery {
    /// The same gallery whose tenants hold more or less of each template in memory: [`Memory`] says how much. Tenants
    /// that are asked of it from now on do so; of one tenant those that hold all share nothing with those that do not.
    ///
    /// With [`Memory::Lean`], every answer is what it is with [`Memory::Full`], bit by bit, from the same commit, and a
    /// row of the file that is missing or was changed is an [`Integrity`](crate::ErrorKind::Integrity) error to whoever
    /// needs it. What it costs:
    ///
    /// - Answers read rows: one or two of somebody who is known, tens for a query with a small limit, and all that may be
    ///   found for one without a limit or a threshold.
    /// - Searches of an open gallery take turns with one another, and with other calls that read.
    /// - [`Tenant::with_index`](super::Tenant::with_index) refuses graphs, which need all values.
    /// - Enrolling a batch holds the batch's own values until it is done.
    ///
    /// ```no_run
    /// # use faceprint::{Access, Gallery};
    /// use faceprint::gallery::Memory;
    ///
    /// # fn example(access: Access) -> faceprint::Result<()> {
    /// let gallery = Gallery::open("staff.faceprint", &access)?.with_memory(Memory::Lean);
    /// let acme = gallery.tenant(&"acme".parse()?)?;
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub const fn with_memory(mut self, memory: Memory) -> Self {
        self.memory = memory;
        self
    }
}

impl TenantState {
    /// Runs `work` on what is enrolled at the last commit, and with what reads values that are not in memory: from that
    /// very commit, so that nobody is gone between the scan and the reading.
    pub(super) fn search<T>(
        &self,
        store: &Store,
        mut work: impl FnMut(&Roster, Read<'_>) -> Result<T>,
    ) -> Result<T> {
        if self.memory == Memory::Full {
            let roster = self.current(store)?;
            return work(&roster, &nothing);
        }
        loop {
            let done = store.read(|at| {
                self.at(at, |ring, roster| {
                    // A writer of this process may have read a later commit meanwhile.
                    if !roster.is_of(at) {
                        return Ok(None);
                    }
                    let read = |owner: Owner| ring.embedding(at, owner, &roster.spaces);
                    work(roster, &read).map(Some)
                })
            })?;
            if let Some(done) = done {
                return Ok(done);
            }
        }
    }
}
