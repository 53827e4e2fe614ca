//! Callbacks that behave as their `user` says.

use std::ffi::c_void;

use faceprint_ffi::*;

pub(crate) unsafe extern "C-unwind" fn wrap(
    user: *mut c_void,
    key: *const u8,
    answer: *mut faceprint_answer,
) -> i32 {
    // SAFETY: as the header says: 32 bytes, and an answer.
    unsafe { answered(user, key, 32, answer) }
}

pub(crate) unsafe extern "C-unwind" fn unwrap(
    user: *mut c_void,
    wrapped: *const u8,
    len: usize,
    answer: *mut faceprint_answer,
) -> i32 {
    // SAFETY: as the header says.
    unsafe { answered(user, wrapped, len, answer) }
}

/// The key itself, unless the caller wants something else.
unsafe fn answered(
    user: *mut c_void,
    bytes: *const u8,
    len: usize,
    answer: *mut faceprint_answer,
) -> i32 {
    // SAFETY: what the callers promise.
    let (items, answer) = unsafe { (Items::new(bytes), answer.as_mut()) };
    match user.addr() {
        1 => return 1,
        2 => faceprint_answer_set(answer, items, len.min(5)),
        3 => panic!("as asked"),
        _ => faceprint_answer_set(answer, items, len),
    }
    0
}

pub(crate) unsafe extern "C-unwind" fn release(_: *mut c_void) {}

pub(crate) unsafe extern "C-unwind" fn progress(user: *mut c_void, done: usize, all: usize) {
    assert!(done <= all, "as asked");
    if user.addr() == 3 {
        panic!("as asked");
    }
}
