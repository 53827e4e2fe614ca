//! `faceprint eval quality`: what the presets refuse, rightly and wrongly, and what the score is worth.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use faceprint::image::RgbImage as Picture;
use faceprint::quality::{Issue, Measure, Policy, Quality};
use faceprint::{Detection, Engine, Template};
use image::RgbImage;
use serde::Serialize;

use super::Answer;
use crate::args::{EngineArgs, EvalQualityArgs, Preset};
use crate::context::Context;
use crate::eval::degrade::Damage;
use crate::eval::discard::{self, Figure, Point};
use crate::eval::pairs::{Pair, Pairs};
use crate::eval::stats::wilson;
use crate::faces;
use crate::failure::Failure;
use crate::output;
use crate::session::Session;

const PRESETS: [Preset; 3] = [Preset::Enrollment, Preset::Kiosk, Preset::Surveillance];

/// A preset without its bound on other faces: benchmarks are cut around one face and show others.
const fn policy(preset: Preset) -> Policy {
    preset.policy().at_most(Measure::SecondFace, f32::INFINITY)
}

/// From bad to worse: of the last of each kind a template is no good, see `still_match` in the report.
const DAMAGES: [Damage; 12] = [
    Damage::Blur(0.03),
    Damage::Blur(0.045),
    Damage::Blur(0.06),
    Damage::Dark(0.2),
    Damage::Dark(0.1),
    Damage::Dark(0.05),
    Damage::Tiny(28.0),
    Damage::Tiny(20.0),
    Damage::Tiny(14.0),
    Damage::Turned(45.0),
    Damage::Turned(60.0),
    Damage::Turned(75.0),
];

/// Shares of the pairs that are left out.
const DISCARDED: [f64; 9] = [0.0, 0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5];

/// Everything that was measured, for scripts.
#[derive(Debug, Serialize)]
struct Report {
    pack: String,
    pictures: usize,
    threshold: f32,
    refused: Vec<Refused>,
    spoiled: Vec<Spoiled>,
    /// Spoiled pictures of all kinds whose template no longer matches, and how many of them pass.
    unusable: Vec<Rate>,
    genuine_pairs: usize,
    /// The pairs as they are.
    discard: Vec<Point>,
    /// The same, where the weakest are left out and not those of the lowest score.
    discard_strength: Vec<Point>,
    /// The same pairs when one picture of each is spoiled, in all ways by turns.
    discard_spoiled: Vec<Point>,
}

/// A share of pictures under one preset.
#[derive(Debug, Serialize)]
struct Rate {
    policy: &'static str,
    count: usize,
    of: usize,
    rate: f64,
    /// 95 % Wilson interval.
    interval: [f64; 2],
}

/// Good pictures that a preset refuses.
#[derive(Debug, Serialize)]
struct Refused {
    #[serde(flatten)]
    rate: Rate,
    reasons: BTreeMap<&'static str, usize>,
}

/// Pictures spoiled in one way.
#[derive(Debug, Serialize)]
struct Spoiled {
    damage: String,
    /// Whose face was found again.
    found: usize,
    /// Whose template is still similar enough to that of the good picture.
    still_match: usize,
    median_score: f32,
    /// Of those found: what a turn is read as, degrees.
    median_yaw: f32,
    accepted: Vec<Rate>,
}

/// The prominent face of a picture.
#[derive(Clone, Debug)]
struct Seen {
    quality: Quality,
    template: Template,
    strength: f32,
}

