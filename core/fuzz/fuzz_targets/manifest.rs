//! Text as a manifest.
#![no_main]

use faceprint::pack::Manifest;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let Ok(manifest) = Manifest::parse(text) else { return };
    for model in manifest.models() {
        assert!(!model.file.contains(['/', '\\', ':']) && !model.file.starts_with('.'));
        assert_eq!(model.role(), model.family.role());
        assert_eq!(model.space().is_some(), model.kind.embedder().is_some());
        // Whatever statistics it claims, a threshold has a meaning or there is none.
        for n in [1, 1000, usize::MAX] {
            if let Ok(answer) = model.threshold_for(0.01, n) {
                assert!((-1.0..=1.0).contains(&answer.similarity));
                assert!(answer.ci95.0 <= answer.ci95.1);
            }
        }
    }
    for pack in manifest.packs() {
        assert!(manifest.models_of(pack).count() > 0);
    }
});
