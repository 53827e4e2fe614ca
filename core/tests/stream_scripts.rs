//! Scenes with an outcome that anybody would agree on: who comes, goes, crosses, hides and swaps gives exactly
//! these events.
#![cfg(feature = "gallery")]
#![allow(clippy::unwrap_used, clippy::cast_possible_truncation, reason = "part of the tests only")]

#[path = "common/scenes.rs"]
#[allow(dead_code, unreachable_pub)]
mod scenes;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use faceprint::stream::Who;
use faceprint::{ErrorKind, Stream};
use scenes::*;

const NOBODY: &[Face] = &[];

fn second(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

#[test]
fn who_enters_is_said_once_and_costs_few_templates() {
    let mut door = Door::new(builder(5));
    door.film(0.0, 60.0, |_| vec![Face::at(3, 100.0)]);
    assert_eq!(door.who(), [3]);
    // Two frames make a path, and the third template decides.
    assert_eq!(door.events[0].at, seconds(0.3));
    assert!(matches!(&door.events[0].who, Who::Subject { similarity, .. } if *similarity > 0.8));
    let stats = door.stream.stats();
    // Three at first, then one every five seconds.
    assert_eq!((stats.frames, stats.faces, stats.embeddings), (600, 599, 14));
    assert_eq!((stats.saved, stats.embedded_frames, stats.events), (585, 14, 1));
}

#[test]
fn visits_are_a_cooldown_apart() {
    let mut door = Door::new(builder(5).cooldown(second(30)));
    for start in [0.0, 20.0, 45.0, 80.0] {
        door.film(start, start + 3.0, |_| vec![Face::at(1, 100.0)]);
    }
    // 17 s away, 22 s away: the same visit, although 45 s after its beginning. Then 32 s away.
    assert_eq!(door.who(), [1, 1]);
    assert_eq!(door.events[1].at, seconds(80.3));
    assert_ne!(door.events[0].id, door.events[1].id);
}

#[test]
fn a_quarter_of_a_second_is_nobody() {
    let mut door = Door::new(builder(5));
    door.film(0.0, 0.25, |_| vec![Face::at(1, 100.0)]);
    door.film(1.0, 5.0, |_| Vec::new());
    assert!(door.events.is_empty());
    // Unless one look is enough.
    let mut door = Door::new(builder(5).confirm_after(1));
    door.see(0.0, &[Face::at(1, 100.0)]);
    assert_eq!(door.who(), [1]);
}

#[test]
fn two_cross_and_stay_who_they_are() {
    let mut door = Door::new(builder(5));
    // Past each other at the same height, hidden behind one another in the middle.
    door.film(0.0, 6.0, |at| {
        let (left, right) = (50.0 + 80.0 * at as f32, 530.0 - 80.0 * at as f32);
        let mut faces = vec![Face::at(1, left)];
        if (left - right).abs() > 45.0 {
            faces.push(Face::at(2, right));
        }
        faces
    });
    assert_eq!(sorted(door.who()), [1, 2]);
    let now: BTreeSet<String> = door
        .stream
        .followed()
        .map(|it| format!("{} {:?}", (it.bounds.x / 100.0).round(), name(it.who.as_ref())))
        .collect();
    assert_eq!(now, BTreeSet::from(["1 Some(\"person 2\")".into(), "5 Some(\"person 1\")".into()]));
}

#[test]
fn two_who_swap_places_do_not_swap_names() {
    for gap in [0.0, 0.3, 0.6, 1.5, 5.0] {
        let mut door = Door::new(builder(5).cooldown(second(2)));
        door.film(0.0, 3.0, |_| vec![Face::at(1, 100.0), Face::at(2, 400.0)]);
        // In a moment that no frame shows.
        door.film(3.0 + gap, 13.0 + gap, |_| vec![Face::at(2, 100.0), Face::at(1, 400.0)]);
        let who = door.who();
        // Who was away for the cooldown of 2 s comes again, the others do not.
        let expected: &[u64] = if gap > 2.0 { &[1, 1, 2, 2] } else { &[1, 2] };
        assert_eq!(sorted(who), expected, "{gap}");
        for it in door.stream.followed() {
            let expected = if it.bounds.x < 200.0 { "person 2" } else { "person 1" };
            assert_eq!(name(it.who.as_ref()).as_deref(), Some(expected), "{gap}");
            assert!(!it.doubtful);
        }
    }
}

#[test]
fn while_a_path_is_in_doubt_it_says_nothing() {
    let mut door = Door::new(builder(5));
    door.film(0.0, 1.0, |_| vec![Face::at(1, 100.0)]);
    // After a gap somebody else is there, and the picture is too bad for a template.
    door.see(1.8, &[Face { quality: None, ..Face::at(2, 100.0) }]);
    assert!(door.stream.followed().all(|it| it.doubtful));
    door.see(1.9, &[Face::at(2, 100.0)]);
    assert!(door.stream.followed().all(|it| it.doubtful), "one look that does not agree");
    door.film(2.0, 3.0, |_| vec![Face::at(2, 100.0)]);
    assert_eq!(door.who(), [1, 2]);
    assert_ne!(door.events[0].track, door.events[1].track);
}

#[test]
fn hidden_faces_are_found_again() {
    for hidden in [0.2, 1.0, 1.8, 4.0] {
        let mut door = Door::new(builder(5).cooldown(second(10)));
        door.film(0.0, 2.0, |_| vec![Face::at(1, 100.0)]);
        let before = door.stream.stats().embeddings;
        door.film(2.0, 2.0 + hidden, |_| Vec::new());
        door.film(2.0 + hidden, 5.0 + hidden, |_| vec![Face::at(1, 110.0)]);
        assert_eq!(door.who(), [1], "{hidden}");
        // One look verifies who was hidden for a moment; after two seconds they are new.
        let looks = door.stream.stats().embeddings - before;
        assert_eq!(looks, if hidden < 2.0 { 1 } else { 3 }, "{hidden}");
    }
}

#[test]
fn doubtful_detections_continue_paths_and_begin_none() {
    let faint = |person, x| Face { score: 0.35, ..Face::at(person, x) };
    let mut door = Door::new(builder(5));
    door.film(0.0, 3.0, |_| vec![faint(1, 100.0)]);
    assert!(door.events.is_empty() && door.stream.stats().faces == 0);
    door.film(3.0, 3.2, |_| vec![Face::at(1, 100.0)]);
    door.film(3.2, 5.0, |_| vec![faint(1, 100.0)]);
    assert_eq!(door.who(), [1]);
    assert_eq!(door.stream.stats().faces, 19);
}

#[test]
fn strangers_are_visitors_with_one_id_for_the_session() {
    let mut door = Door::new(builder(2).cooldown(second(10)));
    for start in [0.0, 5.0, 30.0] {
        door.film(start, start + 2.0, |_| vec![Face::at(7, 100.0), Face::at(8, 400.0)]);
    }
    door.film(60.0, 62.0, |_| vec![Face::at(0, 100.0), Face::at(9, 300.0)]);
    let who = door.who();
    assert_eq!(sorted(who[..2].to_vec()), [1_000, 1_001]);
    assert_eq!(sorted(who[2..4].to_vec()), [1_000, 1_001], "the same ids on the second visit");
    assert_eq!(who[4..], [0, 1_002]);
    // Another session calls them otherwise.
    let mut other = Door::new(builder(2));
    other.film(0.0, 2.0, |_| vec![Face::at(7, 100.0)]);
    assert!(door.events.iter().all(|event| event.who != other.events[0].who));
}

#[test]
fn a_clock_set_back_makes_no_second_event_and_loses_no_visit() {
    let mut door = Door::new(builder(5).cooldown(second(30)));
    door.film(0.0, 5.0, |_| vec![Face::at(1, 100.0)]);
    // An hour back, while somebody stands there, and somebody comes.
    door.film(-3_600.0, -3_590.0, |_| vec![Face::at(1, 100.0), Face::at(2, 400.0)]);
    assert_eq!(door.who(), [1, 2]);
    // Away for 25 s, then for 35 s: cooldowns go on from where they were.
    door.film(-3_565.0, -3_563.0, |_| vec![Face::at(1, 100.0)]);
    assert_eq!(door.who(), [1, 2]);
    door.film(-3_527.0, -3_525.0, |_| vec![Face::at(1, 100.0)]);
    assert_eq!(door.who(), [1, 2, 1]);
}

#[test]
fn a_clock_set_forward_is_a_pause() {
    let mut door = Door::new(builder(5).cooldown(second(30)));
    door.film(0.0, 5.0, |_| vec![Face::at(1, 100.0)]);
    door.film(25.0, 30.0, |_| vec![Face::at(1, 100.0)]);
    assert_eq!(door.who(), [1], "shorter than the cooldown");
    door.film(86_400.0, 86_405.0, |_| vec![Face::at(1, 100.0)]);
    assert_eq!(door.who(), [1, 1], "longer");
}

#[test]
fn a_clock_that_stands_still_gives_one_event_each() {
    let mut door = Door::new(builder(5));
    for step in 0..2_000_u16 {
        let first = Face::at(1, 100.0 + f32::from(step % 40));
        let faces: &[Face] = if (10..1_990).contains(&step) { &[first] } else { NOBODY };
        door.see(0.0, faces);
    }
    assert_eq!(door.who(), [1]);
}

#[test]
fn frames_may_be_dropped_or_skipped() {
    // One frame a second, and people who walk half their width in each.
    let mut door = Door::new(builder(5));
    for second in 0..20_u8 {
        let at = f32::from(second);
        door.see(
            at.into(),
            &[Face::at(1, 40.0 * at), Face { y: 400.0, ..Face::at(2, 800.0 - 40.0 * at) }],
        );
    }
    assert_eq!(sorted(door.who()), [1, 2]);
    // Each third of thirty frames a second.
    let mut door = Door::new(builder(5).every(3));
    for frame in 0..300 {
        door.see(f64::from(frame) / 30.0, &[Face::at(1, 100.0)]);
    }
    assert_eq!(door.who(), [1]);
    assert_eq!((door.stream.stats().frames, door.stream.stats().skipped), (300, 200));
}

#[test]
fn a_stream_that_resumes_knows_who_was_there() {
    let script = |door: &mut Door, from: f64| {
        door.film(from, from + 3.0, |_| vec![Face::at(1, 100.0), Face::at(2, 400.0)]);
    };
    let mut before = Door::new(builder(5).cooldown(second(30)));
    script(&mut before, 0.0);
    assert_eq!(sorted(before.who()), [1, 2]);
    let sightings = before.stream.sightings();
    assert_eq!(sightings.len(), 2);
    // Within the cooldown, after it, and when the clock was set back over the restart.
    for (restart, expected) in [(10.0, 0), (40.0, 2), (-1_000.0, 0)] {
        let mut after = Door::new(builder(5).cooldown(second(30)).resume(sightings.clone()));
        assert_eq!(after.stream.sightings(), sightings, "not forgotten before the first frame");
        script(&mut after, restart);
        assert_eq!(after.events.len(), expected, "{restart}");
    }
}

#[test]
fn who_is_forgotten_was_never_there() {
    let mut door = Door::new(builder(5).cooldown(second(30)));
    door.film(0.0, 3.0, |_| vec![Face::at(1, 100.0), Face::at(2, 400.0)]);
    assert_eq!(door.stream.sightings().len(), 2);
    // From the gallery and from the stream; they stand there still.
    door.stream.forget(&subject(1));
    assert_eq!(door.stream.sightings().len(), 1);
    assert!(door.stream.followed().all(|it| name(it.who.as_ref()) != Some("person 1".into())));
    door.film(3.0, 4.0, |_| vec![Face::at(1, 100.0), Face::at(2, 400.0)]);
    assert_eq!(sorted(door.who()), [1, 1, 2], "whom the gallery still knows begins a new visit");
    // What an earlier stream saw is forgotten before the first frame too.
    let mut after = Door::new(builder(5).resume(door.stream.sightings()));
    after.stream.forget(&subject(1));
    let seen: Vec<_> = after.stream.sightings().into_iter().map(|it| it.subject).collect();
    assert_eq!(seen, [subject(2)]);
}

#[test]
fn somebody_enrolled_later_is_recognised() {
    let known = Known(Arc::new(1.into()));
    let mut door = Door::new(Stream::builder(&Eyes, &known).look_interval(second(1)));
    door.film(0.0, 2.0, |_| vec![Face::at(1, 100.0)]);
    assert_eq!(door.who(), [1_000]);
    known.0.store(2, Ordering::Relaxed);
    door.film(2.0, 6.0, |_| vec![Face::at(1, 100.0)]);
    assert_eq!(door.who(), [1_000, 1]);
    assert_eq!(door.events[0].track, door.events[1].track);
}

#[test]
fn options_out_of_range_are_refused() {
    let kind = |builder: faceprint::stream::StreamBuilder<Eyes, Known>| {
        builder.build().unwrap_err().kind()
    };
    assert_eq!(kind(builder(1).confirm_after(0)), ErrorKind::InvalidArgument);
    assert_eq!(kind(builder(1).unknown_after(0)), ErrorKind::InvalidArgument);
    assert_eq!(kind(builder(1).every(0)), ErrorKind::InvalidArgument);
    assert_eq!(kind(builder(1).threshold(f32::NAN)), ErrorKind::InvalidArgument);
    assert_eq!(kind(builder(1).cooldown(Duration::MAX)), ErrorKind::InvalidArgument);
    assert_eq!(kind(builder(1).quality_gain(-1.0)), ErrorKind::InvalidArgument);
    let debug = format!("{:?}", builder(1).build().unwrap());
    assert!(debug.contains("confirm_after: 3"), "{debug}");
}

fn name(who: Option<&Who>) -> Option<String> {
    match who? {
        Who::Subject { id, .. } => Some(id.to_string()),
        _ => None,
    }
}

fn sorted(mut who: Vec<u64>) -> Vec<u64> {
    who.sort_unstable();
    who
}
