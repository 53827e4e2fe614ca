//! What can be typed about a camera's frames.

use std::num::NonZeroU64;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};
use faceprint::{PixelFormat, TenantId};

use super::gallery::SecretArgs;
use super::{ThresholdArgs, frame_rate, size};

/// What `watch` takes.
#[derive(Debug, Args)]
pub(crate) struct WatchArgs {
    /// The folder of frames: pictures in the order of their names.
    #[arg(value_name = "FRAMES", required_unless_present = "raw")]
    pub(crate) frames: Option<PathBuf>,

    /// Read raw frames of this size from standard input instead.
    #[arg(long, value_name = "WxH", value_parser = size, conflicts_with = "frames", help_heading = "Frames")]
    pub(crate) raw: Option<(u32, u32)>,

    /// How the pixels of raw frames lie.
    #[arg(
        long,
        value_name = "FORMAT",
        default_value = "rgb24",
        requires = "raw",
        help_heading = "Frames"
    )]
    pub(crate) pixel_format: RawFormat,

    /// Frames per second, from the moment the command began [default: 10 for a folder; raw frames are taken to be of the
    /// moment they arrive].
    #[arg(long, value_name = "N", value_parser = frame_rate, help_heading = "Frames")]
    pub(crate) fps: Option<f64>,

    /// Look at each Nth frame only.
    #[arg(long, value_name = "N", default_value = "1", help_heading = "Frames")]
    pub(crate) every: NonZeroU64,

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

    /// How many templates of a face must agree before it is said whose it is.
    #[arg(long, value_name = "N", default_value = "3", help_heading = "Events")]
    pub(crate) confirm_after: u32,

    /// How long somebody must be out of sight for another event, such as 30s or 12h.
    #[arg(long, value_name = "TIME", default_value = "30s", value_parser = humantime::parse_duration, help_heading = "Events")]
    pub(crate) cooldown: Duration,

    /// Let the pack's liveness models vote over this many frames of each face [default with the option: 5]. Who does not pass
    /// for alive in more than half of them is not recognised, and gives one event with `suspected`. A hint and no proof:
    /// see `faceprint eval liveness`.
    #[arg(
        long,
        value_name = "FRAMES",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "5",
        value_parser = clap::value_parser!(u32).range(1..=99),
        help_heading = "Events"
    )]
    pub(crate) liveness: Option<u32>,

    /// Keep the events in this file too, sealed under the gallery's passphrase or key, or one of its own; made when it is not
    /// there. Cooldowns go on where the last run ended.
    #[arg(long, value_name = "FILE", help_heading = "Events")]
    pub(crate) outbox: Option<PathBuf>,

    /// Draw the faces: a PNG file for each frame that was looked at, into this folder.
    #[arg(long, value_name = "FOLDER")]
    pub(crate) draw: Option<PathBuf>,

    #[command(flatten)]
    pub(crate) threshold: ThresholdArgs,
}

/// A layout of pixels, by the name that ffmpeg gives it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum RawFormat {
    /// Red, green, blue.
    Rgb24,
    /// Blue, green, red.
    Bgr24,
    /// A plane of luma, then one of chroma pairs.
    Nv12,
}

impl From<RawFormat> for PixelFormat {
    fn from(format: RawFormat) -> Self {
        match format {
            RawFormat::Rgb24 => Self::Rgb8,
            RawFormat::Bgr24 => Self::Bgr8,
            RawFormat::Nv12 => Self::Nv12,
        }
    }
}
