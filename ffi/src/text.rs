//! Strings and lists of strings that the library gives away.

use std::ffi::{CString, c_char};
use std::fmt::Display;

use crate::boundary::{free, quietly};
use crate::error::Failure;

/// A string of the library's.
pub struct faceprint_string(CString);

/// Strings of the library's.
pub struct faceprint_strings(Vec<CString>);

/// The string; NULL for NULL. Lives as long as `string`.
#[unsafe(no_mangle)]
pub extern "C" fn faceprint_string_get(string: Option<&faceprint_string>) -> *const c_char {
    string.map_or(std::ptr::null(), |string| string.0.as_ptr())
}

/// Frees a string.
#[unsafe(no_mangle)]
pub extern "C" fn faceprint_string_free(string: Option<Box<faceprint_string>>) {
    free(string);
}

/// How many strings there are.
#[unsafe(no_mangle)]
pub extern "C" fn faceprint_strings_len(strings: Option<&faceprint_strings>) -> usize {
    strings.map_or(0, |strings| strings.0.len())
}

/// One of them; NULL from the length on. Lives as long as `strings`.
#[unsafe(no_mangle)]
pub extern "C" fn faceprint_strings_at(
    strings: Option<&faceprint_strings>,
    index: usize,
) -> *const c_char {
    let string = strings.and_then(|strings| strings.0.get(index));
    string.map_or(std::ptr::null(), |string| string.as_ptr())
}

/// Frees a list.
#[unsafe(no_mangle)]
pub extern "C" fn faceprint_strings_free(strings: Option<Box<faceprint_strings>>) {
    free(strings);
}

impl faceprint_string {
    pub(crate) fn new(text: impl Display) -> Self {
        Self(c_string(text))
    }
}

impl faceprint_strings {
    pub(crate) fn new(texts: impl IntoIterator<Item = impl Display>) -> Self {
        Self(texts.into_iter().map(c_string).collect())
    }
}

/// Without zero bytes, which no id has.
pub(crate) fn c_string(text: impl Display) -> CString {
    let text = text.to_string().replace('\0', " ");
    quietly(CString::default(), || CString::new(text).unwrap_or_default())
}

/// A name inside a structure: 255 bytes and a zero.
pub(crate) fn name_in_place(name: &str) -> Result<[c_char; 256], Failure> {
    let mut place = [0; 256];
    if name.len() > 255 {
        return Err(Failure::bug("a name of more than 255 bytes"));
    }
    for (to, from) in place.iter_mut().zip(name.bytes()) {
        #[allow(
            clippy::cast_possible_wrap,
            reason = "the same bits, whatever sign a char has here"
        )]
        {
            *to = from as c_char;
        }
    }
    Ok(place)
}

/// Values with the strings they point to.
pub(crate) struct List<T> {
    items: Vec<T>,
    _texts: Vec<CString>,
}

impl<T> List<T> {
    pub(crate) const fn new(items: Vec<T>, texts: Vec<CString>) -> Self {
        Self { items, _texts: texts }
    }

    /// For calls of C: 0 for no list.
    pub(crate) fn len(list: Option<&Self>) -> usize {
        list.map_or(0, |list| list.items.len())
    }

    /// For calls of C: NULL from the length on.
    pub(crate) fn at(list: Option<&Self>, index: usize) -> *const T {
        list.and_then(|list| list.items.get(index)).map_or(std::ptr::null(), std::ptr::from_ref)
    }
}
