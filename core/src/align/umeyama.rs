//! The least-squares similarity between two sets of points (Umeyama, PAMI 1991).

use crate::error::{Error, ErrorKind, Result};
use crate::geometry::Point;

/// Points closer together than this (root mean square, pixels) determine no scale.
const MIN_SPREAD: f64 = 1e-3;

/// A best scale below this means that the sets have nothing in common.
const MIN_SCALE: f64 = 1e-9;

/// Turn, scale and shift in the plane: `x' = a x - b y + tx`, `y' = b x + a y + ty`, pixels.
/// Never mirrors, and can always be inverted.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Similarity2d {
    /// Invariant: all finite, `a` and `b` not both 0.
    a: f64,
    b: f64,
    tx: f64,
    ty: f64,
}

impl Similarity2d {
    /// The transform that changes nothing.
    pub const IDENTITY: Self = Self { a: 1.0, b: 0.0, tx: 0.0, ty: 0.0 };

    /// From its matrix `[[a, -b, tx], [b, a, ty]]`.
    ///
    /// # Errors
    /// [`InvalidArgument`](ErrorKind::InvalidArgument) when a number is not finite or the scale is 0.
    pub fn new(a: f64, b: f64, tx: f64, ty: f64) -> Result<Self> {
        let scale = a * a + b * b;
        if scale.is_normal() && tx.is_finite() && ty.is_finite() {
            return Ok(Self { a, b, tx, ty });
        }
        Err(Error::new(
            ErrorKind::InvalidArgument,
            format!("similarity ({a}, {b}, {tx}, {ty}) cannot be inverted"),
        ))
    }

    /// The similarity that takes `from` nearest to `to`, point by point: the sum of squared distances
    /// is least. In the plane Umeyama's decomposition has this closed form.
    ///
    /// # Errors
    /// [`InvalidArgument`](ErrorKind::InvalidArgument) when a point is not finite, or either set lies
    /// in one spot, or the sets are so unlike that the best scale is 0.
    pub fn estimate<const N: usize>(from: &[Point; N], to: &[Point; N]) -> Result<Self> {
        let (from_mean, to_mean) = (mean(from), mean(to));
        let (mut spread, mut along, mut across) = (0.0, 0.0, 0.0);
        for (from, to) in from.iter().zip(to) {
            let (x, y) = (f64::from(from.x) - from_mean.0, f64::from(from.y) - from_mean.1);
            let (u, v) = (f64::from(to.x) - to_mean.0, f64::from(to.y) - to_mean.1);
            spread += x * x + y * y;
            along += x * u + y * v;
            across += x * v - y * u;
        }
        let (a, b) = (along / spread, across / spread);
        // Comparisons with NaN are false, so NaN determines nothing.
        let determined = spread > MIN_SPREAD * MIN_SPREAD && a.hypot(b) > MIN_SCALE;
        if !determined {
            return Err(Error::new(
                ErrorKind::InvalidArgument,
                format!(
                    "landmarks determine no pose: spread {:.2e} pixels, scale {:.2e}",
                    spread.sqrt(),
                    a.hypot(b)
                ),
            ));
        }
        let tx = to_mean.0 - (a * from_mean.0 - b * from_mean.1);
        let ty = to_mean.1 - (b * from_mean.0 + a * from_mean.1);
        Self::new(a, b, tx, ty)
    }

    /// The 2 x 3 matrix, row by row.
    #[must_use]
    pub const fn matrix(&self) -> [[f64; 3]; 2] {
        [[self.a, -self.b, self.tx], [self.b, self.a, self.ty]]
    }

    /// How many times longer distances become, more than 0.
    #[must_use]
    pub fn scale(&self) -> f64 {
        self.a.hypot(self.b)
    }

    /// The way back.
    #[must_use]
    pub fn inverse(&self) -> Self {
        let square = self.a * self.a + self.b * self.b;
        let (a, b) = (self.a / square, -self.b / square);
        Self { a, b, tx: -(a * self.tx - b * self.ty), ty: -(b * self.tx + a * self.ty) }
    }

