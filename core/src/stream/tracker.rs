//! Which face is which, from frame to frame, by where they are.

use std::time::Duration;

use crate::detect::Detection;
use crate::geometry::{Landmarks, Point, Rect};

/// Boxes are compared with a margin of this share of their sides around them: a face may move by its own width
/// between two frames (buffered IoU, Yang et al., C-BIoU, WACV 2023).
const MARGIN: f32 = 0.25;

/// Overlap (intersection over union, with margins) from which on a detection can be a path's.
const MATCH: f32 = 0.2;

/// A second candidate whose overlap is less than this below the chosen one's leaves a doubt.
const CLEAR: f32 = 0.25;

/// Overlap (without margins) from which on a face is partly another's.
const CROWDED: f32 = 0.05;

/// The share of a newly measured velocity in the one that is kept.
const NEWS: f32 = 0.5;

/// No one goes on in the same direction for longer than this, in seconds.
const HORIZON: f32 = 0.5;

/// Frames that a path waits at most, should the clock stand still.
const FRAMES: u32 = 1_000;

/// Follows faces.
#[derive(Debug)]
pub(super) struct Tracker {
    tracks: Vec<Track>,
    next: u64,
    sure_score: f32,
    lost_after: Duration,
    /// Frames that a face must be in, one after the other, before its path counts.
    frames: u32,
}

/// What a frame means for the paths.
#[derive(Debug, Default)]
pub(super) struct Update {
    /// Faces of paths that count, in the order the paths began.
    pub(super) seen: Vec<Seen>,
    /// Paths that are over.
    pub(super) ended: Vec<u64>,
}

/// A face of the frame and whose path it is on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Seen {
    pub(super) track: u64,
    /// Its number among the detections.
    pub(super) detection: usize,
    /// Whether it may just as well be somebody else's.
    pub(super) doubtful: bool,
    /// Whether it overlaps another face.
    pub(super) crowded: bool,
}

#[derive(Debug)]
struct Track {
    id: u64,
    face: Detection,
    /// Pixels per second, of the landmarks' centre.
    velocity: Point,
    at: Duration,
    /// Frames it was in, until it counts.
    hits: u32,
    /// Frames since it was seen.
    unseen: u32,
}

impl Tracker {
    pub(super) const fn new(sure_score: f32, lost_after: Duration, frames: u32) -> Self {
        Self { tracks: Vec::new(), next: 1, sure_score, lost_after, frames }
    }

    /// Takes the faces of the frame at `now`. After a step that is not `sure` every path is in doubt.
    pub(super) fn update(&mut self, detections: &[Detection], now: Duration, sure: bool) -> Update {
        let mut update = Update::default();
        let (lost_after, ended) = (self.lost_after, &mut update.ended);
        self.tracks.retain(|track| {
            let keep = now.saturating_sub(track.at) <= lost_after && track.unseen < FRAMES;
            if !keep {
                ended.push(track.id);
            }
            keep
        });
        let expected: Vec<Rect> = self.tracks.iter().map(|track| track.expected(now)).collect();
        let matches = self.associate(&expected, detections);
        let mut free = vec![true; detections.len()];
        for (index, found) in matches.iter().enumerate() {
            let track = &mut self.tracks[index];
            let Some(found) = *found else {
                track.unseen += 1;
                continue;
            };
            free[found] = false;
            let doubtful =
                !sure || track.unseen > 0 || is_ambiguous(index, found, &expected, detections);
            let crowded = is_crowded(index, found, &expected, detections, &matches);
            track.see(&detections[found], now);
            if track.hits >= self.frames {
                // What lies behind a face may come out on either side of it.
                let doubtful = doubtful || crowded;
                update.seen.push(Seen { track: track.id, detection: found, doubtful, crowded });
            }
        }
        // Who was there for less frames than count, and is gone again, was none.
        let frames = self.frames;
        self.tracks.retain(|track| track.unseen == 0 || track.hits >= frames);
        for (index, face) in detections.iter().enumerate() {
            if free[index] && face.score >= self.sure_score && is_usable(face) {
                let id = self.next;
                self.next += 1;
                let velocity = Point::default();
                self.tracks.push(Track { id, face: *face, velocity, at: now, hits: 1, unseen: 0 });
                if self.frames <= 1 {
                    let others = detections.iter().enumerate().filter(|(other, _)| *other != index);
                    let crowded = others
                        .map(|(_, other)| other.bounds.iou(&face.bounds))
                        .any(|overlap| overlap > CROWDED);
                    update.seen.push(Seen {
                        track: id,
                        detection: index,
                        doubtful: false,
                        crowded,
                    });
                }
            }
        }
        update
    }

