//! Packs and catalogues: opened, looked for, verified, licensed, and the spaces they make.
#![allow(clippy::unwrap_used)]

mod common;

use std::fs;
use std::path::PathBuf;

use faceprint::align::AlignmentTemplate;
use faceprint::pack::{Catalog, LicenseClass, Locations, Manifest, ModelPack, ModelSpec};
use faceprint::{Error, ErrorKind};
use sha2::{Digest, Sha256};

const GOOD: &str = include_str!("../testdata/manifest.toml");

/// A folder with the good manifest and a detector file of its own.
fn pack_folder(model: &[u8]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let hash: String = Sha256::digest(model).iter().map(|byte| format!("{byte:02x}")).collect();
    let text = GOOD
        .replace("8f2383e4dd3cfbb4553ea8718107fc0423210dc964f9f4280604804ed2552fa4", &hash)
        .replace("232589", &model.len().to_string());
    fs::write(folder.path().join("faceprint.toml"), text).unwrap();
    fs::write(folder.path().join("d.onnx"), model).unwrap();
    folder
}

#[test]
fn a_pack_is_opened_by_folder_and_by_file() {
    let folder = pack_folder(b"model");
    let path = folder.path();
    let pack = ModelPack::open_named(path, "all").unwrap();
    assert_eq!((pack.name(), pack.description()), ("all", "all there is"));
    assert_eq!(pack.load(pack.detector().unwrap()).unwrap(), b"model");
    assert_eq!(pack.models().count(), 3);
    assert_eq!(pack.liveness().len(), 1);
    assert_eq!(pack.threshold(1e-3).unwrap(), 0.31);
    // 1 - (1 - 0.05)^(1/60) is 8.5e-4, which lies between the two points.
    let among_60 = pack.threshold_for(0.05, 60).unwrap();
    assert!((0.31..0.41).contains(&among_60.similarity) && !among_60.extrapolated, "{among_60:?}");
    assert_eq!(pack.embedder().unwrap().threshold_for(0.05, 60).unwrap(), among_60);
    assert_eq!(Some(pack.space().unwrap()), pack.embedder().unwrap().space());
    assert!(ModelPack::open_named(path.join("faceprint.toml"), "find-only").is_ok());

    let error = ModelPack::open(path).unwrap_err();
    assert!(error.to_string().contains("manifest holds 2 packs, name one of them: all, find-only"));
    let error = ModelPack::open_named(path, "find-onyl").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ModelNotFound);
    assert!(error.to_string().contains("did you mean find-only"), "{error}");

    let find_only = ModelPack::open_named(path, "find-only").unwrap();
    assert_eq!(find_only.space().unwrap_err().kind(), ErrorKind::ModelNotFound);
    assert_eq!(find_only.threshold(1e-3).unwrap_err().kind(), ErrorKind::ModelNotFound);
    assert_eq!(find_only.threshold_for(0.01, 9).unwrap_err().kind(), ErrorKind::ModelNotFound);
}

#[test]
fn what_is_no_pack_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let error = ModelPack::open(folder.path()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ModelNotFound);
    assert!(error.to_string().contains("faceprint.toml"), "{error}");
    let file = folder.path().join("x.toml");
    for (bytes, kind) in [
        (&b"\xff\xfe"[..], ErrorKind::InvalidManifest),
        (b"format = 3", ErrorKind::InvalidManifest),
    ] {
        fs::write(&file, bytes).unwrap();
        let error = ModelPack::open(&file).unwrap_err();
        assert_eq!(error.kind(), kind);
        assert!(error.to_string().contains("x.toml"), "{error}");
    }
    fs::write(&file, "format = 1").unwrap();
    assert!(ModelPack::open(&file).unwrap_err().to_string().contains("holds no pack"));
}

