//! The vectors of one tenant in one embedding space, in memory, and the scan over them.

use std::collections::HashMap;

use zeroize::Zeroize;

use crate::error::{Error, ErrorKind, Result};
use crate::id::TemplateId;
use crate::vector::{Embedding, Similarity};

/// Rows in one allocation. Chunks are never grown: a vector that moves leaves a copy behind.
const CHUNK_ROWS: usize = 256;

/// Unit vectors of one dimension, each belonging to a subject. Scores are exact `f32` cosines.
#[derive(Debug)]
pub(crate) struct Index {
    dimension: usize,
    owners: Vec<Owner>,
    rows: HashMap<TemplateId, usize>,
    chunks: Vec<Chunk>,
}

/// Whose a row is. `subject` is the caller's number for a person; it is what results are grouped by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Owner {
    pub(crate) subject: i64,
    pub(crate) template: TemplateId,
}

impl Index {
    /// An empty index of vectors with `dimension` values.
    pub(crate) fn new(dimension: usize) -> Self {
        Self { dimension, owners: Vec::new(), rows: HashMap::new(), chunks: Vec::new() }
    }

    /// Adds one vector.
    ///
    /// # Errors
    /// [`ErrorKind::SpaceMismatch`] for another dimension; [`ErrorKind::InvalidArgument`] when the
    /// template is already here.
    pub(crate) fn insert(&mut self, owner: Owner, embedding: &Embedding) -> Result<()> {
        self.check_dimension(embedding)?;
        let row = self.owners.len();
        if self.rows.contains_key(&owner.template) {
            return Err(Error::new(
                ErrorKind::InvalidArgument,
                format!("template {} is stored twice", owner.template),
            ));
        }
        if row == self.chunks.len() * CHUNK_ROWS {
            self.chunks.push(Chunk(vec![0.0; CHUNK_ROWS * self.dimension].into_boxed_slice()));
        }
        self.rows.insert(owner.template, row);
        self.owners.push(owner);
        self.row_mut(row).copy_from_slice(embedding.as_slice());
        Ok(())
    }

    /// Removes one vector, if it is here: the last row takes its place, and the last place is wiped.
    pub(crate) fn remove(&mut self, template: &TemplateId) {
        let Some(row) = self.rows.remove(template) else { return };
        let last = self.owners.len() - 1;
        if row != last {
            let mut moved = self.row(last).to_vec();
            self.row_mut(row).copy_from_slice(&moved);
            moved.zeroize();
            self.owners[row] = self.owners[last];
            self.rows.insert(self.owners[row].template, row);
        }
        self.row_mut(last).zeroize();
        self.owners.truncate(last);
        self.chunks.truncate(last.div_ceil(CHUNK_ROWS));
    }

    /// Every row with its similarity to `probe`.
    ///
    /// # Errors
    /// [`ErrorKind::SpaceMismatch`] for another dimension.
    pub(crate) fn scan<'a>(
        &'a self,
        probe: &'a Embedding,
    ) -> Result<impl Iterator<Item = (Owner, Similarity)> + 'a> {
        self.check_dimension(probe)?;
        let vectors = self.chunks.iter().flat_map(|chunk| chunk.0.chunks_exact(self.dimension));
        Ok(self
            .owners
            .iter()
            .zip(vectors)
            .map(|(owner, vector)| (*owner, Similarity::between(probe.as_slice(), vector))))
    }

    /// Refuses what cannot be compared with the vectors here.
    pub(crate) fn check_dimension(&self, embedding: &Embedding) -> Result<()> {
        if embedding.dimension() == self.dimension {
            return Ok(());
        }
        Err(Error::new(
            ErrorKind::SpaceMismatch,
            format!(
                "the template has {} values, the others of its space have {}",
                embedding.dimension(),
                self.dimension
            ),
        ))
    }

    fn row(&self, row: usize) -> &[f32] {
        let start = row % CHUNK_ROWS * self.dimension;
        &self.chunks[row / CHUNK_ROWS].0[start..start + self.dimension]
    }

    fn row_mut(&mut self, row: usize) -> &mut [f32] {
        let start = row % CHUNK_ROWS * self.dimension;
        &mut self.chunks[row / CHUNK_ROWS].0[start..start + self.dimension]
    }
}

/// Vectors one after the other; wiped when dropped.
struct Chunk(Box<[f32]>);

impl Drop for Chunk {
    fn drop(&mut self) {
        self.0[..].zeroize();
    }
}

impl std::fmt::Debug for Chunk {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Chunk({} values)", self.0.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn owner(number: u16) -> Owner {
        let mut id = [0; 16];
        id[..2].copy_from_slice(&number.to_be_bytes());
        Owner { subject: i64::from(number), template: TemplateId::from_bytes(id) }
    }

    fn vector(number: u16) -> Embedding {
        Embedding::normalize(vec![1.0, f32::from(number), 3.0]).unwrap()
    }

    #[test]
    fn what_is_removed_is_gone_and_the_others_keep_their_vectors() {
        let mut index = Index::new(3);
        for number in 0..600 {
            index.insert(owner(number), &vector(number)).unwrap();
        }
        for number in (0..600).filter(|number| number % 3 != 1) {
            index.remove(&owner(number).template);
        }
        index.remove(&owner(0).template);
        let probe = vector(7);
        let mut found: Vec<_> = index.scan(&probe).unwrap().collect();
        found.sort_by_key(|(owner, _)| owner.subject);
        let expected: Vec<_> = (0..600)
            .filter(|number| number % 3 == 1)
            .map(|number| {
                let similarity = Similarity::between(probe.as_slice(), vector(number).as_slice());
                (owner(number), similarity)
            })
            .collect();
        assert_eq!(found, expected);
        assert_eq!(index.chunks.len(), 1);
        assert!(index.chunks[0].0[200 * 3..].iter().all(|&value| value == 0.0), "left-overs");
    }

    #[test]
    fn dimensions_do_not_mix() {
        let mut index = Index::new(2);
        assert_eq!(
            index.insert(owner(1), &vector(1)).unwrap_err().kind(),
            ErrorKind::SpaceMismatch
        );
        assert!(index.scan(&vector(1)).is_err());
    }
}
