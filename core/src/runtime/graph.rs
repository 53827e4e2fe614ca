//! What has to be known of an ONNX file before an engine gets it: the shape of its picture input,
//! whether it is quantised, and how to free a fixed input size.
//!
//! Read straight from the Protocol Buffers wire format: the few fields needed are far less than a
//! generated schema, and everything else is passed through byte for byte. Field numbers are those of
//! `onnx.proto` (ONNX 1.17, IR version 10).

#![cfg_attr(
    not(fuzzing),
    expect(unreachable_pub, reason = "reached from outside by the fuzz targets only")
)]

use crate::error::{Error, ErrorKind, Result};

mod field {
    pub(super) const MODEL_GRAPH: u32 = 7;
    pub(super) const GRAPH_NODE: u32 = 1;
    pub(super) const GRAPH_INITIALIZER: u32 = 5;
    pub(super) const GRAPH_INPUT: u32 = 11;
    pub(super) const GRAPH_OUTPUT: u32 = 12;
    pub(super) const GRAPH_VALUE_INFO: u32 = 13;
    pub(super) const NODE_OP_TYPE: u32 = 4;
    pub(super) const TENSOR_NAME: u32 = 8;
    pub(super) const VALUE_NAME: u32 = 1;
    pub(super) const VALUE_TYPE: u32 = 2;
    pub(super) const TYPE_TENSOR: u32 = 1;
    pub(super) const TENSOR_TYPE_SHAPE: u32 = 2;
    pub(super) const SHAPE_DIM: u32 = 1;
    pub(super) const DIM_VALUE: u32 = 1;
    pub(super) const DIM_PARAM: u32 = 2;
}

/// The operators of quantised models that rten 0.27 gets wrong or lacks.
const QUANTIZED: [&str; 7] = [
    "ConvInteger",
    "MatMulInteger",
    "QLinearConv",
    "QLinearMatMul",
    "QuantizeLinear",
    "DequantizeLinear",
    "DynamicQuantizeLinear",
];

/// The parts of an ONNX file that matter here, borrowed from its bytes.
#[derive(Debug)]
pub struct Graph<'a> {
    model: &'a [u8],
    input_name: &'a [u8],
    /// Declared sizes of the picture input; `None` where the file leaves one open.
    input_shape: Vec<Option<u64>>,
    quantized: Option<&'static str>,
    quantizes_dynamically: bool,
}

impl<'a> Graph<'a> {
    /// Reads the parts.
    ///
    /// # Errors
    /// [`ErrorKind::ModelMismatch`] for bytes that are not an ONNX model with an input.
    pub fn parse(model: &'a [u8]) -> Result<Self> {
        let graph =
            message(model, field::MODEL_GRAPH)?.ok_or_else(|| malformed("it has no graph"))?;
        let mut initializers = Vec::new();
        let mut inputs = Vec::new();
        let mut quantized = None;
        let mut quantizes_dynamically = false;
        for entry in Fields(graph) {
            let Entry { number, value, .. } = entry?;
            let Value::Bytes(bytes) = value else { continue };
            match number {
                field::GRAPH_INITIALIZER => {
                    initializers.push(message(bytes, field::TENSOR_NAME)?.unwrap_or_default());
                }
                field::GRAPH_INPUT => inputs.push(bytes),
                field::GRAPH_NODE => {
                    let operator = message(bytes, field::NODE_OP_TYPE)?.unwrap_or_default();
                    let known = QUANTIZED.into_iter().find(|name| name.as_bytes() == operator);
                    quantized = quantized.or(known);
                    quantizes_dynamically |= known == Some("DynamicQuantizeLinear");
                }
                _ => {}
            }
        }
        // Old exporters list the weights among the inputs.
        for input in inputs {
            let input_name = message(input, field::VALUE_NAME)?.unwrap_or_default();
            if !initializers.contains(&input_name) {
                let input_shape = declared_shape(input)?;
                return Ok(Self {
                    model,
                    input_name,
                    input_shape,
                    quantized,
                    quantizes_dynamically,
                });
            }
        }
        Err(malformed("it has no input"))
    }

    /// The first quantised operator, if any.
    pub(super) const fn quantized_operator(&self) -> Option<&'static str> {
        self.quantized
    }

    /// Whether activations are quantised by a range taken from the data at hand.
    pub(super) const fn quantizes_dynamically(&self) -> bool {
        self.quantizes_dynamically
    }

    /// Whether the first dimension is open.
    pub(super) fn batch_is_free(&self) -> bool {
        self.input_shape.first().is_some_and(Option::is_none)
    }

    /// The same model with an open height and width; `None` when there is nothing to open. Declared
    /// shapes of outputs and of values in between go too: they were true of one size only.
    #[must_use]
    pub fn with_free_size(&self) -> Option<Vec<u8>> {
        if self.input_shape.len() != 4 || self.input_shape[2..].iter().all(Option::is_none) {
            return None;
        }
        let freed = rewrite(self.model, |number, value| match number {
            field::MODEL_GRAPH => rewrite(value, |number, value| match number {
                field::GRAPH_VALUE_INFO => None,
                field::GRAPH_OUTPUT => rewrite_type(value, without_shape),
                field::GRAPH_INPUT if self.is_input(value) => rewrite_type(value, with_free_dims),
                _ => Some(value.to_vec()),
            }),
            _ => Some(value.to_vec()),
        });
        Some(freed.unwrap_or_else(|| self.model.to_vec()))
    }

    fn is_input(&self, value: &[u8]) -> bool {
        matches!(message(value, field::VALUE_NAME), Ok(name) if name.unwrap_or_default() == self.input_name)
    }
}

