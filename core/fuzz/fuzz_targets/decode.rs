//! Bytes as a picture file. A panic of a decoder that `decode` contains is no finding; libFuzzer's own
//! hook would end the process at it. One that escapes ends it still.
#![no_main]

use faceprint::image::{DecodeLimits, decode};
use libfuzzer_sys::fuzz_target;

fuzz_target!(init: std::panic::set_hook(Box::new(|_| {})), |bytes: &[u8]| {
    let limits = DecodeLimits { max_pixels: 1 << 20, max_bytes: 16 << 20, ..Default::default() };
    if let Ok(picture) = decode(bytes, &limits) {
        assert!(u64::from(picture.width()) * u64::from(picture.height()) <= limits.max_pixels);
    }
});
