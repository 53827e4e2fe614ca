//! How good a face is, and what is asked of it.

use std::ffi::{CString, c_char};
use std::sync::{Mutex, PoisonError};

use faceprint::quality::{Issue, Measure};
use faceprint::{Policy, Quality};

use crate::boundary::{Out, call, free, need};
use crate::error::{Failure, faceprint_error, faceprint_status};
use crate::text::c_string;

/// What is measured of a face. Names follow ISO/IEC 29794-5:2025 where it has the measure.
#[repr(u32)]
#[derive(Clone, Copy, PartialEq, Eq)]
#[allow(clippy::exhaustive_enums, reason = "declared for C; calls take numbers")]
pub enum faceprint_measure {
    /// The unified score, 0 to 100.
    Score = 0,
    /// Shorter side of the face's box, pixels.
    FaceSize = 1,
    /// Distance between the eyes of the face turned to the camera, pixels.
    InterEyeDistance = 2,
    /// Fine detail against coarse contrast, 0 to 1.
    Sharpness = 3,
    /// Mean luminance of the face, 0 black to 1 white, linear light.
    LuminanceMean = 4,
    /// Variance of the luminance, 0 to 0.25.
    LuminanceVariance = 5,
    /// Share of the face that is nearly black, 0 to 1.
    UnderExposure = 6,
    /// Share of the face that is nearly white, 0 to 1.
    OverExposure = 7,
    /// Entropy of the luminance, 0 to 8 bits.
    DynamicRange = 8,
    /// Turn to the side, degrees.
    Yaw = 9,
    /// Turn up or down, degrees.
    Pitch = 10,
    /// Tilt in the picture, degrees.
    Roll = 11,
    /// How far the landmarks are from a face's, in inter-eye distances, 0 to 1.
    LandmarkResidual = 12,
    /// Share of the face's box inside the picture, 0 to 1.
    ShareInside = 13,
    /// The detector's confidence, 0 to 1.
    DetectorScore = 14,
    /// Size of the next largest face relative to this one, 0 (alone) to 1.
    SecondFace = 15,
}

/// Sets of bounds to start from.
#[repr(u32)]
#[derive(Clone, Copy, PartialEq, Eq)]
#[allow(clippy::exhaustive_enums, reason = "declared for C; calls take numbers")]
pub enum faceprint_policy_preset {
    /// Every face passes.
    Any = 0,
    /// For a template that is kept for years.
    Enrollment = 1,
    /// For somebody in front of a door; what engines ask for by default.
    Kiosk = 2,
    /// For people who pass by and are not asked.
    Surveillance = 3,
}

/// The measures of one face.
pub struct faceprint_quality(pub(crate) Quality);

/// Bounds on measures.
pub struct faceprint_policy(Mutex<Policy>);

/// Why a picture or a face is not usable.
pub struct faceprint_issues(Vec<(Issue, faceprint_issue, [CString; 2])>);

/// One reason. The strings live as long as the list.
#[repr(C)]
#[derive(Clone, Copy)]
#[allow(clippy::exhaustive_structs, reason = "C's, and only read")]
pub struct faceprint_issue {
    /// A stable word: "no_face", "too_small", "blurred", "turned", ...
    pub name: *const c_char,
    /// For people: "face is 41 px wide, minimum is 80".
    pub message: *const c_char,
    /// A faceprint_measure; -1 for reasons that are none.
    pub measure: i32,
    /// What was measured.
    pub value: f32,
    /// What it must be at least, or at most.
    pub bound: f32,
}

/// The value of a faceprint_measure, in its unit; NaN for NULL and for a measure that is none.
#[unsafe(no_mangle)]
pub extern "C" fn faceprint_quality_get(quality: Option<&faceprint_quality>, measure: u32) -> f32 {
    let value = quality.and_then(|quality| Some(quality.0.get(self::measure(measure).ok()?)));
    value.unwrap_or(f32::NAN)
}

/// The value as ISO/IEC 29794-5's quality component, 0 (worst) to 100; NaN for measures that are not the standard's.
#[unsafe(no_mangle)]
pub extern "C" fn faceprint_quality_component(
    quality: Option<&faceprint_quality>,
    measure: u32,
) -> f32 {
    let value = quality.and_then(|quality| quality.0.component(self::measure(measure).ok()?));
    value.unwrap_or(f32::NAN)
}

/// Frees measures of the caller's, from faceprint_engine_quality. Those of faces are freed with them.
#[unsafe(no_mangle)]
pub extern "C" fn faceprint_quality_free(quality: Option<Box<faceprint_quality>>) {
    free(quality);
}

/// A policy with the bounds of a faceprint_policy_preset.
#[unsafe(no_mangle)]
pub extern "C" fn faceprint_policy_new(
    preset: u32,
    policy: Out<*mut faceprint_policy>,
    error: Out<*mut faceprint_error>,
) -> faceprint_status {
    call(error, || {
        let policy = policy.check("policy")?;
        policy.give(faceprint_policy::new(match preset {
            0 => Policy::any(),
            1 => Policy::enrollment(),
            2 => Policy::kiosk(),
            3 => Policy::surveillance(),
            other => {
                return Err(Failure::argument(format!("preset is {other}, must be 0 to 3")));
            }
        }));
        Ok(())
    })
}

