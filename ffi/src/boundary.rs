//! Where C ends: the one place that catches panics, and the one that reads and writes memory of the caller.

use std::any::Any;
use std::ffi::{CStr, c_char, c_void};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, SystemTime};

use crate::error::{Failure, faceprint_error, faceprint_status};

/// What a call comes to.
pub(crate) type Done = Result<(), Failure>;

/// Runs `work`; an error or a panic of it goes to `error`.
pub(crate) fn call(
    error: Out<*mut faceprint_error>,
    work: impl FnOnce() -> Done,
) -> faceprint_status {
    let failure = match catch_unwind(AssertUnwindSafe(work)) {
        Ok(Ok(())) => return faceprint_status::Ok,
        Ok(Err(failure)) => failure,
        Err(panic) => Failure::bug(&panicked(panic)),
    };
    let status = failure.status;
    if let Ok(place) = error.check("error") {
        place.put(Box::into_raw(Box::new(failure.into())));
    }
    status
}

/// Runs `work`, whose panic has nobody to be told to.
pub(crate) fn quietly<T>(otherwise: T, work: impl FnOnce() -> T) -> T {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|panic| {
        drop(panicked(panic));
        otherwise
    })
}

/// Drops what C gives back.
pub(crate) fn free<T>(object: Option<Box<T>>) {
    quietly((), || drop(object));
}

/// The message of a panic. Dropping what was thrown may panic again, and is left out then.
fn panicked(panic: Box<dyn Any + Send>) -> String {
    let message = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    let message = message.or_else(|| panic.downcast_ref::<String>().cloned());
    if message.is_none() {
        std::mem::forget(panic);
    }
    message.unwrap_or_else(|| "a panic without a message".to_owned())
}

/// An object that a call cannot do without.
pub(crate) fn need<'a, T>(object: Option<&'a T>, name: &str) -> Result<&'a T, Failure> {
    object.ok_or_else(|| Failure::null(name))
}

/// A string of the caller, or NULL. What its methods lend lives no longer than the call that got it.
#[repr(transparent)]
#[derive(Clone, Copy)]
pub struct Text(*const c_char);

impl Text {
    /// No string.
    pub const NULL: Self = Self(std::ptr::null());

    /// # Safety
    /// `text` is NULL, or points to bytes that end with a zero and stay as they are while this is used.
    #[must_use]
    pub const unsafe fn new(text: *const c_char) -> Self {
        Self(text)
    }

    /// The string, which must be there.
    pub(crate) fn get(&self, name: &str) -> Result<&str, Failure> {
        self.option(name)?.ok_or_else(|| Failure::null(name))
    }

    /// The string, if it is there.
    pub(crate) fn option(&self, name: &str) -> Result<Option<&str>, Failure> {
        if self.0.is_null() {
            return Ok(None);
        }
        // SAFETY: not NULL, and then it ends with a zero byte: the promise of `new`, which is that of the header.
        let text = unsafe { CStr::from_ptr(self.0) };
        text.to_str().map(Some).map_err(|error| {
            Failure::argument(format!("{name} is not UTF-8 from byte {} on", error.valid_up_to()))
        })
    }
}

/// Values of the caller, one after the other, or NULL.
#[repr(transparent)]
pub struct Items<T>(*const T);

impl<T> Items<T> {
    /// No values.
    pub const NULL: Self = Self(std::ptr::null());

    /// # Safety
    /// `items` is NULL, or points to as many valid values as the call that takes this is told, which stay as they
    /// are while it lasts.
    #[must_use]
    pub const unsafe fn new(items: *const T) -> Self {
        Self(items)
    }

    /// Whether there are none at all, as opposed to 0 of them.
    pub(crate) const fn is_null(&self) -> bool {
        self.0.is_null()
    }

    /// `len` values; NULL is as good as anything for 0.
    pub(crate) fn slice(&self, len: usize, name: &str) -> Result<&[T], Failure> {
        if len == 0 {
            return Ok(&[]);
        }
        if self.0.is_null() {
            return Err(Failure::null(name));
        }
        let fits =
            len.checked_mul(size_of::<T>()).is_some_and(|bytes| isize::try_from(bytes).is_ok());
        if !fits || !self.0.is_aligned() {
            let message = format!("{name}: {len} values are not in memory at that address");
            return Err(Failure::argument(message));
        }
        // SAFETY: not NULL, aligned, no longer than memory, and `len` values by the promise of `new`, which is
        // that of the header.
        Ok(unsafe { std::slice::from_raw_parts(self.0, len) })
    }
}

impl<T> Clone for Items<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Items<T> {}

/// A place of the caller for one value, or NULL.
#[repr(transparent)]
pub struct Out<T>(*mut T);

impl<T> Out<T> {
    /// No place.
    pub const NULL: Self = Self(std::ptr::null_mut());

    /// # Safety
    /// `place` is NULL, or a value can be written there while this is used. What is there is not read.
    #[must_use]
    pub const unsafe fn new(place: *mut T) -> Self {
        Self(place)
    }

