//! How much a picture file may ask for.

/// Limits under which [`decode`](super::decode) reads a file. They are held against the file's header,
/// before memory for pixels is taken, so that a small file cannot ask for gigabytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DecodeLimits {
    /// Pixels of the picture, width times height. Default 100 million.
    pub max_pixels: u64,
    /// Bytes of all pixel buffers that decoding needs at once, the decoder's own included: 3 a pixel for
    /// a plain JPEG or PNG, up to 14 for a progressive JPEG that has to be turned. Default 512 MiB.
    pub max_bytes: u64,
    /// Bytes of the file. Default 64 MiB.
    pub max_encoded_bytes: u64,
}

impl Default for DecodeLimits {
    fn default() -> Self {
        Self { max_pixels: 100_000_000, max_bytes: 512 << 20, max_encoded_bytes: 64 << 20 }
    }
}
