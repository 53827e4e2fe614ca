//! A gallery against a plain map, under random operations; and templates under many rotations.
#![cfg(feature = "gallery")]
#![allow(clippy::unwrap_used)]

#[path = "common/gallery.rs"]
#[allow(dead_code, unreachable_pub)]
mod common;

use std::collections::BTreeMap;

use common::*;
use faceprint::gallery::EnrollPolicy;
use faceprint::{Enrollment, ErrorKind, Gallery, Query};
use proptest::prelude::*;

#[derive(Clone, Debug)]
enum Step {
    Enroll(u64, u64),
    Batch(Vec<(u64, u64)>),
    Replace(u64, u64),
    Erase(u64),
    RemoveTemplate(u64, usize),
    Rotate,
    Rekey,
    Compact,
    Reopen,
    Look(u64),
}

fn step() -> impl Strategy<Value = Step> {
    let (person, seed) = (0..6_u64, 0..9_u64);
    prop_oneof![
        6 => (person.clone(), seed.clone()).prop_map(|(person, seed)| Step::Enroll(person, seed)),
        2 => prop::collection::vec((person.clone(), seed.clone()), 0..5).prop_map(Step::Batch),
        2 => (person.clone(), seed.clone()).prop_map(|(person, seed)| Step::Replace(person, seed)),
        3 => person.clone().prop_map(Step::Erase),
        2 => (person, 0..3_usize).prop_map(|(person, nth)| Step::RemoveTemplate(person, nth)),
        1 => Just(Step::Rotate),
        1 => Just(Step::Rekey),
        1 => Just(Step::Compact),
        1 => Just(Step::Reopen),
        6 => seed.prop_map(Step::Look),
    ]
}

/// Per person the seeds of their templates, in order of enrolment.
type Model = BTreeMap<u64, Vec<u64>>;

const TEMPLATES: usize = 3;

/// What enrolling does to the model: none for a limit that is passed.
fn enroll(model: &mut Model, person: u64, seed: u64) -> Option<Result<(), u64>> {
    let twin = model.iter().find(|(other, seeds)| **other != person && seeds.contains(&seed));
    if let Some((twin, _)) = twin {
        return Some(Err(*twin));
    }
    if model.get(&person).is_some_and(|seeds| seeds.len() == TEMPLATES) {
        return None;
    }
    model.entry(person).or_default().push(seed);
    Some(Ok(()))
}

