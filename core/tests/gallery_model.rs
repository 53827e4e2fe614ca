//! A gallery against a plain map, under random operations of two processes; and templates under many
//! rotations.
#![cfg(feature = "gallery")]
#![allow(clippy::unwrap_used)]

#[path = "common/children.rs"]
#[allow(dead_code, unreachable_pub)]
mod children;
#[path = "common/gallery.rs"]
#[allow(dead_code, unreachable_pub)]
mod common;

use std::collections::BTreeMap;
use std::fmt;
use std::io::{BufReader, Lines, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout};
use std::str::FromStr;

use children::{role, say, start, thorough};
use common::*;
use faceprint::gallery::EnrollPolicy;
use faceprint::{Enrollment, Error, Gallery, Query, Tenant};
use proptest::prelude::*;

/// Templates a person may have.
const TEMPLATES: usize = 3;

/// What is asked of a gallery; people and templates by their numbers.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Step {
    Enroll(u64, u64),
    Batch(Vec<(u64, u64)>),
    Replace(u64, u64),
    Erase(u64),
    RemoveTemplate(u64, usize),
    Rotate(u8),
    Rekey(u8),
    Compact,
    Reopen(u8),
    Identify(u64),
    Templates(u64),
    Subjects,
    Check,
}

fn step() -> impl Strategy<Value = Step> {
    let (person, seed) = (0..6_u64, 0..9_u64);
    let both = (person.clone(), seed.clone());
    // Keys are counted by the test: which one is next depends on what was done before.
    prop_oneof![
        6 => both.clone().prop_map(|(person, seed)| Step::Enroll(person, seed)),
        2 => prop::collection::vec(both.clone(), 0..5).prop_map(Step::Batch),
        2 => both.prop_map(|(person, seed)| Step::Replace(person, seed)),
        3 => person.clone().prop_map(Step::Erase),
        2 => (person.clone(), 0..3_usize).prop_map(|(person, nth)| Step::RemoveTemplate(person, nth)),
        1 => Just(Step::Rotate(0)),
        1 => Just(Step::Rekey(0)),
        1 => Just(Step::Compact),
        1 => Just(Step::Reopen(0)),
        6 => seed.prop_map(Step::Identify),
        2 => person.prop_map(Step::Templates),
        2 => Just(Step::Subjects),
        1 => Just(Step::Check),
    ]
}

/// Per person the seeds of their templates, in order of enrolment: what the gallery should be.
#[derive(Clone, Default)]
struct Model(BTreeMap<u64, Vec<u64>>);

impl Model {
    /// What `step` does, and what the gallery should answer.
    fn answer(&mut self, step: &Step) -> String {
        let people = &mut self.0;
        match step {
            Step::Enroll(person, seed) => self.enroll(*person, *seed),
            Step::Batch(batch) => {
                let mut after = self.clone();
                let answers: Vec<_> =
                    batch.iter().map(|(person, seed)| after.enroll(*person, *seed)).collect();
                if let Some(refused) = answers.iter().find(|it| *it == "LimitReached") {
                    return refused.clone();
                }
                *self = after;
                answers.join(" ")
            }
            Step::Replace(person, _) if !people.contains_key(person) => {
                "SubjectNotFound".to_owned()
            }
            Step::Replace(person, seed) => {
                let before = people.insert(*person, Vec::new()).unwrap();
                let answer = self.enroll(*person, *seed);
                if answer != "added" {
                    self.0.insert(*person, before);
                }
                answer
            }
            Step::Erase(person) => match people.remove(person) {
                Some(seeds) => format!("erased {}", seeds.len()),
                None => "SubjectNotFound".to_owned(),
            },
            Step::RemoveTemplate(person, nth) => match people.get_mut(person) {
                Some(seeds) if *nth < seeds.len() => format!("removed {}", seeds.remove(*nth)),
                Some(_) => "no such template".to_owned(),
                None => "SubjectNotFound".to_owned(),
            },
            Step::Rotate(_) | Step::Rekey(_) | Step::Compact | Step::Reopen(_) | Step::Check => {
                "done".to_owned()
            }
            Step::Identify(seed) => {
                let found = people.iter().filter(|(_, seeds)| seeds.contains(seed));
                format!("{:?}", found.map(|(person, _)| *person).collect::<Vec<_>>())
            }
            Step::Templates(person) => match people.get(person) {
                Some(seeds) => format!("{seeds:?}"),
                None => "SubjectNotFound".to_owned(),
            },
            Step::Subjects => format!("{:?}", people.keys().collect::<Vec<_>>()),
        }
    }

