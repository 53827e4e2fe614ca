//! A buffer that is kept from call to call.

use std::mem;
use std::sync::{Mutex, PoisonError};

/// Larger buffers are given back to the system: a 640 x 640 input has 1.2 million values.
const MAX_KEPT: usize = 1 << 21;

/// One buffer for inputs, for whoever comes first. A detector's input is megabytes: asking the system for
/// them and clearing them costs about as much as filling them.
#[derive(Debug, Default)]
pub(crate) struct Spare(Mutex<Vec<f32>>);

impl Spare {
    /// The buffer with what it held, or an empty one while another call has it.
    pub(crate) fn take(&self) -> Vec<f32> {
        mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Keeps `buffer` for the next call.
    pub(crate) fn put(&self, buffer: Vec<f32>) {
        if buffer.capacity() <= MAX_KEPT {
            *self.0.lock().unwrap_or_else(PoisonError::into_inner) = buffer;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_one_buffer_and_no_large_ones() {
        let spare = Spare::default();
        spare.put(Vec::with_capacity(1000));
        assert!(spare.take().capacity() >= 1000);
        assert_eq!(spare.take().capacity(), 0);
        spare.put(Vec::with_capacity(MAX_KEPT + 1));
        assert_eq!(spare.take().capacity(), 0);
    }
}
