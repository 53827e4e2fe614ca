//! A queue of events that outlives the network, the power and the process.

use std::ffi::CString;
use std::time::Duration;

use faceprint::SubjectId;
use faceprint::stream::{EventId, Limit, Outbox, Pushed};

use crate::access::faceprint_access;
use crate::boundary::{Flag, Items, Out, Text, call, free, millis_or_none, need, time};
use crate::error::{Failure, faceprint_error, faceprint_status};
use crate::event::{events, faceprint_event, faceprint_event_id, faceprint_events, name, shown};
use crate::stream::{faceprint_sighting, faceprint_sightings, sightings};

/// How a file is opened.
#[repr(u32)]
#[derive(Clone, Copy, PartialEq, Eq)]
#[allow(clippy::exhaustive_enums, reason = "declared for C; calls take numbers")]
pub enum faceprint_open_mode {
    /// It is there.
    Open = 0,
    /// It is not there yet.
    Create = 1,
    /// Either.
    OpenOrCreate = 2,
}

/// Events on their way to whoever wants them, sealed, until they are acknowledged.
pub struct faceprint_outbox(Outbox);

/// An event that is to be delivered.
pub struct faceprint_delivery {
    event: faceprint_event,
    attempt: u32,
    _name: CString,
}

/// Opens or makes the outbox at `path`, by a faceprint_open_mode. It holds `limit` events; one more is refused with
/// FACEPRINT_STATUS_LIMIT_REACHED, or the oldest given up with `drop_oldest`.
#[unsafe(no_mangle)]
pub extern "C" fn faceprint_outbox_open(
    path: Text,
    access: Option<&faceprint_access>,
    mode: u32,
    limit: u64,
    drop_oldest: Flag,
    outbox: Out<*mut faceprint_outbox>,
    error: Out<*mut faceprint_error>,
) -> faceprint_status {
    call(error, || {
        let outbox = outbox.check("outbox")?;
        let (path, access) = (path.get("path")?, &need(access, "access")?.0);
        let limit = match drop_oldest {
            0 => Limit::refuse_new(limit),
            _ => Limit::drop_oldest(limit),
        };
        outbox.give(faceprint_outbox(match mode {
            0 => Outbox::open(path, access, limit)?,
            1 => Outbox::create(path, access, limit)?,
            2 => Outbox::open_or_create(path, access, limit)?,
            other => return Err(Failure::argument(format!("mode is {other}, must be 0 to 2"))),
        }));
        Ok(())
    })
}

/// Adds an event, durably, and its sighting. `added` (false when it was there already) and `dropped` (how many older
/// ones had to go) may be NULL.
#[unsafe(no_mangle)]
pub extern "C" fn faceprint_outbox_push(
    outbox: Option<&faceprint_outbox>,
    event: Option<&faceprint_event>,
    added: Out<Flag>,
    dropped: Out<u64>,
    error: Out<*mut faceprint_error>,
) -> faceprint_status {
    call(error, || {
        let event = need(event, "event")?.event()?;
        let (is_new, gone) = match need(outbox, "outbox")?.0.push(&event)? {
            Pushed::Added { dropped } => (1, dropped),
            Pushed::Known => (0, 0),
        };
        if let Ok(added) = added.check("added") {
            added.put(is_new);
        }
        if let Ok(dropped) = dropped.check("dropped") {
            dropped.put(gone);
        }
        Ok(())
    })
}

/// The oldest event that is due at `now`; NULL when there is none. For `lease` milliseconds, an hour at most, it is
/// nobody else's.
#[unsafe(no_mangle)]
pub extern "C" fn faceprint_outbox_lease(
    outbox: Option<&faceprint_outbox>,
    now: i64,
    lease: u64,
    delivery: Out<*mut faceprint_delivery>,
    error: Out<*mut faceprint_error>,
) -> faceprint_status {
    call(error, || {
        let delivery = delivery.check("delivery")?;
        let due = need(outbox, "outbox")?.0.lease(time(now)?, Duration::from_millis(lease))?;
        match due {
            Some(due) => {
                let name = name(&due.event);
                let event = shown(&due.event, &name);
                delivery.give(faceprint_delivery { event, attempt: due.attempt, _name: name });
            }
            None => delivery.put(std::ptr::null_mut()),
        }
        Ok(())
    })
}

/// The event of `id` was delivered, and is removed. `gone` says whether it was still there, and may be NULL.
#[unsafe(no_mangle)]
pub extern "C" fn faceprint_outbox_ack(
    outbox: Option<&faceprint_outbox>,
    id: Option<&faceprint_event_id>,
    gone: Out<Flag>,
    error: Out<*mut faceprint_error>,
) -> faceprint_status {
    call(error, || {
        let id = EventId::from_bytes(need(id, "id")?.bytes);
        let removed = need(outbox, "outbox")?.0.ack(id)?;
        if let Ok(gone) = gone.check("gone") {
            gone.put(removed.into());
        }
        Ok(())
    })
}

