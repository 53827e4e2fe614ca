//! Every command on real pictures, with the models beside the checkout.

#![allow(clippy::unwrap_used, reason = "part of the tests only")]

mod support;

use std::fs;
use std::path::{Path, PathBuf};

use support::{Run, faceprint, shared};

/// Runs a command with a pack over the shared models.
fn with_pack(shared: &Path, args: &[&str]) -> Run {
    let models = shared.join("models");
    let mut all = vec!["--models", models.to_str().unwrap(), "--catalog", CATALOG, "--pack", PACK];
    all.extend(args);
    faceprint(all)
}

const CATALOG: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/shared.toml");

/// Permissive models only: no licence has to be accepted.
const PACK: &str = "yunet-retail";

fn golden(shared: &Path, name: &str) -> String {
    shared.join("golden/images").join(name).display().to_string()
}

fn lfw(shared: &Path, name: &str, number: u32) -> PathBuf {
    shared.join("lfw/images").join(name).join(format!("{name}_{number:04}.jpg"))
}

/// A grey picture: no face.
fn grey(folder: &Path) -> String {
    let path = folder.join("grey.png");
    image::RgbImage::from_pixel(96, 64, image::Rgb([128; 3])).save(&path).unwrap();
    path.display().to_string()
}

#[test]
fn detect_finds_the_group_and_draws_it() {
    let Some(shared) = shared() else { return };
    let folder = tempfile::tempdir().unwrap();
    let drawn = folder.path().join("drawn.png");
    let picture = golden(&shared, "insightface_t1.png");
    let run =
        with_pack(&shared, &["detect", &picture, "--draw", drawn.to_str().unwrap(), "--json"]);
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    let report = &run.json()[0];
    assert_eq!(report["faces"].as_array().unwrap().len(), 6);
    let (before, after) = (image::open(&picture).unwrap(), image::open(&drawn).unwrap());
    assert_eq!((before.width(), before.height()), (after.width(), after.height()));
    assert_ne!(before.to_rgb8(), after.to_rgb8());
}

#[test]
fn detect_says_no_where_there_is_no_face_and_2_where_there_is_no_picture() {
    let Some(shared) = shared() else { return };
    let folder = tempfile::tempdir().unwrap();
    let grey = grey(folder.path());
    let run = with_pack(&shared, &["detect", &grey]);
    assert_eq!(run.code, Some(1), "{}", run.stderr);
    assert!(run.stdout.contains("96x64  0 faces"), "{}", run.stdout);

    let broken = folder.path().join("broken.jpg");
    fs::write(&broken, b"\xff\xd8\xff\xe0 not a picture").unwrap();
    let run = with_pack(&shared, &["detect", broken.to_str().unwrap(), &grey, "--json"]);
    assert_eq!(run.code, Some(2));
    assert!(
        run.stderr.starts_with("error: ") && run.stderr.contains("broken.jpg"),
        "{}",
        run.stderr
    );
    let documents = run.json();
    assert_eq!(documents.len(), 2, "the picture after the broken one is still done");
    assert!(documents[0]["error"]["code"].is_u64() && documents[1]["faces"].is_array());
}

#[test]
fn compare_tells_same_from_different_by_its_exit_code() {
    let Some(shared) = shared() else { return };
    let pairs = fs::read_to_string(shared.join("lfw/pairs.txt")).unwrap();
    let same: Vec<_> = pairs.lines().nth(1).unwrap().split_whitespace().collect();
    let different: Vec<_> = pairs.lines().nth(301).unwrap().split_whitespace().collect();
    let compare = |a: PathBuf, b: PathBuf| {
        let (a, b) = (a.display().to_string(), b.display().to_string());
        with_pack(&shared, &["compare", &a, &b, "--threshold", "0.35", "--json"])
    };
    let at = |name: &str, number: &str| lfw(&shared, name, number.parse().unwrap());

    let run = compare(at(same[0], same[1]), at(same[0], same[2]));
    assert_eq!(run.code, Some(0), "{}{}", run.stdout, run.stderr);
    assert_eq!(run.json()[0]["same"], true);

    let run = compare(at(different[0], different[1]), at(different[2], different[3]));
    assert_eq!(run.code, Some(1), "{}{}", run.stdout, run.stderr);

    let folder = tempfile::tempdir().unwrap();
    let run = compare(at(same[0], same[1]), PathBuf::from(grey(folder.path())));
    assert_eq!(run.code, Some(2));
    assert!(run.stderr.contains("no face was found"), "{}", run.stderr);
}

