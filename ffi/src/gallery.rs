//! A gallery: one encrypted file.

use std::ffi::c_void;
use std::time::{Duration, SystemTime};

use faceprint::gallery::{Erased, HeadToken, Memory, SpaceReport, Stranded};
use faceprint::{Gallery, SpaceId, TenantId};

use crate::access::faceprint_access;
use crate::boundary::{Flag, Out, Text, User, call, free, millis, need, time};
use crate::error::{Failure, faceprint_error, faceprint_status};
use crate::template::faceprint_space_id;
use crate::tenant::faceprint_tenant;
use crate::text::{List, faceprint_string, faceprint_strings};

/// People in one encrypted file.
pub struct faceprint_gallery(pub(crate) Gallery);

/// What a gallery holds of each template in memory.
#[repr(u32)]
#[derive(Clone, Copy, PartialEq, Eq)]
#[allow(clippy::exhaustive_enums, reason = "declared for C; calls take numbers")]
pub enum faceprint_memory {
    /// Its codes and its values.
    Full = 0,
    /// Its codes; the values that decide are read from the file. The answers are the same.
    Lean = 1,
}

/// What an erasure removed.
#[repr(C)]
#[derive(Clone, Copy)]
#[allow(clippy::exhaustive_structs, missing_docs, reason = "C's, and only read")]
pub struct faceprint_erased {
    pub subjects: u64,
    pub templates: u64,
}

/// What is in a gallery, by numbers.
#[repr(C)]
#[derive(Clone, Copy)]
#[allow(clippy::exhaustive_structs, reason = "C's, and only read")]
pub struct faceprint_info {
    /// The version of the file format.
    pub format: u32,
    /// Tenants.
    pub tenants: u64,
    /// Subjects of all tenants, expired ones too.
    pub subjects: u64,
    /// Templates of all tenants.
    pub templates: u64,
    /// Commits so far.
    pub sequence: u64,
    /// When the gallery was made.
    pub created_at: i64,
    /// Bytes of the file.
    pub bytes: u64,
    /// Of these, bytes that faceprint_gallery_compact would give back.
    pub free_bytes: u64,
}

/// How far a gallery or a tenant has come into a space.
#[repr(C)]
#[derive(Clone, Copy)]
#[allow(clippy::exhaustive_structs, reason = "C's, and only read")]
pub struct faceprint_space_report {
    /// The space.
    pub space: faceprint_space_id,
    /// Subjects with a template in it.
    pub subjects: u64,
    /// Subjects without one.
    pub lacking: u64,
    /// Templates in it.
    pub templates: u64,
}

/// Reports of spaces, oldest first.
pub struct faceprint_spaces(List<faceprint_space_report>);

/// Tells the time, for enrolment and expiry.
pub type faceprint_clock = Option<unsafe extern "C-unwind" fn(user: *mut c_void) -> i64>;

/// Makes a gallery at `path` that `access` opens and that accepts templates of `space`.
#[unsafe(no_mangle)]
pub extern "C" fn faceprint_gallery_create(
    path: Text,
    access: Option<&faceprint_access>,
    space: Option<&faceprint_space_id>,
    gallery: Out<*mut faceprint_gallery>,
    error: Out<*mut faceprint_error>,
) -> faceprint_status {
    call(error, || {
        let gallery = gallery.check("gallery")?;
        let space = SpaceId::from_bytes(need(space, "space")?.bytes);
        let access = &need(access, "access")?.0;
        gallery.give(faceprint_gallery(Gallery::create(path.get("path")?, access, space)?));
        Ok(())
    })
}

/// Opens the gallery at `path` and verifies that every row is there and is what it was.
#[unsafe(no_mangle)]
pub extern "C" fn faceprint_gallery_open(
    path: Text,
    access: Option<&faceprint_access>,
    gallery: Out<*mut faceprint_gallery>,
    error: Out<*mut faceprint_error>,
) -> faceprint_status {
    call(error, || {
        let gallery = gallery.check("gallery")?;
        let access = &need(access, "access")?.0;
        gallery.give(faceprint_gallery(Gallery::open(path.get("path")?, access)?));
        Ok(())
    })
}

/// The same without the possibility to change anything.
#[unsafe(no_mangle)]
pub extern "C" fn faceprint_gallery_open_read_only(
    path: Text,
    access: Option<&faceprint_access>,
    gallery: Out<*mut faceprint_gallery>,
    error: Out<*mut faceprint_error>,
) -> faceprint_status {
    call(error, || {
        let gallery = gallery.check("gallery")?;
        let access = &need(access, "access")?.0;
        gallery.give(faceprint_gallery(Gallery::open_read_only(path.get("path")?, access)?));
        Ok(())
    })
}

/// Another handle of the gallery, whose tenants hold of each template what a faceprint_memory says.
#[unsafe(no_mangle)]
pub extern "C" fn faceprint_gallery_with_memory(
    gallery: Option<&faceprint_gallery>,
    memory: u32,
    other: Out<*mut faceprint_gallery>,
    error: Out<*mut faceprint_error>,
) -> faceprint_status {
    call(error, || {
        let other = other.check("other")?;
        let gallery = need(gallery, "gallery")?.0.clone();
        other.give(faceprint_gallery(gallery.with_memory(of_number(memory)?)));
        Ok(())
    })
}

