//! The C ABI of faceprint: `include/faceprint.h`, which a test generates from these files, and
//! `include/faceprint.hpp`, which wraps it for C++17.
//!
//! What a C programmer has to know is in [`HEADER`], which stands at the top of the header. What a Rust programmer
//! has to know: functions convert and nothing else; `boundary` alone catches panics, checks pointers and reads
//! memory of the caller. `catch_unwind` needs panics that unwind.

#![allow(
    non_camel_case_types,
    missing_debug_implementations,
    reason = "the names are C's, and C prints nothing"
)]

#[cfg(not(panic = "unwind"))]
compile_error!("the C ABI turns panics into errors: build it with panic = \"unwind\"");

mod access;
mod boundary;
mod bundle;
mod changes;
mod engine;
mod error;
mod event;
mod face;
mod fernet;
mod gallery;
mod image;
mod outbox;
mod pack;
mod quality;
mod search;
mod series;
mod slots;
mod stream;
mod subject;
mod template;
mod tenant;
mod text;

pub use access::*;
pub use boundary::{FACEPRINT_NO_TIME, Flag, Growing, Items, Options, Out, Text};
pub use bundle::*;
pub use changes::*;
pub use engine::*;
pub use error::*;
pub use event::*;
pub use face::*;
pub use fernet::*;
pub use gallery::*;
pub use image::*;
pub use outbox::*;
pub use pack::*;
pub use quality::*;
pub use search::*;
pub use series::*;
pub use slots::*;
pub use stream::*;
pub use subject::*;
pub use template::*;
pub use tenant::*;
pub use text::*;

/// The files of the header, in its order.
#[doc(hidden)]
pub const FILES: &[&str] = &[
    "error", "text", "image", "pack", "template", "quality", "face", "engine", "series", "access",
    "gallery", "slots", "tenant", "search", "subject", "changes", "bundle", "event", "stream",
    "outbox", "fernet",
];

/// What stands at the top of the header.
#[doc(hidden)]
pub const HEADER: &str = "\
/* faceprint: face recognition as a library. https://github.com/faceprint/faceprint
 *
 * Licence: MIT OR Apache-2.0. Generated from ffi/src by a test; do not edit.
 *
 * Calls
 *   What can fail returns a faceprint_status, FACEPRINT_STATUS_OK or the number of a kind of error, and takes a
 *   faceprint_error ** as its last argument, which may be NULL. On failure an error object is put there, which the
 *   caller frees; nothing else is written then. On success it is left alone. A panic of the library becomes
 *   FACEPRINT_STATUS_INTERNAL; the host is never aborted.
 *
 * Ownership
 *   What a call puts into a `faceprint_x **` is the caller's, who gives it to faceprint_x_free. Every _free takes NULL.
 *   What a call returns as `const ...*` belongs to the object it was asked of, and lives as long. Nothing that is
 *   passed in is kept, unless its description says so. Objects may be freed in any order: an engine does not need
 *   its pack, a tenant not its gallery.
 *
 * Pointers
 *   A pointer is NULL, or points to what its type says for as long as the call lasts. NULL where an object is needed is
 *   FACEPRINT_STATUS_INVALID_ARGUMENT; functions that return a number or a pointer give 0 or NULL for it. Strings are
 *   UTF-8 and end with a zero byte.
 *
 * Threads
 *   Any object may be used from any thread, and from several at once. Two calls on one stream or series wait for each other.
 *   There are no globals and no thread-local state. Freeing an object while another thread uses it is an error.
 *
 * Callbacks
 *   They get the `user` they were given with, and return: no exception and no longjmp goes through the library. They use
 *   no object that the call they come from was given.
 *
 * Options
 *   Structures that begin with struct_size are initialized with the macro of their name and _INIT, so that a program
 *   goes on to work with later versions of the library.
 *
 * Times are milliseconds since 1970 in UTC; FACEPRINT_NO_TIME where there is none.
 */";
