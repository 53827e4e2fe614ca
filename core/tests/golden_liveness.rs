//! Liveness scores of the golden faces against Silent-Face's own crop and models in ONNX Runtime's
//! Python package.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "part of the tests only")]

mod common;

use common::{golden, golden_pack, read_picture, runtimes};
use faceprint::{Capture, DetectionSize, Engine, ErrorKind, Issue, Policy};

/// The largest difference of a probability.
const TOLERANCE: f64 = 0.01;

fn engine(backend: faceprint::BackendChoice) -> Engine {
    Engine::builder(&golden_pack("scrfd-mbf-live"))
        .backend(backend)
        .detection_size(DetectionSize::Square(640))
        .accept_license("InsightFace-non-commercial")
        .policy(Policy::any())
        .liveness(true)
        .build()
        .unwrap()
}

#[test]
fn scores_agree_with_the_references() {
    let Some(golden) = golden() else { return };
    for backend in runtimes() {
        let engine = engine(backend);
        let (mut largest, mut count, mut live) = (0.0_f64, 0, 0);
        for case in golden["cases"].as_array().unwrap() {
            let image = read_picture(case["image"].as_str().unwrap());
            let found = engine.detect(&image.view()).unwrap();
            // Both lists are sorted by score.
            for (face, expected) in found.iter().zip(case["scrfd_det_500m"].as_array().unwrap()) {
                let liveness = engine.liveness(&image.view(), face).unwrap();
                let expected = expected["liveness_softmax_mean"][1].as_f64().unwrap();
                largest = largest.max((f64::from(liveness.score) - expected).abs());
                count += 1;
                live += usize::from(liveness.is_live());
            }
        }
        println!("{backend:?}: largest difference {largest:.5} over {count} faces, {live} live");
        assert!(count > 100 && largest <= TOLERANCE, "{backend:?}: {largest} over {count}");
        assert!(live > 0 && live < count, "{live} of {count}: the score says nothing");
    }
}

#[test]
fn a_capture_is_refused_with_the_score() {
    let Some(golden) = golden() else { return };
    let engine = engine(faceprint::BackendChoice::Auto);
    let threshold = f64::from(golden_pack("scrfd-mbf-live").liveness_threshold().unwrap());
    let mut outcomes = [0, 0];
    for case in golden["cases"].as_array().unwrap() {
        let faces = case["scrfd_det_500m"].as_array().unwrap();
        let [face] = &faces[..] else { continue };
        let expected = face["liveness_softmax_mean"][1].as_f64().unwrap();
        let image = read_picture(case["image"].as_str().unwrap());
        match engine.capture(&image.view()).unwrap() {
            Capture::Usable(sample) => {
                outcomes[0] += 1;
                assert!(sample.liveness.unwrap().is_live() && expected >= threshold - TOLERANCE);
            }
            Capture::Rejected(issues) => {
                outcomes[1] += 1;
                assert!(matches!(issues[..], [Issue::NotLive { .. }]), "{issues:?}");
                assert!(expected <= threshold + TOLERANCE);
            }
        }
    }
    assert!(outcomes.iter().all(|count| *count > 0), "{outcomes:?}");
}

#[test]
fn it_is_off_unless_asked_for() {
    if common::shared().is_none() {
        return;
    }
    let plain = Engine::builder(&golden_pack("yunet-retail-live")).build().unwrap();
    let image = read_picture("insightface_t1.png");
    let faces = plain.detect(&image.view()).unwrap();
    let error = plain.liveness(&image.view(), &faces[0]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidArgument);
    assert!(error.to_string().contains(".liveness(true)"), "{error}");

    let without = Engine::builder(&golden_pack("yunet-retail")).liveness(true).build();
    assert_eq!(without.unwrap_err().kind(), ErrorKind::ModelNotFound);
}

#[test]
fn boxes_anywhere_have_a_score_or_an_error() {
    if common::shared().is_none() {
        return;
    }
    let engine = engine(faceprint::BackendChoice::Auto);
    let image = read_picture("insightface_t1.png");
    let mut face = engine.detect(&image.view()).unwrap()[0];
    for (x, y, width, height, good) in [
        (-500.0, -500.0, 100.0, 100.0, true),
        (795.0, 550.0, 100.0, 300.0, true),
        (-1000.0, -1000.0, 9000.0, 9000.0, true),
        (100.0, 100.0, 1.0, 1.0, true),
        (100.0, 100.0, 0.5, 40.0, false),
        (f32::NAN, 0.0, 40.0, 40.0, false),
        (0.0, f32::INFINITY, 40.0, 40.0, false),
        (0.0, 0.0, f32::INFINITY, 40.0, false),
    ] {
        face.bounds = faceprint::Rect { x, y, width, height };
        let liveness = engine.liveness(&image.view(), &face);
        assert_eq!(liveness.is_ok(), good, "{x} {y} {width} {height}");
        assert!(liveness.is_err() || (0.0..=1.0).contains(&liveness.unwrap().score));
    }
}

/// Each golden picture of one face, held before a camera: what the references call an attack gives a suspicion, and
/// what they call alive a visitor.
#[cfg(feature = "gallery")]
#[test]
fn a_stream_suspects_what_the_references_suspect() {
    use std::time::{Duration, UNIX_EPOCH};

    use faceprint::stream::{Recognize, Who};
    use faceprint::{Stream, SubjectId, Template};

    #[derive(Clone)]
    struct Nobody;
    impl Recognize for Nobody {
        fn recognize(&self, _: &Template, _: f32) -> faceprint::Result<Option<(SubjectId, f32)>> {
            Ok(None)
        }
    }

    let Some(golden) = golden() else { return };
    let threshold = f64::from(golden_pack("scrfd-mbf-live").liveness_threshold().unwrap());
    let engine = engine(faceprint::BackendChoice::Auto);
    let mut outcomes = [0, 0];
    for case in golden["cases"].as_array().unwrap() {
        let [face] = &case["scrfd_det_500m"].as_array().unwrap()[..] else { continue };
        let expected = face["liveness_softmax_mean"][1].as_f64().unwrap();
        let picture = read_picture(case["image"].as_str().unwrap());
        let mut door = Stream::builder(&engine, &Nobody)
            .threshold(0.3)
            .unknown_after(1)
            .liveness(3)
            .build()
            .unwrap();
        let mut said = Vec::new();
        for tenth in 0..5 {
            let at = UNIX_EPOCH + Duration::from_millis(100 * tenth);
            said.extend(door.push(&picture.view(), at).unwrap());
        }
        let Some(event) = said.first() else { continue };
        assert_eq!(said.len(), 1, "{}: {said:?}", case["image"]);
        match event.who {
            Who::Suspected { score, .. } => {
                assert!((f64::from(score) - expected).abs() <= TOLERANCE);
                assert!(expected < threshold, "{}: {expected}", case["image"]);
                outcomes[0] += 1;
            }
            Who::Visitor(_) => {
                assert!(expected >= threshold, "{}: {expected}", case["image"]);
                outcomes[1] += 1;
            }
            ref other => panic!("{other:?}"),
        }
    }
    println!("{outcomes:?} suspected and not");
    assert!(outcomes.iter().all(|count| *count >= 2), "{outcomes:?}");
}