pub(crate) fn run(
    args: &EvalQualityArgs,
    engine: &EngineArgs,
    context: &Context,
) -> Result<Answer, Failure> {
    let text =
        fs::read_to_string(&args.pairs).map_err(|error| Failure::file(&args.pairs, &error))?;
    let pairs = Pairs::parse(&text, args.folds.as_ref()).map_err(|error| error.at(&args.pairs))?;
    let paths: Vec<_> = pairs.pictures.iter().map(|picture| picture.path(&args.images)).collect();
    let session = Session::open(context, engine)?;
    let threshold = session.pack.threshold(args.fmr)?;

    let seen =
        each(&session.engine, &paths, "pictures", |engine, path| see(engine, &faces::read(path)?))?;
    let score = |seen: &Seen| seen.quality.score;
    let curve = discard::curve(&genuine(&pairs, &seen, threshold, score)?, &DISCARDED);
    let strength = genuine(&pairs, &seen, threshold, |seen| seen.strength)?;
    let strength = discard::curve(&strength, &DISCARDED);
    let mixed = spoil_one(&session.engine, &pairs, &paths, &seen)?;
    let mixed = discard::curve(&genuine(&mixed.0, &mixed.1, threshold, score)?, &DISCARDED);
    // Spread over the whole set.
    let step = (paths.len() / args.spoiled.max(1)).max(1);
    let chosen: Vec<_> = paths.iter().step_by(step).take(args.spoiled).cloned().collect();
    let trials =
        each(&session.engine, &chosen, "spoiled", |engine, path| spoil(engine, path, threshold))?;
    let report = Report {
        pack: session.pack.name().to_owned(),
        pictures: paths.len(),
        threshold,
        refused: PRESETS.map(|preset| refused(preset, &seen)).into(),
        spoiled: DAMAGES
            .iter()
            .enumerate()
            .map(|(kind, damage)| spoiled(*damage, kind, &trials))
            .collect(),
        unusable: PRESETS.map(|preset| unusable(preset, &trials)).into(),
        genuine_pairs: curve.first().map_or(0, |point| point.pairs),
        discard: curve,
        discard_strength: strength,
        discard_spoiled: mixed,
    };
    if let Some(path) = &args.plot {
        let title = format!(
            "{}: error versus discard, {} genuine pairs, threshold {threshold:.3}",
            report.pack, report.genuine_pairs
        );
        let spoiled = "one picture of each pair spoiled";
        let curves =
            [("the pairs as they are", &report.discard[..]), (spoiled, &report.discard_spoiled)];
        discard::save(&Figure { title: &title, curves }, path)?;
        output::note(format!("curve drawn to {}", path.display()));
    }
    if context.json {
        output::json(&report)?;
    } else {
        print(&report)?;
    }
    Ok(Answer::Yes)
}

/// `work` on every item, with a bar.
fn each<T: Sync, R: Send>(
    engine: &Engine,
    items: &[T],
    what: &'static str,
    work: impl Fn(&Engine, &T) -> Result<R, Failure> + Sync,
) -> Result<Vec<R>, Failure> {
    let bar = output::progress(items.len(), what);
    let found = engine.batch(items, work, |done, _| bar.set_position(done as u64));
    bar.finish_and_clear();
    found.into_iter().collect()
}

fn see(engine: &Engine, picture: &Picture) -> Result<Option<Seen>, Failure> {
    let found = engine.analyze(&picture.view())?;
    let detections: Vec<_> = found.iter().map(|face| face.detection).collect();
    let used = faces::prominent(&detections, picture.width(), picture.height());
    Ok(used.map(|used| &found[used]).map(|face| Seen {
        quality: face.quality,
        template: face.template.clone(),
        strength: face.strength,
    }))
}

/// Pairs of one person; a picture without a face has the quality 0 and is never accepted.
fn genuine(
    pairs: &Pairs,
    seen: &[Option<Seen>],
    threshold: f32,
    quality: impl Fn(&Seen) -> f32,
) -> Result<Vec<discard::Pair>, Failure> {
    let pair = |pair: &Pair| match (&seen[pair.left], &seen[pair.right]) {
        (Some(left), Some(right)) => Ok(discard::Pair {
            quality: quality(left).min(quality(right)),
            rejected: left.template.similarity(&right.template)?.value() < threshold,
        }),
        _ => Ok(discard::Pair { quality: 0.0, rejected: true }),
    };
    pairs.pairs.iter().filter(|pair| pair.same).map(pair).collect()
}

