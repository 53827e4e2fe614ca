//! One engine, many threads: the same bits as one call after the other.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "part of the tests only")]

mod common;

use std::sync::Barrier;

use common::{golden_pack, read_picture, runtimes, shared};
use faceprint::{Engine, Face};

const PICTURES: [&str; 4] =
    ["insightface_t1.png", "Linzaer_13.png", "bulk_r0.png", "crop_no_face.png"];

#[test]
fn an_engine_is_shared_between_threads() {
    const fn shareable<T: Send + Sync + Clone>() {}
    shareable::<Engine>();
}

#[test]
fn overlapping_calls_give_the_bits_of_serial_calls() {
    if shared().is_none() {
        return;
    }
    let pictures = PICTURES.map(read_picture);
    for backend in runtimes() {
        for threads in [None, Some(1), Some(2)] {
            let mut builder = Engine::builder(&golden_pack("yunet-retail")).backend(backend);
            if let Some(threads) = threads {
                builder = builder.threads(threads);
            }
            let engine = builder.build().unwrap();
            let serial: Vec<_> =
                pictures.iter().map(|it| bits(&engine.analyze(&it.view()).unwrap())).collect();
            assert!(serial.iter().any(|faces| faces.len() > 1));
            let start = Barrier::new(6);
            std::thread::scope(|scope| {
                for worker in 0..6 {
                    let (engine, pictures, serial, start) =
                        (engine.clone(), &pictures, &serial, &start);
                    scope.spawn(move || {
                        start.wait();
                        for round in 0..3 {
                            let index = (worker + round) % pictures.len();
                            let faces = engine.analyze(&pictures[index].view()).unwrap();
                            assert_eq!(bits(&faces), serial[index], "{backend:?} {threads:?}");
                        }
                    });
                }
            });
            let batch = engine.batch(
                &pictures,
                |engine, picture| bits(&engine.analyze(&picture.view()).unwrap()),
                |done, total| assert!(done <= total),
            );
            assert_eq!(batch, serial, "batch on {backend:?} {threads:?}");
        }
    }
}

/// Everything about the faces, as bits.
fn bits(faces: &[Face]) -> Vec<Vec<u32>> {
    let of_face = |face: &Face| {
        let found = &face.detection;
        let points = found.landmarks.points().into_iter().flat_map(|point| [point.x, point.y]);
        let bounds = [found.bounds.x, found.bounds.y, found.bounds.width, found.bounds.height];
        let values = bounds.into_iter().chain(points).chain([found.score]);
        values
            .chain(face.template.embedding().as_slice().iter().copied())
            .map(f32::to_bits)
            .collect()
    };
    faces.iter().map(of_face).collect()
}