    fn enroll(&mut self, person: u64, seed: u64) -> String {
        let twin = self.0.iter().find(|(other, seeds)| **other != person && seeds.contains(&seed));
        if let Some((twin, _)) = twin {
            return format!("duplicate of {twin}");
        }
        if self.0.get(&person).is_some_and(|seeds| seeds.len() == TEMPLATES) {
            return "LimitReached".to_owned();
        }
        self.0.entry(person).or_default().push(seed);
        "added".to_owned()
    }
}

/// An open gallery, in this process or in a child.
struct Handle {
    path: PathBuf,
    gallery: Gallery,
    acme: Tenant,
}

impl Handle {
    fn open(path: &Path, number: u8) -> Result<Self, Error> {
        let gallery = Gallery::open(path, &key(number))?;
        let policy = EnrollPolicy::default().templates_per_subject(TEMPLATES);
        let acme = gallery.tenant(&tenant_id("acme"))?.with_policy(policy);
        Ok(Self { path: path.to_owned(), gallery, acme })
    }

    /// Does `step`, and says what came of it: an error by its kind.
    fn answer(&mut self, step: &Step) -> String {
        self.take(step).unwrap_or_else(|error| format!("{:?}", error.kind()))
    }

    fn take(&mut self, step: &Step) -> Result<String, Error> {
        let Self { gallery, acme, .. } = self;
        Ok(match step {
            Step::Enroll(person, seed) => outcome(&acme.enroll(&id(*person), &template(*seed))?),
            Step::Batch(batch) => {
                let batch: Vec<_> =
                    batch.iter().map(|(person, seed)| (id(*person), template(*seed))).collect();
                let outcomes = acme.enroll_all(&batch, |_, _| {})?;
                outcomes.iter().map(outcome).collect::<Vec<_>>().join(" ")
            }
            Step::Replace(person, seed) => outcome(&acme.replace(&id(*person), &template(*seed))?),
            Step::Erase(person) => format!("erased {}", acme.erase(&id(*person))?.templates),
            Step::RemoveTemplate(person, nth) => match acme.templates(&id(*person))?.get(*nth) {
                Some(stored) => {
                    acme.remove_template(&id(*person), &stored.id)?;
                    format!("removed {}", seed_of(&stored.template))
                }
                None => "no such template".to_owned(),
            },
            Step::Rotate(number) => done(gallery.rotate_key(&key(*number))?),
            Step::Rekey(number) => done(gallery.rekey(&key(*number))?),
            Step::Compact => done(gallery.compact()?),
            Step::Check => done(gallery.check()?),
            Step::Reopen(number) => {
                *self = Self::open(&self.path, *number)?;
                done(())
            }
            Step::Identify(seed) => {
                let hits = acme.identify(&template(*seed), &Query::top(9).at_least(0.9))?;
                numbers(hits.iter().map(|hit| &hit.subject))
            }
            Step::Templates(person) => {
                let stored = acme.templates(&id(*person))?;
                format!("{:?}", stored.iter().map(|it| seed_of(&it.template)).collect::<Vec<_>>())
            }
            Step::Subjects => numbers(acme.subjects()?.iter()),
        })
    }
}

fn outcome(enrollment: &Enrollment) -> String {
    match enrollment {
        Enrollment::Added { .. } => "added".to_owned(),
        Enrollment::Duplicate { of, .. } => format!("duplicate of {}", number(of)),
    }
}

fn done((): ()) -> String {
    "done".to_owned()
}

