//! What the heads of all families have in common: grids of cells, and tables found by their shape.

use super::Detection;
use crate::error::{Error, ErrorKind, Result};
use crate::geometry::{Landmarks, Point, Rect};
use crate::runtime::Tensor;

/// The strides of the three feature maps, input pixels per cell.
pub(super) const STRIDES: [u32; 3] = [8, 16, 32];

/// Most candidates that go into suppression, as in OpenCV's `topK`.
pub(super) const MAX_CANDIDATES: usize = 5000;

/// An output seen as rows of `columns` values.
pub(super) struct Table<'a> {
    data: &'a [f32],
    columns: usize,
}

impl<'a> Table<'a> {
    /// `tensor` as `rows` x `columns`; `what` names it in the error.
    pub(super) fn new(
        tensor: &'a Tensor<'_>,
        rows: usize,
        columns: usize,
        what: &str,
    ) -> Result<Self> {
        if tensor.rows_and_columns() != (rows, columns) {
            return Err(Error::new(
                ErrorKind::ModelMismatch,
                format!(
                    "output {what} has shape {:?}, expected {rows} rows of {columns}",
                    tensor.shape()
                ),
            ));
        }
        Ok(Self { data: tensor.data(), columns })
    }

    pub(super) fn row(&self, index: usize) -> &'a [f32] {
        &self.data[index * self.columns..(index + 1) * self.columns]
    }

    pub(super) const fn data(&self) -> &'a [f32] {
        self.data
    }
}

/// The cells of one stride on a canvas, row by row.
#[derive(Clone, Copy)]
pub(super) struct Grid {
    columns: usize,
    rows: usize,
    stride: f32,
}

impl Grid {
    /// A canvas whose size is not a multiple of `stride` has a last, partial cell.
    pub(super) fn new((width, height): (u32, u32), stride: u32) -> Self {
        #[expect(clippy::cast_precision_loss, reason = "a stride is 8, 16 or 32")]
        Self {
            columns: width.div_ceil(stride) as usize,
            rows: height.div_ceil(stride) as usize,
            stride: stride as f32,
        }
    }

    pub(super) const fn cells(self) -> usize {
        self.columns * self.rows
    }

    pub(super) const fn stride(self) -> f32 {
        self.stride
    }

    /// Column and row of a cell.
    #[expect(clippy::cast_precision_loss, reason = "a canvas has at most 65535 / 8 cells a side")]
    pub(super) fn position(self, cell: usize) -> (f32, f32) {
        ((cell % self.columns) as f32, (cell / self.columns) as f32)
    }
}

/// Five landmarks from ten values through `place`, which gets the value and whether it is an x.
pub(super) fn landmarks(values: &[f32], place: impl Fn(f32, f32) -> Point) -> Landmarks {
    let mut points = [Point::default(); 5];
    for (point, pair) in points.iter_mut().zip(values.as_chunks::<2>().0) {
        *point = place(pair[0], pair[1]);
    }
    Landmarks::from_points(points)
}

/// Keeps a candidate whose numbers are all finite and whose box is not empty: a network that was fed
/// nonsense answers with nonsense, not with a crash.
pub(super) fn push_if_sane(
    found: &mut Vec<Detection>,
    bounds: Rect,
    landmarks: Landmarks,
    score: f32,
) {
    let finite = [bounds.x, bounds.y, bounds.right(), bounds.bottom(), score]
        .iter()
        .all(|value| value.is_finite())
        && landmarks.points().iter().all(|point| point.is_finite());
    if finite && bounds.area() > 0.0 && bounds.area().is_finite() {
        found.push(Detection { bounds, landmarks, score });
    }
}
