//! People go from an office's gallery to a device's: bundles, their refusals, and changes.

#![allow(clippy::unwrap_used, reason = "part of the tests only")]

mod common;

use std::fs;

use common::home::{Home, image, refused, text};
use serde_json::{Value, json};

/// An office with elva and gisa, and a device with nobody.
struct Pair {
    office: Home,
    device: Home,
    device_key: String,
    signer: String,
}

impl Pair {
    fn new() -> Self {
        let (office, device) = (Home::with_people(), Home::new());
        let device_key = device.gallery("device-key", &[]).stdout.trim().to_owned();
        let signer = office.gallery("signer", &["--json"]).json()[0]["signer"].clone();
        assert!(device_key.starts_with("device-"), "{device_key}");
        Self { office, device, device_key, signer: text(&signer) }
    }

    /// Exports to the file `name` of the office.
    fn export(&self, name: &str, args: &[&str]) -> (Option<i32>, Value) {
        let out = self.office.path(name);
        let fixed = [&out, "--device", &self.device_key, "--valid-until", "12h", "--json"];
        let run = self.office.gallery("export", &[&fixed, args].concat());
        assert!(run.code != Some(2), "{}", run.stderr);
        (run.code, run.json()[0].clone())
    }

    fn import(&self, name: &str) -> (Option<i32>, Value) {
        let bundle = self.office.path(name);
        let run = self.device.gallery("import", &[&bundle, "--signer", &self.signer, "--json"]);
        assert!(run.code != Some(2), "{}", run.stderr);
        (run.code, run.json()[0].clone())
    }
}

#[test]
fn people_reach_the_device_and_leave_it_again() {
    let pair = Pair::new();
    let (code, report) = pair.export("all", &[]);
    assert_eq!((code, &report["subjects"], &report["missing"]), (Some(0), &json!(2), &json!([])));
    let bytes = fs::read(pair.office.path("all")).unwrap();
    assert_eq!(report["bytes"], bytes.len());
    assert!(!bytes.windows(4).any(|window| window == b"elva"));

    let (code, done) = pair.import("all");
    assert_eq!((code, &done["added"], &done["conflicts"]), (Some(0), &json!(2), &json!([])));
    assert_eq!(pair.import("all").1["unchanged"], 2);
    assert_eq!(pair.device.names(), ["elva", "gisa"]);
    let probe = image("probes/elva-3.jpg");
    assert_eq!(pair.device.people("identify", &[&probe]).code, Some(0));
    let list = pair.device.people("list", &["--json"]).json()[0].clone();
    assert_eq!(list["subjects"][0]["expires_at"], report["valid_until"]);

    // A delta carries the erasure; the older bundle does not bring the person back.
    assert_eq!(pair.office.people("erase", &["elva", "--yes"]).code, Some(0));
    let (_, delta) = pair.export("delta", &["--since", report["cursor"].as_str().unwrap()]);
    assert_eq!((&delta["subjects"], &delta["erased"]), (&json!(0), &json!(1)));
    assert_eq!(pair.import("delta").1["erased"], 1);
    assert_eq!(pair.import("all").1["added"], 0);
    assert_eq!(pair.device.names(), ["gisa"]);
    assert_eq!(pair.device.people("identify", &[&probe]).code, Some(1));
}

#[test]
fn a_roster_says_who_goes_along() {
    let pair = Pair::new();
    let class = pair.office.write("class", b"gisa\r\nnobody\n\n");
    let (code, report) = pair.export("class.bundle", &["--subjects", &class]);
    assert_eq!(code, Some(1));
    assert_eq!((&report["subjects"], &report["missing"]), (&json!(1), &json!(["nobody"])));
    assert_eq!(pair.import("class.bundle").1["added"], 1);
    assert_eq!(pair.device.names(), ["gisa"]);

    let elva = image("people/elva/1.jpg");
    assert_eq!(pair.device.people("enroll", &["elva", &elva]).code, Some(0));
    assert_eq!(pair.export("elva.bundle", &["--subject", "elva"]).0, Some(0));
    let (code, done) = pair.import("elva.bundle");
    assert_eq!((code, &done["conflicts"]), (Some(1), &json!(["elva"])));

    let broken = pair.office.write("broken", b"gisa\na\tb\n");
    let out = pair.office.path("none");
    let args = [&out, "--device", &pair.device_key, "--valid-until", "1h", "--json"];
    let run = pair.office.gallery("export", &[&args[..], &["--subjects", &broken]].concat());
    refused(&run, 100, "line 2");
    assert!(!fs::exists(&out).unwrap());
}

#[test]
fn what_is_no_bundle_for_this_device_changes_nothing() {
    let pair = Pair::new();
    pair.export("all", &[]);
    let all = pair.office.path("all");
    let import = |home: &Home, file: &str, signer: &str| {
        home.gallery("import", &[file, "--signer", signer, "--json"])
    };
    let stranger = Home::new();
    let other = stranger.gallery("signer", &[]).stdout.trim().to_owned();
    refused(&import(&pair.device, &all, &other), 313, "ask it for its");
    refused(&import(&stranger, &all, &pair.signer), 314, "another device");
    let mut changed = fs::read(&all).unwrap();
    let middle = changed.len() / 2;
    changed[middle] ^= 1;
    let changed = pair.office.write("changed", &changed);
    refused(&import(&pair.device, &changed, &pair.signer), 312, "ask for it again");
    refused(&import(&pair.device, &pair.office.path("none"), &pair.signer), 401, "none");
    let short = [&all, "--device", &pair.device_key, "--valid-until", "3s"];
    assert_eq!(pair.office.gallery("export", &short).code, Some(0));
    std::thread::sleep(std::time::Duration::from_millis(3100));
    refused(&import(&pair.device, &all, &pair.signer), 315, "ask the office for another");
    let run = import(&pair.device, &all, "device-00");
    assert!(run.code == Some(2) && run.stderr.contains("signer-"), "{}", run.stderr);
    assert!(pair.device.names().is_empty());
}

#[test]
fn changes_are_told_from_a_cursor_on() {
    let home = Home::with_people();
    let first = home.gallery("changes", &["--json"]).json()[0].clone();
    let names: Vec<_> =
        first["changes"].as_array().unwrap().iter().map(|it| text(&it["subject"])).collect();
    assert_eq!(names, ["elva", "gisa"]);
    assert_eq!(first["changes"][0]["change"], "updated");
    let cursor = text(&first["cursor"]);
    assert_eq!(home.people("erase", &["gisa", "--yes"]).code, Some(0));
    let next = home.gallery("changes", &["--since", &cursor, "--json"]).json()[0].clone();
    let gone = json!({ "change": "erased", "reference": first["changes"][1]["reference"] });
    assert_eq!(next["changes"], json!([gone]));
    let run = home.gallery("changes", &["--since", next["cursor"].as_str().unwrap()]);
    assert_eq!(run.code, Some(0));
    assert_eq!(run.stdout, format!("cursor   {}\n", text(&next["cursor"])));

    let other = Home::with_people();
    let run = other.gallery("changes", &["--since", &cursor, "--json"]);
    refused(&run, 311, "without --since");
    refused(&home.gallery("changes", &["--tenant", "acme", "--json"]), 307, "there are: default");
}
