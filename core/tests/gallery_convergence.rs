//! Random changes at an office, deltas that are lost, late and repeated: each device ends as the office is. And a
//! worker's copy by `changes_since`.
#![cfg(feature = "gallery")]
#![allow(clippy::unwrap_used)]

#[path = "common/gallery.rs"]
#[allow(dead_code, unreachable_pub)]
mod common;

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use common::*;
use faceprint::gallery::{
    BundleRequest, Change, Cursor, Details, EnrollPolicy, SignerKey, SubjectRef,
};
use faceprint::{Gallery, SubjectId, Tenant};
use proptest::prelude::*;

#[derive(Clone, Debug)]
enum Step {
    Enroll(u64, u64),
    Batch(Vec<(u64, u64)>),
    Replace(u64, u64),
    Details(u64, u8),
    RemoveTemplate(u64),
    Erase(u64),
    Rekey,
    /// The delta to the one before, and another from one of the cursors so far.
    Delta(prop::sample::Index),
    /// What is under way arrives.
    Deliver,
    /// The copy is brought up to date, in pages of so many.
    Mirror(usize),
}

fn step() -> impl Strategy<Value = Step> {
    let (person, seed) = (0..5_u64, 0..100_u64);
    prop_oneof![
        5 => (person.clone(), seed.clone()).prop_map(|(person, seed)| Step::Enroll(person, seed)),
        1 => prop::collection::vec((person.clone(), seed.clone()), 0..5).prop_map(Step::Batch),
        1 => (person.clone(), seed).prop_map(|(person, seed)| Step::Replace(person, seed)),
        2 => (person.clone(), any::<u8>()).prop_map(|(person, floor)| Step::Details(person, floor)),
        1 => person.clone().prop_map(Step::RemoveTemplate),
        4 => person.prop_map(Step::Erase),
        1 => Just(Step::Rekey),
        5 => any::<prop::sample::Index>().prop_map(Step::Delta),
        1 => Just(Step::Deliver),
        2 => (1..4_usize).prop_map(Step::Mirror),
    ]
}

/// How a bundle travels: in which order, how often, and whether it gets to the device that gets not all.
type Travel = (u32, bool, bool);

/// What a tenant has, bit by bit.
type Contents = BTreeMap<SubjectId, (SystemTime, Details, Vec<(String, Vec<u32>)>)>;

fn contents(tenant: &Tenant) -> Contents {
    let subjects = tenant.subjects().unwrap();
    let look = |subject: SubjectId| {
        let found = tenant.subject(&subject).unwrap();
        let templates = tenant.templates(&subject).unwrap();
        let templates =
            templates.iter().map(|it| (it.id.to_string(), bits(&it.template))).collect();
        (subject, (found.enrolled_at, found.details, templates))
    };
    subjects.into_iter().map(look).collect()
}

fn now() -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(1_000)
}

fn open(path: &Path, secret: u8, name: &str) -> (Gallery, Tenant) {
    let gallery = Gallery::create(path, &key(secret), space(1)).unwrap().with_clock(now);
    let lax = EnrollPolicy::default().duplicate_at(None).templates_per_subject(1_000);
    let tenant = gallery.tenant(&tenant_id(name)).unwrap().with_policy(lax);
    (gallery, tenant)
}

/// A copy of a tenant kept by `changes_since` alone.
#[derive(Default)]
struct Mirror {
    cursor: Cursor,
    people: BTreeMap<SubjectRef, SubjectId>,
}

impl Mirror {
    fn follow(&mut self, tenant: &Tenant, limit: usize) {
        loop {
            let page = tenant.changes_since(&self.cursor, limit).unwrap();
            assert!(page.changes.len() <= limit);
            if page.changes.is_empty() {
                // The start of all galleries has become the start of this one; any other place stays.
                assert!(page.cursor == self.cursor || self.cursor == Cursor::start());
                break;
            }
            for change in page.changes {
                match change {
                    Change::Updated { reference, subject } => {
                        assert_eq!(tenant.subject(&subject).unwrap().reference, reference);
                        self.people.insert(reference, subject);
                    }
                    Change::Erased { reference } => drop(self.people.remove(&reference)),
                }
            }
            self.cursor = page.cursor.to_string().parse().unwrap();
        }
        let mut names: Vec<_> = self.people.values().cloned().collect();
        names.sort_unstable();
        assert_eq!(names, tenant.subjects().unwrap());
    }
}

/// An office with two devices, and what is under way to each.
struct Scene {
    office: Gallery,
    people: Tenant,
    devices: [(Gallery, Tenant); 2],
    sent: [Vec<Sent>; 2],
    travels: std::iter::Cycle<std::vec::IntoIter<Travel>>,
    /// Behind each delta of the chain; the deltas between them miss nothing.
    cursors: Vec<Cursor>,
}

struct Sent {
    order: u32,
    signer: SignerKey,
    bytes: Vec<u8>,
}

