//! `faceprint watch`: who comes by, one event for each visit.

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use faceprint::Engine;
use faceprint::Stream;
use faceprint::stream::{Followed, Limit, Outbox, Who};

use super::Answer;
use crate::args::{EngineArgs, WatchArgs};
use crate::context::Context;
use crate::draw::{self, Mark};
use crate::event::Report;
use crate::failure::Failure;
use crate::frames::{Frame, Frames};
use crate::known::Known;
use crate::output;
use crate::session::{self, Session};
use crate::{gallery, people, secret};

/// An outbox that nobody empties is refused further events from here on.
pub(crate) const OUTBOX_LIMIT: Limit = Limit::refuse_new(1_000_000);

/// How often the outbox learns who is still there.
const REMEMBER: Duration = Duration::from_secs(5);

pub(crate) fn run(
    args: &WatchArgs,
    engine: &EngineArgs,
    context: &Context,
) -> Result<Answer, Failure> {
    let mut frames = Frames::new(args)?;
    let (known, session) = known(args, engine, context)?;
    let outbox = args.outbox.as_deref().map(|path| outbox(path, args)).transpose()?;
    if let Some(folder) = &args.draw {
        std::fs::create_dir_all(folder).map_err(|error| Failure::file(folder, &error))?;
    }
    let mut builder = Stream::builder(&session.engine, &known)
        .threshold(session.threshold(&args.threshold)?.value)
        .confirm_after(args.confirm_after)
        .cooldown(args.cooldown)
        .every(args.every.get());
    if let Some(frames) = args.liveness {
        builder = builder.liveness(frames);
    }
    if let Some(outbox) = &outbox {
        builder = builder.resume(outbox.sightings()?);
    }
    let mut stream = builder.build()?;
    let mut remembered = SystemTime::UNIX_EPOCH;
    while let Some(frame) = frames.next()? {
        let looked_at = frame.number.is_multiple_of(args.every.get());
        for event in stream.push(&frame.image.view(), frame.at)? {
            if let Some(outbox) = &outbox {
                outbox.push(&event)?;
            }
            output::json(&Report::new(&event).frame(frame.number))?;
        }
        if let Some(folder) = args.draw.as_deref().filter(|_| looked_at) {
            paint(folder, &frame, &stream)?;
        }
        // A clock that was set back is no reason to wait.
        let due = frame.at.duration_since(remembered).map_or(true, |since| since >= REMEMBER);
        if let Some(outbox) = outbox.as_ref().filter(|_| due) {
            outbox.remember(&stream.sightings())?;
            remembered = frame.at;
        }
    }
    if let Some(outbox) = &outbox {
        outbox.remember(&stream.sightings())?;
    }
    output::note(stream.stats().to_string());
    Ok((stream.stats().events > 0).into())
}

fn known(
    args: &WatchArgs,
    engine: &EngineArgs,
    context: &Context,
) -> Result<(Known, Session), Failure> {
    match (&args.known, &args.gallery) {
        (_, Some(path)) => {
            let gallery = gallery::read(path, &args.secret)?;
            gallery::require_space(&gallery, path, &session::pack(context, engine)?, context)?;
            let tenant = gallery::tenant(&gallery, &args.tenant)?;
            Ok((Known::Gallery(tenant), session(args, engine, context)?))
        }
        (Some(folder), None) => {
            let pictures = people::list(folder)?;
            let session = session(args, engine, context)?;
            let (known, _) = Known::from_folder(&session.engine, folder, &pictures)?;
            Ok((known, session))
        }
        (None, None) => Err(Failure::usage("whom to know: --known FOLDER or --gallery FILE")),
    }
}

fn session(args: &WatchArgs, engine: &EngineArgs, context: &Context) -> Result<Session, Failure> {
    match args.liveness {
        Some(_) => Session::with_liveness(context, engine),
        None => Session::open(context, engine),
    }
}

fn outbox(path: &Path, args: &WatchArgs) -> Result<Outbox, Failure> {
    let access =
        if path.exists() { secret::current(&args.secret)? } else { secret::first(&args.secret)? };
    Outbox::open_or_create(path, &access, OUTBOX_LIMIT)
        .map_err(|error| Failure::from(error).at(path))
}

/// Draws who is followed: green with the name, red for unknown and for suspected attacks, blue as long as it is not decided.
fn paint(folder: &Path, frame: &Frame, stream: &Stream<Engine, Known>) -> Result<(), Failure> {
    let marks: Vec<Mark> = stream.followed().map(|face| mark(&face)).collect();
    let image = &frame.image;
    let drawn = draw::draw(image.as_bytes(), image.width(), image.height(), &marks)?;
    let path: PathBuf = folder.join(format!("{:06}.png", frame.number));
    draw::save(&drawn, &path)
}

fn mark(face: &Followed) -> Mark {
    let (label, color) = match &face.who {
        Some(Who::Subject { id, .. }) if !face.doubtful => (id.to_string(), draw::GREEN),
        Some(Who::Visitor(visitor)) if !face.doubtful => {
            (format!("unknown {:.4}", visitor.to_string()), draw::RED)
        }
        Some(Who::Suspected { score, .. }) if !face.doubtful => {
            (format!("alive? {score:.2}"), draw::RED)
        }
        _ => (format!("{}?", face.track), draw::BLUE),
    };
    let optional = face.who.is_none();
    Mark { bounds: face.bounds, landmarks: face.landmarks, label, color, optional }
}
