//! Random days at a door: nobody is said twice within a cooldown, and nobody's visit is lost.
#![cfg(feature = "gallery")]
#![allow(clippy::unwrap_used, clippy::cast_possible_truncation, reason = "part of the tests only")]

#[path = "common/scenes.rs"]
#[allow(dead_code, unreachable_pub)]
mod scenes;

use std::collections::BTreeMap;
use std::time::Duration;

use proptest::prelude::*;
use scenes::*;

const PEOPLE: u64 = 9;
const KNOWN: u64 = 6;
const COOLDOWN: f64 = 10.0;
/// Suspected attacks have numbers from here on.
const SUSPECTED: u64 = 2_000;

/// What the clock and the machine do besides.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Trouble {
    None,
    /// The clock is set back now and then.
    ClockBack,
    /// The process ends now and then, and another goes on from its sightings.
    Restarts,
    /// Some are photographs, and each eighth frame is judged wrongly.
    Photographs,
}

struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % bound
    }
}

/// Somebody at a place of their own until a time.
struct Present {
    person: u64,
    since: f64,
    until: f64,
    speed: f32,
}

/// Two minutes with up to four people at a time: what was said, and what should have been, per person.
fn day(seed: u64, trouble: Trouble) -> (BTreeMap<u64, u64>, BTreeMap<u64, u64>) {
    let mut dice = Dice(seed);
    let photographs = trouble == Trouble::Photographs;
    let is_photograph = |person: u64| photographs && person % 4 == 1;
    let build = || {
        let builder = builder(KNOWN).cooldown(Duration::from_secs_f64(COOLDOWN));
        if photographs { builder.liveness(5) } else { builder }
    };
    let mut door = Door::new(build());
    let mut places: [Option<Present>; 4] = [const { None }; 4];
    // Nobody stands where somebody else stood in the frame before: it takes longer than a sure step.
    let mut free = [-1.0; 4];
    let mut left: BTreeMap<u64, f64> = BTreeMap::new();
    let (mut said, mut expected): (BTreeMap<_, u64>, BTreeMap<_, u64>) = Default::default();
    let mut offset = 0.0;
    for tenth in 0..1_200_u32 {
        let at = f64::from(tenth) / 10.0;
        for (place, free) in places.iter_mut().zip(&mut free) {
            if place.as_ref().is_some_and(|it| it.until <= at) {
                left.insert(place.take().unwrap().person, at);
                *free = at;
            }
            let person = dice.below(PEOPLE);
            // Neither side of the cooldown is tried so closely that a missed frame decides.
            let clear = left.get(&person).is_none_or(|gone| (at - gone - COOLDOWN).abs() > 1.5);
            if place.is_none() && at - *free > 0.6 && at < 115.0 && dice.below(20) == 0 && clear {
                let until = at + 3.0 + dice.below(50) as f64 / 10.0;
                let speed = dice.below(300) as f32 - 150.0;
                *place = Some(Present { person, since: at, until, speed });
            }
        }
        // Nobody is in two places.
        for index in 0..places.len() {
            let person = places[index].as_ref().map(|it| it.person);
            let again = places[..index].iter().flatten().any(|it| Some(it.person) == person);
            let first = places[index].as_ref().is_some_and(|it| it.since < at);
            if again && !first {
                places[index] = None;
            } else if again {
                let earlier =
                    places[..index].iter_mut().find(|it| it.as_ref().map(|it| it.person) == person);
                *earlier.unwrap() = None;
            }
        }
        for present in places.iter().flatten().filter(|it| it.since == at) {
            let away = left.get(&present.person).map(|gone| at - gone);
            if away.is_none_or(|away| away >= COOLDOWN) {
                let suspected = if is_photograph(present.person) { SUSPECTED } else { 0 };
                *expected.entry(suspected + present.person).or_default() += 1;
            }
        }
        match trouble {
            Trouble::ClockBack if dice.below(300) == 0 => offset -= dice.below(100_000) as f64,
            Trouble::Restarts if dice.below(300) == 0 => {
                count(&door, &mut said);
                let sightings = door.stream.sightings();
                door = Door::new(build().resume(sightings));
            }
            _ => {}
        }
        if dice.below(10) == 0 {
            continue; // a frame is dropped
        }
        let mut faces = Vec::new();
        for (y, present) in places.iter().enumerate() {
            let Some(Present { person, since, speed, .. }) = present else { continue };
            let shown = Face {
                y: 150.0 * y as f32,
                score: if dice.below(8) == 0 { 0.3 } else { 0.9 },
                quality: (dice.below(7) > 0).then(|| 40.0 + dice.below(30) as f32),
                liveness: if is_photograph(*person) == (tenth % 8 == 0) { 0.9 } else { 0.1 },
                ..Face::at(*person, 500.0 + speed * (at - since) as f32)
            };
            if dice.below(12) > 0 {
                faces.push(shown);
            }
        }
        door.see(at + offset, &faces);
    }
    count(&door, &mut said);
    (said, expected)
}

fn count(door: &Door, said: &mut BTreeMap<u64, u64>) {
    for person in door.who() {
        *said.entry(person).or_default() += 1;
    }
}

/// Events of people in the gallery, those of all strangers, whose numbers the door does not know, and those of
/// photographs.
fn summary(events: &BTreeMap<u64, u64>) -> (Vec<(u64, u64)>, Vec<u64>, Vec<u64>) {
    let known = events.iter().filter(|(person, _)| **person < KNOWN).map(|(a, b)| (*a, *b));
    let unnamed = |from: u64, to: u64| {
        let mut counts: Vec<u64> = events.range(from..to).map(|(_, events)| *events).collect();
        counts.sort_unstable();
        counts
    };
    (known.collect(), unnamed(KNOWN, SUSPECTED), unnamed(SUSPECTED, u64::MAX))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn each_visit_is_said_exactly_once(seed in any::<u64>()) {
        let (said, expected) = day(seed, Trouble::None);
        prop_assert_eq!(summary(&said), summary(&expected));
    }

    #[test]
    fn whatever_the_clock_does(seed in any::<u64>()) {
        let (said, expected) = day(seed, Trouble::ClockBack);
        prop_assert_eq!(summary(&said), summary(&expected));
    }

    #[test]
    fn whenever_the_process_ends(seed in any::<u64>()) {
        let (said, expected) = day(seed, Trouble::Restarts);
        // Strangers have no identity from one session to the next.
        prop_assert_eq!(summary(&said).0, summary(&expected).0);
    }

    #[test]
    fn whoever_is_a_photograph(seed in any::<u64>()) {
        let (said, expected) = day(seed, Trouble::Photographs);
        prop_assert_eq!(summary(&said), summary(&expected));
    }
}

/// The scripts are worth something: they have visits of both kinds, and returns within the cooldown.
#[test]
fn days_are_full() {
    let days: Vec<_> = (0..20).map(|seed| day(seed, Trouble::None).1).collect();
    let visits: u64 = days.iter().flat_map(BTreeMap::values).sum();
    assert!(visits > 20 * 15, "{visits}");
    assert!(days.iter().all(|day| day.len() as u64 == PEOPLE));
}
