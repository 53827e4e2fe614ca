//! Many faces on one sheet, each with a title and lines below it.

use std::path::Path;

use faceprint::image::RgbImage as Picture;
use faceprint::{Point, Rect};
use image::imageops::{self, FilterType};
use image::{Rgb, RgbImage};

use super::{Color, OUTLINE, WHITE, blend, text};
use crate::failure::Failure;

/// Side of a face on the sheet, pixels.
const FACE: u32 = 256;
/// Between cells, and around a face: its frame.
const GAP: u32 = 12;
const FRAME: u32 = 6;
/// Height of a line of text, and of the title's.
const TEXT: f32 = 15.0;
const TITLE: f32 = 20.0;
/// Cells in a row.
const COLUMNS: u32 = 6;
/// The part of the picture that is shown: the longer side of the face's box times this.
const SURROUNDINGS: f32 = 1.7;

/// What is written about a face.
#[derive(Debug)]
pub(crate) struct Cell {
    pub(crate) title: String,
    pub(crate) lines: Vec<String>,
    pub(crate) color: Color,
}

/// Faces in the order in which they were put on.
#[derive(Debug, Default)]
pub(crate) struct Sheet {
    cells: Vec<(RgbImage, Cell)>,
}

impl Sheet {
    /// Adds the face at `bounds` of `picture`.
    pub(crate) fn push(
        &mut self,
        picture: &Picture,
        bounds: &Rect,
        cell: Cell,
    ) -> Result<(), Failure> {
        let whole =
            RgbImage::from_raw(picture.width(), picture.height(), picture.as_bytes().to_vec())
                .ok_or_else(|| Failure::usage("the picture's size does not fit its pixels"))?;
        self.cells.push((face(&whole, bounds), cell));
        Ok(())
    }

    /// Writes the sheet as a PNG.
    pub(crate) fn save(&self, path: &Path) -> Result<(), Failure> {
        super::save(&self.draw(), path)
    }

    fn draw(&self) -> RgbImage {
        let wrapped: Vec<Vec<String>> =
            self.cells.iter().map(|(_, cell)| wrap(&cell.lines)).collect();
        let rows = self.cells.len().div_ceil(COLUMNS as usize);
        let columns = u32::try_from(self.cells.len()).unwrap_or(COLUMNS).clamp(1, COLUMNS);
        let width = GAP + columns * (FACE + GAP);
        let heights: Vec<u32> = wrapped
            .chunks(COLUMNS as usize)
            .map(|row| row.iter().map(|it| below(it.len())).max().unwrap_or(0))
            .collect();
        let height = GAP + heights.iter().map(|below| FACE + below + GAP).sum::<u32>();
        let mut sheet = RgbImage::from_pixel(width, height.max(1), Rgb(WHITE));
        let mut top = GAP;
        for (row, height) in (0..rows).zip(&heights) {
            let cells = self.cells.iter().zip(&wrapped).skip(row * COLUMNS as usize);
            for (column, ((face, cell), lines)) in (0..COLUMNS).zip(cells) {
                let left = GAP + column * (FACE + GAP);
                put(&mut sheet, (left, top), face, cell, lines);
            }
            top += FACE + height + GAP;
        }
        sheet
    }
}

/// Room for the title and so many lines below a face, pixels.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a few lines")]
fn below(lines: usize) -> u32 {
    (TITLE * 1.5 + TEXT * 1.3 * lines as f32).ceil() as u32
}

fn put(
    sheet: &mut RgbImage,
    (left, top): (u32, u32),
    face: &RgbImage,
    cell: &Cell,
    lines: &[String],
) {
    for y in top..top + FACE {
        for x in left..left + FACE {
            sheet.put_pixel(x, y, Rgb(cell.color));
        }
    }
    imageops::replace(sheet, face, i64::from(left + FRAME), i64::from(top + FRAME));
    let mut line = |words: &str, size: f32, down: f32, color: Color| {
        let origin = Point::new(left as f32, (top + FACE) as f32 + down);
        text::draw(&fitting(words, size), size, origin, |x, y, coverage| {
            blend(sheet, x, y, color, coverage);
        });
    };
    line(&cell.title, TITLE, TITLE * 0.2, cell.color);
    for (number, words) in lines.iter().enumerate() {
        line(words, TEXT, TITLE * 1.4 + TEXT * 1.3 * number as f32, OUTLINE);
    }
}

