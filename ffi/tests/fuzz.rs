//! Random calls with random arguments, NULLs and wrong lengths, and callbacks that fail and panic: whatever comes, it
//! comes back as a status. `FACEPRINT_THOROUGH=1` makes a million calls.

#![allow(clippy::unwrap_used, clippy::print_stderr, reason = "part of the tests only")]
#![allow(unsafe_code, reason = "what C does")]

use std::ffi::{CString, c_void};
use std::ptr::{null, null_mut};

use faceprint_ffi::*;

#[path = "fuzz/callbacks.rs"]
mod callbacks;

const CALLS: usize = 30_000;
const THOROUGH: usize = 1_000_000;

#[test]
fn random_calls_come_back() {
    let thorough = std::env::var_os("FACEPRINT_THOROUGH").is_some();
    let calls = if thorough { THOROUGH } else { CALLS };
    // Panics of callbacks are expected, by the thousand.
    std::panic::set_hook(Box::new(|_| {}));
    let mut world = World::new(0x5eed);
    for _ in 0..calls {
        world.call();
    }
    let _ = std::panic::take_hook();
    let World { made, failed, panicked, .. } = &world;
    eprintln!("{calls} calls: {made} succeeded, {failed} failed, {panicked} of them by a panic");
    assert!(*made > calls / 8 && *failed > calls / 8 && *panicked > calls / 1000);
}

/// Objects of C, some of them NULL.
struct World {
    random: u64,
    folder: tempfile::TempDir,
    texts: Vec<CString>,
    error: *mut faceprint_error,
    engine: *mut faceprint_engine,
    pack: *mut faceprint_pack,
    accesses: Vec<*mut faceprint_access>,
    galleries: Vec<*mut faceprint_gallery>,
    tenants: Vec<*mut faceprint_tenant>,
    templates: Vec<*mut faceprint_template>,
    outboxes: Vec<*mut faceprint_outbox>,
    policies: Vec<*mut faceprint_policy>,
    made: usize,
    failed: usize,
    panicked: usize,
}

/// An object, or NULL.
macro_rules! some {
    ($world:ident . $pool:ident) => {{
        let len = $world.$pool.len();
        let at = $world.below(len + 1 + len / 8);
        // SAFETY: what is in a pool has not been freed.
        $world.$pool.get(at).and_then(|it| unsafe { it.as_ref() })
    }};
}

/// A call that may give an object to a pool, which it is taken from again when that is full.
macro_rules! give {
    ($world:ident . $pool:ident, $free:ident, |$out:ident, $error:ident| $call:expr) => {{
        let mut made = null_mut();
        let place = if $world.below(40) == 0 { null_mut() } else { &raw mut made };
        // SAFETY: a place on this stack, or NULL.
        let $out = unsafe { Out::new(place) };
        let $error = $world.error();
        let status = $call;
        $world.settle(status);
        assert_eq!(made.is_null(), status != faceprint_status::Ok);
        if !made.is_null() {
            $world.$pool.push(made);
        }
        if $world.$pool.len() > 12 {
            let at = $world.below($world.$pool.len());
            let gone = $world.$pool.swap_remove(at);
            // SAFETY: it came from the library and is in no pool any more.
            $free(Some(unsafe { Box::from_raw(gone) }));
        }
    }};
}

/// A call that gives a list, which is read and freed.
macro_rules! list {
    ($world:ident, $type:ty, $len:ident, $at:ident, $free:ident, |$out:ident, $error:ident| $call:expr) => {{
        let mut made: *mut $type = null_mut();
        // SAFETY: a place on this stack.
        let $out = unsafe { Out::new(&raw mut made) };
        let $error = $world.error();
        let status = $call;
        $world.settle(status);
        assert_eq!(made.is_null(), status != faceprint_status::Ok);
        // SAFETY: NULL, or a list of the library's.
        let list = unsafe { made.as_ref() };
        let len = $len(list);
        assert!($at(list, len).is_null() && $at(list, usize::MAX).is_null());
        assert!(len == 0 || !$at(list, $world.below(len)).is_null());
        if !made.is_null() {
            // SAFETY: it came from the library.
            $free(Some(unsafe { Box::from_raw(made) }));
        }
    }};
}

#[path = "fuzz/calls.rs"]
mod calls;

