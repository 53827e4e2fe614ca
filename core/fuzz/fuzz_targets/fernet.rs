//! Any text as a Fernet token or key, and any values through a token: never a panic, the same values again.
#![no_main]

use faceprint::Embedding;
use faceprint::fernet::FernetKey;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: (&str, Vec<f32>)| {
    let (text, values) = input;
    let key: FernetKey = "cw_0x689RpI-jtRR7oE8h_eQsKImvJapLeSbXpwF4e4=".parse().expect("a key");
    let _ = key.open(text);
    let _ = text.parse::<FernetKey>();
    if let Ok(embedding) = Embedding::normalize(values) {
        let token = key.seal(&embedding).expect("randomness");
        assert!(key.open(&token).expect("our own token") == embedding);
    }
});
