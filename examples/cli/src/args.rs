//! What can be typed.

mod eval;
mod gallery;
pub(crate) mod outbox;
mod quality;
mod sync;
mod watch;

use std::num::NonZeroUsize;
use std::ops::RangeInclusive;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use faceprint::TenantId;

pub(crate) use self::eval::{EvalCommand, IdentificationArgs, LfwArgs};
pub(crate) use self::gallery::{
    BackupArgs, CheckArgs, DetailsArgs, EnrollArgs, EraseArgs, FileArgs, GalleryArgs,
    GalleryCommand, ListArgs, NewSecretArgs, RemoveKeyArgs, RenewArgs, SecretArgs, SpacesArgs,
};
pub(crate) use self::outbox::OutboxArgs;
pub(crate) use self::quality::{EvalLivenessArgs, EvalQualityArgs, Preset, QualityArgs};
pub(crate) use self::sync::{ChangesArgs, ExportArgs, ImportArgs};
pub(crate) use self::watch::WatchArgs;
use crate::models::ModelsArgs;

/// Find, compare and recognise faces in pictures.
///
/// Exit codes: 0 the work is done and the answer is yes (a face was found, the faces are the same, a
/// person was recognised); 1 the work is done and the answer is no; 2 an error, told in one line on
/// standard error.
#[derive(Debug, Parser)]
#[command(name = "faceprint", version, max_term_width = 100)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) common: CommonArgs,

    #[command(flatten)]
    pub(crate) engine: EngineArgs,

    #[command(subcommand)]
    pub(crate) command: Command,
}

/// Where models lie, and how the result is printed.
#[derive(Debug, Args)]
pub(crate) struct CommonArgs {
    /// Look for models here first (repeatable); then in FACEPRINT_MODELS, then in the cache folder.
    #[arg(long, value_name = "FOLDER", global = true, help_heading = "Models")]
    pub(crate) models: Vec<PathBuf>,

    /// A catalogue of packs (TOML) to use instead of the built-in one.
    #[arg(long, value_name = "FILE", global = true, help_heading = "Models")]
    pub(crate) catalog: Option<PathBuf>,

    /// Print results as JSON: one document per line on standard output.
    #[arg(long, global = true)]
    pub(crate) json: bool,
}

/// How faces are found and described.
#[derive(Debug, Args)]
pub(crate) struct EngineArgs {
    /// The pack of models: a name from the catalogue, or a folder with a manifest.
    #[arg(
        long,
        value_name = "NAME|FOLDER",
        env = "FACEPRINT_PACK",
        global = true,
        help_heading = "Models"
    )]
    pub(crate) pack: Option<String>,

    /// Accept the licence of this name, for models that need it (repeatable).
    #[arg(long, value_name = "NAME", global = true, help_heading = "Models")]
    pub(crate) accept_license: Vec<String>,

    /// Which inference engine runs the models; anything but `auto` is insisted on.
    #[arg(
        long,
        value_name = "ENGINE",
        default_value = "auto",
        global = true,
        help_heading = "Engine"
    )]
    pub(crate) backend: Backend,

    /// The ONNX Runtime library to load, instead of searching for one.
    #[arg(long, value_name = "PATH", global = true, help_heading = "Engine")]
    pub(crate) onnxruntime: Option<PathBuf>,

    /// Threads of one network run [default: all cores; one where pictures are done in parallel].
    #[arg(long, value_name = "N", global = true, help_heading = "Engine")]
    pub(crate) threads: Option<NonZeroUsize>,

    /// Ignore faces whose shorter side is below this many pixels.
    #[arg(long, value_name = "PX", global = true, help_heading = "Detection")]
    pub(crate) min_face: Option<u32>,

    /// Lowest detection score, 0 to 1 [default: the pack's].
    #[arg(long, value_name = "X", global = true, value_parser = share, help_heading = "Detection")]
    pub(crate) score: Option<f32>,

    /// Overlap (intersection over union) from which two boxes are one face [default: the pack's].
    #[arg(long, value_name = "X", global = true, value_parser = share, help_heading = "Detection")]
    pub(crate) nms: Option<f32>,

    /// Keep only this many faces of a picture, the surest ones.
    #[arg(long, value_name = "N", global = true, help_heading = "Detection")]
    pub(crate) max_faces: Option<usize>,

    /// The size detection runs at: chosen from the picture, the picture's own, or a square.
    #[arg(
        long,
        value_name = "auto|native|N",
        default_value = "auto",
        global = true,
        value_parser = detection_size,
        help_heading = "Detection"
    )]
    pub(crate) detection_size: Size,

    /// Average the templates of a face and its mirror image: twice the work, a little more accurate.
    #[arg(long, global = true, help_heading = "Engine")]
    pub(crate) flip: bool,
}

/// An inference engine, as typed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Backend {
    /// ONNX Runtime when its library is found, the pure-Rust engine otherwise.
    Auto,
    /// ONNX Runtime.
    #[value(name = "onnxruntime")]
    OnnxRuntime,
    /// The pure-Rust engine.
    Rten,
}