    /// Where `point` goes.
    #[must_use]
    #[expect(clippy::cast_possible_truncation, reason = "points are kept in f32")]
    pub fn apply(&self, point: Point) -> Point {
        let (x, y) = (f64::from(point.x), f64::from(point.y));
        Point::new(
            (self.a * x - self.b * y + self.tx) as f32,
            (self.b * x + self.a * y + self.ty) as f32,
        )
    }
}

/// Whether all points lie on one line (or in one spot), to a thousandth of their extent.
pub(super) fn are_collinear<const N: usize>(points: &[Point; N]) -> bool {
    let mean = mean(points);
    let (mut xx, mut xy, mut yy) = (0.0, 0.0, 0.0);
    for point in points {
        let (x, y) = (f64::from(point.x) - mean.0, f64::from(point.y) - mean.1);
        xx += x * x;
        xy += x * y;
        yy += y * y;
    }
    // The eigenvalues of the scatter matrix are the squared extents along and across the line.
    let trace = xx + yy;
    let root = ((xx - yy) * (xx - yy) + 4.0 * xy * xy).sqrt();
    let spans_plane = trace - root > 1e-6 * (trace + root);
    !spans_plane
}

fn mean<const N: usize>(points: &[Point; N]) -> (f64, f64) {
    #[expect(clippy::cast_precision_loss, reason = "a handful of points")]
    let count = N as f64;
    let sum = points
        .iter()
        .fold((0.0, 0.0), |sum, point| (sum.0 + f64::from(point.x), sum.1 + f64::from(point.y)));
    (sum.0 / count, sum.1 / count)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_determines_no_pose_is_refused() {
        let somewhere = Point::new(40.0, 50.0);
        let triangle = [Point::new(0.0, 0.0), Point::new(10.0, 0.0), Point::new(0.0, 10.0)];
        assert!(Similarity2d::estimate(&[somewhere; 3], &triangle).is_err());
        assert!(Similarity2d::estimate(&triangle, &[somewhere; 3]).is_err());
        let nan = [Point::new(f32::NAN, 0.0), triangle[1], triangle[2]];
        assert!(Similarity2d::estimate(&nan, &triangle).is_err());
        assert!(Similarity2d::new(0.0, 0.0, 1.0, 1.0).is_err());
        assert!(Similarity2d::new(1.0, 0.0, f64::INFINITY, 1.0).is_err());
    }

    #[test]
    fn lines_are_told_from_planes() {
        let on_line: [Point; 5] = [0.0, 1.0, 2.0, 5.0, 9.0].map(|x| Point::new(x, 3.0 * x + 1.0));
        assert!(are_collinear(&on_line));
        let mut off_line = on_line;
        off_line[2].x += 3.0;
        assert!(!are_collinear(&off_line));
    }

    proptest! {
        #[test]
        fn similarities_are_recovered(
            points in prop::array::uniform5((0.0f32..4000.0, 0.0f32..4000.0)),
            angle in -3.2f64..3.2, scale in 0.02f64..50.0,
            tx in -3000.0f64..3000.0, ty in -3000.0f64..3000.0,
        ) {
            let from = points.map(|(x, y)| Point::new(x, y));
            prop_assume!(!are_collinear(&from));
            let truth =
                Similarity2d::new(scale * angle.cos(), scale * angle.sin(), tx, ty).unwrap();
            let to = from.map(|point| truth.apply(point));
            let found = Similarity2d::estimate(&from, &to).unwrap();
            for point in from {
                let error = found.apply(point).distance(truth.apply(point));
                prop_assert!(f64::from(error) <= 1e-5 * (5000.0 * scale + 3000.0), "{error}");
                let back = found.inverse().apply(found.apply(point));
                prop_assert!(f64::from(back.distance(point)) <= 1e-5 * (5000.0 + 3000.0 / scale));
            }
        }
    }
}
