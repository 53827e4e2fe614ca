//! OFIQ's mappings of measures to 0..=100, and the unified score.

use super::{Measure, Quality};

/// The mapping that ISO/IEC 29794-5's reference implementation (OFIQ 1.0.3, `modules/measures`) uses for
/// `measure`, 0..=100; `None` where it has none, or makes it of something that is not measured here.
pub(super) fn component(measure: Measure, value: f32) -> Option<f32> {
    let value = f64::from(value);
    let mapped = match measure {
        Measure::InterEyeDistance => 100.0 * sigmoid(value, 70.0, 20.0),
        Measure::LuminanceMean => {
            100.0 * sigmoid(value, 0.2, 0.05) * (1.0 - sigmoid(value, 0.8, 0.05))
        }
        Measure::LuminanceVariance => {
            let spread = 60.0 * value;
            100.0 * (spread / (spread + 1.0) * std::f64::consts::PI).sin()
        }
        Measure::UnderExposure => 120.0 * (0.832 - sigmoid(value, 0.92, 0.05)),
        Measure::OverExposure => 1.0 / (value + 0.01),
        Measure::DynamicRange => 12.5 * value,
        Measure::Yaw | Measure::Pitch | Measure::Roll => {
            100.0 * value.to_radians().cos().max(0.0).powi(2)
        }
        Measure::SecondFace => 100.0 * (1.0 - value),
        _ => return None,
    };
    #[expect(clippy::cast_possible_truncation, reason = "0 to 100")]
    Some(mapped.clamp(0.0, 100.0) as f32)
}

fn sigmoid(value: f64, middle: f64, width: f64) -> f64 {
    1.0 / (1.0 + ((middle - value) / width).exp())
}

/// See [`Quality::score`]. Each factor is what was left of the similarity of a face to its own good picture
/// (bundled embedder, medians of 400 faces) when it was blurred and shrunk (sharpness), shrunk further (size)
/// or darkened (light). Turns count as OFIQ has them, which is near what turned faces kept.
pub(super) fn unified(quality: &Quality) -> f32 {
    let detail = sigmoid(f64::from(quality.sharpness), 0.058, 0.02);
    let size = sigmoid(f64::from(quality.inter_eye_distance), 3.0, 3.2);
    let light = sigmoid(f64::from(quality.dynamic_range), 0.6, 0.7);
    let fit = sigmoid(-f64::from(quality.landmark_residual), -0.15, 0.03);
    let turned = |angle: f32| f64::from(angle).to_radians().cos().max(0.0).powi(2);
    let pose = turned(quality.pose.yaw) * turned(quality.pose.pitch);
    let score = 100.0 * detail * size * light * fit * pose * f64::from(quality.share_inside);
    #[expect(clippy::cast_possible_truncation, reason = "0 to 100")]
    let score = score as f32;
    score
}
