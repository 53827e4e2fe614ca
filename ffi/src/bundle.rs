//! Bundles: some people, on a device, for a time.

use std::ffi::{CString, c_char};

use faceprint::gallery::{Bundle, BundleRequest, DeviceKey, Imported, SignerKey};

use crate::boundary::{
    FACEPRINT_NO_TIME, Growing, Items, Options, Out, Text, call, free, need, time,
};
use crate::changes::cursor;
use crate::error::{faceprint_error, faceprint_status};
use crate::gallery::faceprint_gallery;
use crate::search::subjects;
use crate::tenant::faceprint_tenant;
use crate::text::{c_string, faceprint_string, faceprint_strings};

/// Whom a bundle is for, until when, and who goes into it; FACEPRINT_BUNDLE_REQUEST_INIT.
#[repr(C)]
#[derive(Clone, Copy)]
#[allow(clippy::exhaustive_structs, reason = "C's; it grows by struct_size")]
pub struct faceprint_bundle_request {
    /// sizeof(faceprint_bundle_request).
    pub struct_size: usize,
    /// What faceprint_gallery_device_key gave on the device.
    pub device: Text,
    /// From when on the people are gone on the device.
    pub valid_until: i64,
    /// Only these; NULL for everybody.
    pub only: Items<Text>,
    /// How many.
    pub only_len: usize,
    /// Only what changed after faceprint_bundle_cursor of an earlier bundle; NULL for all.
    pub since: Text,
}

/// A bundle, ready to be sent.
pub struct faceprint_bundle {
    bundle: Bundle,
    cursor: CString,
    missing: faceprint_strings,
}

/// What an import did.
pub struct faceprint_imported {
    imported: Imported,
    conflicts: faceprint_strings,
}

/// What bundles for this gallery are encrypted to: "device-" and 64 digits. No secret.
#[unsafe(no_mangle)]
pub extern "C" fn faceprint_gallery_device_key(
    gallery: Option<&faceprint_gallery>,
    key: Out<*mut faceprint_string>,
    error: Out<*mut faceprint_error>,
) -> faceprint_status {
    call(error, || {
        let key = key.check("key")?;
        key.give(faceprint_string::new(need(gallery, "gallery")?.0.device_key()?));
        Ok(())
    })
}

/// What this gallery signs its bundles with: "signer-" and 64 digits. No secret.
#[unsafe(no_mangle)]
pub extern "C" fn faceprint_gallery_signer(
    gallery: Option<&faceprint_gallery>,
    key: Out<*mut faceprint_string>,
    error: Out<*mut faceprint_error>,
) -> faceprint_status {
    call(error, || {
        let key = key.check("key")?;
        key.give(faceprint_string::new(need(gallery, "gallery")?.0.signer()));
        Ok(())
    })
}

/// People of this tenant for one device: encrypted to it, signed by this gallery, for a time.
#[unsafe(no_mangle)]
pub extern "C" fn faceprint_tenant_export_bundle(
    tenant: Option<&faceprint_tenant>,
    request: Options<faceprint_bundle_request>,
    bundle: Out<*mut faceprint_bundle>,
    error: Out<*mut faceprint_error>,
) -> faceprint_status {
    call(error, || {
        let bundle = bundle.check("bundle")?;
        let given = request.read("request")?;
        let device: DeviceKey = given.device.get("device")?.parse()?;
        let mut request =
            BundleRequest::new(device, time(given.valid_until)?).since(cursor(given.since)?);
        if !given.only.is_null() {
            request = request.only(&subjects(given.only, given.only_len)?);
        }
        bundle.give(need(tenant, "tenant")?.tenant.export_bundle(&request)?.into());
        Ok(())
    })
}

/// Brings the people of a bundle in, all or none. `signer` is what faceprint_gallery_signer gave in the office.
/// `imported` may be NULL.
#[unsafe(no_mangle)]
pub extern "C" fn faceprint_tenant_import_bundle(
    tenant: Option<&faceprint_tenant>,
    bytes: Items<u8>,
    len: usize,
    signer: Text,
    imported: Out<*mut faceprint_imported>,
    error: Out<*mut faceprint_error>,
) -> faceprint_status {
    call(error, || {
        let signer: SignerKey = signer.get("signer")?.parse()?;
        let bytes = bytes.slice(len, "bytes")?;
        let done = need(tenant, "tenant")?.tenant.import_bundle(bytes, &signer)?;
        if let Ok(imported) = imported.check("imported") {
            let conflicts = faceprint_strings::new(&done.conflicts);
            imported.give(faceprint_imported { imported: done, conflicts });
        }
        Ok(())
    })
}

