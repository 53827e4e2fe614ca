//! Random calls with random arguments, NULLs and wrong lengths, and callbacks that fail and panic: whatever comes, it
//! comes back as a status. `FACEPRINT_THOROUGH=1` makes a million calls.

#![allow(clippy::unwrap_used, clippy::print_stderr, reason = "part of the tests only")]
#![allow(unsafe_code, reason = "what C does")]

use std::ffi::{CString, c_void};
use std::ptr::{null, null_mut};

use faceprint_ffi::*;

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
    files: usize,
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
        // SAFETY: a place on this stack, or NULL.
        let $out =
            unsafe { Out::new(if $world.below(40) == 0 { null_mut() } else { &raw mut made }) };
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
            files: 0,
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
                let progress = if self.below(2) == 0 { None } else { Some(progress as _) };
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

    fn new_access(&mut self) {
        let key = [self.below(3) as u8; 40];
        let len = [32, 32, 32, 0, 31, 40][self.below(6)];
        // SAFETY: 40 bytes, or NULL.
        let bytes = unsafe { Items::new(if self.below(9) == 0 { null() } else { key.as_ptr() }) };
        let mut provider = faceprint_key_provider {
            struct_size: size_of::<faceprint_key_provider>(),
            user: self.user(),
            wrap: Some(wrap),
            unwrap: Some(unwrap),
            release: Some(release),
        };
        provider.struct_size =
            [provider.struct_size, 8, 0, 7, usize::MAX][self.below(8).min(4) % 5];
        let by_provider = self.below(2) == 0;
        give!(self.accesses, faceprint_access_free, |out, error| {
            if by_provider {
                // SAFETY: a structure on this stack.
                faceprint_access_provider(unsafe { Options::new(&raw const provider) }, out, error)
            } else {
                faceprint_access_key(bytes, len, out, error)
            }
        });
    }

    fn new_gallery(&mut self) {
        self.files += 1;
        let number = if self.below(3) == 0 { self.below(self.files) } else { self.files };
        let path = CString::new(format!("{}/{number}", self.folder.path().display())).unwrap();
        // SAFETY: lives longer than the call.
        let path = unsafe { Text::new(path.as_ptr()) };
        let access = some!(self.accesses);
        let space = faceprint_space_id { bytes: [1; 32] };
        let space = if self.below(9) == 0 { None } else { Some(&space) };
        let create = self.below(3) > 0;
        give!(self.galleries, faceprint_gallery_free, |out, error| {
            if create {
                faceprint_gallery_create(path, access, space, out, error)
            } else {
                faceprint_gallery_open(path, access, out, error)
            }
        });
    }

    fn new_template(&mut self) {
        let mut values = [0.0_f32; 32];
        for value in &mut values {
            *value = self.below(2000) as f32 / 1000.0 - 1.0;
        }
        if self.below(9) == 0 {
            values[3] = f32::NAN;
        }
        let space = faceprint_space_id { bytes: [1 + (self.below(7) / 6) as u8; 32] };
        let len = [32, 32, 32, 32, 32, 0, 7, usize::MAX][self.below(8)];
        let null = self.below(9) == 0 || len > 32;
        // SAFETY: as many values as are said, or NULL.
        let items = unsafe { Items::new(if null { null_mut() } else { values.as_mut_ptr() }) };
        give!(self.templates, faceprint_template_free, |out, error| {
            faceprint_template_new(items, len, Some(&space), out, error)
        });
    }

    fn enroll(&mut self) {
        let (tenant, subject, template) = (some!(self.tenants), self.text(), some!(self.templates));
        let error = self.error();
        let mut enrollment = std::mem::MaybeUninit::uninit();
        // SAFETY: a place on this stack.
        let place = unsafe { Out::new(enrollment.as_mut_ptr()) };
        let status = match self.below(3) {
            0 => faceprint_tenant_replace(tenant, subject, template, place, error),
            _ => faceprint_tenant_enroll(tenant, subject, template, place, error),
        };
        self.settle(status);
    }

    fn search(&mut self) {
        let (tenant, probe) = (some!(self.tenants), some!(self.templates));
        let roster = [self.text(), self.text()];
        let query = faceprint_query {
            struct_size: [size_of::<faceprint_query>(), 16, 0, 9999][self.below(9).min(3)],
            limit: [1, 3, 0, usize::MAX][self.below(4)],
            at_least: [-1.0, 0.5, f32::NAN][self.below(3)],
            ambiguity_margin: 0.1,
            // SAFETY: two texts, or NULL.
            among: unsafe { Items::new(if self.below(2) == 0 { null() } else { roster.as_ptr() }) },
            among_len: self.below(3),
        };
        // SAFETY: a structure on this stack, or NULL.
        let query =
            unsafe { Options::new(if self.below(5) == 0 { null() } else { &raw const query }) };
        let mut verdict = 0;
        // SAFETY: a place on this stack.
        let place = unsafe { Out::new(&raw mut verdict) };
        let decide = self.below(2) == 0;
        list!(
            self,
            faceprint_hits,
            faceprint_hits_len,
            faceprint_hits_at,
            faceprint_hits_free,
            |out, error| {
                if decide {
                    faceprint_tenant_decide(tenant, probe, query, place, out, error)
                } else {
                    faceprint_tenant_identify(tenant, probe, query, out, error)
                }
            }
        );
    }

    fn import(&mut self) {
        let (tenant, signer) = (some!(self.tenants), self.text());
        let bytes = [7_u8; 64];
        // SAFETY: as many bytes as are said.
        let items = unsafe { Items::new(bytes.as_ptr()) };
        let (len, error) = (self.below(65), self.error());
        let status = faceprint_tenant_import_bundle(tenant, items, len, signer, Out::NULL, error);
        self.settle(status);
    }

    fn details(&mut self) {
        let (tenant, subject) = (some!(self.tenants), self.text());
        let details = faceprint_details {
            struct_size: size_of::<faceprint_details>(),
            metadata: self.text(),
            consent: [FACEPRINT_NO_TIME, 5, -5, i64::MAX][self.below(4)],
            expires_at: [FACEPRINT_NO_TIME, 4_102_444_800_000, i64::MIN + 1][self.below(3)],
        };
        let error = self.error();
        // SAFETY: a structure on this stack.
        let options = unsafe { Options::new(&raw const details) };
        let status = faceprint_tenant_set_details(tenant, subject, options, error);
        self.settle(status);
    }

    /// Pictures that are refused, and now and then a small one that is not.
    fn pictures(&mut self) {
        let bytes = [90_u8; 3 * 32 * 32];
        let sides = [0, 1, 31, 32, 33, 65_536, u32::MAX];
        let small = self.below(200) == 0;
        let image = faceprint_image {
            // SAFETY: as many bytes as are said, or NULL.
            data: unsafe { Items::new(if self.below(5) == 0 { null() } else { bytes.as_ptr() }) },
            len: if small { bytes.len() } else { self.below(100) },
            stride: [0, 0, 1, usize::MAX, 96][self.below(5)],
            width: sides[self.below(7)],
            height: sides[self.below(7)],
            format: self.number(),
            orientation: self.number(),
            planes: Items::NULL,
            plane_count: self.below(9),
        };
        // SAFETY: an engine.
        let engine = if self.below(9) == 0 { None } else { unsafe { self.engine.as_ref() } };
        let image = if self.below(9) == 0 { None } else { Some(&image) };
        list!(
            self,
            faceprint_detections,
            faceprint_detections_len,
            faceprint_detections_at,
            faceprint_detections_free,
            |out, error| { faceprint_engine_detect(engine, image, out, error) }
        );
    }

    fn outbox(&mut self) {
        if self.below(3) == 0 {
            self.files += 1;
            let path = format!("{}/{}", self.folder.path().display(), self.files);
            let path = CString::new(path).unwrap();
            // SAFETY: lives longer than the call.
            let path = unsafe { Text::new(path.as_ptr()) };
            let (access, mode, limit) = (some!(self.accesses), self.below(4) as u32, self.below(3));
            give!(self.outboxes, faceprint_outbox_free, |out, error| {
                faceprint_outbox_open(path, access, mode, limit as u64, 0, out, error)
            });
            return;
        }
        let event = faceprint_event {
            id: faceprint_event_id { bytes: [self.below(4) as u8; 16] },
            at: [0, i64::MAX, i64::MIN][self.below(3)],
            track: 1,
            bounds: faceprint_rect { x: f32::NAN, y: 0.0, width: -1.0, height: f32::INFINITY },
            quality: f32::NAN,
            similarity: 7.0,
            subject: self.text(),
            visitor: [3; 8],
        };
        let (outbox, error) = (some!(self.outboxes), self.error());
        let status = match self.below(2) {
            0 => faceprint_outbox_push(outbox, Some(&event), Out::NULL, Out::NULL, error),
            _ => faceprint_outbox_ack(outbox, Some(&event.id), Out::NULL, error),
        };
        self.settle(status);
    }

    fn keys(&mut self) {
        let (gallery, access) = (some!(self.galleries), some!(self.accesses));
        let error = self.error();
        let status = match self.below(3) {
            0 => faceprint_gallery_rotate_key(gallery, access, error),
            1 => faceprint_gallery_rekey(gallery, access, error),
            _ => faceprint_gallery_add_access(gallery, access, Out::NULL, error),
        };
        self.settle(status);
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

    fn below(&mut self, bound: usize) -> usize {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        (self.random >> 16) as usize % bound
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

unsafe extern "C-unwind" fn wrap(
    user: *mut c_void,
    key: *const u8,
    answer: *mut faceprint_answer,
) -> i32 {
    // SAFETY: as the header says: 32 bytes, and an answer.
    unsafe { answered(user, key, 32, answer) }
}

unsafe extern "C-unwind" fn unwrap(
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

unsafe extern "C-unwind" fn release(_: *mut c_void) {}

unsafe extern "C-unwind" fn progress(user: *mut c_void, done: usize, all: usize) {
    assert!(done <= all, "as asked");
    if user.addr() == 3 {
        panic!("as asked");
    }
}
