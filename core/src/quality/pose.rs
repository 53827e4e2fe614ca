//! Where a face looks, from its five landmarks.

use crate::error::{Error, ErrorKind, Result};
use crate::geometry::Landmarks;

/// The mean face, millimetres: x to the picture's right, y down, z away from the camera, from the
/// middle of the eyes, in the order of [`Landmarks`]. Zero pitch is the pose in which eyes and mouth are
/// this far apart.
///
/// The distance of the pupils is published anthropometry (63 mm: Dodgson, "Variation and extrema of human
/// interpupillary distance", 2004). All others, which detectors see otherwise than a calliper does, are medians
/// relative to it over 1,646 faces in 1,549 photographs; `core/models/training/common/mean_face.py`
/// computes them. They are near Farkas' ("Anthropometry of the Head and Face", 1994), where a mouth is 52 mm
/// wide and 60 mm below the pupils.
const MEAN_FACE: [[f64; 3]; 5] = [
    [-31.5, 0.0, 0.0],
    [31.5, 0.0, 0.0],
    [0.0, 36.0, -31.0],
    [-27.0, 61.5, 3.0],
    [27.0, 61.5, 3.0],
];

/// Between the eyes of the mean face, millimetres.
const INTER_EYE: f64 = 63.0;

/// The fit has found its minimum when no angle moves by more than this, radians.
const STEP_DONE: f64 = 1e-7;

/// Fits end long before; a limit for inputs that are no face.
const MAX_STEPS: usize = 40;

/// Where a face looks, degrees, 0 into the camera; signs as in ISO/IEC 39794-5.
///
/// The head is turned by yaw about its own vertical axis, then by pitch, then by roll in the picture's
/// plane.
///
/// It is what the detector's landmarks say, and those understate large turns: the eye and the corner of the mouth that are
/// hidden are put where they would be seen. Of 120 LFW faces that `faceprint eval quality` turned on a cylinder, the bundled
/// detector's landmarks give a median yaw of 30° for 45°, 31° for 60° and 20° for 75° (of the 46 that are found at all). A
/// head of a golden picture that SCRFD-500m's landmarks put at 62° is at 48° by the bundled detector's.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Pose {
    /// -180..=180; positive looks to the person's left, which is the picture's right.
    pub yaw: f32,
    /// -90..=90; positive looks down.
    pub pitch: f32,
    /// -180..=180; positive tilts to the person's right shoulder: counter-clockwise in the picture.
    pub roll: f32,
}

/// The mean face laid over landmarks.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct PoseFit {
    pub(super) pose: Pose,
    /// Between the eyes if they were seen from the front, pixels.
    pub(super) inter_eye_distance: f64,
    /// Root mean square distance of a landmark from the mean face's, in inter-eye distances.
    pub(super) residual: f64,
}

impl Pose {
    /// The pose in which the mean face's landmarks come nearest to `landmarks`: the least-squares fit
    /// of a weak-perspective camera (turn, shift and one scale), without which lens or distance.
    ///
    /// ```
    /// use faceprint::quality::Pose;
    /// # let landmarks = *faceprint::align::AlignmentTemplate::ARCFACE_112.points();
    /// let pose = Pose::estimate(&landmarks)?;
    /// assert!(pose.yaw.abs() < 5.0 && pose.roll.abs() < 5.0);
    /// # Ok::<(), faceprint::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`InvalidArgument`](ErrorKind::InvalidArgument) when a landmark is not finite, or they lie in one
    /// spot.
    pub fn estimate(landmarks: &Landmarks) -> Result<Self> {
        fit(landmarks).map(|fit| fit.pose)
    }
}

/// Levenberg and Marquardt's method from the frontal pose.
pub(super) fn fit(landmarks: &Landmarks) -> Result<PoseFit> {
    let seen = centered(&landmarks.points().map(|point| [f64::from(point.x), f64::from(point.y)]));
    let spread: f64 = seen.iter().flatten().map(|value| value * value).sum::<f64>().sqrt();
    // Comparisons with NaN are false.
    if !(spread > 1e-3 && spread < 1e7) {
        return Err(Error::new(
            ErrorKind::InvalidArgument,
            format!("landmarks have no pose: they are {spread:.2e} pixels apart"),
        ));
    }
    let model = centered(&MEAN_FACE);
    let mut camera = Camera::frontal(&model, &seen);
    let mut error = camera.error(&model, &seen);
    let mut damping = 1e-3;
    for _ in 0..MAX_STEPS {
        let step = camera.step(&model, &seen, damping);
        let moved = camera.moved(step);
        let moved_error = moved.error(&model, &seen);
        if moved_error < error {
            (camera, error) = (moved, moved_error);
            damping *= 0.1;
            if step[..3].iter().all(|angle| angle.abs() < STEP_DONE) {
                break;
            }
        } else {
            damping *= 10.0;
            if damping > 1e9 {
                break;
            }
        }
    }
    // A negative scale is the same picture turned by half.
    let inter_eye_distance = camera.scale.abs() * INTER_EYE;
    Ok(PoseFit {
        pose: camera.pose(),
        inter_eye_distance,
        residual: (error / 5.0).sqrt() / inter_eye_distance.max(1e-9),
    })
}

