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
use faceprint::gallery::{BundleRequest, Change, Cursor, Details, EnrollPolicy, SubjectRef};
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
    /// A delta from one of the cursors so far, for so many seconds.
    Delta(prop::sample::Index, u64),
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
        5 => (any::<prop::sample::Index>(), 50..60_u64).prop_map(|(cursor, until)| Step::Delta(cursor, until)),
        2 => (1..4_usize).prop_map(Step::Mirror),
    ]
}

/// How a delta travels: on which device, how often, and when among the others.
type Travel = (bool, u8, u32);

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
    pages: usize,
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
            self.pages += 1;
        }
        let mut names: Vec<_> = self.people.values().cloned().collect();
        names.sort_unstable();
        assert_eq!(names, tenant.subjects().unwrap());
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn devices_end_as_the_office_is(
        steps in prop::collection::vec(step(), 1..50),
        travels in prop::collection::vec(any::<Travel>(), 50),
        full in any::<bool>(),
    ) {
        let folder = tempfile::tempdir().unwrap();
        let (office, people) = open(&folder.path().join("office"), 1, "people");
        let devices = [2, 3].map(|it| open(&folder.path().join(format!("device{it}")), it, "door"));
        let mut signer = office.signer();
        let mut cursors = vec![Cursor::start()];
        let mut mirror = Mirror::default();
        let mut sent = Vec::new();
        for step in steps {
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
                // The bundles made before are of no use then, which the catch-up has to make good.
                Step::Rekey => {
                    office.rekey(&key(1)).unwrap();
                    signer = office.signer();
                    sent.clear();
                }
                Step::Delta(cursor, until) => {
                    let since = cursors[cursor.index(cursors.len())];
                    let (to_second, copies, when) = travels[sent.len() % travels.len()];
                    let device = &devices[usize::from(to_second)].0;
                    let until = now() + Duration::from_secs(until);
                    let request = BundleRequest::new(device.device_key().unwrap(), until).since(since);
                    let bundle = people.export_bundle(&request).unwrap();
                    cursors.push(bundle.cursor);
                    for copy in 0..u32::from(copies % 3) {
                        sent.push((when.wrapping_mul(copy * 7 + 1), to_second, bundle.bytes.clone()));
                    }
                    // What is not lost on the way arrives before the next step at times, and at the end else.
                    if when % 2 == 0 {
                        deliver(&devices, &mut sent, &signer);
                    }
                }
                Step::Mirror(limit) => mirror.follow(&people, limit),
            }
        }
        deliver(&devices, &mut sent, &signer);
        mirror.follow(&people, 2);
        let until = now() + Duration::from_secs(70);
        let mut expected = contents(&people);
        for (_, details, _) in expected.values_mut() {
            details.expires_at = Some(details.expires_at.map_or(until, |it| it.min(until)));
        }
        for (device, door) in &devices {
            // In full at once, or erased ones and half of the others first.
            let request = BundleRequest::new(device.device_key().unwrap(), until);
            if !full {
                let half: Vec<_> = people.subjects().unwrap().into_iter().step_by(2).collect();
                let bundle = people.export_bundle(&request.clone().only(&half)).unwrap();
                door.import_bundle(&bundle.bytes, &signer).unwrap();
            }
            let bundle = people.export_bundle(&request).unwrap();
            let imported = door.import_bundle(&bundle.bytes, &signer).unwrap();
            assert!(imported.conflicts.is_empty());
            assert_eq!(contents(door), expected);
            assert_eq!(door.import_bundle(&bundle.bytes, &signer).unwrap().unchanged, bundle.subjects + bundle.erased);
            device.check().unwrap();
            assert_eq!(contents(door), expected);
        }
        office.check().unwrap();
    }
}

/// Brings what is under way to its device, in the order that chance has given it.
fn deliver(
    devices: &[(Gallery, Tenant); 2],
    sent: &mut Vec<(u32, bool, Vec<u8>)>,
    signer: &faceprint::gallery::SignerKey,
) {
    sent.sort_unstable_by_key(|(when, ..)| *when);
    for (_, to_second, bytes) in sent.drain(..) {
        let imported = devices[usize::from(to_second)].1.import_bundle(&bytes, signer).unwrap();
        assert!(imported.conflicts.is_empty());
    }
}
