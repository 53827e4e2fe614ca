//! One line of text as pixel coverage, in the typeface that is part of the program.

use std::sync::LazyLock;

use ab_glyph::{Font, FontRef, Glyph, Point as GlyphPoint, ScaleFont};
use faceprint::Point;

/// DejaVu Sans: Latin, Greek, Cyrillic and more, under the Bitstream Vera licence.
static TYPEFACE: LazyLock<Option<FontRef<'static>>> =
    LazyLock::new(|| FontRef::try_from_slice(dejavu::sans::regular()).ok());

/// How wide `text` is at `size` pixels a line.
pub(super) fn width(text: &str, size: f32) -> f32 {
    layout(text, size).map_or(0.0, |(_, width)| width)
}

/// Calls `paint(x, y, coverage 0..=1)` for the pixels of `text`, whose top-left corner is `origin`.
pub(super) fn draw(text: &str, size: f32, origin: Point, mut paint: impl FnMut(i64, i64, f32)) {
    let (Some(typeface), Some((glyphs, _))) = (TYPEFACE.as_ref(), layout(text, size)) else {
        return;
    };
    for mut glyph in glyphs {
        glyph.position.x += origin.x;
        glyph.position.y += origin.y;
        let Some(outline) = typeface.outline_glyph(glyph) else { continue };
        let corner = outline.px_bounds().min;
        let (left, top) = (whole(corner.x), whole(corner.y));
        outline.draw(|x, y, coverage| paint(left + i64::from(x), top + i64::from(y), coverage));
    }
}

/// The glyphs with their baseline one ascent below 0, and the width of the line.
fn layout(text: &str, size: f32) -> Option<(Vec<Glyph>, f32)> {
    let typeface = TYPEFACE.as_ref()?.as_scaled(size);
    let mut x = 0.0;
    let mut before = None;
    let glyphs = text
        .chars()
        .map(|letter| {
            let id = typeface.glyph_id(letter);
            x += before.map_or(0.0, |before| typeface.kern(before, id));
            before = Some(id);
            let at = GlyphPoint { x, y: typeface.ascent() };
            x += typeface.h_advance(id);
            id.with_scale_and_position(size, at)
        })
        .collect();
    Some((glyphs, x))
}

/// Positions lie within a few pictures of the origin.
#[expect(clippy::cast_possible_truncation, reason = "floor of a pixel position")]
fn whole(position: f32) -> i64 {
    position.floor() as i64
}
