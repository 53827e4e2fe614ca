//! Manifests and catalogues: a good one, each of its fields broken in turn, and arbitrary text.
#![allow(clippy::unwrap_used)]

use std::path::Path;

use faceprint::ErrorKind;
use faceprint::image::ChannelOrder;
use faceprint::pack::{Family, InputSize, LicenseClass, Manifest, Role};
use proptest::prelude::*;

const GOOD: &str = include_str!("../testdata/manifest.toml");

#[test]
fn a_good_manifest_says_everything() {
    let manifest = Manifest::parse(GOOD).unwrap();
    let [d, e, l] = manifest.models() else { panic!("three models") };

    assert_eq!((d.name.as_str(), d.file.as_str(), d.size), ("d", "d.onnx", Some(232_589)));
    assert_eq!((d.role(), d.family), (Role::Detector, Family::Yunet));
    assert!(d.sha256_hex().starts_with("8f2383e4dd3cfbb4"));
    assert_eq!(d.short_hash(), "8f2383e4");
    assert_eq!(d.url.as_deref(), Some("https://example.org/d.onnx"));
    assert_eq!((d.license.name.as_str(), d.license.class), ("MIT", LicenseClass::Permissive));
    assert_eq!(d.input.size, InputSize::Fixed { width: 640, height: 480 });
    assert_eq!(d.input.planar.order, ChannelOrder::Bgr);
    assert_eq!((d.input.planar.mean, d.input.planar.std), ([104., 117., 123.], [1., 2., 3.]));
    let detector = d.kind.detector().unwrap();
    assert_eq!(detector.face_range, (10.0, 300.0));
    assert_eq!((detector.score_threshold, detector.nms_threshold), (0.6, 0.3));
    assert_eq!(d.space(), None);

    assert_eq!((e.size, e.url.as_deref(), e.input.size), (None, None, InputSize::Dynamic));
    let embedder = e.kind.embedder().unwrap();
    assert_eq!(embedder.dimension, 256);
    assert_eq!((embedder.alignment.width(), embedder.alignment.height()), (128, 96));
    // From the loosest to the strictest, whatever the order of the document.
    let points: Vec<_> = embedder.operating_points.iter().map(|p| (p.threshold, p.fmr)).collect();
    assert_eq!(points, [(0.31, 1e-3), (0.41, 1e-4)]);
    let tail = embedder.impostor_tail.as_ref().unwrap();
    assert_eq!((tail.people, tail.comparisons, tail.above), (1500, 3_000_002, 0.35));
    assert_eq!((tail.fmr, tail.scale, tail.shape), (4e-4, 0.045, -0.05));
    assert_eq!(tail.standard_errors, [0.08, 0.06, 0.03]);
    assert_eq!(tail.correlations, [0.4, 0.1, -0.5]);
    assert_eq!(tail.measured, "LFW, the tail");
    assert!(e.space().is_some());

    assert_eq!(l.kind.liveness().unwrap().crop_scale, 2.7);

    let [all, find_only] = manifest.packs() else { panic!("two packs") };
    assert_eq!((all.name(), all.description()), ("all", "all there is"));
    assert_eq!(
        (all.detector(), all.embedder(), all.liveness()),
        (Some("d"), Some("e"), &["l".to_owned()][..])
    );
    assert_eq!((all.liveness_threshold(), find_only.liveness_threshold()), (Some(0.5), None));
    let names: Vec<_> = manifest.models_of(all).map(|model| model.name.as_str()).collect();
    assert_eq!(names, ["d", "e", "l"]);
    assert_eq!((find_only.detector(), find_only.embedder()), (Some("d"), None));
}

