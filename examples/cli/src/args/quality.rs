//! What `quality`, `eval quality` and `eval liveness` take.

use std::ops::RangeInclusive;
use std::path::PathBuf;

use clap::{Args, ValueEnum};

/// A preset of bounds, as typed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Preset {
    /// For a template that is kept for years.
    Enrollment,
    /// For one person in front of a door.
    Kiosk,
    /// For people who pass by.
    Surveillance,
}

/// What `quality` takes.
#[derive(Debug, Args)]
pub(crate) struct QualityArgs {
    /// Pictures.
    #[arg(required = true, value_name = "IMG")]
    pub(crate) images: Vec<PathBuf>,

    /// The bounds to judge by.
    #[arg(long, value_name = "PRESET", default_value = "kiosk")]
    pub(crate) policy: Preset,

    /// Every face of each picture, not only the largest.
    #[arg(long)]
    pub(crate) all: bool,

    /// Draw a sheet of all faces with their scores and reasons: a PNG file.
    #[arg(long, value_name = "OUT.png")]
    pub(crate) sheet: Option<PathBuf>,
}

/// What `eval quality` takes.
#[derive(Debug, Args)]
pub(crate) struct EvalQualityArgs {
    /// The pairs file: `FOLDS PAIRS` (or `PAIRS`), then lines `NAME I J` and `NAME I OTHER J`.
    #[arg(long, value_name = "FILE")]
    pub(crate) pairs: PathBuf,

    /// The folder of pictures, NAME/NAME_0001.jpg.
    #[arg(long, value_name = "DIR")]
    pub(crate) images: PathBuf,

    /// Only these folds of the file, counted from 1: `6-10`, or one number.
    #[arg(long, value_name = "A-B", value_parser = super::eval::folds)]
    pub(crate) folds: Option<RangeInclusive<usize>>,

    /// How many of the pictures are spoiled in every way.
    #[arg(long, value_name = "N", default_value_t = 200)]
    pub(crate) spoiled: usize,

    /// The false match rate whose threshold decides; the pack must have been measured at it.
    #[arg(long, value_name = "RATE", default_value = "1e-3", value_parser = super::rate)]
    pub(crate) fmr: f64,

    /// Draw the error-versus-discard curve: a .svg or .png file.
    #[arg(long, value_name = "OUT")]
    pub(crate) plot: Option<PathBuf>,
}

/// What `eval liveness` takes.
#[derive(Debug, Args)]
pub(crate) struct EvalLivenessArgs {
    /// Pictures of live people.
    #[arg(long, value_name = "DIR")]
    pub(crate) bona_fide: PathBuf,

    /// Pictures of presentation attacks: a folder for each kind (species) of instrument, or one of pictures.
    #[arg(long, value_name = "DIR")]
    pub(crate) attacks: PathBuf,

    /// The score from which on a face is taken for live, 0 to 1 [default: the pack's].
    #[arg(long, value_name = "X", value_parser = super::share)]
    pub(crate) threshold: Option<f32>,
}
