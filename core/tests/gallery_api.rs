//! What a gallery promises its callers.
#![cfg(feature = "gallery")]
#![allow(clippy::unwrap_used)]

#[path = "common/gallery.rs"]
#[allow(dead_code, unreachable_pub)]
mod common;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, UNIX_EPOCH};

use common::*;
use faceprint::gallery::{Details, EnrollPolicy, NewTemplate};
use faceprint::vector::{Embedding, Template};
use faceprint::{Access, Enrollment, ErrorKind, Gallery, Query, SubjectId};

#[test]
fn who_is_enrolled_is_found_again() {
    let (folder, gallery, acme) = fresh();
    for number in 0..20 {
        added(acme.enroll(&id(number), &template(number)).unwrap());
    }
    let check = |acme: &faceprint::Tenant| {
        for number in 0..20 {
            let hits = acme.identify(&template(number), &Query::top(3).at_least(0.9)).unwrap();
            assert_eq!(hits.len(), 1);
            assert_eq!(hits[0].subject, id(number));
            assert!(hits[0].similarity.value() > 0.9999);
            assert!(acme.verify(&id(number), &template(number)).unwrap().value() > 0.9999);
            let stored = acme.templates(&id(number)).unwrap();
            assert_eq!(bits(&stored[0].template), bits(&template(number)));
            assert_eq!(stored[0].id, hits[0].template);
        }
        assert_eq!(acme.subjects().unwrap(), (0..20).map(id).collect::<Vec<_>>());
        assert_eq!(acme.identify(&template(0), &Query::top(7)).unwrap().len(), 7);
        assert!(acme.identify(&template(99), &Query::top(7).at_least(0.6)).unwrap().is_empty());
        assert!(acme.identify(&template(0), &Query::top(0)).unwrap().is_empty());
    };
    check(&acme);
    gallery.check().unwrap();
    drop((gallery, acme));
    for open in [Gallery::open, Gallery::open_read_only] {
        let gallery = open(folder.path().join("g.faceprint"), &key(1)).unwrap();
        check(&gallery.tenant(&tenant_id("acme")).unwrap());
        gallery.check().unwrap();
        let info = gallery.info().unwrap();
        assert_eq!((info.tenants, info.subjects, info.templates), (1, 20, 20));
    }
}

#[test]
fn an_erased_person_is_gone_for_every_handle() {
    let (folder, gallery, acme) = fresh();
    let other = Gallery::open(folder.path().join("g.faceprint"), &key(1)).unwrap();
    let other = other.tenant(&tenant_id("acme")).unwrap();
    acme.enroll(&id(1), &template(1)).unwrap();
    acme.enroll(&id(1), &template(11)).unwrap();
    acme.enroll(&id(2), &template(2)).unwrap();
    assert_eq!(other.subjects().unwrap().len(), 2);
    let erased = acme.erase(&id(1)).unwrap();
    assert_eq!((erased.subjects, erased.templates), (1, 2));
    for tenant in [&acme, &other] {
        assert!(tenant.identify(&template(1), &Query::top(3).at_least(0.9)).unwrap().is_empty());
        assert_eq!(tenant.subject(&id(1)).unwrap_err().kind(), ErrorKind::SubjectNotFound);
        assert_eq!(tenant.templates(&id(1)).unwrap_err().kind(), ErrorKind::SubjectNotFound);
        let error = tenant.verify(&id(1), &template(1)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::SubjectNotFound);
        assert_eq!(tenant.erase(&id(1)).unwrap_err().kind(), ErrorKind::SubjectNotFound);
    }
    // The name moves to a new row; both handles follow.
    added(other.enroll(&id(1), &template(3)).unwrap());
    let hits = acme.identify(&template(3), &Query::top(1).at_least(0.9)).unwrap();
    assert_eq!(hits[0].subject, id(1));
    gallery.check().unwrap();
}

