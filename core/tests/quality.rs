//! Quality on real and generated faces: what spoils a picture lowers what it should, ranges hold for any
//! input, and the gate for several frames chooses and refuses.
#![cfg(all(feature = "bundled", feature = "codecs", feature = "rten"))]
#![allow(
    clippy::unwrap_used,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "part of the tests only"
)]

mod common;

use faceprint::engine::{Capture, Selection, Series};
use faceprint::geometry::{Landmarks, Point, Rect};
use faceprint::image::{DecodeLimits, RgbImage, decode};
use faceprint::quality::{Found, Measure, Policy, Quality, agreement};
use faceprint::{BackendChoice, Detection, Engine, Issue, ModelPack};
use proptest::prelude::*;

fn engine(policy: Policy) -> Engine {
    let pack = ModelPack::bundled();
    Engine::builder(&pack).backend(BackendChoice::Rten).policy(policy).build().unwrap()
}

fn person(name: &str) -> RgbImage {
    let path = format!("{}/../examples/images/people/{name}.jpg", env!("CARGO_MANIFEST_DIR"));
    decode(&std::fs::read(path).unwrap(), &DecodeLimits::default()).unwrap()
}

fn mapped(image: &RgbImage, map: impl Fn(u8) -> u8) -> RgbImage {
    let pixels = image.as_bytes().iter().map(|&level| map(level)).collect();
    RgbImage::from_raw(image.width(), image.height(), pixels).unwrap()
}

/// A mean over `2 * radius + 1` pixels along both axes.
fn blurred(image: &RgbImage, radius: usize) -> RgbImage {
    let (width, height) = (image.width() as usize, image.height() as usize);
    let mut pixels = image.as_bytes().to_vec();
    for (step, stride, lines, line_stride) in
        [(width, 3, height, 3 * width), (height, 3 * width, width, 3)]
    {
        let before = pixels.clone();
        for line in 0..lines {
            for at in 0..step {
                let (from, to) = (at.saturating_sub(radius), (at + radius).min(step - 1));
                for channel in 0..3 {
                    let level =
                        |at: usize| u32::from(before[line * line_stride + at * stride + channel]);
                    let sum: u32 = (from..=to).map(level).sum();
                    pixels[line * line_stride + at * stride + channel] =
                        (sum / (to - from + 1) as u32) as u8;
                }
            }
        }
    }
    RgbImage::from_raw(image.width(), image.height(), pixels).unwrap()
}

/// The face's place is that in the good picture: only the pixels change.
fn measured(image: &RgbImage, face: &Detection) -> Quality {
    let Detection { bounds, landmarks, score, .. } = *face;
    let found = Found { bounds, landmarks, detector_score: score, next_area: 0.0 };
    Quality::measure(&image.view().raster(), &found).unwrap()
}

#[test]
fn spoiling_a_picture_lowers_what_it_should() {
    let engine = engine(Policy::any());
    for name in ["elva/1", "faro/1", "gisa/2"] {
        let image = person(name);
        let face = engine.detect(&image.view()).unwrap()[0];
        let good = measured(&image, &face);
        assert!(good.score > 80.0, "{name}: {good:?}");
        assert!(Policy::enrollment().judge(&good).is_empty(), "{name}: {good:?}");

        let sharpness = |radius| measured(&blurred(&image, radius), &face);
        let series = [good, sharpness(1), sharpness(3), sharpness(6), sharpness(12)];
        assert!(series.windows(2).all(|pair| pair[1].sharpness < pair[0].sharpness), "{series:?}");
        assert!(series.windows(2).all(|pair| pair[1].score < pair[0].score), "{series:?}");
        let issues = Policy::kiosk().judge(&series[4]);
        assert!(issues.iter().any(|issue| issue.name() == "blurred"), "{issues:?}");

        let dark = |factor: f32| {
            measured(&mapped(&image, |level| (f32::from(level) * factor) as u8), &face)
        };
        let series = [good, dark(0.7), dark(0.4), dark(0.2), dark(0.05)];
        for pair in series.windows(2) {
            assert!(pair[1].luminance_mean < pair[0].luminance_mean, "{pair:?}");
            assert!(pair[1].luminance_variance < pair[0].luminance_variance, "{pair:?}");
            assert!(pair[1].dynamic_range < pair[0].dynamic_range, "{pair:?}");
            assert!(pair[1].under_exposure >= pair[0].under_exposure, "{pair:?}");
            assert!(pair[1].score <= pair[0].score, "{pair:?}");
        }
        assert_eq!(series[4].under_exposure, 1.0);
        let names: Vec<_> = Policy::kiosk().judge(&series[4]).iter().map(Issue::name).collect();
        assert!(names.contains(&"too_dark") && names.contains(&"low_contrast"), "{names:?}");

        let white = measured(&mapped(&image, |level| level.saturating_add(200)), &face);
        assert!(white.over_exposure > 0.5 && white.luminance_mean > good.luminance_mean);
        assert!(!Policy::enrollment().judge(&white).is_empty());
    }
}

