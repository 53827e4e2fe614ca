//! The embedding space of an embedder.

use sha2::{Digest, Sha256};

use crate::id::SpaceId;
use crate::image::{ChannelOrder, PlanarSpec};
use crate::pack::spec::EmbedderSpec;

/// First field of the encoding; a change of the encoding changes it.
const DOMAIN: &[u8] = b"faceprint embedding space 1";

/// SHA-256 over everything that moves an embedding, so that two templates are comparable exactly when
/// their ids are equal.
///
/// The encoding is a row of fields, each a 32-bit little-endian length in bytes followed by the bytes:
///
/// | field | bytes |
/// |---|---|
/// | domain | `faceprint embedding space 1` |
/// | embedder file | its SHA-256, 32 bytes |
/// | channel order | `rgb` or `bgr` |
/// | mean, std | 3 × f32 little-endian each |
/// | template size | width, height: u32 little-endian |
/// | template points | x, y of the 5 landmarks in their order: 10 × f32 little-endian |
/// | dimension | u64 little-endian |
///
/// Negative zeros are written as zero.
pub(crate) fn space_id(sha256: &[u8; 32], planar: &PlanarSpec, embedder: &EmbedderSpec) -> SpaceId {
    let template = &embedder.alignment;
    let points: Vec<f32> =
        template.points().points().iter().flat_map(|point| [point.x, point.y]).collect();
    let order: &[u8] = match planar.order {
        ChannelOrder::Rgb => b"rgb",
        ChannelOrder::Bgr => b"bgr",
    };
    let mut hasher = Sha256::new();
    for field in [
        DOMAIN,
        sha256,
        order,
        &float_bytes(&planar.mean),
        &float_bytes(&planar.std),
        &[template.width().to_le_bytes(), template.height().to_le_bytes()].concat(),
        &float_bytes(&points),
        &(embedder.dimension as u64).to_le_bytes(),
    ] {
        // Every field is shorter than 100 bytes.
        let length = u32::try_from(field.len()).unwrap_or(u32::MAX);
        hasher.update(length.to_le_bytes());
        hasher.update(field);
    }
    SpaceId::from_bytes(hasher.finalize().into())
}

fn float_bytes(values: &[f32]) -> Vec<u8> {
    values.iter().flat_map(|value| (value + 0.0).to_le_bytes()).collect()
}
