//! What can be typed about taking people from one gallery to another.

use std::path::PathBuf;
use std::time::SystemTime;

use clap::Args;
use faceprint::gallery::{Cursor, DeviceKey, SignerKey};
use faceprint::{SubjectId, TenantId};

use super::gallery::FileArgs;
use crate::time;

/// What `gallery export` takes.
#[derive(Debug, Args)]
pub(crate) struct ExportArgs {
    #[command(flatten)]
    pub(crate) file: FileArgs,

    /// The bundle; a file that is there is replaced.
    #[arg(value_name = "OUT")]
    pub(crate) out: PathBuf,

    /// Whose people.
    #[arg(long, value_name = "NAME", default_value = "default")]
    pub(crate) tenant: TenantId,

    /// Only this device can read it: what `faceprint gallery device-key` prints there.
    #[arg(long, value_name = "KEY")]
    pub(crate) device: DeviceKey,

    /// From when on the people are gone on the device: 12h, 30d, 2027-01-31 or an RFC 3339 time (UTC).
    #[arg(long, value_name = "12h|DATE", value_parser = time::deadline)]
    pub(crate) valid_until: SystemTime,

    /// Only this person (repeatable) [default: everybody].
    #[arg(long, value_name = "NAME")]
    pub(crate) subject: Vec<SubjectId>,

    /// Only the people in this file: one name per line.
    #[arg(long, value_name = "FILE")]
    pub(crate) subjects: Option<PathBuf>,

    /// Only what changed since this cursor, which an earlier export printed.
    #[arg(long, value_name = "CURSOR")]
    pub(crate) since: Option<Cursor>,
}

/// What `gallery import` takes.
#[derive(Debug, Args)]
pub(crate) struct ImportArgs {
    #[command(flatten)]
    pub(crate) file: FileArgs,

    /// What `gallery export` wrote.
    #[arg(value_name = "BUNDLE")]
    pub(crate) bundle: PathBuf,

    /// Whose people they become.
    #[arg(long, value_name = "NAME", default_value = "default")]
    pub(crate) tenant: TenantId,

    /// Who has to have signed it: what `faceprint gallery signer` prints at the office.
    #[arg(long, value_name = "KEY")]
    pub(crate) signer: SignerKey,
}

/// What `gallery changes` takes.
#[derive(Debug, Args)]
pub(crate) struct ChangesArgs {
    #[command(flatten)]
    pub(crate) file: FileArgs,

    /// Whose people.
    #[arg(long, value_name = "NAME", default_value = "default")]
    pub(crate) tenant: TenantId,

    /// Only what changed since this cursor, which an earlier call printed.
    #[arg(long, value_name = "CURSOR")]
    pub(crate) since: Option<Cursor>,
}