/// A detection size, as typed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Size {
    /// Chosen from the picture and `--min-face`.
    Auto,
    /// The picture's own.
    Native,
    /// A square of this side, pixels.
    Square(u32),
}

/// The commands.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Find the faces in pictures: boxes, five points and scores.
    ///
    /// Exit code 0: at least one face was found; 1: none; 2: a picture could not be read (the others are
    /// still done).
    Detect(DetectArgs),
    /// Are these two pictures the same person?
    ///
    /// Of several faces in a picture the prominent one is taken: large and near the middle.
    ///
    /// Exit code 0: the same person; 1: different people; 2: an error, such as a picture without a face.
    Compare(CompareArgs),
    /// Name the people in pictures, from a gallery or a folder of known ones.
    ///
    /// In a folder, known people are NAME.jpg or NAME/*.jpg; each such picture must show exactly one
    /// face, and pictures that cannot be used are reported with the reason. A person's similarity is that
    /// of the best of their pictures.
    ///
    /// Exit code 0: at least one face was recognised; 1: none; 2: an error.
    Identify(IdentifyArgs),
    /// Print the template of the most prominent face of each picture.
    ///
    /// Exit code 0: every picture has a template; 1: some picture shows no face; 2: an error.
    Embed(EmbedArgs),
    /// Enrol a person, or everybody in a folder, in a gallery.
    ///
    /// Each picture must show exactly one face. Pictures that cannot be used are reported with the reason,
    /// and so is who looks like somebody enrolled under another name; the others are enrolled in one
    /// commit, and are on disk when the command ends. Pictures that are enrolled already are left out, so
    /// that a folder can be enrolled again when it has grown.
    ///
    /// Exit code 0: every picture is enrolled; 1: some were rejected; 2: an error, and nobody is enrolled.
    Enroll(EnrollArgs),
    /// Show who is enrolled in a gallery. The expired are not shown.
    List(ListArgs),
    /// Forget people: their keys, templates and details go in one commit each.
    ///
    /// `faceprint gallery compact` afterwards removes what the file still holds of the sealed bytes.
    ///
    /// Exit code 0: all of them were erased; 1: somebody was not enrolled (the others are erased), or the
    /// question was answered with no; 2: an error.
    Erase(EraseArgs),
    /// Make and keep encrypted galleries: one file with many tenants and their people.
    ///
    /// A gallery is opened with a passphrase or with a key. In this order: the file that --key-file or
    /// --passphrase-file names, the environment variable FACEPRINT_PASSPHRASE, a question at the
    /// terminal. It is never an argument: those are seen by every process of the machine.
    Gallery(GalleryArgs),
    /// Watch a camera: one event for each visit, as JSON lines.
    ///
    /// Frames are the pictures of a folder, or raw pixels on standard input. From a camera or a film:
    ///
    /// ffmpeg -loglevel error -i rtsp://camera/stream -vf fps=10,scale=640:480 -f rawvideo -pix_fmt rgb24 - |
    /// faceprint watch --raw 640x480 --gallery staff.faceprint --passphrase-file secret.txt
    ///
    /// A visit is said once, when it is clear who it is, and ends when the person was not seen for --cooldown. Somebody
    /// unknown has an id for as long as the command runs.
    ///
    /// Exit code 0: at least one event; 1: none; 2: an error.
    Watch(WatchArgs),
    /// Deliver the events that `watch --outbox` keeps.
    ///
    /// Each is delivered at least once, under one id, and is taken out when that is done.
    Outbox(OutboxArgs),
    /// Judge how good the faces in pictures are as samples, with reasons.
    ///
    /// Of several faces in a picture the largest is judged.
    ///
    /// Exit code 0: every picture has a face that is good enough; 1: some has not; 2: an error.
    Quality(QualityArgs),
    /// Measure accuracy on a benchmark.
    #[command(subcommand)]
    Eval(EvalCommand),
    /// Show, get and check the files of models.
    Models(ModelsArgs),
    /// Show which inference engine runs here, and how to get the faster one.
    Runtime,
}

/// What `detect` takes.
#[derive(Debug, Args)]
pub(crate) struct DetectArgs {
    /// Pictures: JPEG, PNG, WebP or BMP.
    #[arg(required = true, value_name = "IMG")]
    pub(crate) images: Vec<PathBuf>,

    /// Draw the faces: a PNG file for one picture, a folder for several.
    #[arg(long, value_name = "OUT")]
    pub(crate) draw: Option<PathBuf>,
}

/// What `compare` takes.
#[derive(Debug, Args)]
pub(crate) struct CompareArgs {
    /// One picture.
    pub(crate) a: PathBuf,
    /// The other picture.
    pub(crate) b: PathBuf,
    #[command(flatten)]
    pub(crate) threshold: ThresholdArgs,
}

/// What `identify` takes.
#[derive(Debug, Args)]
pub(crate) struct IdentifyArgs {
    /// The folder of known people.
    #[arg(long, value_name = "FOLDER", required_unless_present = "gallery")]
    pub(crate) known: Option<PathBuf>,

    /// The gallery of known people.
    #[arg(long, value_name = "FILE", conflicts_with = "known", help_heading = "Gallery")]
    pub(crate) gallery: Option<PathBuf>,