/// The genuine pairs with their left pictures spoiled, each in the next way.
fn spoil_one(
    engine: &Engine,
    pairs: &Pairs,
    paths: &[PathBuf],
    seen: &[Option<Seen>],
) -> Result<(Pairs, Vec<Option<Seen>>), Failure> {
    let genuine: Vec<_> = pairs.pairs.iter().filter(|pair| pair.same).collect();
    let work: Vec<_> =
        genuine.iter().map(|pair| &paths[pair.left]).zip(DAMAGES.iter().cycle()).collect();
    let mut all = seen.to_vec();
    let spoiled = each(engine, &work, "pairs", |engine, (path, damage)| {
        let at = |failure: Failure| failure.at(path);
        let picture = faces::read(path)?;
        let found = engine.detect(&picture.view())?;
        let Some(used) = faces::prominent(&found, picture.width(), picture.height()) else {
            return Ok(None);
        };
        see(engine, &damaged(**damage, &picture, &found[used])?).map_err(at)
    })?;
    let mut mixed = Pairs::default();
    for (pair, spoiled) in genuine.into_iter().zip(spoiled) {
        mixed.pairs.push(Pair { left: all.len(), ..*pair });
        all.push(spoiled);
    }
    Ok((mixed, all))
}

fn damaged(damage: Damage, picture: &Picture, face: &Detection) -> Result<Picture, Failure> {
    let whole = RgbImage::from_raw(picture.width(), picture.height(), picture.as_bytes().to_vec())
        .ok_or_else(|| Failure::usage("the picture's size does not fit its pixels"))?;
    let bad = damage.apply(&whole, face);
    Ok(Picture::from_raw(bad.width(), bad.height(), bad.into_raw())?)
}

/// What became of a picture under one damage.
#[derive(Clone, Debug)]
struct Trial {
    quality: Option<Quality>,
    still_matches: bool,
}

/// One trial for each of `DAMAGES`; none when the good picture has no face.
fn spoil(engine: &Engine, path: &Path, threshold: f32) -> Result<Vec<Trial>, Failure> {
    let picture = faces::read(path)?;
    let found = engine.detect(&picture.view())?;
    let used = faces::prominent(&found, picture.width(), picture.height());
    let (Some(used), Some(good)) = (used, see(engine, &picture)?) else { return Ok(Vec::new()) };
    let trial = |damage: &Damage| {
        let seen = see(engine, &damaged(*damage, &picture, &found[used])?)?;
        let similarity = seen.as_ref().map(|seen| seen.template.similarity(&good.template));
        Ok(Trial {
            quality: seen.map(|seen| seen.quality),
            still_matches: similarity.transpose()?.is_some_and(|it| it.value() >= threshold),
        })
    };
    DAMAGES.iter().map(trial).collect()
}

fn refused(preset: Preset, seen: &[Option<Seen>]) -> Refused {
    let policy = policy(preset);
    let issues = |seen: &Option<Seen>| match seen {
        Some(seen) => policy.judge(&seen.quality),
        None => vec![Issue::NoFace],
    };
    let mut reasons = BTreeMap::new();
    let mut count = 0;
    for issues in seen.iter().map(issues).filter(|issues| !issues.is_empty()) {
        count += 1;
        for issue in issues {
            *reasons.entry(issue.name()).or_default() += 1;
        }
    }
    Refused { rate: rate(preset, count, seen.len()), reasons }
}