/// The components of OFIQ, computed from its formulas apart from the code under test.
#[test]
fn components_are_the_reference_implementations() {
    let engine = engine(Policy::any());
    let quality = engine.analyze(&person("elva/1").view()).unwrap()[0].quality;
    let sigmoid = |x: f64, middle: f64, width: f64| 1.0 / (1.0 + (-(x - middle) / width).exp());
    let value = |measure| f64::from(quality.get(measure));
    let mean = value(Measure::LuminanceMean);
    for (measure, expected) in [
        (Measure::InterEyeDistance, 100.0 * sigmoid(value(Measure::InterEyeDistance), 70.0, 20.0)),
        (
            Measure::LuminanceMean,
            100.0 * sigmoid(mean, 0.2, 0.05) * (1.0 - sigmoid(mean, 0.8, 0.05)),
        ),
        (Measure::DynamicRange, 12.5 * value(Measure::DynamicRange)),
        (Measure::Yaw, 100.0 * value(Measure::Yaw).to_radians().cos().powi(2)),
        (Measure::OverExposure, (1.0 / (value(Measure::OverExposure) + 0.01)).min(100.0)),
        (Measure::SecondFace, 100.0),
    ] {
        let found = f64::from(quality.component(measure).unwrap());
        assert!((found - expected).abs() < 0.01, "{measure}: {found} for {expected}");
    }
    assert_eq!(quality.component(Measure::Sharpness), None);
}

#[test]
fn every_face_of_a_picture_has_its_quality() {
    let engine = engine(Policy::any());
    let group = std::fs::read(concat!(env!("CARGO_MANIFEST_DIR"), "/../examples/images/group.jpg"));
    let group = decode(&group.unwrap(), &DecodeLimits::default()).unwrap();
    let faces = engine.analyze(&group.view()).unwrap();
    assert_eq!(faces.len(), 6);
    for face in &faces {
        assert!(face.quality.second_face > 0.8, "{:?}", face.quality);
        let alone = engine.quality(&group.view(), &face.detection).unwrap();
        let mut expected = face.quality;
        expected.second_face = 0.0;
        assert_eq!(alone, expected);
    }
}

#[test]
fn a_policy_decides_what_is_captured() {
    let image = person("elva/1");
    let refused = |policy: Policy| match engine(policy).capture(&image.view()).unwrap() {
        Capture::Usable(_) => Vec::new(),
        Capture::Rejected(issues) => issues,
    };
    assert_eq!(refused(Policy::enrollment()), []);
    let wide = Policy::any().at_least(Measure::InterEyeDistance, 1000.0);
    let [Issue::TooLow { measure: Measure::InterEyeDistance, value, minimum }] = refused(wide)[..]
    else {
        panic!("one issue");
    };
    assert!(value > 20.0 && value < 200.0 && minimum == 1000.0);
    let turned = Policy::any().at_most(Measure::Yaw, 0.01);
    assert_eq!(refused(turned)[0].name(), "turned");

    let pack = ModelPack::bundled();
    let large = Engine::builder(&pack).policy(Policy::any()).min_face(2000).build().unwrap();
    assert_eq!(large.policy().minimum(Measure::FaceSize), Some(2000.0));
}

