//! From one model to the next: two spaces in one gallery until nobody lacks the new one.
#![cfg(feature = "gallery")]
#![allow(clippy::unwrap_used)]

#[path = "common/gallery.rs"]
#[allow(dead_code, unreachable_pub)]
mod common;

use common::*;
use faceprint::gallery::{SpaceReport, Stranded};
use faceprint::{ErrorKind, Gallery, Query, Tenant};

/// Subjects, lacking, templates of each space.
fn counts(spaces: &[SpaceReport]) -> Vec<(u64, u64, u64)> {
    spaces.iter().map(|it| (it.subjects, it.lacking, it.templates)).collect()
}

#[test]
fn a_gallery_moves_to_another_model_person_by_person() {
    let (folder, gallery, acme) = fresh();
    let zeta = gallery.tenant(&tenant_id("zeta")).unwrap();
    let (old, new) = (space(1), space(2));
    for number in 0..3 {
        added(acme.enroll(&id(number), &template(number)).unwrap());
    }
    added(acme.enroll(&id(0), &template(10)).unwrap());
    added(zeta.enroll(&id(0), &template(0)).unwrap());
    gallery.add_space(new).unwrap();
    assert_eq!(counts(&gallery.spaces().unwrap()), [(4, 0, 5), (0, 4, 0)]);
    assert_eq!(counts(&acme.spaces().unwrap()), [(3, 0, 4), (0, 3, 0)]);
    assert_eq!(gallery.spaces().unwrap()[1].space, new);
    let probe = |seed| template_in(new, seed);
    let finds = |tenant: &Tenant, seed| {
        tenant.identify(&probe(seed), &Query::top(1).at_least(0.9)).unwrap().len()
    };
    // When somebody is next seen: one call, and they are found with both.
    assert_eq!(finds(&acme, 0), 0);
    for number in 0..3 {
        added(acme.enroll(&id(number), &probe(number)).unwrap());
        assert_eq!(finds(&acme, number), 1);
        assert_eq!(acme.spaces().unwrap()[1].lacking, 2 - number);
        assert_eq!(gallery.spaces().unwrap()[1].lacking, 3 - number);
    }
    let hits = acme.identify(&template(1), &Query::top(9)).unwrap();
    let stored = acme.templates(&id(1)).unwrap();
    let of_old = stored.iter().find(|it| it.template.space() == old).unwrap();
    assert!(hits.iter().any(|hit| hit.template == of_old.id));
    assert!(
        hits.iter().all(|hit| hit.template != stored[1].id),
        "a probe meets only its own space"
    );
    // One is left in the other tenant.
    let error = gallery.remove_space(old, Stranded::Refuse).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidArgument);
    assert!(error.to_string().starts_with("1 subjects"), "{error}");
    added(zeta.enroll(&id(0), &probe(0)).unwrap());
    let other = Gallery::open(folder.path().join("g.faceprint"), &key(1)).unwrap();
    let other = other.tenant(&tenant_id("acme")).unwrap();
    assert_eq!(finds(&other, 1), 1);
    gallery.remove_space(old, Stranded::Refuse).unwrap();
    for tenant in [&acme, &other] {
        assert_eq!(tenant.templates(&id(0)).unwrap().len(), 1);
        assert_eq!(finds(tenant, 0), 1);
        let error = tenant.identify(&template(0), &Query::top(1)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::SpaceMismatch);
    }
    assert_eq!(counts(&gallery.spaces().unwrap()), [(4, 0, 4)]);
    gallery.check().unwrap();
    for (space, kind) in [(old, ErrorKind::SpaceMismatch), (new, ErrorKind::InvalidArgument)] {
        assert_eq!(gallery.remove_space(space, Stranded::Keep).unwrap_err().kind(), kind);
    }
    // Told to, it leaves people without a template.
    gallery.add_space(old).unwrap();
    gallery.remove_space(new, Stranded::Keep).unwrap();
    assert_eq!(counts(&gallery.spaces().unwrap()), [(0, 4, 0)]);
    assert_eq!(acme.subjects().unwrap().len(), 3);
    added(acme.enroll(&id(2), &template(2)).unwrap());
    assert_eq!(acme.spaces().unwrap()[0].lacking, 2);
    gallery.check().unwrap();
}
