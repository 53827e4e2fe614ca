//! What opens a gallery.

use std::error::Error as StdError;
use std::ffi::c_void;
use std::sync::Arc;

use faceprint::{Access, KeyProvider};
use zeroize::Zeroizing;

use crate::boundary::{Growing, Items, Options, Out, Text, User, call, free};
use crate::error::{Failure, faceprint_error, faceprint_status};

/// A passphrase, a key, or a provider of keys.
pub struct faceprint_access(pub(crate) Access);

/// Where a key provider puts its answer.
pub struct faceprint_answer {
    bytes: Zeroizing<Vec<u8>>,
    refusal: Option<String>,
}

/// Encrypts `key` (32 bytes) and gives faceprint_answer_set the result, 1 to 65,536 bytes. Returns 0, or anything
/// else to refuse.
pub type faceprint_wrap_key = Option<
    unsafe extern "C-unwind" fn(
        user: *mut c_void,
        key: *const u8,
        answer: *mut faceprint_answer,
    ) -> i32,
>;

/// Decrypts `len` bytes that the other function made and gives faceprint_answer_set the 32 bytes of the key. Returns 0,
/// or anything else to refuse.
pub type faceprint_unwrap_key = Option<
    unsafe extern "C-unwind" fn(
        user: *mut c_void,
        wrapped: *const u8,
        len: usize,
        answer: *mut faceprint_answer,
    ) -> i32,
>;

/// Is told that `user` is not needed any more.
pub type faceprint_release = Option<unsafe extern "C-unwind" fn(user: *mut c_void)>;

/// A key that stays with a service or a chip; FACEPRINT_KEY_PROVIDER_INIT. Functions may be called from any thread.
#[repr(C)]
#[derive(Clone, Copy)]
#[allow(clippy::exhaustive_structs, reason = "C's; it grows by struct_size")]
pub struct faceprint_key_provider {
    /// sizeof(faceprint_key_provider).
    pub struct_size: usize,
    /// Given to the functions.
    pub user: *mut c_void,
    /// Encrypts a key.
    pub wrap: faceprint_wrap_key,
    /// Decrypts it.
    pub unwrap: faceprint_unwrap_key,
    /// May be NULL.
    pub release: faceprint_release,
}

/// A passphrase, its bytes as they are. A guess costs 64 MiB and three passes of Argon2id.
#[unsafe(no_mangle)]
pub extern "C" fn faceprint_access_passphrase(
    passphrase: Text,
    access: Out<*mut faceprint_access>,
    error: Out<*mut faceprint_error>,
) -> faceprint_status {
    call(error, || {
        let access = access.check("access")?;
        access.give(faceprint_access(Access::passphrase(passphrase.get("passphrase")?)));
        Ok(())
    })
}

/// A passphrase whose guesses cost `memory_kib` KiB (8,192 to 1,048,576), `passes` (1 to 10) and `lanes` (1 to 16) where a
/// slot is made with it.
#[unsafe(no_mangle)]
pub extern "C" fn faceprint_access_passphrase_with_cost(
    passphrase: Text,
    memory_kib: u32,
    passes: u32,
    lanes: u32,
    access: Out<*mut faceprint_access>,
    error: Out<*mut faceprint_error>,
) -> faceprint_status {
    call(error, || {
        let access = access.check("access")?;
        let passphrase = passphrase.get("passphrase")?;
        let made = Access::passphrase_with_cost(passphrase, memory_kib, passes, lanes)?;
        access.give(faceprint_access(made));
        Ok(())
    })
}

/// `len` = 32 random bytes that the caller keeps.
#[unsafe(no_mangle)]
pub extern "C" fn faceprint_access_key(
    key: Items<u8>,
    len: usize,
    access: Out<*mut faceprint_access>,
    error: Out<*mut faceprint_error>,
) -> faceprint_status {
    call(error, || {
        let access = access.check("access")?;
        let bytes = key.slice(len, "key")?;
        let key = <[u8; 32]>::try_from(bytes).map_err(|_| {
            Failure::argument(format!("a key has 32 bytes, this has {}", bytes.len()))
        })?;
        access.give(faceprint_access(Access::key(key)));
        Ok(())
    })
}

