//! One row of 4:2:0 YUV to RGB.
//!
//! Video-range BT.601 in 20-bit fixed point with the nearest chroma sample: the coefficients and the
//! rounding of OpenCV's `cvtColor`, so that a camera frame gives the pixels its users trained with.

/// 1.164 x 2^20: luma, after 16 is taken off.
const LUMA: i32 = 1_220_542;
/// 1.596 x 2^20: V into red.
const V_RED: i32 = 1_673_527;
/// -0.813 x 2^20: V into green.
const V_GREEN: i32 = -852_492;
/// -0.391 x 2^20: U into green.
const U_GREEN: i32 = -409_993;
/// 2.018 x 2^20: U into blue.
const U_BLUE: i32 = 2_116_026;
/// Bits of the fixed point, and half of its unit for rounding.
const SHIFT: i32 = 20;
const HALF: i32 = 1 << (SHIFT - 1);

/// What each level adds to a channel: looking up is faster than multiplying 32-bit lanes.
static LUMA_TERM: [i32; 256] = terms(LUMA, 16);
static V_RED_TERM: [i32; 256] = terms(V_RED, 128);
static V_GREEN_TERM: [i32; 256] = terms(V_GREEN, 128);
static U_GREEN_TERM: [i32; 256] = terms(U_GREEN, 128);
static U_BLUE_TERM: [i32; 256] = terms(U_BLUE, 128);

/// Fills `rgb` (3 bytes a pixel) from one `luma` row and its chroma samples `(u, v)`, one for each
/// pair of pixels, the last for a single one when the width is odd.
pub(super) fn row_to_rgb(luma: &[u8], mut chroma: impl Iterator<Item = (u8, u8)>, rgb: &mut [u8]) {
    let (luma, last_luma) = luma.as_chunks::<2>();
    let (rgb, last_rgb) = rgb.as_chunks_mut::<6>();
    for ((&[first, second], rgb), (u, v)) in luma.iter().zip(rgb).zip(chroma.by_ref()) {
        let colour = colour(u, v);
        let ([r, g, b], [next_r, next_g, next_b]) = (pixel(first, colour), pixel(second, colour));
        *rgb = [r, g, b, next_r, next_g, next_b];
    }
    if let ([luma], Some((u, v))) = (last_luma, chroma.next()) {
        last_rgb.copy_from_slice(&pixel(*luma, colour(u, v)));
    }
}

/// What a chroma sample adds to red, green and blue, with the half for rounding.
fn colour(u: u8, v: u8) -> [i32; 3] {
    let (u, v) = (usize::from(u), usize::from(v));
    [HALF + V_RED_TERM[v], HALF + V_GREEN_TERM[v] + U_GREEN_TERM[u], HALF + U_BLUE_TERM[u]]
}

fn pixel(luma: u8, colour: [i32; 3]) -> [u8; 3] {
    let luma = LUMA_TERM[usize::from(luma)];
    colour.map(|colour| byte(luma + colour))
}

/// `factor` times the distance of each level from `zero`; luma below black counts as black.
#[expect(clippy::cast_possible_truncation, clippy::cast_possible_wrap, reason = "0..256 fits")]
const fn terms(factor: i32, zero: i32) -> [i32; 256] {
    let mut terms = [0; 256];
    let mut level = 0;
    while level < terms.len() {
        let distance = level as i32 - zero;
        terms[level] = if zero == 16 && distance < 0 { 0 } else { distance * factor };
        level += 1;
    }
    terms
}

#[expect(clippy::cast_sign_loss, reason = "the value is clamped to 0..=255")]
fn byte(fixed: i32) -> u8 {
    (fixed >> SHIFT).clamp(0, 255) as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `cv2.cvtColor(frame, cv2.COLOR_YUV2RGB_NV12)` of OpenCV 5.0 for the 4 x 2 frame
    /// `[[0, 16, 90, 81], [128, 200, 235, 255], [54, 240, 201, 97]]`.
    #[test]
    fn levels_are_those_of_opencv() {
        let chroma = [(54, 240), (201, 97)];
        let mut row = [0; 12];
        row_to_rgb(&[0, 16, 90, 81], chroma.into_iter(), &mut row);
        assert_eq!(row, [179, 0, 0, 179, 0, 0, 37, 83, 233, 26, 72, 223]);
        row_to_rgb(&[128, 200, 235, 255], chroma.into_iter(), &mut row);
        assert_eq!(row, [255, 68, 0, 255, 152, 65, 205, 252, 255, 229, 255, 255]);
    }

    #[test]
    fn odd_widths_end_with_a_single_pixel() {
        let mut row = [0; 9];
        row_to_rgb(&[0, 16, 90], [(54, 240), (201, 97)].into_iter(), &mut row);
        assert_eq!(row, [179, 0, 0, 179, 0, 0, 37, 83, 233]);
    }
}
