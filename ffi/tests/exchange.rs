//! One gallery file, made in Rust, searched and extended in C, and read again in Rust.

#![allow(clippy::unwrap_used, reason = "part of the tests only")]

mod common;

use common::{Language, build, here, run};
use faceprint::vector::Embedding;
use faceprint::{Access, Gallery, Query, SpaceId, Template};

#[test]
fn a_gallery_goes_from_rust_to_c_and_back() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("both.faceprint");
    let (access, space) = (Access::key([1; 32]), SpaceId::from_bytes([1; 32]));
    let gallery = Gallery::create(&path, &access, space).unwrap();
    let acme = gallery.tenant(&"acme".parse().unwrap()).unwrap();
    acme.enroll(&"Zoë of Rust".parse().unwrap(), &vector(1)).unwrap();

    // Open here meanwhile: two processes, one file.
    let program = build(Language::C, &here().join("tests/c/exchange.c"), "exchange");
    run(&program, &[("GALLERY", path.to_str().unwrap())]);

    let hits = acme.identify(&vector(9), &Query::top(2).at_least(0.9)).unwrap();
    assert_eq!(hits.len(), 1);
    assert_eq!(hits[0].subject.as_str(), "Cem of C");
    assert_eq!(acme.subjects().unwrap().len(), 2);
    gallery.check().unwrap();
}

/// As in `core/testdata/conformance/README.md`.
fn vector(seed: u64) -> Template {
    let mut state = seed;
    let values: Vec<f32> = (0..128)
        .map(|_| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            #[expect(clippy::cast_precision_loss, reason = "24 bits")]
            let value = (state >> 40) as f32 / 8_388_608.0 - 1.0;
            value
        })
        .collect();
    Template::new(Embedding::normalize(values).unwrap(), SpaceId::from_bytes([1; 32]))
}
