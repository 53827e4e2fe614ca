//! Who is found: against a plain comparison of every template, with several threads, for many probes at once.
#![cfg(feature = "gallery")]
#![allow(clippy::unwrap_used)]

#[path = "common/gallery.rs"]
#[allow(dead_code, unreachable_pub)]
mod common;

use std::sync::atomic::{AtomicBool, Ordering};

use common::*;
use faceprint::gallery::{Details, EnrollPolicy};
use faceprint::vector::{Embedding, Template};
use faceprint::{Enrollment, ErrorKind, Hit, Query, Similarity, SubjectId, Tenant, Verdict};
use proptest::prelude::*;

/// A template at an angle of about `cosine` to the one of `seed`.
fn near(seed: u64, cosine: f32, noise: u64) -> Template {
    let (one, other) = (template(seed), template(noise));
    let rest = (1.0 - cosine * cosine).sqrt();
    let pairs = one.embedding().as_slice().iter().zip(other.embedding().as_slice());
    let values: Vec<_> = pairs.map(|(a, b)| cosine * a + rest * b).collect();
    Template::new(Embedding::normalize(values).unwrap(), space(1))
}

/// The same at exactly that angle, but for rounding.
fn exactly(seed: u64, cosine: f32, noise: u64) -> Template {
    let (one, other) = (template(seed), template(noise));
    let along = similarity(&one, &other).value();
    let length = (1.0 - along * along).sqrt();
    let rest = (1.0 - cosine * cosine).sqrt() / length;
    let pairs = one.embedding().as_slice().iter().zip(other.embedding().as_slice());
    let values: Vec<_> = pairs.map(|(a, b)| cosine * a + rest * (b - along * a)).collect();
    Template::new(Embedding::normalize(values).unwrap(), space(1))
}

fn lax(tenant: &Tenant) -> Tenant {
    tenant.clone().with_policy(EnrollPolicy::default().duplicate_at(None))
}

fn similarity(a: &Template, b: &Template) -> Similarity {
    a.similarity(b).unwrap()
}

/// What `identify` must say, by comparing every template.
fn plain(
    people: &[(SubjectId, Template)],
    probe: &Template,
    limit: usize,
    at_least: f32,
) -> Vec<(SubjectId, u32)> {
    let mut best: Vec<(SubjectId, f32)> = Vec::new();
    for (subject, template) in people {
        let value = similarity(probe, template).value();
        match best.iter_mut().find(|(held, _)| held == subject) {
            Some(held) => held.1 = held.1.max(value),
            None => best.push((subject.clone(), value)),
        }
    }
    best.retain(|(_, value)| *value >= at_least);
    best.sort_by(|a, b| b.1.total_cmp(&a.1));
    best.truncate(limit);
    best.into_iter().map(|(subject, value)| (subject, value.to_bits())).collect()
}

fn seen(hits: &[Hit]) -> Vec<(SubjectId, u32)> {
    hits.iter().map(|hit| (hit.subject.clone(), hit.similarity.value().to_bits())).collect()
}

#[test]
fn many_probes_get_the_answers_of_each() {
    let (_folder, gallery, acme) = fresh();
    gallery.add_space(space(2)).unwrap();
    let people: Vec<_> = (0..300).map(|number| (id(number % 200), template(number))).collect();
    lax(&acme).enroll_all(&people, |_, _| {}).unwrap();
    acme.enroll(&id(7), &template_in(space(2), 5)).unwrap();
    let mut probes: Vec<_> = (0..150).map(|at| near(at * 2, 0.5, 10_000 + at)).collect();
    probes.insert(70, template_in(space(2), 5));
    let roster: Vec<_> = (0..40).map(|at| id(at * 3)).collect();
    for query in [Query::top(10), Query::top(3).at_least(0.2), Query::top(300).among(&roster)] {
        let all = acme.identify_all(&probes, &query).unwrap();
        assert_eq!(all.len(), probes.len());
        for (probe, hits) in probes.iter().zip(&all) {
            assert_eq!(&acme.identify(probe, &query).unwrap(), hits);
        }
        assert_eq!(
            all[70].first().map(|hit| hit.subject.clone()),
            Some(id(7)).filter(|_| query.limit() < 300)
        );
    }
    let all = acme.identify_all(&probes[..70], &Query::top(10)).unwrap();
    for (probe, hits) in probes.iter().zip(&all) {
        assert_eq!(seen(hits), plain(&people, probe, 10, -1.0));
    }
    assert!(acme.identify_all(&[], &Query::top(1)).unwrap().is_empty());
    probes.push(template_in(space(3), 1));
    let error = acme.identify_all(&probes, &Query::top(1)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::SpaceMismatch);
}

