//! Tenants with an approximate index, which small ones have in tests only.
#![allow(clippy::unwrap_used)]

use std::time::{Duration, Instant};

use super::*;
use crate::gallery::{Access, Gallery};
use crate::vector::Embedding;

const KIND: IndexKind = IndexKind::Approximate { target_recall: 0.9 };

fn space() -> SpaceId {
    SpaceId::from_bytes([1; 32])
}

fn id(number: u64) -> SubjectId {
    format!("subject {number}").parse().unwrap()
}

/// Twelve values of a linear congruential generator (Knuth, MMIX).
fn template(number: u64) -> Template {
    let mut state = number;
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(0x1405_7b7e_f767_814f);
        (state >> 40) as f32 / (1 << 24) as f32 - 0.5
    };
    next();
    Template::new(
        Embedding::normalize((0..12).map(|_| next()).collect::<Vec<_>>()).unwrap(),
        space(),
    )
}

fn settle(tenant: &Tenant) {
    let started = Instant::now();
    while !matches!(tenant.index_state(space()).unwrap(), IndexState::Approximate { .. }) {
        assert!(started.elapsed() < Duration::from_secs(300), "{:?}", tenant.index_state(space()));
        std::thread::sleep(Duration::from_millis(2));
    }
}

#[test]
fn an_approximate_tenant_sees_every_change_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let access = Access::key([7; 32]);
    let gallery = Gallery::create(folder.path().join("g"), &access, space()).unwrap();
    let tenant = gallery.tenant(&"acme".parse().unwrap()).unwrap();
    let tenant = tenant.with_policy(EnrollPolicy::default().duplicate_at(None));
    let people: Vec<_> = (0..400).map(|it| (id(it), template(it))).collect();
    tenant.enroll_all(&people, |_, _| {}).unwrap();
    let fast = tenant.clone().with_index(KIND).unwrap();
    let best = |tenant: &Tenant, number| {
        let hits = tenant.identify(&template(number), &Query::top(1)).unwrap();
        (hits[0].clone(), hits.method())
    };
    assert_eq!(best(&fast, 3).1, SearchMethod::Exact);
    tenant.state.with_indexes(Index::pretend_that_graphs_pay);
    settle(&fast);
    let (hit, method) = best(&fast, 3);
    assert!(
        matches!(method, SearchMethod::Approximate { audited_recall } if audited_recall >= 0.9)
    );
    assert_eq!((hit, SearchMethod::Exact), best(&tenant, 3), "the same person, the same bits");

    fast.erase(&id(3)).unwrap();
    assert_ne!(best(&fast, 3).0.subject, id(3));
    let gone = Details { expires_at: Some(SystemTime::UNIX_EPOCH), ..Details::default() };
    fast.set_details(&id(4), &gone).unwrap();
    assert_ne!(best(&fast, 4).0.subject, id(4));
    fast.enroll(&id(1000), &template(1000)).unwrap();
    let (hit, method) = best(&fast, 1000);
    assert_eq!(hit.subject, id(1000));
    assert_ne!(method, SearchMethod::Exact);
    let verdict = fast.decide(&template(9), &Query::top(1).at_least(0.9)).unwrap();
    assert!(matches!(verdict, Verdict::Match(hit) if hit.subject == id(9)));

    // Rekeying loads everything anew; the graph goes with what it was made of.
    gallery.rekey(&access).unwrap();
    let _ = best(&fast, 5);
    let state = Arc::downgrade(&fast.state);
    drop((gallery, tenant, fast));
    let started = Instant::now();
    while state.strong_count() > 0 {
        assert!(started.elapsed() < Duration::from_secs(300), "a thread holds the tenant");
        std::thread::sleep(Duration::from_millis(2));
    }
}