/// Asks for at least `minimum` of a faceprint_measure from now on; -INFINITY for no bound.
#[unsafe(no_mangle)]
pub extern "C" fn faceprint_policy_at_least(
    policy: Option<&faceprint_policy>,
    measure: u32,
    minimum: f32,
    error: Out<*mut faceprint_error>,
) -> faceprint_status {
    call(error, || {
        let measure = self::measure(measure)?;
        need(policy, "policy")?.change(|policy| policy.at_least(measure, minimum));
        Ok(())
    })
}

/// Asks for at most `maximum` of a faceprint_measure from now on, for an angle to either side; INFINITY for no bound.
#[unsafe(no_mangle)]
pub extern "C" fn faceprint_policy_at_most(
    policy: Option<&faceprint_policy>,
    measure: u32,
    maximum: f32,
    error: Out<*mut faceprint_error>,
) -> faceprint_status {
    call(error, || {
        let measure = self::measure(measure)?;
        need(policy, "policy")?.change(|policy| policy.at_most(measure, maximum));
        Ok(())
    })
}

/// The least that is asked for; NaN for no bound.
#[unsafe(no_mangle)]
pub extern "C" fn faceprint_policy_minimum(policy: Option<&faceprint_policy>, measure: u32) -> f32 {
    let bound = policy.and_then(|it| it.get().minimum(self::measure(measure).ok()?));
    bound.unwrap_or(f32::NAN)
}

/// The most that is accepted; NaN for no bound.
#[unsafe(no_mangle)]
pub extern "C" fn faceprint_policy_maximum(policy: Option<&faceprint_policy>, measure: u32) -> f32 {
    let bound = policy.and_then(|it| it.get().maximum(self::measure(measure).ok()?));
    bound.unwrap_or(f32::NAN)
}

/// What speaks against a face of this quality; an empty list when it is good enough.
#[unsafe(no_mangle)]
pub extern "C" fn faceprint_policy_judge(
    policy: Option<&faceprint_policy>,
    quality: Option<&faceprint_quality>,
    issues: Out<*mut faceprint_issues>,
    error: Out<*mut faceprint_error>,
) -> faceprint_status {
    call(error, || {
        let issues = issues.check("issues")?;
        let judged = need(policy, "policy")?.get().judge(&need(quality, "quality")?.0);
        issues.give(faceprint_issues::new(judged));
        Ok(())
    })
}

/// Frees a policy.
#[unsafe(no_mangle)]
pub extern "C" fn faceprint_policy_free(policy: Option<Box<faceprint_policy>>) {
    free(policy);
}

/// How many reasons there are.
#[unsafe(no_mangle)]
pub extern "C" fn faceprint_issues_len(issues: Option<&faceprint_issues>) -> usize {
    issues.map_or(0, |issues| issues.0.len())
}

/// One of them; NULL from the length on.
#[unsafe(no_mangle)]
pub extern "C" fn faceprint_issues_at(
    issues: Option<&faceprint_issues>,
    index: usize,
) -> *const faceprint_issue {
    let issue = issues.and_then(|issues| issues.0.get(index));
    issue.map_or(std::ptr::null(), |(_, issue, _)| std::ptr::from_ref(issue))
}

/// Frees a list.
#[unsafe(no_mangle)]
pub extern "C" fn faceprint_issues_free(issues: Option<Box<faceprint_issues>>) {
    free(issues);
}

impl faceprint_policy {
    pub(crate) const fn new(policy: Policy) -> Self {
        Self(Mutex::new(policy))
    }

    pub(crate) fn get(&self) -> Policy {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn change(&self, to: impl FnOnce(Policy) -> Policy) {
        let mut policy = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *policy = to(policy.clone());
    }
}

impl faceprint_issues {
    pub(crate) fn new(issues: Vec<Issue>) -> Self {
        Self(issues.into_iter().map(shown).collect())
    }

    /// As the core has them.
    pub(crate) fn issues(&self) -> Vec<Issue> {
        self.0.iter().map(|(issue, ..)| *issue).collect()
    }
}

fn shown(issue: Issue) -> (Issue, faceprint_issue, [CString; 2]) {
    let texts = [c_string(issue.name()), c_string(issue)];
    let number = |measure: Measure| {
        let at = Measure::ALL.iter().position(|it| *it == measure);
        at.and_then(|at| i32::try_from(at).ok()).unwrap_or(-1)
    };
    let (measure, value, bound) = match issue {
        Issue::TooLow { measure, value, minimum } => (number(measure), value, minimum),
        Issue::TooHigh { measure, value, maximum } => (number(measure), value, maximum),
        Issue::NotLive { score, minimum } => (-1, score, minimum),
        Issue::AnotherFace { similarity, minimum } => (-1, similarity, minimum),
        _ => (-1, f32::NAN, f32::NAN),
    };
    let [name, message] = [texts[0].as_ptr(), texts[1].as_ptr()];
    (issue, faceprint_issue { name, message, measure, value, bound }, texts)
}

fn measure(number: u32) -> Result<Measure, Failure> {
    let measure = usize::try_from(number).ok().and_then(|it| Measure::ALL.get(it)).copied();
    measure.ok_or_else(|| {
        Failure::argument(format!("measure is {number}, must be 0 to {}", Measure::ALL.len() - 1))
    })
}
