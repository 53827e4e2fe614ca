//! `faceprint models` with a catalogue of one model and a server on this machine.

#![allow(clippy::unwrap_used, reason = "part of the tests only")]

mod common;
#[path = "../../../core/tests/common/server.rs"]
#[allow(dead_code, unreachable_pub, reason = "shared with the library's own tests")]
mod server;

use std::fs;
use std::path::{Path, PathBuf};

use common::{Run, faceprint};
use server::{Server, answer, answer_well};

/// SHA-256 of [`MODEL`].
const HASH: &str = "9372c470eeadd5ecd9c3c74c2b3cb633f8e2f2fad799250a0f70d652b6b825e4";
const MODEL: &[u8] = b"model";

struct Setup {
    folder: tempfile::TempDir,
}

impl Setup {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let manifest = format!(
            r#"
            format = 1
            [[model]]
            name = "m"
            role = "embedder"
            family = "arcface"
            file = "m.onnx"
            sha256 = "{HASH}"
            license = {{ name = "CC-BY-NC-4.0", class = "non-commercial" }}
            provenance = "made here"
            input = {{ size = [112, 112], channels = "rgb", mean = [0, 0, 0], std = [1, 1, 1] }}
            dimension = 4
            alignment = "arcface-112"
            [[pack]]
            name = "p"
            embedder = "m"
            "#
        );
        fs::write(folder.path().join("catalog.toml"), manifest).unwrap();
        Self { folder }
    }

    fn models(&self) -> PathBuf {
        self.folder.path().join("models")
    }

    fn run(&self, args: &[&str]) -> Run {
        let catalog = self.folder.path().join("catalog.toml");
        let models = self.models();
        let mut all = vec!["--catalog", text(&catalog), "--models", text(&models), "models"];
        all.extend(args);
        faceprint(all)
    }
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[test]
fn a_pack_is_listed_pulled_verified_and_found() {
    let setup = Setup::new();
    let models = setup.models();
    let listed = setup.run(&["list"]);
    assert_eq!(listed.code, Some(0), "{}", listed.stderr);
    let row: Vec<_> = listed.stdout.lines().nth(3).unwrap().split_whitespace().collect();
    assert_eq!(row, ["p", "m", "embedder", "CC-BY-NC-4.0", "(non-commercial)", "?", "no"]);
    assert_eq!(setup.run(&["verify"]).code, Some(0));
    assert_eq!(setup.run(&["verify", "m"]).code, Some(1));

    let server = Server::start(|request, stream| answer_well(request, stream, MODEL));
    let into = text(&models);
    let pulled = setup.run(&["pull", "p", "--into", into, "--mirror", &server.url(), "--json"]);
    assert_eq!(pulled.code, Some(0), "{}", pulled.stderr);
    let pulled = &pulled.json()[0]["pulled"][0];
    assert_eq!((pulled["model"].as_str(), pulled["downloaded"].as_u64()), (Some("m"), Some(5)));
    assert_eq!(pulled["license"]["class"], "non-commercial");
    assert_eq!(fs::read(models.join("m.onnx")).unwrap(), MODEL);
    let again = setup.run(&["pull", "--all"]);
    assert!(again.stdout.contains("m already here"), "{}{}", again.stdout, again.stderr);
    assert!(again.stderr.contains("m: licence CC-BY-NC-4.0 (non-commercial)"), "{}", again.stderr);

    assert!(setup.run(&["list"]).stdout.trim_end().ends_with("yes"));
    let place = setup.run(&["where", "--json"]).json()[0]["files"][0]["path"].clone();
    assert_eq!(place, text(&models.join("m.onnx")));
    assert_eq!(setup.run(&["verify", "p"]).code, Some(0));
    fs::write(models.join("m.onnx"), "nodel").unwrap();
    let verified = setup.run(&["verify", "--json"]);
    assert_eq!(verified.code, Some(1));
    assert_eq!(verified.json()[0]["files"][0]["state"], "wrong");
}

#[test]
fn what_fails_exits_with_2_and_says_why() {
    let setup = Setup::new();
    let into = setup.models();
    let server = Server::start(|_, stream| answer(stream, "200 OK", "", b"nodel"));
    let run = setup.run(&["pull", "m", "--into", text(&into), "--mirror", &server.url()]);
    assert_eq!(run.code, Some(2));
    assert!(run.stderr.contains("error: m: ") && run.stderr.contains("sha256"), "{}", run.stderr);
    assert!(!into.join("m.onnx").exists());
    let run = setup.run(&["pull", "n"]);
    assert_eq!(run.code, Some(2));
    assert!(run.stderr.contains("no pack or model is called \"n\""), "{}", run.stderr);
    assert_eq!(setup.run(&["pull"]).code, Some(2));
}
