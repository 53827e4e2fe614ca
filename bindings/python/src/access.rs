//! Ways into sealed files: a passphrase, a key, or the caller's own provider.

use std::error::Error;
use std::sync::Arc;

use faceprint::{Access, KeyProvider};
use pyo3::prelude::*;
use pyo3::types::PyBytes;
use zeroize::Zeroizing;

use crate::error::{Failure, Result};

/// Exactly one of the three.
pub(crate) fn access(
    passphrase: Option<&str>,
    key: Option<&[u8]>,
    provider: Option<Py<PyAny>>,
    cost: Option<(u32, u32, u32)>,
) -> Result<Access> {
    match (passphrase, key, provider) {
        (Some(passphrase), None, None) => Ok(match cost {
            Some((memory_kib, passes, lanes)) => {
                Access::passphrase_with_cost(passphrase, memory_kib, passes, lanes)?
            }
            None => Access::passphrase(passphrase),
        }),
        (_, _, _) if cost.is_some() => {
            Err(Failure::Type("cost is what a passphrase's guesses cost; give both".to_owned()))
        }
        (None, Some(key), None) => {
            let key: [u8; 32] = key.try_into().map_err(|_| {
                Failure::Argument(format!("a key has 32 bytes, this has {}", key.len()))
            })?;
            Ok(Access::key(*Zeroizing::new(key)))
        }
        (None, None, Some(provider)) => Ok(Access::provider(Arc::new(PythonProvider(provider)))),
        _ => Err(Failure::Type("give one of passphrase, key and provider".to_owned())),
    }
}

/// An object with `wrap` and `unwrap`.
struct PythonProvider(Py<PyAny>);

impl PythonProvider {
    fn call(&self, method: &str, bytes: &[u8]) -> Result<Vec<u8>, Box<dyn Error + Send + Sync>> {
        Python::attach(|py| {
            let answer = self.0.call_method1(py, method, (PyBytes::new(py, bytes),))?;
            Ok(answer.extract::<&[u8]>(py).map_err(PyErr::from)?.to_vec())
        })
    }
}

impl KeyProvider for PythonProvider {
    fn wrap(&self, key: &[u8; 32]) -> Result<Vec<u8>, Box<dyn Error + Send + Sync>> {
        self.call("wrap", key)
    }

    fn unwrap(&self, wrapped: &[u8]) -> Result<Vec<u8>, Box<dyn Error + Send + Sync>> {
        self.call("unwrap", wrapped)
    }
}
