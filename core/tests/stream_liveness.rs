//! Faces and photographs of faces before a stream that lets several frames vote on which is which.
#![cfg(feature = "gallery")]
#![allow(
    clippy::unwrap_used,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "part of the tests only"
)]

#[path = "common/scenes.rs"]
#[allow(dead_code, unreachable_pub)]
mod scenes;

use std::time::Duration;

use faceprint::stream::{Observe, StreamBuilder, Who};
use faceprint::{Detection, ErrorKind, Result, Stream, Template};
use scenes::*;

fn voting() -> StreamBuilder<Eyes, Known> {
    builder(5).liveness(5)
}

fn photograph(person: u64, x: f32) -> Face {
    Face { liveness: 0.1, ..Face::at(person, x) }
}

/// Who stands where, from left to right: the number of the person, or 99 for a suspected attack.
fn standing(door: &Door) -> Vec<Option<u64>> {
    let mut followed: Vec<_> = door.stream.followed().collect();
    followed.sort_by(|a, b| a.bounds.x.total_cmp(&b.bounds.x));
    let number = |who: &Who| match who {
        Who::Subject { id, .. } => id.as_str()["person ".len()..].parse().unwrap(),
        Who::Suspected { .. } => 99,
        other => panic!("{other:?}"),
    };
    followed.iter().map(|it| it.who.as_ref().filter(|_| !it.doubtful).map(number)).collect()
}

#[test]
fn who_is_alive_is_said_as_soon_as_without_a_vote() {
    let film = |builder: StreamBuilder<Eyes, Known>| {
        let mut door = Door::new(builder);
        door.film(0.0, 60.0, |_| vec![Face::at(3, 100.0)]);
        door
    };
    let (with, without) = (film(voting()), film(builder(5)));
    assert_eq!((with.who(), with.events[0].at), (vec![3], without.events[0].at));
    assert_eq!(with.stream.stats().embeddings, without.stream.stats().embeddings);
    assert_eq!(with.stream.stats().judged, with.stream.stats().embeddings);
    assert_eq!(without.stream.stats().judged, 0, "off unless asked for");
}

#[test]
fn a_photograph_is_nobody_and_said_once() {
    for person in [3, 7] {
        let mut door = Door::new(voting());
        door.film(0.0, 60.0, |_| vec![photograph(person, 100.0)]);
        assert_eq!(door.who(), [2_000], "{person}, whether known or not");
        let Who::Suspected { score, minimum, .. } = door.events[0].who else { panic!() };
        assert_eq!((score, minimum), (0.1, 0.5));
        assert_eq!(door.events[0].at, seconds(0.3));
        assert_eq!(standing(&door), [Some(99)]);
        // As many looks as for anybody, and nobody was seen.
        assert_eq!((door.stream.stats().embeddings, door.stream.stats().judged), (14, 14));
        assert_eq!(door.stream.sightings(), []);
    }
    // Without the vote it would have been somebody.
    let mut door = Door::new(builder(5));
    door.film(0.0, 5.0, |_| vec![photograph(3, 100.0)]);
    assert_eq!(door.who(), [3]);
}

#[test]
fn bad_frames_are_outvoted() {
    // Each one or two of the first seven frames, and a whole second's where somebody is looked at again.
    for first in 0..7_u32 {
        for second in 0..7_u32 {
            let wrong = |at: f64| {
                let frame = (at * 10.0).round() as u32;
                frame == first || frame == second || frame == 53
            };
            let mut live = Door::new(voting());
            live.film(0.0, 12.0, |at| {
                vec![if wrong(at) { photograph(1, 100.0) } else { Face::at(1, 100.0) }]
            });
            assert_eq!(live.who(), [1], "{first} {second}");
            assert_eq!(standing(&live), [Some(1)]);
            let mut photo = Door::new(voting());
            photo.film(0.0, 12.0, |at| {
                vec![if wrong(at) { Face::at(1, 100.0) } else { photograph(1, 100.0) }]
            });
            assert_eq!(photo.who(), [2_000], "{first} {second}");
        }
    }
    // One frame alone decides where one was asked for.
    let mut door = Door::new(builder(5).liveness(1));
    door.film(0.0, 3.0, |at| {
        vec![if at < 0.15 { photograph(1, 100.0) } else { Face::at(1, 100.0) }]
    });
    assert_eq!(door.who(), [2_000]);
}

#[test]
fn a_photograph_in_the_place_of_its_owner_is_found_out() {
    // On the same path without a gap, which is looked at each five seconds; and in a moment that no frame shows.
    for gap in [0.0, 0.3, 0.6, 1.5] {
        let mut door = Door::new(voting());
        door.film(0.0, 4.0, |_| vec![Face::at(1, 100.0)]);
        assert_eq!(standing(&door), [Some(1)]);
        let seen = door.stream.sightings();
        door.film(4.0 + gap, 14.0 + gap, |_| vec![photograph(1, 100.0)]);
        assert_eq!(door.who(), [1, 2_000], "{gap}");
        assert_eq!(standing(&door), [Some(99)], "{gap}");
        let limit = if gap < 0.5 { 6 } else { 0 };
        let later = door.stream.sightings()[0].at.duration_since(seen[0].at).unwrap();
        assert!(later <= Duration::from_secs(limit), "{gap}: seen {later:?} later");
    }
}

