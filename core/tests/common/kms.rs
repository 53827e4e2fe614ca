//! A key service: encrypts by exclusive or with a pad it keeps, under a version number.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use faceprint::KeyProvider;

use crate::common::values;

/// Versions of the service's key; none for one that was destroyed.
#[derive(Default)]
pub struct Kms {
    pads: Mutex<Vec<Option<[u8; 32]>>>,
}

impl Kms {
    /// A new version; the old ones go on opening what they made.
    pub fn rotate(&self) {
        self.pads.lock().unwrap().push(Some(pad()));
    }

    /// Only the last version is left.
    pub fn destroy_old(&self) {
        let mut pads = self.pads.lock().unwrap();
        let last = pads.len() - 1;
        pads[..last].fill(None);
    }
}

/// Another one each time.
fn pad() -> [u8; 32] {
    static PADS: AtomicU64 = AtomicU64::new(0);
    let values = values(0xbad5_eed0 + PADS.fetch_add(1, Ordering::Relaxed));
    std::array::from_fn(|at| values[at].to_bits().to_be_bytes()[2])
}

impl KeyProvider for Kms {
    fn wrap(&self, key: &[u8; 32]) -> Result<Vec<u8>, Box<dyn std::error::Error + Send + Sync>> {
        let mut pads = self.pads.lock().unwrap();
        if pads.is_empty() {
            pads.push(Some(pad()));
        }
        let version = pads.len() - 1;
        let pad = pads[version].unwrap();
        let mut wrapped = vec![u8::try_from(version).unwrap()];
        wrapped.extend(key.iter().zip(pad).map(|(a, b)| a ^ b));
        Ok(wrapped)
    }

    fn unwrap(&self, wrapped: &[u8]) -> Result<Vec<u8>, Box<dyn std::error::Error + Send + Sync>> {
        let pads = self.pads.lock().unwrap();
        let pad = pads.get(usize::from(wrapped[0])).copied().flatten().ok_or("the key is gone")?;
        Ok(wrapped[1..].iter().zip(pad).map(|(a, b)| a ^ b).collect())
    }
}