fn numbers<'a>(subjects: impl Iterator<Item = &'a faceprint::SubjectId>) -> String {
    format!("{:?}", subjects.map(number).collect::<Vec<_>>())
}

fn number(subject: &faceprint::SubjectId) -> u64 {
    subject.as_str()["subject number ".len()..].parse().unwrap()
}

/// The seed of a template, which is there bit by bit.
fn seed_of(stored: &faceprint::Template) -> u64 {
    (0..9).find(|&seed| bits(&template(seed)) == bits(stored)).unwrap()
}

/// A handle in a process of its own: steps go there as lines of text, answers come back.
struct Remote {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Remote {
    fn open(path: &Path) -> Self {
        let (child, lines) = start("answer", path);
        let mut remote = Self { child, lines };
        assert_eq!(remote.next(), "done");
        remote
    }

    fn answer(&mut self, step: &Step) -> String {
        writeln!(self.child.stdin.as_mut().unwrap(), "{step}").unwrap();
        self.next()
    }

    fn next(&mut self) -> String {
        let mut lines = (&mut self.lines).map(|line| line.unwrap());
        let answer = lines.find_map(|line| line.strip_prefix("answer ").map(str::to_owned));
        answer.expect("the other process ended")
    }
}

impl Drop for Remote {
    fn drop(&mut self) {
        // Its input ends, and so does it.
        drop(self.child.stdin.take());
        let _ = self.child.wait();
    }
}

/// The process that `start` starts; nothing when this runs as a test of its own.
#[test]
fn child() {
    let Some((_, path)) = role() else { return };
    let mut handle = Handle::open(Path::new(&path), 1).unwrap();
    say("answer done");
    for line in std::io::stdin().lines() {
        let answer = handle.answer(&line.unwrap().parse().unwrap());
        say(&format!("answer {answer}"));
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: if thorough() { 2_000 } else { 64 },
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    /// 64 lives of a gallery, 2,000 with `FACEPRINT_THOROUGH`.
    #[test]
    fn handles_in_two_processes_agree_with_a_map(
        steps in prop::collection::vec((step(), 0..3_usize), 1..40),
    ) {
        let folder = memory();
        let path = folder.path().join("g.faceprint");
        drop(Gallery::create(&path, &key(1), space(1)).unwrap());
        // Two in this process, one in another.
        let mut here = [(); 2].map(|()| Handle::open(&path, 1).unwrap());
        let mut there = Remote::open(&path);
        let mut ask = |who: usize, step: &Step| match here.get_mut(who) {
            Some(handle) => handle.answer(step),
            None => there.answer(step),
        };
        let mut model = Model::default();
        let mut current = 1;
        for (step, who) in steps {
            let step = match step {
                Step::Rotate(_) => Step::Rotate(3 - current),
                Step::Rekey(_) => Step::Rekey(3 - current),
                Step::Reopen(_) => Step::Reopen(current),
                other => other,
            };
            prop_assert_eq!(ask(who, &step), model.answer(&step), "{} by {}", step, who);
            if let Step::Rotate(key) | Step::Rekey(key) = step {
                current = key;
            }
            // Handles opened by another slot go on after a rotation; after a rekey they are told.
            if matches!(step, Step::Rekey(_)) {
                for other in (0..3).filter(|other| *other != who) {
                    prop_assert_eq!(ask(other, &Step::Subjects), "WrongKey");
                    prop_assert_eq!(ask(other, &Step::Reopen(current)), "done");
                }
            }
        }
        for who in 0..3 {
            for step in [Step::Subjects, Step::Check].into_iter().chain((0..6).map(Step::Templates)) {
                prop_assert_eq!(ask(who, &step), model.answer(&step), "{} by {}", step, who);
            }
        }
    }

    #[test]
    fn steps_are_read_as_they_are_written(step in step()) {
        prop_assert_eq!(step.to_string().parse::<Step>().unwrap(), step);
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Enroll(person, seed) => write!(f, "enroll {person} {seed}"),
            Self::Batch(batch) => {
                f.write_str("batch")?;
                batch.iter().try_for_each(|(person, seed)| write!(f, " {person} {seed}"))
            }
            Self::Replace(person, seed) => write!(f, "replace {person} {seed}"),
            Self::Erase(person) => write!(f, "erase {person}"),
            Self::RemoveTemplate(person, nth) => write!(f, "remove {person} {nth}"),
            Self::Rotate(key) => write!(f, "rotate {key}"),
            Self::Rekey(key) => write!(f, "rekey {key}"),
            Self::Compact => f.write_str("compact"),
            Self::Reopen(key) => write!(f, "reopen {key}"),
            Self::Identify(seed) => write!(f, "identify {seed}"),
            Self::Templates(person) => write!(f, "templates {person}"),
            Self::Subjects => f.write_str("subjects"),
            Self::Check => f.write_str("check"),
        }
    }
}

impl FromStr for Step {
    type Err = std::num::ParseIntError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut words = text.split(' ');
        let word = words.next().unwrap();
        let numbers = words.map(str::parse).collect::<Result<Vec<u64>, _>>()?;
        let key = || u8::try_from(numbers[0]).unwrap();
        Ok(match word {
            "enroll" => Self::Enroll(numbers[0], numbers[1]),
            "batch" => Self::Batch(numbers.chunks(2).map(|it| (it[0], it[1])).collect()),
            "replace" => Self::Replace(numbers[0], numbers[1]),
            "erase" => Self::Erase(numbers[0]),
            "remove" => Self::RemoveTemplate(numbers[0], usize::try_from(numbers[1]).unwrap()),
            "rotate" => Self::Rotate(key()),
            "rekey" => Self::Rekey(key()),
            "compact" => Self::Compact,
            "reopen" => Self::Reopen(key()),
            "identify" => Self::Identify(numbers[0]),
            "templates" => Self::Templates(numbers[0]),
            "subjects" => Self::Subjects,
            "check" => Self::Check,
            other => panic!("{other}"),
        })
    }
}