/// The square around a face, as large as it fits into a cell; white where the picture ends.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a part of a picture")]
fn face(picture: &RgbImage, bounds: &Rect) -> RgbImage {
    let longest = picture.width().max(picture.height()) as f32;
    // `max` and `min` leave NaN out, `clamp` does not.
    let side = (bounds.width.max(bounds.height) * SURROUNDINGS).max(8.0).min(2.0 * longest + 8.0);
    let center = bounds.center();
    let start =
        |middle: f32| (middle - side / 2.0).round().max(-2.0 * longest).min(2.0 * longest) as i64;
    let mut square = RgbImage::from_pixel(side as u32, side as u32, Rgb(WHITE));
    imageops::replace(&mut square, picture, -start(center.x), -start(center.y));
    imageops::resize(&square, FACE - 2 * FRAME, FACE - 2 * FRAME, FilterType::Triangle)
}

/// Lines no wider than a cell, broken between words.
fn wrap(lines: &[String]) -> Vec<String> {
    let mut wrapped: Vec<String> = Vec::new();
    for line in lines {
        let mut current = String::new();
        for word in line.split(' ') {
            let longer =
                if current.is_empty() { word.to_owned() } else { format!("{current} {word}") };
            if current.is_empty() || text::width(&longer, TEXT) <= FACE as f32 {
                current = longer;
            } else {
                wrapped.push(std::mem::replace(&mut current, format!("  {word}")));
            }
        }
        wrapped.push(current);
    }
    wrapped
}

/// As much of a line as fits a cell.
fn fitting(line: &str, size: f32) -> String {
    let mut line = line.to_owned();
    while text::width(&line, size) > FACE as f32 && line.pop().is_some() {}
    line
}

#[cfg(test)]
mod tests {
    use super::super::{GREEN, RED};
    use super::*;

    fn cell(lines: &[&str], color: Color) -> Cell {
        let lines = lines.iter().map(|line| (*line).to_owned()).collect();
        Cell {
            title: "93  a-very-long-name-of-a-picture-that-does-not-fit.jpg".to_owned(),
            lines,
            color,
        }
    }

    #[test]
    fn cells_stand_in_rows_with_room_for_their_lines() {
        let picture = Picture::from_raw(40, 30, vec![90; 3600]).unwrap();
        let mut sheet = Sheet::default();
        for _ in 0..7 {
            let bounds = Rect { x: 10.0, y: 5.0, width: 20.0, height: 20.0 };
            sheet
                .push(
                    &picture,
                    &bounds,
                    cell(&["face is 41 px between the eyes, minimum is 60"], RED),
                )
                .unwrap();
        }
        let drawn = sheet.draw();
        assert_eq!(drawn.width(), GAP + 6 * (FACE + GAP));
        // The line is wider than a cell: it takes two.
        assert_eq!(drawn.height(), GAP + 2 * (FACE + below(2) + GAP));
        assert_eq!(drawn.get_pixel(GAP, GAP).0, RED);
        assert_eq!(drawn.get_pixel(GAP + FACE / 2, GAP + FACE / 2).0, [90; 3]);
    }

    #[test]
    fn strange_boxes_and_no_faces_do_no_harm() {
        let picture = Picture::from_raw(2, 2, vec![90; 12]).unwrap();
        let mut sheet = Sheet::default();
        assert!(sheet.draw().height() > 0);
        for (x, side) in [(-1e9, 1e9), (0.0, 0.0), (f32::NAN, 5.0), (1e30, 1e30)] {
            let bounds = Rect { x, y: x, width: side, height: side };
            sheet.push(&picture, &bounds, cell(&[], GREEN)).unwrap();
        }
        assert_eq!(sheet.draw().width(), GAP + 4 * (FACE + GAP));
    }
}