#[test]
fn verdicts_name_one_several_or_nobody() {
    let (_folder, _gallery, acme) = fresh();
    let acme = lax(&acme);
    added(acme.enroll(&id(1), &template(1)).unwrap());
    // A twin, and a second picture of the first, which is no rival.
    added(acme.enroll(&id(2), &near(1, 0.95, 50)).unwrap());
    added(acme.enroll(&id(1), &near(1, 0.99, 51)).unwrap());
    added(acme.enroll(&id(3), &template(3)).unwrap());
    let query = Query::top(1).at_least(0.6).ambiguity_margin(0.1);
    match acme.decide(&template(1), &query).unwrap() {
        Verdict::Ambiguous(hits) => {
            let subjects: Vec<_> = hits.into_iter().map(|hit| hit.subject).collect();
            assert_eq!(subjects, [id(1), id(2)]);
        }
        other => panic!("{other:?}"),
    }
    let found = |query: &Query, probe: &Template| match acme.decide(probe, query).unwrap() {
        Verdict::Match(hit) => Some(hit.subject),
        Verdict::Ambiguous(_) => panic!("ambiguous"),
        Verdict::NoMatch => None,
    };
    assert_eq!(found(&query.clone().ambiguity_margin(0.01), &template(1)), Some(id(1)));
    assert_eq!(found(&query.clone().among(&[id(2)]), &template(1)), Some(id(2)));
    assert_eq!(found(&query, &template(3)), Some(id(3)));
    assert_eq!(found(&query, &template(99)), None);
    assert_eq!(found(&Query::top(0), &template(1)), None);
    // The rival may be below the threshold.
    let between = near(1, 0.7, 3);
    assert!(matches!(acme.decide(&between, &query).unwrap(), Verdict::Ambiguous(_)));
}

#[test]
fn one_person_under_two_names_is_found() {
    let (_folder, gallery, acme) = fresh();
    gallery.add_space(space(2)).unwrap();
    let mut people: Vec<_> = (0..150).map(|number| (id(number), template(number))).collect();
    for (number, seed, cosine) in [(200, 5, 0.9), (201, 6, 0.8), (202, 5, 0.85), (7, 7, 0.9)] {
        people.push((id(number), near(seed, cosine, 1000 + number)));
    }
    let acme = lax(&acme);
    acme.enroll_all(&people, |_, _| {}).unwrap();
    // A pair of another space, and one that is over.
    acme.enroll(&id(10), &template_in(space(2), 1)).unwrap();
    acme.enroll(&id(11), &template_in(space(2), 1)).unwrap();
    acme.enroll(&id(300), &template(12)).unwrap();
    let gone = Details { expires_at: Some(std::time::UNIX_EPOCH), ..Details::default() };
    acme.set_details(&id(300), &gone).unwrap();

    let mut told = Vec::new();
    let found = acme.find_duplicates(0.5, |done, all| told.push((done, all))).unwrap();
    assert_eq!(told.last(), Some(&(153, 153)));
    assert!(told.len() > 1 && told.is_sorted());
    assert!(found.is_sorted_by(|a, b| a.2 >= b.2));
    let mut expected = Vec::new();
    for (at, (one, a)) in people.iter().enumerate() {
        for (other, b) in people.iter().skip(at + 1).filter(|(other, _)| other != one) {
            if similarity(a, b).value() >= 0.5 {
                expected.push((one.clone(), other.clone(), similarity(a, b)));
            }
        }
    }
    // 5, 200 and 202 are one, 6 and 201.
    assert_eq!(expected.len(), 4);
    let itself = similarity(&template(1), &template(1));
    expected.push((id(10), id(11), itself));
    expected.sort_by(|a, b| b.2.value().total_cmp(&a.2.value()));
    assert_eq!(found, expected);
    assert!(acme.find_duplicates(f32::NAN, |_, _| {}).unwrap().is_empty());
}