    /// The tenant of the gallery whose people are known.
    #[arg(
        long,
        value_name = "NAME",
        default_value = "default",
        conflicts_with = "known",
        help_heading = "Gallery"
    )]
    pub(crate) tenant: TenantId,

    #[command(flatten)]
    pub(crate) secret: SecretArgs,

    /// Tell the N most similar people for each face.
    #[arg(long, value_name = "N", default_value = "1")]
    pub(crate) top: NonZeroUsize,

    /// Pictures of people to name.
    #[arg(required = true, value_name = "PROBE")]
    pub(crate) probes: Vec<PathBuf>,

    /// Draw the faces, green with the name or red: a PNG file for one picture, a folder for several.
    #[arg(long, value_name = "OUT")]
    pub(crate) draw: Option<PathBuf>,

    #[command(flatten)]
    pub(crate) threshold: ThresholdArgs,
}

/// What `embed` takes.
#[derive(Debug, Args)]
pub(crate) struct EmbedArgs {
    /// Pictures.
    #[arg(required = true, value_name = "IMG")]
    pub(crate) images: Vec<PathBuf>,

    /// Every face of each picture, not only the prominent one.
    #[arg(long)]
    pub(crate) all: bool,

    /// Write all templates to this file: .npy (a float32 matrix, one row per face) or .json.
    #[arg(long, value_name = "OUT")]
    pub(crate) out: Option<PathBuf>,
}

/// From which similarity on two faces are taken to be one person.
#[derive(Debug, Args)]
pub(crate) struct ThresholdArgs {
    /// The similarity itself, -1 to 1.
    #[arg(long, value_name = "X", value_parser = similarity, conflicts_with = "fmr")]
    pub(crate) threshold: Option<f32>,

    /// The false match rate to stay within, for one comparison of two strangers: the threshold comes
    /// from what was measured with the pack [default: 1e-4, or the similarity 0.363 when the pack has
    /// no measurement]. Among N known people a stranger has about N times that chance.
    #[arg(long, value_name = "RATE", value_parser = rate)]
    pub(crate) fmr: Option<f64>,
}

fn detection_size(text: &str) -> Result<Size, String> {
    match text {
        "auto" => Ok(Size::Auto),
        "native" => Ok(Size::Native),
        side => match side.parse() {
            Ok(side @ 32..=8192) => Ok(Size::Square(side)),
            _ => Err("expected `auto`, `native` or a side of 32 to 8192 pixels".to_owned()),
        },
    }
}

fn share(text: &str) -> Result<f32, String> {
    within(text, 0.0..=1.0)
}

fn similarity(text: &str) -> Result<f32, String> {
    within(text, -1.0..=1.0)
}

fn frame_rate(text: &str) -> Result<f64, String> {
    let rate = text.parse().ok().filter(|rate| (0.001..=1_000.0).contains(rate));
    rate.ok_or_else(|| "expected frames per second, from 0.001 to 1000".to_owned())
}

fn size(text: &str) -> Result<(u32, u32), String> {
    let side = |text: &str| text.parse().ok().filter(|side| (1..=16_384).contains(side));
    let sides = text.split_once('x').and_then(|(width, height)| side(width).zip(side(height)));
    sides.ok_or_else(|| "expected width and height in pixels, such as 640x480".to_owned())
}

fn rate(text: &str) -> Result<f64, String> {
    let rate = text.parse().ok().filter(|rate| 0.0 < *rate && *rate < 1.0);
    rate.ok_or_else(|| "expected a rate between 0 and 1, such as 1e-4".to_owned())
}

fn within(text: &str, range: RangeInclusive<f32>) -> Result<f32, String> {
    let number = text.parse().ok().filter(|number| range.contains(number));
    number.ok_or_else(|| format!("expected a number from {} to {}", range.start(), range.end()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_definition_is_consistent() {
        use clap::CommandFactory as _;
        Cli::command().debug_assert();
    }

    /// What is an argument can be read by every process of the machine.
    #[test]
    fn secrets_are_named_by_their_files_only() {
        use clap::CommandFactory as _;
        fn options(command: &clap::Command) -> Vec<(String, &str)> {
            let own = command
                .get_arguments()
                .filter_map(|it| Some((it.get_id().to_string(), it.get_long()?)));
            own.chain(command.get_subcommands().flat_map(options)).collect()
        }
        let command = Cli::command();
        let mut secrets = options(&command);
        secrets.retain(|(_, name)| {
            name.contains("pass") || name.contains("key") || name.contains("secret")
        });
        assert!(secrets.len() > 20);
        assert!(
            secrets.iter().all(|(id, name)| id.ends_with("_file") && name.ends_with("-file")),
            "{secrets:?}"
        );
    }

    #[test]
    fn sizes_and_numbers_are_read() {
        assert_eq!(detection_size("auto"), Ok(Size::Auto));
        assert_eq!(detection_size("640"), Ok(Size::Square(640)));
        assert!(detection_size("-1").is_err() && detection_size("8").is_err());
        assert!(share("NaN").is_err() && share("1.5").is_err() && similarity("-1").is_ok());
    }
}