/// Weak perspective: a point of the model is seen at `scale` times the first two rows of `turn` times it.
#[derive(Clone, Copy, Debug)]
struct Camera {
    turn: Matrix,
    /// Pixels per millimetre.
    scale: f64,
}

type Matrix = [[f64; 3]; 3];

impl Camera {
    /// The best one that looks straight at the face.
    fn frontal(model: &[[f64; 3]; 5], seen: &[[f64; 2]; 5]) -> Self {
        let (mut along, mut across, mut size) = (0.0, 0.0, 0.0);
        for ([x, y, _], [u, v]) in model.iter().zip(seen) {
            along += x * u + y * v;
            across += x * v - y * u;
            size += x * x + y * y;
        }
        let (sin, cos) = across.atan2(along).sin_cos();
        let turn = [[cos, -sin, 0.0], [sin, cos, 0.0], [0.0, 0.0, 1.0]];
        Self { turn, scale: along.hypot(across) / size }
    }

    fn error(&self, model: &[[f64; 3]; 5], seen: &[[f64; 2]; 5]) -> f64 {
        let squares = model.iter().zip(seen).map(|(point, [u, v])| {
            let [x, y, _] = rotate(&self.turn, point);
            (u - self.scale * x).powi(2) + (v - self.scale * y).powi(2)
        });
        squares.sum()
    }

    /// The damped Gauss-Newton step: a rotation vector, and the share by which the scale grows.
    fn step(&self, model: &[[f64; 3]; 5], seen: &[[f64; 2]; 5], damping: f64) -> [f64; 4] {
        let (mut square, mut right) = ([[0.0; 4]; 4], [0.0; 4]);
        for (point, [u, v]) in model.iter().zip(seen) {
            let [x, y, z] = rotate(&self.turn, point).map(|value| value * self.scale);
            // The derivative of a turned point by a further small turn w is w cross the point.
            let rows = [([0.0, z, -y, x], u - x), ([-z, 0.0, x, y], v - y)];
            for (row, off) in rows {
                for i in 0..4 {
                    right[i] += row[i] * off;
                    for j in 0..4 {
                        square[i][j] += row[i] * row[j];
                    }
                }
            }
        }
        for (i, row) in square.iter_mut().enumerate() {
            row[i] = row[i] * (1.0 + damping) + f64::MIN_POSITIVE;
        }
        solve(square, right)
    }

    fn moved(&self, [x, y, z, growth]: [f64; 4]) -> Self {
        Self {
            turn: multiply(&rotation([x, y, z]), &self.turn),
            scale: self.scale * (1.0 + growth),
        }
    }

    /// Roll times pitch times yaw is the turn; the signs are those of `Pose`.
    fn pose(&self) -> Pose {
        let [[_, top, _], [_, middle, _], [left, bottom, depth]] = self.turn;
        let pitch = bottom.clamp(-1.0, 1.0).asin();
        let yaw = (-left).atan2(depth);
        let roll = (-top).atan2(middle);
        #[expect(clippy::cast_possible_truncation, reason = "angles are kept in f32")]
        let degrees = |angle: f64| angle.to_degrees() as f32;
        Pose { yaw: -degrees(yaw), pitch: degrees(pitch), roll: -degrees(roll) }
    }
}

fn centered<const N: usize>(points: &[[f64; N]; 5]) -> [[f64; N]; 5] {
    let mean: [f64; N] =
        std::array::from_fn(|axis| points.iter().map(|point| point[axis]).sum::<f64>() / 5.0);
    points.map(|point| std::array::from_fn(|axis| point[axis] - mean[axis]))
}

fn rotate(turn: &Matrix, point: &[f64; 3]) -> [f64; 3] {
    turn.map(|row| row[0] * point[0] + row[1] * point[1] + row[2] * point[2])
}

fn multiply(a: &Matrix, b: &Matrix) -> Matrix {
    a.map(|row| {
        std::array::from_fn(|column| (0..3).map(|index| row[index] * b[index][column]).sum())
    })
}

