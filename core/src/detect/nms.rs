//! Greedy non-maximum suppression.

use super::Detection;
use super::heads::MAX_CANDIDATES;

/// The detections of which none overlaps a better one by more than `iou`, best score first. Equal
/// scores keep their order, so the result does not depend on the machine.
pub(super) fn suppress(mut candidates: Vec<Detection>, iou: f32) -> Vec<Detection> {
    candidates.sort_by(|a, b| b.score.total_cmp(&a.score));
    candidates.truncate(MAX_CANDIDATES);
    let mut kept: Vec<Detection> = Vec::new();
    for candidate in candidates {
        if kept.iter().all(|better| better.bounds.iou(&candidate.bounds) <= iou) {
            kept.push(candidate);
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::geometry::{Landmarks, Rect};

    fn face(x: f32, score: f32) -> Detection {
        Detection {
            bounds: Rect { x, y: 0.0, width: 10.0, height: 10.0 },
            landmarks: Landmarks::default(),
            score,
        }
    }

    #[test]
    fn of_overlapping_faces_the_best_is_kept() {
        // Overlaps: 0 and 2 share 8/12, 2 and 8 share 4/16, 0 and 8 share 2/18.
        let kept = suppress(vec![face(0.0, 0.7), face(2.0, 0.9), face(8.0, 0.8)], 0.4);
        let xs: Vec<_> = kept.iter().map(|face| face.bounds.x).collect();
        assert_eq!(xs, [2.0, 8.0]);
    }

    #[test]
    fn the_bound_itself_is_allowed() {
        assert_eq!(suppress(vec![face(0.0, 0.7), face(5.0, 0.9)], 5.0 / 15.0).len(), 2);
        assert_eq!(suppress(vec![face(0.0, 0.7), face(5.0, 0.9)], 0.33).len(), 1);
    }
}
