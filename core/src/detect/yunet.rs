//! YuNet's heads, as OpenCV's `FaceDetectorYN` reads them: one anchor a cell, class and objectness.

use super::Detection;
use super::heads::{Grid, STRIDES, Table, landmarks, push_if_sane};
use crate::error::{Error, ErrorKind, Result};
use crate::geometry::{Point, Rect};
use crate::runtime::Tensor;

/// Outputs in the file's order: class, objectness, box and landmarks, each at strides 8, 16 and 32.
pub(super) fn decode(
    outputs: &[Tensor<'_>],
    canvas: (u32, u32),
    threshold: f32,
) -> Result<Vec<Detection>> {
    if outputs.len() != 12 {
        return Err(Error::new(
            ErrorKind::ModelMismatch,
            format!("a YuNet has 12 outputs, this model has {}", outputs.len()),
        ));
    }
    let mut found = Vec::new();
    for (level, stride) in STRIDES.into_iter().enumerate() {
        let grid = Grid::new(canvas, stride);
        let cells = grid.cells();
        let class = Table::new(&outputs[level], cells, 1, &format!("cls_{stride}"))?;
        let objectness = Table::new(&outputs[3 + level], cells, 1, &format!("obj_{stride}"))?;
        let boxes = Table::new(&outputs[6 + level], cells, 4, &format!("bbox_{stride}"))?;
        let points = Table::new(&outputs[9 + level], cells, 10, &format!("kps_{stride}"))?;
        for (cell, (class, objectness)) in class.data().iter().zip(objectness.data()).enumerate() {
            // The score is the geometric mean; compared as a square, the root is left to the few.
            let product = class.clamp(0.0, 1.0) * objectness.clamp(0.0, 1.0);
            if product.is_nan() || product < threshold * threshold {
                continue;
            }
            let (column, row) = grid.position(cell);
            let scale = grid.stride();
            let delta = boxes.row(cell);
            let (width, height) = (delta[2].exp() * scale, delta[3].exp() * scale);
            let bounds = Rect {
                x: (column + delta[0]) * scale - width / 2.0,
                y: (row + delta[1]) * scale - height / 2.0,
                width,
                height,
            };
            let landmarks = landmarks(points.row(cell), |x, y| {
                Point::new((column + x) * scale, (row + y) * scale)
            });
            push_if_sane(&mut found, bounds, landmarks, product.sqrt());
        }
    }
    Ok(found)
}
