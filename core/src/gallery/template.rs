//! A template as it is given to a gallery, and as it is given back.

use std::time::SystemTime;

use super::tenant::Details;
use crate::error::{Error, ErrorKind, Result};
use crate::geometry::{Landmarks, Point};
use crate::id::TemplateId;
use crate::vector::Template;

/// A template to enrol, with what is known of the picture it came from. A plain `&Template` is one of which
/// nothing is known.
///
/// ```no_run
/// # use faceprint::{Face, Tenant, SubjectId};
/// # use faceprint::gallery::NewTemplate;
/// # fn example(acme: Tenant, alice: SubjectId, face: Face) -> faceprint::Result<()> {
/// let template = NewTemplate::from(&face.template).landmarks(face.detection.landmarks);
/// acme.enroll(&alice, template)?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug)]
pub struct NewTemplate<'a> {
    pub(super) template: &'a Template,
    pub(super) picture: Picture,
    pub(super) details: Option<&'a Details>,
}

impl<'a> NewTemplate<'a> {
    /// How good the picture was, by the caller's measure: any finite number.
    #[must_use]
    pub const fn quality(mut self, quality: f32) -> Self {
        self.picture.quality = Some(quality);
        self
    }

    /// Where the landmarks were, in pixels of the upright picture.
    #[must_use]
    pub const fn landmarks(mut self, landmarks: Landmarks) -> Self {
        self.picture.landmarks = Some(landmarks);
        self
    }

    /// What is to be kept with the subject from now on, in place of what was: stored in the same commit as the template,
    /// so that nobody is ever there without their consent or their expiry. Of a duplicate nothing is stored.
    #[must_use]
    pub const fn details(mut self, details: &'a Details) -> Self {
        self.details = Some(details);
        self
    }

    pub(super) fn check(&self) -> Result<()> {
        self.details.map_or(Ok(()), Details::check)?;
        if self.picture.is_finite() {
            return Ok(());
        }
        Err(Error::new(
            ErrorKind::InvalidArgument,
            "the quality or a landmark of the template is not a finite number",
        ))
    }
}

impl<'a> From<&'a Template> for NewTemplate<'a> {
    fn from(template: &'a Template) -> Self {
        Self { template, picture: Picture::default(), details: None }
    }
}

impl From<&Self> for NewTemplate<'_> {
    fn from(template: &Self) -> Self {
        *template
    }
}

/// One template as it was enrolled.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct StoredTemplate {
    /// Which one.
    pub id: TemplateId,
    /// When it was enrolled; milliseconds are kept.
    pub enrolled_at: SystemTime,
    /// How good the picture was, if that was given, by the measure of who enrolled it.
    pub quality: Option<f32>,
    /// Where the landmarks were, if that was given, in pixels of the upright picture.
    pub landmarks: Option<Landmarks>,
    /// The template.
    pub template: Template,
}

/// What is known of the picture a template came from.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Picture {
    pub(super) quality: Option<f32>,
    pub(super) landmarks: Option<Landmarks>,
}

/// Bytes of a picture that is known: flags u8, quality f32, 5 landmarks of 2 f32.
const PICTURE: usize = 1 + 4 + 5 * 2 * 4;

impl Picture {
    /// Appends what is known, if anything is.
    pub(super) fn write(&self, bytes: &mut Vec<u8>) {
        if *self == Self::default() {
            return;
        }
        bytes.push(u8::from(self.quality.is_some()) | u8::from(self.landmarks.is_some()) << 1);
        bytes.extend_from_slice(&self.quality.unwrap_or_default().to_le_bytes());
        for point in self.landmarks.unwrap_or_default().points() {
            bytes.extend_from_slice(&point.x.to_le_bytes());
            bytes.extend_from_slice(&point.y.to_le_bytes());
        }
    }

    /// What [`write`](Self::write) appended.
    pub(super) fn read(bytes: &[u8]) -> Option<Self> {
        if bytes.is_empty() {
            return Some(Self::default());
        }
        let (&flags, numbers) = <&[u8; PICTURE]>::try_from(bytes).ok()?.split_first()?;
        let (numbers, _) = numbers.as_chunks::<4>();
        let mut numbers = numbers.iter().map(|bytes| f32::from_le_bytes(*bytes));
        let quality = numbers.next()?;
        let mut points = [Point::default(); 5];
        for point in &mut points {
            *point = Point::new(numbers.next()?, numbers.next()?);
        }
        let read = Self {
            quality: (flags & 1 != 0).then_some(quality),
            landmarks: (flags & 2 != 0).then(|| Landmarks::from_points(points)),
        };
        (matches!(flags, 1..=3) && read.is_finite()).then_some(read)
    }

    fn is_finite(&self) -> bool {
        let landmarks = self.landmarks.unwrap_or_default().points();
        self.quality.is_none_or(f32::is_finite) && landmarks.iter().all(|it| it.is_finite())
    }
}
