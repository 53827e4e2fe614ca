//! Faces of a picture.

use faceprint::{Detection, Face, Landmarks, Point, Rect, Sample};

use crate::boundary::{Out, free};
use crate::quality::faceprint_quality;
use crate::template::faceprint_template;
use crate::text::List;

/// A position in pixels of the upright picture, from its top left.
#[repr(C)]
#[derive(Clone, Copy)]
#[allow(clippy::exhaustive_structs, missing_docs, reason = "C's")]
pub struct faceprint_point {
    pub x: f32,
    pub y: f32,
}

/// A box in pixels of the upright picture; it may reach over the edges.
#[repr(C)]
#[derive(Clone, Copy)]
#[allow(clippy::exhaustive_structs, missing_docs, reason = "C's")]
pub struct faceprint_rect {
    pub x: f32,
    pub y: f32,
    pub width: f32,
    pub height: f32,
}

/// Five points of a face. Left and right are the picture's, not the person's.
#[repr(C)]
#[derive(Clone, Copy)]
#[allow(clippy::exhaustive_structs, missing_docs, reason = "C's")]
pub struct faceprint_landmarks {
    pub left_eye: faceprint_point,
    pub right_eye: faceprint_point,
    pub nose: faceprint_point,
    pub left_mouth: faceprint_point,
    pub right_mouth: faceprint_point,
}

/// A face that was found.
#[repr(C)]
#[derive(Clone, Copy)]
#[allow(clippy::exhaustive_structs, reason = "C's")]
pub struct faceprint_detection {
    /// The face from forehead to chin.
    pub bounds: faceprint_rect,
    /// Eyes, nose and mouth corners.
    pub landmarks: faceprint_landmarks,
    /// The detector's confidence, 0 to 1.
    pub score: f32,
}

/// A face with what it is compared by and how good it is.
#[repr(C)]
#[derive(Clone, Copy)]
#[allow(clippy::exhaustive_structs, reason = "C's, and only read")]
pub struct faceprint_face {
    /// Where it is.
    pub detection: faceprint_detection,
    /// Its template, which lives as long as what the face was asked of.
    pub face_template: *const faceprint_template,
    /// Its quality, which lives as long.
    pub quality: *const faceprint_quality,
}

/// What liveness models say.
#[repr(C)]
#[derive(Clone, Copy)]
#[allow(clippy::exhaustive_structs, reason = "C's, and only read")]
pub struct faceprint_liveness {
    /// The mean of the models' probabilities of a live face, 0 to 1.
    pub score: f32,
    /// From which score on the pack calls a face live.
    pub threshold: f32,
}

/// Faces without templates, best score first.
pub struct faceprint_detections(List<faceprint_detection>);

/// Faces with templates and quality, best score first.
pub struct faceprint_faces {
    faces: List<faceprint_face>,
    _owned: Box<[Owned]>,
}

/// The prominent face of a picture that is good enough.
pub struct faceprint_sample {
    pub(crate) sample: Sample,
    face: faceprint_face,
    _owned: Box<Owned>,
}

/// How many faces there are.
#[unsafe(no_mangle)]
pub extern "C" fn faceprint_detections_len(detections: Option<&faceprint_detections>) -> usize {
    List::len(detections.map(|it| &it.0))
}

/// One of them; NULL from the length on.
#[unsafe(no_mangle)]
pub extern "C" fn faceprint_detections_at(
    detections: Option<&faceprint_detections>,
    index: usize,
) -> *const faceprint_detection {
    List::at(detections.map(|it| &it.0), index)
}

/// Frees a list.
#[unsafe(no_mangle)]
pub extern "C" fn faceprint_detections_free(detections: Option<Box<faceprint_detections>>) {
    free(detections);
}

/// How many faces there are.
#[unsafe(no_mangle)]
pub extern "C" fn faceprint_faces_len(faces: Option<&faceprint_faces>) -> usize {
    List::len(faces.map(|it| &it.faces))
}

/// One of them; NULL from the length on.
#[unsafe(no_mangle)]
pub extern "C" fn faceprint_faces_at(
    faces: Option<&faceprint_faces>,
    index: usize,
) -> *const faceprint_face {
    List::at(faces.map(|it| &it.faces), index)
}