/// The event of `id` could not be delivered: it is due again later. `when` gets the time, FACEPRINT_NO_TIME
/// when it is gone, and may be NULL.
#[unsafe(no_mangle)]
pub extern "C" fn faceprint_outbox_retry(
    outbox: Option<&faceprint_outbox>,
    id: Option<&faceprint_event_id>,
    now: i64,
    when: Out<i64>,
    error: Out<*mut faceprint_error>,
) -> faceprint_status {
    call(error, || {
        let id = EventId::from_bytes(need(id, "id")?.bytes);
        let due = need(outbox, "outbox")?.0.retry(id, time(now)?)?;
        if let Ok(when) = when.check("when") {
            when.put(millis_or_none(due));
        }
        Ok(())
    })
}

/// How many events wait.
#[unsafe(no_mangle)]
pub extern "C" fn faceprint_outbox_len(
    outbox: Option<&faceprint_outbox>,
    len: Out<u64>,
    error: Out<*mut faceprint_error>,
) -> faceprint_status {
    call(error, || {
        let len = len.check("len")?;
        len.put(need(outbox, "outbox")?.0.len()?);
        Ok(())
    })
}

/// The oldest events, `at_most` of them, whether they are due or not. Nothing is changed.
#[unsafe(no_mangle)]
pub extern "C" fn faceprint_outbox_peek(
    outbox: Option<&faceprint_outbox>,
    at_most: usize,
    events: Out<*mut faceprint_events>,
    error: Out<*mut faceprint_error>,
) -> faceprint_status {
    call(error, || {
        let events = events.check("events")?;
        events.give(self::events(&need(outbox, "outbox")?.0.peek(at_most)?));
        Ok(())
    })
}

/// Forgets `subject`: their events, delivered or not, and their sighting, in one commit, and overwrites the bytes. A
/// stream that runs is told first, with faceprint_stream_forget. `erased`, how many events that were, may be NULL.
/// FACEPRINT_STATUS_LOCKED: the person is forgotten, the sealed bytes are not gone yet, and the same call again
/// removes them.
#[unsafe(no_mangle)]
pub extern "C" fn faceprint_outbox_erase(
    outbox: Option<&faceprint_outbox>,
    subject: Text,
    erased: Out<u64>,
    error: Out<*mut faceprint_error>,
) -> faceprint_status {
    call(error, || {
        let subject: SubjectId = subject.get("subject")?.parse()?;
        let events = need(outbox, "outbox")?.0.erase(&subject)?;
        if let Ok(erased) = erased.check("erased") {
            erased.put(events);
        }
        Ok(())
    })
}

/// Replaces the sightings by those of a stream.
#[unsafe(no_mangle)]
pub extern "C" fn faceprint_outbox_remember(
    outbox: Option<&faceprint_outbox>,
    sightings: Items<faceprint_sighting>,
    len: usize,
    error: Out<*mut faceprint_error>,
) -> faceprint_status {
    call(error, || {
        let seen = self::sightings(sightings, len)?;
        Ok(need(outbox, "outbox")?.0.remember(&seen)?)
    })
}

/// Who was seen, and when last, for faceprint_stream_new.
#[unsafe(no_mangle)]
pub extern "C" fn faceprint_outbox_sightings(
    outbox: Option<&faceprint_outbox>,
    sightings: Out<*mut faceprint_sightings>,
    error: Out<*mut faceprint_error>,
) -> faceprint_status {
    call(error, || {
        let sightings = sightings.check("sightings")?;
        sightings.give(need(outbox, "outbox")?.0.sightings()?.into());
        Ok(())
    })
}

/// Frees an outbox; the file stays.
#[unsafe(no_mangle)]
pub extern "C" fn faceprint_outbox_free(outbox: Option<Box<faceprint_outbox>>) {
    free(outbox);
}

/// The event, which lives as long as the delivery.
#[unsafe(no_mangle)]
pub extern "C" fn faceprint_delivery_event(
    delivery: Option<&faceprint_delivery>,
) -> *const faceprint_event {
    delivery.map_or(std::ptr::null(), |delivery| &raw const delivery.event)
}

/// Which attempt this is, from 1.
#[unsafe(no_mangle)]
pub extern "C" fn faceprint_delivery_attempt(delivery: Option<&faceprint_delivery>) -> u32 {
    delivery.map_or(0, |delivery| delivery.attempt)
}

/// Frees a delivery. The event stays in the outbox until it is acknowledged.
#[unsafe(no_mangle)]
pub extern "C" fn faceprint_delivery_free(delivery: Option<Box<faceprint_delivery>>) {
    free(delivery);
}
