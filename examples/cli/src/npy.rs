//! The `.npy` file format, version 1.0, for one matrix of 32-bit floats.
//!
//! <https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html>

/// A C-ordered little-endian float32 matrix with `columns` columns, as `numpy.load` reads it.
pub(crate) fn from_rows(rows: &[&[f32]], columns: usize) -> Vec<u8> {
    let header = format!(
        "{{'descr': '<f4', 'fortran_order': False, 'shape': ({}, {columns}), }}",
        rows.len()
    );
    // Magic (6), version (2) and length (2) and the header with its line feed fill 64-byte blocks.
    let length = (10 + header.len() + 1).next_multiple_of(64) - 10;
    // Two numbers of at most 20 digits: the header is far below 65,536 bytes.
    let length_field = u16::try_from(length).unwrap_or(u16::MAX).to_le_bytes();

    let mut bytes = Vec::with_capacity(10 + length + rows.len() * columns * 4);
    bytes.extend_from_slice(b"\x93NUMPY\x01\x00");
    bytes.extend_from_slice(&length_field);
    bytes.extend_from_slice(format!("{header:<width$}\n", width = length - 1).as_bytes());
    for value in rows.iter().copied().flatten() {
        bytes.extend_from_slice(&value.to_le_bytes());
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn data_begins_on_a_64_byte_boundary_after_the_header() {
        let bytes = from_rows(&[&[1.0, 2.0], &[3.0, 4.0], &[5.0, -6.0]], 2);
        assert_eq!(&bytes[..8], b"\x93NUMPY\x01\x00");
        let data = 10 + usize::from(u16::from_le_bytes([bytes[8], bytes[9]]));
        assert_eq!((data % 64, bytes[data - 1]), (0, b'\n'));
        assert!(String::from_utf8_lossy(&bytes[10..data]).contains("'shape': (3, 2)"));
        assert_eq!(bytes.len() - data, 6 * 4);
        assert_eq!(bytes[bytes.len() - 4..], (-6.0_f32).to_le_bytes());
    }
}