#[test]
fn a_wrong_file_is_refused_before_anything_reads_it() {
    let folder = pack_folder(b"model");
    let pack = ModelPack::open_named(folder.path(), "all").unwrap();
    let detector = pack.detector().unwrap();
    for (bytes, words) in [
        (&b"nodel"[..], "has sha256 "),
        (b"mode", "has 4 bytes, the manifest says 5"),
        (b"models", "has 6 bytes"),
    ] {
        fs::write(folder.path().join("d.onnx"), bytes).unwrap();
        let error = pack.load(detector).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ModelCorrupt);
        let message = error.to_string();
        assert!(message.contains(words) && message.contains("d.onnx"), "{message}");
        assert!(message.contains("`faceprint models pull d`"), "{message}");
    }
    fs::remove_file(folder.path().join("d.onnx")).unwrap();
    fs::create_dir(folder.path().join("d.onnx")).unwrap();
    assert!(matches!(
        pack.load(detector).unwrap_err().kind(),
        ErrorKind::Io | ErrorKind::ModelCorrupt
    ));
}

#[test]
fn a_missing_file_names_the_folders_and_the_command() {
    let folder = pack_folder(b"model");
    let elsewhere = folder.path().join("elsewhere");
    let catalog =
        Catalog::open(folder.path()).unwrap().with_locations(Locations::new([elsewhere.clone()]));
    let pack = catalog.find("all").unwrap();
    let missing = |model: &ModelSpec| {
        let error = pack.load(model).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ModelNotFound);
        error.to_string()
    };
    let message = missing(pack.embedder().unwrap());
    assert!(
        message.contains(&format!(
            "no e.onnx in {}, {}",
            elsewhere.display(),
            folder.path().display()
        )),
        "{message}"
    );
    assert!(message.contains("its manifest has no url"), "{message}");
    fs::remove_file(folder.path().join("d.onnx")).unwrap();
    assert!(missing(pack.detector().unwrap()).contains("`faceprint models pull d`"));
}

#[test]
fn a_wrong_file_in_an_earlier_folder_is_not_skipped() {
    let folder = pack_folder(b"model");
    let earlier = folder.path().join("earlier");
    fs::create_dir(&earlier).unwrap();
    let catalog =
        Catalog::open(folder.path()).unwrap().with_locations(Locations::new([earlier.clone()]));
    let pack = catalog.find("all").unwrap();
    let detector = pack.detector().unwrap();
    assert_eq!(pack.load(detector).unwrap(), b"model");
    assert_eq!(detector.verify_file(folder.path().join("d.onnx")).unwrap(), 5);
    fs::write(earlier.join("d.onnx"), b"nodel").unwrap();
    let error = pack.load(detector).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ModelCorrupt);
    assert!(error.to_string().contains("earlier"), "{error}");
    let error = detector.verify_file(earlier.join("d.onnx")).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ModelCorrupt);
}

#[test]
fn licences_that_are_not_permissive_have_to_be_accepted() {
    let folder = pack_folder(b"model");
    let pack = ModelPack::open_named(folder.path(), "all").unwrap();
    let accept = |names: &[&str]| -> Result<(), Error> {
        pack.require_license(&names.iter().map(|&name| name.to_owned()).collect::<Vec<_>>())
    };
    let error = accept(&[]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::LicenseNotAccepted);
    let message = error.to_string();
    for words in ["\"e\"", "CC-BY-NC-4.0", "non-commercial", "--accept-license", ".accept_license("]
    {
        assert!(message.contains(words), "{message}");
    }
    let error = accept(&["cc-by-nc-4.0"]).unwrap_err();
    assert!(
        error.to_string().contains("model \"l\" is under the licence \"nobody said\" (unknown)")
    );
    accept(&["CC-BY-NC-4.0", "l"]).unwrap();
    accept(&["e", "nobody said"]).unwrap();
    assert!(accept(&["MIT"]).is_err());
    ModelPack::open_named(folder.path(), "find-only").unwrap().require_license(&[]).unwrap();
}

/// Written by an independent implementation of the documented encoding.
#[test]
fn space_ids_do_not_move() {
    let catalog = Catalog::builtin().unwrap();
    for (pack, id) in [
        ("yunet-sface", "4d228c85ff2ade9a975f9899153a288294ce667f347695820bc582ed2a518cf2"),
        ("buffalo-sc", "5d01c093b90828295f586de6e95d950794731e2ea30f2b985195b36a356c2443"),
    ] {
        assert_eq!(catalog.find(pack).unwrap().space().unwrap().to_string(), id);
    }
}

