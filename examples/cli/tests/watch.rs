//! `faceprint watch` on frames of the generated people.

#![allow(
    clippy::unwrap_used,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "part of the tests only"
)]

mod common;

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use common::{faceprint, faceprint_with};
use image::RgbImage;

fn picture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../images").join(name)
}

/// A grey room of 640 x 480 pixels with somebody in it, further to the right in each frame.
fn room(person: Option<&RgbImage>, step: u32) -> RgbImage {
    let mut room = RgbImage::from_pixel(640, 480, image::Rgb([120, 124, 128]));
    if let Some(person) = person {
        image::imageops::overlay(&mut room, person, i64::from(40 + 6 * step), 60);
    }
    room
}

fn portrait(name: &str) -> RgbImage {
    let portrait = image::open(picture(name)).unwrap().into_rgb8();
    image::imageops::resize(&portrait, 300, 300, image::imageops::FilterType::Triangle)
}

/// Elva for 1.2 s, nobody for half a second, a stranger for 1.5 s.
fn film() -> Vec<RgbImage> {
    let (elva, stranger) = (portrait("probes/elva-3.jpg"), portrait("probes/unknown-1-1.jpg"));
    let mut film: Vec<_> = (0..12).map(|step| room(Some(&elva), step)).collect();
    film.extend((0..5).map(|step| room(None, step)));
    film.extend((0..15).map(|step| room(Some(&stranger), step)));
    film
}

fn text(path: &Path) -> String {
    path.display().to_string()
}

#[test]
fn a_folder_of_frames_gives_one_event_for_each_visit() {
    let folder = tempfile::tempdir().unwrap();
    let (frames, drawn, outbox) =
        (folder.path().join("frames"), folder.path().join("drawn"), folder.path().join("outbox"));
    fs::create_dir(&frames).unwrap();
    for (number, frame) in film().iter().enumerate() {
        frame.save(frames.join(format!("{number:03}.png"))).unwrap();
    }
    let known = picture("people");
    let command = |more: &[&str]| {
        let (frames, known, outbox) = (text(&frames), text(&known), text(&outbox));
        let mut args = vec!["watch", &frames, "--known", &known, "--outbox", &outbox];
        args.extend(more);
        faceprint_with(args, &[("FACEPRINT_PASSPHRASE", "a door")])
    };
    let run = command(&["--draw", &text(&drawn)]);
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    let events = run.json();
    assert_eq!(events.len(), 2, "{}", run.stdout);
    assert_eq!(events[0]["subject"], "elva");
    assert_eq!(events[0]["frame"], 3);
    assert!(events[0]["similarity"].as_f64().unwrap() > 0.4 && events[0]["visitor"].is_null());
    assert!(events[1]["subject"].is_null() && events[1]["visitor"].as_str().unwrap().len() == 16);
    assert_ne!(events[0]["event"], events[1]["event"]);
    assert!(
        run.stderr.contains("32 frames (0 skipped)") && run.stderr.contains("2 events"),
        "{}",
        run.stderr
    );
    assert_eq!(fs::read_dir(&drawn).unwrap().count(), 32);
    // Elva was there just now, whoever restarts the command; strangers are new.
    let again = command(&[]);
    assert_eq!(again.json().len(), 1, "{}{}", again.stdout, again.stderr);
    assert!(again.json()[0]["subject"].is_null());
    assert_ne!(again.json()[0]["visitor"], events[1]["visitor"]);
    // Unless the cooldown is over.
    assert_eq!(command(&["--cooldown", "0s"]).json().len(), 2);
    let wrong = faceprint_with(
        ["watch", &text(&frames), "--known", &text(&known), "--outbox", &text(&outbox)],
        &[("FACEPRINT_PASSPHRASE", "another")],
    );
    assert_eq!(wrong.code, Some(2));
    assert!(!outbox_shows(&outbox, b"elva"));
}

fn outbox_shows(path: &Path, name: &[u8]) -> bool {
    fs::read(path).unwrap().windows(name.len()).any(|part| part == name)
}