    /// Paths that count and were seen in the last frame.
    pub(super) fn visible(&self) -> impl Iterator<Item = (u64, &Detection)> {
        let counts = |track: &&Track| track.unseen == 0 && track.hits >= self.frames;
        self.tracks.iter().filter(counts).map(|track| (track.id, &track.face))
    }

    /// The detection of each path: first the sure ones, then the others for paths that were seen just before.
    fn associate(&self, expected: &[Rect], detections: &[Detection]) -> Vec<Option<usize>> {
        let mut matches = vec![None; self.tracks.len()];
        for sure in [true, false] {
            let mut pairs = Vec::new();
            for (index, track) in self.tracks.iter().enumerate() {
                if matches[index].is_some() || (!sure && track.unseen > 0) {
                    continue;
                }
                for (found, face) in detections.iter().enumerate() {
                    let overlap = overlap(&expected[index], &face.bounds);
                    if (face.score >= self.sure_score) == sure
                        && overlap >= MATCH
                        && is_usable(face)
                    {
                        pairs.push((overlap, index, found));
                    }
                }
            }
            // The largest overlap first; of equals the older path.
            pairs.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)).then(a.2.cmp(&b.2)));
            for (_, index, found) in pairs {
                if matches[index].is_none() && !matches.contains(&Some(found)) {
                    matches[index] = Some(found);
                }
            }
        }
        matches
    }
}

impl Track {
    /// Where its box is expected at `now`.
    fn expected(&self, now: Duration) -> Rect {
        let time = now.saturating_sub(self.at).as_secs_f32().min(HORIZON);
        let bounds = self.face.bounds;
        Rect {
            x: self.velocity.x.mul_add(time, bounds.x),
            y: self.velocity.y.mul_add(time, bounds.y),
            ..bounds
        }
    }

    fn see(&mut self, face: &Detection, now: Duration) {
        let time = now.saturating_sub(self.at).as_secs_f32();
        // A clock that stood still tells nothing of the speed.
        if time > 0.0 {
            let (from, to) = (center(&self.face.landmarks), center(&face.landmarks));
            let news = |old: f32, from: f32, to: f32| {
                let new = (to - from) / time;
                if new.is_finite() { (new - old).mul_add(NEWS, old) } else { 0.0 }
            };
            self.velocity = Point::new(
                news(self.velocity.x, from.x, to.x),
                news(self.velocity.y, from.y, to.y),
            );
        }
        self.face = *face;
        self.at = now;
        self.hits = self.hits.saturating_add(1);
        self.unseen = 0;
    }
}

/// Whether another path could claim the detection, or another detection the path.
fn is_ambiguous(track: usize, found: usize, expected: &[Rect], faces: &[Detection]) -> bool {
    let bar = (overlap(&expected[track], &faces[found].bounds) - CLEAR).max(MATCH);
    let rivals = expected.iter().enumerate().filter(|(other, _)| *other != track);
    let others = faces.iter().enumerate().filter(|(other, _)| *other != found);
    rivals.map(|(_, rival)| overlap(rival, &faces[found].bounds)).any(|it| it >= bar)
        || others.map(|(_, other)| overlap(&expected[track], &other.bounds)).any(|it| it >= bar)
}

/// Whether the face overlaps another one of the frame, or somebody's who is hidden.
fn is_crowded(
    track: usize,
    found: usize,
    expected: &[Rect],
    faces: &[Detection],
    matches: &[Option<usize>],
) -> bool {
    let bounds = &faces[found].bounds;
    let others = faces.iter().enumerate().filter(|(other, _)| *other != found);
    let hidden = expected.iter().zip(matches).enumerate();
    let hidden = hidden.filter(|(other, (_, seen))| *other != track && seen.is_none());
    others.map(|(_, other)| other.bounds.iou(bounds)).any(|it| it > CROWDED)
        || hidden.map(|(_, (rect, _))| rect.iou(bounds)).any(|it| it > CROWDED)
}

fn overlap(a: &Rect, b: &Rect) -> f32 {
    grown(a).iou(&grown(b))
}

fn grown(rect: &Rect) -> Rect {
    let (x, y) = (rect.width * MARGIN, rect.height * MARGIN);
    Rect {
        x: rect.x - x,
        y: rect.y - y,
        width: 2.0_f32.mul_add(x, rect.width),
        height: 2.0_f32.mul_add(y, rect.height),
    }
}

fn center(landmarks: &Landmarks) -> Point {
    let points = landmarks.points();
    let sum =
        points.iter().fold(Point::default(), |sum, it| Point::new(sum.x + it.x, sum.y + it.y));
    Point::new(sum.x / 5.0, sum.y / 5.0)
}

fn is_usable(face: &Detection) -> bool {
    let Rect { x, y, width, height } = face.bounds;
    [x, y, width, height].iter().all(|it| it.is_finite())
        && face.bounds.area() > 0.0
        && face.landmarks.points().iter().all(|point| point.is_finite())
}
