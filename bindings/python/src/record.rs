//! Results: frozen classes of plain fields.

/// A frozen Python class whose fields are read-only attributes, and which `match` takes apart by position in the
/// order given. What is in the braces at the end becomes methods.
macro_rules! record {
    (
        $(#[$meta:meta])*
        $name:ident { $($(#[$field_meta:meta])* $field:ident: $type:ty,)* }
        match ($($arg:literal),*)
        { $($methods:tt)* }
    ) => {
        #[pyo3::pyclass(frozen, get_all, module = "faceprint")]
        $(#[$meta])*
        #[derive(Debug)]
        pub(crate) struct $name {
            $($(#[$field_meta])* pub(crate) $field: $type,)*
        }

        #[pyo3::pymethods]
        impl $name {
            #[classattr]
            fn __match_args__(py: pyo3::Python<'_>) -> pyo3::PyResult<pyo3::Py<pyo3::types::PyTuple>> {
                let names: &[&str] = &[$($arg),*];
                Ok(pyo3::types::PyTuple::new(py, names)?.unbind())
            }

            $($methods)*
        }
    };
}

pub(crate) use record;