/// Frees a list, with the templates of its faces.
#[unsafe(no_mangle)]
pub extern "C" fn faceprint_faces_free(faces: Option<Box<faceprint_faces>>) {
    free(faces);
}

/// The face of a sample; NULL for NULL.
#[unsafe(no_mangle)]
pub extern "C" fn faceprint_sample_face(
    sample: Option<&faceprint_sample>,
) -> *const faceprint_face {
    sample.map_or(std::ptr::null(), |sample| &raw const sample.face)
}

/// The template of a sample; NULL for NULL.
#[unsafe(no_mangle)]
pub extern "C" fn faceprint_sample_template(
    sample: Option<&faceprint_sample>,
) -> *const faceprint_template {
    sample.map_or(std::ptr::null(), |sample| sample.face.face_template)
}

/// What the liveness models said, if the engine was made with them: whether it did.
#[unsafe(no_mangle)]
pub extern "C" fn faceprint_sample_liveness(
    sample: Option<&faceprint_sample>,
    liveness: Out<faceprint_liveness>,
) -> bool {
    let said = sample.and_then(|sample| sample.sample.liveness);
    let (Some(said), Ok(liveness)) = (said, liveness.check("liveness")) else { return false };
    liveness.put(faceprint_liveness { score: said.score, threshold: said.threshold });
    true
}

/// Frees a sample, with its template.
#[unsafe(no_mangle)]
pub extern "C" fn faceprint_sample_free(sample: Option<Box<faceprint_sample>>) {
    free(sample);
}

impl faceprint_detections {
    pub(crate) fn new(detections: Vec<Detection>) -> Self {
        Self(List::new(detections.into_iter().map(Into::into).collect(), Vec::new()))
    }
}

impl faceprint_faces {
    pub(crate) fn new(faces: Vec<Face>) -> Self {
        let owned = faces.iter().map(|face| owned(&face.template, face.quality));
        let owned: Box<[_]> = owned.collect();
        let shown = faces.iter().zip(&owned).map(|(face, owned)| shown(face.detection, owned));
        Self { faces: List::new(shown.collect(), Vec::new()), _owned: owned }
    }
}

impl faceprint_sample {
    pub(crate) fn new(sample: Sample) -> Self {
        let owned = Box::new(owned(&sample.template, sample.quality));
        Self { face: shown(sample.detection, &owned), sample, _owned: owned }
    }
}

type Owned = (faceprint_template, faceprint_quality);

fn owned(template: &faceprint::Template, quality: faceprint::Quality) -> Owned {
    (faceprint_template(template.clone()), faceprint_quality(quality))
}

fn shown(detection: Detection, owned: &Owned) -> faceprint_face {
    faceprint_face {
        detection: detection.into(),
        face_template: &raw const owned.0,
        quality: &raw const owned.1,
    }
}

impl From<Detection> for faceprint_detection {
    fn from(face: Detection) -> Self {
        Self { bounds: face.bounds.into(), landmarks: face.landmarks.into(), score: face.score }
    }
}

impl From<faceprint_detection> for Detection {
    fn from(face: faceprint_detection) -> Self {
        Self::new(face.bounds.into(), face.landmarks.into(), face.score)
    }
}

impl From<Rect> for faceprint_rect {
    fn from(Rect { x, y, width, height }: Rect) -> Self {
        Self { x, y, width, height }
    }
}

impl From<faceprint_rect> for Rect {
    fn from(faceprint_rect { x, y, width, height }: faceprint_rect) -> Self {
        Self { x, y, width, height }
    }
}

impl From<Landmarks> for faceprint_landmarks {
    fn from(landmarks: Landmarks) -> Self {
        let points = landmarks.points().map(|Point { x, y }| faceprint_point { x, y });
        let [left_eye, right_eye, nose, left_mouth, right_mouth] = points;
        Self { left_eye, right_eye, nose, left_mouth, right_mouth }
    }
}

impl From<faceprint_landmarks> for Landmarks {
    fn from(it: faceprint_landmarks) -> Self {
        let points = [it.left_eye, it.right_eye, it.nose, it.left_mouth, it.right_mouth];
        Self::from_points(points.map(|point| Point::new(point.x, point.y)))
    }
}
