//! Access slots: adding, removing, and changing the one a gallery was opened with.

use std::sync::PoisonError;

use super::Gallery;
use super::access::{Access, NewSlot, SLOTS, SlotId, SlotKind};
use super::format::Table;
use super::keys::slots;
use super::ledger::Cell;
use super::store::Writer;
use crate::crypto::Key;
use crate::error::{Error, ErrorKind, Result};

/// One way into a gallery.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SlotInfo {
    /// Its number, for [`Gallery::remove_access`].
    pub id: SlotId,
    /// What opens it.
    pub kind: SlotKind,
}

impl Gallery {
    /// The ways into the gallery, oldest first.
    ///
    /// # Errors
    /// [`ErrorKind::WrongKey`] when the gallery was rekeyed elsewhere, and [`ErrorKind::Integrity`].
    pub fn slots(&self) -> Result<Vec<SlotInfo>> {
        let found = self.shared.store.read(|at| slots(at.conn))?;
        let info = |slot: super::access::Slot| SlotInfo { id: SlotId(slot.id), kind: slot.kind };
        Ok(found.into_iter().map(info).collect())
    }

    /// Lets `access` open the gallery too.
    ///
    /// # Errors
    /// [`ErrorKind::LimitReached`] from 32 slots on, [`ErrorKind::KeyProvider`], [`ErrorKind::Locked`] and those of
    /// [`slots`](Self::slots).
    pub fn add_access(&self, access: &Access) -> Result<SlotId> {
        let slot = access.prepare()?;
        self.shared.store.write(|writer| insert(writer, slot, &self.keys().root.root)).map(SlotId)
    }

    /// Closes one way into the gallery. Who once opened the gallery through it and kept the root key, or kept an
    /// older copy of the file, is kept out by [`rekey`](Self::rekey) only.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidArgument`] for the last slot and for one that is not there,
    /// [`ErrorKind::Locked`] and those of [`slots`](Self::slots).
    pub fn remove_access(&self, slot: SlotId) -> Result<()> {
        self.shared.store.write(|writer| {
            let found = slots(writer.snapshot().conn)?;
            if !found.iter().any(|it| it.id == slot.0) {
                return Err(Error::new(
                    ErrorKind::InvalidArgument,
                    format!("none of the {} access slots has number {slot}", found.len()),
                ));
            }
            if found.len() == 1 {
                return Err(Error::new(
                    ErrorKind::InvalidArgument,
                    "1 access slot is left, and without it the gallery cannot be opened; add another first",
                ));
            }
            writer.remove(Table::Slot, slot.0)
        })
    }

    /// Puts `access` in the place of the slot this gallery was opened with. Immediate, whatever the size of
    /// the gallery; the keys below stay, see [`rekey`](Self::rekey).
    ///
    /// # Errors
    /// Those of [`add_access`](Self::add_access).
    pub fn rotate_key(&self, access: &Access) -> Result<()> {
        let slot = access.prepare()?;
        let slot = self.shared.store.write(|writer| {
            let keys = self.keys();
            if slots(writer.snapshot().conn)?.iter().any(|it| it.id == keys.slot) {
                writer.remove(Table::Slot, keys.slot)?;
            }
            insert(writer, slot, &keys.root.root)
        })?;
        self.shared.keys.write().unwrap_or_else(PoisonError::into_inner).slot = slot;
        Ok(())
    }
}

/// Stores `slot` around `root`; gives its row.
pub(super) fn insert(writer: &mut Writer<'_>, slot: NewSlot, root: &Key) -> Result<i64> {
    let at = writer.snapshot();
    let found = slots(at.conn)?.len();
    if found >= SLOTS {
        return Err(Error::new(
            ErrorKind::LimitReached,
            format!(
                "the gallery has {found} access slots, at most {SLOTS} are allowed; remove one"
            ),
        ));
    }
    let slot = slot.seal(&at.gallery, writer.next_id()?, root)?;
    writer.insert(
        Table::Slot,
        &[
            Cell::Int(slot.id),
            Cell::Int(slot.kind as i64),
            Cell::Bytes(&slot.parameters),
            Cell::Bytes(&slot.wrapped),
        ],
    )?;
    Ok(slot.id)
}
