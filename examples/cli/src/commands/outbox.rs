//! `faceprint outbox`: events that wait are shown, delivered, or forgotten.

use std::ffi::OsString;
use std::io::{ErrorKind as IoKind, Write};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant, SystemTime};

use faceprint::ErrorKind;
use faceprint::stream::{Delivery, Outbox};
use serde_json::json;

use super::watch::OUTBOX_LIMIT;
use super::{Answer, erase};
use crate::args::outbox::{DeliverArgs, EraseArgs, FileArgs, OutboxCommand};
use crate::context::Context;
use crate::event::Report;
use crate::failure::Failure;
use crate::{output, secret};

/// How long nobody else is given an event that is being printed; and what is added to a command's time.
const LEASE: Duration = Duration::from_secs(60);

/// How often an outbox without due events is looked into.
const POLL: Duration = Duration::from_millis(500);

/// How often a command that runs is looked after.
const LOOK: Duration = Duration::from_millis(5);

/// What no command needs to know.
const SECRETS: [&str; 2] = ["FACEPRINT_PASSPHRASE", "FACEPRINT_NEW_PASSPHRASE"];

pub(crate) fn run(command: &OutboxCommand, context: &Context) -> Result<Answer, Failure> {
    match command {
        OutboxCommand::List(file) => list(&open(file)?),
        OutboxCommand::Drain(file) => drain(&open(file)?),
        OutboxCommand::Deliver(args) => deliver(args),
        OutboxCommand::Erase(args) => forget(args, context),
    }
}

fn open(file: &FileArgs) -> Result<Outbox, Failure> {
    let path = &file.outbox;
    // Nobody should have to type a passphrase for nothing.
    if !path.exists() {
        let message = "there is no outbox here; `faceprint watch --outbox FILE` makes one";
        return Err(Failure::new(ErrorKind::GalleryNotFound, message).at(path));
    }
    let access = secret::current(&file.secret)?;
    Outbox::open(path, &access, OUTBOX_LIMIT).map_err(|error| Failure::from(error).at(path))
}

fn list(outbox: &Outbox) -> Result<Answer, Failure> {
    let events = outbox.peek(usize::MAX)?;
    events.iter().try_for_each(|event| output::json(&Report::new(event)))?;
    Ok((!events.is_empty()).into())
}

fn drain(outbox: &Outbox) -> Result<Answer, Failure> {
    while let Some(Delivery { event, attempt, .. }) = outbox.lease(SystemTime::now(), LEASE)? {
        output::json(&Report::new(&event).attempt(attempt))?;
        outbox.ack(event.id)?;
    }
    Ok(outbox.is_empty()?.into())
}

fn deliver(args: &DeliverArgs) -> Result<Answer, Failure> {
    let outbox = open(&args.file)?;
    let (mut delivered, mut failed) = (0, 0);
    loop {
        let Some(delivery) = outbox.lease(SystemTime::now(), args.timeout + LEASE)? else {
            if !args.follow {
                break;
            }
            std::thread::sleep(POLL);
            continue;
        };
        let id = delivery.event.id;
        match hand_over(&delivery, &args.command, args.timeout) {
            Ok(true) => {
                outbox.ack(id)?;
                delivered += 1;
            }
            Ok(false) => {
                outbox.retry(id, SystemTime::now())?;
                failed += 1;
            }
            Err(failure) => {
                outbox.retry(id, SystemTime::now())?;
                return Err(failure);
            }
        }
    }
    let waiting = outbox.len()?;
    output::note(format!(
        "{} delivered, {} failed, {waiting} waiting",
        output::count(delivered, "event", "events"),
        output::count(failed, "attempt", "attempts"),
    ));
    Ok((waiting == 0).into())
}

/// Runs the command; whether it took the event.
fn hand_over(
    delivery: &Delivery,
    command: &[OsString],
    timeout: Duration,
) -> Result<bool, Failure> {
    let [program, arguments @ ..] = command else {
        return Err(Failure::usage("there is no command to run"));
    };
    let mut line = serde_json::to_vec(&Report::new(&delivery.event).attempt(delivery.attempt))
        .map_err(std::io::Error::from)?;
    line.push(b'\n');
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::piped());
    for secret in SECRETS {
        command.env_remove(secret);
    }
    let mut child = command.spawn().map_err(|error| {
        let program = program.display();
        Failure::new(ErrorKind::Io, format!("the command {program} could not be run: {error}"))
    })?;
    if let Some(mut input) = child.stdin.take() {
        match input.write_all(&line) {
            // It may know what it needs without reading.
            Err(error) if error.kind() != IoKind::BrokenPipe => {
                stop(&mut child)?;
                return Err(error.into());
            }
            _ => {}
        }
    }
    let began = Instant::now();
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(status.success());
        }
        if began.elapsed() >= timeout {
            stop(&mut child)?;
            output::note(format!("the command took longer than {timeout:?}, and was stopped"));
            return Ok(false);
        }
        std::thread::sleep(LOOK);
    }
}

fn stop(child: &mut Child) -> Result<(), Failure> {
    child.kill()?;
    child.wait()?;
    Ok(())
}

fn forget(args: &EraseArgs, context: &Context) -> Result<Answer, Failure> {
    let outbox = open(&args.file)?;
    let whom = match args.names.as_slice() {
        [name] => name.to_string(),
        names => format!("{} people", names.len()),
    };
    let path = &args.file.outbox;
    if !args.yes && !erase::confirmed(&format!("{whom} from {}", path.display()))? {
        output::note("nobody was erased");
        return Ok(Answer::No);
    }
    let mut events = 0;
    for name in &args.names {
        events += outbox.erase(name)?;
    }
    if context.json {
        output::json(&json!({ "outbox": path, "erased": { "events": events } }))?;
    } else {
        output::line(format!("{} erased", output::count(events, "event", "events")))?;
    }
    Ok(Answer::Yes)
}
