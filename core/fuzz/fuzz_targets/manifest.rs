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
    }
    for pack in manifest.packs() {
        assert!(manifest.models_of(pack).count() > 0);
    }
});
