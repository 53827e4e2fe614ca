//! The commands, one file each.

pub(crate) mod compare;
pub(crate) mod detect;
pub(crate) mod embed;
pub(crate) mod enroll;
pub(crate) mod erase;
pub(crate) mod eval_liveness;
pub(crate) mod eval_quality;
pub(crate) mod gallery;
pub(crate) mod identification;
pub(crate) mod identify;
pub(crate) mod lfw;
pub(crate) mod list;
pub(crate) mod outbox;
pub(crate) mod quality;
pub(crate) mod runtime;
pub(crate) mod sync;
pub(crate) mod watch;

use std::path::{Path, PathBuf};

use crate::context::Context;
use crate::failure::Failure;
use crate::output;

/// The answer of a command whose work is done; anything else is a [`Failure`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    /// Exit code 0.
    Yes,
    /// Exit code 1.
    No,
}

impl From<bool> for Answer {
    fn from(yes: bool) -> Self {
        if yes { Self::Yes } else { Self::No }
    }
}

/// Does `work` on every picture. One that fails is reported and does not keep the others from being
/// done, but the command has failed then.
fn each_picture<'a>(
    paths: &'a [PathBuf],
    context: &Context,
    mut work: impl FnMut(&'a Path) -> Result<bool, Failure>,
) -> Result<Vec<bool>, Failure> {
    let mut answers = Vec::new();
    let mut failed = false;
    for path in paths {
        match work(path) {
            Ok(answer) => answers.push(answer),
            Err(failure) if failure.silent => return Err(failure),
            Err(failure) => {
                output::failure(&failure, context.json);
                failed = true;
            }
        }
    }
    if failed { Err(Failure::told()) } else { Ok(answers) }
}
