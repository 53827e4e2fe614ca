//! SCRFD's heads, as InsightFace reads them: two anchors a cell, distances to the four sides.

use super::Detection;
use super::heads::{Grid, STRIDES, Table, landmarks, push_if_sane};
use crate::error::{Error, ErrorKind, Result};
use crate::geometry::{Point, Rect};
use crate::runtime::Tensor;

/// Anchors share their cell's corner.
const ANCHORS: usize = 2;

/// Nine outputs. Exports name and group them differently, so each is found by its shape.
pub(super) fn decode(
    outputs: &[Tensor<'_>],
    canvas: (u32, u32),
    threshold: f32,
) -> Result<Vec<Detection>> {
    if outputs.len() != 9 {
        return Err(Error::new(
            ErrorKind::ModelMismatch,
            format!(
                "an SCRFD with landmarks has 9 outputs, this model has {}; use the file with `kps` in its name",
                outputs.len()
            ),
        ));
    }
    let mut found = Vec::new();
    for stride in STRIDES {
        let grid = Grid::new(canvas, stride);
        let rows = grid.cells() * ANCHORS;
        let scores = find(outputs, rows, 1)?;
        let boxes = find(outputs, rows, 4)?;
        let points = find(outputs, rows, 10)?;
        for (row, &score) in scores.data().iter().enumerate() {
            if score.is_nan() || score < threshold {
                continue;
            }
            let (column, line) = grid.position(row / ANCHORS);
            let scale = grid.stride();
            let (x, y) = (column * scale, line * scale);
            let side = boxes.row(row);
            let bounds = Rect::from_corners(
                x - side[0] * scale,
                y - side[1] * scale,
                x + side[2] * scale,
                y + side[3] * scale,
            );
            let landmarks =
                landmarks(points.row(row), |dx, dy| Point::new(x + dx * scale, y + dy * scale));
            push_if_sane(&mut found, bounds, landmarks, score.min(1.0));
        }
    }
    Ok(found)
}

/// The one output with `rows` x `columns`.
fn find<'a>(outputs: &'a [Tensor<'_>], rows: usize, columns: usize) -> Result<Table<'a>> {
    let mut fitting = outputs.iter().filter(|it| it.rows_and_columns() == (rows, columns));
    match (fitting.next(), fitting.next()) {
        (Some(tensor), None) => Table::new(tensor, rows, columns, "of SCRFD"),
        (first, _) => Err(Error::new(
            ErrorKind::ModelMismatch,
            format!(
                "an SCRFD has one output of {rows} rows of {columns}, this model has {}: shapes are {:?}",
                if first.is_some() { "several" } else { "none" },
                outputs.iter().map(Tensor::shape).collect::<Vec<_>>()
            ),
        )),
    }
}
