//! Bundles from an office to a device: what they bring, and what is refused.
#![cfg(feature = "gallery")]
#![allow(clippy::unwrap_used)]

#[path = "common/gallery.rs"]
#[allow(dead_code, unreachable_pub)]
mod common;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use common::*;
use faceprint::gallery::{
    Bundle, BundleRequest, Cursor, Details, DeviceKey, EnrollPolicy, Imported, NewTemplate,
};
use faceprint::vector::{Embedding, Template};
use faceprint::{Error, ErrorKind, Gallery, Query, Tenant};
use tempfile::TempDir;

const START: u64 = 1_000_000;

/// An office, a device, and one clock for both.
struct Scene {
    _folder: TempDir,
    seconds: Arc<AtomicU64>,
    office: Gallery,
    device: Gallery,
    people: Tenant,
    door: Tenant,
}

impl Scene {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let seconds = Arc::new(AtomicU64::new(START));
        let make = |name: &str, secret| {
            let now = Arc::clone(&seconds);
            let path = folder.path().join(name);
            let gallery = Gallery::create(path, &key(secret), space(1)).unwrap();
            gallery.with_clock(move || UNIX_EPOCH + Duration::from_secs(now.load(Ordering::SeqCst)))
        };
        let (office, device) = (make("office", 1), make("device", 2));
        let lax = EnrollPolicy::default().duplicate_at(None);
        let people = office.tenant(&tenant_id("people")).unwrap().with_policy(lax);
        let door = device.tenant(&tenant_id("door")).unwrap();
        Self { _folder: folder, seconds, office, device, people, door }
    }

    fn request(&self, seconds: u64) -> BundleRequest {
        BundleRequest::new(self.device.device_key().unwrap(), time(seconds))
    }

    fn export(&self) -> Bundle {
        self.people.export_bundle(&self.request(100)).unwrap()
    }

    fn since(&self, cursor: Cursor) -> Bundle {
        self.people.export_bundle(&self.request(100).since(cursor)).unwrap()
    }

    fn import(&self, bundle: &Bundle) -> Imported {
        let imported = self.door.import_bundle(&bundle.bytes, &self.office.signer()).unwrap();
        self.device.check().unwrap();
        imported
    }

    fn refused(&self, bytes: &[u8]) -> Error {
        let before = self.device.head().unwrap();
        let error = self.door.import_bundle(bytes, &self.office.signer()).unwrap_err();
        assert_eq!(self.device.head().unwrap(), before, "a refused bundle changes nothing");
        error
    }
}

/// So many seconds after the start.
fn time(seconds: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(START + seconds)
}

/// Added, updated, erased, unchanged, conflicts.
fn counts(imported: &Imported) -> [u64; 5] {
    let Imported { added, updated, erased, unchanged, .. } = *imported;
    [added, updated, erased, unchanged, imported.conflicts.len() as u64]
}

#[test]
fn a_bundle_brings_people_with_all_they_have() {
    let scene = Scene::new();
    scene.office.add_space(space(2)).unwrap();
    scene.device.add_space(space(2)).unwrap();
    let template = template(1);
    let known = NewTemplate::from(&template).quality(0.5);
    added(scene.people.enroll(&id(1), known).unwrap());
    added(scene.people.enroll(&id(1), &template_in(space(2), 1)).unwrap());
    let details = Details {
        metadata: Some("{\"floor\": 3}".into()),
        consent: Some(time(0)),
        expires_at: Some(time(50)),
    };
    scene.people.set_details(&id(1), &details).unwrap();
    added(scene.people.enroll(&id(2), &self::template(2)).unwrap());
    added(scene.people.enroll(&id(3), &self::template(3)).unwrap());
    let roster = [id(77), id(1), id(2)];
    let bundle = scene.people.export_bundle(&scene.request(100).only(&roster)).unwrap();
    assert_eq!((bundle.subjects, bundle.erased, &bundle.missing[..]), (2, 0, &[id(77)][..]));
    assert_eq!(counts(&scene.import(&bundle)), [2, 0, 0, 0, 0]);
    assert_eq!(counts(&scene.import(&bundle)), [0, 0, 0, 2, 0]);
    assert_eq!(scene.door.subjects().unwrap(), [id(1), id(2)]);
    let subject = scene.door.subject(&id(1)).unwrap();
    assert_eq!(subject.details, details);
    assert_eq!(subject.enrolled_at, scene.people.subject(&id(1)).unwrap().enrolled_at);
    assert_eq!(scene.door.templates(&id(1)).unwrap(), scene.people.templates(&id(1)).unwrap());
    let hits = scene.door.identify(&self::template(2), &Query::top(1).at_least(0.9)).unwrap();
    assert_eq!(hits[0].subject, id(2));
    // The earlier of both times ends it, whatever is done to the details here.
    assert_eq!(scene.door.subject(&id(2)).unwrap().details.expires_at, Some(time(100)));
    for wanted in [None, Some(time(900))] {
        let wanted = Details { expires_at: wanted, ..Details::default() };
        scene.door.set_details(&id(2), &wanted).unwrap();
        assert_eq!(scene.door.subject(&id(2)).unwrap().details.expires_at, Some(time(100)));
    }
    scene.seconds.store(START + 50, Ordering::SeqCst);
    assert_eq!(scene.door.subjects().unwrap(), [id(2)]);
    scene.seconds.store(START + 100, Ordering::SeqCst);
    assert!(scene.door.subjects().unwrap().is_empty());
    assert!(scene.door.identify(&self::template(2), &Query::top(1)).unwrap().is_empty());
}

