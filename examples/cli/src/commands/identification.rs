//! `faceprint eval identification`: open-set identification on a folder of people.

mod print;

use std::fs;
use std::ops::Range;
use std::path::PathBuf;
use std::time::Instant;

use faceprint::{Engine, ModelPack};
use serde::Serialize;

use super::Answer;
use crate::args::{EngineArgs, IdentificationArgs};
use crate::context::Context;
use crate::eval::bootstrap;
use crate::eval::held_out::{self, HeldOut};
use crate::eval::impostors::Impostors;
use crate::eval::intervals::Rate;
use crate::eval::open_set::{self, Trial};
use crate::eval::people::{People, Scores};
use crate::eval::plot;
use crate::eval::plot::identification::Det;
use crate::eval::random::Random;
use crate::faces;
use crate::failure::Failure;
use crate::output;
use crate::people;
use crate::session::Session;

/// The similarities of so many pictures are kept in memory: 1.8 GB.
const MOST_PICTURES: usize = 30_000;

/// Fewer people make no gallery and no strangers.
const FEWEST_PEOPLE: usize = 6;

/// A threshold that fewer false positives than this decide is an indication.
const FEW_ERRORS: usize = 10;

/// Everything that was measured, for scripts.
#[derive(Debug, Serialize)]
struct Report {
    pack: String,
    backend: String,
    people: usize,
    pictures: usize,
    /// Failures to acquire (ISO/IEC 19795-1): no face was found.
    pictures_without_face: Vec<PathBuf>,
    splits: u64,
    seed: u64,
    galleries: Vec<Gallery>,
    held_out: Vec<HeldOut>,
    impostors: Impostors,
    seconds: f64,
    pictures_per_second: f64,
}

/// Galleries of one size.
#[derive(Debug, Serialize)]
struct Gallery {
    /// Templates, one for each of as many people.
    size: usize,
    /// Mated searches whose mate is not the most similar, whatever the threshold.
    not_first: Rate,
    operating_points: Vec<OperatingPoint>,
}

/// FNIR at an FPIR.
#[derive(Debug, Serialize)]
struct OperatingPoint {
    /// The rate asked for.
    fpir: f64,
    /// At the lowest threshold that keeps it on these searches.
    measured: AtThreshold,
    /// 95 % interval of FNIR at this FPIR: wider than that at the threshold, which is uncertain too.
    fnir_interval: [f64; 2],
    /// Fewer than ten false positives decide this threshold: read it as an indication.
    few_errors: bool,
    /// At the threshold that the pack's own statistics ask for, when it has them.
    pack: Option<AtPackThreshold>,
}

#[derive(Debug, Serialize)]
struct AtThreshold {
    threshold: f32,
    fpir: Rate,
    fnir: Rate,
}

#[derive(Debug, Serialize)]
struct AtPackThreshold {
    #[serde(flatten)]
    at: AtThreshold,
    extrapolated: bool,
}

pub(crate) fn run(
    args: &IdentificationArgs,
    engine: &EngineArgs,
    context: &Context,
) -> Result<Answer, Failure> {
    let people = People::new(people::list(&args.images)?);
    let sizes = sizes(args, &people)?;
    let session = Session::open(context, engine)?;

    let started = Instant::now();
    let templates = faces::templates(&session.engine, &people.pictures)?;
    let spent = started.elapsed();
    let scores = Scores::new(&session.engine, &templates)?;
    let trials = searches(args, &session.engine, &scores, &people, &sizes)?;
    let without_face =
        people.pictures.iter().zip(&templates).filter(|(_, template)| template.is_none());
    let report = Report {
        pack: session.pack.name().to_owned(),
        backend: session.engine.backend().to_string(),
        people: people.people.len(),
        pictures: people.pictures.len(),
        pictures_without_face: without_face.map(|(path, _)| path.clone()).collect(),
        splits: args.splits,
        seed: args.seed,
        galleries: galleries(args, &session, &people, &trials),
        held_out: held_out(args, &session.engine, &scores, &people, &sizes)?,
        impostors: Impostors::measure(&scores, people.people.iter()),
        seconds: spent.as_secs_f64(),
        pictures_per_second: people.pictures.len() as f64 / spent.as_secs_f64().max(1e-9),
    };
    save(args, &report, &trials)?;
    if context.json {
        output::json(&report)?;
    } else {
        print::print(&report)?;
    }
    Ok(Answer::Yes)
}

/// The sizes asked for, ascending, and the largest that the people allow.
fn sizes(args: &IdentificationArgs, people: &People) -> Result<Vec<usize>, Failure> {
    let (count, pictures) = (people.people.len(), people.pictures.len());
    if count < FEWEST_PEOPLE || people.people.iter().all(|own| own.len() < 2) {
        return Err(Failure::usage(format!(
            "{}: {count} people with {pictures} pictures; needed are {FEWEST_PEOPLE} people or more, \
             some of them with two pictures: NAME/*.jpg",
            args.images.display()
        )));
    }
    if pictures > MOST_PICTURES {
        return Err(Failure::usage(format!(
            "{pictures} pictures are more than the {MOST_PICTURES} that can be compared at once: \
             measure on some of the people"
        )));
    }
    let largest = open_set::largest_gallery(count);
    let (mut sizes, too_large): (Vec<usize>, Vec<usize>) =
        args.gallery.iter().map(|&size| size as usize).partition(|&size| size <= largest);
    for size in too_large {
        output::note(format!(
            "note: no gallery of {size}: {count} people, less a third as strangers, are {largest}"
        ));
    }
    sizes.push(largest);
    sizes.sort_unstable();
    sizes.dedup();
    Ok(sizes)
}

