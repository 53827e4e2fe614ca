//! From a camera to events.

use std::ffi::{CString, c_char};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use faceprint::stream::{Followed, Sighting, Who};
use faceprint::{Stream, SubjectId};

use crate::boundary::{Flag, Growing, Items, Options, Out, Text, call, free, millis, need, time};
use crate::engine::{FACEPRINT_DEFAULT_SHARE, faceprint_engine};
use crate::error::{Failure, faceprint_error, faceprint_status};
use crate::event::{Parts, events, faceprint_events, lent};
use crate::face::{faceprint_landmarks, faceprint_liveness, faceprint_rect};
use crate::image::faceprint_image;
use crate::tenant::faceprint_tenant;
use crate::text::{List, c_string};

/// How a stream decides; FACEPRINT_STREAM_OPTIONS_INIT.
#[repr(C)]
#[derive(Clone, Copy)]
#[allow(clippy::exhaustive_structs, reason = "C's; it grows by struct_size")]
pub struct faceprint_stream_options {
    /// sizeof(faceprint_stream_options).
    pub struct_size: usize,
    /// The similarity from which on two templates are of one person; FACEPRINT_DEFAULT_SHARE: the pack's at a false match
    /// rate of 0.0001.
    pub threshold: f32,
    /// How many successive templates must lead to the same person.
    pub confirm_after: u32,
    /// How many successive templates must lead to nobody.
    pub unknown_after: u32,
    /// How long somebody must not have been seen for another visit, milliseconds.
    pub cooldown: u64,
    /// After which time a face that is followed is verified again, milliseconds.
    pub look_interval: u64,
    /// How long a path waits for a face that is hidden, milliseconds.
    pub lost_after: u64,
    /// How much better a face's quality must be for another template, 0 to 100.
    pub quality_gain: f32,
    /// The detection score from which on a face begins a path.
    pub sure_score: f32,
    /// Looks at each so many-th frame only.
    pub every: u64,
    /// How many frames of a face vote on whether it is alive, 99 at most; 0, the default, for no vote. The engine needs
    /// liveness models. Who fails is not recognised, and gives one event that says so.
    pub liveness: u32,
}

/// Who was seen when last.
#[repr(C)]
#[derive(Clone, Copy)]
#[allow(clippy::exhaustive_structs, missing_docs, reason = "C's")]
pub struct faceprint_sighting {
    pub subject: Text,
    pub at: i64,
}

/// Sightings of the library's.
pub struct faceprint_sightings(List<faceprint_sighting>);

/// A face that is followed.
#[repr(C)]
#[derive(Clone, Copy)]
#[allow(clippy::exhaustive_structs, reason = "C's, and only read")]
pub struct faceprint_followed {
    /// The number of its path.
    pub track: u64,
    /// Where the face is.
    pub bounds: faceprint_rect,
    /// Its landmarks.
    pub landmarks: faceprint_landmarks,
    /// Whether it is decided who it is.
    pub decided: Flag,
    /// Whether the path is in doubt.
    pub doubtful: Flag,
    /// Who, when decided and known; NULL otherwise.
    pub subject: *const c_char,
    /// How similar they are.
    pub similarity: f32,
    /// Which unknown person or suspected face, when decided and not known.
    pub visitor: [u8; 8],
    /// A faceprint_who, when decided.
    pub who: u32,
    /// As in an event.
    pub liveness: faceprint_liveness,
}

/// The faces of the last frame that are followed.
pub struct faceprint_followed_faces(List<faceprint_followed>);

/// What a stream has done so far.
#[repr(C)]
#[derive(Clone, Copy)]
#[allow(clippy::exhaustive_structs, reason = "C's, and only read")]
pub struct faceprint_stats {
    /// Frames that were pushed.
    pub frames: u64,
    /// Frames that were not looked at.
    pub skipped: u64,
    /// Faces that were followed, counted in each frame.
    pub faces: u64,
    /// Templates made.
    pub embeddings: u64,
    /// Faces that were followed without one.
    pub saved: u64,
    /// Frames for which at least one template was made.
    pub embedded_frames: u64,
    /// Events given.
    pub events: u64,
    /// Faces that were judged for liveness.
    pub judged: u64,
}

/// One camera's frames on the way to events.
pub struct faceprint_stream(Mutex<Stream>);

