//! The whole way with the bundled models: the generated people of examples/images move over a background.
#![cfg(all(feature = "gallery", feature = "bundled", feature = "codecs", feature = "rten"))]
#![allow(clippy::unwrap_used, clippy::cast_possible_truncation, reason = "part of the tests only")]

use std::path::Path;
use std::time::{Duration, UNIX_EPOCH};

use faceprint::image::{DecodeLimits, RgbImage, decode};
use faceprint::stream::Who;
use faceprint::{Access, Engine, Gallery, ImageView, ModelPack, PixelFormat, Stream, TenantId};

const WIDTH: usize = 640;
const HEIGHT: usize = 480;

fn read(name: &str) -> RgbImage {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/images").join(name);
    decode(&std::fs::read(path).unwrap(), &DecodeLimits::default()).unwrap()
}

/// Every other pixel of `portrait` at (`left`, `top`): 192 x 192 pixels.
fn paste(frame: &mut [u8], portrait: &RgbImage, left: usize, top: usize) {
    let (width, height) = (portrait.width() as usize, portrait.height() as usize);
    for (y, source) in (0..height).step_by(2).enumerate() {
        for (x, column) in (0..width).step_by(2).enumerate() {
            let (from, to) = (3 * (source * width + column), 3 * ((top + y) * WIDTH + left + x));
            if left + x < WIDTH && top + y < HEIGHT {
                frame[to..to + 3].copy_from_slice(&portrait.as_bytes()[from..from + 3]);
            }
        }
    }
}

#[test]
fn people_who_walk_by_are_said_once() {
    let pack = ModelPack::bundled();
    let engine = Engine::builder(&pack).build().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let access = Access::key([1; 32]);
    let gallery = Gallery::create(folder.path().join("g"), &access, pack.space().unwrap()).unwrap();
    let acme = gallery.tenant(&"acme".parse::<TenantId>().unwrap()).unwrap();
    for name in ["benno", "elva", "gisa"] {
        let faces = engine.analyze(&read(&format!("people/{name}/1.jpg")).view()).unwrap();
        acme.enroll(&name.parse().unwrap(), &faces[0].template).unwrap();
    }
    let mut door = Stream::builder(&engine, &acme)
        .cooldown(Duration::from_secs(30))
        .look_interval(Duration::from_secs(60))
        .build()
        .unwrap();
    let (elva, stranger) = (read("probes/elva-3.jpg"), read("probes/unknown-1-1.jpg"));
    let start = UNIX_EPOCH + Duration::from_secs(1_700_000_000);
    let mut said = Vec::new();
    // Elva walks to the right and the stranger to the left, one above the other; Elva is hidden for a moment.
    for step in 0..24_usize {
        let mut frame: Vec<u8> =
            (0..WIDTH * HEIGHT * 3).map(|at| (90 + (at / 3 % WIDTH) / 8) as u8).collect();
        if !(14..16).contains(&step) {
            paste(&mut frame, &elva, 10 + 10 * step, 20);
        }
        paste(&mut frame, &stranger, 420 - 10 * step, 250);
        let view = ImageView::new(&frame, WIDTH as u32, HEIGHT as u32, PixelFormat::Rgb8).unwrap();
        let at = start + Duration::from_millis(100 * step as u64);
        said.extend(door.push(&view, at).unwrap());
    }
    let who: Vec<_> = said.iter().map(|event| &event.who).collect();
    assert_eq!(who.len(), 2, "{said:?}");
    assert!(matches!(who[0], Who::Subject { id, .. } if id.as_str() == "elva"), "{said:?}");
    assert!(matches!(who[1], Who::Visitor(_)), "{said:?}");
    let stats = door.stats();
    println!("{stats}");
    assert!(stats.embeddings <= 14 && stats.saved >= 25, "{stats}");
}
