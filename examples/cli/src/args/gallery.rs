//! What can be typed about galleries: the file, its secret, and the people in it.

use std::path::PathBuf;
use std::time::SystemTime;

use clap::{Args, Subcommand};
use faceprint::gallery::HeadToken;
use faceprint::{SubjectId, TenantId};

use super::similarity;
use super::sync::{ChangesArgs, ExportArgs, ImportArgs};
use crate::time;

/// What `gallery` takes.
#[derive(Debug, Args)]
pub(crate) struct GalleryArgs {
    #[command(subcommand)]
    pub(crate) command: GalleryCommand,
}

/// What is done to a whole gallery.
#[derive(Debug, Subcommand)]
pub(crate) enum GalleryCommand {
    /// Make a gallery for the templates of the pack.
    ///
    /// Who loses the passphrase or key loses the gallery: nothing else opens it.
    Create(FileArgs),
    /// Show what is in it: tenants, people, spaces, ways in, size.
    Info(FileArgs),
    /// Read and open everything there is: is every row there, and what it was?
    ///
    /// Exit code 0: the gallery is whole; 1: it is damaged, was changed, or is older than --head; 2: it
    /// could not be checked.
    Check(CheckArgs),
    /// Print a token of its state, to be kept elsewhere.
    ///
    /// `faceprint gallery check FILE --head TOKEN` tells with it whether an old file was put back. It is 80
    /// digits that say nothing of who is in the gallery.
    Head(FileArgs),
    /// Change the passphrase or key it is opened with.
    ///
    /// Immediate, whatever the gallery's size. The keys inside stay: when the old passphrase or key may
    /// have been seen, use `rekey`.
    RotateKey(RenewArgs),
    /// Make every key in it anew and seal everything again.
    ///
    /// What to do when a passphrase or key may have been seen. The new one is then the only way in. It is
    /// one commit: interrupted, the gallery is as before.
    Rekey(RenewArgs),
    /// Let a second passphrase or key open it too.
    AddKey(RenewArgs),
    /// Close one of several ways in, by its number in `gallery info`.
    RemoveKey(RemoveKeyArgs),
    /// Give free space back and remove what is left of erased people.
    Compact(FileArgs),
    /// Write a consistent copy while others read and write. The same passphrase or key opens it.
    Backup(BackupArgs),
    /// Show the embedding spaces it accepts, the packs that make such templates, and how many people have one.
    Spaces(SpacesArgs),
    /// Write people to a bundle for one device: encrypted to it, signed, and valid for a time.
    ///
    /// Bundles may be lost, and arrive late, twice or in any order. The cursor that is printed is where a
    /// later bundle with --since goes on: it carries what changed, and who was erased.
    ///
    /// Exit code 0: the bundle is written; 1: it is, and somebody who was asked for is not enrolled; 2: an
    /// error.
    Export(ExportArgs),
    /// Bring the people of a bundle in: all in one commit, or nobody.
    ///
    /// Exit code 0: done; 1: done, but for people of whom somebody of that name was enrolled here; 2: an
    /// error, and nothing was changed.
    Import(ImportArgs),
    /// Print the key that bundles for this gallery are made for. It is no secret.
    DeviceKey(FileArgs),
    /// Print the key that this gallery signs its bundles with. It is no secret.
    Signer(FileArgs),
    /// Show who changed or was erased since a cursor, for whoever keeps a copy elsewhere.
    Changes(ChangesArgs),
}

/// A gallery and what opens it.
#[derive(Debug, Args)]
pub(crate) struct FileArgs {
    /// The gallery.
    #[arg(value_name = "FILE")]
    pub(crate) gallery: PathBuf,

    #[command(flatten)]
    pub(crate) secret: SecretArgs,
}

/// What `gallery check` takes.
#[derive(Debug, Args)]
pub(crate) struct CheckArgs {
    #[command(flatten)]
    pub(crate) file: FileArgs,

    /// Is it at least as new as when `gallery head` printed this?
    #[arg(long, value_name = "TOKEN")]
    pub(crate) head: Option<HeadToken>,
}

/// What `gallery rotate-key`, `rekey` and `add-key` take.
#[derive(Debug, Args)]
pub(crate) struct RenewArgs {
    #[command(flatten)]
    pub(crate) file: FileArgs,

    #[command(flatten)]
    pub(crate) new: NewSecretArgs,
}

/// What `gallery remove-key` takes.
#[derive(Debug, Args)]
pub(crate) struct RemoveKeyArgs {
    #[command(flatten)]
    pub(crate) file: FileArgs,

    /// The number of the way in, from `gallery info`.
    #[arg(value_name = "SLOT")]
    pub(crate) slot: String,
}

/// What `gallery backup` takes.
#[derive(Debug, Args)]
pub(crate) struct BackupArgs {
    #[command(flatten)]
    pub(crate) file: FileArgs,

    /// The copy; there must be no such file yet.
    #[arg(value_name = "TO")]
    pub(crate) to: PathBuf,
}

/// What `gallery spaces` takes.
#[derive(Debug, Args)]
pub(crate) struct SpacesArgs {
    #[command(flatten)]
    pub(crate) file: FileArgs,

    /// Accept templates of the pack (see --pack) too, beside those there are.
    #[arg(long)]
    pub(crate) add: bool,
}

