//! The steps on pixels alone: no models, no files.

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use faceprint::align::{AlignmentTemplate, align};
use faceprint::image::{ChannelOrder, Letterbox, PlanarSpec, pack_into, resize};
use faceprint::quality::{Found, Pose, Quality};
use faceprint::{ImageView, Landmarks, Orientation, PixelFormat, Point, Rect};
use faceprint_benches::data::generated;

const SPEC: PlanarSpec = PlanarSpec { order: ChannelOrder::Rgb, mean: [127.5; 3], std: [128.0; 3] };

/// Pictures resized, or as they are, into a detector's input.
fn packing(c: &mut Criterion) {
    let mut group = c.benchmark_group("pack");
    for (width, height) in [(250, 250), (800, 554), (1920, 1080)] {
        let picture = generated(width, height);
        let raster = picture.view().raster();
        let letterboxes = [
            ("640", Letterbox::fit((width, height), (640, 640))),
            ("as it is", Letterbox::pad((width, height), 32)),
        ];
        let mut out = Vec::new();
        for (name, letterbox) in letterboxes {
            group.bench_function(format!("{width}x{height} {name}"), |b| {
                b.iter(|| pack_into(black_box(&raster), &letterbox, &SPEC, &mut out));
            });
        }
        group.bench_function(format!("{width}x{height} resize only"), |b| {
            b.iter(|| resize(black_box(&raster), 640, 443));
        });
    }
    group.finish();
}

/// One face, from landmarks to crop.
fn alignment(c: &mut Criterion) {
    let picture = generated(800, 554);
    let raster = picture.view().raster();
    let points = [(310.0, 230.0), (372.0, 224.0), (345.0, 262.0), (318.0, 300.0), (370.0, 296.0)];
    let landmarks = Landmarks::from_points(points.map(|(x, y)| Point::new(x, y)));
    for (name, template) in
        [("112", AlignmentTemplate::ARCFACE_112), ("128", AlignmentTemplate::RETAIL_0095_128)]
    {
        c.bench_function(&format!("align {name}"), |b| {
            b.iter(|| align(black_box(&raster), &landmarks, &template));
        });
    }
}

/// What is measured of one face beside its crop: the whole less `align 112`.
fn quality(c: &mut Criterion) {
    let picture = generated(800, 554);
    let raster = picture.view().raster();
    let points = [(310.0, 230.0), (372.0, 224.0), (345.0, 262.0), (318.0, 300.0), (370.0, 296.0)];
    let found = Found {
        bounds: Rect { x: 280.0, y: 180.0, width: 120.0, height: 150.0 },
        landmarks: Landmarks::from_points(points.map(|(x, y)| Point::new(x, y))),
        detector_score: 0.9,
        next_area: 0.0,
    };
    c.bench_function("quality with align 112", |b| {
        b.iter(|| Quality::measure(black_box(&raster), &found));
    });
    c.bench_function("pose", |b| b.iter(|| Pose::estimate(black_box(&found.landmarks))));
}

/// Every format upright, and the turn that costs most.
fn formats(c: &mut Criterion) {
    let (width, height) = (1280, 720);
    let pixels = vec![127; 1280 * 720 * 4];
    let mut group = c.benchmark_group("raster 1280x720");
    for format in PixelFormat::ALL {
        let Ok(view) = ImageView::new(&pixels, width, height, format) else { continue };
        group.bench_function(format.name(), |b| b.iter(|| black_box(&view).raster()));
        let turned = view.with_orientation(Orientation::Rotate90);
        group.bench_function(format!("{format} rotated"), |b| {
            b.iter(|| black_box(&turned).raster());
        });
    }
    group.finish();
}

criterion_group!(benches, packing, alignment, quality, formats);
criterion_main!(benches);
