//! Making bundles.

use std::sync::PoisonError;

use super::bundle::{Bundle, BundleRequest, check_size, pack};
use super::changes::changed;
use super::origin::source;
use super::payload::PayloadWriter;
use super::record::millis_from_time;
use super::roster::spaces;
use super::tenant::Tenant;
use crate::error::{Error, ErrorKind, Result};

impl Tenant {
    /// People of this tenant for one device: encrypted to it, signed by this gallery, and valid until the time
    /// asked for. The device brings it in with [`import_bundle`](Self::import_bundle).
    ///
    /// It carries templates in all spaces, details and ids; and, of everybody who was erased since the
    /// request's cursor, the number they had. Bundles may be lost, and arrive late, twice or in any order.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidArgument`] for a time that is over and for a key that is none, [`ErrorKind::LimitReached`] for
    /// more than 256 MiB, and those of [`changes_since`](Self::changes_since).
    pub fn export_bundle(&self, request: &BundleRequest) -> Result<Bundle> {
        let now = self.now()?;
        let valid_until = millis_from_time(request.valid_until)?;
        if valid_until <= now {
            return Err(Error::new(
                ErrorKind::InvalidArgument,
                format!(
                    "a bundle is valid for a time to come, this one's was over {} s ago",
                    (now - valid_until) / 1_000
                ),
            ));
        }
        let mut payload = PayloadWriter::new();
        let (mut subjects, mut erased) = (0, 0);
        let (cursor, source, missing) = self.store.read(|at| {
            let ring = self.state.ring(at)?;
            let spaces = spaces(at)?;
            let mut cursor = request.since.checked(at, ring.row)?;
            for touched in changed(at, &cursor, usize::MAX)? {
                cursor = cursor.behind(&touched);
                let person = ring.person(at, touched.row)?;
                let Some(person) = person.filter(|it| !it.profile.is_expired(now)) else {
                    payload.erased(touched.row, touched.sequence);
                    erased += 1;
                    continue;
                };
                let id = person.id()?;
                if request.roster.as_ref().is_some_and(|roster| !roster.contains(&id)) {
                    continue;
                }
                let stored = ring.templates(at, &person, &spaces)?;
                let templates: Vec<_> =
                    stored.iter().map(|stored| (stored.space, &stored.record)).collect();
                payload.person(touched.row, touched.sequence, &person.profile, &templates)?;
                subjects += 1;
                check_size(payload.len())?;
            }
            let mut missing = Vec::new();
            for id in request.roster.iter().flatten() {
                let person = ring.find(at, id)?;
                if person.is_none_or(|it| it.profile.is_expired(now)) {
                    missing.push(id.clone());
                }
            }
            missing.sort_unstable();
            Ok((cursor, source(at.gallery, ring.row), missing))
        })?;
        let identity = self.identity.read().unwrap_or_else(PoisonError::into_inner);
        let bytes = pack(&identity, &request.device, valid_until, &payload.finish(&source))?;
        Ok(Bundle { bytes, cursor, subjects, erased, missing })
    }
}
