//! What `eval` takes.

use std::ops::RangeInclusive;
use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::quality::{EvalLivenessArgs, EvalQualityArgs};
use super::rate;

/// The benchmarks.
#[derive(Debug, Subcommand)]
pub(crate) enum EvalCommand {
    /// Pairs in the format of Labeled Faces in the Wild: n-fold accuracy, TAR@FAR, ROC and DET.
    ///
    /// Of several faces in a picture the one is taken whose area minus twice the squared distance from
    /// the picture's centre is largest. A pair with a picture in which no face is found counts as a
    /// non-match at every threshold.
    Lfw(LfwArgs),
    /// Open-set identification (1:N) on a folder of people: FNIR at FPIR for galleries of several sizes,
    /// and the statistics that thresholds for searches are chosen from.
    ///
    /// In each split a third of the people are strangers and the others are enrolled with one picture.
    /// FPIR is the share of the strangers' pictures that find anyone; FNIR is the share of the other
    /// pictures that do not find their person in the first place. A picture in which no face is found
    /// is a miss. Of several faces the one is taken that `eval lfw` takes.
    Identification(IdentificationArgs),
    /// Quality: which good pictures the presets refuse, which spoiled ones they accept, and how the false
    /// non-match rate falls as the worst pairs are left out.
    Quality(EvalQualityArgs),
    /// Liveness: APCER of each kind of attack and BPCER, in the terms of ISO/IEC 30107-3.
    ///
    /// This measures a pack's models on your pictures. It is no evaluation by that standard.
    Liveness(EvalLivenessArgs),
}

/// What `eval identification` takes.
#[derive(Debug, Args)]
pub(crate) struct IdentificationArgs {
    /// The folder of people: NAME/*.jpg, and NAME.jpg for people with one picture.
    #[arg(long, value_name = "DIR")]
    pub(crate) images: PathBuf,

    /// Sizes of galleries to measure, besides the largest that the people allow.
    #[arg(
        long,
        value_name = "N,…",
        value_delimiter = ',',
        default_value = "100,500,1000",
        value_parser = clap::value_parser!(u32).range(1..)
    )]
    pub(crate) gallery: Vec<u32>,

    /// False positive identification rates to report at.
    #[arg(
        long,
        value_name = "RATE,…",
        value_delimiter = ',',
        default_value = "0.1,0.01,0.001",
        value_parser = rate
    )]
    pub(crate) fpir: Vec<f64>,

    /// Random splits into strangers and enrolled.
    #[arg(long, value_name = "N", default_value = "20", value_parser = clap::value_parser!(u64).range(1..=1000))]
    pub(crate) splits: u64,

    /// The first split's seed; the same one gives the same splits everywhere.
    #[arg(long, value_name = "N", default_value = "1")]
    pub(crate) seed: u64,

    /// Draw the DET curves: a .svg or .png file.
    #[arg(long, value_name = "OUT")]
    pub(crate) plot: Option<PathBuf>,

    /// Write the whole report as JSON.
    #[arg(long, value_name = "OUT.json")]
    pub(crate) report: Option<PathBuf>,

    /// Write the statistics of impostors as TOML, for the embedder's entry in a manifest.
    #[arg(long, value_name = "OUT.toml")]
    pub(crate) statistics: Option<PathBuf>,
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

pub(super) fn folds(text: &str) -> Result<RangeInclusive<usize>, String> {
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
    fn folds_are_read() {
        assert_eq!(folds("6-10"), Ok(6..=10));
        assert_eq!(folds("3"), Ok(3..=3));
        assert!(folds("0-2").is_err() && folds("4-2").is_err() && folds("x").is_err());
    }
}