    /// The place, which must be there. Asked for before the work is done that it is for.
    pub(crate) fn check(self, name: &str) -> Result<Place<T>, Failure> {
        if self.0.is_null() {
            return Err(Failure::null(name));
        }
        Ok(Place(self.0))
    }
}

/// A place that is there.
pub(crate) struct Place<T>(*mut T);

impl<T> Place<T> {
    pub(crate) fn put(self, value: T) {
        // SAFETY: `Out::check` found it not NULL; then it can be written by the promise of `Out::new`. What was there
        // belongs to the caller and is not dropped.
        unsafe { self.0.write_unaligned(value) };
    }
}

impl<T> Place<T> {
    /// Writes one value after the other. The call says how many there is room for.
    pub(crate) fn put_all(self, values: impl IntoIterator<Item = T>) {
        for (index, value) in values.into_iter().enumerate() {
            // SAFETY: as in `put`; the header says that there is room for as many values as the call is told.
            unsafe { self.0.add(index).write_unaligned(value) };
        }
    }
}

impl<T> Place<*mut T> {
    /// Gives an object to the caller.
    pub(crate) fn give(self, object: T) {
        self.put(Box::into_raw(Box::new(object)));
    }
}

/// Options of the caller, which may know fewer fields than this version, or NULL.
#[repr(transparent)]
#[derive(Clone, Copy)]
pub struct Options<T>(*const T);

/// A structure that begins with `struct_size`, of plain numbers and pointers: any bytes are one.
///
/// # Safety
/// `repr(C)`, first field `struct_size: usize`, and every pattern of bits is a valid value of the other fields.
pub unsafe trait Growing: Copy {
    /// What fields have that a caller does not know.
    fn defaults() -> Self;
}

impl<T: Growing> Options<T> {
    /// None.
    pub const NULL: Self = Self(std::ptr::null());

    /// # Safety
    /// `options` is NULL, or points to a `usize` that says how many bytes, it included, can be read.
    #[must_use]
    pub const unsafe fn new(options: *const T) -> Self {
        Self(options)
    }

    /// Whether there are none, as opposed to the defaults.
    pub(crate) const fn is_null(&self) -> bool {
        self.0.is_null()
    }

    /// The options; NULL stands for the defaults.
    pub(crate) fn read(&self, name: &str) -> Result<T, Failure> {
        let mut options = T::defaults();
        if self.0.is_null() {
            return Ok(options);
        }
        // SAFETY: not NULL, and then a `usize` is there by the promise of `new`.
        let size = unsafe { self.0.cast::<usize>().read_unaligned() };
        // A whole structure, of this version or an earlier one: no field of it is cut in two.
        let is_whole = size.is_multiple_of(align_of::<T>());
        if size < size_of::<usize>() || size > size_of::<T>() || !is_whole {
            return Err(Failure::argument(format!(
                "{name}: struct_size is {size}, this library knows {} to {} bytes; initialize it with its INIT macro",
                size_of::<usize>(),
                size_of::<T>()
            )));
        }
        // SAFETY: `size` bytes can be read there by the promise of `new`, and fit into `options`, which any bytes
        // leave valid: the promise of `Growing`.
        unsafe {
            std::ptr::copy_nonoverlapping(
                self.0.cast::<u8>(),
                (&raw mut options).cast::<u8>(),
                size,
            );
        }
        Ok(options)
    }
}

/// C's `bool`, of which a caller may have made any byte.
pub type Flag = u8;

/// What the caller wants back with each callback.
#[derive(Clone, Copy)]
pub(crate) struct User(pub(crate) *mut c_void);

// SAFETY: only handed back to callbacks, which the header says are called from any thread.
unsafe impl Send for User {}
// SAFETY: as above.
unsafe impl Sync for User {}

/// Milliseconds for no time at all.
pub const FACEPRINT_NO_TIME: i64 = i64::MIN;

pub(crate) fn time(millis: i64) -> Result<SystemTime, Failure> {
    let distance = Duration::from_millis(millis.unsigned_abs());
    let moved = match millis < 0 {
        true => SystemTime::UNIX_EPOCH.checked_sub(distance),
        false => SystemTime::UNIX_EPOCH.checked_add(distance),
    };
    moved.ok_or_else(|| Failure::argument(format!("{millis} ms is no time this machine knows")))
}

pub(crate) fn time_or_none(millis: i64) -> Result<Option<SystemTime>, Failure> {
    if millis == FACEPRINT_NO_TIME { Ok(None) } else { time(millis).map(Some) }
}

pub(crate) fn millis(time: SystemTime) -> i64 {
    let whole = |duration: Duration| i64::try_from(duration.as_millis()).unwrap_or(i64::MAX);
    time.duration_since(SystemTime::UNIX_EPOCH).map_or_else(|error| -whole(error.duration()), whole)
}

pub(crate) fn millis_or_none(time: Option<SystemTime>) -> i64 {
    time.map_or(FACEPRINT_NO_TIME, millis)
}