#[test]
fn duplicates_are_outcomes() {
    let (_folder, _gallery, acme) = fresh();
    added(acme.enroll(&id(1), &template(1)).unwrap());
    let Enrollment::Duplicate { of, similarity } = acme.enroll(&id(2), &template(1)).unwrap()
    else {
        panic!("enrolled twice");
    };
    assert_eq!(of, id(1));
    assert!(similarity.value() > 0.999);
    assert_eq!(acme.subjects().unwrap(), [id(1)]);
    // The same person may have the same face twice, and the check can be turned off.
    added(acme.enroll(&id(1), &template(1)).unwrap());
    let lax = acme.clone().with_policy(EnrollPolicy::default().duplicate_at(None));
    added(lax.enroll(&id(2), &template(1)).unwrap());
    // Within a batch too, in order.
    let batch =
        [(id(3), template(3)), (id(4), template(3)), (id(3), template(33)), (id(5), template(1))];
    let mut told = Vec::new();
    let outcomes = acme.enroll_all(&batch, |done, all| told.push((done, all))).unwrap();
    assert_eq!(told, [(1, 4), (2, 4), (3, 4), (4, 4)]);
    added(outcomes[0].clone());
    assert!(matches!(&outcomes[1], Enrollment::Duplicate { of, .. } if *of == id(3)));
    added(outcomes[2].clone());
    assert!(matches!(&outcomes[3], Enrollment::Duplicate { .. }));
    assert_eq!(acme.subjects().unwrap(), [id(1), id(2), id(3)]);
    assert_eq!(acme.subject(&id(3)).unwrap().templates, 2);
}

#[test]
fn limits_hold_and_a_refused_batch_leaves_nothing() {
    let (_folder, gallery, acme) = fresh();
    let policy = EnrollPolicy::default().templates_per_subject(2).subjects_per_tenant(3);
    let acme = acme.with_policy(policy);
    acme.enroll(&id(1), &template(1)).unwrap();
    acme.enroll(&id(1), &template(11)).unwrap();
    let error = acme.enroll(&id(1), &template(111)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::LimitReached);
    assert!(error.to_string().contains("at most 2"), "{error}");
    let before = gallery.head().unwrap();
    let batch: Vec<_> = (2..6).map(|number| (id(number), template(number))).collect();
    let error = acme.enroll_all(&batch, |_, _| {}).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::LimitReached);
    assert_eq!(gallery.head().unwrap(), before);
    assert_eq!(acme.subjects().unwrap(), [id(1)]);
    acme.enroll_all(&batch[..2], |_, _| {}).unwrap();
    acme.erase(&id(2)).unwrap();
    added(acme.enroll(&id(9), &template(9)).unwrap());
    let details =
        Details { metadata: Some(format!("\"{}\"", "x".repeat(65_535))), ..Details::default() };
    assert_eq!(acme.set_details(&id(9), &details).unwrap_err().kind(), ErrorKind::LimitReached);
    gallery.check().unwrap();
}

#[test]
fn templates_are_replaced_and_removed_one_by_one() {
    let (_folder, gallery, acme) = fresh();
    gallery.add_space(space(2)).unwrap();
    acme.enroll(&id(1), &template(1)).unwrap();
    acme.enroll(&id(1), &template(11)).unwrap();
    acme.enroll(&id(1), &template_in(space(2), 5)).unwrap();
    acme.enroll(&id(2), &template(2)).unwrap();
    assert_eq!(acme.replace(&id(3), &template(3)).unwrap_err().kind(), ErrorKind::SubjectNotFound);
    assert!(matches!(
        acme.replace(&id(1), &template(2)).unwrap(),
        Enrollment::Duplicate { of, .. } if of == id(2)
    ));
    assert_eq!(acme.templates(&id(1)).unwrap().len(), 3);
    let new = added(acme.replace(&id(1), &template(12)).unwrap());
    let stored = acme.templates(&id(1)).unwrap();
    assert_eq!(stored.iter().filter(|it| it.template.space() == space(1)).count(), 1);
    assert_eq!(stored.len(), 2);
    assert!(acme.identify(&template(11), &Query::top(1).at_least(0.9)).unwrap().is_empty());
    acme.remove_template(&id(1), &new).unwrap();
    let error = acme.remove_template(&id(1), &new).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TemplateNotFound);
    let error = acme.verify(&id(1), &template(12)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TemplateNotFound);
    assert_eq!(acme.subjects().unwrap(), [id(1), id(2)]);
    gallery.check().unwrap();
}