/// (a part of the good manifest, what it becomes, what the error says).
const BROKEN: &[(&str, &str, &str)] = &[
    ("format = 1", "", "format is missing, must be 1"),
    ("format = 1", "format = 2", "format is 2, this library reads 1"),
    ("format = 1", "format = \"1\"", "format is a string"),
    ("format = 1", "format = 1\nname = \"x\"", "\"name\" is not a field of a manifest"),
    ("format = 1", "format = 1\nmodel = 3\n[x]", "manifest line"),
    ("format = 1", "format = = 1", "manifest line 2 is not TOML"),
    // Names and files.
    ("name = \"d\"", "", "model number 1: missing field `name`"),
    ("name = \"d\"", "name = 3", "model number 1"),
    ("name = \"d\"", "name = \"\"", "model \"\": name must be 1 to 64"),
    ("name = \"d\"", "name = \"a b\"", "name must be 1 to 64"),
    ("name = \"d\"", "name = \"../d\"", "name must be 1 to 64"),
    ("name = \"d\"", "name = \"e\"", "model \"e\": name is used twice"),
    ("file = \"d.onnx\"", "", "model \"d\": missing field `file`"),
    ("file = \"d.onnx\"", "file = \"\"", "file is \"\""),
    ("file = \"d.onnx\"", "file = \"..\"", "file is \"..\""),
    ("file = \"d.onnx\"", "file = \"../d.onnx\"", "must be a file name"),
    ("file = \"d.onnx\"", "file = \"/etc/passwd\"", "must be a file name"),
    ("file = \"d.onnx\"", "file = 'a\\d.onnx'", "must be a file name"),
    ("file = \"d.onnx\"", "file = 'C:d.onnx'", "must be a file name"),
    ("file = \"d.onnx\"", "file = \".hidden\"", "must be a file name"),
    ("file = \"d.onnx\"", "file = \"d\\u0000.onnx\"", "must be a file name"),
    ("file = \"d.onnx\"", "file = \"e.onnx\"", "which model \"d\" has with another sha256"),
    // What the file is.
    ("role = \"detector\"", "", "missing field `role`"),
    (
        "role = \"detector\"",
        "role = \"finder\"",
        "role is \"finder\", must be one of detector, embedder, liveness",
    ),
    (
        "role = \"detector\"",
        "role = \"embedder\"",
        "family is yunet, whose role is detector, not embedder",
    ),
    ("family = \"yunet\"", "", "missing field `family`"),
    ("family = \"yunet\"", "family = \"yolo\"", "family is \"yolo\", must be one of yunet"),
    ("family = \"yunet\"", "family = \"sface\"", "family is sface, whose role is embedder"),
    ("sha256 = \"8f2383", "sha256 = \"8f238", "sha256 has 63 bytes, must be 64 hexadecimal"),
    ("sha256 = \"8f2383", "sha256 = \"8f238g", "must be 64 hexadecimal digits"),
    ("size = 232589", "size = 0", "size is 0, must be 1 to 536870912 bytes"),
    ("size = 232589", "size = -1", "size"),
    ("size = 232589", "size = 536870913", "size is 536870913"),
    ("size = 232589", "size = \"big\"", "in `size`"),
    (
        "url = \"https://example.org/d.onnx\"",
        "url = \"http://example.org/d.onnx\"",
        "url must be an https:// URL",
    ),
    (
        "url = \"https://example.org/d.onnx\"",
        "url = \"https:///d.onnx\"",
        "url must be an https:// URL",
    ),
    (
        "url = \"https://example.org/d.onnx\"",
        "url = \"https://a@b/d.onnx\"",
        "url must be an https:// URL",
    ),
    (
        "url = \"https://example.org/d.onnx\"",
        "url = \"https://a/b c\"",
        "url must be an https:// URL",
    ),
    // Licence and provenance.
    ("name = \"MIT\", ", "", "model \"d\": missing field `name` in `license`"),
    ("name = \"MIT\"", "name = \" \"", "license.name is empty"),
    (
        "class = \"permissive\"",
        "class = \"free\"",
        "license.class is \"free\", must be one of permissive",
    ),
    ("https://example.org/license", "ftp://example.org/license", "license.url must be"),
    ("name = \"MIT\"", "name = \"MIT\", year = 1988", "unknown field `year`"),
    ("provenance = \"trained on WIDER FACE\"", "", "missing field `provenance`"),
    ("provenance = \"trained on WIDER FACE\"", "provenance = \"\"", "provenance is empty"),
    // Input.
    ("size = [640, 480]", "size = [0, 480]", "input.size[0] is 0, must be 1 to 8192 pixels"),
    ("size = [640, 480]", "size = [640, 8193]", "input.size[1] is 8193"),
    ("size = [640, 480]", "size = [640]", "must be [width, height] in pixels or \"dynamic\""),
    ("size = [640, 480]", "size = \"any\"", "input.size is \"any\""),
    (
        "channels = \"bgr\", mean = [104",
        "channels = \"gray\", mean = [104",
        "input.channels is \"gray\", must be one of rgb, bgr",
    ),
    ("mean = [104, 117, 123]", "mean = [104, 117]", "`input"),
    ("mean = [104, 117, 123]", "mean = [104, 117, nan]", "input.mean[2] is NaN, must be 0 to 255"),
    ("mean = [104, 117, 123]", "mean = [-1, 117, 123]", "input.mean[0] is -1"),
    (
        "std = [1, 2, 3]",
        "std = [1, 0, 3]",
        "model \"d\": input.std[1] is 0, must be positive and finite",
    ),
    ("std = [1, 2, 3]", "std = [1, 2, inf]", "input.std[2] is inf"),
    ("std = [1, 2, 3]", "std = [1, 2, 1e40]", "input.std[2] is inf"),
    // Detector.
    ("face_range = [10, 300]", "", "face_range is missing"),
    ("face_range = [10, 300]", "face_range = [300, 10]", "face_range is [300, 10], must rise"),
    ("face_range = [10, 300]", "face_range = [0, 10]", "face_range[0] is 0"),
    ("face_range = [10, 300]", "face_range = [10, inf]", "face_range[1] is inf"),
    ("score_threshold = 0.6", "", "score_threshold is missing"),
    ("score_threshold = 0.6", "score_threshold = 1.1", "score_threshold is 1.1, must be 0 to 1"),
    ("score_threshold = 0.6", "score_threshold = nan", "score_threshold is NaN"),
    ("nms_threshold = 0.3", "", "nms_threshold is missing"),
    ("nms_threshold = 0.3", "nms_threshold = 0", "nms_threshold is 0"),
    (
        "nms_threshold = 0.3",
        "nms_threshold = 0.3\ndimension = 3",
        "dimension is for the role embedder, this model's is detector",
    ),
    (
        "nms_threshold = 0.3",
        "nms_threshold = 0.3\ncrop_scale = 3",
        "crop_scale is for the role liveness",
    ),
    (
        "nms_threshold = 0.3",
        "nms_threshold = 0.3\nstride = 3",
        "model \"d\": unknown field `stride`",
    ),
    // Embedder.
    ("dimension = 256", "", "model \"e\": dimension is missing"),
    ("dimension = 256", "dimension = 0", "dimension is 0, must be 1 to 4096"),
    ("dimension = 256", "dimension = 4097", "dimension is 4097"),
    ("dimension = 256", "dimension = 256.5", "`dimension`"),
    (
        "dimension = 256",
        "dimension = 256\nface_range = [1, 2]",
        "face_range is for the role detector",
    ),
    ("alignment = { size = [128, 96]", "align = { size = [128, 96]", "unknown field `align`"),
    ("alignment = { size = [128, 96]", "alignment = { size = [0, 96]", "alignment.size[0] is 0"),
    ("[[40, 40],", "[[400, 40],", "alignment is no template"),
    ("[[40, 40],", "[[nan, 40],", "alignment is no template"),
    ("[[40, 40],", "[", "must be a template's name or"),
    (
        "size = \"dynamic\"",
        "size = [112, 112]",
        "alignment is for 128x96 pixels, input.size is 112x112",
    ),
    (
        "threshold = 0.41",
        "threshold = 1.41",
        "operating_point[0].threshold is 1.41, must be -1 to 1",
    ),
    ("threshold = 0.41", "threshold = 0.21", "operating_point has fmr"),
    ("threshold = 0.41", "threshold = 0.31", "must fall as the threshold rises"),
    ("fmr = 1e-4", "fmr = 0", "operating_point[0].fmr is 0, must be above 0 and below 1"),
    ("fmr = 1e-4", "fmr = nan", "operating_point[0].fmr is NaN"),
    ("fmr = 1e-4", "fmr = 1e-3", "operating_point[0].ci95"),
    ("impostors = 3000001", "impostors = 0", "operating_point[1].impostors is 0"),
    (
        "ci95 = [0.9e-3, 1.1e-3]",
        "ci95 = [1.1e-3, 0.9e-3]",
        "operating_point[1].ci95 is [0.0011, 0.0009], must enclose fmr 0.001",
    ),
    ("ci95 = [0.9e-3, 1.1e-3]", "ci95 = [nan, 1.1e-3]", "operating_point[1].ci95"),
    ("ci95 = [0.9e-3, 1.1e-3]", "ci95 = [0.9e-3, 1.1]", "operating_point[1].ci95"),
    ("measured = \"LFW\"", "measured = \"\"", "operating_point[0].measured is empty"),
    // What lies beyond the operating points.
    ("people = 1500", "", "model \"e\": missing field `people` in `impostor_tail`"),
    ("people = 1500", "people = 1", "impostor_tail.people is 1, must be 2 to"),
    ("people = 1500", "people = 1500\ntwins = 2", "unknown field `twins`"),
    ("comparisons = 3000002", "comparisons = 0", "impostor_tail.comparisons is 0"),
    ("comparisons = 3000002", "comparisons = -1", "in `impostor_tail.comparisons`"),
    ("above = 0.35", "above = 1.5", "impostor_tail.above is 1.5, must be -1 to 1"),
    ("above = 0.35", "above = nan", "impostor_tail.above is NaN"),
    ("above = 0.35", "above = 0.42", "impostor_tail.above is 0.42, needs an operating_point from"),
    ("fmr = 4e-4", "fmr = 0", "impostor_tail.fmr is 0, must be above 0 and below 1"),
    ("fmr = 4e-4", "fmr = 1", "impostor_tail.fmr is 1, must be above 0 and below 1"),
    ("scale = 0.045", "scale = 0", "impostor_tail.scale is 0, must be 0.000001 to 2"),
    ("scale = 0.045", "scale = inf", "impostor_tail.scale is inf"),
    ("shape = -0.05", "shape = -0.6", "impostor_tail.shape is -0.6, must be -0.5 to 0.5"),
    ("shape = -0.05", "shape = nan", "impostor_tail.shape is NaN"),
    ("errors = [0.08,", "errors = [0,", "impostor_tail.standard_errors[0] is 0, must be 0.000001"),
    ("0.06, 0.03]", "0.06, inf]", "impostor_tail.standard_errors[2] is inf"),
    ("0.06, 0.03]", "0.06]", "in `impostor_tail.standard_errors`"),
    (
        "[0.4, 0.1, -0.5]",
        "[1, 0.1, -0.5]",
        "impostor_tail.correlations are [1.0, 0.1, -0.5], which",
    ),
    ("[0.4, 0.1, -0.5]", "[0.9, 0.9, -0.9]", "which no three numbers have"),
    ("[0.4, 0.1, -0.5]", "[nan, 0.1, -0.5]", "which no three numbers have"),
    ("measured = \"LFW, the tail\"", "measured = \" \"", "impostor_tail.measured is empty"),
    (
        "crop_scale = 2.7",
        "crop_scale = 2.7\n[model.impostor_tail]\npeople = 9\ncomparisons = 9\nabove = 0\n\
         fmr = 0.1\nscale = 0.1\nshape = 0\nstandard_errors = [1, 1, 1]\n\
         correlations = [0, 0, 0]\nmeasured = \"x\"",
        "impostor_tail is for the role embedder, this model's is liveness",
    ),
    // Liveness.
    ("crop_scale = 2.7", "", "crop_scale is missing"),
    ("crop_scale = 2.7", "crop_scale = 0.5", "crop_scale is 0.5, must be 1 to 8"),
    (
        "size = [80, 80]",
        "size = \"dynamic\"",
        "input.size is dynamic, a liveness model has a fixed size",
    ),
    (
        "liveness_threshold = 0.5",
        "liveness_threshold = 1.5",
        "pack \"all\": liveness_threshold is 1.5, must be 0 to 1",
    ),
    ("liveness_threshold = 0.5", "", "pack \"all\": liveness_threshold is missing"),
    ("liveness = [\"l\"]", "", "liveness_threshold is for packs with liveness models"),
    // Packs.
    ("name = \"all\"", "", "pack number 1: missing field `name`"),
    ("name = \"all\"", "name = \"find-only\"", "pack \"find-only\": name is used twice"),
    ("name = \"all\"", "name = \"All\"", "pack \"All\": name must be"),
    (
        "detector = \"d\"\nembedder",
        "detector = \"x\"\nembedder",
        "pack \"all\": detector names the model \"x\", which is not in this manifest",
    ),
    (
        "detector = \"d\"\nembedder",
        "detector = \"e\"\nembedder",
        "detector names \"e\", whose role is embedder, not detector",
    ),
    (
        "embedder = \"e\"",
        "embedder = \"d\"",
        "embedder names \"d\", whose role is detector, not embedder",
    ),
    ("liveness = [\"l\"]", "liveness = [\"l\", \"d\"]", "liveness[1] names \"d\""),
    ("liveness = [\"l\"]", "liveness = \"l\"", "in `liveness`"),
    ("liveness = [\"l\"]", "quality = \"l\"", "pack \"all\": unknown field `quality`"),
    ("name = \"find-only\"\ndetector = \"d\"", "name = \"find-only\"", "a pack has a model"),
];

