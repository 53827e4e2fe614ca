//! Boxes, landmarks and labels on a copy of a picture.
//!
//! Everything is sized from the picture and the face, so that a phone photograph and a thumbnail both
//! come out legible, and labels dodge each other as far as there is room.

pub(crate) mod sheet;
mod text;

use std::path::Path;

use faceprint::{Landmarks, Point, Rect};
use image::{Rgb, RgbImage};

use crate::failure::Failure;

/// A colour, red, green and blue.
pub(crate) type Color = [u8; 3];

/// A face that is known.
pub(crate) const GREEN: Color = [22, 163, 74];
/// A face that is not known.
pub(crate) const RED: Color = [220, 38, 38];
/// A face, nobody asked whose.
pub(crate) const BLUE: Color = [37, 99, 235];

const WHITE: Color = [255; 3];
const LANDMARK: Color = [250, 204, 21];
const OUTLINE: Color = [24, 24, 27];

/// One face to draw.
#[derive(Debug)]
pub(crate) struct Mark {
    pub(crate) bounds: Rect,
    pub(crate) landmarks: Landmarks,
    pub(crate) label: String,
    pub(crate) color: Color,
    /// Whether the label may be left out when the face is too small for it.
    pub(crate) optional: bool,
}

/// A copy of `pixels` (RGB, row-major, no padding) with every face marked.
pub(crate) fn draw(
    pixels: &[u8],
    width: u32,
    height: u32,
    marks: &[Mark],
) -> Result<RgbImage, Failure> {
    let picture = RgbImage::from_raw(width, height, pixels.to_vec())
        .ok_or_else(|| Failure::usage("the picture's size does not fit its pixels"))?;
    let mut canvas = Canvas::new(picture, marks.iter().map(|mark| mark.bounds).collect());
    for mark in marks {
        canvas.frame(&mark.bounds, mark.color);
    }
    for mark in marks {
        canvas.landmarks(&mark.landmarks, &mark.bounds);
    }
    // Large faces choose their place first: their labels are the ones that are read.
    let mut order: Vec<&Mark> = marks.iter().collect();
    order.sort_by(|a, b| b.bounds.area().total_cmp(&a.bounds.area()));
    for mark in order {
        canvas.label(mark);
    }
    Ok(canvas.picture)
}

/// Writes a PNG.
pub(crate) fn save(picture: &RgbImage, path: &Path) -> Result<(), Failure> {
    picture.save_with_format(path, image::ImageFormat::Png).map_err(|error| {
        Failure::new(faceprint::ErrorKind::Io, format!("{}: {error}", path.display()))
    })
}

/// A picture being drawn on.
struct Canvas {
    picture: RgbImage,
    /// Faces, which labels should not hide.
    faces: Vec<Rect>,
    /// Labels so far, which labels must not hide.
    taken: Vec<Rect>,
}

impl Canvas {
    fn new(picture: RgbImage, faces: Vec<Rect>) -> Self {
        Self { picture, faces, taken: Vec::new() }
    }

    /// The outline of a face, 2 to 4 pixels thick, thinner on faces that it would hide.
    fn frame(&mut self, bounds: &Rect, color: Color) {
        let thick = (self.shorter_side() / 320.0).round().clamp(2.0, 4.0);
        let thick = if bounds.shorter_side() < 20.0 { 1.0 } else { thick };
        let (left, top) = (bounds.x.round(), bounds.y.round());
        let (right, bottom) = (bounds.right().round(), bounds.bottom().round());
        for (from_x, from_y, to_x, to_y) in [
            (left, top, right, top + thick),
            (left, bottom - thick, right, bottom),
            (left, top, left + thick, bottom),
            (right - thick, top, right, bottom),
        ] {
            self.fill(&Rect::from_corners(from_x, from_y, to_x, to_y), color);
        }
    }

    /// Five dots with a dark rim, which show on any skin; on tiny faces the rim would hide the face.
    fn landmarks(&mut self, landmarks: &Landmarks, bounds: &Rect) {
        let side = bounds.shorter_side();
        let radius = (side * 0.022).clamp(0.8, 6.0);
        for point in landmarks.points() {
            if side >= 32.0 {
                self.dot(point, radius + (radius * 0.4).clamp(0.6, 1.5), OUTLINE);
            }
            self.dot(point, radius, LANDMARK);
        }
    }

    /// White text on the face's colour: above the box, or wherever it hides the least.
    fn label(&mut self, mark: &Mark) {
        let usual = (self.shorter_side() * 0.028).clamp(13.0, 44.0);
        let wanted = text::width(&mark.label, usual) + usual * 0.5;
        let room = mark.bounds.width.max(1.0);
        // A score may shrink down to 10 pixels to fit its face; a name is always written in full.
        let size =
            if mark.optional { (usual * (room * 1.15 / wanted).min(1.0)).floor() } else { usual };
        if size < 10.0 {
            return;
        }

        let (width, height) = (text::width(&mark.label, size) + size * 0.5, size * 1.25);
        let place = self.place(&mark.bounds, width.ceil(), height.ceil());
        let hidden: f32 = self.taken.iter().map(|other| place.intersection(other).area()).sum();
        if mark.optional && hidden > 0.0 {
            return;
        }
        self.fill(&place, mark.color);
        let origin = Point::new(place.x + size * 0.25, place.y + size * 0.125);
        text::draw(&mark.label, size, origin, |x, y, coverage| {
            blend(&mut self.picture, x, y, WHITE, coverage);
        });
        self.taken.push(place);
    }

