//! `quality` on the generated people, and the evaluations on what lies beside the checkout.

#![allow(clippy::unwrap_used, reason = "part of the tests only")]

mod common;

use std::fs;
use std::path::Path;

use common::{faceprint, shared};

fn image(name: &str) -> String {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../images").join(name).display().to_string()
}

/// A person's picture, made too small to be enrolled.
fn small(folder: &Path) -> String {
    let path = folder.join("small.png");
    let picture = image::open(image("people/elva/1.jpg")).unwrap();
    picture.thumbnail(96, 96).save(&path).unwrap();
    path.display().to_string()
}

#[test]
fn good_faces_pass_and_small_ones_are_refused_with_the_number() {
    let folder = tempfile::tempdir().unwrap();
    let (good, small) = (image("people/elva/1.jpg"), small(folder.path()));
    let sheet = folder.path().join("sheet.png");
    let run = faceprint(["quality", &good, "--policy", "enrollment"]);
    assert_eq!(run.code, Some(0), "{}{}", run.stdout, run.stderr);
    assert!(run.stdout.contains("good enough"), "{}", run.stdout);

    let args = ["quality", &good, &small, "--policy", "enrollment", "--sheet"];
    let run = faceprint(args.into_iter().chain([sheet.to_str().unwrap()]));
    assert_eq!(run.code, Some(1), "{}{}", run.stdout, run.stderr);
    assert!(run.stdout.contains("px wide, minimum is 64"), "{}", run.stdout);
    let drawn = image::open(&sheet).unwrap();
    assert!(drawn.width() > 500 && drawn.height() > 256);

    let run = faceprint(["quality", &small, "--json"]);
    let report = &run.json()[0];
    let face = &report["faces"][0];
    assert_eq!(report["policy"], "kiosk");
    assert!(face["usable"].is_boolean() && face["measures"]["score"].is_number(), "{report}");
    assert!(face["components"]["yaw"].as_f64().unwrap() > 90.0, "{report}");
    let reasons = face["reasons"].as_array().unwrap();
    assert!(reasons.iter().any(|reason| reason["kind"] == "too_small"), "{report}");
}

#[test]
fn all_faces_of_a_group_are_judged_when_asked_for() {
    let group = image("group.jpg");
    let count = |args: &[&str]| {
        let run = faceprint(args);
        assert_eq!(run.code, Some(1), "{}", run.stderr);
        run.json()[0]["faces"].as_array().unwrap().len()
    };
    assert_eq!(count(&["quality", &group, "--json"]), 1);
    assert_eq!(count(&["quality", &group, "--json", "--all"]), 6);
}

#[test]
fn eval_quality_counts_and_draws() {
    let Some(shared) = shared() else { return };
    let folder = tempfile::tempdir().unwrap();
    let text = fs::read_to_string(shared.join("lfw/pairs.txt")).unwrap();
    let lines: Vec<_> = text.lines().collect();
    let pairs = folder.path().join("pairs.txt");
    let chosen = [&lines[1..13], &lines[301..313]].concat();
    fs::write(&pairs, format!("1\t12\n{}\n", chosen.join("\n"))).unwrap();
    let images = shared.join("lfw/images").display().to_string();
    let plot = folder.path().join("curve.png");
    let (pairs, plot) = (pairs.to_str().unwrap(), plot.to_str().unwrap());
    let args = ["eval", "quality", "--pairs", pairs, "--images", &images, "--spoiled", "4"];
    let run = faceprint(args.into_iter().chain(["--plot", plot, "--json"]));
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    let report = &run.json()[0];
    assert_eq!(report["refused"].as_array().unwrap().len(), 3);
    assert_eq!(report["genuine_pairs"], 12);
    // Spoiling half of each pair costs matches.
    let rate = |curve: &str| report[curve][0]["fnmr"].as_f64().unwrap();
    assert!(rate("discard_spoiled") > rate("discard"), "{report}");
    assert!(fs::metadata(plot).unwrap().len() > 10_000);
}

#[test]
fn eval_liveness_reports_both_error_rates() {
    let Some(shared) = shared() else { return };
    let folder = tempfile::tempdir().unwrap();
    let golden = |name: &str| shared.join("golden/images").join(name);
    let (live, print) = (folder.path().join("live"), folder.path().join("attacks/print"));
    fs::create_dir_all(&live).unwrap();
    fs::create_dir_all(&print).unwrap();
    fs::copy(golden("insightface_t1.png"), live.join("1.png")).unwrap();
    fs::copy(golden("bulk_rgb_fake.png"), print.join("1.png")).unwrap();
    image::RgbImage::new(64, 64).save(print.join("2.png")).unwrap();

    let models = shared.join("models").display().to_string();
    let catalog =
        concat!(env!("CARGO_MANIFEST_DIR"), "/../../core/testdata/catalog.toml").to_owned();
    let pack = ["--models", &models, "--catalog", &catalog, "--pack", "yunet-retail-live"];
    let (live, attacks) = (live.display().to_string(), folder.path().join("attacks"));
    let attacks = attacks.display().to_string();
    let command = ["eval", "liveness", "--bona-fide", &live, "--attacks", &attacks];
    let all = |more: &[&str]| faceprint([&command[..], &pack[..], more].concat());

    let run = all(&["--json"]);
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    let report = &run.json()[0];
    assert_eq!(report["threshold"], 0.5);
    assert_eq!(report["apcer"][0]["species"], "print");
    assert_eq!(
        (&report["apcer"][0]["classified"], &report["apcer"][0]["no_face"]),
        (&1.into(), &1.into())
    );
    // Everybody passes at 0, nobody above 1.
    let rates = |threshold: &str| {
        let report = all(&["--threshold", threshold, "--json"]).json().remove(0);
        (report["bpcer"]["rate"].as_f64().unwrap(), report["apcer_max"].as_f64().unwrap())
    };
    assert_eq!(rates("0"), (0.0, 1.0));
    assert_eq!(rates("1"), (1.0, 0.0));

    let run = faceprint(command);
    assert_eq!(run.code, Some(2));
    assert!(run.stderr.contains("has no liveness models"), "{}", run.stderr);
}
