//! Any bytes as a bundle: never accepted unless signed, never a panic, and what parses is written back.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| faceprint::gallery::fuzz_bundle(bytes));