#[test]
fn raw_frames_come_from_a_pipe_in_three_layouts() {
    for format in ["rgb24", "bgr24", "nv12"] {
        let mut child = Command::new(env!("CARGO_BIN_EXE_faceprint"))
            .args(["watch", "--raw", "640x480", "--fps", "10", "--pixel-format", format])
            .args(["--known", &text(&picture("people"))])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut pipe = child.stdin.take().unwrap();
        for frame in &film()[..6] {
            pipe.write_all(&raw(frame, format)).unwrap();
        }
        drop(pipe);
        let output = child.wait_with_output().unwrap();
        let lines = String::from_utf8(output.stdout).unwrap();
        let events: Vec<serde_json::Value> =
            lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(events.len(), 1, "{format}: {lines}");
        assert_eq!(events[0]["subject"], "elva", "{format}");
    }
}

/// The pixels as ffmpeg would write them; luma and chroma in BT.601 for video (ITU-R BT.601-7, 2.5.1).
fn raw(frame: &RgbImage, format: &str) -> Vec<u8> {
    let rgb = |x: u32, y: u32| frame.get_pixel(x, y).0.map(f32::from);
    match format {
        "rgb24" => frame.as_raw().clone(),
        "bgr24" => frame.pixels().flat_map(|it| [it.0[2], it.0[1], it.0[0]]).collect(),
        _ => {
            let mut bytes = Vec::new();
            for (x, y) in (0..480).flat_map(|y| (0..640).map(move |x| (x, y))) {
                let [r, g, b] = rgb(x, y);
                bytes.push((16.0 + 0.257 * r + 0.504 * g + 0.098 * b) as u8);
            }
            for (x, y) in (0..240).flat_map(|y| (0..320).map(move |x| (2 * x, 2 * y))) {
                let [r, g, b] = rgb(x, y);
                bytes.push((128.0 - 0.148 * r - 0.291 * g + 0.439 * b) as u8);
                bytes.push((128.0 + 0.439 * r - 0.368 * g - 0.071 * b) as u8);
            }
            bytes
        }
    }
}

#[test]
fn what_makes_no_sense_is_said() {
    let known = text(&picture("people"));
    for (args, message) in [
        (vec!["watch", "--known", &known], "FRAMES"),
        (vec!["watch", "--raw", "640", "--known", &known], "such as 640x480"),
        (vec!["watch", &known], "--known"),
        (vec!["watch", &known, "--known", &known], "no picture in the folder"),
        (vec!["watch", "--raw", "4x4", "--fps", "0", "--known", &known], "frames per second"),
    ] {
        let run = faceprint(&args);
        assert_eq!(run.code, Some(2), "{args:?}");
        assert!(run.stderr.contains(message), "{args:?}: {}", run.stderr);
    }
}

#[test]
fn a_photograph_is_suspected_where_that_is_asked() {
    let known = text(&picture("people"));
    let folder = tempfile::tempdir().unwrap();
    let frames = text(folder.path());
    room(None, 0).save(folder.path().join("0.png")).unwrap();
    let refused = faceprint(["watch", &frames, "--known", &known, "--liveness"]);
    assert_eq!(refused.code, Some(2), "{}", refused.stderr);
    assert!(refused.stderr.contains("no liveness models"), "{}", refused.stderr);
    let Some(shared) = common::shared() else { return };
    // One of Silent-Face's own attacks.
    let attack = fs::read(shared.join("golden/images/bulk_rgb_fake.png")).unwrap();
    for number in 0..6 {
        fs::write(folder.path().join(format!("{number}.png")), &attack).unwrap();
    }
    let catalog = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../core/testdata/catalog.toml");
    let (catalog, models) = (text(&catalog), text(&shared.join("models")));
    let watch = |liveness: &[&str]| {
        let mut args = vec!["watch", &frames, "--known", &known, "--catalog", &catalog];
        args.extend(["--models", &models, "--pack", "scrfd-mbf-live"]);
        args.extend(["--accept-license", "InsightFace-non-commercial"]);
        args.extend(liveness);
        let run = faceprint(args);
        assert_ne!(run.code, Some(2), "{}", run.stderr);
        run.json()
    };
    let events = watch(&["--liveness=3"]);
    assert_eq!(events.len(), 1, "{events:?}");
    assert!(events[0]["visitor"].is_null() && events[0]["subject"].is_null());
    assert_eq!(events[0]["suspected"].as_str().unwrap().len(), 16);
    assert!(events[0]["liveness"].as_f64().unwrap() < 0.5, "{events:?}");
    assert!(watch(&[]).iter().all(|event| event.get("suspected").is_none()));
}