impl Scene {
    fn new(folder: &Path, travels: Vec<Travel>) -> Self {
        let (office, people) = open(&folder.join("office"), 1, "people");
        let devices = [2, 3].map(|it| open(&folder.join(format!("device{it}")), it, "door"));
        let travels = travels.into_iter().cycle();
        let cursors = vec![Cursor::start()];
        Self { office, people, devices, sent: [Vec::new(), Vec::new()], travels, cursors }
    }

    /// Sends what changed since `cursor` to both devices: to the first always, to the second perhaps.
    fn send(&mut self, cursor: Cursor) -> Cursor {
        let mut end = cursor;
        for second in [false, true] {
            let key = self.devices[usize::from(second)].0.device_key().unwrap();
            let request = BundleRequest::new(key, until()).since(cursor);
            let bundle = self.people.export_bundle(&request).unwrap();
            end = bundle.cursor;
            let (order, twice, arrives) = self.travels.next().unwrap();
            let copies = u32::from(arrives || !second) * (1 + u32::from(twice));
            for copy in 0..copies {
                let order = order.rotate_left(13 * copy);
                let (signer, bytes) = (self.office.signer(), bundle.bytes.clone());
                self.sent[usize::from(second)].push(Sent { order, signer, bytes });
            }
        }
        end
    }

    /// Sends the next delta of the chain.
    fn send_next(&mut self) {
        let end = self.send(self.cursors[self.cursors.len() - 1]);
        self.cursors.push(end);
    }

    /// What is under way arrives, in the order of chance.
    fn deliver(&mut self) {
        for (sent, (_, door)) in self.sent.iter_mut().zip(&self.devices) {
            sent.sort_unstable_by_key(|it| it.order);
            for Sent { signer, bytes, .. } in sent.drain(..) {
                assert!(door.import_bundle(&bytes, &signer).unwrap().conflicts.is_empty());
            }
        }
    }

    /// What each device has to have in the end.
    fn expected(&self) -> Contents {
        let mut expected = contents(&self.people);
        for (_, details, _) in expected.values_mut() {
            details.expires_at = Some(details.expires_at.map_or(until(), |it| it.min(until())));
        }
        expected
    }
}

fn until() -> SystemTime {
    now() + Duration::from_secs(70)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn devices_end_as_the_office_is(
        steps in prop::collection::vec(step(), 1..50),
        travels in prop::collection::vec(any::<Travel>(), 64),
    ) {
        let folder = tempfile::tempdir().unwrap();
        let mut scene = Scene::new(folder.path(), travels);
        let mut mirror = Mirror::default();
        for step in steps {
            let people = &scene.people;
            match step {
                Step::Enroll(person, seed) => {
                    people.enroll(&id(person), &template(seed)).unwrap();
                }
                Step::Batch(batch) => {
                    let batch: Vec<_> =
                        batch.iter().map(|(person, seed)| (id(*person), template(*seed))).collect();
                    people.enroll_all(&batch, |_, _| {}).unwrap();
                }
                Step::Replace(person, seed) => drop(people.replace(&id(person), &template(seed))),
                Step::Details(person, floor) => {
                    let expires_at = (floor % 3 == 0).then(|| now() + Duration::from_secs(20));
                    let metadata = Some(floor.to_string());
                    let details = Details { metadata, expires_at, ..Details::default() };
                    drop(people.set_details(&id(person), &details));
                }
                Step::RemoveTemplate(person) => {
                    if let Ok([first, ..]) = people.templates(&id(person)).as_deref() {
                        people.remove_template(&id(person), &first.id).unwrap();
                    }
                }
                Step::Erase(person) => drop(people.erase(&id(person))),
                Step::Rekey => scene.office.rekey(&key(1)).unwrap(),
                Step::Delta(cursor) => {
                    let earlier = scene.cursors[cursor.index(scene.cursors.len())];
                    scene.send(earlier);
                    scene.send_next();
                }
                Step::Deliver => scene.deliver(),
                Step::Mirror(limit) => mirror.follow(people, limit),
            }
        }
        scene.send_next();
        scene.deliver();
        mirror.follow(&scene.people, 2);
        let expected = scene.expected();
        // The first device got every delta of the chain, in whatever order; the second catches up at once.
        let [(_, first), (second, door)] = &scene.devices;
        prop_assert_eq!(&contents(first), &expected);
        let request = BundleRequest::new(second.device_key().unwrap(), until());
        let bundle = scene.people.export_bundle(&request).unwrap();
        door.import_bundle(&bundle.bytes, &scene.office.signer()).unwrap();
        prop_assert_eq!(&contents(door), &expected);
        let again = door.import_bundle(&bundle.bytes, &scene.office.signer()).unwrap();
        prop_assert_eq!(again.unchanged, bundle.subjects + bundle.erased);
        for (device, _) in &scene.devices {
            device.check().unwrap();
        }
        scene.office.check().unwrap();
    }
}