/// Bytes that a template of `dimension` values takes in memory by a faceprint_memory, the person beside it not counted.
#[unsafe(no_mangle)]
pub extern "C" fn faceprint_memory_bytes_per_template(
    memory: u32,
    dimension: usize,
    bytes: Out<usize>,
    error: Out<*mut faceprint_error>,
) -> faceprint_status {
    call(error, || {
        bytes.check("bytes")?.put(of_number(memory)?.bytes_per_template(dimension));
        Ok(())
    })
}

fn of_number(memory: u32) -> Result<Memory, Failure> {
    match memory {
        0 => Ok(Memory::Full),
        1 => Ok(Memory::Lean),
        other => Err(Failure::argument(format!("memory is {other}, must be 0 or 1"))),
    }
}

/// Another handle of the gallery, with a clock of the caller's, who keeps `user` until the handle and all tenants asked
/// of it are freed. The function may be called from any thread.
#[unsafe(no_mangle)]
pub extern "C" fn faceprint_gallery_with_clock(
    gallery: Option<&faceprint_gallery>,
    clock: faceprint_clock,
    user: *mut c_void,
    other: Out<*mut faceprint_gallery>,
    error: Out<*mut faceprint_error>,
) -> faceprint_status {
    call(error, || {
        let other = other.check("other")?;
        let clock = clock.ok_or_else(|| Failure::null("clock"))?;
        let user = User(user);
        let ask = move || {
            let User(user) = { user };
            // SAFETY: the function was given as one of this type, and the header says how long `user` lives.
            time(unsafe { clock(user) }).unwrap_or(SystemTime::UNIX_EPOCH)
        };
        other.give(faceprint_gallery(need(gallery, "gallery")?.0.clone().with_clock(ask)));
        Ok(())
    })
}

/// How long calls wait while another process writes; 5,000 by default.
#[unsafe(no_mangle)]
pub extern "C" fn faceprint_gallery_busy_timeout(
    gallery: Option<&faceprint_gallery>,
    milliseconds: u32,
    error: Out<*mut faceprint_error>,
) -> faceprint_status {
    call(error, || {
        let wait = Duration::from_millis(milliseconds.into());
        Ok(need(gallery, "gallery")?.0.busy_timeout(wait)?)
    })
}

/// The tenant `id`, which is made if it is not there yet and the gallery can be written.
#[unsafe(no_mangle)]
pub extern "C" fn faceprint_gallery_tenant(
    gallery: Option<&faceprint_gallery>,
    id: Text,
    tenant: Out<*mut faceprint_tenant>,
    error: Out<*mut faceprint_error>,
) -> faceprint_status {
    call(error, || {
        let tenant = tenant.check("tenant")?;
        let id: TenantId = id.get("id")?.parse()?;
        tenant.give(need(gallery, "gallery")?.0.tenant(&id)?.into());
        Ok(())
    })
}

/// The tenants there are, in order of their names' bytes.
#[unsafe(no_mangle)]
pub extern "C" fn faceprint_gallery_tenants(
    gallery: Option<&faceprint_gallery>,
    tenants: Out<*mut faceprint_strings>,
    error: Out<*mut faceprint_error>,
) -> faceprint_status {
    call(error, || {
        let tenants = tenants.check("tenants")?;
        tenants.give(faceprint_strings::new(need(gallery, "gallery")?.0.tenants()?));
        Ok(())
    })
}

/// Forgets a tenant with everybody in it. `erased` may be NULL.
#[unsafe(no_mangle)]
pub extern "C" fn faceprint_gallery_erase_tenant(
    gallery: Option<&faceprint_gallery>,
    id: Text,
    erased: Out<faceprint_erased>,
    error: Out<*mut faceprint_error>,
) -> faceprint_status {
    call(error, || {
        let id: TenantId = id.get("id")?.parse()?;
        tell(erased, need(gallery, "gallery")?.0.erase_tenant(&id)?);
        Ok(())
    })
}

/// What is in the gallery, by numbers.
#[unsafe(no_mangle)]
pub extern "C" fn faceprint_gallery_info(
    gallery: Option<&faceprint_gallery>,
    info: Out<faceprint_info>,
    error: Out<*mut faceprint_error>,
) -> faceprint_status {
    call(error, || {
        let info = info.check("info")?;
        let known = need(gallery, "gallery")?.0.info()?;
        info.put(faceprint_info {
            format: known.format.into(),
            tenants: known.tenants,
            subjects: known.subjects,
            templates: known.templates,
            sequence: known.sequence,
            created_at: millis(known.created_at),
            bytes: known.bytes,
            free_bytes: known.free_bytes,
        });
        Ok(())
    })
}

/// The spaces the gallery accepts, oldest first, and who is in them.
#[unsafe(no_mangle)]
pub extern "C" fn faceprint_gallery_spaces(
    gallery: Option<&faceprint_gallery>,
    spaces: Out<*mut faceprint_spaces>,
    error: Out<*mut faceprint_error>,
) -> faceprint_status {
    call(error, || {
        let spaces = spaces.check("spaces")?;
        spaces.give(faceprint_spaces::new(need(gallery, "gallery")?.0.spaces()?));
        Ok(())
    })
}

