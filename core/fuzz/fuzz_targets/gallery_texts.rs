//! Any text as a cursor, a reference, a key or a head token: refused, or written back as it was read.
#![no_main]

use std::fmt::Display;
use std::str::FromStr;

use faceprint::gallery::{Cursor, DeviceKey, HeadToken, SignerKey, SubjectRef};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    reads_back::<Cursor>(text);
    reads_back::<DeviceKey>(text);
    reads_back::<HeadToken>(text);
    reads_back::<SignerKey>(text);
    reads_back::<SubjectRef>(text);
});

fn reads_back<T: FromStr + Display + PartialEq>(text: &str) {
    if let Ok(value) = text.parse::<T>() {
        assert!(value.to_string().parse::<T>().is_ok_and(|again| again == value));
    }
}