#[test]
fn deltas_carry_what_changed_and_who_was_erased() {
    let scene = Scene::new();
    for number in 0..4 {
        added(scene.people.enroll(&id(number), &template(number)).unwrap());
    }
    let full = scene.export();
    assert_eq!(counts(&scene.import(&full)), [4, 0, 0, 0, 0]);
    let reference = scene.door.subject(&id(0)).unwrap().reference;
    scene.people.replace(&id(0), &template(100)).unwrap();
    scene.people.erase(&id(1)).unwrap();
    added(scene.people.enroll(&id(9), &template(9)).unwrap());
    let delta = scene.since(full.cursor);
    assert_eq!((delta.subjects, delta.erased), (2, 1));
    assert!(delta.bytes.len() < full.bytes.len());
    assert_eq!(counts(&scene.import(&delta)), [1, 1, 1, 0, 0]);
    assert_eq!(scene.door.subjects().unwrap(), [id(0), id(2), id(3), id(9)]);
    assert_eq!(
        scene.door.subject(&id(0)).unwrap().reference,
        reference,
        "an update is no new person"
    );
    assert!(scene.door.identify(&template(0), &Query::top(1).at_least(0.9)).unwrap().is_empty());
    // The old bundle comes again: nobody is resurrected, nothing goes back.
    assert_eq!(counts(&scene.import(&full)), [0, 0, 0, 4, 0]);
    assert_eq!(scene.door.subjects().unwrap(), [id(0), id(2), id(3), id(9)]);
    let nothing = scene.since(delta.cursor);
    assert_eq!((nothing.subjects, nothing.erased, nothing.cursor), (0, 0, delta.cursor));
    assert_eq!(counts(&scene.import(&nothing)), [0; 5]);
    // Another office tenant's cursor is none of this one.
    let other = scene.office.tenant(&tenant_id("others")).unwrap();
    let error = other.export_bundle(&scene.request(9).since(delta.cursor)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::WrongCursor);
}

#[test]
fn a_name_that_moved_to_another_row_is_one_person_in_any_order() {
    let scene = Scene::new();
    added(scene.people.enroll(&id(1), &template(1)).unwrap());
    let first = scene.export();
    scene.people.erase(&id(1)).unwrap();
    let gone = scene.since(first.cursor);
    added(scene.people.enroll(&id(1), &template(2)).unwrap());
    let second = scene.since(gone.cursor);
    // The news of the erasure is late, or lost.
    scene.import(&first);
    assert_eq!(counts(&scene.import(&second)), [1, 0, 1, 0, 0]);
    assert_eq!(bits(&scene.door.templates(&id(1)).unwrap()[0].template), bits(&template(2)));
    assert_eq!(counts(&scene.import(&gone)), [0, 0, 0, 1, 0]);
    assert_eq!(counts(&scene.import(&first)), [0, 0, 0, 1, 0]);
    // The first enrolment comes after the second.
    let again = Scene { door: scene.device.tenant(&tenant_id("back door")).unwrap(), ..scene };
    assert_eq!(counts(&again.import(&second)), [1, 0, 0, 0, 0]);
    assert_eq!(counts(&again.import(&first)), [0, 0, 0, 1, 0]);
    assert_eq!(counts(&again.import(&gone)), [0, 0, 0, 1, 0]);
    assert_eq!(bits(&again.door.templates(&id(1)).unwrap()[0].template), bits(&template(2)));
}