#[test]
fn each_broken_field_is_named() {
    for (part, broken, words) in BROKEN {
        assert!(GOOD.contains(part), "{part}");
        let text = GOOD.replacen(part, broken, 1);
        let error = Manifest::parse(&text).expect_err(broken);
        assert_eq!(error.kind(), ErrorKind::InvalidManifest);
        let message = error.to_string();
        assert!(message.contains(words), "{broken}: {message}\n  expected: {words}");
        assert!(!message.contains('\n') && message.len() < 400, "{message}");
    }
}

#[test]
fn a_manifest_has_a_largest_size() {
    let text = format!("{GOOD}\n#{}", " ".repeat(1 << 20));
    let error = Manifest::parse(&text).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidManifest);
    assert!(error.to_string().contains("at most 1048576 are read"), "{error}");
    // Nesting costs no stack.
    for deep in ["[", "{a=", "a."] {
        assert!(Manifest::parse(&format!("format = {}", deep.repeat(100_000))).is_err());
        assert!(Manifest::parse(&deep.repeat(100_000)).is_err());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn any_text_is_read_or_refused(text in "\\PC{0,200}") {
        let _ = Manifest::parse(&text);
    }

    #[test]
    fn any_value_of_any_field_is_read_or_refused(
        line in 0..GOOD.lines().count(),
        value in prop_oneof![
            any::<i64>().prop_map(|value| value.to_string()),
            any::<f64>().prop_map(|value| format!("{value:?}")),
            "[a-z./\\\\:]{0,12}".prop_map(|text| format!("{text:?}")),
            prop::collection::vec(any::<f32>(), 0..4).prop_map(|list| format!("{list:?}")),
            Just("{}".to_owned()),
        ],
    ) {
        let text: Vec<String> = GOOD
            .lines()
            .enumerate()
            .map(|(index, text)| match text.split_once(" = ") {
                Some((key, _)) if index == line => format!("{key} = {value}"),
                _ => text.to_owned(),
            })
            .collect();
        match Manifest::parse(&text.join("\n")) {
            Ok(manifest) => manifest.models().iter().for_each(|model| {
                prop_assert_path_stays_inside(&model.file);
                // Whatever statistics it claims, a threshold has a meaning or there is none.
                for n in [1, 1000, usize::MAX] {
                    if let Ok(answer) = model.threshold_for(0.01, n) {
                        assert!((-1.0..=1.0).contains(&answer.similarity), "{answer:?}");
                        assert!(answer.ci95.0 <= answer.ci95.1, "{answer:?}");
                    }
                }
            }),
            Err(error) => prop_assert_eq!(error.kind(), ErrorKind::InvalidManifest),
        }
    }

    #[test]
    fn any_damage_is_read_or_refused(
        at in 0..GOOD.len(), length in 0..40_usize, with in "[\\PC\n]{0,8}",
    ) {
        let mut bytes = GOOD.as_bytes().to_vec();
        bytes.splice(at..(at + length).min(GOOD.len()), with.bytes());
        if let Ok(text) = String::from_utf8(bytes) {
            let _ = Manifest::parse(&text);
        }
    }
}

fn prop_assert_path_stays_inside(file: &str) {
    let joined = Path::new("/pack").join(file);
    assert_eq!(joined.parent(), Some(Path::new("/pack")));
    assert_eq!(joined.file_name().unwrap().to_str(), Some(file));
}