#[test]
fn who_was_refused_is_judged_anew_when_they_come_back() {
    let mut door = Door::new(voting());
    door.film(0.0, 3.0, |_| vec![photograph(1, 100.0)]);
    // The photograph is put down: the path stays refused.
    door.film(3.0, 20.0, |_| vec![Face::at(1, 100.0)]);
    assert_eq!((door.who(), standing(&door)), (vec![2_000], vec![Some(99)]));
    assert_eq!(door.stream.sightings(), []);
    door.film(22.1, 25.0, |_| vec![Face::at(1, 100.0)]);
    assert_eq!((door.who(), standing(&door)), (vec![2_000, 1], vec![Some(1)]));
}

#[test]
fn a_face_behind_the_photograph_is_judged_for_itself() {
    let mut door = Door::new(voting());
    door.film(0.0, 3.0, |_| vec![photograph(1, 100.0)]);
    // Whose it is is seen at the next look, after five seconds.
    door.film(3.0, 8.0, |_| vec![Face::at(4, 100.0)]);
    assert_eq!((door.who(), standing(&door)), (vec![2_000, 4], vec![Some(4)]));
    assert_ne!(door.events[0].track, door.events[1].track);
}

#[test]
fn suspicions_have_a_cooldown_and_an_id_of_their_own() {
    let mut door = Door::new(voting().cooldown(Duration::from_secs(30)));
    for start in [0.0, 20.0, 45.0, 80.0] {
        door.film(start, start + 3.0, |_| vec![photograph(1, 100.0)]);
    }
    assert_eq!(door.who(), [2_000, 2_000], "the first and the one that comes 32 s after the third");
    // A photograph of a stranger, and the stranger.
    let mut door = Door::new(voting());
    door.film(0.0, 3.0, |_| vec![photograph(7, 100.0)]);
    door.film(10.0, 13.0, |_| vec![Face::at(7, 100.0)]);
    assert_eq!(door.who(), [2_000, 1_000]);
    let (Who::Suspected { id, .. }, Who::Visitor(visitor)) =
        (&door.events[0].who, &door.events[1].who)
    else {
        panic!()
    };
    assert_ne!(id, visitor);
}

#[test]
fn of_two_people_the_one_who_is_a_photograph_is_refused() {
    let mut door = Door::new(voting());
    door.film(0.0, 5.0, |_| vec![Face::at(1, 100.0), photograph(2, 400.0)]);
    assert_eq!(sorted(door.who()), [1, 2_000]);
    assert_eq!(standing(&door), [Some(1), Some(99)]);
    // Side by side, so close that each face could be the other's.
    let mut door = Door::new(voting());
    door.film(0.0, 5.0, |_| vec![Face::at(1, 100.0), photograph(2, 185.0)]);
    assert_eq!(sorted(door.who()), [1, 2_000]);
    // Past each other, hidden in the middle; and in each other's place in a moment that no frame shows.
    let mut door = Door::new(voting());
    door.film(0.0, 6.0, |at| {
        let (left, right) = (50.0 + 80.0 * at as f32, 530.0 - 80.0 * at as f32);
        let mut faces = vec![Face::at(1, left)];
        if (left - right).abs() > 45.0 {
            faces.push(photograph(2, right));
        }
        faces
    });
    assert_eq!(sorted(door.who()), [1, 2_000]);
    assert_eq!(standing(&door), [Some(99), Some(1)]);
    for gap in [0.3, 0.6, 1.5] {
        let mut door = Door::new(voting());
        door.film(0.0, 3.0, |_| vec![Face::at(1, 100.0), photograph(2, 400.0)]);
        door.film(3.0 + gap, 8.0 + gap, |_| vec![photograph(2, 100.0), Face::at(1, 400.0)]);
        assert_eq!(standing(&door), [Some(99), Some(1)], "{gap}");
        assert!(door.who().iter().all(|it| [1, 2_000].contains(it)), "{gap}: {:?}", door.who());
        assert_eq!(door.who().iter().filter(|it| **it == 1).count(), 1, "{gap}");
    }
}

#[test]
fn what_cannot_judge_is_refused_at_the_first_frame() {
    /// Sees, and knows nothing of liveness.
    #[derive(Clone, Debug)]
    struct Plain;

    impl Observe<Scene> for Plain {
        fn detect(&self, frame: &Scene) -> Result<Vec<Detection>> {
            Eyes.detect(frame)
        }
        fn quality(&self, frame: &Scene, face: &Detection) -> Result<Option<f32>> {
            Eyes.quality(frame, face)
        }
        fn describe(&self, frame: &Scene, face: &Detection) -> Result<Template> {
            Eyes.describe(frame, face)
        }
        fn threshold(&self) -> Result<f32> {
            Ok(THRESHOLD)
        }
    }

    let known = Known(std::sync::Arc::new(5.into()));
    let mut stream = Stream::builder(&Plain, &known).liveness(5).build().unwrap();
    let error = stream.push(&Scene::default(), seconds(0.0)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidArgument);
    assert!(error.to_string().contains(".liveness(true)"), "{error}");
    assert!(
        Stream::builder(&Plain, &known)
            .build()
            .unwrap()
            .push(&Scene::default(), seconds(0.0))
            .is_ok()
    );
    for frames in [0, 100] {
        let error = builder(5).liveness(frames).build().unwrap_err();
        assert!(
            error.to_string().contains(&format!("is {frames}, must be between 1 and 99")),
            "{error}"
        );
    }
}

fn sorted(mut who: Vec<u64>) -> Vec<u64> {
    who.sort_unstable();
    who
}