/// What the device is sent, and in `len` how many bytes.
#[unsafe(no_mangle)]
pub extern "C" fn faceprint_bundle_bytes(
    bundle: Option<&faceprint_bundle>,
    len: Out<usize>,
) -> *const u8 {
    let bytes = bundle.map_or(&[][..], |bundle| &bundle.bundle.bytes);
    if let Ok(len) = len.check("len") {
        len.put(bytes.len());
    }
    if bytes.is_empty() { std::ptr::null() } else { bytes.as_ptr() }
}

/// Where a delta to this bundle begins.
#[unsafe(no_mangle)]
pub extern "C" fn faceprint_bundle_cursor(bundle: Option<&faceprint_bundle>) -> *const c_char {
    bundle.map_or(std::ptr::null(), |bundle| bundle.cursor.as_ptr())
}

/// People in it.
#[unsafe(no_mangle)]
pub extern "C" fn faceprint_bundle_subjects(bundle: Option<&faceprint_bundle>) -> u64 {
    bundle.map_or(0, |bundle| bundle.bundle.subjects)
}

/// Marks of erased people in it.
#[unsafe(no_mangle)]
pub extern "C" fn faceprint_bundle_erased(bundle: Option<&faceprint_bundle>) -> u64 {
    bundle.map_or(0, |bundle| bundle.bundle.erased)
}

/// Who was asked for and is not enrolled.
#[unsafe(no_mangle)]
pub extern "C" fn faceprint_bundle_missing(
    bundle: Option<&faceprint_bundle>,
) -> *const faceprint_strings {
    bundle.map_or(std::ptr::null(), |bundle| &raw const bundle.missing)
}

/// Frees a bundle.
#[unsafe(no_mangle)]
pub extern "C" fn faceprint_bundle_free(bundle: Option<Box<faceprint_bundle>>) {
    free(bundle);
}

/// People who are new here.
#[unsafe(no_mangle)]
pub extern "C" fn faceprint_imported_added(imported: Option<&faceprint_imported>) -> u64 {
    imported.map_or(0, |it| it.imported.added)
}

/// People who were here, with another version or another time.
#[unsafe(no_mangle)]
pub extern "C" fn faceprint_imported_updated(imported: Option<&faceprint_imported>) -> u64 {
    imported.map_or(0, |it| it.imported.updated)
}

/// People who were here and went.
#[unsafe(no_mangle)]
pub extern "C" fn faceprint_imported_erased(imported: Option<&faceprint_imported>) -> u64 {
    imported.map_or(0, |it| it.imported.erased)
}

/// Entries that said nothing new.
#[unsafe(no_mangle)]
pub extern "C" fn faceprint_imported_unchanged(imported: Option<&faceprint_imported>) -> u64 {
    imported.map_or(0, |it| it.imported.unchanged)
}

/// Who was not brought in, because somebody of that name was here.
#[unsafe(no_mangle)]
pub extern "C" fn faceprint_imported_conflicts(
    imported: Option<&faceprint_imported>,
) -> *const faceprint_strings {
    imported.map_or(std::ptr::null(), |it| &raw const it.conflicts)
}

/// Frees what is known of an import.
#[unsafe(no_mangle)]
pub extern "C" fn faceprint_imported_free(imported: Option<Box<faceprint_imported>>) {
    free(imported);
}

// SAFETY: repr(C), `struct_size` first, then pointers and numbers.
unsafe impl Growing for faceprint_bundle_request {
    fn defaults() -> Self {
        Self {
            struct_size: size_of::<Self>(),
            device: Text::NULL,
            valid_until: FACEPRINT_NO_TIME,
            only: Items::NULL,
            only_len: 0,
            since: Text::NULL,
        }
    }
}

impl From<Bundle> for faceprint_bundle {
    fn from(bundle: Bundle) -> Self {
        let cursor = c_string(bundle.cursor);
        Self { cursor, missing: faceprint_strings::new(&bundle.missing), bundle }
    }
}
