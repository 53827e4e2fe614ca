//! A gallery to try the command on, and the generated people of `examples/images`.

#![allow(dead_code, reason = "each test file is its own program and uses what it needs")]

use std::fs;
use std::path::Path;

use serde_json::Value;
use tempfile::TempDir;

use super::{Run, faceprint};

/// A folder with a gallery `g`, opened with the key in the file `key`.
pub(crate) struct Home(TempDir);

impl Home {
    /// No gallery yet.
    pub(crate) fn empty() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub(crate) fn new() -> Self {
        let home = Self::empty();
        home.key("key", 1);
        assert_eq!(home.gallery("create", &[]).code, Some(0));
        home
    }

    /// With elva and gisa, two pictures each.
    pub(crate) fn with_people() -> Self {
        let home = Self::new();
        let run = home.people("enroll", &["--from", &home.folder(&["elva", "gisa"])]);
        assert_eq!(run.code, Some(0), "{}", run.stderr);
        home
    }

    pub(crate) fn path(&self, name: &str) -> String {
        self.0.path().join(name).display().to_string()
    }

    pub(crate) fn write(&self, name: &str, bytes: &[u8]) -> String {
        let path = self.0.path().join(name);
        fs::write(&path, bytes).unwrap();
        #[cfg(unix)]
        fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
        path.display().to_string()
    }

    pub(crate) fn key(&self, name: &str, byte: u8) -> String {
        self.write(name, format!("{byte:02x}").repeat(32).as_bytes())
    }

    /// A folder of these people of `examples/images`.
    pub(crate) fn folder(&self, names: &[&str]) -> String {
        for name in names {
            fs::create_dir_all(self.0.path().join("people").join(name)).unwrap();
            for picture in ["1.jpg", "2.jpg"] {
                let to = self.0.path().join("people").join(name).join(picture);
                fs::copy(image(&format!("people/{name}/{picture}")), to).unwrap();
            }
        }
        self.path("people")
    }

    /// `faceprint gallery COMMAND g --key-file key ARGS`
    pub(crate) fn gallery(&self, command: &str, args: &[&str]) -> Run {
        let (file, key) = (self.path("g"), self.path("key"));
        faceprint([&["gallery", command, &file, "--key-file", &key], args].concat())
    }

    /// `faceprint COMMAND --gallery g --key-file key ARGS`
    pub(crate) fn people(&self, command: &str, args: &[&str]) -> Run {
        let (file, key) = (self.path("g"), self.path("key"));
        faceprint([&[command, "--gallery", &file, "--key-file", &key], args].concat())
    }

    /// Who is enrolled in the default tenant.
    pub(crate) fn names(&self) -> Vec<String> {
        let list = self.people("list", &["--json"]);
        assert_eq!(list.code, Some(0), "{}", list.stderr);
        let subjects = list.json()[0]["subjects"].clone();
        subjects.as_array().unwrap().iter().map(|it| text(&it["subject"])).collect()
    }
}

pub(crate) fn image(name: &str) -> String {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../images").join(name).display().to_string()
}

pub(crate) fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

/// Exit code 2, one line on standard error, and the kind and message as JSON.
pub(crate) fn refused(run: &Run, code: u16, way_out: &str) {
    assert_eq!(run.code, Some(2), "{}{}", run.stdout, run.stderr);
    assert!(run.stderr.contains("error: ") && run.stderr.contains(way_out), "{}", run.stderr);
    if let Some(document) = run.stdout.lines().next() {
        let document: Value = serde_json::from_str(document).unwrap();
        assert_eq!(document["error"]["code"], code, "{document}");
    }
}
