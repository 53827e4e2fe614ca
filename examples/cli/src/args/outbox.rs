//! What can be typed about a queue of events.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Subcommand};
use faceprint::SubjectId;

use super::gallery::SecretArgs;

/// What `outbox` takes.
#[derive(Debug, Args)]
pub(crate) struct OutboxArgs {
    #[command(subcommand)]
    pub(crate) command: OutboxCommand,
}

/// What is done with the events.
#[derive(Debug, Subcommand)]
pub(crate) enum OutboxCommand {
    /// Print the events that wait as JSON lines, oldest first. Nothing is changed.
    ///
    /// Exit code 0: there are some; 1: none; 2: an error.
    List(FileArgs),
    /// Print the events that are due as JSON lines, oldest first, and take them out.
    ///
    /// An event is taken out when its line is written. After a power cut the last one may come again, under the same id.
    ///
    /// Exit code 0: the outbox is empty now; 1: some wait for another attempt; 2: an error.
    Drain(FileArgs),
    /// Run a command for each event that is due, oldest first, with the event as a line of JSON on its standard input.
    ///
    /// faceprint outbox deliver door.outbox --follow -- curl -sf -H 'Content-Type: application/json' -d @- https://office/events
    ///
    /// When the command ends with 0 the event is taken out. Otherwise it is tried again 1 second later, then after 2, 4, 8 … and
    /// an hour at most, while the others go on. An event may come more than once, always under the same id.
    ///
    /// Exit code 0: the outbox is empty now; 1: some wait for another attempt; 2: an error, such as a command that there is not.
    Deliver(DeliverArgs),
    /// Remove all that is kept of people: their events, delivered or not, and when they were seen.
    ///
    /// Stop `watch` before: it keeps who was just there. The gallery has an `erase` of its own.
    ///
    /// Exit code 0: done, however much there was; 1: the question was answered with no; 2: an error.
    Erase(EraseArgs),
}

/// An outbox and what opens it.
#[derive(Debug, Args)]
pub(crate) struct FileArgs {
    /// The outbox.
    #[arg(value_name = "FILE")]
    pub(crate) outbox: PathBuf,

    #[command(flatten)]
    pub(crate) secret: SecretArgs,
}

/// What `outbox deliver` takes.
#[derive(Debug, Args)]
pub(crate) struct DeliverArgs {
    #[command(flatten)]
    pub(crate) file: FileArgs,

    /// Wait for further events instead of ending.
    #[arg(long)]
    pub(crate) follow: bool,

    /// How long the command may take, 50 minutes at most; then it is stopped, and has failed.
    #[arg(long, value_name = "TIME", default_value = "60s", value_parser = timeout)]
    pub(crate) timeout: Duration,

    /// The command and its arguments. There is no shell unless you name one, and FACEPRINT_PASSPHRASE is not in its
    /// environment.
    #[arg(last = true, required = true, value_name = "COMMAND")]
    pub(crate) command: Vec<OsString>,
}

/// What `outbox erase` takes.
#[derive(Debug, Args)]
pub(crate) struct EraseArgs {
    #[command(flatten)]
    pub(crate) file: FileArgs,

    /// Whom to forget.
    #[arg(value_name = "NAME", required = true)]
    pub(crate) names: Vec<SubjectId>,

    /// Do not ask.
    #[arg(long)]
    pub(crate) yes: bool,
}

/// An event that is under way longer than an hour would be given to somebody else meanwhile.
fn timeout(text: &str) -> Result<Duration, String> {
    let longest = Duration::from_secs(50 * 60);
    let timeout = humantime::parse_duration(text).ok();
    let timeout = timeout.filter(|it| (Duration::from_millis(1)..=longest).contains(it));
    timeout.ok_or_else(|| "expected a time such as 30s, 50m at most".to_owned())
}