/// A provider. `release` is called when nothing needs it any more, galleries included; not when this fails.
#[unsafe(no_mangle)]
pub extern "C" fn faceprint_access_provider(
    provider: Options<faceprint_key_provider>,
    access: Out<*mut faceprint_access>,
    error: Out<*mut faceprint_error>,
) -> faceprint_status {
    call(error, || {
        let access = access.check("access")?;
        let provider = provider.read("provider")?;
        if provider.wrap.is_none() || provider.unwrap.is_none() {
            return Err(Failure::null("wrap or unwrap"));
        }
        let user = User(provider.user);
        let provider = Provider { user, calls: provider };
        access.give(faceprint_access(Access::provider(Arc::new(provider))));
        Ok(())
    })
}

/// The answer of a key provider: `len` bytes, which are copied.
#[unsafe(no_mangle)]
pub extern "C" fn faceprint_answer_set(
    answer: Option<&mut faceprint_answer>,
    bytes: Items<u8>,
    len: usize,
) {
    if let (Some(answer), Ok(bytes)) = (answer, bytes.slice(len, "bytes")) {
        answer.bytes = Zeroizing::new(bytes.to_vec());
    }
}

/// Why a key provider refuses, for the message of the error; the provider returns something else than 0 then.
#[unsafe(no_mangle)]
pub extern "C" fn faceprint_answer_refuse(answer: Option<&mut faceprint_answer>, why: Text) {
    if let (Some(answer), Ok(why)) = (answer, why.get("why")) {
        answer.refusal = Some(why.to_owned());
    }
}

/// Frees an access; its secret is wiped from memory.
#[unsafe(no_mangle)]
pub extern "C" fn faceprint_access_free(access: Option<Box<faceprint_access>>) {
    free(access);
}

// SAFETY: repr(C), `struct_size` first, then a pointer and optional functions, whose promise is the header's.
unsafe impl Growing for faceprint_key_provider {
    fn defaults() -> Self {
        Self {
            struct_size: size_of::<Self>(),
            user: std::ptr::null_mut(),
            wrap: None,
            unwrap: None,
            release: None,
        }
    }
}

struct Provider {
    user: User,
    calls: faceprint_key_provider,
}

// SAFETY: the pointer is only handed back, and the header says that the functions are called from any thread.
unsafe impl Send for Provider {}
// SAFETY: as above.
unsafe impl Sync for Provider {}

type Refused = Box<dyn StdError + Send + Sync>;

impl KeyProvider for Provider {
    fn wrap(&self, key: &[u8; 32]) -> Result<Vec<u8>, Refused> {
        let Some(wrap) = self.calls.wrap else { return Err("it has no function".into()) };
        // SAFETY: the function was given as one of this type; key and answer are valid while it runs.
        ask(|answer| unsafe { wrap(self.user.0, key.as_ptr(), answer) })
    }

    fn unwrap(&self, wrapped: &[u8]) -> Result<Vec<u8>, Refused> {
        let Some(unwrap) = self.calls.unwrap else { return Err("it has no function".into()) };
        // SAFETY: as above, with as many bytes as are said.
        ask(|answer| unsafe { unwrap(self.user.0, wrapped.as_ptr(), wrapped.len(), answer) })
    }
}

fn ask(call: impl FnOnce(*mut faceprint_answer) -> i32) -> Result<Vec<u8>, Refused> {
    let mut answer = faceprint_answer { bytes: Zeroizing::default(), refusal: None };
    let code = call(&raw mut answer);
    if code == 0 {
        return Ok(std::mem::take(&mut answer.bytes));
    }
    Err(answer.refusal.unwrap_or_else(|| format!("it returned {code}")).into())
}

impl Drop for Provider {
    fn drop(&mut self) {
        if let Some(release) = self.calls.release {
            // SAFETY: the function was given as one of this type, and this is its only call.
            unsafe { release(self.user.0) };
        }
    }
}
