//! An event as scripts read it.

use faceprint::Rect;
use faceprint::stream::{Event, Who};
use serde::Serialize;

use crate::time;

/// One line of JSON.
#[derive(Debug, Serialize)]
pub(crate) struct Report<'a> {
    /// Tells it from every other event.
    event: String,
    at: String,
    /// Counted from 0, where the frames are at hand.
    #[serde(skip_serializing_if = "Option::is_none")]
    frame: Option<u64>,
    /// Counted from 1, where it is delivered.
    #[serde(skip_serializing_if = "Option::is_none")]
    attempt: Option<u32>,
    track: u64,
    subject: Option<&'a str>,
    similarity: Option<f32>,
    /// An unknown person, within one run.
    visitor: Option<String>,
    /// A suspected presentation attack, within one run, and the liveness score it was given for.
    #[serde(skip_serializing_if = "Option::is_none")]
    suspected: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    liveness: Option<f32>,
    /// Left, top, width, height.
    #[serde(rename = "box")]
    bounds: [f32; 4],
    quality: f32,
}

impl<'a> Report<'a> {
    pub(crate) fn new(event: &'a Event) -> Self {
        let Rect { x, y, width, height } = event.bounds;
        let mut report = Self {
            event: event.id.to_string(),
            at: time::exact(event.at),
            frame: None,
            attempt: None,
            track: event.track,
            subject: None,
            similarity: None,
            visitor: None,
            suspected: None,
            liveness: None,
            bounds: [x, y, width, height],
            quality: event.quality,
        };
        match &event.who {
            Who::Subject { id, similarity } => {
                (report.subject, report.similarity) = (Some(id.as_str()), Some(*similarity));
            }
            Who::Visitor(visitor) => report.visitor = Some(visitor.to_string()),
            Who::Suspected { id, score, .. } => {
                (report.suspected, report.liveness) = (Some(id.to_string()), Some(*score));
            }
            _ => {}
        }
        report
    }

    pub(crate) const fn frame(mut self, number: u64) -> Self {
        self.frame = Some(number);
        self
    }

    pub(crate) const fn attempt(mut self, number: u32) -> Self {
        self.attempt = Some(number);
        self
    }
}
