//! What can be typed.

mod quality;

use std::num::NonZeroUsize;
use std::ops::RangeInclusive;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::models::ModelsArgs;

pub(crate) use quality::{EvalLivenessArgs, EvalQualityArgs, Preset, QualityArgs};

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
    /// Name the people in pictures, from a folder of known ones.
    ///
    /// Known people are NAME.jpg or NAME/*.jpg in the folder; each such picture must show exactly one
    /// face, and pictures that cannot be used are reported with the reason. A person's similarity is that
    /// of the best of their pictures.
    ///
    /// Exit code 0: at least one face was recognised; 1: none; 2: an error.
    Identify(IdentifyArgs),
    /// Print the template of the most prominent face of each picture.
    ///
    /// Exit code 0: every picture has a template; 1: some picture shows no face; 2: an error.
    Embed(EmbedArgs),
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
    #[arg(long, value_name = "FOLDER")]
    pub(crate) known: PathBuf,

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

/// The benchmarks.
#[derive(Debug, Subcommand)]
pub(crate) enum EvalCommand {
    /// Pairs in the format of Labeled Faces in the Wild: n-fold accuracy, TAR@FAR, ROC and DET.
    ///
    /// Of several faces in a picture the one is taken whose area minus twice the squared distance from
    /// the picture's centre is largest. A pair with a picture in which no face is found counts as a
    /// non-match at every threshold.
    Lfw(LfwArgs),
    /// Quality: which good pictures the presets refuse, which spoiled ones they accept, and how the false
    /// non-match rate falls as the worst pairs are left out.
    Quality(EvalQualityArgs),
    /// Liveness: APCER of each kind of attack and BPCER, in the terms of ISO/IEC 30107-3.
    ///
    /// This measures a pack's models on your pictures. It is no evaluation by that standard.
    Liveness(EvalLivenessArgs),
}

/// What `eval lfw` takes.
#[derive(Debug, Args)]
pub(crate) struct LfwArgs {
    /// The pairs file: `FOLDS PAIRS` (or `PAIRS`), then lines `NAME I J` and `NAME I OTHER J`.
    #[arg(long, value_name = "FILE")]
    pub(crate) pairs: PathBuf,

    /// The folder of pictures, NAME/NAME_0001.jpg.
    #[arg(long, value_name = "DIR")]
    pub(crate) images: PathBuf,

    /// Only these folds of the file, counted from 1: `6-10`, or one number.
    #[arg(long, value_name = "A-B", value_parser = folds)]
    pub(crate) folds: Option<RangeInclusive<usize>>,

    /// Draw ROC and DET curves: a .svg or .png file.
    #[arg(long, value_name = "OUT")]
    pub(crate) plot: Option<PathBuf>,

    /// Write the whole report, with every fold, as JSON.
    #[arg(long, value_name = "OUT.json")]
    pub(crate) report: Option<PathBuf>,
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

fn rate(text: &str) -> Result<f64, String> {
    let rate = text.parse().ok().filter(|rate| 0.0 < *rate && *rate < 1.0);
    rate.ok_or_else(|| "expected a rate between 0 and 1, such as 1e-4".to_owned())
}

fn within(text: &str, range: RangeInclusive<f32>) -> Result<f32, String> {
    let number = text.parse().ok().filter(|number| range.contains(number));
    number.ok_or_else(|| format!("expected a number from {} to {}", range.start(), range.end()))
}

fn folds(text: &str) -> Result<RangeInclusive<usize>, String> {
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    match (first.trim().parse(), last.trim().parse()) {
        (Ok(first), Ok(last)) if 0 < first && first <= last => Ok(first..=last),
        _ => Err("expected folds such as `6-10` or `3`".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_definition_is_consistent() {
        use clap::CommandFactory as _;
        Cli::command().debug_assert();
    }

    #[test]
    fn sizes_and_folds_are_read() {
        assert_eq!(detection_size("auto"), Ok(Size::Auto));
        assert_eq!(detection_size("640"), Ok(Size::Square(640)));
        assert!(detection_size("-1").is_err() && detection_size("8").is_err());
        assert_eq!(folds("6-10"), Ok(6..=10));
        assert_eq!(folds("3"), Ok(3..=3));
        assert!(folds("0-2").is_err() && folds("4-2").is_err() && folds("x").is_err());
        assert!(share("NaN").is_err() && share("1.5").is_err() && similarity("-1").is_ok());
    }
}
