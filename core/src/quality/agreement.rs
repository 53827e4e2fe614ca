//! Whether templates are of one person, among themselves.

use crate::error::{Error, ErrorKind, Result};
use crate::vector::Template;

/// Which of several templates belong together, see [`agreement`].
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Agreement {
    /// The most typical template: the one that is most similar to the others in the median. Position in
    /// what was given.
    pub typical: usize,
    /// Similarity of each template to the typical one, -1..=1; 1 for itself.
    pub similarities: Vec<f32>,
    /// Positions of the templates that are not of the typical one's person, least similar first.
    pub outliers: Vec<usize>,
}

/// Compares templates of what should be one person: those less similar than `same_person` (cosine,
/// -1..=1, such as [`ModelPack::threshold`](crate::ModelPack::threshold) gives) to the most typical one
/// are outliers. Used on the frames of an enrolment, and on the templates of a subject to find the one that
/// does not belong: a wrong picture, a bad crop, another person.
///
/// ```
/// # fn audit(tenant: &faceprint::Tenant, alice: &faceprint::SubjectId, pack: &faceprint::ModelPack) -> faceprint::Result<()> {
/// let stored = tenant.templates(alice)?;
/// let templates: Vec<_> = stored.iter().map(|it| &it.template).collect();
/// for outlier in faceprint::quality::agreement(&templates, pack.threshold(1e-3)?)?.outliers {
///     println!("look at {}", stored[outlier].id);
/// }
/// # Ok(()) }
/// ```
///
/// # Errors
/// [`InvalidArgument`](ErrorKind::InvalidArgument) for no template at all,
/// [`SpaceMismatch`](ErrorKind::SpaceMismatch) for templates of several spaces.
pub fn agreement(templates: &[&Template], same_person: f32) -> Result<Agreement> {
    let mut table = vec![vec![1.0; templates.len()]; templates.len()];
    for (a, first) in templates.iter().enumerate() {
        for (b, second) in templates.iter().enumerate().skip(a + 1) {
            let similarity = first.similarity(second)?.value();
            (table[a][b], table[b][a]) = (similarity, similarity);
        }
    }
    let ranked = (0..table.len()).map(|index| (index, median(&table[index])));
    // The first of equals: `max_by` keeps the last, so the order is turned.
    let typical = ranked.rev().max_by(|a, b| a.1.total_cmp(&b.1)).map(|(index, _)| index);
    let Some(typical) = typical else {
        return Err(Error::new(ErrorKind::InvalidArgument, "no template to compare"));
    };
    let similarities = table.swap_remove(typical);
    let mut outliers: Vec<_> =
        (0..templates.len()).filter(|&index| similarities[index] < same_person).collect();
    outliers.sort_by(|&a, &b| similarities[a].total_cmp(&similarities[b]));
    Ok(Agreement { typical, similarities, outliers })
}

/// The lower one of an even number, which one outlier cannot move.
fn median(values: &[f32]) -> f32 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f32::total_cmp);
    sorted[(sorted.len() - 1) / 2]
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::id::SpaceId;
    use crate::vector::Embedding;

    fn template(angle: f32, space: u8) -> Template {
        let direction = Embedding::normalize(vec![angle.cos(), angle.sin()]).unwrap();
        Template::new(direction, SpaceId::from_bytes([space; 32]))
    }

    fn of(angles: &[f32]) -> Agreement {
        let templates: Vec<_> = angles.iter().map(|&angle| template(angle, 1)).collect();
        agreement(&templates.iter().collect::<Vec<_>>(), 0.5).unwrap()
    }

    #[test]
    fn the_one_that_does_not_belong_is_found() {
        let found = of(&[0.1, 2.0, 0.0, 0.2]);
        assert_eq!((found.typical, found.outliers), (0, vec![1]));
        assert!((found.similarities[1] - 1.9_f32.cos()).abs() < 1e-6);
    }

    #[test]
    fn outliers_come_least_similar_first_and_alone_there_are_none() {
        assert_eq!(of(&[0.0, 1.2, 0.1, 3.0, 0.05]).outliers, [3, 1]);
        assert_eq!(of(&[1.0]).outliers, Vec::<usize>::new());
    }

    #[test]
    fn nothing_and_two_spaces_are_refused() {
        assert_eq!(agreement(&[], 0.5).unwrap_err().kind(), ErrorKind::InvalidArgument);
        let (a, b) = (template(0.0, 1), template(0.0, 2));
        assert_eq!(agreement(&[&a, &b], 0.5).unwrap_err().kind(), ErrorKind::SpaceMismatch);
    }
}
