//! The detectors that have no golden reference of their own find the faces of those that have, with the
//! same landmarks: SCRFD 2.5G (a file with a fixed size), RetinaFace, the dynamic YuNets, and ours.

#![cfg(all(feature = "bundled", feature = "codecs"))]
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "part of the tests only")]

mod common;

use common::{golden, golden_pack, read_picture, runtimes};
use faceprint::{Detection, Engine, ModelPack, Rect};
use serde_json::Value;

/// Faces that everybody should find: shorter side in pixels, and SCRFD's own score.
const LARGE: f32 = 24.0;
const CERTAIN: f32 = 0.7;

#[test]
fn faces_and_landmarks_are_those_of_the_references() {
    let Some(golden) = golden() else { return };
    let packs = ["scrfd2.5g-mbf", "retinaface-mbf", "yunet-s-mbf", "yunet-n-mbf"].map(golden_pack);
    for pack in packs.iter().chain(&[ModelPack::bundled()]) {
        for backend in runtimes() {
            let engine = Engine::builder(pack)
                .backend(backend)
                .accept_license("InsightFace-non-commercial")
                .build()
                .unwrap();
            let (mut wanted, mut found, mut error) = (0, 0, 0.0);
            for case in golden["cases"].as_array().unwrap() {
                let image = read_picture(case["image"].as_str().unwrap());
                let faces = engine.detect(&image.view()).unwrap();
                for reference in case["scrfd_det_500m"].as_array().unwrap() {
                    let bounds = bounds(reference);
                    if bounds.shorter_side() < LARGE || number(&reference["score"]) < CERTAIN {
                        continue;
                    }
                    wanted += 1;
                    if let Some(face) = faces.iter().find(|it| it.bounds.iou(&bounds) > 0.4) {
                        found += 1;
                        error += landmark_error(face, reference);
                    }
                }
            }
            let error = error / f64::from(found);
            println!(
                "{} on {backend:?}: {found} of {wanted} faces, landmarks off by {:.1} % of the eye distance",
                pack.name(),
                error * 100.0
            );
            assert!(wanted > 70 && f64::from(found) >= 0.95 * f64::from(wanted));
            // A wrong order or a mirrored point would be off by a whole eye distance.
            assert!(error < 0.15, "{error}");
        }
    }
}

/// Mean distance of the five points over the reference's eye distance.
fn landmark_error(face: &Detection, reference: &Value) -> f64 {
    let reference: Vec<_> = reference["landmarks"].as_array().unwrap().iter().collect();
    let at = |index: usize, axis: usize| f64::from(number(&reference[index][axis]));
    let eyes = (at(0, 0) - at(1, 0)).hypot(at(0, 1) - at(1, 1));
    let distances = face.landmarks.points().into_iter().enumerate().map(|(index, point)| {
        (f64::from(point.x) - at(index, 0)).hypot(f64::from(point.y) - at(index, 1))
    });
    distances.sum::<f64>() / 5.0 / eyes
}

fn bounds(face: &Value) -> Rect {
    let [left, top, right, bottom] = [0, 1, 2, 3].map(|i| number(&face["box_xyxy"][i]));
    Rect::from_corners(left, top, right, bottom)
}

#[expect(clippy::cast_possible_truncation, reason = "the references are 32-bit numbers")]
fn number(value: &Value) -> f32 {
    value.as_f64().unwrap() as f32
}