#[test]
fn details_are_kept_and_checked() {
    let (folder, gallery, acme) = fresh();
    let at = UNIX_EPOCH + Duration::from_millis(1_800_000_000_123);
    acme.enroll(&id(1), &template(1)).unwrap();
    assert_eq!(acme.subject(&id(1)).unwrap().details, Details::default());
    let details = Details {
        metadata: Some("{\"floor\": 3}".into()),
        consent: Some(at),
        expires_at: Some(at + Duration::from_secs(1_000_000_000)),
    };
    acme.set_details(&id(1), &details).unwrap();
    drop((gallery, acme));
    let gallery = Gallery::open(folder.path().join("g.faceprint"), &key(1)).unwrap();
    let acme = gallery.tenant(&tenant_id("acme")).unwrap();
    assert_eq!(acme.subject(&id(1)).unwrap().details, details);
    for wrong in [
        Details { metadata: Some("{floor".into()), ..Details::default() },
        Details { consent: Some(UNIX_EPOCH - Duration::from_secs(1)), ..Details::default() },
    ] {
        assert_eq!(
            acme.set_details(&id(1), &wrong).unwrap_err().kind(),
            ErrorKind::InvalidArgument
        );
    }
    let error = acme.set_details(&id(2), &details).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::SubjectNotFound);
    assert_eq!(acme.subject(&id(1)).unwrap().details, details);
}

#[test]
fn the_expired_are_never_returned() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("g.faceprint");
    let seconds = Arc::new(AtomicU64::new(1_000));
    let now = Arc::clone(&seconds);
    let gallery = Gallery::create(&path, &key(1), space(1))
        .unwrap()
        .with_clock(move || UNIX_EPOCH + Duration::from_secs(now.load(Ordering::SeqCst)));
    let acme = gallery.tenant(&tenant_id("acme")).unwrap();
    acme.enroll(&id(1), &template(1)).unwrap();
    acme.enroll(&id(2), &template(2)).unwrap();
    let until = |seconds| Details {
        expires_at: Some(UNIX_EPOCH + Duration::from_secs(seconds)),
        ..Details::default()
    };
    acme.set_details(&id(1), &until(2_000)).unwrap();
    seconds.store(1_999, Ordering::SeqCst);
    assert_eq!(acme.subjects().unwrap().len(), 2);
    seconds.store(2_000, Ordering::SeqCst);
    assert_eq!(acme.subjects().unwrap(), [id(2)]);
    assert!(acme.identify(&template(1), &Query::top(5).at_least(0.9)).unwrap().is_empty());
    for kind in [
        acme.verify(&id(1), &template(1)).unwrap_err().kind(),
        acme.subject(&id(1)).unwrap_err().kind(),
        acme.templates(&id(1)).unwrap_err().kind(),
        acme.set_details(&id(1), &until(9_000)).unwrap_err().kind(),
        acme.replace(&id(1), &template(1)).unwrap_err().kind(),
    ] {
        assert_eq!(kind, ErrorKind::SubjectNotFound);
    }
    // Their face is free again, and so is their name: they start afresh.
    added(acme.enroll(&id(3), &template(1)).unwrap());
    acme.erase(&id(3)).unwrap();
    added(acme.enroll(&id(1), &template(5)).unwrap());
    assert_eq!(acme.templates(&id(1)).unwrap().len(), 1);
    assert_eq!(acme.subject(&id(1)).unwrap().details, Details::default());
    acme.set_details(&id(1), &until(3_000)).unwrap();
    seconds.store(3_000, Ordering::SeqCst);
    assert_eq!(gallery.info().unwrap().subjects, 2);
    assert_eq!(acme.purge_expired().unwrap().subjects, 1);
    assert_eq!(acme.purge_expired().unwrap().subjects, 0);
    assert_eq!(gallery.info().unwrap().subjects, 1);
    gallery.check().unwrap();
}