#[test]
fn duplicates_are_found_across_a_long_batch() {
    let (_folder, _gallery, acme) = fresh();
    added(acme.enroll(&id(900), &template(30)).unwrap());
    // Pairs 100 apart, within one pass and across; and of people already there, who may have more of their own.
    let mut batch: Vec<_> = (0..200).map(|at| (id(at), template(at % 100))).collect();
    batch.push((id(3), near(3, 0.9, 77)));
    batch.push((id(500), near(3, 0.9, 78)));
    batch.push((id(900), near(30, 0.9, 79)));
    let outcomes = acme.enroll_all(&batch, |_, _| {}).unwrap();
    for (at, (outcome, (_, template))) in (0..).zip(outcomes.iter().zip(&batch)) {
        let expected = match at {
            30 | 130 => Some(id(900)),
            100..=199 => Some(id(at - 100)),
            201 => Some(id(3)),
            _ => None,
        };
        match outcome {
            Enrollment::Added { .. } => assert_eq!(expected, None, "{at}"),
            Enrollment::Duplicate { of, similarity } => {
                assert_eq!(Some(of), expected.as_ref(), "{at}");
                assert!(similarity.value() > 0.6, "{at}");
                let seed = if at == 201 { 3 } else { at % 100 };
                if at != 201 {
                    let exact = template.similarity(&common::template(seed)).unwrap();
                    assert_eq!(*similarity, exact);
                }
            }
        }
    }
}