impl World {
    fn new(seed: u64) -> Self {
        let memory = std::path::Path::new("/dev/shm");
        let folder =
            if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() };
        let texts: [&[u8]; 14] = [
            b"",
            b"alice",
            b"bob",
            b"carol",
            b"acme",
            b"a\nb",
            b"\xff\xfe",
            "Zo\u{eb}".as_bytes(),
            b"{}",
            b"{\"a\":1}",
            &[b'x'; 256],
            &[b'a'; 80],
            &[b'0'; 64],
            b"device-00",
        ];
        let mut world = Self {
            random: seed,
            folder: folder.unwrap(),
            texts: texts.map(|it| CString::new(it).unwrap()).to_vec(),
            error: null_mut(),
            engine: null_mut(),
            pack: null_mut(),
            accesses: vec![],
            galleries: vec![],
            tenants: vec![],
            templates: vec![],
            outboxes: vec![],
            policies: vec![],
            made: 0,
            failed: 0,
            panicked: 0,
        };
        // SAFETY: places on this stack.
        let (pack, engine) =
            unsafe { (Out::new(&raw mut world.pack), Out::new(&raw mut world.engine)) };
        assert_eq!(faceprint_pack_bundled(pack, Out::NULL), faceprint_status::Ok);
        // SAFETY: just made.
        let pack = unsafe { world.pack.as_ref() };
        let status = faceprint_engine_new(pack, Options::NULL, engine, Out::NULL);
        assert_eq!(status, faceprint_status::Ok);
        world
    }

    fn call(&mut self) {
        match self.below(34) {
            0 => self.new_access(),
            1 => self.new_gallery(),
            2 | 3 => {
                let (gallery, id) = (some!(self.galleries), self.text());
                give!(self.tenants, faceprint_tenant_free, |out, error| {
                    faceprint_gallery_tenant(gallery, id, out, error)
                });
            }
            4..=7 => self.new_template(),
            8..=10 => self.enroll(),
            11..=13 => self.search(),
            14 => {
                let (tenant, subject) = (some!(self.tenants), self.text());
                let error = self.error();
                let status = faceprint_tenant_erase(tenant, subject, Out::NULL, error);
                self.settle(status);
            }
            15 => {
                let tenant = some!(self.tenants);
                list!(
                    self,
                    faceprint_strings,
                    faceprint_strings_len,
                    faceprint_strings_at,
                    faceprint_strings_free,
                    |out, error| { faceprint_tenant_subjects(tenant, out, error) }
                );
            }
            16 => {
                let gallery = some!(self.galleries);
                list!(
                    self,
                    faceprint_strings,
                    faceprint_strings_len,
                    faceprint_strings_at,
                    faceprint_strings_free,
                    |out, error| { faceprint_gallery_tenants(gallery, out, error) }
                );
            }
            17 => {
                let (tenant, cursor, limit) = (some!(self.tenants), self.text(), self.below(4));
                list!(
                    self,
                    faceprint_changes,
                    faceprint_changes_len,
                    faceprint_changes_at,
                    faceprint_changes_free,
                    |out, error| {
                        faceprint_tenant_changes_since(tenant, cursor, limit, out, error)
                    }
                );
            }
            18 => {
                let (tenant, id) = (some!(self.tenants), self.text());
                list!(
                    self,
                    faceprint_stored_templates,
                    faceprint_stored_templates_len,
                    faceprint_stored_templates_at,
                    faceprint_stored_templates_free,
                    |out, error| { faceprint_tenant_templates(tenant, id, out, error) }
                );
            }
            19 => {
                let (tenant, user) = (some!(self.tenants), self.user());
                let progress =
                    if self.below(2) == 0 { None } else { Some(callbacks::progress as _) };
                list!(
                    self,
                    faceprint_pairs,
                    faceprint_pairs_len,
                    faceprint_pairs_at,
                    faceprint_pairs_free,
                    |out, error| {
                        faceprint_tenant_find_duplicates(tenant, 0.1, progress, user, out, error)
                    }
                );
            }
            20 => self.import(),
            21 => self.details(),
            22..=24 => self.pictures(),
            25 => {
                let preset = self.number();
                give!(self.policies, faceprint_policy_free, |out, error| {
                    faceprint_policy_new(preset, out, error)
                });
            }
            26 => {
                let (policy, measure) = (some!(self.policies), self.number());
                let error = self.error();
                let status = faceprint_policy_at_least(policy, measure, f32::NAN, error);
                self.settle(status);
                let _ = faceprint_policy_minimum(policy, measure);
            }
            27 => self.outbox(),
            28 => self.keys(),
            29 => {
                let gallery = some!(self.galleries);
                list!(
                    self,
                    faceprint_slots,
                    faceprint_slots_len,
                    faceprint_slots_at,
                    faceprint_slots_free,
                    |out, error| { faceprint_gallery_slots(gallery, out, error) }
                );
            }
            30 => {
                let (tenant, recall) = (some!(self.tenants), [0.0, 0.9, f64::NAN][self.below(3)]);
                give!(self.tenants, faceprint_tenant_free, |out, error| {
                    faceprint_tenant_with_index(tenant, recall, out, error)
                });
            }
            31 => {
                let (a, b) = (some!(self.templates), some!(self.templates));
                let mut similarity = 9.0;
                let error = self.error();
                // SAFETY: a place on this stack.
                let place = unsafe { Out::new(&raw mut similarity) };
                let status = faceprint_template_similarity(a, b, place, error);
                self.settle(status);
                assert!(status != faceprint_status::Ok || (-1.0..=1.0).contains(&similarity));
            }
            32 => {
                let n = self.below(3);
                // SAFETY: an engine, or NULL.
                let pack = unsafe { self.pack.as_ref() };
                let mut threshold = 0.0;
                // SAFETY: a place on this stack.
                let place = unsafe { Out::new(&raw mut threshold) };
                let error = self.error();
                let fmr = [f64::NAN, 1e-3, -1.0][n];
                let status = faceprint_pack_threshold(pack, fmr, place, error);
                self.settle(status);
            }
            _ => {
                let (gallery, id) = (some!(self.galleries), self.text());
                let error = self.error();
                let status = match self.below(4) {
                    0 => faceprint_gallery_check_head(gallery, id, error),
                    1 => faceprint_gallery_erase_tenant(gallery, id, Out::NULL, error),
                    2 => faceprint_gallery_remove_access(gallery, 77, error),
                    _ => faceprint_gallery_check(gallery, error),
                };
                self.settle(status);
            }
        }
    }

    /// A place for an error, or none.
    fn error(&mut self) -> Out<*mut faceprint_error> {
        self.error = null_mut();
        let none = self.below(9) == 0;
        // SAFETY: a place in this object, which lives longer than the call.
        unsafe { Out::new(if none { null_mut() } else { &raw mut self.error }) }
    }

    fn settle(&mut self, status: faceprint_status) {
        let error = std::mem::replace(&mut self.error, null_mut());
        if status == faceprint_status::Ok {
            assert!(error.is_null());
            self.made += 1;
            return;
        }
        self.failed += 1;
        self.panicked += usize::from(status == faceprint_status::Internal);
        if !error.is_null() {
            // SAFETY: it came from the library.
            let error = unsafe { Box::from_raw(error) };
            assert_eq!(faceprint_error_status(Some(&error)), status);
            // SAFETY: a string of the error's.
            let message =
                unsafe { std::ffi::CStr::from_ptr(faceprint_error_message(Some(&error))) };
            let message = message.to_str().unwrap();
            assert!(message.len() > 5);
            let expected = message.contains("a callback that panicked: as asked");
            assert_eq!(status == faceprint_status::Internal, expected, "{message}");
            faceprint_error_free(Some(error));
        }
    }

    fn text(&mut self) -> Text {
        let at = self.below(self.texts.len() + 1);
        // SAFETY: the texts live as long as this.
        unsafe { Text::new(self.texts.get(at).map_or(null(), |it| it.as_ptr())) }
    }

    /// How callbacks behave: 0 well, then refusing, lying, panicking.
    fn user(&mut self) -> *mut c_void {
        std::ptr::without_provenance_mut([0, 0, 0, 1, 2, 3][self.below(6)])
    }

    fn number(&mut self) -> u32 {
        [0, 1, 2, 3, 7, 15, 16, u32::MAX][self.below(8)]
    }

    /// A byte below `bound`.
    fn byte(&mut self, bound: u8) -> u8 {
        u8::try_from(self.below(bound.into())).unwrap()
    }

    fn below(&mut self, bound: usize) -> usize {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        usize::try_from(self.random >> 32).unwrap() % bound
    }
}

impl Drop for World {
    fn drop(&mut self) {
        macro_rules! clear {
            ($pool:ident, $free:ident) => {
                for it in self.$pool.drain(..) {
                    // SAFETY: what is in a pool came from the library and has not been freed.
                    $free(Some(unsafe { Box::from_raw(it) }));
                }
            };
        }
        clear!(accesses, faceprint_access_free);
        clear!(galleries, faceprint_gallery_free);
        clear!(tenants, faceprint_tenant_free);
        clear!(templates, faceprint_template_free);
        clear!(outboxes, faceprint_outbox_free);
        clear!(policies, faceprint_policy_free);
        // SAFETY: as above.
        faceprint_engine_free(Some(unsafe { Box::from_raw(self.engine) }));
        // SAFETY: as above.
        faceprint_pack_free(Some(unsafe { Box::from_raw(self.pack) }));
    }
}