fn agree(outcome: &Enrollment, expected: &Result<(), u64>) {
    match (outcome, expected) {
        (Enrollment::Added { .. }, Ok(())) => {}
        (Enrollment::Duplicate { of, .. }, Err(twin)) => assert_eq!(of, &id(*twin)),
        other => panic!("{other:?}"),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn two_handles_agree_with_a_map(steps in prop::collection::vec((step(), any::<bool>()), 1..40)) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("g.faceprint");
        drop(Gallery::create(&path, &key(1), space(1)).unwrap());
        let policy = EnrollPolicy::default().templates_per_subject(TEMPLATES);
        let open = |key| {
            let gallery = Gallery::open(&path, &key).unwrap();
            let acme = gallery.tenant(&tenant_id("acme")).unwrap().with_policy(policy);
            (gallery, acme)
        };
        let mut current = 1;
        let mut handles = [open(key(1)), open(key(1))];
        let mut model = Model::new();
        for (step, second) in steps {
            let (gallery, acme) = &handles[usize::from(second)];
            match step {
                Step::Enroll(person, seed) => match enroll(&mut model, person, seed) {
                    Some(expected) => agree(&acme.enroll(&id(person), &template(seed)).unwrap(), &expected),
                    None => {
                        let error = acme.enroll(&id(person), &template(seed)).unwrap_err();
                        assert_eq!(error.kind(), ErrorKind::LimitReached);
                    }
                },
                Step::Batch(batch) => {
                    let mut after = model.clone();
                    let expected: Option<Vec<_>> =
                        batch.iter().map(|(person, seed)| enroll(&mut after, *person, *seed)).collect();
                    let batch: Vec<_> =
                        batch.iter().map(|(person, seed)| (id(*person), template(*seed))).collect();
                    match (acme.enroll_all(&batch, |_, _| {}), expected) {
                        (Ok(outcomes), Some(expected)) => {
                            outcomes.iter().zip(&expected).for_each(|(it, expected)| agree(it, expected));
                            model = after;
                        }
                        (Err(error), None) => assert_eq!(error.kind(), ErrorKind::LimitReached),
                        other => panic!("{other:?}"),
                    }
                }
                Step::Replace(person, seed) => {
                    let outcome = acme.replace(&id(person), &template(seed));
                    if model.contains_key(&person) {
                        let mut others = model.clone();
                        others.insert(person, Vec::new());
                        let expected = enroll(&mut others, person, seed).unwrap();
                        agree(&outcome.unwrap(), &expected);
                        if expected.is_ok() {
                            model = others;
                        }
                    } else {
                        assert_eq!(outcome.unwrap_err().kind(), ErrorKind::SubjectNotFound);
                    }
                }
                Step::Erase(person) => match (acme.erase(&id(person)), model.remove(&person)) {
                    (Ok(erased), Some(seeds)) => assert_eq!(erased.templates, seeds.len() as u64),
                    (Err(error), None) => assert_eq!(error.kind(), ErrorKind::SubjectNotFound),
                    other => panic!("{other:?}"),
                },
                Step::RemoveTemplate(person, nth) => {
                    let Some(seeds) = model.get_mut(&person) else { continue };
                    if nth < seeds.len() {
                        let stored = acme.templates(&id(person)).unwrap();
                        acme.remove_template(&id(person), &stored[nth].id).unwrap();
                        seeds.remove(nth);
                    }
                }
                Step::Rotate => {
                    current = 3 - current;
                    gallery.rotate_key(&key(current)).unwrap();
                    // Both handles were opened by a slot; the other one's may be gone, and goes on.
                }
                Step::Rekey => {
                    current = 3 - current;
                    gallery.rekey(&key(current)).unwrap();
                    let other = usize::from(!second);
                    let kind = handles[other].1.subjects().unwrap_err().kind();
                    assert_eq!(kind, ErrorKind::WrongKey);
                    handles[other] = open(key(current));
                }
                Step::Compact => gallery.compact().unwrap(),
                Step::Reopen => handles[usize::from(second)] = open(key(current)),
                Step::Look(seed) => {
                    let query = Query::top(9).at_least(0.9);
                    let hits = acme.identify(&template(seed), &query).unwrap();
                    let found: Vec<_> = hits.into_iter().map(|hit| hit.subject).collect();
                    let expected: Vec<_> = model
                        .iter()
                        .filter(|(_, seeds)| seeds.contains(&seed))
                        .map(|(person, _)| id(*person))
                        .collect();
                    assert_eq!(found, expected);
                }
            }
        }
        for (gallery, acme) in &handles {
            assert_eq!(acme.subjects().unwrap(), model.keys().map(|it| id(*it)).collect::<Vec<_>>());
            for (person, seeds) in &model {
                let stored = acme.templates(&id(*person)).unwrap();
                let stored: Vec<_> = stored.iter().map(|it| bits(&it.template)).collect();
                assert_eq!(stored, seeds.iter().map(|it| bits(&template(*it))).collect::<Vec<_>>());
            }
            gallery.check().unwrap();
        }
    }
}

#[test]
fn rotations_and_rekeys_change_no_bit() {
    let (folder, gallery, acme) = fresh();
    let path = folder.path().join("g.faceprint");
    let people: Vec<_> = (0..40).map(|number| (id(number), template(number))).collect();
    acme.enroll_all(&people, |_, _| {}).unwrap();
    let state = |acme: &faceprint::Tenant| {
        let mut state = Vec::new();
        for (subject, template) in &people {
            for stored in acme.templates(subject).unwrap() {
                state.push((stored.id, bits(&stored.template)));
            }
            for hit in acme.identify(template, &Query::top(3)).unwrap() {
                state.push((hit.template, vec![hit.similarity.value().to_bits()]));
            }
        }
        state
    };
    let before = state(&acme);
    for round in 0..200_u8 {
        gallery.rotate_key(&key(round)).unwrap();
        assert_eq!(gallery.slots().unwrap().len(), 1);
        if round % 40 == 39 {
            gallery.rekey(&key(round)).unwrap();
            assert_eq!(state(&acme), before);
        }
    }
    drop((gallery, acme));
    assert_eq!(Gallery::open(&path, &key(198)).unwrap_err().kind(), ErrorKind::WrongKey);
    let gallery = Gallery::open(&path, &key(199)).unwrap();
    gallery.check().unwrap();
    assert_eq!(state(&gallery.tenant(&tenant_id("acme")).unwrap()), before);
}
