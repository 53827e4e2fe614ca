//! The pack that is compiled into the library.

use super::{Manifest, ModelPack};
use crate::pack::locations::Locations;
use crate::pack::verify::Embedded;

const MANIFEST: &str = include_str!("../../models/faceprint.toml");
const FILES: &[Embedded] = &[
    ("faceprint-detector-v1.onnx", include_bytes!("../../models/faceprint-detector-v1.onnx")),
    ("faceprint-embedder-v1.onnx", include_bytes!("../../models/faceprint-embedder-v1.onnx")),
];

/// The pack. Its manifest was compiled in; a test parses it and checks each file's hash.
pub(super) fn pack() -> ModelPack {
    let manifest = Manifest::parse(MANIFEST).expect("the bundled manifest is valid");
    let pack = manifest.packs().first().expect("the bundled manifest has a pack");
    ModelPack::from_parts(&manifest, pack, Locations::new([]), FILES)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_is_the_one_its_manifest_promises() {
        let pack = pack();
        assert_eq!(pack.models().count(), FILES.len());
        for model in pack.models() {
            assert_eq!(Some(pack.load(model).unwrap().len() as u64), model.size);
        }
        assert!(pack.require_license(&[]).is_ok());
        // A byte changed in the library's own memory would be found too.
        let mut other = pack.models().next().unwrap().clone();
        other.sha256[0] ^= 1;
        assert_eq!(pack.load(&other).unwrap_err().kind(), crate::ErrorKind::ModelCorrupt);
    }

    #[test]
    fn thresholds_come_from_measured_points() {
        let strict = pack().threshold(1e-4).unwrap();
        let loose = pack().threshold(1e-2).unwrap();
        assert!(strict > loose && loose > 0.0, "{strict} {loose}");
        assert!(pack().threshold(1e-9).is_err());
    }

    #[test]
    fn searches_have_thresholds_from_the_same_statistics() {
        let among = |n| pack().threshold_for(0.01, n).unwrap();
        // A search among one is a comparison, judged by the high end of its interval.
        assert!(among(1).similarity > pack().threshold(1e-2).unwrap());
        assert!(!among(100).extrapolated && among(10_000).extrapolated);
        assert!(among(100).similarity < among(10_000).similarity);
        // NIST's sizes are answered too, and far out the answer is unsure by a factor of thousands.
        let (low, high) = among(12_000_000).ci95;
        assert!(high > 30.0 * low, "{low} {high}");
    }
}
