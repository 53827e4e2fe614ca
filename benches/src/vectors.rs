//! Vectors to search: drawn from a seed, and read from files of raw `f32`.

use std::path::Path;

use faceprint::Embedding;

/// Random numbers: SplitMix64 (Steele, Lea, Flood 2014).
#[derive(Debug)]
pub struct Noise(pub u64);

impl Noise {
    /// The next 64 bits.
    pub const fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `end`.
    pub const fn below(&mut self, end: usize) -> usize {
        // 32 bits are enough for rows, and fit everywhere.
        (self.bits() >> 32) as u32 as usize % end
    }

    /// Nearly normal with variance 1: four uniform numbers of 16 bits.
    pub fn normal(&mut self) -> f32 {
        let bits = self.bits();
        let sum: u64 = (0..4).map(|part| bits >> (16 * part) & 0xffff).sum();
        (sum as f32 / 65_536.0 - 2.0) * 1.732
    }

    /// A direction anywhere.
    pub fn anywhere(&mut self, dimension: usize) -> Embedding {
        unit((0..dimension).map(|_| self.normal()).collect())
    }

    /// A direction at an angle of about `cosine` to `other`.
    pub fn near(&mut self, other: &Embedding, cosine: f32) -> Embedding {
        let noise = self.anywhere(other.dimension());
        let rest = (1.0 - cosine * cosine).sqrt();
        let pairs = other.as_slice().iter().zip(noise.as_slice());
        unit(pairs.map(|(a, b)| cosine * a + rest * b).collect())
    }
}

/// A vector made to length one.
///
/// # Panics
/// When it is zero.
#[must_use]
pub fn unit(values: Vec<f32>) -> Embedding {
    Embedding::normalize(values).expect("no zero vectors")
}

/// Rows of `dimension` little-endian `f32` values.
///
/// # Panics
/// When the file is not there or no whole number of rows.
#[must_use]
pub fn read(path: &Path, dimension: usize) -> Vec<Embedding> {
    let bytes = std::fs::read(path).expect("the file of vectors can be read");
    assert!(bytes.len().is_multiple_of(4 * dimension), "no whole number of rows");
    let values = |row: &[u8]| row.as_chunks().0.iter().map(|it| f32::from_le_bytes(*it)).collect();
    bytes.chunks_exact(4 * dimension).map(|row| unit(values(row))).collect()
}