/// The searches of all splits, by gallery size.
fn searches(
    args: &IdentificationArgs,
    engine: &Engine,
    scores: &Scores,
    people: &People,
    sizes: &[usize],
) -> Result<Vec<Trial>, Failure> {
    let everyone: Vec<(u32, Range<usize>)> = (0..).zip(people.people.iter().cloned()).collect();
    let splits = on_all_cores(args, engine, "searching", |seed| {
        Ok(open_set::split(scores, &everyone, sizes, &mut Random::new(seed)))
    })?;
    let mut trials = vec![Trial::default(); sizes.len()];
    for split in splits {
        trials.iter_mut().zip(split).for_each(|(trial, split)| trial.add(split));
    }
    Ok(trials)
}

fn held_out(
    args: &IdentificationArgs,
    engine: &Engine,
    scores: &Scores,
    people: &People,
    sizes: &[usize],
) -> Result<Vec<HeldOut>, Failure> {
    let sizes = held_out::sizes(sizes, people.people.len());
    let outcomes = on_all_cores(args, engine, "held-out people", |seed| {
        held_out::split(scores, &people.people, &sizes, &args.fpir, &mut Random::new(seed))
    })?;
    Ok(held_out::pool(&outcomes.concat(), &sizes, &args.fpir))
}

/// The work of each split.
fn on_all_cores<T: Send>(
    args: &IdentificationArgs,
    engine: &Engine,
    what: &'static str,
    work: impl Fn(u64) -> Result<T, Failure> + Sync,
) -> Result<Vec<T>, Failure> {
    let seeds: Vec<u64> = (0..args.splits).map(|split| args.seed.wrapping_add(split)).collect();
    let bar = output::progress(seeds.len(), what);
    let done = engine.batch(&seeds, |_, &seed| work(seed), |done, _| bar.set_position(done as u64));
    bar.finish_and_clear();
    done.into_iter().collect()
}

fn galleries(
    args: &IdentificationArgs,
    session: &Session,
    people: &People,
    trials: &[Trial],
) -> Vec<Gallery> {
    let bar = output::progress(trials.len(), "intervals");
    let gallery = |_: &Engine, trial: &Trial| Gallery {
        size: trial.size,
        not_first: trial.fnir(f32::NEG_INFINITY),
        operating_points: args
            .fpir
            .iter()
            .map(|&fpir| {
                operating_point(trial, fpir, &session.pack, people.people.len(), args.seed)
            })
            .collect(),
    };
    let galleries = session.engine.batch(trials, gallery, |done, _| bar.set_position(done as u64));
    bar.finish_and_clear();
    galleries
}

fn operating_point(
    trial: &Trial,
    fpir: f64,
    pack: &ModelPack,
    people: usize,
    seed: u64,
) -> OperatingPoint {
    let at = |threshold| AtThreshold {
        threshold,
        fpir: trial.fpir(threshold),
        fnir: trial.fnir(threshold),
    };
    let measured = at(trial.threshold(fpir));
    let [low, high] = measured.fnir.interval;
    // Without an error in any draw the bootstrap sees no uncertainty; the exact interval does.
    let drawn = bootstrap::fnir_interval(trial, fpir, people, seed).unwrap_or([low, high]);
    let of_pack = pack.threshold_for(fpir, trial.size).ok();
    OperatingPoint {
        fpir,
        few_errors: measured.fpir.errors < FEW_ERRORS,
        measured,
        fnir_interval: [low.min(drawn[0]), high.max(drawn[1])],
        pack: of_pack.map(|answer| AtPackThreshold {
            at: at(answer.similarity),
            extrapolated: answer.extrapolated,
        }),
    }
}

fn save(args: &IdentificationArgs, report: &Report, trials: &[Trial]) -> Result<(), Failure> {
    if let Some(path) = &args.plot {
        let title =
            format!("{}: DET, {} people, {} splits", report.pack, report.people, args.splits);
        let curves: Vec<_> = trials.iter().map(|trial| (trial.size, trial.curve())).collect();
        // A logarithmic axis has no 0: half of what one search amounts to stands for it.
        let half = |count: fn(&Trial) -> usize| {
            0.5 / trials.iter().map(count).max().unwrap_or(0).max(1) as f64
        };
        let lowest = curves.iter().filter_map(|(_, curve)| curve.last());
        let lowest = lowest.map(|&(_, fnir)| fnir / 2.0).fold(1.0, f64::min);
        let floor =
            (half(|trial| trial.non_mated.len()), lowest.max(half(|trial| trial.mated.len())));
        plot::save(&Det { title: &title, curves, floor }, path)?;
        output::note(format!("curves drawn to {}", path.display()));
    }
    if let Some(path) = &args.report {
        let text = serde_json::to_vec_pretty(report).map_err(std::io::Error::from)?;
        fs::write(path, text).map_err(|error| Failure::file(path, &error))?;
        output::note(format!("report written to {}", path.display()));
    }
    if let Some(path) = &args.statistics {
        if report.impostors.points.is_empty() {
            return Err(Failure::usage(format!(
                "{} comparisons of {} people are too few for statistics: none is written to {}",
                report.impostors.comparisons,
                report.impostors.people,
                path.display()
            )));
        }
        fs::write(path, report.impostors.toml()).map_err(|error| Failure::file(path, &error))?;
        output::note(format!("statistics for the manifest written to {}", path.display()));
    }
    Ok(())
}
