//! What a fresh machine has: the bundled pack, and the generated people in `examples/images`. On both
//! runtimes.

#![cfg(all(feature = "bundled", feature = "codecs"))]
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "part of the tests only")]

mod common;

use std::fs;
use std::path::{Path, PathBuf};

use common::runtimes;
use faceprint::image::{DecodeLimits, RgbImage, decode};
use faceprint::{BackendChoice, Capture, Engine, ErrorKind, Issue, ModelPack, Template};

#[test]
fn generated_people_are_found_and_told_apart() {
    let pack = ModelPack::bundled();
    let threshold = pack.threshold(1e-4).unwrap();
    for backend in runtimes() {
        let engine = Engine::builder(&pack).backend(backend).build().unwrap();
        let known: Vec<(String, Template)> = folders(&images("people"))
            .iter()
            .flat_map(|person| files(person).into_iter().map(|file| (name_of(person), file)))
            .map(|(name, file)| (name, only_template(&engine, &file)))
            .collect();
        assert!(known.len() >= 12, "{} known pictures", known.len());

        let (mut right, mut lowest, mut highest) = (0, 1.0_f32, -1.0_f32);
        for file in files(&images("probes")) {
            let person = name_of(&file).rsplit_once('-').unwrap().0.to_owned();
            let probe = only_template(&engine, &file);
            let (name, best) = nearest(&known, &probe);
            if person.starts_with("unknown") {
                highest = highest.max(best);
                assert!(best < threshold, "{}: {best} to a stranger", file.display());
            } else {
                lowest = lowest.min(best);
                assert!(name == person && best >= threshold, "{}: {name} {best}", file.display());
            }
            right += 1;
        }
        println!(
            "{backend:?}: {right} probes right; lowest of a known {lowest:.3}, highest of a stranger \
             {highest:.3}, threshold {threshold:.3}"
        );
        assert!(right >= 20);

        let group = engine.analyze(&read(&images("group.jpg")).view()).unwrap();
        let strangers =
            group.iter().filter(|face| nearest(&known, &face.template).1 < threshold).count();
        assert_eq!((group.len(), strangers), (6, 1), "faces and strangers in the group picture");
    }
}

#[test]
fn capture_says_why_a_picture_is_no_sample() {
    let engine = Engine::builder(&ModelPack::bundled()).build().unwrap();
    let issues = |image: &RgbImage| match engine.capture(&image.view()).unwrap() {
        Capture::Usable(_) => Vec::new(),
        Capture::Rejected(issues) => issues,
    };
    let portrait = read(&files(&folders(&images("people"))[0])[0]);
    assert_eq!(issues(&portrait), []);
    let several = issues(&read(&images("group.jpg")));
    assert!(several.iter().any(|issue| issue.name() == "several_faces"), "{several:?}");
    let (width, height) = (portrait.width(), portrait.height());
    let gray = RgbImage::from_raw(width, height, vec![128; (width * height * 3) as usize]).unwrap();
    assert_eq!(issues(&gray), [Issue::NoFace]);
    // The right half of the picture cuts the face in two.
    let raster = portrait.view().raster().crop(width / 2, 0, width / 2, height).unwrap().into_rgb();
    let cut = issues(&raster);
    assert!(
        cut.iter().any(|issue| matches!(issue.name(), "cut_by_frame" | "no_face"))
            && !cut.is_empty(),
        "{cut:?}"
    );
}

#[test]
fn options_hold() {
    let pack = ModelPack::bundled();
    let group = read(&images("group.jpg"));
    let count = |engine: Engine| engine.detect(&group.view()).unwrap().len();
    assert_eq!(count(Engine::builder(&pack).max_faces(2).build().unwrap()), 2);
    assert_eq!(count(Engine::builder(&pack).min_face(400).build().unwrap()), 0);
    assert_eq!(count(Engine::builder(&pack).score_threshold(1.0).build().unwrap()), 0);
    for broken in [
        Engine::builder(&pack).score_threshold(1.5),
        Engine::builder(&pack).nms_threshold(f32::NAN),
        Engine::builder(&pack).max_faces(0),
        Engine::builder(&pack).min_face(0),
        Engine::builder(&pack).threads(0),
        Engine::builder(&pack).detection_size(faceprint::DetectionSize::Square(100)),
    ] {
        assert_eq!(broken.build().unwrap_err().kind(), ErrorKind::InvalidArgument);
    }
}

#[test]
fn what_is_asked_for_and_missing_is_an_error() {
    let pack = ModelPack::bundled();
    let missing = Engine::builder(&pack).onnxruntime_library("/nowhere/libonnxruntime.so").build();
    assert_eq!(missing.unwrap_err().kind(), ErrorKind::BackendUnavailable);
    let cuda = Engine::builder(&pack).provider(faceprint::runtime::Provider::Cuda).build();
    assert_eq!(cuda.unwrap_err().kind(), ErrorKind::BackendUnavailable);
    let rten = Engine::builder(&pack).backend(BackendChoice::Rten).build().unwrap();
    assert_eq!(rten.backend().name, "rten");
}

/// A mirrored face differs from itself less once both directions are averaged.
#[test]
fn flip_averaging_brings_a_face_and_its_mirror_image_together() {
    let picture = read(&files(&folders(&images("people"))[0])[0]);
    let mirrored = picture.mirrored();
    let similarity = |flip: bool| {
        let engine = Engine::builder(&ModelPack::bundled()).flip_averaging(flip).build().unwrap();
        let [a, b] = [&picture, &mirrored].map(|it| engine.analyze(&it.view()).unwrap().remove(0));
        a.template.similarity(&b.template).unwrap().value()
    };
    let (plain, averaged) = (similarity(false), similarity(true));
    assert!(averaged > plain, "{plain} to {averaged}");
}

fn nearest<'a>(known: &'a [(String, Template)], probe: &Template) -> (&'a str, f32) {
    let scores =
        known.iter().map(|(name, it)| (name.as_str(), it.similarity(probe).unwrap().value()));
    scores.max_by(|a, b| a.1.total_cmp(&b.1)).unwrap()
}

fn only_template(engine: &Engine, file: &Path) -> Template {
    let faces = engine.analyze(&read(file).view()).unwrap();
    assert_eq!(faces.len(), 1, "{}", file.display());
    faces[0].template.clone()
}

fn read(file: &Path) -> RgbImage {
    decode(&fs::read(file).unwrap(), &DecodeLimits::default()).unwrap()
}

fn images(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../examples/images").join(name)
}

fn folders(folder: &Path) -> Vec<PathBuf> {
    entries(folder).into_iter().filter(|path| path.is_dir()).collect()
}

fn files(folder: &Path) -> Vec<PathBuf> {
    entries(folder).into_iter().filter(|path| path.is_file()).collect()
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    let mut entries: Vec<_> = fs::read_dir(folder).unwrap().map(|it| it.unwrap().path()).collect();
    entries.sort();
    entries
}

fn name_of(path: &Path) -> String {
    path.file_stem().unwrap().to_string_lossy().into_owned()
}