#[test]
fn who_is_nearly_a_duplicate_is_reported() {
    let near_misses = |outcome: Enrollment| match outcome {
        Enrollment::Added { near_misses, .. } => near_misses,
        Enrollment::Duplicate { of, .. } => panic!("a duplicate of {of}"),
    };
    let (_folder, _gallery, acme) = fresh();
    let alice = template(1);
    for (number, cosine) in [(10, 0.52), (11, 0.57), (12, 0.45), (13, 0.3)] {
        added(lax(&acme).enroll(&id(number), &exactly(1, cosine, 100 + number)).unwrap());
    }
    // Twice the same person counts once, with the better template.
    added(lax(&acme).enroll(&id(10), &exactly(1, 0.55, 120)).unwrap());
    let of = |number, other: &Template| (id(number), similarity(&alice, other));
    let expected = [of(11, &exactly(1, 0.57, 111)), of(10, &exactly(1, 0.55, 120))];
    assert!(expected.iter().all(|(_, it)| (0.5..0.6).contains(&it.value())), "{expected:?}");
    assert_eq!(near_misses(acme.enroll(&id(1), &alice).unwrap()), expected);
    // By the policy: from 0.4 on, not at all, and not without a check.
    let policy = EnrollPolicy::default();
    for (number, policy, misses) in [
        (2, policy.duplicate_at(Some(1.1)).near_miss_margin(0.7), 4),
        (3, policy.duplicate_at(Some(1.1)).near_miss_margin(0.0), 0),
        (4, policy.duplicate_at(None), 0),
    ] {
        let strict = acme.clone().with_policy(policy);
        assert_eq!(near_misses(strict.enroll(&id(number), &alice).unwrap()).len(), misses);
        acme.erase(&id(number)).unwrap();
    }
    // Nobody comes close to themselves; to somebody of the same batch they do, and five are named at most.
    assert_eq!(near_misses(acme.replace(&id(1), &alice).unwrap()), expected);
    acme.erase(&id(1)).unwrap();
    let mut batch: Vec<_> = (20..28).map(|at| (id(at), exactly(9, 0.55, 100 + at))).collect();
    batch.push((id(9), template(9)));
    let outcomes = acme.enroll_all(&batch, |_, _| {}).unwrap();
    let last = near_misses(outcomes.into_iter().next_back().unwrap());
    assert_eq!(last.len(), 5);
    assert!(last.is_sorted_by(|a, b| a.1 >= b.1));
    assert!(last.iter().all(|(who, _)| batch.iter().any(|(id, _)| who == id)));
    // A duplicate is what it was, however many come close.
    let outcome = acme.enroll(&id(8), &template(9)).unwrap();
    assert!(matches!(outcome, Enrollment::Duplicate { of, .. } if of == id(9)));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    /// While another thread enrols and erases, nobody who stays is missed, nobody who left is found, and every
    /// similarity is that of the very templates.
    #[test]
    fn searches_are_right_while_others_come_and_go(
        moves in prop::collection::vec((100_u64..130, any::<bool>()), 20..60),
        limit in 1_usize..60,
        at_least in prop::sample::select(vec![-1.0_f32, 0.1, 0.5]),
    ) {
        let (_folder, _gallery, acme) = fresh();
        let acme = lax(&acme);
        let staying: Vec<_> = (0..50).map(|number| (id(number), template(number))).collect();
        acme.enroll_all(&staying, |_, _| {}).unwrap();
        acme.enroll(&id(777), &template(777)).unwrap();
        acme.erase(&id(777)).unwrap();
        let over = AtomicBool::new(false);
        std::thread::scope(|scope| {
            let worker = scope.spawn(|| {
                for (number, comes) in &moves {
                    if *comes {
                        added(acme.enroll(&id(*number), &template(*number)).unwrap());
                    } else {
                        let outcome = acme.erase(&id(*number)).map_err(|error| error.kind());
                        assert!(matches!(outcome, Ok(_) | Err(ErrorKind::SubjectNotFound)));
                    }
                }
                over.store(true, Ordering::Release);
            });
            let mut rounds = 0;
            while !over.load(Ordering::Acquire) || rounds == 0 {
                rounds += 1;
                let probes = [near(rounds % 50, 0.6, 9000 + rounds), near(777, 0.8, rounds), template(115)];
                let query = Query::top(limit).at_least(at_least);
                for (probe, hits) in probes.iter().zip(acme.identify_all(&probes, &query).unwrap()) {
                    assert!(hits.len() <= limit && hits.is_sorted_by(|a, b| a.similarity >= b.similarity));
                    for hit in &hits {
                        assert_ne!(hit.subject, id(777));
                        let number: u64 = hit.subject.as_str()[15..].parse().unwrap();
                        let exact = similarity(probe, &template(number));
                        assert_eq!(hit.similarity.value().to_bits(), exact.value().to_bits());
                        assert!(exact.value() >= at_least);
                    }
                    let worst = hits.last().filter(|_| hits.len() == limit).map(|hit| hit.similarity.value());
                    for (subject, bits) in plain(&staying, probe, limit, at_least) {
                        let missed = hits.iter().all(|hit| hit.subject != subject);
                        assert!(!missed || worst.is_some_and(|worst| worst >= f32::from_bits(bits)), "missed");
                    }
                }
            }
            worker.join().unwrap();
        });
        let mut people = staying;
        for subject in acme.subjects().unwrap().iter().filter(|it| it.as_str() >= "subject number 000100") {
            let number = subject.as_str()[15..].parse().unwrap();
            people.push((subject.clone(), template(number)));
        }
        let probe = near(3, 0.6, 4);
        let query = Query::top(limit).at_least(at_least);
        prop_assert_eq!(seen(&acme.identify(&probe, &query).unwrap()), plain(&people, &probe, limit, at_least));
    }
}