/// Rodrigues' formula; the vector's length is the angle.
fn rotation([x, y, z]: [f64; 3]) -> Matrix {
    let angle = (x * x + y * y + z * z).sqrt();
    if angle < 1e-12 {
        return [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]];
    }
    let [x, y, z] = [x / angle, y / angle, z / angle];
    let (sin, cos) = angle.sin_cos();
    let rest = 1.0 - cos;
    [
        [cos + x * x * rest, x * y * rest - z * sin, x * z * rest + y * sin],
        [y * x * rest + z * sin, cos + y * y * rest, y * z * rest - x * sin],
        [z * x * rest - y * sin, z * y * rest + x * sin, cos + z * z * rest],
    ]
}

/// Gaussian elimination with pivots. The matrix is symmetric and damped, so that it has an inverse.
fn solve(mut matrix: [[f64; 4]; 4], mut right: [f64; 4]) -> [f64; 4] {
    for column in 0..4 {
        let below = column..4;
        let pivot =
            below.max_by(|&a, &b| matrix[a][column].abs().total_cmp(&matrix[b][column].abs()));
        let pivot = pivot.unwrap_or(column);
        matrix.swap(column, pivot);
        right.swap(column, pivot);
        for row in column + 1..4 {
            let factor = matrix[row][column] / matrix[column][column];
            let pivot = matrix[column];
            matrix[row].iter_mut().zip(pivot).for_each(|(value, above)| *value -= factor * above);
            right[row] -= factor * right[column];
        }
    }
    let mut solution = [0.0; 4];
    for row in (0..4).rev() {
        let known: f64 = (row + 1..4).map(|index| matrix[row][index] * solution[index]).sum();
        solution[row] = (right[row] - known) / matrix[row][row];
    }
    solution
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::cast_possible_truncation)]
    use proptest::prelude::*;

    use super::*;
    use crate::geometry::Point;

    /// The mean face as a camera sees it: turned by yaw, pitch and roll in this order, by matrices of the
    /// axes that are written down here again.
    fn seen(yaw: f64, pitch: f64, roll: f64, scale: f64, shift: [f64; 2]) -> Landmarks {
        let (yaw, pitch, roll) = (-yaw.to_radians(), pitch.to_radians(), -roll.to_radians());
        Landmarks::from_points(MEAN_FACE.map(|[x, y, z]| {
            let (x, z) = (x * yaw.cos() + z * yaw.sin(), z * yaw.cos() - x * yaw.sin());
            let y = y * pitch.cos() - z * pitch.sin();
            let (x, y) = (x * roll.cos() - y * roll.sin(), x * roll.sin() + y * roll.cos());
            Point::new((scale * x + shift[0]) as f32, (scale * y + shift[1]) as f32)
        }))
    }

    #[test]
    fn signs_are_those_of_the_standard() {
        let frontal = seen(0.0, 0.0, 0.0, 1.0, [0.0, 0.0]);
        // To the person's left: the nose moves to the picture's right.
        assert!(seen(30.0, 0.0, 0.0, 1.0, [0.0, 0.0]).nose.x > frontal.nose.x + 10.0);
        assert!(seen(0.0, 30.0, 0.0, 1.0, [0.0, 0.0]).nose.y > frontal.nose.y + 5.0);
        // To the person's right shoulder: the eye on the picture's left goes down.
        let tilted = seen(0.0, 0.0, 30.0, 1.0, [0.0, 0.0]);
        assert!(tilted.left_eye.y > tilted.right_eye.y + 10.0);
    }

    #[test]
    fn what_is_no_pose_is_refused() {
        let of = |point| fit(&Landmarks::from_points([point; 5]));
        assert!(of(Point::new(5.0, 5.0)).is_err());
        assert!(of(Point::new(f32::NAN, 5.0)).is_err());
        let mut far = seen(0.0, 0.0, 0.0, 1.0, [0.0, 0.0]);
        far.nose.x = f32::INFINITY;
        assert!(fit(&far).is_err());
    }

    type Points = [[f32; 2]; 5];

    /// Faces of the golden pictures by SCRFD: landmarks, then yaw, pitch, roll, scale and residual as SciPy
    /// finds them (`least_squares`, best of 60 starts, `Rotation.as_euler("ZXY")`).
    #[rustfmt::skip]
    const REFERENCE: &[(Points, [f32; 3], f64, f64)] = &[
        ([[117.50, 315.81], [182.55, 313.92], [91.87, 395.13], [132.96, 465.59], [188.31, 461.38]], [-63.676, -1.676, 0.613], 149.326, 0.0261), // pose_left_face.png
        ([[475.81, 249.95], [502.61, 249.84], [484.25, 268.08], [479.52, 277.73], [503.23, 277.25]], [-23.233, 7.052, 3.437], 29.111, 0.0118), // insightface_t1.png
        ([[580.56, 151.64], [618.90, 148.19], [598.16, 173.18], [586.62, 185.24], [623.88, 182.08]], [-12.085, 12.714, 7.922], 38.731, 0.0526), // Linzaer_2.png
        ([[390.23, 74.97], [406.31, 75.18], [397.23, 83.56], [390.76, 90.68], [405.29, 90.86]], [-5.831, -4.863, -1.193], 16.292, 0.0139), // Linzaer_10.png
        ([[728.14, 316.76], [750.07, 316.82], [738.73, 327.72], [729.76, 337.98], [749.06, 338.04]], [-2.383, -7.680, 0.139], 21.986, 0.0100), // Linzaer_10.png
        ([[564.03, 311.31], [584.47, 311.49], [574.28, 322.62], [565.50, 330.80], [582.94, 330.98]], [0.239, -1.048, -0.309], 20.163, 0.0072), // Linzaer_10.png
        ([[51.60, 205.21], [77.68, 189.13], [73.69, 209.72], [71.49, 231.23], [93.13, 217.40]], [3.390, -10.302, 32.976], 31.977, 0.0296), // insightface_t1.png
        ([[382.67, 178.96], [408.67, 181.44], [395.63, 194.89], [381.65, 204.34], [404.66, 206.57]], [5.686, -0.989, -5.391], 26.283, 0.0099), // Linzaer_6.png
        ([[69.67, 32.57], [86.58, 33.82], [78.84, 42.83], [69.99, 51.54], [84.66, 52.56]], [9.145, -7.439, -2.395], 18.360, 0.0361), // Linzaer_10.png
        ([[221.19, 292.25], [200.86, 216.31], [263.47, 233.63], [342.30, 302.28], [346.38, 233.65]], [45.965, -1.700, 91.332], 124.062, 0.1281), // bulk_image_T1.png
    ];

    #[test]
    fn agrees_with_another_program() {
        for &(points, angles, scale, residual) in REFERENCE {
            let found =
                fit(&Landmarks::from_points(points.map(|[x, y]| Point::new(x, y)))).unwrap();
            let Pose { yaw, pitch, roll } = found.pose;
            for (found, expected) in [yaw, pitch, roll].into_iter().zip(angles) {
                assert!((found - expected).abs() < 0.05, "{found} for {expected}");
            }
            assert!((found.inter_eye_distance / scale - 1.0).abs() < 1e-3);
            assert!((found.residual - residual).abs() < 1e-3);
        }
    }

    proptest! {
        #[test]
        fn turns_are_recovered(
            yaw in -75.0..75.0, pitch in -45.0..45.0, roll in -179.0..179.0,
            scale in 0.05..50.0, x in -3000.0..3000.0, y in -3000.0..3000.0,
        ) {
            let found = fit(&seen(yaw, pitch, roll, scale, [x, y])).unwrap();
            // Landmarks of f32 at 3,000 pixels are exact to a few ten thousandths of a pixel.
            let bound = 0.1 + 0.1 / scale;
            for (found, expected) in
                [(found.pose.yaw, yaw), (found.pose.pitch, pitch), (found.pose.roll, roll)]
            {
                prop_assert!((f64::from(found) - expected).abs() < bound, "{found} for {expected}");
            }
            prop_assert!((found.inter_eye_distance / (63.0 * scale) - 1.0).abs() < 0.02);
            prop_assert!(found.residual < 1e-3 + 1e-3 / scale);
        }

        #[test]
        fn any_points_have_finite_answers_or_none(
            points in prop::array::uniform5((-2e6f32..2e6, -2e6f32..2e6)), small in 0.0f32..1.0,
        ) {
            for factor in [1.0, small * 1e-3, 1e-6] {
                let points = points.map(|(x, y)| Point::new(x * factor, y * factor));
                let Ok(found) = fit(&Landmarks::from_points(points)) else { continue };
                let Pose { yaw, pitch, roll } = found.pose;
                prop_assert!(yaw.abs() <= 180.0 && pitch.abs() <= 90.0 && roll.abs() <= 180.0);
                prop_assert!(found.inter_eye_distance >= 0.0 && found.inter_eye_distance.is_finite());
                prop_assert!(found.residual >= 0.0 && found.residual.is_finite());
            }
        }
    }
}
