//! The same faces as OpenCV's `FaceDetectorYN` and InsightFace's SCRFD, on every golden picture and on
//! both runtimes.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "part of the tests only")]

mod common;

use common::{golden, golden_pack, read_picture, runtimes};
use faceprint::engine::EngineBuilder;
use faceprint::{Detection, DetectionSize, Engine, Rect};
use serde_json::Value;

/// OpenCV 5.0.0, YuNet 2023mar, score 0.6, NMS 0.3, at the picture's own size.
#[test]
fn yunet_finds_the_faces_of_opencv() {
    compare("yunet-mbf", "yunet_2023mar", |builder| {
        builder.score_threshold(0.6).nms_threshold(0.3).detection_size(DetectionSize::Native)
    });
}

/// InsightFace, det_500m at 640x640, score 0.5, NMS 0.4.
#[test]
fn scrfd_finds_the_faces_of_insightface() {
    compare("scrfd-mbf", "scrfd_det_500m", |builder| {
        builder.score_threshold(0.5).nms_threshold(0.4).detection_size(DetectionSize::Square(640))
    });
}

/// A size chosen from the picture is less work, and must not cost a face.
#[test]
fn the_automatic_size_finds_every_face_of_insightface() {
    let Some(golden) = golden() else { return };
    for backend in runtimes() {
        let engine = Engine::builder(&golden_pack("scrfd-mbf"))
            .backend(backend)
            .accept_license("InsightFace-non-commercial")
            .score_threshold(0.5)
            .nms_threshold(0.4)
            .build()
            .unwrap();
        let mut faces = 0;
        for case in golden["cases"].as_array().unwrap() {
            let name = case["image"].as_str().unwrap();
            let found = engine.detect(&read_picture(name).view()).unwrap();
            for expected in case["scrfd_det_500m"].as_array().unwrap() {
                let bounds = bounds(expected);
                let best = found.iter().map(|it| it.bounds.iou(&bounds)).fold(0.0, f32::max);
                assert!(best >= 0.5, "{name}: {bounds:?} is not found ({backend:?}), best {best}");
                faces += 1;
            }
        }
        assert_eq!(faces, 187);
    }
}

fn compare(pack: &str, reference: &str, options: impl Fn(EngineBuilder) -> EngineBuilder) {
    let Some(golden) = golden() else { return };
    for backend in runtimes() {
        let engine = options(Engine::builder(&golden_pack(pack)).backend(backend))
            .accept_license("InsightFace-non-commercial")
            .build()
            .unwrap();
        let (mut faces, mut worst) = (0, Worst::default());
        for case in golden["cases"].as_array().unwrap() {
            let name = case["image"].as_str().unwrap();
            let image = read_picture(name);
            let found = engine.detect(&image.view()).unwrap();
            let expected = case[reference].as_array().unwrap();
            assert_eq!(found.len(), expected.len(), "{name}: number of faces ({backend:?})");
            faces += found.len();
            for expected in expected {
                let bounds = bounds(expected);
                let nearest = found
                    .iter()
                    .max_by(|a, b| a.bounds.iou(&bounds).total_cmp(&b.bounds.iou(&bounds)))
                    .unwrap();
                worst.add(nearest, &bounds, expected);
            }
        }
        println!("{reference} on {backend:?}: {faces} faces in 26 pictures, worst {worst:?}");
        assert!(worst.iou >= 0.99 && worst.landmark <= 0.5 && worst.score <= 0.01, "{worst:?}");
    }
}

#[derive(Debug)]
struct Worst {
    iou: f32,
    landmark: f32,
    score: f32,
}

impl Default for Worst {
    fn default() -> Self {
        Self { iou: 1.0, landmark: 0.0, score: 0.0 }
    }
}

impl Worst {
    fn add(&mut self, found: &Detection, bounds: &Rect, expected: &Value) {
        self.iou = self.iou.min(found.bounds.iou(bounds));
        self.score = self.score.max((found.score - number(&expected["score"])).abs());
        for (point, expected) in
            found.landmarks.points().iter().zip(expected["landmarks"].as_array().unwrap())
        {
            let off =
                (point.x - number(&expected[0])).abs().max((point.y - number(&expected[1])).abs());
            self.landmark = self.landmark.max(off);
        }
    }
}

fn bounds(face: &Value) -> Rect {
    if let Some(xywh) = face["box"].as_array() {
        let [x, y, width, height] = [0, 1, 2, 3].map(|i| number(&xywh[i]));
        return Rect { x, y, width, height };
    }
    let [left, top, right, bottom] = [0, 1, 2, 3].map(|i| number(&face["box_xyxy"][i]));
    Rect::from_corners(left, top, right, bottom)
}

#[expect(clippy::cast_possible_truncation, reason = "the references are 32-bit numbers")]
fn number(value: &Value) -> f32 {
    value.as_f64().unwrap() as f32
}
