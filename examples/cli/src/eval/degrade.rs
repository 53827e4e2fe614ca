//! Good pictures made bad in known ways, to see whether the gate notices.

use faceprint::Detection;
use image::imageops::{self, FilterType};
use image::{Rgb, RgbImage};

/// A way to spoil a picture of a face.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Damage {
    /// A Gaussian blur, its standard deviation as a share of the face's width.
    Blur(f32),
    /// Every level multiplied by this and rounded: an exposure that is too short.
    Dark(f32),
    /// The picture shrunk until the face is this many pixels wide.
    Tiny(f32),
    /// The face laid on a cylinder with a nose, which is turned by so many degrees to the person's left.
    Turned(f32),
}

impl Damage {
    /// `picture` of `face`, spoiled.
    pub(crate) fn apply(self, picture: &RgbImage, face: &Detection) -> RgbImage {
        let width = face.bounds.width.max(1.0);
        match self {
            Self::Blur(share) => imageops::blur(picture, (share * width).max(0.1)),
            Self::Dark(factor) => dark(picture, factor),
            Self::Tiny(side) => tiny(picture, side / width),
            Self::Turned(degrees) => turned(picture, face, degrees),
        }
    }
}

impl std::fmt::Display for Damage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Blur(share) => write!(f, "blur {:.0} %", share * 100.0),
            Self::Dark(factor) => write!(f, "dark x{factor}"),
            Self::Tiny(side) => write!(f, "tiny {side} px"),
            Self::Turned(degrees) => write!(f, "turned {degrees}°"),
        }
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to 255")]
fn dark(picture: &RgbImage, factor: f32) -> RgbImage {
    let mut picture = picture.clone();
    picture.iter_mut().for_each(|level| *level = (f32::from(*level) * factor).round() as u8);
    picture
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a smaller picture")]
fn tiny(picture: &RgbImage, factor: f32) -> RgbImage {
    let side = |side: u32| ((side as f32 * factor).round() as u32).clamp(1, side);
    let (width, height) = (side(picture.width()), side(picture.height()));
    imageops::resize(picture, width, height, FilterType::Triangle)
}

/// Each row is a curve in space: a cylinder's with a nose on it. It is turned, and its points are seen from the
/// front, the nearest of those that fall into one column. What the turn uncovers has the colour of the
/// cylinder's edge on that side: hair or background.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "inside the picture")]
fn turned(picture: &RgbImage, face: &Detection, degrees: f32) -> RgbImage {
    let (sin, cos) = degrees.to_radians().sin_cos();
    let surface = Surface::of(face);
    let mut out = picture.clone();
    let mut nearest = vec![f32::NEG_INFINITY; picture.width() as usize];
    for y in 0..picture.height() {
        nearest.fill(f32::NEG_INFINITY);
        let last = picture.width() as f32 - 1.0;
        let uncovered = (surface.axis - surface.radius * degrees.signum()).clamp(0.0, last);
        let from = (surface.axis - surface.radius).clamp(0.0, last) as u32;
        let to = (surface.axis + surface.radius).clamp(0.0, last) as u32;
        (from..=to).for_each(|x| out.put_pixel(x, y, between(picture, uncovered, y)));
        // Four points a pixel leave no column out where the surface is spread.
        for quarter in 0..picture.width() * 4 {
            let from = quarter as f32 / 4.0;
            let across = from - surface.axis;
            let Some(height) = surface.height(across, y as f32) else { continue };
            let (x, depth) =
                (surface.axis + across * cos + height * sin, height * cos - across * sin);
            if x < 0.0 || x.round() >= picture.width() as f32 {
                continue;
            }
            let column = x.round() as usize;
            if depth > nearest[column] {
                nearest[column] = depth;
                out.put_pixel(column as u32, y, between(picture, from, y));
            }
        }
    }
    out
}

/// A cylinder with an upright axis and a nose. Pixels.
struct Surface {
    axis: f32,
    radius: f32,
    nose_y: f32,
    inter_eye: f32,
}

impl Surface {
    /// The face is two thirds of the cylinder's diameter, so that its cheeks turn to the side.
    fn of(face: &Detection) -> Self {
        let points = face.landmarks;
        Self {
            axis: (points.left_eye.x + points.right_eye.x) / 2.0,
            radius: face.bounds.width * 0.75,
            nose_y: points.nose.y,
            inter_eye: points.inter_eye_distance().max(1.0),
        }
    }

    /// How far in front of the axis; `None` beside the cylinder. A nose is 0.4 inter-eye distances high, and
    /// falls off within a sixth to the sides and a third up and down.
    fn height(&self, across: f32, y: f32) -> Option<f32> {
        let left = self.radius * self.radius - across * across;
        let bell = |off: f32, width: f32| (-(off / (width * self.inter_eye)).powi(2)).exp();
        let nose = 0.4 * self.inter_eye * bell(across, 0.17) * bell(y - self.nose_y, 0.33);
        (left > 0.0).then(|| left.sqrt() + nose)
    }
}

/// The colour at a position between two columns.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "inside the picture")]
fn between(picture: &RgbImage, x: f32, y: u32) -> Rgb<u8> {
    let left = x.floor() as u32;
    let right = (left + 1).min(picture.width() - 1);
    let part = x - x.floor();
    let (left, right) = (picture.get_pixel(left, y), picture.get_pixel(right, y));
    let mix = |a: u8, b: u8| (f32::from(a) * (1.0 - part) + f32::from(b) * part).round() as u8;
    Rgb(std::array::from_fn(|channel| mix(left.0[channel], right.0[channel])))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_turned_face_is_measured_as_turned() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../images/people/elva/1.jpg");
        let picture = image::open(path).unwrap().to_rgb8();
        let pack = faceprint::ModelPack::bundled();
        let engine = faceprint::Engine::builder(&pack)
            .backend(faceprint::BackendChoice::Rten)
            .build()
            .unwrap();
        let look = |picture: &RgbImage| {
            let (width, height) = picture.dimensions();
            let view = faceprint::ImageView::new(
                picture.as_raw(),
                width,
                height,
                faceprint::PixelFormat::Rgb8,
            );
            engine.analyze(&view.unwrap()).unwrap().remove(0)
        };
        let before = look(&picture);
        let yaw = |degrees| {
            look(&Damage::Turned(degrees).apply(&picture, &before.detection)).quality.pose.yaw
        };
        assert!((yaw(0.0) - before.quality.pose.yaw).abs() < 3.0, "{}", yaw(0.0));
        let (left, right) = (yaw(30.0), yaw(-30.0));
        // A face that is laid on another surface is not turned by exactly as much.
        assert!((15.0..50.0).contains(&left) && (-50.0..-15.0).contains(&right), "{left} {right}");
    }
}