/// A stream that sees with `engine` and knows the people of `tenant`; neither is needed longer. It goes on where an
/// earlier stream ended, with `len` sightings; NULL and 0 for none.
#[unsafe(no_mangle)]
pub extern "C" fn faceprint_stream_new(
    engine: Option<&faceprint_engine>,
    tenant: Option<&faceprint_tenant>,
    options: Options<faceprint_stream_options>,
    sightings: Items<faceprint_sighting>,
    len: usize,
    stream: Out<*mut faceprint_stream>,
    error: Out<*mut faceprint_error>,
) -> faceprint_status {
    call(error, || {
        let stream = stream.check("stream")?;
        let options = options.read("options")?;
        let millis = Duration::from_millis;
        let (engine, tenant) = (need(engine, "engine")?, need(tenant, "tenant")?);
        let mut builder = Stream::builder(&engine.engine, &tenant.tenant)
            .confirm_after(options.confirm_after)
            .unknown_after(options.unknown_after)
            .cooldown(millis(options.cooldown))
            .look_interval(millis(options.look_interval))
            .lost_after(millis(options.lost_after))
            .quality_gain(options.quality_gain)
            .sure_score(options.sure_score)
            .every(options.every)
            .resume(self::sightings(sightings, len)?);
        if options.threshold != FACEPRINT_DEFAULT_SHARE {
            builder = builder.threshold(options.threshold);
        }
        if options.liveness > 0 {
            builder = builder.liveness(options.liveness);
        }
        stream.give(faceprint_stream(Mutex::new(builder.build()?)));
        Ok(())
    })
}

/// Looks at the next frame, taken `at`, and gives what it decides: usually nothing.
#[unsafe(no_mangle)]
pub extern "C" fn faceprint_stream_push(
    stream: Option<&faceprint_stream>,
    image: Option<&faceprint_image>,
    at: i64,
    events: Out<*mut faceprint_events>,
    error: Out<*mut faceprint_error>,
) -> faceprint_status {
    call(error, || {
        let events = events.check("events")?;
        let (view, at) = (need(image, "image")?.view()?, time(at)?);
        let decided = need(stream, "stream")?.lock().push(&view, at)?;
        events.give(self::events(&decided));
        Ok(())
    })
}

/// The faces of the last frame that are followed.
#[unsafe(no_mangle)]
pub extern "C" fn faceprint_stream_followed(
    stream: Option<&faceprint_stream>,
    faces: Out<*mut faceprint_followed_faces>,
    error: Out<*mut faceprint_error>,
) -> faceprint_status {
    call(error, || {
        let faces = faces.check("faces")?;
        let followed: Vec<Followed> = need(stream, "stream")?.lock().followed().collect();
        let mut texts = Vec::new();
        let shown = followed.into_iter().map(|it| {
            let parts = it.who.as_ref().map_or(Parts::NOBODY, Parts::of);
            let subject = match &it.who {
                Some(Who::Subject { id, .. }) => {
                    texts.push(c_string(id));
                    texts.last().map_or(std::ptr::null(), |text| text.as_ptr())
                }
                _ => std::ptr::null(),
            };
            faceprint_followed {
                track: it.track,
                bounds: it.bounds.into(),
                landmarks: it.landmarks.into(),
                decided: it.who.is_some().into(),
                doubtful: it.doubtful.into(),
                subject,
                similarity: parts.similarity,
                visitor: parts.visitor,
                who: parts.who,
                liveness: parts.liveness,
            }
        });
        let shown: Vec<_> = shown.collect();
        faces.give(faceprint_followed_faces(List::new(shown, texts)));
        Ok(())
    })
}

/// Who of the gallery was seen within the cooldown, for the stream that takes over.
#[unsafe(no_mangle)]
pub extern "C" fn faceprint_stream_sightings(
    stream: Option<&faceprint_stream>,
    sightings: Out<*mut faceprint_sightings>,
    error: Out<*mut faceprint_error>,
) -> faceprint_status {
    call(error, || {
        let sightings = sightings.check("sightings")?;
        let seen = need(stream, "stream")?.lock().sightings();
        sightings.give(seen.into());
        Ok(())
    })
}

