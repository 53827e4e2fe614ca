//! A tenant's choice of index, from outside: what is refused, and that a small tenant is searched exactly whatever was
//! asked for. Graphs at work are tested inside the library, where small galleries may have them.
#![cfg(feature = "gallery")]
#![allow(clippy::unwrap_used)]

#[path = "common/gallery.rs"]
#[allow(dead_code, unreachable_pub)]
mod common;

use common::{fresh, id, space, template};
use faceprint::matcher::IndexState;
use faceprint::{ErrorKind, IndexKind, Query, SearchMethod};

fn approximate(target_recall: f64) -> IndexKind {
    IndexKind::Approximate { target_recall }
}

#[test]
fn targets_are_checked() {
    let (_folder, _gallery, acme) = fresh();
    for target in [f64::NAN, -1.0, 0.0, 0.49, 0.9991, 1.0, f64::INFINITY] {
        let error = acme.clone().with_index(approximate(target)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidArgument, "{target}");
    }
    assert!(acme.clone().with_index(IndexKind::Exact).is_ok());
    let asked = acme.with_index(approximate(0.99));
    if cfg!(feature = "hnsw") {
        assert!(asked.is_ok());
    } else {
        assert_eq!(asked.unwrap_err().kind(), ErrorKind::Unsupported);
    }
}

#[test]
fn small_tenants_are_searched_exactly() {
    let (_folder, _gallery, acme) = fresh();
    let people: Vec<_> = (0..20).map(|number| (id(number), template(number))).collect();
    acme.enroll_all(&people, |_, _| {}).unwrap();
    assert_eq!(acme.index_state(space(1)).unwrap(), IndexState::Exact);
    let exact = acme.identify(&template(3), &Query::top(5)).unwrap();
    assert_eq!(exact.method(), SearchMethod::Exact);
    assert_eq!((exact.len(), &exact[0].subject), (5, &id(3)));
    assert_eq!(exact.iter().len(), (&exact).into_iter().count());
    assert_eq!(exact.clone().into_vec(), exact.clone().into_iter().collect::<Vec<_>>());

    let Ok(fast) = acme.with_index(approximate(0.99)) else { return };
    assert_eq!(fast.identify(&template(3), &Query::top(5)).unwrap(), exact);
    let state = fast.index_state(space(1)).unwrap();
    let IndexState::Small { templates: 20, from } = state else { panic!("{state:?}") };
    assert!(from > 100_000);
}