fn declared_shape(input: &[u8]) -> Result<Vec<Option<u64>>> {
    let shape = message(input, field::VALUE_TYPE)?
        .map(|kind| message(kind, field::TYPE_TENSOR))
        .transpose()?
        .flatten()
        .map(|tensor| message(tensor, field::TENSOR_TYPE_SHAPE))
        .transpose()?
        .flatten();
    let Some(shape) = shape else { return Ok(Vec::new()) };
    let mut dims = Vec::new();
    for entry in Fields(shape) {
        let Entry { number, value, .. } = entry?;
        if let (field::SHAPE_DIM, Value::Bytes(dim)) = (number, value) {
            let mut size = None;
            for entry in Fields(dim) {
                if let Entry { number: field::DIM_VALUE, value: Value::Varint(n), .. } = entry? {
                    size = Some(n);
                }
            }
            dims.push(size);
        }
    }
    Ok(dims)
}

/// Rewrites the tensor type inside a `ValueInfoProto`.
fn rewrite_type(value: &[u8], tensor: impl Fn(&[u8]) -> Option<Vec<u8>>) -> Option<Vec<u8>> {
    rewrite(value, |number, value| match number {
        field::VALUE_TYPE => rewrite(value, |number, value| match number {
            field::TYPE_TENSOR => tensor(value),
            _ => Some(value.to_vec()),
        }),
        _ => Some(value.to_vec()),
    })
}

fn without_shape(tensor: &[u8]) -> Option<Vec<u8>> {
    rewrite(tensor, |number, value| (number != field::TENSOR_TYPE_SHAPE).then(|| value.to_vec()))
}

fn with_free_dims(tensor: &[u8]) -> Option<Vec<u8>> {
    rewrite(tensor, |number, value| {
        if number != field::TENSOR_TYPE_SHAPE {
            return Some(value.to_vec());
        }
        let index = std::cell::Cell::new(0_usize);
        rewrite(value, |number, dim| {
            if number != field::SHAPE_DIM {
                return Some(dim.to_vec());
            }
            let name = ["", "", "height", "width"].get(index.replace(index.get() + 1)).copied();
            match name {
                Some(name) if !name.is_empty() => {
                    let mut open = Vec::new();
                    put_bytes(&mut open, field::DIM_PARAM, name.as_bytes());
                    Some(open)
                }
                _ => Some(dim.to_vec()),
            }
        })
    })
}

/// Copies a message, with each length-delimited field through `edit` (`None` drops it). `None` for a
/// message that is not well-formed.
fn rewrite(message: &[u8], edit: impl Fn(u32, &[u8]) -> Option<Vec<u8>>) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(message.len() + 32);
    for entry in Fields(message) {
        let Entry { number, value, raw } = entry.ok()?;
        match value {
            Value::Bytes(bytes) => {
                if let Some(edited) = edit(number, bytes) {
                    put_bytes(&mut out, number, &edited);
                }
            }
            Value::Varint(_) | Value::Fixed => out.extend_from_slice(raw),
        }
    }
    Some(out)
}

/// The last length-delimited field `wanted`, as Protocol Buffers define repeated singular fields.
fn message(bytes: &[u8], wanted: u32) -> Result<Option<&[u8]>> {
    let mut found = None;
    for entry in Fields(bytes) {
        let Entry { number, value, .. } = entry?;
        if let (true, Value::Bytes(bytes)) = (number == wanted, value) {
            found = Some(bytes);
        }
    }
    Ok(found)
}

struct Entry<'a> {
    number: u32,
    value: Value<'a>,
    raw: &'a [u8],
}

enum Value<'a> {
    Varint(u64),
    Bytes(&'a [u8]),
    Fixed,
}

/// The fields of a message, in order. Ends after the first error.
struct Fields<'a>(&'a [u8]);

impl<'a> Iterator for Fields<'a> {
    type Item = Result<Entry<'a>>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        let start = self.0;
        let entry = self.read(start);
        if entry.is_none() {
            self.0 = &[];
        }
        Some(entry.ok_or_else(|| malformed("a field is cut short")))
    }
}

