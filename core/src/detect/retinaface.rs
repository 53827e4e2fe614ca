//! `RetinaFace`'s heads, as biubug6's `PyTorch` code reads them: two priors a cell, deltas with variances.

use super::Detection;
use super::heads::{Grid, STRIDES, Table, landmarks, push_if_sane};
use crate::error::{Error, ErrorKind, Result};
use crate::geometry::{Point, Rect};
use crate::runtime::Tensor;

/// Sides of the square priors at each stride, input pixels (`min_sizes` of cfg_mnet).
const PRIORS: [[f32; 2]; 3] = [[16.0, 32.0], [64.0, 128.0], [256.0, 512.0]];
/// How strongly position and size deltas are scaled (`variance` of cfg_mnet).
const VARIANCE: [f32; 2] = [0.1, 0.2];

/// Three outputs of 4, 2 and 10 columns: boxes, background and face probability, landmarks.
pub(super) fn decode(
    outputs: &[Tensor<'_>],
    canvas: (u32, u32),
    threshold: f32,
) -> Result<Vec<Detection>> {
    let grids = STRIDES.map(|stride| Grid::new(canvas, stride));
    let rows = grids.iter().map(|grid| grid.cells() * 2).sum();
    let by_columns = |columns| {
        let tensor = outputs.iter().find(|it| it.rows_and_columns().1 == columns);
        tensor
            .ok_or_else(|| {
                Error::new(
                    ErrorKind::ModelMismatch,
                    format!("a RetinaFace has an output of {columns} columns, this model has none"),
                )
            })
            .and_then(|tensor| Table::new(tensor, rows, columns, "of RetinaFace"))
    };
    let (boxes, classes, points) = (by_columns(4)?, by_columns(2)?, by_columns(10)?);

    let mut found = Vec::new();
    let mut row = 0;
    for (grid, priors) in grids.into_iter().zip(PRIORS) {
        for cell in 0..grid.cells() {
            let (column, line) = grid.position(cell);
            let (x, y) = ((column + 0.5) * grid.stride(), (line + 0.5) * grid.stride());
            for prior in priors {
                let score = classes.row(row)[1];
                if score >= threshold {
                    let delta = boxes.row(row);
                    let step = VARIANCE[0] * prior;
                    let width = prior * (delta[2] * VARIANCE[1]).exp();
                    let height = prior * (delta[3] * VARIANCE[1]).exp();
                    let bounds = Rect {
                        x: x + delta[0] * step - width / 2.0,
                        y: y + delta[1] * step - height / 2.0,
                        width,
                        height,
                    };
                    let landmarks = landmarks(points.row(row), |dx, dy| {
                        Point::new(x + dx * step, y + dy * step)
                    });
                    push_if_sane(&mut found, bounds, landmarks, score.min(1.0));
                }
                row += 1;
            }
        }
    }
    Ok(found)
}
