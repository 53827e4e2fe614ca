//! People who walk through frames, without pictures or models.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use faceprint::liveness::Liveness;
use faceprint::stream::{Event, Observe, Recognize, Stream, StreamBuilder, VisitorId, Who};
use faceprint::{
    Detection, Embedding, Landmarks, Point, Rect, Result, SpaceId, SubjectId, Template,
};

/// Templates of two people are this or less similar, of one person this or more: see `template`.
pub const THRESHOLD: f32 = 0.5;

/// A face in a frame.
#[derive(Clone, Copy, Debug)]
pub struct Face {
    pub person: u64,
    pub x: f32,
    pub y: f32,
    pub side: f32,
    pub score: f32,
    pub quality: Option<f32>,
    /// From 0.5 on it passes for alive.
    pub liveness: f32,
}

/// A frame.
#[derive(Clone, Debug, Default)]
pub struct Scene {
    pub faces: Vec<Face>,
    /// Makes the noise of this frame's templates.
    pub number: u64,
}

/// Sees scenes.
#[derive(Clone, Debug)]
pub struct Eyes;

/// Knows the people with a number below.
#[derive(Clone, Debug)]
pub struct Known(pub Arc<AtomicU64>);

impl Face {
    pub fn at(person: u64, x: f32) -> Self {
        Self { person, x, y: 100.0, side: 80.0, score: 0.9, quality: Some(60.0), liveness: 0.9 }
    }

    fn detection(&self) -> Detection {
        let Self { x, y, side, score, .. } = *self;
        let points = [(0.3, 0.4), (0.7, 0.4), (0.5, 0.6), (0.35, 0.8), (0.65, 0.8)];
        let landmarks = points.map(|(dx, dy)| Point::new(x + dx * side, y + dy * side));
        let bounds = Rect { x, y, width: side, height: side };
        Detection::new(bounds, Landmarks::from_points(landmarks), score)
    }
}

impl Scene {
    fn face(&self, detection: &Detection) -> &Face {
        self.faces.iter().find(|face| face.detection() == *detection).unwrap()
    }
}

impl Observe<Scene> for Eyes {
    fn detect(&self, frame: &Scene) -> Result<Vec<Detection>> {
        let mut found: Vec<_> = frame.faces.iter().map(Face::detection).collect();
        found.sort_by(|a, b| b.score.total_cmp(&a.score));
        Ok(found)
    }

    fn quality(&self, frame: &Scene, face: &Detection) -> Result<Option<f32>> {
        Ok(frame.face(face).quality)
    }

    fn describe(&self, frame: &Scene, face: &Detection) -> Result<Template> {
        Ok(template(frame.face(face).person, frame.number))
    }

    fn threshold(&self) -> Result<f32> {
        Ok(THRESHOLD)
    }

    fn judges_liveness(&self) -> bool {
        true
    }

    fn liveness(&self, frame: &Scene, face: &Detection) -> Result<Liveness> {
        Ok(Liveness::new(frame.face(face).liveness, 0.5))
    }
}

impl Recognize for Known {
    fn recognize(&self, probe: &Template, at_least: f32) -> Result<Option<(SubjectId, f32)>> {
        let mut best = None;
        for person in 0..self.0.load(Ordering::Relaxed) {
            let similarity = template(person, 0).similarity(probe)?.value();
            if similarity >= best.as_ref().map_or(at_least, |(_, best)| *best) {
                best = Some((subject(person), similarity));
            }
        }
        Ok(best)
    }
}

pub fn subject(person: u64) -> SubjectId {
    format!("person {person}").parse().unwrap()
}

/// Each person is an axis; noise of a length of 0.6 turns templates by about 31 degrees, so that two of one person have a
/// similarity of about 0.73, and two of different people of about 0.
pub fn template(person: u64, frame: u64) -> Template {
    const DIMENSION: usize = 64;
    let mut state =
        person.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ frame.wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mut values = vec![0.0_f32; DIMENSION];
    for value in &mut values {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        *value = (((state >> 40) as f32) / 8_388_608.0 - 1.0) * 0.13;
    }
    values[usize::try_from(person).unwrap() % DIMENSION] += 1.0;
    Template::new(Embedding::normalize(values).unwrap(), SpaceId::from_bytes([7; 32]))
}

pub fn builder(known: u64) -> StreamBuilder<Eyes, Known> {
    Stream::builder(&Eyes, &Known(Arc::new(known.into())))
}

pub fn seconds(seconds: f64) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(1_700_000_000) + Duration::from_secs_f64(seconds + 1e6)
        - Duration::from_secs(1_000_000)
}

/// A stream and what it said.
pub struct Door {
    pub stream: Stream<Eyes, Known>,
    pub events: Vec<Event>,
    number: u64,
}

impl Door {
    pub fn new(builder: StreamBuilder<Eyes, Known>) -> Self {
        Self { stream: builder.build().unwrap(), events: Vec::new(), number: 0 }
    }

    /// A frame at `at` seconds.
    pub fn see(&mut self, at: f64, faces: &[Face]) {
        self.number += 1;
        let scene = Scene { faces: faces.to_vec(), number: self.number };
        self.events.extend(self.stream.push(&scene, seconds(at)).unwrap());
    }

    /// Ten frames a second from `from` until `until`; `faces` says who is where at a time.
    pub fn film(&mut self, from: f64, until: f64, faces: impl Fn(f64) -> Vec<Face>) {
        for tenth in 0.. {
            let at = from + f64::from(tenth) / 10.0;
            if at >= until {
                break;
            }
            self.see(at, &faces(at));
        }
    }

    /// The number of the person in each event, visitors as 1000 and counting, in order of appearance, and suspected attacks
    /// as 2000 and counting.
    pub fn who(&self) -> Vec<u64> {
        let mut visitors: BTreeMap<VisitorId, u64> = BTreeMap::new();
        let mut suspects: BTreeMap<VisitorId, u64> = BTreeMap::new();
        let number = |event: &Event| match &event.who {
            Who::Subject { id, .. } => id.as_str()["person ".len()..].parse().unwrap(),
            Who::Visitor(id) => {
                let next = 1_000 + visitors.len() as u64;
                *visitors.entry(*id).or_insert(next)
            }
            Who::Suspected { id, .. } => {
                let next = 2_000 + suspects.len() as u64;
                *suspects.entry(*id).or_insert(next)
            }
            other => panic!("{other:?}"),
        };
        self.events.iter().map(number).collect()
    }
}