#[test]
fn everything_that_moves_an_embedding_moves_the_space() {
    let space = |text: &str| Manifest::parse(text).unwrap().model("e").unwrap().space().unwrap();
    let mut spaces = vec![space(GOOD)];
    for (part, other) in [
        ("sha256 = \"0BA9", "sha256 = \"0BAA"),
        ("channels = \"rgb\"", "channels = \"bgr\""),
        ("mean = [127.5, 127.5, 127.5]", "mean = [127.5, 127.5, 127]"),
        ("std = [128, 128, 128]", "std = [127.5, 128, 128]"),
        ("dimension = 256", "dimension = 128"),
        ("alignment = { size = [128, 96]", "alignment = { size = [96, 128]"),
        ("[75, 80]]", "[75, 81]]"),
    ] {
        spaces.push(space(&GOOD.replace(part, other)));
    }
    let count = spaces.len();
    spaces.sort_by_key(|space| *space.as_bytes());
    spaces.dedup();
    assert_eq!(spaces.len(), count);
    // What does not, does not; nor does the sign of a zero.
    let zero = GOOD.replace("mean = [127.5, 127.5, 127.5]", "mean = [0, 0, 0]");
    assert_eq!(space(&zero), space(&zero.replace("mean = [0, 0, 0]", "mean = [-0.0, 0, 0]")));
    assert_eq!(space(GOOD), space(&GOOD.replace("fmr = 1e-4", "fmr = 1.1e-4")));
}

#[test]
fn the_builtin_catalogue_is_honest() {
    let catalog = Catalog::builtin().unwrap();
    assert!(catalog.packs().len() >= 5);
    for model in catalog.models() {
        assert!(model.url.is_some(), "{}", model.name);
        assert!(model.license.url.is_some(), "{}", model.name);
        if model.provenance.contains("InsightFace") {
            assert_eq!(model.license.class, LicenseClass::NonCommercial, "{}", model.name);
        }
        let packs = catalog.packs();
        let is_used = packs.iter().any(|pack| {
            pack.detector() == Some(&model.name)
                || pack.embedder() == Some(&model.name)
                || pack.liveness().contains(&model.name)
        });
        assert!(is_used || model.name == "yunet-n-dynamic", "{}", model.name);
    }
    let sface = catalog.find("yunet-sface").unwrap();
    sface.require_license(&[]).unwrap();
    let embedder = sface.embedder().unwrap().kind.embedder().unwrap();
    assert_eq!((embedder.dimension, embedder.alignment), (128, AlignmentTemplate::ARCFACE_112));
    assert!(
        sface.threshold(1e-3).unwrap_err().to_string().contains("no measured operating points")
    );
    assert!(catalog.find("buffalo-l").unwrap().require_license(&[]).is_err());
    let error = catalog.find("bufalo-l").unwrap_err();
    assert!(error.to_string().contains("did you mean buffalo-l"), "{error}");
    assert_eq!(catalog.models_named("buffalo-sc").unwrap().len(), 2);
    assert_eq!(catalog.models_named("w600k-r50").unwrap().len(), 1);
}

#[test]
fn the_test_catalogue_describes_the_shared_models() {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("testdata/catalog.toml");
    let catalog = Catalog::open(path).unwrap();
    for pack in [
        "yunet-mbf",
        "yunet-retail",
        "scrfd-mbf",
        "scrfd2.5g-mbf",
        "retinaface-mbf",
        "scrfd-mbf-live",
    ] {
        catalog.find(pack).unwrap();
    }
    let Some(shared) = common::shared() else { return };
    let catalog = catalog.with_locations(Locations::new([shared.join("models")]));
    for model in catalog.models() {
        let path = catalog.locations().find(&model.file).unwrap();
        assert_eq!(Some(model.verify_file(path).unwrap()), model.size, "{}", model.name);
    }
}
