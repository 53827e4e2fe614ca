//! What a stream says.

use std::ffi::CString;

use faceprint::stream::{Event, EventId, VisitorId, Who};

use crate::boundary::{Out, Text, call, free, millis, time};
use crate::error::{Failure, faceprint_error, faceprint_status};
use crate::face::{faceprint_liveness, faceprint_rect};
use crate::text::{List, c_string};

/// What an event says of a face, and what is known of one that is followed.
#[repr(u32)]
#[derive(Clone, Copy, PartialEq, Eq)]
#[allow(clippy::exhaustive_enums, reason = "declared for C; structures hold numbers")]
pub enum faceprint_who {
    /// Somebody of the gallery: see subject and similarity.
    Subject = 0,
    /// Somebody the gallery does not know: see visitor.
    Visitor = 1,
    /// A presentation attack is suspected, and nobody asked whose face it is: see visitor and liveness.
    Suspected = 2,
}

/// What tells an event from every other.
#[repr(C)]
#[derive(Clone, Copy)]
#[allow(clippy::exhaustive_structs, reason = "C's")]
pub struct faceprint_event_id {
    /// Random ones.
    pub bytes: [u8; 16],
}

/// A visit was confirmed, or an attack is suspected.
#[repr(C)]
#[derive(Clone, Copy)]
#[allow(
    clippy::exhaustive_structs,
    reason = "C's, and of this size for ever: it is handed in and out"
)]
pub struct faceprint_event {
    /// What tells this event from every other: delivered twice, it is one.
    pub id: faceprint_event_id,
    /// The time of the frame that decided it.
    pub at: i64,
    /// The path of the face in its stream.
    pub track: u64,
    /// Where the face was.
    pub bounds: faceprint_rect,
    /// How good the face was, 0 to 100.
    pub quality: f32,
    /// How similar a known person is, -1 to 1; 0 for anybody else.
    pub similarity: f32,
    /// Who, as long as what the event was asked of lives; NULL unless `who` is FACEPRINT_WHO_SUBJECT.
    pub subject: Text,
    /// Which unknown person or suspected face, within the life of the stream; all 0 for somebody known.
    pub visitor: [u8; 8],
    /// A faceprint_who.
    pub who: u32,
    /// The median score of the frames that were judged, for a suspected face; 0 and 0 for anybody else.
    pub liveness: faceprint_liveness,
}

/// Events of one frame.
pub struct faceprint_events(List<faceprint_event>);

/// Reads 32 hexadecimal digits.
#[unsafe(no_mangle)]
pub extern "C" fn faceprint_event_id_parse(
    text: Text,
    id: Out<faceprint_event_id>,
    error: Out<*mut faceprint_error>,
) -> faceprint_status {
    call(error, || {
        let id = id.check("id")?;
        id.put(faceprint_event_id { bytes: *text.get("text")?.parse::<EventId>()?.as_bytes() });
        Ok(())
    })
}

/// How many events there are.
#[unsafe(no_mangle)]
pub extern "C" fn faceprint_events_len(events: Option<&faceprint_events>) -> usize {
    List::len(events.map(|it| &it.0))
}

/// One of them; NULL from the length on.
#[unsafe(no_mangle)]
pub extern "C" fn faceprint_events_at(
    events: Option<&faceprint_events>,
    index: usize,
) -> *const faceprint_event {
    List::at(events.map(|it| &it.0), index)
}

/// Frees a list.
#[unsafe(no_mangle)]
pub extern "C" fn faceprint_events_free(events: Option<Box<faceprint_events>>) {
    free(events);
}

/// The name in an event; empty where there is none.
pub(crate) fn name(event: &Event) -> CString {
    if let Who::Subject { id, .. } = &event.who { c_string(id) } else { CString::default() }
}

/// `event`, whose subject is `name` and lives as long as that.
pub(crate) fn shown(event: &Event, name: &CString) -> faceprint_event {
    let parts = Parts::of(&event.who);
    let is_known = matches!(event.who, Who::Subject { .. });
    faceprint_event {
        id: faceprint_event_id { bytes: *event.id.as_bytes() },
        at: millis(event.at),
        track: event.track,
        bounds: event.bounds.into(),
        quality: event.quality,
        similarity: parts.similarity,
        subject: if is_known { lent(name) } else { Text::NULL },
        visitor: parts.visitor,
        who: parts.who,
        liveness: parts.liveness,
    }
}

/// Events of the library's, which show their names.
pub(crate) fn events(decided: &[Event]) -> faceprint_events {
    let names: Vec<CString> = decided.iter().map(name).collect();
    let shown = decided.iter().zip(&names).map(|(event, name)| shown(event, name)).collect();
    faceprint_events(List::new(shown, names))
}

/// What C has of a person, beside the name.
pub(crate) struct Parts {
    pub(crate) who: u32,
    pub(crate) similarity: f32,
    pub(crate) visitor: [u8; 8],
    pub(crate) liveness: faceprint_liveness,
}

impl Parts {
    pub(crate) const NOBODY: Self = Self {
        who: 0,
        similarity: 0.0,
        visitor: [0; 8],
        liveness: faceprint_liveness { score: 0.0, threshold: 0.0 },
    };

    pub(crate) fn of(who: &Who) -> Self {
        match who {
            Who::Subject { similarity, .. } => Self { similarity: *similarity, ..Self::NOBODY },
            Who::Visitor(id) => {
                Self { who: faceprint_who::Visitor as u32, visitor: *id.as_bytes(), ..Self::NOBODY }
            }
            Who::Suspected { id, score, minimum } => Self {
                who: faceprint_who::Suspected as u32,
                visitor: *id.as_bytes(),
                liveness: faceprint_liveness { score: *score, threshold: *minimum },
                ..Self::NOBODY
            },
            // One this version of C does not know yet, as no number of faceprint_who.
            _ => Self { who: u32::MAX, ..Self::NOBODY },
        }
    }
}

pub(crate) fn lent(name: &CString) -> Text {
    // SAFETY: ends with a zero, and is kept in the list beside what points to it.
    unsafe { Text::new(name.as_ptr()) }
}

impl faceprint_event {
    /// The event, as the core has it.
    pub(crate) fn event(&self) -> Result<Event, Failure> {
        let visitor = VisitorId::from_bytes(self.visitor);
        let who = match self.who {
            0 => Who::Subject {
                id: self.subject.get("subject")?.parse()?,
                similarity: self.similarity,
            },
            1 => Who::Visitor(visitor),
            2 => Who::Suspected {
                id: visitor,
                score: self.liveness.score,
                minimum: self.liveness.threshold,
            },
            other => return Err(Failure::argument(format!("who is {other}, must be 0 to 2"))),
        };
        let mut event = Event::new(who, time(self.at)?)?;
        event.id = EventId::from_bytes(self.id.bytes);
        event.track = self.track;
        event.bounds = self.bounds.into();
        event.quality = self.quality;
        Ok(event)
    }
}
