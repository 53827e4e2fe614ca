//! Several pictures of one person: the best one, if they agree.

use std::sync::{Mutex, PoisonError};

use faceprint::Capture;
use faceprint::engine::{Selection, Series};
use faceprint::quality::Issue;

use crate::boundary::{Items, Out, call, free, need};
use crate::engine::faceprint_engine;
use crate::error::{Failure, faceprint_error, faceprint_status};
use crate::face::faceprint_sample;
use crate::image::faceprint_image;
use crate::quality::faceprint_issues;

/// Captures of one person who stands before the camera, frame after frame.
pub struct faceprint_series(Mutex<Series>);

/// What a series comes to: a sample, or none.
pub struct faceprint_selection {
    sample: Option<faceprint_sample>,
    frame: usize,
    agreeing: usize,
    consistency: f32,
    rejected: Vec<(usize, faceprint_issues)>,
}

/// An empty series; frames that are similar by `same_person` or more count as one person.
#[unsafe(no_mangle)]
pub extern "C" fn faceprint_series_new(
    same_person: f32,
    series: Out<*mut faceprint_series>,
    error: Out<*mut faceprint_error>,
) -> faceprint_status {
    call(error, || {
        series.check("series")?.give(faceprint_series(Mutex::new(Series::new(same_person))));
        Ok(())
    })
}

/// Adds what faceprint_engine_capture gave of the next frame: a sample or issues, the other NULL. Both are copied.
#[unsafe(no_mangle)]
pub extern "C" fn faceprint_series_push(
    series: Option<&faceprint_series>,
    sample: Option<&faceprint_sample>,
    issues: Option<&faceprint_issues>,
    error: Out<*mut faceprint_error>,
) -> faceprint_status {
    call(error, || {
        let series = need(series, "series")?;
        let capture = match (sample, issues) {
            (Some(sample), None) => Capture::Usable(sample.sample.clone()),
            (None, Some(issues)) => Capture::Rejected(issues.issues()),
            _ => return Err(Failure::argument("a frame gave a sample or issues, and not both")),
        };
        series.0.lock().unwrap_or_else(PoisonError::into_inner).push(capture);
        Ok(())
    })
}

/// The best of the frames so far, if `needed` of them agree.
#[unsafe(no_mangle)]
pub extern "C" fn faceprint_series_select(
    series: Option<&faceprint_series>,
    needed: usize,
    selection: Out<*mut faceprint_selection>,
    error: Out<*mut faceprint_error>,
) -> faceprint_status {
    call(error, || {
        let selection = selection.check("selection")?;
        let series = need(series, "series")?;
        let selected = series.0.lock().unwrap_or_else(PoisonError::into_inner).select(needed)?;
        selection.give(selected.into());
        Ok(())
    })
}

/// Frees a series.
#[unsafe(no_mangle)]
pub extern "C" fn faceprint_series_free(series: Option<Box<faceprint_series>>) {
    free(series);
}

/// Captures each of `len` images and selects the best, as a series does.
#[unsafe(no_mangle)]
pub extern "C" fn faceprint_engine_capture_best(
    engine: Option<&faceprint_engine>,
    images: Items<faceprint_image>,
    len: usize,
    same_person: f32,
    needed: usize,
    selection: Out<*mut faceprint_selection>,
    error: Out<*mut faceprint_error>,
) -> faceprint_status {
    call(error, || {
        let selection = selection.check("selection")?;
        let images = images.slice(len, "images")?;
        let views = images.iter().map(faceprint_image::view).collect::<Result<Vec<_>, _>>()?;
        let engine = &need(engine, "engine")?.engine;
        selection.give(engine.capture_best(&views, same_person, needed)?.into());
        Ok(())
    })
}

/// The sample; NULL when too few frames agree. Lives as long as `selection`.
#[unsafe(no_mangle)]
pub extern "C" fn faceprint_selection_sample(
    selection: Option<&faceprint_selection>,
) -> *const faceprint_sample {
    let sample = selection.and_then(|selection| selection.sample.as_ref());
    sample.map_or(std::ptr::null(), std::ptr::from_ref)
}

/// The frame of the sample, from 0.
#[unsafe(no_mangle)]
pub extern "C" fn faceprint_selection_frame(selection: Option<&faceprint_selection>) -> usize {
    selection.map_or(0, |selection| selection.frame)
}

/// How many frames agree.
#[unsafe(no_mangle)]
pub extern "C" fn faceprint_selection_agreeing(selection: Option<&faceprint_selection>) -> usize {
    selection.map_or(0, |selection| selection.agreeing)
}

/// The lowest similarity of an agreeing frame to the most typical one; NaN without a sample.
#[unsafe(no_mangle)]
pub extern "C" fn faceprint_selection_consistency(selection: Option<&faceprint_selection>) -> f32 {
    selection.map_or(f32::NAN, |selection| selection.consistency)
}

/// How many frames something speaks against.
#[unsafe(no_mangle)]
pub extern "C" fn faceprint_selection_rejected_len(
    selection: Option<&faceprint_selection>,
) -> usize {
    selection.map_or(0, |selection| selection.rejected.len())
}

/// What speaks against one of them, and which frame it is (`frame` may be NULL); NULL from the length on.
#[unsafe(no_mangle)]
pub extern "C" fn faceprint_selection_rejected_at(
    selection: Option<&faceprint_selection>,
    index: usize,
    frame: Out<usize>,
) -> *const faceprint_issues {
    let rejected = selection.and_then(|selection| selection.rejected.get(index));
    let Some((number, issues)) = rejected else { return std::ptr::null() };
    if let Ok(frame) = frame.check("frame") {
        frame.put(*number);
    }
    issues
}

/// Frees a selection, with its sample.
#[unsafe(no_mangle)]
pub extern "C" fn faceprint_selection_free(selection: Option<Box<faceprint_selection>>) {
    free(selection);
}

impl From<Selection> for faceprint_selection {
    fn from(selection: Selection) -> Self {
        let shown = |rejected: Vec<(usize, Vec<Issue>)>| {
            rejected.into_iter().map(|(frame, issues)| (frame, faceprint_issues::new(issues)))
        };
        match selection {
            Selection::Chosen(chosen) => Self {
                frame: chosen.frame,
                agreeing: chosen.agreeing,
                consistency: chosen.consistency,
                rejected: shown(chosen.rejected).collect(),
                sample: Some(faceprint_sample::new(chosen.sample)),
            },
            Selection::Refused(refusal) => Self {
                sample: None,
                frame: 0,
                agreeing: refusal.agreeing,
                consistency: f32::NAN,
                rejected: shown(refusal.rejected).collect(),
            },
        }
    }
}