#[test]
fn what_happens_on_the_device_is_respected() {
    let scene = Scene::new();
    for number in 0..3 {
        added(scene.people.enroll(&id(number), &template(number)).unwrap());
    }
    // Somebody of that name is enrolled here already: the local one stays.
    added(scene.door.enroll(&id(0), &template(50)).unwrap());
    let full = scene.export();
    let imported = scene.import(&full);
    assert_eq!(counts(&imported), [2, 0, 0, 0, 1]);
    assert_eq!(imported.conflicts, [id(0)]);
    assert_eq!(bits(&scene.door.templates(&id(0)).unwrap()[0].template), bits(&template(50)));
    scene.door.erase(&id(0)).unwrap();
    assert_eq!(counts(&scene.import(&full)), [1, 0, 0, 2, 0]);
    // Erased here: the same version does not come back, a newer one does.
    scene.door.erase(&id(1)).unwrap();
    let longer = scene.people.export_bundle(&scene.request(200)).unwrap();
    assert_eq!(counts(&scene.import(&longer)), [0, 2, 0, 1, 0], "the others live longer");
    assert_eq!(scene.door.subjects().unwrap(), [id(0), id(2)]);
    scene.people.set_details(&id(1), &Details::default()).unwrap();
    assert_eq!(counts(&scene.import(&scene.export())), [1, 0, 0, 2, 0]);
    // Changed here: it lasts until they change at the office.
    scene.door.enroll(&id(2), &template(60)).unwrap();
    assert_eq!(counts(&scene.import(&full)), [0, 0, 0, 3, 0]);
    assert_eq!(scene.door.templates(&id(2)).unwrap().len(), 2);
    scene.people.set_details(&id(2), &Details::default()).unwrap();
    assert_eq!(counts(&scene.import(&scene.export())), [0, 1, 0, 2, 0]);
    assert_eq!(scene.door.templates(&id(2)).unwrap().len(), 1);
    // Another office with the same name: first come, first kept.
    let elsewhere = Scene::new();
    added(elsewhere.people.enroll(&id(2), &template(70)).unwrap());
    let request = scene.request(100);
    let foreign = elsewhere.people.export_bundle(&request).unwrap();
    let imported = scene.door.import_bundle(&foreign.bytes, &elsewhere.office.signer()).unwrap();
    assert_eq!((counts(&imported), &imported.conflicts[..]), ([0, 0, 0, 0, 1], &[id(2)][..]));
}

#[test]
fn time_is_renewed_and_the_expired_leave_no_trace_that_hurts() {
    let scene = Scene::new();
    added(scene.people.enroll(&id(1), &template(1)).unwrap());
    added(scene.people.enroll(&id(2), &template(2)).unwrap());
    let monday = scene.people.export_bundle(&scene.request(10)).unwrap();
    let friday = scene.people.export_bundle(&scene.request(50)).unwrap();
    scene.import(&friday);
    assert_eq!(counts(&scene.import(&monday)), [0, 0, 0, 2, 0], "nobody's time is cut");
    scene.seconds.store(START + 50, Ordering::SeqCst);
    assert!(scene.door.subjects().unwrap().is_empty());
    // One is purged, one is not; a new bundle of the same versions brings both back.
    assert_eq!(scene.door.purge_expired().unwrap().subjects, 2);
    assert_eq!(counts(&scene.import(&scene.export())), [2, 0, 0, 0, 0]);
    scene.seconds.store(START + 100, Ordering::SeqCst);
    assert!(scene.door.subjects().unwrap().is_empty());
    let next = scene.people.export_bundle(&scene.request(200)).unwrap();
    assert_eq!(counts(&scene.import(&next)), [0, 2, 0, 0, 0]);
    // Whose own time is over at the office comes as erased.
    let over = Details { expires_at: Some(time(150)), ..Details::default() };
    scene.people.set_details(&id(1), &over).unwrap();
    let ends = scene.people.export_bundle(&scene.request(300)).unwrap();
    scene.seconds.store(START + 150, Ordering::SeqCst);
    let gone = scene.people.export_bundle(&scene.request(300)).unwrap();
    assert_eq!((gone.subjects, gone.erased), (1, 1));
    assert_eq!(counts(&scene.import(&gone)), [0, 1, 1, 0, 0]);
    assert_eq!(counts(&scene.import(&ends)), [0, 0, 0, 2, 0]);
    // A new person under an expired import's name.
    scene.seconds.store(START + 300, Ordering::SeqCst);
    added(scene.door.enroll(&id(2), &template(80)).unwrap());
    let next = scene.people.export_bundle(&scene.request(400)).unwrap();
    assert_eq!(scene.import(&next).conflicts, [id(2)]);
}

