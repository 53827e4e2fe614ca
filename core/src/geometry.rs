//! Points, boxes and the five landmarks, in pixels of the upright picture.
//!
//! `x` grows to the right and `y` downwards; the top-left pixel's centre is (0, 0), as in OpenCV.

/// A position in pixels.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Point {
    /// Pixels from the left edge.
    pub x: f32,
    /// Pixels from the top edge.
    pub y: f32,
}

impl Point {
    /// A point at `x` pixels from the left and `y` from the top.
    #[must_use]
    pub const fn new(x: f32, y: f32) -> Self {
        Self { x, y }
    }

    /// Distance to `other`, pixels.
    #[must_use]
    pub fn distance(self, other: Self) -> f32 {
        (self.x - other.x).hypot(self.y - other.y)
    }

    /// Whether both coordinates are finite numbers.
    #[must_use]
    pub const fn is_finite(self) -> bool {
        self.x.is_finite() && self.y.is_finite()
    }
}

/// An axis-aligned box in pixels. It may reach over the picture's edges.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Rect {
    /// Left edge.
    pub x: f32,
    /// Top edge.
    pub y: f32,
    /// Width, not negative.
    pub width: f32,
    /// Height, not negative.
    pub height: f32,
}

impl Rect {
    /// From the two corners that detectors speak of.
    #[must_use]
    pub fn from_corners(left: f32, top: f32, right: f32, bottom: f32) -> Self {
        Self { x: left, y: top, width: (right - left).max(0.0), height: (bottom - top).max(0.0) }
    }

    /// Right edge.
    #[must_use]
    pub fn right(&self) -> f32 {
        self.x + self.width
    }

    /// Bottom edge.
    #[must_use]
    pub fn bottom(&self) -> f32 {
        self.y + self.height
    }

    /// Square pixels.
    #[must_use]
    pub fn area(&self) -> f32 {
        self.width * self.height
    }

    /// The shorter side: what "face size" means throughout the library, pixels.
    #[must_use]
    pub fn shorter_side(&self) -> f32 {
        self.width.min(self.height)
    }

    /// The middle of the box.
    #[must_use]
    pub fn center(&self) -> Point {
        Point::new(self.x + self.width / 2.0, self.y + self.height / 2.0)
    }

    /// The part shared with `other`; zero-sized when they do not touch.
    #[must_use]
    pub fn intersection(&self, other: &Self) -> Self {
        Self::from_corners(
            self.x.max(other.x),
            self.y.max(other.y),
            self.right().min(other.right()),
            self.bottom().min(other.bottom()),
        )
    }

    /// Intersection over union, 0..=1; 0 for empty boxes.
    #[must_use]
    pub fn iou(&self, other: &Self) -> f32 {
        let shared = self.intersection(other).area();
        let union = self.area() + other.area() - shared;
        if union > 0.0 { shared / union } else { 0.0 }
    }

    /// Share of this box that lies inside a picture of `width` x `height` pixels, 0..=1.
    #[must_use]
    pub fn share_inside(&self, width: f32, height: f32) -> f32 {
        let inside = self.intersection(&Self { x: 0.0, y: 0.0, width, height });
        if self.area() > 0.0 { inside.area() / self.area() } else { 0.0 }
    }
}

/// The five landmarks of a face, in the order every model and language here uses. Left and right are
/// the picture's, not the person's.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Landmarks {
    /// Centre of the eye on the picture's left.
    pub left_eye: Point,
    /// Centre of the eye on the picture's right.
    pub right_eye: Point,
    /// Tip of the nose.
    pub nose: Point,
    /// Corner of the mouth on the picture's left.
    pub left_mouth: Point,
    /// Corner of the mouth on the picture's right.
    pub right_mouth: Point,
}

impl Landmarks {
    /// From points in the order of the fields.
    #[must_use]
    pub const fn from_points(points: [Point; 5]) -> Self {
        let [left_eye, right_eye, nose, left_mouth, right_mouth] = points;
        Self { left_eye, right_eye, nose, left_mouth, right_mouth }
    }

    /// The points in the order of the fields.
    #[must_use]
    pub const fn points(&self) -> [Point; 5] {
        [self.left_eye, self.right_eye, self.nose, self.left_mouth, self.right_mouth]
    }

    /// Each point through `transform`.
    #[must_use]
    pub fn map(&self, transform: impl FnMut(Point) -> Point) -> Self {
        Self::from_points(self.points().map(transform))
    }

    /// Distance between the eyes, pixels.
    #[must_use]
    pub fn inter_eye_distance(&self) -> f32 {
        self.left_eye.distance(self.right_eye)
    }
}
