//! Pictures from files, the face that a picture is about, and faces as JSON.

use std::fs;
use std::path::{Path, PathBuf};

use faceprint::image::{DecodeLimits, RgbImage, decode};
use faceprint::{Detection, Engine, Landmarks, Rect, Template};
use serde::Serialize;

use crate::failure::Failure;
use crate::output;

/// A detected face, for scripts. Pixels of the upright picture.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct FaceReport {
    /// Left, top, width, height.
    #[serde(rename = "box")]
    pub(crate) bounds: [f32; 4],
    /// Image-left eye, image-right eye, nose, image-left and image-right mouth corner.
    pub(crate) landmarks: [[f32; 2]; 5],
    /// How sure the detector is, 0..=1.
    pub(crate) score: f32,
}

impl From<&Detection> for FaceReport {
    fn from(detection: &Detection) -> Self {
        let Rect { x, y, width, height } = detection.bounds;
        Self {
            bounds: [x, y, width, height],
            landmarks: landmarks(&detection.landmarks),
            score: detection.score,
        }
    }
}

/// The picture in a file, upright. A failure names the file.
pub(crate) fn read(path: &Path) -> Result<RgbImage, Failure> {
    read_unnamed(path).map_err(|failure| failure.at(path))
}

/// As [`read`], for callers that name the file themselves.
pub(crate) fn read_unnamed(path: &Path) -> Result<RgbImage, Failure> {
    let bytes = fs::read(path).map_err(Failure::from)?;
    Ok(decode(&bytes, &DecodeLimits::default())?)
}

/// Which of several faces a picture of `width` x `height` is about: the largest area minus twice the
/// squared distance from the centre. It is the rule by which InsightFace's evaluation of LFW picks.
pub(crate) fn prominent(detections: &[Detection], width: u32, height: u32) -> Option<usize> {
    let (middle_x, middle_y) = (width as f32 / 2.0, height as f32 / 2.0);
    let weight = |detection: &Detection| {
        let center = detection.bounds.center();
        let (dx, dy) = (center.x - middle_x, center.y - middle_y);
        detection.bounds.area() - 2.0 * (dx * dx + dy * dy)
    };
    (0..detections.len()).max_by(|&a, &b| weight(&detections[a]).total_cmp(&weight(&detections[b])))
}

/// The template of each picture's prominent face, using all cores; `None` where there is no face.
pub(crate) fn templates(
    engine: &Engine,
    paths: &[PathBuf],
) -> Result<Vec<Option<Template>>, Failure> {
    let bar = output::progress(paths.len(), "pictures");
    let template = |engine: &Engine, path: &PathBuf| prominent_template(engine, path);
    let templates = engine.batch(paths, template, |done, _| bar.set_position(done as u64));
    bar.finish_and_clear();
    templates.into_iter().collect()
}

fn prominent_template(engine: &Engine, path: &Path) -> Result<Option<Template>, Failure> {
    let at = |error: faceprint::Error| Failure::from(error).at(path);
    let image = read(path)?;
    let detections = engine.detect(&image.view()).map_err(at)?;
    prominent(&detections, image.width(), image.height())
        .map(|used| engine.template(&image.view(), &detections[used].landmarks).map_err(at))
        .transpose()
}

/// `1 face`, `2 faces`.
pub(crate) fn count(n: usize) -> String {
    if n == 1 { "1 face".to_owned() } else { format!("{n} faces") }
}

fn landmarks(landmarks: &Landmarks) -> [[f32; 2]; 5] {
    landmarks.points().map(|point| [point.x, point.y])
}