#[test]
fn every_refusal_is_told_apart_and_changes_nothing() {
    let scene = Scene::new();
    added(scene.people.enroll(&id(1), &template(1)).unwrap());
    let bundle = scene.export();
    let kind = |bytes: &[u8]| scene.refused(bytes).kind();
    for cut in [0, 7, 81, 82, 146, bundle.bytes.len() - 1] {
        assert_eq!(kind(&bundle.bytes[..cut]), ErrorKind::BundleDamaged, "{cut}");
    }
    assert_eq!(kind(&[&bundle.bytes[..], &[0]].concat()), ErrorKind::BundleDamaged);
    assert_eq!(kind(&vec![0; (256 << 20) + 1]), ErrorKind::LimitReached);
    let mut later = bundle.bytes.clone();
    later[9] = 2;
    assert_eq!(kind(&later), ErrorKind::GalleryVersion);
    let other = Scene::new();
    added(other.people.enroll(&id(2), &template(2)).unwrap());
    let foreign = other.people.export_bundle(&scene.request(100)).unwrap();
    assert_eq!(kind(&foreign.bytes), ErrorKind::BundleSigner);
    let request = BundleRequest::new(other.device.device_key().unwrap(), time(100));
    let astray = scene.people.export_bundle(&request).unwrap();
    assert_eq!(kind(&astray.bytes), ErrorKind::BundleDevice);
    scene.seconds.store(START + 100, Ordering::SeqCst);
    assert_eq!(kind(&bundle.bytes), ErrorKind::BundleExpired);
    let error = scene.people.export_bundle(&scene.request(100)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidArgument);
    let nowhere: DeviceKey = format!("device-{}", "0".repeat(64)).parse().unwrap();
    let request = BundleRequest::new(nowhere, time(200));
    let error = scene.people.export_bundle(&request).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidArgument, "a key of low order");
    scene.seconds.store(START, Ordering::SeqCst);
    // Spaces and lengths the device does not have: all or nothing.
    scene.office.add_space(space(2)).unwrap();
    added(scene.people.enroll(&id(2), &template_in(space(2), 2)).unwrap());
    assert_eq!(kind(&scene.export().bytes), ErrorKind::SpaceMismatch);
    scene.people.erase(&id(2)).unwrap();
    let short = Template::new(Embedding::normalize(vec![1.0, 2.0]).unwrap(), space(1));
    let narrow = scene.device.tenant(&tenant_id("narrow door")).unwrap();
    added(narrow.enroll(&id(7), &short).unwrap());
    let error = narrow.import_bundle(&scene.export().bytes, &scene.office.signer()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::SpaceMismatch);
    // Keys change with a rekey, and only then.
    let keys = (scene.device.device_key().unwrap(), scene.office.signer());
    scene.device.rotate_key(&key(3)).unwrap();
    scene.office.rotate_key(&key(4)).unwrap();
    assert_eq!((scene.device.device_key().unwrap(), scene.office.signer()), keys);
    let before = scene.export();
    scene.device.rekey(&key(3)).unwrap();
    assert_ne!(scene.device.device_key().unwrap(), keys.0);
    assert_eq!(kind(&before.bytes), ErrorKind::BundleDevice);
    let before = scene.export();
    scene.office.rekey(&key(4)).unwrap();
    assert_eq!(kind(&before.bytes), ErrorKind::BundleSigner);
    assert_eq!(counts(&scene.import(&scene.export())), [1, 0, 0, 1, 0]);
    scene.device.rekey(&key(3)).unwrap();
    scene.office.rekey(&key(4)).unwrap();
    assert_eq!(counts(&scene.import(&scene.export())), [0, 0, 0, 2, 0], "origins outlive a rekey");
}

