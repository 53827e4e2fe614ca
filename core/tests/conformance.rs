//! The conformance suite in Rust, on both runtimes. Its files, and what they mean, are in
//! `core/testdata/conformance`; every language has a runner of its own.

#![allow(clippy::unwrap_used, clippy::print_stderr, reason = "part of the tests only")]

mod common;
#[path = "conformance/errors.rs"]
mod errors;
#[path = "conformance/gallery.rs"]
mod gallery;
#[path = "conformance/table.rs"]
mod table;

use std::collections::HashMap;

use common::runtimes;
use faceprint::image::{DecodeLimits, RgbImage, decode};
use faceprint::{
    BackendChoice, Engine, Face, ImageView, ModelPack, Orientation, PixelFormat, Template,
};
use table::{Row, rows};

/// Pixels, and a share of 1.
const PLACE: f32 = 1.5;
const SCORE: f32 = 0.02;
/// Cosines: of another decoder and resizer, and of either runtime.
const COSINE: f32 = 0.01;
const RUNTIME: f32 = 0.001;

#[test]
fn faces_are_where_opencv_and_onnxruntime_see_them() {
    let rows = rows("faces.tsv");
    for backend in runtimes() {
        let engine = engine(backend);
        let mut worst = 0.0_f32;
        for picture in pictures(&rows) {
            let expected: Vec<_> = rows.iter().filter(|row| row["picture"] == picture).collect();
            let found = left_to_right(engine.analyze(&read(&picture).view()).unwrap());
            assert_eq!(found.len(), expected.len(), "{picture} on {backend:?}");
            for (face, row) in found.iter().zip(expected) {
                let score: f32 = row.number("score");
                assert!((face.detection.score - score).abs() <= SCORE, "{picture}: score");
                let bounds = face.detection.bounds;
                let mut places = vec![
                    (bounds.x, "x".to_owned()),
                    (bounds.y, "y".to_owned()),
                    (bounds.width, "width".to_owned()),
                    (bounds.height, "height".to_owned()),
                ];
                let names = ["left_eye", "right_eye", "nose", "left_mouth", "right_mouth"];
                for (point, name) in face.detection.landmarks.points().iter().zip(names) {
                    places.push((point.x, format!("{name}_x")));
                    places.push((point.y, format!("{name}_y")));
                }
                for (place, name) in places {
                    let expected: f32 = row.number(&name);
                    worst = worst.max((place - expected).abs());
                    assert!((place - expected).abs() <= PLACE, "{picture} {name}: {place}");
                }
            }
        }
        eprintln!("{backend:?}: {} faces, at most {worst:.3} px off", rows.len());
    }
}

#[test]
fn similarities_are_kept_on_either_runtime_and_near_those_of_opencv() {
    let rows = rows("similarities.tsv");
    let mut measured = Vec::new();
    for backend in runtimes() {
        let engine = engine(backend);
        let mut known: HashMap<String, Vec<Template>> = HashMap::new();
        let mut template = |picture: &str, face: usize| {
            let faces = known.entry(picture.to_owned()).or_insert_with(|| {
                let faces = engine.analyze(&read(picture).view()).unwrap();
                left_to_right(faces).into_iter().map(|face| face.template).collect()
            });
            faces[face].clone()
        };
        let similarity = |row: &Row| {
            let a = template(&row["a"], row.number("a_face"));
            let b = template(&row["b"], row.number("b_face"));
            a.similarity(&b).unwrap().value()
        };
        let found: Vec<f32> = rows.iter().map(similarity).collect();
        let off = |column: &str| {
            let off =
                rows.iter().zip(&found).map(|(row, it)| (it - row.number::<f32>(column)).abs());
            off.fold(0.0, f32::max)
        };
        let (kept, opencv) = (off("cosine"), off("opencv"));
        eprintln!("{backend:?}: at most {kept:.6} off, {opencv:.5} off OpenCV's");
        measured.push((kept, opencv, found));
    }
    if std::env::var_os("FACEPRINT_BLESS").is_some() {
        bless(&rows, &measured[0].2);
        return;
    }
    for (kept, opencv, _) in measured {
        assert!(kept <= RUNTIME && opencv <= COSINE);
    }
}

/// Writes what the pure-Rust runtime gives.
fn bless(rows: &[Row], found: &[f32]) {
    let head = "a\ta_face\tb\tb_face\topencv\tcosine\n".to_owned();
    let text = rows.iter().zip(found).fold(head, |text, (row, cosine)| {
        let names = ["a", "a_face", "b", "b_face", "opencv"].map(|it| row[it].as_str());
        format!("{text}{}\t{cosine:.5}\n", names.join("\t"))
    });
    std::fs::write(table::folder().join("similarities.tsv"), text).unwrap();
}

#[test]
fn pixels_in_any_format_and_turn_give_the_face() {
    let rows = rows("pixels.tsv");
    for backend in runtimes() {
        let engine = engine(backend);
        let mut reference = None;
        for row in &rows {
            let bytes = std::fs::read(table::folder().join(&row["file"])).unwrap();
            let format = format_named(&row["format"]);
            let view = ImageView::new(&bytes, row.number("width"), row.number("height"), format)
                .and_then(|it| it.with_stride(row.number("stride")))
                .unwrap()
                .with_orientation(Orientation::from_exif(row.number("orientation")).unwrap());
            let [face] = &engine.analyze(&view).unwrap()[..] else {
                panic!("{}: not one face", row["file"])
            };
            let reference = reference.get_or_insert_with(|| face.template.clone());
            let cosine = face.template.similarity(reference).unwrap().value();
            let expected: f32 = row.number("cosine");
            assert!((cosine - expected).abs() <= COSINE, "{} {backend:?}: {cosine}", row["file"]);
        }
    }
}

#[test]
fn a_gallery_answers_as_numpy_does() {
    gallery::run(&rows("gallery.tsv"));
}

#[test]
fn mistakes_have_their_numbers() {
    for backend in runtimes() {
        errors::run(&rows("errors.tsv"), &engine(backend));
    }
}

fn engine(backend: BackendChoice) -> Engine {
    Engine::builder(&ModelPack::bundled()).backend(backend).build().unwrap()
}

fn read(picture: &str) -> RgbImage {
    let bytes = std::fs::read(table::images().join(picture)).unwrap();
    decode(&bytes, &DecodeLimits::default()).unwrap()
}

fn pictures(rows: &[Row]) -> Vec<String> {
    let mut names: Vec<_> = rows.iter().map(|row| row["picture"].to_owned()).collect();
    names.dedup();
    names
}

fn left_to_right(mut faces: Vec<Face>) -> Vec<Face> {
    faces.sort_by(|a, b| a.detection.bounds.x.total_cmp(&b.detection.bounds.x));
    faces
}

fn format_named(name: &str) -> PixelFormat {
    PixelFormat::ALL.into_iter().find(|format| format.name() == name).unwrap()
}