#[test]
fn rosters_and_spaces_narrow_the_answer() {
    let (_folder, gallery, acme) = fresh();
    let near = |turn: f32| {
        let mut values = values(1);
        values[0] += turn;
        Template::new(Embedding::normalize(values).unwrap(), space(1))
    };
    let acme = acme.with_policy(EnrollPolicy::default().duplicate_at(None));
    for number in 0..5_u8 {
        acme.enroll(&id(number.into()), &near(f32::from(number))).unwrap();
    }
    let all = acme.identify(&near(0.0), &Query::top(9)).unwrap();
    assert_eq!(
        all.iter().map(|hit| hit.subject.clone()).collect::<Vec<_>>(),
        (0..5).map(id).collect::<Vec<_>>()
    );
    assert!(all.is_sorted_by(|a, b| a.similarity >= b.similarity));
    for hit in &all {
        let stored = &acme.templates(&hit.subject).unwrap()[0].template;
        assert_eq!(hit.similarity, near(0.0).similarity(stored).unwrap());
    }
    let roster = [id(3), id(1), id(77)];
    let some = acme.identify(&near(0.0), &Query::top(9).among(&roster)).unwrap();
    assert_eq!(some.iter().map(|hit| hit.subject.clone()).collect::<Vec<_>>(), [id(1), id(3)]);
    assert!(acme.identify(&near(0.0), &Query::top(9).among(&[])).unwrap().is_empty());
    // Another space: refused until accepted, then empty, then its own templates only.
    let other = template_in(space(2), 1);
    for error in [
        acme.identify(&other, &Query::top(1)).unwrap_err(),
        acme.enroll(&id(1), &other).unwrap_err(),
        acme.verify(&id(1), &other).unwrap_err(),
    ] {
        assert_eq!(error.kind(), ErrorKind::SpaceMismatch);
    }
    gallery.add_space(space(2)).unwrap();
    gallery.add_space(space(2)).unwrap();
    assert_eq!(gallery.info().unwrap().spaces, [space(1), space(2)]);
    assert!(acme.identify(&other, &Query::top(1)).unwrap().is_empty());
    acme.enroll(&id(1), &other).unwrap();
    assert_eq!(acme.identify(&other, &Query::top(9)).unwrap().len(), 1);
    assert_eq!(acme.identify(&near(0.0), &Query::top(9)).unwrap().len(), 5);
    let short = Template::new(Embedding::normalize(vec![1.0, 2.0]).unwrap(), space(1));
    assert_eq!(acme.identify(&short, &Query::top(1)).unwrap_err().kind(), ErrorKind::SpaceMismatch);
    assert_eq!(acme.enroll(&id(9), &short).unwrap_err().kind(), ErrorKind::SpaceMismatch);
}

#[test]
fn tenants_are_strangers() {
    let (_folder, gallery, acme) = fresh();
    let zeta = gallery.tenant(&tenant_id("zeta")).unwrap();
    acme.enroll(&id(1), &template(1)).unwrap();
    added(zeta.enroll(&id(1), &template(1)).unwrap());
    zeta.enroll(&id(2), &template(2)).unwrap();
    assert_eq!(acme.subjects().unwrap(), [id(1)]);
    assert!(acme.identify(&template(2), &Query::top(1).at_least(0.9)).unwrap().is_empty());
    assert_eq!(acme.erase(&id(2)).unwrap_err().kind(), ErrorKind::SubjectNotFound);
    assert_eq!(gallery.tenants().unwrap(), [tenant_id("acme"), tenant_id("zeta")]);
    let erased = gallery.erase_tenant(&tenant_id("zeta")).unwrap();
    assert_eq!((erased.subjects, erased.templates), (2, 2));
    for kind in [
        zeta.identify(&template(2), &Query::top(1)).unwrap_err().kind(),
        zeta.subjects().unwrap_err().kind(),
        zeta.enroll(&id(5), &template(5)).unwrap_err().kind(),
        gallery.erase_tenant(&tenant_id("zeta")).unwrap_err().kind(),
    ] {
        assert_eq!(kind, ErrorKind::TenantNotFound);
    }
    // A new tenant of that name has nothing of the old one.
    let again = gallery.tenant(&tenant_id("zeta")).unwrap();
    assert!(again.subjects().unwrap().is_empty());
    added(again.enroll(&id(9), &template(9)).unwrap());
    assert_eq!(zeta.subjects().unwrap_err().kind(), ErrorKind::TenantNotFound);
    assert_eq!(acme.subjects().unwrap(), [id(1)]);
    gallery.check().unwrap();
}

#[test]
fn a_gallery_for_reading_changes_nothing() {
    let (folder, gallery, acme) = fresh();
    acme.enroll(&id(1), &template(1)).unwrap();
    let reader = Gallery::open_read_only(folder.path().join("g.faceprint"), &key(1)).unwrap();
    let tenant = reader.tenant(&tenant_id("acme")).unwrap();
    assert_eq!(tenant.subjects().unwrap(), [id(1)]);
    for kind in [
        tenant.enroll(&id(2), &template(2)).unwrap_err().kind(),
        tenant.erase(&id(1)).unwrap_err().kind(),
        reader.add_space(space(3)).unwrap_err().kind(),
        reader.rotate_key(&key(2)).unwrap_err().kind(),
        reader.rekey(&key(2)).unwrap_err().kind(),
        reader.compact().unwrap_err().kind(),
    ] {
        assert_eq!(kind, ErrorKind::InvalidArgument);
    }
    let error = reader.tenant(&tenant_id("none")).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TenantNotFound);
    acme.enroll(&id(2), &template(2)).unwrap();
    assert_eq!(tenant.subjects().unwrap().len(), 2);
    gallery.check().unwrap();
}

