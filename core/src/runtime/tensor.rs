//! A dense float tensor, row-major, whose shape and data always agree.

use std::borrow::Cow;

use crate::error::{Error, ErrorKind, Result};

/// A dense `f32` tensor in row-major order. What a network answered may lie in its own memory.
#[derive(Clone, Debug, PartialEq)]
pub struct Tensor<'a> {
    shape: Vec<usize>,
    data: Cow<'a, [f32]>,
}

impl<'a> Tensor<'a> {
    /// `data` in the given `shape`.
    ///
    /// # Errors
    /// [`ErrorKind::Internal`] when the shape's product is not the number of values.
    pub fn new(shape: impl Into<Vec<usize>>, data: impl Into<Cow<'a, [f32]>>) -> Result<Self> {
        let (shape, data) = (shape.into(), data.into());
        let count = shape.iter().try_fold(1_usize, |product, &side| product.checked_mul(side));
        if count != Some(data.len()) {
            return Err(Error::new(
                ErrorKind::Internal,
                format!("a tensor of shape {shape:?} cannot hold {} values", data.len()),
            ));
        }
        Ok(Self { shape, data })
    }

    /// The sizes, outermost first.
    #[must_use]
    pub fn shape(&self) -> &[usize] {
        &self.shape
    }

    /// The values, row-major.
    #[must_use]
    pub fn data(&self) -> &[f32] {
        &self.data
    }

    /// The values in a buffer of their own; no copy when they have one.
    #[must_use]
    pub fn into_data(self) -> Vec<f32> {
        self.data.into_owned()
    }

    /// The innermost size, and the product of all others: the table that detector heads are read as.
    #[must_use]
    pub fn rows_and_columns(&self) -> (usize, usize) {
        let columns = self.shape.last().copied().unwrap_or(1);
        (self.data.len().checked_div(columns).unwrap_or(0), columns)
    }
}