#[test]
fn identify_names_the_known_and_reports_what_it_could_not_use() {
    let Some(shared) = shared() else { return };
    let pairs = fs::read_to_string(shared.join("lfw/pairs.txt")).unwrap();
    let person: Vec<_> = pairs.lines().nth(1).unwrap().split_whitespace().collect();
    let stranger = pairs.lines().nth(2).unwrap().split_whitespace().next().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let known = folder.path().join("known");
    fs::create_dir_all(known.join(person[0])).unwrap();
    let first = lfw(&shared, person[0], person[1].parse().unwrap());
    fs::copy(first, known.join(person[0]).join("1.jpg")).unwrap();
    fs::copy(grey(folder.path()), known.join("Nobody.png")).unwrap();

    let probe = lfw(&shared, person[0], person[2].parse().unwrap()).display().to_string();
    let out = folder.path().join("out");
    let known = known.to_str().unwrap();
    let args = ["identify", "--known", known, &probe, "--threshold", "0.35", "--json"];
    let run = with_pack(&shared, &[&args[..], &["--draw", out.to_str().unwrap()]].concat());
    assert_eq!(run.code, Some(0), "{}{}", run.stdout, run.stderr);
    let report = &run.json()[0];
    assert!(report["faces"].as_array().unwrap().iter().any(|face| face["name"] == person[0]));
    assert!(report["rejected"][0]["image"].as_str().unwrap().ends_with("Nobody.png"));
    assert!(run.stderr.contains("not used: ") && run.stderr.contains("no face"), "{}", run.stderr);
    assert_eq!(fs::read_dir(&out).unwrap().count(), 1);

    if stranger != person[0] {
        let other = lfw(&shared, stranger, 1).display().to_string();
        let run = with_pack(&shared, &["identify", "--known", known, &other, "--threshold", "0.5"]);
        assert_eq!(run.code, Some(1), "{}{}", run.stdout, run.stderr);
        assert!(run.stdout.contains("unknown"), "{}", run.stdout);
    }
}

#[test]
fn embed_writes_unit_vectors_that_numpy_can_read() {
    let Some(shared) = shared() else { return };
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("faces.npy");
    let picture = golden(&shared, "insightface_t1.png");
    let run = with_pack(&shared, &["embed", &picture, "--all", "--out", out.to_str().unwrap()]);
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    let bytes = fs::read(&out).unwrap();
    assert!(String::from_utf8_lossy(&bytes[..128]).contains("'shape': (6, 256)"));

    let run = with_pack(&shared, &["embed", &picture]);
    let rows = run.json();
    assert_eq!(rows.len(), 1);
    let squares = rows[0]["embedding"].as_array().unwrap().iter();
    let norm: f64 = squares.map(|value| value.as_f64().unwrap().powi(2)).sum();
    assert!((norm - 1.0).abs() < 1e-5);
    assert_eq!(rows[0]["space"].as_str().unwrap().len(), 64);
}

#[test]
fn eval_reports_accuracy_and_draws_the_curves() {
    let Some(shared) = shared() else { return };
    let folder = tempfile::tempdir().unwrap();
    // Ten genuine and ten impostor pairs, split in two folds.
    let text = fs::read_to_string(shared.join("lfw/pairs.txt")).unwrap();
    let lines: Vec<_> = text.lines().collect();
    let chosen = [&lines[1..6], &lines[301..306], &lines[601..606], &lines[901..906]].concat();
    let pairs = folder.path().join("pairs.txt");
    fs::write(&pairs, format!("2\t5\n{}\n", chosen.join("\n"))).unwrap();

    let path = |name: &str| folder.path().join(name).display().to_string();
    let (pairs, plot, report) = (path("pairs.txt"), path("curves.svg"), path("report.json"));
    let images = shared.join("lfw/images").display().to_string();
    let args = ["eval", "lfw", "--pairs", &pairs, "--images", &images];
    let files = ["--plot", &plot, "--report", &report];
    let run = with_pack(&shared, &[&args[..], &files[..]].concat());
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    assert!(run.stdout.contains("accuracy") && run.stdout.contains("pictures/s"), "{}", run.stdout);
    let report: serde_json::Value = serde_json::from_slice(&fs::read(&report).unwrap()).unwrap();
    assert!(report["accuracy"]["mean"].as_f64().unwrap() > 0.85, "{report}");
    assert_eq!(report["operating_points"].as_array().unwrap().len(), 3);
    assert!(fs::read_to_string(&plot).unwrap().contains("</svg>"));
}
