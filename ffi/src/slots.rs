//! The ways into a gallery.

use faceprint::gallery::SlotKind;

use crate::access::faceprint_access;
use crate::boundary::{Out, call, free, need};
use crate::error::{Failure, faceprint_error, faceprint_status};
use crate::gallery::faceprint_gallery;
use crate::text::List;

/// What kind of secret opens a slot.
#[repr(u32)]
#[derive(Clone, Copy, PartialEq, Eq)]
#[allow(clippy::exhaustive_enums, missing_docs, reason = "declared for C; calls give numbers")]
pub enum faceprint_slot_kind {
    Passphrase = 1,
    Key = 2,
    Provider = 3,
}

/// One way into a gallery.
#[repr(C)]
#[derive(Clone, Copy)]
#[allow(clippy::exhaustive_structs, reason = "C's, and only read")]
pub struct faceprint_slot {
    /// Its number, for faceprint_gallery_remove_access; never given twice.
    pub id: i64,
    /// A faceprint_slot_kind; 0 for one this version does not know.
    pub kind: u32,
}

/// Ways into a gallery, oldest first.
pub struct faceprint_slots(List<faceprint_slot>);

/// The ways into the gallery.
#[unsafe(no_mangle)]
pub extern "C" fn faceprint_gallery_slots(
    gallery: Option<&faceprint_gallery>,
    slots: Out<*mut faceprint_slots>,
    error: Out<*mut faceprint_error>,
) -> faceprint_status {
    call(error, || {
        let slots = slots.check("slots")?;
        let found = need(gallery, "gallery")?.0.slots()?.into_iter();
        let shown = found.map(|slot| {
            let kind = match slot.kind {
                SlotKind::Passphrase => 1,
                SlotKind::Key => 2,
                SlotKind::Provider => 3,
                _ => 0,
            };
            Ok(faceprint_slot { id: number(slot.id)?, kind })
        });
        let shown = shown.collect::<Result<_, Failure>>()?;
        slots.give(faceprint_slots(List::new(shown, Vec::new())));
        Ok(())
    })
}

/// Lets `access` open the gallery too. `slot` gets the number of the new slot, and may be NULL.
#[unsafe(no_mangle)]
pub extern "C" fn faceprint_gallery_add_access(
    gallery: Option<&faceprint_gallery>,
    access: Option<&faceprint_access>,
    slot: Out<i64>,
    error: Out<*mut faceprint_error>,
) -> faceprint_status {
    call(error, || {
        let made = need(gallery, "gallery")?.0.add_access(&need(access, "access")?.0)?;
        if let Ok(slot) = slot.check("slot") {
            slot.put(number(made)?);
        }
        Ok(())
    })
}

/// Closes one way into the gallery.
#[unsafe(no_mangle)]
pub extern "C" fn faceprint_gallery_remove_access(
    gallery: Option<&faceprint_gallery>,
    slot: i64,
    error: Out<*mut faceprint_error>,
) -> faceprint_status {
    call(error, || {
        let gallery = &need(gallery, "gallery")?.0;
        let slots = gallery.slots()?;
        let found = slots.iter().find(|it| number(it.id).is_ok_and(|number| number == slot));
        let Some(found) = found else {
            let message = format!("none of the {} access slots has number {slot}", slots.len());
            return Err(Failure::argument(message));
        };
        Ok(gallery.remove_access(found.id)?)
    })
}

/// Puts `access` in the place of the slot this gallery was opened with. Immediate; what to do when a passphrase is
/// to be changed.
#[unsafe(no_mangle)]
pub extern "C" fn faceprint_gallery_rotate_key(
    gallery: Option<&faceprint_gallery>,
    access: Option<&faceprint_access>,
    error: Out<*mut faceprint_error>,
) -> faceprint_status {
    call(error, || Ok(need(gallery, "gallery")?.0.rotate_key(&need(access, "access")?.0)?))
}

/// Makes all keys anew and seals everything again; `access` becomes the only way in. What to do when a key may have been
/// seen.
#[unsafe(no_mangle)]
pub extern "C" fn faceprint_gallery_rekey(
    gallery: Option<&faceprint_gallery>,
    access: Option<&faceprint_access>,
    error: Out<*mut faceprint_error>,
) -> faceprint_status {
    call(error, || Ok(need(gallery, "gallery")?.0.rekey(&need(access, "access")?.0)?))
}

/// How many slots there are.
#[unsafe(no_mangle)]
pub extern "C" fn faceprint_slots_len(slots: Option<&faceprint_slots>) -> usize {
    List::len(slots.map(|it| &it.0))
}

/// One of them; NULL from the length on.
#[unsafe(no_mangle)]
pub extern "C" fn faceprint_slots_at(
    slots: Option<&faceprint_slots>,
    index: usize,
) -> *const faceprint_slot {
    List::at(slots.map(|it| &it.0), index)
}

/// Frees a list.
#[unsafe(no_mangle)]
pub extern "C" fn faceprint_slots_free(slots: Option<Box<faceprint_slots>>) {
    free(slots);
}

/// What the core shows of a slot's number is the number.
fn number(slot: faceprint::gallery::SlotId) -> Result<i64, Failure> {
    slot.to_string().parse().map_err(|_| Failure::bug("the number of a slot is no number"))
}
