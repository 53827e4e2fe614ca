//! What a call through the C ABI costs beside the same call in Rust, in turn, in one process on one thread: time on the
//! core, median of the rounds.

#![allow(clippy::print_stdout, reason = "the result")]
#![allow(clippy::cast_precision_loss, reason = "times")]

use std::error::Error;
use std::ptr::null_mut;
use std::time::Duration;

use cpu_time::ProcessTime;
use faceprint::image::{DecodeLimits, decode};
use faceprint::{Access, Engine, Gallery, ModelPack, Query, SubjectId, Template};
use faceprint_ffi::*;

const ROUNDS: usize = 41;
const PEOPLE: usize = 1_000;

fn main() -> Result<(), Box<dyn Error>> {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../examples/images/");
    let picture = decode(&std::fs::read(format!("{root}group.jpg"))?, &DecodeLimits::default())?;
    let pack = ModelPack::bundled();
    let engine = Engine::builder(&pack).threads(1).build()?;
    let faces = engine.analyze(&picture.view())?;
    let landmarks = faces[0].detection.landmarks;
    let probe = faces[0].template.clone();
    let folder = tempfile::tempdir()?;
    let access = Access::key([1; 32]);
    let gallery = Gallery::create(folder.path().join("g"), &access, pack.space()?)?;
    let tenant = gallery.tenant(&"acme".parse()?)?;
    let policy = faceprint::gallery::EnrollPolicy::default().duplicate_at(None);
    tenant.clone().with_policy(policy).enroll_all(&people(&probe)?, |_, _| {})?;
    println!("{}; {PEOPLE} people; median of {ROUNDS}", engine.backend());

    let mut c_pack = null_mut();
    let mut c_engine: *mut faceprint_engine = null_mut();
    let mut c_access = null_mut();
    let mut c_gallery = null_mut();
    let mut c_tenant: *mut faceprint_tenant = null_mut();
    let mut c_probe: *mut faceprint_template = null_mut();
    let path = std::ffi::CString::new(folder.path().join("g").display().to_string())?;
    let values = probe.embedding().as_slice();
    // SAFETY: places on this stack, objects that were just made, and values that outlive the calls.
    let (c_engine, c_tenant, c_probe, image) = unsafe {
        faceprint_pack_bundled(Out::new(&raw mut c_pack), Out::NULL);
        // FACEPRINT_ENGINE_OPTIONS_INIT up to `threads`, with 1.
        let options: [u64; 4] = [32, 0, 0, 1 | u64::from(u32::MAX) << 32];
        faceprint_engine_new(
            c_pack.as_ref(),
            Options::new(options.as_ptr().cast()),
            Out::new(&raw mut c_engine),
            Out::NULL,
        );
        faceprint_access_key(
            Items::new([1_u8; 32].as_ptr()),
            32,
            Out::new(&raw mut c_access),
            Out::NULL,
        );
        let path = Text::new(path.as_ptr());
        faceprint_gallery_open(path, c_access.as_ref(), Out::new(&raw mut c_gallery), Out::NULL);
        let id = Text::new(c"acme".as_ptr());
        faceprint_gallery_tenant(c_gallery.as_ref(), id, Out::new(&raw mut c_tenant), Out::NULL);
        let space = pack.space()?.into();
        faceprint_template_new(
            Items::new(values.as_ptr()),
            values.len(),
            Some(&space),
            Out::new(&raw mut c_probe),
            Out::NULL,
        );
        let bytes = picture.as_bytes();
        let image = faceprint_image {
            data: Items::new(bytes.as_ptr()),
            len: bytes.len(),
            stride: 0,
            width: picture.width(),
            height: picture.height(),
            format: 0,
            orientation: 1,
            planes: Items::NULL,
            plane_count: 0,
        };
        (c_engine.as_ref(), c_tenant.as_ref(), c_probe.as_ref(), image)
    };
    assert!(c_engine.is_some() && c_tenant.is_some() && c_probe.is_some());

    row(
        "detect",
        1,
        || drop(engine.detect(&picture.view())),
        || {
            let mut found = null_mut();
            // SAFETY: a place on this stack.
            let place = unsafe { Out::new(&raw mut found) };
            assert_eq!(
                faceprint_engine_detect(c_engine, Some(&image), place, Out::NULL),
                faceprint_status::Ok
            );
            // SAFETY: just made.
            faceprint_detections_free(Some(unsafe { Box::from_raw(found) }));
        },
    );
    let c_landmarks = landmarks.into();
    row(
        "embed",
        1,
        || drop(engine.template(&picture.view(), &landmarks)),
        || {
            let mut made = null_mut();
            // SAFETY: a place on this stack.
            let place = unsafe { Out::new(&raw mut made) };
            let status = faceprint_engine_template(
                c_engine,
                Some(&image),
                Some(&c_landmarks),
                place,
                Out::NULL,
            );
            assert_eq!(status, faceprint_status::Ok);
            // SAFETY: just made.
            faceprint_template_free(Some(unsafe { Box::from_raw(made) }));
        },
    );
    row(
        "identify",
        20,
        || drop(tenant.identify(&probe, &Query::top(1))),
        || {
            let mut hits = null_mut();
            // SAFETY: a place on this stack.
            let place = unsafe { Out::new(&raw mut hits) };
            let status =
                faceprint_tenant_identify(c_tenant, c_probe, Options::NULL, place, Out::NULL);
            assert_eq!(status, faceprint_status::Ok);
            // SAFETY: just made.
            faceprint_hits_free(Some(unsafe { Box::from_raw(hits) }));
        },
    );
    Ok(())
}

/// One line: the two in turn, so that whatever else the machine does weighs on both.
fn row(name: &str, calls: usize, mut rust: impl FnMut(), mut c: impl FnMut()) {
    let mut times = [Vec::new(), Vec::new()];
    for _ in 0..=ROUNDS {
        times[0].push(time(calls, &mut rust));
        times[1].push(time(calls, &mut c));
    }
    let [rust, c] = times.map(|mut times| {
        times.remove(0);
        times.sort_unstable();
        times[times.len() / 2].as_nanos() as f64 / 1_000.0 / calls as f64
    });
    println!("{name}: {rust:.1} us in Rust, {c:.1} us through C, {:+.1} us", c - rust);
}

fn time(calls: usize, work: &mut dyn FnMut()) -> Duration {
    let start = ProcessTime::now();
    (0..calls).for_each(|_| work());
    start.elapsed()
}

/// Templates that are like nobody's.
fn people(like: &Template) -> faceprint::Result<Vec<(SubjectId, Template)>> {
    let mut state = 7_u32;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) as f32 / 8_388_608.0 - 1.0
    };
    let dimension = like.embedding().dimension();
    (0..PEOPLE)
        .map(|number| {
            let values: Vec<f32> = (0..dimension).map(|_| next()).collect();
            let embedding = faceprint::vector::Embedding::normalize(values)?;
            Ok((format!("p{number}").parse()?, Template::new(embedding, like.space())))
        })
        .collect()
}