    /// Where a label of this size hides the least of the faces and the labels before it.
    fn place(&self, bounds: &Rect, width: f32, height: f32) -> Rect {
        let above = bounds.y - height;
        let left = bounds.x;
        let flush_right = bounds.right() - width;
        let candidates = [
            (left, above),
            (left, bounds.bottom()),
            (flush_right, above),
            (flush_right, bounds.bottom()),
            (left, bounds.y),
            (left, bounds.bottom() - height),
            (left, above - height),
            (left, bounds.bottom() + height),
        ];
        let (frame_width, frame_height) = self.size();
        let clamped = candidates.map(|(x, y)| Rect {
            x: x.min(frame_width - width).max(0.0).round(),
            y: y.min(frame_height - height).max(0.0).round(),
            width,
            height,
        });
        let hidden = |place: &Rect, others: &[Rect]| {
            others.iter().map(|other| place.intersection(other).area()).sum::<f32>()
        };
        // In tenths of the label: touching a neighbour by a pixel is no reason to move.
        let cost = |place: &Rect| {
            let cost = hidden(place, &self.faces) + 8.0 * hidden(place, &self.taken);
            (cost / place.area().max(1.0) * 10.0).floor()
        };
        // The first of equals: `min_by` keeps it.
        clamped.into_iter().min_by(|a, b| cost(a).total_cmp(&cost(b))).unwrap_or_default()
    }

    fn fill(&mut self, area: &Rect, color: Color) {
        let (width, height) = self.size();
        let (from_x, to_x) = (pixel(area.x, width), pixel(area.right(), width));
        let (from_y, to_y) = (pixel(area.y, height), pixel(area.bottom(), height));
        for y in from_y..to_y {
            for x in from_x..to_x {
                self.picture.put_pixel(x, y, Rgb(color));
            }
        }
    }

    /// A disc with a smooth edge.
    fn dot(&mut self, center: Point, radius: f32, color: Color) {
        if !center.is_finite() {
            return;
        }
        let (width, height) = self.size();
        for y in pixel(center.y - radius - 1.0, height)..pixel(center.y + radius + 2.0, height) {
            for x in pixel(center.x - radius - 1.0, width)..pixel(center.x + radius + 2.0, width) {
                let distance = center.distance(Point::new(x as f32, y as f32));
                blend(
                    &mut self.picture,
                    i64::from(x),
                    i64::from(y),
                    color,
                    radius + 0.5 - distance,
                );
            }
        }
    }

    fn shorter_side(&self) -> f32 {
        let (width, height) = self.size();
        width.min(height)
    }

    /// Width and height, pixels.
    fn size(&self) -> (f32, f32) {
        (self.picture.width() as f32, self.picture.height() as f32)
    }
}

/// The pixel edge nearest to `position`, inside 0..=`end`.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "clamped to the picture"
)]
fn pixel(position: f32, end: f32) -> u32 {
    position.round().clamp(0.0, end) as u32
}

/// Mixes `color` into one pixel; outside the picture nothing happens.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a mean of two bytes")]
fn blend(picture: &mut RgbImage, x: i64, y: i64, color: Color, coverage: f32) {
    let (Ok(x), Ok(y)) = (u32::try_from(x), u32::try_from(y)) else { return };
    let Some(pixel) = picture.get_pixel_mut_checked(x, y) else { return };
    let coverage = coverage.clamp(0.0, 1.0);
    for (under, over) in pixel.0.iter_mut().zip(color) {
        let mixed = f32::from(*under) * (1.0 - coverage) + f32::from(over) * coverage;
        *under = mixed.round() as u8;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mark(x: f32, y: f32, side: f32, label: &str, optional: bool) -> Mark {
        let at = |fx: f32, fy: f32| Point::new(x + side * fx, y + side * fy);
        let points = [at(0.3, 0.4), at(0.7, 0.4), at(0.5, 0.6), at(0.35, 0.8), at(0.65, 0.8)];
        let bounds = Rect { x, y, width: side, height: side };
        let landmarks = Landmarks::from_points(points);
        Mark { bounds, landmarks, label: label.to_owned(), color: GREEN, optional }
    }

    fn grey(width: u32, height: u32) -> Vec<u8> {
        vec![128; (width * height * 3) as usize]
    }

    #[test]
    fn marks_outside_the_picture_and_broken_ones_do_no_harm() {
        let marks = [
            mark(-50.0, -50.0, 100.0, "Zoë Müller", false),
            mark(180.0, 90.0, 5000.0, "0.99", true),
            mark(f32::NAN, 0.0, 10.0, "x", false),
            mark(5.0, 5.0, 0.0, "", true),
        ];
        let drawn = draw(&grey(200, 100), 200, 100, &marks).unwrap();
        assert_eq!(drawn.dimensions(), (200, 100));
        assert!(draw(&grey(1, 1), 1, 1, &marks).is_ok());
        assert!(draw(&grey(3, 3), 200, 100, &marks).is_err());
    }

    #[test]
    fn the_box_has_its_colour_and_the_inside_is_left_alone() {
        let drawn = draw(&grey(200, 200), 200, 200, &[mark(50.0, 60.0, 100.0, "a", true)]).unwrap();
        assert_eq!(drawn.get_pixel(50, 100).0, GREEN);
        assert_eq!(drawn.get_pixel(100, 70).0, [128; 3]);
        assert_eq!(drawn.get_pixel(80, 100).0, LANDMARK);
    }

    #[test]
    fn names_dodge_each_other() {
        let mut canvas = Canvas::new(RgbImage::new(400, 300), Vec::new());
        canvas.label(&mark(100.0, 100.0, 80.0, "Ann", false));
        canvas.label(&mark(104.0, 100.0, 80.0, "Bob", false));
        assert_eq!(canvas.taken[0].intersection(&canvas.taken[1]).area(), 0.0);
    }
}