#[test]
fn no_flipped_byte_is_accepted() {
    let scene = Scene::new();
    let small = Template::new(Embedding::normalize(vec![1.0, 2.0, 3.0]).unwrap(), space(1));
    added(scene.people.enroll(&id(1), &small).unwrap());
    added(scene.people.enroll(&id(2), &small).unwrap());
    scene.people.erase(&id(2)).unwrap();
    let bundle = scene.export();
    for at in 0..bundle.bytes.len() {
        for bit in [1, 0x80] {
            let mut flipped = bundle.bytes.clone();
            flipped[at] ^= bit;
            let kind = scene.refused(&flipped).kind();
            let expected = match at {
                8..10 => ErrorKind::GalleryVersion,
                10..42 => ErrorKind::BundleSigner,
                _ => ErrorKind::BundleDamaged,
            };
            assert_eq!(kind, expected, "byte {at}");
        }
    }
    println!("{} bytes flipped twice, all refused", bundle.bytes.len());
    assert_eq!(counts(&scene.import(&bundle)), [1, 0, 0, 1, 0]);
}

#[test]
fn a_bundle_shows_nothing_of_who_is_in_it() {
    let scene = Scene::new();
    let name = "Maximiliane-Charlotte".parse().unwrap();
    added(scene.people.enroll(&name, &template(1)).unwrap());
    let details =
        Details { metadata: Some("\"a diagnosis of some length\"".into()), ..Details::default() };
    scene.people.set_details(&name, &details).unwrap();
    let (bundle, again) = (scene.export(), scene.export());
    let values: Vec<u8> =
        template(1).embedding().as_slice().iter().flat_map(|it| it.to_le_bytes()).collect();
    for secret in [name.as_str().as_bytes(), b"a diagnosis of some", &values] {
        let window = &secret[..16];
        assert!(!bundle.bytes.windows(16).any(|it| it == window));
    }
    // Two bundles of the same people share their clear header and nothing else.
    let shared =
        bundle.bytes[82..].windows(8).filter(|it| again.bytes[82..].windows(8).any(|o| o == *it));
    assert_eq!(shared.count(), 0);
    let printed = format!("{bundle:?} {:?}", scene.request(5).only([&name]));
    assert!(!printed.contains("Max"), "{printed}");
}

#[test]
fn erasing_the_tenant_forgets_what_was_known_of_the_office() {
    let scene = Scene::new();
    added(scene.people.enroll(&id(1), &template(1)).unwrap());
    let bundle = scene.export();
    scene.import(&bundle);
    scene.door.erase(&id(1)).unwrap();
    scene.device.erase_tenant(&tenant_id("door")).unwrap();
    scene.device.check().unwrap();
    let again = Scene { door: scene.device.tenant(&tenant_id("door")).unwrap(), ..scene };
    assert_eq!(counts(&again.import(&bundle)), [1, 0, 0, 0, 0]);
}

/// Numbers of rows mean other people after an office went back to a backup: the manual says to begin anew, and who
/// does not gets old people, not mixed ones.
#[test]
fn an_office_that_went_back_mixes_nobody_up() {
    let scene = Scene::new();
    added(scene.people.enroll(&id(1), &template(1)).unwrap());
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("yesterday");
    scene.office.backup(&path).unwrap();
    added(scene.people.enroll(&id(2), &template(2)).unwrap());
    scene.import(&scene.export());
    let back = Gallery::open(&path, &key(1)).unwrap();
    let people = back.tenant(&tenant_id("people")).unwrap();
    for number in [3, 2, 4] {
        added(people.enroll(&id(number), &template(number)).unwrap());
    }
    let until = SystemTime::now() + Duration::from_secs(9_000);
    let request = BundleRequest::new(scene.device.device_key().unwrap(), until);
    let bundle = people.export_bundle(&request).unwrap();
    scene.import(&bundle);
    assert_eq!(scene.door.subjects().unwrap(), [1, 2, 3, 4].map(id));
    for subject in scene.door.subjects().unwrap() {
        let number = subject.as_str().bytes().last().unwrap() - b'0';
        let stored = scene.door.templates(&subject).unwrap();
        assert_eq!(bits(&stored[0].template), bits(&template(number.into())));
    }
    let again = Scene { door: scene.device.tenant(&tenant_id("anew")).unwrap(), ..scene };
    assert_eq!(counts(&again.import(&bundle)), [4, 0, 0, 0, 0]);
}