#[test]
fn the_best_frame_of_one_person_is_chosen_and_others_are_named() {
    let engine = engine(Policy::kiosk());
    let threshold = ModelPack::bundled().threshold(1e-3).unwrap();
    let good = person("elva/1");
    let (soft, other) = (blurred(&good, 1), person("gisa/1"));
    let grey = mapped(&good, |_| 128);
    let frames = [&soft, &grey, &good, &other, &soft].map(RgbImage::view);
    let Selection::Chosen(chosen) = engine.capture_best(&frames, threshold, 3).unwrap() else {
        panic!("three frames of one person");
    };
    assert_eq!((chosen.frame, chosen.agreeing), (2, 3));
    assert!(chosen.consistency > threshold && chosen.sample.quality.score > 80.0);
    let rejected: Vec<_> = chosen.rejected.iter().map(|(at, why)| (*at, why[0].name())).collect();
    assert_eq!(rejected, [(1, "no_face"), (3, "another_face")]);

    let Selection::Refused(refusal) = engine.capture_best(&frames, threshold, 4).unwrap() else {
        panic!("only three frames agree");
    };
    assert_eq!((refusal.agreeing, refusal.needed), (3, 4));
    assert!(refusal.to_string().contains("frame 3: similarity to the other frames"), "{refusal}");

    // Two people who take turns are nobody's enrolment.
    let turns = [&good, &other, &good, &other].map(RgbImage::view);
    assert!(matches!(
        engine.capture_best(&turns, threshold, 1).unwrap(),
        Selection::Refused(refusal) if refusal.agreeing == 2
    ));
    assert!(matches!(Series::new(threshold).select(1).unwrap(), Selection::Refused(_)));
    assert!(Series::new(threshold).select(0).is_err());
}

#[test]
fn a_wrong_template_of_a_subject_is_found() {
    let engine = engine(Policy::any());
    let template = |name| engine.analyze(&person(name).view()).unwrap().remove(0).template;
    let stored = ["elva/1", "gisa/1", "elva/2"].map(template);
    let templates: Vec<_> = stored.iter().collect();
    let threshold = ModelPack::bundled().threshold(1e-3).unwrap();
    assert_eq!(agreement(&templates, threshold).unwrap().outliers, [1]);
}

/// Every measure is finite and in its stated range.
fn check(quality: &Quality) {
    for measure in Measure::ALL {
        let value = quality.get(measure);
        let range = match measure {
            Measure::Score => 0.0..=100.0,
            Measure::FaceSize | Measure::InterEyeDistance => 0.0..=1e7,
            Measure::LuminanceVariance => 0.0..=0.2501,
            Measure::DynamicRange => 0.0..=8.0,
            Measure::Yaw | Measure::Roll => -180.0..=180.0,
            Measure::Pitch => -90.0..=90.0,
            _ => 0.0..=1.0,
        };
        assert!(range.contains(&value), "{measure} is {value}: {quality:?}");
        let component = quality.component(measure);
        assert!(component.is_none_or(|it| (0.0..=100.0).contains(&it)), "{measure}: {component:?}");
    }
    for issue in Policy::enrollment().judge(quality) {
        assert!(!issue.to_string().is_empty());
    }
}

fn any_coordinate() -> impl Strategy<Value = f32> {
    prop_oneof![
        4 => -50.0f32..250.0,
        1 => -2e6f32..2e6,
        1 => prop_oneof![Just(f32::NAN), Just(f32::INFINITY), Just(0.0), Just(1e-30)],
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn any_face_in_any_picture_has_measures_in_range_or_an_error(
        size in (1u32..60, 1u32..60), seed in any::<u64>(), flat in any::<bool>(),
        points in prop::array::uniform5((any_coordinate(), any_coordinate())),
        corner in (any_coordinate(), any_coordinate()),
        sides in (any_coordinate(), any_coordinate()),
        detector_score in any_coordinate(), next_area in any_coordinate(),
    ) {
        let mut state = seed;
        let pixels = (0..size.0 * size.1 * 3).map(|_| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            if flat { seed as u8 } else { (state >> 56) as u8 }
        });
        let image = RgbImage::from_raw(size.0, size.1, pixels.collect()).unwrap();
        let found = Found {
            bounds: Rect { x: corner.0, y: corner.1, width: sides.0, height: sides.1 },
            landmarks: Landmarks::from_points(points.map(|(x, y)| Point::new(x, y))),
            detector_score,
            next_area,
        };
        if let Ok(quality) = Quality::measure(&image.view().raster(), &found) {
            check(&quality);
        }
    }
}

/// Also keeps an eye on the measures themselves: these are faces of all kinds.
#[test]
fn golden_faces_are_measured() {
    let Some(golden) = common::golden() else { return };
    let engine = engine(Policy::any());
    let (mut count, mut good) = (0, 0);
    for case in golden["cases"].as_array().unwrap() {
        let image = common::read_picture(case["image"].as_str().unwrap());
        for face in engine.analyze(&image.view()).unwrap() {
            check(&face.quality);
            count += 1;
            good += usize::from(Policy::surveillance().judge(&face.quality).is_empty());
        }
    }
    assert!(count > 100 && good > 20 && good < count, "{good} of {count}");
}
