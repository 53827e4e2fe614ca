//! Transforms and crops against those of InsightFace and OpenCV.
#![cfg(feature = "codecs")]
#![allow(clippy::unwrap_used, clippy::print_stderr)]

mod common;

use std::fs;
use std::path::Path;

use faceprint::align::{AlignmentTemplate, align};
use faceprint::image::{DecodeLimits, RgbImage, decode};
use faceprint::{Landmarks, Point};
use serde_json::Value;

fn picture(path: &Path) -> RgbImage {
    decode(&fs::read(path).unwrap(), &DecodeLimits::default()).unwrap()
}

#[expect(clippy::cast_possible_truncation, reason = "the reference landmarks are f32")]
fn landmarks(value: &Value) -> Landmarks {
    let coordinate = |index: usize, axis: usize| value[index][axis].as_f64().unwrap() as f32;
    Landmarks::from_points(std::array::from_fn(|i| Point::new(coordinate(i, 0), coordinate(i, 1))))
}

#[test]
fn crops_are_those_of_opencv() {
    let Some(shared) = common::shared() else { return };
    let golden = shared.join("golden");
    let cases = fs::read(golden.join("golden.json")).unwrap();
    let cases: Value = serde_json::from_slice(&cases).unwrap();
    let (mut crops, mut samples, mut differing) = (0, 0, 0);
    let (mut worst_sample, mut worst_matrix) = (0, 0.0f64);
    for case in cases["cases"].as_array().unwrap() {
        let image = picture(&golden.join("images").join(case["image"].as_str().unwrap()));
        for face in case["scrfd_det_500m"].as_array().unwrap() {
            let landmarks = landmarks(&face["landmarks"]);
            let template = AlignmentTemplate::ARCFACE_112;
            let matrix = template.transform(&landmarks).unwrap().matrix();
            for (ours, theirs) in matrix.iter().zip(face["matrix_112"].as_array().unwrap()) {
                for (ours, theirs) in ours.iter().zip(theirs.as_array().unwrap()) {
                    let theirs = theirs.as_f64().unwrap();
                    // The reference is scikit-image's SVD in f32: its shifts, in the thousands of
                    // pixels for small faces, carry that rounding. The same formula in f64 is ours.
                    let error = (ours - theirs).abs() / theirs.abs().max(1.0);
                    worst_matrix = worst_matrix.max(error);
                }
            }
            let ours = align(&image.view().raster(), &landmarks, &template).unwrap();
            let theirs = picture(&golden.join("crops").join(face["crop"].as_str().unwrap()));
            assert_eq!(ours.as_bytes().len(), theirs.as_bytes().len());
            for (&ours, &theirs) in ours.as_bytes().iter().zip(theirs.as_bytes()) {
                samples += 1;
                differing += u32::from(ours != theirs);
                worst_sample = worst_sample.max(ours.abs_diff(theirs));
            }
            crops += 1;
        }
    }
    let share = f64::from(differing) / f64::from(samples);
    eprintln!(
        "{crops} crops: {:.4} % of {samples} samples bit-equal, worst difference {worst_sample}; \
         matrices within {worst_matrix:.1e} of max(1, entry)",
        100.0 * (1.0 - share)
    );
    assert!(crops >= 180);
    assert!(share <= 0.001 && worst_sample <= 1);
    assert!(worst_matrix <= 1e-5);
}
