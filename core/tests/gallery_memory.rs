//! Galleries that hold codes only: the same answers as those that hold all values, bit by bit, and no answer from a
//! row that is not what it was.
#![cfg(feature = "gallery")]
#![allow(clippy::unwrap_used)]

#[path = "common/gallery.rs"]
#[allow(dead_code, unreachable_pub)]
mod common;

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime};

use common::*;
use faceprint::gallery::{Details, EnrollPolicy, Memory};
use faceprint::vector::{Embedding, Template};
use faceprint::{Enrollment, ErrorKind, Gallery, IndexKind, Query, Tenant};
use proptest::prelude::*;
use rusqlite::Connection;

/// A template at an angle of about `cosine` to the one of `seed`.
fn near(seed: u64, cosine: f32, noise: u64) -> Template {
    let (one, other) = (template(seed), template(noise));
    let rest = (1.0 - cosine * cosine).sqrt();
    let pairs = one.embedding().as_slice().iter().zip(other.embedding().as_slice());
    let values: Vec<_> = pairs.map(|(a, b)| cosine * a + rest * b).collect();
    Template::new(Embedding::normalize(values).unwrap(), space(1))
}

fn acme(gallery: &Gallery, memory: Memory) -> Tenant {
    gallery.clone().with_memory(memory).tenant(&tenant_id("acme")).unwrap()
}

/// Whatever can be asked, as text; floats print as they are.
fn answers(tenant: &Tenant, round: u64) -> Vec<String> {
    let probes: Vec<_> = (0..7).map(|seed| near(seed, 0.7, 100 + round)).collect();
    let roster: Vec<_> = [1, 3, 4].map(id).to_vec();
    let mut said = Vec::new();
    for query in [
        Query::top(1),
        Query::top(3).at_least(0.3),
        Query::top(50),
        Query::top(2).among(&roster),
        Query::top(9).at_least(0.9),
    ] {
        said.push(format!("{:?}", tenant.identify_all(&probes, &query).unwrap()));
        for probe in &probes {
            said.push(format!("{:?}", tenant.identify(probe, &query).unwrap()));
            let query = query.clone().ambiguity_margin(0.2);
            said.push(format!("{:?}", tenant.decide(probe, &query).unwrap()));
        }
    }
    for person in 0..7 {
        let answer = tenant.verify(&id(person), &probes[0]).map_err(|error| error.kind());
        said.push(format!("{answer:?}"));
    }
    for at_least in [-1.0, 0.5] {
        said.push(format!("{:?}", tenant.find_duplicates(at_least, |_, _| {}).unwrap()));
    }
    said
}

#[derive(Clone, Debug)]
enum Step {
    Enroll(u64, u64),
    Batch(Vec<(u64, u64)>),
    Replace(u64, u64),
    Erase(u64),
    Expire(u64),
    Rekey,
}

fn step() -> impl Strategy<Value = Step> {
    let both = (0..7_u64, 0..40_u64);
    prop_oneof![
        6 => both.clone().prop_map(|(person, seed)| Step::Enroll(person, seed)),
        2 => prop::collection::vec(both.clone(), 0..80).prop_map(Step::Batch),
        2 => both.prop_map(|(person, seed)| Step::Replace(person, seed)),
        3 => (0..7_u64).prop_map(Step::Erase),
        1 => (0..7_u64).prop_map(Step::Expire),
        1 => Just(Step::Rekey),
    ]
}

/// Does `step`; what came of it, but for ids, which are random.
fn take(tenant: &Tenant, gallery: &Gallery, step: &Step) -> String {
    // Seeds 30 and above are like others: duplicates.
    let face = |seed: u64| if seed < 30 { template(seed) } else { near(seed - 30, 0.8, seed) };
    let said = |enrollment: &Enrollment| match enrollment {
        Enrollment::Added { near_misses, .. } => format!("added {near_misses:?}"),
        duplicate @ Enrollment::Duplicate { .. } => format!("{duplicate:?}"),
    };
    let done = match step {
        Step::Enroll(person, seed) => tenant.enroll(&id(*person), &face(*seed)).map(|it| said(&it)),
        Step::Batch(batch) => {
            let batch: Vec<_> =
                batch.iter().map(|(person, seed)| (id(*person), face(*seed))).collect();
            let all = tenant.enroll_all(&batch, |_, _| {});
            all.map(|all| all.iter().map(said).collect())
        }
        Step::Replace(person, seed) => {
            tenant.replace(&id(*person), &face(*seed)).map(|it| said(&it))
        }
        Step::Erase(person) => tenant.erase(&id(*person)).map(|it| format!("{it:?}")),
        Step::Expire(person) => {
            let expires_at = Some(SystemTime::UNIX_EPOCH + Duration::from_secs(1));
            let details = Details { expires_at, ..Details::default() };
            tenant.set_details(&id(*person), &details).map(|()| "expired".to_owned())
        }
        Step::Rekey => gallery.rekey(&key(1)).map(|()| "rekeyed".to_owned()),
    };
    done.unwrap_or_else(|error| format!("{:?}", error.kind()))
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 24, failure_persistence: None, ..ProptestConfig::default()
    })]

    /// Four handles: two galleries opened on one file, each with a tenant of either memory. A twin gallery, that only
    /// holds all values, is told the same: what enrolments say is the same, duplicates and their similarities too.
    #[test]
    fn nothing_tells_them_apart(steps in prop::collection::vec((step(), 0..4_usize), 1..16)) {
        let folder = memory();
        let paths = ["g", "twin"].map(|name| folder.path().join(name));
        drop(paths.each_ref().map(|path| Gallery::create(path, &key(1), space(1)).unwrap()));
        let open = |path: &Path| {
            let gallery = Gallery::open(path, &key(1)).unwrap();
            let policy = EnrollPolicy::default().templates_per_subject(200);
            let tenants =
                [Memory::Full, Memory::Lean].map(|it| acme(&gallery, it).with_policy(policy));
            (gallery, tenants)
        };
        let mut handles = [open(&paths[0]), open(&paths[0])];
        let twin = open(&paths[1]);
        for (round, (step, who)) in (0..).zip(steps) {
            let (gallery, tenants) = &handles[who / 2];
            let said = take(&tenants[who % 2], gallery, &step);
            prop_assert_eq!(said, take(&twin.1[0], &twin.0, &step), "{:?} by {}", step, who);
            if matches!(step, Step::Rekey) {
                handles[1 - who / 2] = open(&paths[0]);
            }
            let mut all = handles.iter().flat_map(|(_, tenants)| tenants);
            let expected = answers(all.next().unwrap(), round);
            for tenant in all {
                prop_assert_eq!(&answers(tenant, round), &expected, "{:?} by {}", &step, who);
            }
        }
    }
}