/// 100 rotations and 5 rekeys; 1,000 and 10 with `FACEPRINT_THOROUGH`.
#[test]
fn rotations_and_rekeys_change_no_bit() {
    let folder = memory();
    let path = folder.path().join("g.faceprint");
    let gallery = Gallery::create(&path, &key(1), space(1)).unwrap();
    let acme = gallery.tenant(&tenant_id("acme")).unwrap();
    let people: Vec<_> = (0..40).map(|number| (id(number), template(number))).collect();
    acme.enroll_all(&people, |_, _| {}).unwrap();
    let state = |acme: &Tenant| {
        let mut state = Vec::new();
        for (subject, template) in &people {
            for stored in acme.templates(subject).unwrap() {
                assert_eq!(bits(&stored.template), bits(template));
                state.push((stored.id, bits(&stored.template)));
            }
            for hit in acme.identify(template, &Query::top(3)).unwrap() {
                state.push((hit.template, vec![hit.similarity.value().to_bits()]));
            }
        }
        state
    };
    let before = state(&acme);
    let (rotations, rekeys) = if thorough() { (1_000, 10) } else { (100, 5) };
    let number = |round: usize| u8::try_from(round % 251).unwrap();
    for round in 0..rotations {
        gallery.rotate_key(&key(number(round))).unwrap();
        assert_eq!(gallery.slots().unwrap().len(), 1);
        if (round + 1) % (rotations / rekeys) == 0 {
            gallery.rekey(&key(number(round))).unwrap();
            assert_eq!(state(&acme), before);
        }
    }
    println!("{rotations} rotations, {rekeys} rekeys: {} values are what they were", before.len());
    drop((gallery, acme));
    let refused = Gallery::open(&path, &key(number(rotations - 2))).unwrap_err();
    assert_eq!(refused.kind(), faceprint::ErrorKind::WrongKey);
    let gallery = Gallery::open(&path, &key(number(rotations - 1))).unwrap();
    gallery.check().unwrap();
    assert_eq!(state(&gallery.tenant(&tenant_id("acme")).unwrap()), before);
}
