//! Packs whose manifest does not tell the truth about their files: a typed error each, never a number.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "part of the tests only")]

mod common;

use std::fs;
use std::path::Path;

use common::{read_picture, shared};
use faceprint::pack::Locations;
use faceprint::{BackendChoice, Catalog, Engine, ErrorKind, Result};

/// What is changed in the test catalogue, and what comes of it.
const LIES: [(&str, &str, &str, &str, ErrorKind); 7] = [
    // The first occurrence after the model's name is replaced.
    ("family", "yunet-2023mar", "\"yunet\"", "\"scrfd\"", ErrorKind::ModelMismatch),
    ("family", "yunet-2023mar", "\"yunet\"", "\"retinaface\"", ErrorKind::ModelMismatch),
    ("dimension", "retail-0095", "dimension = 256", "dimension = 512", ErrorKind::ModelMismatch),
    (
        "crop size",
        "retail-0095",
        "\"retail-0095-128\"",
        "\"arcface-112\"",
        ErrorKind::InvalidManifest,
    ),
    ("hash", "retail-0095", "sha256 = \"6", "sha256 = \"7", ErrorKind::ModelCorrupt),
    ("size", "yunet-2023mar", "size = 232589", "size = 232590", ErrorKind::ModelCorrupt),
    (
        "file",
        "yunet-2023mar",
        "face_detection_yunet_2023mar.onnx",
        "missing.onnx",
        ErrorKind::ModelNotFound,
    ),
];

#[test]
fn each_lie_is_a_typed_error() {
    let Some(shared) = shared() else { return };
    let truth = include_str!("../testdata/catalog.toml");
    assert!(analyze(truth, &shared).unwrap() > 0);
    for (what, model, from, to, kind) in LIES {
        let start = truth.find(&format!("name = \"{model}\"")).unwrap();
        let (before, after) = truth.split_at(start);
        assert!(after.contains(from));
        let error =
            analyze(&format!("{before}{}", after.replacen(from, to, 1)), &shared).unwrap_err();
        println!("{what}: {error}");
        assert_eq!(error.kind(), kind, "{what}: {error}");
        assert!(kind == ErrorKind::ModelNotFound || error.to_string().contains(model), "{error}");
    }
}

/// An embedder where the detector should be, and bytes that are no model, with the right hash.
#[test]
fn files_of_another_kind_are_typed_errors() {
    let Some(shared) = shared() else { return };
    let folder = tempfile::tempdir().unwrap();
    let garbage = b"\x08\x07 this is no model \xff\xff\xff";
    for (name, bytes) in [
        ("an embedder", fs::read(shared.join("models/mobileface_v2.onnx")).unwrap()),
        ("garbage", garbage.to_vec()),
        ("nothing", Vec::new()),
        (
            "half a model",
            fs::read(shared.join("models/yunet_s_dynamic.onnx")).unwrap()[..100_000].to_vec(),
        ),
    ] {
        fs::write(folder.path().join("model.onnx"), &bytes).unwrap();
        let text = format!(
            "format = 1\n[[model]]\nname = \"liar\"\nrole = \"detector\"\nfamily = \"yunet\"\nfile = \"model.onnx\"\n\
             sha256 = \"{}\"\nlicense = {{ name = \"MIT\", class = \"permissive\" }}\nprovenance = \"test\"\n\
             input = {{ size = \"dynamic\", channels = \"bgr\", mean = [0, 0, 0], std = [1, 1, 1] }}\n\
             face_range = [10, 300]\nscore_threshold = 0.6\nnms_threshold = 0.3\n\
             [[pack]]\nname = \"yunet-retail\"\ndescription = \"test\"\ndetector = \"liar\"\n",
            sha256(&bytes)
        );
        let error = analyze(&text, folder.path()).unwrap_err();
        println!("{name}: {error}");
        assert_eq!(error.kind(), ErrorKind::ModelMismatch, "{name}: {error}");
        assert!(error.to_string().contains("liar"), "{error}");
    }
}

/// The number of faces in a picture by pack `yunet-retail` of a catalogue.
fn analyze(catalog: &str, models: &Path) -> Result<usize> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("catalog.toml");
    fs::write(&path, catalog).unwrap();
    let locations = Locations::new([models.join("models"), models.to_owned()]);
    let pack = Catalog::open(path)?.with_locations(locations).find("yunet-retail")?;
    let engine = Engine::builder(&pack).backend(BackendChoice::Rten).build()?;
    Ok(engine.analyze(&read_picture("bulk_r0.png").view())?.len())
}

fn sha256(bytes: &[u8]) -> String {
    use sha2::Digest;
    sha2::Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}