/// Where the passphrase or key comes from.
#[derive(Debug, Args)]
pub(crate) struct SecretArgs {
    /// The passphrase is the first line of this file [default: the environment variable
    /// FACEPRINT_PASSPHRASE, or a question at the terminal].
    #[arg(
        long,
        help_heading = "Passphrase or key",
        value_name = "FILE",
        conflicts_with = "key_file"
    )]
    pub(crate) passphrase_file: Option<PathBuf>,

    /// The key is in this file: 32 bytes, or 64 hexadecimal digits.
    #[arg(long, help_heading = "Passphrase or key", value_name = "FILE")]
    pub(crate) key_file: Option<PathBuf>,
}

/// Where a new passphrase or key comes from.
#[derive(Debug, Args)]
pub(crate) struct NewSecretArgs {
    /// The new passphrase is the first line of this file [default: the environment variable
    /// FACEPRINT_NEW_PASSPHRASE, or a question at the terminal].
    #[arg(
        long,
        help_heading = "Passphrase or key",
        value_name = "FILE",
        conflicts_with = "new_key_file"
    )]
    pub(crate) new_passphrase_file: Option<PathBuf>,

    /// The new key is in this file: 32 bytes, or 64 hexadecimal digits.
    #[arg(long, help_heading = "Passphrase or key", value_name = "FILE")]
    pub(crate) new_key_file: Option<PathBuf>,
}

/// A tenant of a gallery, for the commands about people.
#[derive(Debug, Args)]
pub(crate) struct TenantArgs {
    /// The gallery, made by `faceprint gallery create`.
    #[arg(long, help_heading = "Gallery", value_name = "FILE")]
    pub(crate) gallery: PathBuf,

    /// Whose people: a customer, a site, a class. Tenants do not see one another.
    #[arg(long, help_heading = "Gallery", value_name = "NAME", default_value = "default")]
    pub(crate) tenant: TenantId,

    #[command(flatten)]
    pub(crate) secret: SecretArgs,
}

/// What `enroll` takes.
#[derive(Debug, Args)]
pub(crate) struct EnrollArgs {
    /// Who the pictures show.
    #[arg(value_name = "NAME", required_unless_present = "from")]
    pub(crate) name: Option<SubjectId>,

    /// Pictures of this person, one face in each.
    #[arg(value_name = "IMG", required_unless_present = "from")]
    pub(crate) images: Vec<PathBuf>,

    /// Enrol everybody in this folder: NAME.jpg, or NAME/*.jpg for several pictures of one person.
    #[arg(long, value_name = "FOLDER", conflicts_with_all = ["name", "images"])]
    pub(crate) from: Option<PathBuf>,

    #[command(flatten)]
    pub(crate) tenant: TenantArgs,

    #[command(flatten)]
    pub(crate) details: DetailsArgs,

    /// From which similarity to somebody else on a picture is refused as a duplicate, -1 to 1
    /// [default: 0.6].
    #[arg(long, value_name = "X", value_parser = similarity, conflicts_with = "no_duplicate_check")]
    pub(crate) duplicate_at: Option<f32>,

    /// Do not look for duplicates: for twins, and faster for many thousands.
    #[arg(long)]
    pub(crate) no_duplicate_check: bool,

    /// Templates a person may have, those enrolled before included.
    #[arg(long, value_name = "N", default_value_t = 10)]
    pub(crate) templates_per_subject: usize,
}

/// What is kept with everybody enrolled by the command.
#[derive(Debug, Args)]
pub(crate) struct DetailsArgs {
    /// Anything, as JSON of 65,536 bytes at most; sealed like the templates.
    #[arg(long, help_heading = "Kept with the person", value_name = "JSON")]
    pub(crate) metadata: Option<String>,

    /// From when on the person is not found any more: 30d, 12h, 2027-01-31 or an RFC 3339 time (UTC).
    #[arg(long, help_heading = "Kept with the person", value_name = "30d|DATE", value_parser = time::deadline)]
    pub(crate) expires: Option<SystemTime>,

    /// The person agreed to be enrolled: now, or when `--consent=DATE` says.
    #[arg(
        help_heading = "Kept with the person",
        long,
        value_name = "DATE",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "now",
        value_parser = time::moment
    )]
    pub(crate) consent: Option<SystemTime>,
}

/// What `erase` takes.
#[derive(Debug, Args)]
pub(crate) struct EraseArgs {
    /// Whom to forget.
    #[arg(value_name = "NAME", required_unless_present_any = ["expired", "all"])]
    pub(crate) names: Vec<SubjectId>,

    /// Forget everybody who has expired.
    #[arg(long, conflicts_with_all = ["names", "all"])]
    pub(crate) expired: bool,

    /// Forget the tenant, with everybody in it.
    #[arg(long, conflicts_with = "names")]
    pub(crate) all: bool,

    /// Do not ask.
    #[arg(long)]
    pub(crate) yes: bool,

    #[command(flatten)]
    pub(crate) tenant: TenantArgs,
}

/// What `list` takes.
#[derive(Debug, Args)]
pub(crate) struct ListArgs {
    #[command(flatten)]
    pub(crate) tenant: TenantArgs,
}
