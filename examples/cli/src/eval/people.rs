//! People with their pictures, and how similar each two pictures are.

use std::ops::Range;
use std::path::PathBuf;

use faceprint::{Engine, Template};

use crate::failure::Failure;
use crate::output;
use crate::people::KnownPicture;

/// Everyone of a benchmark: pictures in order, each person's in one run.
#[derive(Debug)]
pub(crate) struct People {
    pub(crate) pictures: Vec<PathBuf>,
    /// Which of the pictures are a person's.
    pub(crate) people: Vec<Range<usize>>,
}

impl People {
    /// `pictures` are ordered by name.
    pub(crate) fn new(pictures: Vec<KnownPicture>) -> Self {
        let mut people = Vec::new();
        for run in pictures.chunk_by(|a, b| a.name == b.name) {
            let start = people.last().map_or(0, |before: &Range<usize>| before.end);
            people.push(start..start + run.len());
        }
        Self { pictures: pictures.into_iter().map(|picture| picture.path).collect(), people }
    }
}

/// The similarity of each two pictures: four bytes for a pair, 30 MB for 4,000 pictures.
#[derive(Debug)]
pub(crate) struct Scores {
    /// Of picture `a` to each picture before it.
    rows: Vec<Vec<f32>>,
    /// Whether a picture shows a face.
    faces: Vec<bool>,
}

impl Scores {
    /// Compares all pictures on all cores. One without a template is similar to none: -infinity.
    pub(crate) fn new(engine: &Engine, templates: &[Option<Template>]) -> Result<Self, Failure> {
        let bar = output::progress(templates.len(), "comparing");
        let pictures: Vec<usize> = (0..templates.len()).collect();
        let row = |_: &Engine, &a: &usize| -> faceprint::Result<Vec<f32>> {
            templates[..a].iter().map(|b| similarity(templates[a].as_ref(), b.as_ref())).collect()
        };
        let rows = engine.batch(&pictures, row, |done, _| bar.set_position(done as u64));
        bar.finish_and_clear();
        let faces = templates.iter().map(Option::is_some).collect();
        Ok(Self { rows: rows.into_iter().collect::<faceprint::Result<_>>()?, faces })
    }

    /// The similarity of two different pictures.
    pub(crate) fn between(&self, a: usize, b: usize) -> f32 {
        self.rows[a.max(b)][a.min(b)]
    }

    /// Whether `picture` shows a face; without one it scores negative infinity with every other.
    pub(crate) fn shows_face(&self, picture: usize) -> bool {
        self.faces[picture]
    }
}

fn similarity(a: Option<&Template>, b: Option<&Template>) -> faceprint::Result<f32> {
    match (a, b) {
        (Some(a), Some(b)) => Ok(a.similarity(b)?.value()),
        _ => Ok(f32::NEG_INFINITY),
    }
}

#[cfg(test)]
impl Scores {
    /// Any similarities, from the two pictures' numbers, of which the first is the larger.
    pub(crate) fn from_fn(pictures: usize, mut score: impl FnMut(usize, usize) -> f32) -> Self {
        let rows = (0..pictures).map(|a| (0..a).map(|b| score(a, b)).collect()).collect();
        Self { rows, faces: vec![true; pictures] }
    }

    /// The same, with a picture that shows no face.
    pub(crate) fn without_face(mut self, picture: usize) -> Self {
        self.faces[picture] = false;
        self.rows[picture].fill(f32::NEG_INFINITY);
        self.rows[picture + 1..].iter_mut().for_each(|row| row[picture] = f32::NEG_INFINITY);
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures_of_a_name_are_one_person() {
        let picture = |name: &str| KnownPicture { name: name.into(), path: name.into() };
        let people = People::new(["Ann", "Ann", "Bob", "Cid"].map(picture).to_vec());
        assert_eq!(people.people, [0..2, 2..3, 3..4]);
        assert_eq!(people.pictures.len(), 4);
        assert!(People::new(Vec::new()).people.is_empty());
    }

    #[test]
    fn the_order_of_two_pictures_does_not_matter() {
        let scores = Scores::from_fn(3, |a, b| (10 * a + b) as f32);
        assert_eq!(
            (scores.between(2, 1), scores.between(1, 2), scores.between(0, 1)),
            (21., 21., 10.)
        );
    }
}