impl<'a> Fields<'a> {
    fn read(&mut self, start: &'a [u8]) -> Option<Entry<'a>> {
        let key = self.varint()?;
        let number = u32::try_from(key >> 3).ok()?;
        let value = match key & 7 {
            0 => Value::Varint(self.varint()?),
            1 => self.take(8).map(|_| Value::Fixed)?,
            2 => {
                let length = usize::try_from(self.varint()?).ok()?;
                Value::Bytes(self.take(length)?)
            }
            5 => self.take(4).map(|_| Value::Fixed)?,
            _ => return None,
        };
        let raw = &start[..start.len() - self.0.len()];
        Some(Entry { number, value, raw })
    }

    fn varint(&mut self) -> Option<u64> {
        let mut value = 0_u64;
        for shift in (0..64).step_by(7) {
            let (&byte, rest) = self.0.split_first()?;
            self.0 = rest;
            value |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Some(value);
            }
        }
        None
    }

    fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(taken)
    }
}

fn put_bytes(out: &mut Vec<u8>, number: u32, bytes: &[u8]) {
    put_varint(out, u64::from(number) << 3 | 2);
    put_varint(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

fn put_varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(u8::try_from(value & 0x7f).unwrap_or(0) | 0x80);
        value >>= 7;
    }
    out.push(u8::try_from(value).unwrap_or(0));
}

fn malformed(what: &str) -> Error {
    Error::new(ErrorKind::ModelMismatch, format!("not an ONNX model: {what}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A model with one picture input of `dims` (0: open), one node and one output with a shape.
    fn model(dims: &[u64], operator: &str) -> Vec<u8> {
        let mut shape = Vec::new();
        for &size in dims {
            let mut dim = Vec::new();
            if size == 0 {
                put_bytes(&mut dim, field::DIM_PARAM, b"open");
            } else {
                put_varint(&mut dim, u64::from(field::DIM_VALUE) << 3);
                put_varint(&mut dim, size);
            }
            put_bytes(&mut shape, field::SHAPE_DIM, &dim);
        }
        let nest = |path: &[u32], inner: &[u8]| {
            path.iter().fold(inner.to_vec(), |inner, &number| {
                let mut outer = Vec::new();
                put_bytes(&mut outer, number, &inner);
                outer
            })
        };
        let mut value = Vec::new();
        put_bytes(&mut value, field::VALUE_NAME, b"input");
        value.extend(nest(
            &[field::TENSOR_TYPE_SHAPE, field::TYPE_TENSOR, field::VALUE_TYPE],
            &shape,
        ));
        let mut graph = nest(&[field::NODE_OP_TYPE, field::GRAPH_NODE], operator.as_bytes());
        put_bytes(&mut graph, field::GRAPH_INPUT, &value);
        put_bytes(&mut graph, field::GRAPH_OUTPUT, &value);
        put_bytes(&mut graph, field::GRAPH_VALUE_INFO, &value);
        let mut model = vec![0x08, 0x08]; // ir_version = 8
        put_bytes(&mut model, field::MODEL_GRAPH, &graph);
        model
    }

    #[test]
    fn a_fixed_size_is_freed_and_the_batch_is_kept() {
        let bytes = model(&[1, 3, 640, 640], "Conv");
        let graph = Graph::parse(&bytes).unwrap();
        assert_eq!(graph.input_shape, [Some(1), Some(3), Some(640), Some(640)]);
        let freed = graph.with_free_size().unwrap();
        let again = Graph::parse(&freed).unwrap();
        assert_eq!(again.input_shape, [Some(1), Some(3), None, None]);
        assert!(!again.batch_is_free());
        assert!(again.with_free_size().is_none());
        assert!(freed.starts_with(&[0x08, 0x08]), "other fields pass through");
        assert!(!freed.windows(3).any(|w| w == [0x0a, 0x03, 0x80]), "no stale 640 is left");
    }

    #[test]
    fn quantised_operators_are_noticed() {
        let bytes = model(&[0, 3, 112, 112], "DynamicQuantizeLinear");
        let graph = Graph::parse(&bytes).unwrap();
        assert_eq!(graph.quantized_operator(), Some("DynamicQuantizeLinear"));
        assert!(graph.quantizes_dynamically());
        assert!(graph.batch_is_free());
    }

    #[test]
    fn every_truncation_and_bit_flip_is_an_error_or_a_model_but_no_panic() {
        let bytes = model(&[1, 3, 640, 640], "Conv");
        for end in 0..bytes.len() {
            let _ = Graph::parse(&bytes[..end]).map(|graph| graph.with_free_size());
        }
        for index in 0..bytes.len() * 8 {
            let mut flipped = bytes.clone();
            flipped[index / 8] ^= 1 << (index % 8);
            let _ = Graph::parse(&flipped).map(|graph| graph.with_free_size());
        }
        assert_eq!(Graph::parse(b"").unwrap_err().kind(), ErrorKind::ModelMismatch);
        assert_eq!(Graph::parse(b"not onnx at all").unwrap_err().kind(), ErrorKind::ModelMismatch);
    }
}