/// Forgets somebody who was erased from the gallery: when they were seen, and whose face it was that is followed, so
/// that the sightings do not bring them back. Called after the erasure.
#[unsafe(no_mangle)]
pub extern "C" fn faceprint_stream_forget(
    stream: Option<&faceprint_stream>,
    subject: Text,
    error: Out<*mut faceprint_error>,
) -> faceprint_status {
    call(error, || {
        let subject: SubjectId = subject.get("subject")?.parse()?;
        need(stream, "stream")?.lock().forget(&subject);
        Ok(())
    })
}

/// What was done so far; all 0 for NULL.
#[unsafe(no_mangle)]
pub extern "C" fn faceprint_stream_stats(stream: Option<&faceprint_stream>) -> faceprint_stats {
    let stats = stream.map(|stream| stream.lock().stats()).unwrap_or_default();
    faceprint_stats {
        frames: stats.frames,
        skipped: stats.skipped,
        faces: stats.faces,
        embeddings: stats.embeddings,
        saved: stats.saved,
        embedded_frames: stats.embedded_frames,
        events: stats.events,
        judged: stats.judged,
    }
}

/// Frees a stream.
#[unsafe(no_mangle)]
pub extern "C" fn faceprint_stream_free(stream: Option<Box<faceprint_stream>>) {
    free(stream);
}

/// How many faces are followed.
#[unsafe(no_mangle)]
pub extern "C" fn faceprint_followed_faces_len(faces: Option<&faceprint_followed_faces>) -> usize {
    List::len(faces.map(|it| &it.0))
}

/// One of them; NULL from the length on.
#[unsafe(no_mangle)]
pub extern "C" fn faceprint_followed_faces_at(
    faces: Option<&faceprint_followed_faces>,
    index: usize,
) -> *const faceprint_followed {
    List::at(faces.map(|it| &it.0), index)
}

/// Frees a list.
#[unsafe(no_mangle)]
pub extern "C" fn faceprint_followed_faces_free(faces: Option<Box<faceprint_followed_faces>>) {
    free(faces);
}

/// How many sightings there are.
#[unsafe(no_mangle)]
pub extern "C" fn faceprint_sightings_len(sightings: Option<&faceprint_sightings>) -> usize {
    List::len(sightings.map(|it| &it.0))
}

/// One of them, and those behind it: what faceprint_stream_new and faceprint_outbox_remember take. NULL from the length
/// on.
#[unsafe(no_mangle)]
pub extern "C" fn faceprint_sightings_at(
    sightings: Option<&faceprint_sightings>,
    index: usize,
) -> *const faceprint_sighting {
    List::at(sightings.map(|it| &it.0), index)
}

/// Frees a list.
#[unsafe(no_mangle)]
pub extern "C" fn faceprint_sightings_free(sightings: Option<Box<faceprint_sightings>>) {
    free(sightings);
}

// SAFETY: repr(C), `struct_size` first, numbers.
unsafe impl Growing for faceprint_stream_options {
    fn defaults() -> Self {
        Self {
            struct_size: size_of::<Self>(),
            threshold: FACEPRINT_DEFAULT_SHARE,
            confirm_after: 3,
            unknown_after: 6,
            cooldown: 30_000,
            look_interval: 5_000,
            lost_after: 2_000,
            quality_gain: 10.0,
            sure_score: 0.6,
            every: 1,
            liveness: 0,
        }
    }
}

impl faceprint_stream {
    fn lock(&self) -> std::sync::MutexGuard<'_, Stream> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Sightings of the caller.
pub(crate) fn sightings(
    items: Items<faceprint_sighting>,
    len: usize,
) -> Result<Vec<Sighting>, Failure> {
    let seen = items
        .slice(len, "sightings")?
        .iter()
        .map(|it| Ok(Sighting { subject: it.subject.get("subject")?.parse()?, at: time(it.at)? }));
    seen.collect()
}

impl From<Vec<Sighting>> for faceprint_sightings {
    fn from(seen: Vec<Sighting>) -> Self {
        let names: Vec<CString> = seen.iter().map(|it| c_string(&it.subject)).collect();
        let shown = seen
            .iter()
            .zip(&names)
            .map(|(it, name)| faceprint_sighting { subject: lent(name), at: millis(it.at) });
        let shown = shown.collect();
        Self(List::new(shown, names))
    }
}