/// Commits of others come between the loading, the scan and the reading; no answer is an error, or of two commits.
#[test]
fn others_come_and_go_meanwhile() {
    let (folder, gallery, _) = fresh();
    let lax = EnrollPolicy::default().duplicate_at(None);
    let other = Gallery::open(folder.path().join("g.faceprint"), &key(1)).unwrap();
    let other = acme(&other, Memory::Lean).with_policy(lax);
    let lean = acme(&gallery, Memory::Lean).with_policy(lax);
    let staying: Vec<_> = (0..30).map(|number| (id(number), template(number))).collect();
    lean.enroll_all(&staying, |_, _| {}).unwrap();
    let over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for (tenant, first) in [(&other, 100), (&lean, 200)] {
            let over = &over;
            scope.spawn(move || {
                for number in (first..first + 10).cycle().take(60) {
                    added(tenant.enroll(&id(number), &near(3, 0.9, number)).unwrap());
                    tenant.erase(&id(number)).unwrap();
                }
                over.store(true, Ordering::Release);
            });
        }
        let mut rounds = 0;
        while !over.load(Ordering::Acquire) || rounds < 20 {
            rounds += 1;
            let probe = near(3, 0.8, 1_000 + rounds);
            let hits = lean.identify(&probe, &Query::top(40)).unwrap();
            assert!((30..=32).contains(&hits.len()), "each of two others is here once, or not");
            for hit in &hits {
                let number: u64 = hit.subject.as_str()[15..].parse().unwrap();
                let face = if number < 100 { template(number) } else { near(3, 0.9, number) };
                assert_eq!(hit.similarity, probe.similarity(&face).unwrap());
            }
        }
    });
    assert_eq!(
        lean.identify(&near(3, 0.8, 1), &Query::top(40)).unwrap(),
        acme(&gallery, Memory::Full).identify(&near(3, 0.8, 1), &Query::top(40)).unwrap()
    );
}

/// The file is changed under an open gallery: whoever reads the row is told, and whoever does not is answered.
#[test]
fn a_row_that_was_changed_is_no_answer() {
    let first = "(SELECT min(id) FROM template)";
    for sql in [
        format!("UPDATE template SET vector = zeroblob(length(vector)) WHERE id = {first}"),
        format!(
            "UPDATE template SET vector = (SELECT vector FROM template WHERE id > {first} LIMIT 1) \
             WHERE id = {first}"
        ),
        format!("DELETE FROM template WHERE id = {first}"),
        format!("UPDATE template SET subject = subject + 1 WHERE id = {first}"),
        "DELETE FROM subject WHERE id = (SELECT min(id) FROM subject)".to_owned(),
        "UPDATE subject SET key = zeroblob(length(key)) WHERE id = (SELECT min(id) FROM subject)"
            .to_owned(),
    ] {
        let (folder, gallery, full) = fresh();
        for number in 0..50 {
            added(full.enroll(&id(number), &template(number)).unwrap());
        }
        let lean = acme(&gallery, Memory::Lean);
        let query = Query::top(1).at_least(0.5);
        assert_eq!(lean.identify(&template(0), &query).unwrap()[0].subject, id(0));
        let path = folder.path().join("g.faceprint");
        Connection::open(path).unwrap().execute_batch(&sql).unwrap();
        // Values in memory are what they were.
        assert_eq!(full.identify(&template(0), &query).unwrap()[0].subject, id(0));
        let error = lean.identify(&template(0), &query).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Integrity, "{sql}: {error}");
        let kinds = [
            lean.identify_all(&[template(7), template(0)], &query).unwrap_err().kind(),
            lean.verify(&id(0), &template(0)).unwrap_err().kind(),
            lean.enroll(&id(99), &template(0)).unwrap_err().kind(),
            lean.find_duplicates(0.9, |_, _| {}).unwrap_err().kind(),
        ];
        assert_eq!(kinds, [ErrorKind::Integrity; 4], "{sql}");
        assert_eq!(lean.identify(&template(7), &query).unwrap()[0].subject, id(7), "{sql}");
    }
}

#[test]
fn what_a_lean_tenant_is_not() {
    let (_folder, gallery, full) = fresh();
    added(full.enroll(&id(1), &template(1)).unwrap());
    let lean = acme(&gallery, Memory::Lean);
    assert!(lean.clone().with_index(IndexKind::Exact).is_ok());
    let graph = lean.clone().with_index(IndexKind::Approximate { target_recall: 0.9 });
    assert_eq!(graph.unwrap_err().kind(), ErrorKind::Unsupported);
    gallery.erase_tenant(&tenant_id("acme")).unwrap();
    let error = lean.identify(&template(1), &Query::top(1)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TenantNotFound);
}