#[test]
fn handles_are_used_from_many_threads() {
    let (_folder, gallery, acme) = fresh();
    std::thread::scope(|scope| {
        for thread in 0..4_u64 {
            let (acme, gallery) = (acme.clone(), gallery.clone());
            scope.spawn(move || {
                for number in 0..12 {
                    let number = thread * 100 + number;
                    added(acme.enroll(&id(number), &template(number)).unwrap());
                    let hits = acme.identify(&template(number), &Query::top(1)).unwrap();
                    assert_eq!(hits[0].subject, id(number));
                    if number % 100 == 5 {
                        gallery.rekey(&key(1)).unwrap();
                    }
                }
            });
        }
    });
    assert_eq!(acme.subjects().unwrap().len(), 48);
    gallery.check().unwrap();
}

#[test]
fn nothing_personal_is_printed() {
    let (_folder, gallery, acme) = fresh();
    let name: SubjectId = "Ada Lovelace".parse().unwrap();
    acme.enroll(&name, &template(1)).unwrap();
    let details = Details { metadata: Some("{\"secret\":1}".into()), ..Details::default() };
    acme.set_details(&name, &details).unwrap();
    let printed = format!(
        "{gallery:?} {acme:?} {:?} {:?} {:?} {:?} {:?} {:?} {}",
        acme.subject(&name).unwrap(),
        acme.templates(&name).unwrap(),
        acme.identify(&template(1), &Query::top(1).among([&name])).unwrap(),
        Query::top(1).among([&name]),
        Access::passphrase("hunter2"),
        acme.enroll(&id(1), &template(1)).unwrap(),
        acme.verify(&id(5), &template(1)).unwrap_err(),
    );
    for word in ["Ada", "Lovelace", "secret", "hunter2", "subject number", "acme"] {
        assert!(!printed.contains(word), "{word} in {printed}");
    }
}

#[test]
fn details_come_with_the_template() {
    let (_folder, gallery, acme) = fresh();
    let time = |seconds| Some(UNIX_EPOCH + Duration::from_secs(seconds));
    let details = |metadata: &str| Details {
        metadata: Some(metadata.into()),
        consent: time(5),
        expires_at: time(7_000_000_000),
    };
    let (first, second) = (details("1"), details("2"));
    let templates = [template(1), template(2), template(3)];
    let with = |at: usize, details| NewTemplate::from(&templates[at]).details(details);
    let stored = |number| acme.subject(&id(number)).unwrap().details;
    added(acme.enroll(&id(1), with(0, &first)).unwrap());
    assert_eq!(stored(1), first);
    // Another template says nothing, or something else; a batch the same, the last word counts.
    added(acme.enroll(&id(1), &templates[1]).unwrap());
    assert_eq!(stored(1), first);
    added(acme.replace(&id(1), with(1, &second)).unwrap());
    assert_eq!(stored(1), second);
    let batch = [(id(1), with(0, &first)), (id(2), with(2, &first)), (id(2), with(2, &second))];
    for outcome in acme.enroll_all(&batch, |_, _| {}).unwrap() {
        added(outcome);
    }
    assert_eq!((stored(1), stored(2)), (first.clone(), second.clone()));
    // Of a duplicate nothing is stored, of neither of the two.
    let outcome = acme.enroll(&id(3), with(2, &first)).unwrap();
    assert!(matches!(outcome, Enrollment::Duplicate { .. }));
    assert_eq!(stored(2), second);
    assert_eq!(acme.subject(&id(3)).unwrap_err().kind(), ErrorKind::SubjectNotFound);
    // What is no JSON stops the batch before anybody is there.
    let wrong = details("{");
    let batch =
        [(id(4), NewTemplate::from(&templates[1]).details(&first)), (id(5), with(0, &wrong))];
    let error = acme.enroll_all(&batch, |_, _| {}).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidArgument);
    assert_eq!(acme.subjects().unwrap(), [id(1), id(2)]);
    gallery.check().unwrap();
}
