//! Any bytes as an event or a sighting of an outbox: never a panic, and what is read is written back.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| faceprint::stream::fuzz_record(bytes));
