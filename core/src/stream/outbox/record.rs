//! Events and sightings in bytes. All numbers are big-endian.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use zeroize::Zeroizing;

use crate::error::{Error, ErrorKind, Result};
use crate::geometry::Rect;
use crate::id::SubjectId;
use crate::stream::event::{Event, EventId, VisitorId, Who};
use crate::stream::memory::Sighting;

const SUBJECT: u8 = 1;
const VISITOR: u8 = 2;
const SUSPECTED: u8 = 3;

/// at (16, nanoseconds since 1970) ‖ track (8) ‖ box (4 x 4) ‖ quality (4) ‖ 1 ‖ similarity (4) ‖ name, or ‖ 2 ‖ visitor (8), or
/// ‖ 3 ‖ score (4) ‖ minimum (4) ‖ id (8).
pub(super) fn event_to_bytes(event: &Event) -> Result<Zeroizing<Vec<u8>>> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(512));
    bytes.extend_from_slice(&nanos(event.at).to_be_bytes());
    bytes.extend_from_slice(&event.track.to_be_bytes());
    let Rect { x, y, width, height } = event.bounds;
    for value in [x, y, width, height, event.quality] {
        bytes.extend_from_slice(&value.to_be_bytes());
    }
    match &event.who {
        Who::Subject { id, similarity } => {
            bytes.push(SUBJECT);
            bytes.extend_from_slice(&similarity.to_be_bytes());
            bytes.extend_from_slice(id.as_str().as_bytes());
        }
        Who::Visitor(visitor) => {
            bytes.push(VISITOR);
            bytes.extend_from_slice(visitor.as_bytes());
        }
        Who::Suspected { id, score, minimum } => {
            bytes.push(SUSPECTED);
            bytes.extend_from_slice(&score.to_be_bytes());
            bytes.extend_from_slice(&minimum.to_be_bytes());
            bytes.extend_from_slice(id.as_bytes());
        }
    }
    if bytes.capacity() > 512 {
        // It would have been copied on the way, and not wiped.
        return Err(Error::new(ErrorKind::Internal, "an event is longer than 512 bytes"));
    }
    Ok(bytes)
}

pub(super) fn event_from_bytes(id: EventId, bytes: &[u8]) -> Option<Event> {
    let (at, rest) = bytes.split_first_chunk()?;
    let (track, rest) = rest.split_first_chunk()?;
    let (numbers, rest) = rest.split_first_chunk::<20>()?;
    let (kind, rest) = rest.split_first()?;
    let number = |at: usize| f32::from_be_bytes(std::array::from_fn(|byte| numbers[4 * at + byte]));
    let who = match *kind {
        SUBJECT => {
            let (similarity, name) = rest.split_first_chunk()?;
            let id = std::str::from_utf8(name).ok()?.parse().ok()?;
            Who::Subject { id, similarity: f32::from_be_bytes(*similarity) }
        }
        VISITOR => Who::Visitor(VisitorId::from_bytes(rest.try_into().ok()?)),
        SUSPECTED => {
            let (score, rest) = rest.split_first_chunk()?;
            let (minimum, id) = rest.split_first_chunk()?;
            let id = VisitorId::from_bytes(id.try_into().ok()?);
            let [score, minimum] = [score, minimum].map(|it| f32::from_be_bytes(*it));
            Who::Suspected { id, score, minimum }
        }
        _ => return None,
    };
    Some(Event {
        id,
        at: from_nanos(i128::from_be_bytes(*at))?,
        track: u64::from_be_bytes(*track),
        bounds: Rect { x: number(0), y: number(1), width: number(2), height: number(3) },
        quality: number(4),
        who,
    })
}

/// at (16) ‖ name.
pub(super) fn sighting_to_bytes(subject: &SubjectId, at: SystemTime) -> Zeroizing<Vec<u8>> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(16 + subject.as_str().len()));
    bytes.extend_from_slice(&nanos(at).to_be_bytes());
    bytes.extend_from_slice(subject.as_str().as_bytes());
    bytes
}