fn spoiled(damage: Damage, kind: usize, trials: &[Vec<Trial>]) -> Spoiled {
    let trials: Vec<_> = trials.iter().filter_map(|of_picture| of_picture.get(kind)).collect();
    let sorted = |value: fn(Quality) -> f32| {
        let mut values: Vec<_> = trials.iter().filter_map(|it| it.quality).map(value).collect();
        values.sort_by(f32::total_cmp);
        values
    };
    let (scores, yaws) = (sorted(|it| it.score), sorted(|it| it.pose.yaw));
    let accepted = |preset: Preset| {
        let policy = policy(preset);
        rate(preset, trials.iter().filter(|trial| passes(&policy, trial)).count(), trials.len())
    };
    Spoiled {
        damage: damage.to_string(),
        found: scores.len(),
        still_match: trials.iter().filter(|trial| trial.still_matches).count(),
        median_score: scores.get(scores.len() / 2).copied().unwrap_or(0.0),
        median_yaw: yaws.get(yaws.len() / 2).copied().unwrap_or(0.0),
        accepted: PRESETS.map(accepted).into(),
    }
}

fn unusable(preset: Preset, trials: &[Vec<Trial>]) -> Rate {
    let policy = policy(preset);
    let bad: Vec<_> = trials.iter().flatten().filter(|trial| !trial.still_matches).collect();
    rate(preset, bad.iter().filter(|trial| passes(&policy, trial)).count(), bad.len())
}

fn passes(policy: &Policy, trial: &Trial) -> bool {
    trial.quality.is_some_and(|quality| policy.judge(&quality).is_empty())
}

fn rate(preset: Preset, count: usize, of: usize) -> Rate {
    let rate = count as f64 / of.max(1) as f64;
    Rate { policy: preset.name(), count, of, rate, interval: wilson(count, of) }
}

fn print(report: &Report) -> Result<(), Failure> {
    output::line(format!("pack      {}, threshold {:.4}", report.pack, report.threshold))?;
    output::line(format!(
        "good pictures refused, of {} (other faces in them do not count)",
        report.pictures
    ))?;
    for Refused { rate, reasons } in &report.refused {
        let mut reasons: Vec<_> = reasons.iter().collect();
        reasons.sort_by_key(|(_, count)| std::cmp::Reverse(**count));
        let reasons: Vec<_> =
            reasons.iter().map(|(name, count)| format!("{name} {count}")).collect();
        output::line(format!("  {}  ({})", shown(rate), reasons.join(", ")))?;
    }
    output::line("spoiled pictures accepted")?;
    for kind in &report.spoiled {
        let accepted: Vec<_> = kind
            .accepted
            .iter()
            .map(|rate| format!("{} {:.1} %", rate.policy, rate.rate * 100.0))
            .collect();
        let of = kind.accepted.first().map_or(0, |rate| rate.of);
        output::line(format!(
            "  {:<12} {}  (of {of}: {} found, {} still match, median score {:.0}, yaw {:.0}°)",
            kind.damage,
            accepted.join("  "),
            kind.found,
            kind.still_match,
            kind.median_score,
            kind.median_yaw
        ))?;
    }
    output::line("spoiled pictures that no longer match, accepted")?;
    report.unusable.iter().try_for_each(|rate| output::line(format!("  {}", shown(rate))))?;
    output::line(format!("error versus discard, {} genuine pairs", report.genuine_pairs))?;
    print_curve(&report.discard)?;
    output::line("the same by the strength of the embeddings")?;
    print_curve(&report.discard_strength)?;
    output::line("the same with one picture of each pair spoiled, in all ways by turns")?;
    print_curve(&report.discard_spoiled)
}

fn print_curve(curve: &[Point]) -> Result<(), Failure> {
    curve.iter().try_for_each(|point| {
        output::line(format!(
            "  {:>3.0} % left out: FNMR {:.2} %  (95 % {:.2}-{:.2}, {} pairs, from {:.1})",
            point.discarded * 100.0,
            point.fnmr * 100.0,
            point.interval[0] * 100.0,
            point.interval[1] * 100.0,
            point.pairs,
            point.quality
        ))
    })
}

fn shown(rate: &Rate) -> String {
    let [low, high] = rate.interval.map(|it| it * 100.0);
    format!(
        "{:<13} {:.2} %  (95 % {low:.2}-{high:.2}, {} of {})",
        rate.policy,
        rate.rate * 100.0,
        rate.count,
        rate.of
    )
}
