//! Calls that take more than a line.

use std::ffi::CString;
use std::ptr::{null, null_mut};

use faceprint_ffi::*;

use super::World;
use super::callbacks::{release, unwrap, wrap};

impl World {
    pub(crate) fn new_access(&mut self) {
        let key = [self.byte(3); 40];
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

    pub(crate) fn new_gallery(&mut self) {
        let path = self.path();
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

    pub(crate) fn new_template(&mut self) {
        let mut values = [0.0_f32; 32];
        for value in &mut values {
            *value = f32::from(self.byte(200)) / 100.0 - 1.0;
        }
        if self.below(9) == 0 {
            values[3] = f32::NAN;
        }
        let space = faceprint_space_id { bytes: [1 + self.byte(7) / 6; 32] };
        let len = [32, 32, 32, 32, 32, 0, 7, usize::MAX][self.below(8)];
        let null = self.below(9) == 0 || len > 32;
        // SAFETY: as many values as are said, or NULL.
        let items = unsafe { Items::new(if null { null_mut() } else { values.as_mut_ptr() }) };
        give!(self.templates, faceprint_template_free, |out, error| {
            faceprint_template_new(items, len, Some(&space), out, error)
        });
    }

    pub(crate) fn enroll(&mut self) {
        let (tenant, subject, template) = (some!(self.tenants), self.text(), some!(self.templates));
        if self.below(3) == 0 {
            let details = self.some_details();
            let new = faceprint_new_template {
                subject,
                subject_template: template,
                quality: None,
                landmarks: None,
                // SAFETY: a structure on this stack, or NULL.
                details: unsafe {
                    Options::new(if self.below(3) == 0 { null() } else { &raw const details })
                },
            };
            let mut made = null_mut();
            // SAFETY: places on this stack.
            let (items, place) = unsafe { (Items::new(&raw const new), Out::new(&raw mut made)) };
            let error = self.error();
            let status =
                faceprint_tenant_enroll_all(tenant, items, 1, None, null_mut(), place, error);
            self.settle(status);
            // SAFETY: NULL, or a list of the library's.
            let list = unsafe { made.as_ref() };
            let len = faceprint_enrollments_near_misses_len(list, 0);
            assert!(faceprint_enrollments_near_misses_at(list, 0, len).is_null());
            assert!(len == 0 || !faceprint_enrollments_near_misses_at(list, 0, len - 1).is_null());
            if !made.is_null() {
                // SAFETY: it came from the library.
                faceprint_enrollments_free(Some(unsafe { Box::from_raw(made) }));
            }
            return;
        }
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

    pub(crate) fn search(&mut self) {
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

    pub(crate) fn import(&mut self) {
        let (tenant, signer) = (some!(self.tenants), self.text());
        let bytes = [7_u8; 64];
        // SAFETY: as many bytes as are said.
        let items = unsafe { Items::new(bytes.as_ptr()) };
        let (len, error) = (self.below(65), self.error());
        let status = faceprint_tenant_import_bundle(tenant, items, len, signer, Out::NULL, error);
        self.settle(status);
    }

    pub(crate) fn details(&mut self) {
        let (tenant, subject) = (some!(self.tenants), self.text());
        let details = self.some_details();
        let error = self.error();
        // SAFETY: a structure on this stack.
        let options = unsafe { Options::new(&raw const details) };
        let status = faceprint_tenant_set_details(tenant, subject, options, error);
        self.settle(status);
    }

    fn some_details(&mut self) -> faceprint_details {
        faceprint_details {
            struct_size: size_of::<faceprint_details>(),
            metadata: self.text(),
            consent: [FACEPRINT_NO_TIME, 5, -5, i64::MAX][self.below(4)],
            expires_at: [FACEPRINT_NO_TIME, 4_102_444_800_000, i64::MIN + 1][self.below(3)],
        }
    }

    /// Pictures that are refused, and now and then a small one that is not.
    pub(crate) fn pictures(&mut self) {
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

    pub(crate) fn outbox(&mut self) {
        if self.below(3) == 0 {
            let path = self.path();
            // SAFETY: lives longer than the call.
            let path = unsafe { Text::new(path.as_ptr()) };
            let (access, mode, limit) =
                (some!(self.accesses), u32::from(self.byte(4)), self.byte(3));
            give!(self.outboxes, faceprint_outbox_free, |out, error| {
                faceprint_outbox_open(path, access, mode, limit.into(), 0, out, error)
            });
            return;
        }
        let event = faceprint_event {
            id: faceprint_event_id { bytes: [self.byte(4); 16] },
            at: [0, i64::MAX, i64::MIN][self.below(3)],
            track: 1,
            bounds: faceprint_rect { x: f32::NAN, y: 0.0, width: -1.0, height: f32::INFINITY },
            quality: f32::NAN,
            similarity: 7.0,
            subject: self.text(),
            visitor: [3; 8],
            who: [0, 0, 1, 2, 3, u32::MAX][self.below(6)],
            liveness: faceprint_liveness { score: f32::NAN, threshold: -1.0 },
        };
        let outbox = some!(self.outboxes);
        if self.below(3) == 0 {
            let at_most = [0, 1, 7, usize::MAX][self.below(4)];
            list!(
                self,
                faceprint_events,
                faceprint_events_len,
                faceprint_events_at,
                faceprint_events_free,
                |out, error| { faceprint_outbox_peek(outbox, at_most, out, error) }
            );
            return;
        }
        let error = self.error();
        let status = match self.below(3) {
            0 => faceprint_outbox_push(outbox, Some(&event), Out::NULL, Out::NULL, error),
            1 => faceprint_outbox_erase(outbox, event.subject, Out::NULL, error),
            _ => faceprint_outbox_ack(outbox, Some(&event.id), Out::NULL, error),
        };
        self.settle(status);
    }

    pub(crate) fn keys(&mut self) {
        let (gallery, access) = (some!(self.galleries), some!(self.accesses));
        let error = self.error();
        let status = match self.below(3) {
            0 => faceprint_gallery_rotate_key(gallery, access, error),
            1 => faceprint_gallery_rekey(gallery, access, error),
            _ => faceprint_gallery_add_access(gallery, access, Out::NULL, error),
        };
        self.settle(status);
    }

    /// One of a few paths; what was there is often gone, whoever has it open.
    fn path(&mut self) -> CString {
        let number = self.below(40);
        let path = format!("{}/{number}", self.folder.path().display());
        if self.below(3) > 0 {
            for ending in ["", "-wal", "-shm"] {
                let _ = std::fs::remove_file(format!("{path}{ending}"));
            }
        }
        CString::new(path).unwrap()
    }
}