pub(super) fn sighting_from_bytes(bytes: &[u8]) -> Option<Sighting> {
    let (at, name) = bytes.split_first_chunk()?;
    let subject = std::str::from_utf8(name).ok()?.parse().ok()?;
    Some(Sighting { subject, at: from_nanos(i128::from_be_bytes(*at))? })
}

/// For the fuzzer: any bytes as what is sealed in an outbox.
#[cfg(fuzzing)]
pub fn fuzz_record(bytes: &[u8]) {
    let id = EventId::from_bytes([7; 16]);
    if let Some(event) = event_from_bytes(id, bytes)
        && let Ok(written) = event_to_bytes(&event)
    {
        assert!(*written == bytes, "an event is written otherwise than it was read");
    }
    if let Some(Sighting { subject, at }) = sighting_from_bytes(bytes) {
        assert!(*sighting_to_bytes(&subject, at) == bytes, "so is a sighting");
    }
}

/// Milliseconds since 1970, rounded towards it.
pub(super) fn millis(time: SystemTime) -> i64 {
    let millis = nanos(time) / 1_000_000;
    i64::try_from(millis).unwrap_or(if millis < 0 { i64::MIN } else { i64::MAX })
}

/// A time fits: it has 64 bits of seconds.
fn nanos(time: SystemTime) -> i128 {
    let nanos =
        |it: Duration| i128::from(it.as_secs()) * 1_000_000_000 + i128::from(it.subsec_nanos());
    match time.duration_since(UNIX_EPOCH) {
        Ok(after) => nanos(after),
        Err(before) => -nanos(before.duration()),
    }
}

fn from_nanos(nanos: i128) -> Option<SystemTime> {
    let size = nanos.unsigned_abs();
    let seconds = u64::try_from(size / 1_000_000_000).ok()?;
    let rest = u32::try_from(size % 1_000_000_000).ok()?;
    let duration = Duration::new(seconds, rest);
    if nanos < 0 { UNIX_EPOCH.checked_sub(duration) } else { UNIX_EPOCH.checked_add(duration) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn who() -> impl Strategy<Value = Who> {
        prop_oneof![
            ("[a-zA-Zäö界 ]{1,60}", -1.0_f32..1.0)
                .prop_map(|(id, similarity)| Who::Subject { id: id.parse().unwrap(), similarity }),
            any::<[u8; 8]>().prop_map(|id| Who::Visitor(VisitorId::from_bytes(id))),
            (any::<[u8; 8]>(), 0.0_f32..1.0, 0.0_f32..1.0).prop_map(|(id, score, minimum)| {
                Who::Suspected { id: VisitorId::from_bytes(id), score, minimum }
            }),
        ]
    }

    proptest! {
        #[test]
        fn events_read_back(
            who in who(),
            id in any::<[u8; 16]>(),
            seconds in -5_000_000_000_i64..5_000_000_000,
            nano in 0_u32..1_000_000_000,
            track in any::<u64>(),
            numbers in any::<[i16; 5]>(),
        ) {
            let offset = Duration::new(seconds.unsigned_abs(), nano);
            let at = if seconds < 0 { UNIX_EPOCH - offset } else { UNIX_EPOCH + offset };
            let [x, y, width, height, quality] = numbers.map(f32::from);
            let bounds = Rect { x, y, width, height };
            let event = Event { id: EventId::from_bytes(id), at, track, bounds, quality, who };
            let bytes = event_to_bytes(&event).unwrap();
            prop_assert_eq!(event_from_bytes(event.id, &bytes), Some(event.clone()));
            if let Who::Subject { id, .. } = &event.who {
                let seen = Sighting { subject: id.clone(), at };
                prop_assert_eq!(sighting_from_bytes(&sighting_to_bytes(id, at)), Some(seen));
            }
        }

        #[test]
        fn other_bytes_are_no_event(bytes in prop::collection::vec(any::<u8>(), 0..80)) {
            let _ = event_from_bytes(EventId::from_bytes([0; 16]), &bytes);
            let _ = sighting_from_bytes(&bytes);
        }
    }
}
