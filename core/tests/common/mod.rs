//! What several test files share.
#![allow(dead_code, unreachable_pub, clippy::unwrap_used, clippy::print_stderr)]

use std::path::PathBuf;

/// The folder of test data beside the project: `FACEPRINT_SHARED`, or `../shared` beside the
/// repository. `None`, after saying so, when it is not there; the test then has nothing to test.
pub fn shared() -> Option<PathBuf> {
    let folder = std::env::var_os("FACEPRINT_SHARED").map_or_else(
        || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared"),
        PathBuf::from,
    );
    if folder.join("golden/golden.json").is_file() {
        return Some(folder);
    }
    skipped(&format!("SKIPPED: no test data in {}; set FACEPRINT_SHARED", folder.display()));
    None
}

/// The golden references, see MODELS.md.
pub fn golden() -> Option<serde_json::Value> {
    let text = std::fs::read_to_string(shared()?.join("golden/golden.json")).unwrap();
    Some(serde_json::from_str(&text).unwrap())
}

/// A pack of the test catalogue, whose models lie in the shared folder.
pub fn golden_pack(name: &str) -> faceprint::ModelPack {
    let catalog = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("testdata/catalog.toml");
    let locations = faceprint::pack::Locations::new([shared().unwrap().join("models")]);
    faceprint::Catalog::open(catalog).unwrap().with_locations(locations).find(name).unwrap()
}

/// A golden picture.
pub fn read_picture(name: &str) -> faceprint::image::RgbImage {
    let bytes = std::fs::read(shared().unwrap().join("golden/images").join(name)).unwrap();
    faceprint::image::decode(&bytes, &faceprint::image::DecodeLimits::default()).unwrap()
}

/// The runtimes of this machine: the pure-Rust one, and ONNX Runtime when `ORT_DYLIB_PATH` names it.
pub fn runtimes() -> Vec<faceprint::BackendChoice> {
    let mut all = vec![faceprint::BackendChoice::Rten];
    if std::env::var_os("ORT_DYLIB_PATH").is_some() {
        all.push(faceprint::BackendChoice::OnnxRuntime);
    } else {
        skipped("SKIPPED: ONNX Runtime; set ORT_DYLIB_PATH to its library");
    }
    all
}

/// A golden crop, 112x112.
pub fn read_crop(name: &str) -> faceprint::image::RgbImage {
    let bytes = std::fs::read(shared().unwrap().join("golden/crops").join(name)).unwrap();
    faceprint::image::decode(&bytes, &faceprint::image::DecodeLimits::default()).unwrap()
}

/// Past the capture of the test harness: a test that had nothing to test should be seen.
fn skipped(message: &str) {
    use std::io::Write;
    let _ = writeln!(std::io::stderr(), "{message}");
}