/// Accepts templates of `space` too.
#[unsafe(no_mangle)]
pub extern "C" fn faceprint_gallery_add_space(
    gallery: Option<&faceprint_gallery>,
    space: Option<&faceprint_space_id>,
    error: Out<*mut faceprint_error>,
) -> faceprint_status {
    call(error, || {
        let space = SpaceId::from_bytes(need(space, "space")?.bytes);
        Ok(need(gallery, "gallery")?.0.add_space(space)?)
    })
}

/// Accepts `space` no more and removes the templates in it. When somebody has templates in that space only, nothing is
/// done, unless `strand` says that they may stay without.
#[unsafe(no_mangle)]
pub extern "C" fn faceprint_gallery_remove_space(
    gallery: Option<&faceprint_gallery>,
    space: Option<&faceprint_space_id>,
    strand: Flag,
    error: Out<*mut faceprint_error>,
) -> faceprint_status {
    call(error, || {
        let space = SpaceId::from_bytes(need(space, "space")?.bytes);
        let stranded = if strand == 0 { Stranded::Refuse } else { Stranded::Keep };
        Ok(need(gallery, "gallery")?.0.remove_space(space, stranded)?)
    })
}

/// Reads and opens everything there is.
#[unsafe(no_mangle)]
pub extern "C" fn faceprint_gallery_check(
    gallery: Option<&faceprint_gallery>,
    error: Out<*mut faceprint_error>,
) -> faceprint_status {
    call(error, || Ok(need(gallery, "gallery")?.0.check()?))
}

/// Removes every byte of what was erased and gives the room back.
#[unsafe(no_mangle)]
pub extern "C" fn faceprint_gallery_compact(
    gallery: Option<&faceprint_gallery>,
    error: Out<*mut faceprint_error>,
) -> faceprint_status {
    call(error, || Ok(need(gallery, "gallery")?.0.compact()?))
}

/// Writes a copy of the gallery as it is now to `path`.
#[unsafe(no_mangle)]
pub extern "C" fn faceprint_gallery_backup(
    gallery: Option<&faceprint_gallery>,
    path: Text,
    error: Out<*mut faceprint_error>,
) -> faceprint_status {
    call(error, || Ok(need(gallery, "gallery")?.0.backup(path.get("path")?)?))
}

/// A token of the state the gallery is in, to be kept elsewhere.
#[unsafe(no_mangle)]
pub extern "C" fn faceprint_gallery_head(
    gallery: Option<&faceprint_gallery>,
    head: Out<*mut faceprint_string>,
    error: Out<*mut faceprint_error>,
) -> faceprint_status {
    call(error, || {
        let head = head.check("head")?;
        head.give(faceprint_string::new(need(gallery, "gallery")?.0.head()?));
        Ok(())
    })
}

/// Whether the gallery is as new as it was when `head` was taken; FACEPRINT_STATUS_INTEGRITY when it is not.
#[unsafe(no_mangle)]
pub extern "C" fn faceprint_gallery_check_head(
    gallery: Option<&faceprint_gallery>,
    head: Text,
    error: Out<*mut faceprint_error>,
) -> faceprint_status {
    call(error, || {
        let head: HeadToken = head.get("head")?.parse()?;
        Ok(need(gallery, "gallery")?.0.check_head(&head)?)
    })
}

/// Frees a handle of a gallery; the file is closed with the last one, those of tenants included.
#[unsafe(no_mangle)]
pub extern "C" fn faceprint_gallery_free(gallery: Option<Box<faceprint_gallery>>) {
    free(gallery);
}

/// How many spaces there are.
#[unsafe(no_mangle)]
pub extern "C" fn faceprint_spaces_len(spaces: Option<&faceprint_spaces>) -> usize {
    List::len(spaces.map(|it| &it.0))
}

/// One of them; NULL from the length on.
#[unsafe(no_mangle)]
pub extern "C" fn faceprint_spaces_at(
    spaces: Option<&faceprint_spaces>,
    index: usize,
) -> *const faceprint_space_report {
    List::at(spaces.map(|it| &it.0), index)
}

/// Frees a list.
#[unsafe(no_mangle)]
pub extern "C" fn faceprint_spaces_free(spaces: Option<Box<faceprint_spaces>>) {
    free(spaces);
}

impl faceprint_spaces {
    pub(crate) fn new(reports: Vec<SpaceReport>) -> Self {
        let shown = reports.into_iter().map(|it| faceprint_space_report {
            space: it.space.into(),
            subjects: it.subjects,
            lacking: it.lacking,
            templates: it.templates,
        });
        Self(List::new(shown.collect(), Vec::new()))
    }
}

/// To whoever wants to know.
pub(crate) fn tell(place: Out<faceprint_erased>, erased: Erased) {
    if let Ok(place) = place.check("erased") {
        place.put(faceprint_erased { subjects: erased.subjects, templates: erased.templates });
    }
}
