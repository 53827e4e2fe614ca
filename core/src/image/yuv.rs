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

/// Fills `rgb` (3 bytes a pixel) from one `luma` row and its chroma samples `(u, v)`, one for each
/// pair of pixels, the last for a single one when the width is odd.
pub(super) fn row_to_rgb(luma: &[u8], chroma: impl Iterator<Item = (u8, u8)>, rgb: &mut [u8]) {
    for ((luma, rgb), (u, v)) in luma.chunks(2).zip(rgb.chunks_mut(6)).zip(chroma) {
        let (u, v) = (i32::from(u) - 128, i32::from(v) - 128);
        let red = HALF + V_RED * v;
        let green = HALF + V_GREEN * v + U_GREEN * u;
        let blue = HALF + U_BLUE * u;
        for (&luma, rgb) in luma.iter().zip(rgb.as_chunks_mut::<3>().0) {
            let luma = (i32::from(luma) - 16).max(0) * LUMA;
            *rgb = [byte(luma + red), byte(luma + green), byte(luma + blue)];
        }
    }
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
