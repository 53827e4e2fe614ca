//! Where the pixels of a caller's memory are.

use std::sync::Arc;

use faceprint::image::RgbImage;
use faceprint::{ImageView, Orientation, PixelFormat};
use numpy::{
    PyArrayDescrMethods, PyArrayDyn, PyArrayMethods, PyReadonlyArrayDyn, PyUntypedArray,
    PyUntypedArrayMethods,
};
use pyo3::prelude::*;
use pyo3::types::{PyByteArray, PyBytes, PyMemoryView};

use crate::error::{Failure, Result};

/// The format of a name; the names without the 8 too.
pub(crate) fn format(name: &str) -> Result<PixelFormat> {
    let found = PixelFormat::ALL.into_iter().find(|format| {
        let full = format.name();
        name == full || full.strip_suffix('8') == Some(name)
    });
    found.ok_or_else(|| {
        let names: Vec<_> = PixelFormat::ALL.map(PixelFormat::name).to_vec();
        Failure::Argument(format!("format is \"{name}\", must be one of {}", names.join(", ")))
    })
}

pub(super) fn is_array(object: &Bound<'_, PyAny>) -> bool {
    object.cast::<PyUntypedArray>().is_ok()
}

/// Bytes of a caller: a contiguous array of `uint8`, which every buffer can be seen as without a copy.
pub(crate) struct Bytes(Py<PyArrayDyn<u8>>);

impl Bytes {
    pub(super) fn is_buffer(object: &Bound<'_, PyAny>) -> bool {
        object.is_instance_of::<PyBytes>()
            || object.is_instance_of::<PyByteArray>()
            || object.is_instance_of::<PyMemoryView>()
    }

    pub(super) fn from_python(object: &Bound<'_, PyAny>) -> Result<Self> {
        let py = object.py();
        let array = match object.cast::<PyArrayDyn<u8>>() {
            Ok(array) => array.clone(),
            Err(_) if is_array(object) => return Err(wrong_type(object)),
            Err(_) => {
                let array = py.import("numpy")?.call_method1("frombuffer", (object, "uint8"))?;
                array.cast_into::<PyArrayDyn<u8>>().map_err(PyErr::from)?
            }
        };
        if !array.is_c_contiguous() {
            return Err(Failure::Argument(
                "the buffer has gaps; give the whole of it, with a stride".to_owned(),
            ));
        }
        Ok(Self(array.unbind()))
    }

    pub(super) fn hold<'py>(&self, py: Python<'py>) -> Result<PyReadonlyArrayDyn<'py, u8>> {
        self.0.bind(py).try_readonly().map_err(|error| Failure::Type(error.to_string()))
    }

    fn clone_ref(&self, py: Python<'_>) -> Self {
        Self(self.0.clone_ref(py))
    }
}

/// Pixels, and how they are laid out.
pub(crate) struct Source {
    pixels: Pixels,
    size: (u32, u32),
    pub(super) format: PixelFormat,
    pub(super) orientation: Orientation,
    pub(super) shares_memory: bool,
}

enum Pixels {
    Owned(Arc<RgbImage>),
    /// From `offset` of a buffer on.
    Buffer {
        bytes: Bytes,
        offset: usize,
        stride: Option<usize>,
    },
    Planes(Vec<(Bytes, usize)>),
}

impl Source {
    pub(super) fn owned(picture: Arc<RgbImage>) -> Self {
        Self {
            size: (picture.width(), picture.height()),
            pixels: Pixels::Owned(picture),
            format: PixelFormat::Rgb8,
            orientation: Orientation::Upright,
            shares_memory: false,
        }
    }

    pub(super) const fn buffer(
        bytes: Bytes,
        size: (u32, u32),
        format: PixelFormat,
        stride: Option<usize>,
        orientation: Orientation,
    ) -> Self {
        let pixels = Pixels::Buffer { bytes, offset: 0, stride };
        Self { pixels, size, format, orientation, shares_memory: true }
    }

    pub(super) const fn planes(
        planes: Vec<(Bytes, usize)>,
        size: (u32, u32),
        format: PixelFormat,
        orientation: Orientation,
    ) -> Self {
        Self { pixels: Pixels::Planes(planes), size, format, orientation, shares_memory: true }
    }

    /// An array as numpy, OpenCV and PIL lay them out.
    pub(super) fn array(object: &Bound<'_, PyAny>, format: Option<PixelFormat>) -> Result<Self> {
        let array = object.cast::<PyArrayDyn<u8>>().map_err(|_| wrong_type(object))?;
        let (rows, columns, format) = shape(array.shape(), format)?;
        let size = (side(columns)?, side(rows)?);
        let channels = match format {
            PixelFormat::Rgb8 | PixelFormat::Bgr8 => 3,
            PixelFormat::Rgba8 | PixelFormat::Bgra8 => 4,
            _ => 1,
        };
        let source = |bytes, offset, stride, shares_memory| Self {
            pixels: Pixels::Buffer { bytes, offset, stride },
            size,
            format,
            orientation: Orientation::Upright,
            shares_memory,
        };
        if array.is_c_contiguous() {
            return Ok(source(Bytes(array.clone().unbind()), 0, None, true));
        }
        if format.plane_count() == 1
            && let Some(stride) = row_stride(array, channels)
            && let Some((bytes, offset)) = owner(array)?
        {
            return Ok(source(bytes, offset, Some(stride), true));
        }
        let py = object.py();
        let copy = py.import("numpy")?.call_method1("ascontiguousarray", (array,))?;
        let copy = copy.cast_into::<PyArrayDyn<u8>>().map_err(PyErr::from)?;
        Ok(source(Bytes(copy.unbind()), 0, None, false))
    }

    pub(super) fn clone_ref(&self, py: Python<'_>) -> Self {
        let pixels = match &self.pixels {
            Pixels::Owned(picture) => Pixels::Owned(Arc::clone(picture)),
            Pixels::Buffer { bytes, offset, stride } => {
                Pixels::Buffer { bytes: bytes.clone_ref(py), offset: *offset, stride: *stride }
            }
            Pixels::Planes(planes) => {
                let planes = planes.iter().map(|(bytes, stride)| (bytes.clone_ref(py), *stride));
                Pixels::Planes(planes.collect())
            }
        };
        Self { pixels, ..*self }
    }

    pub(super) const fn upright_size(&self) -> (u32, u32) {
        let (width, height) = self.size;
        if self.orientation.swaps_sides() { (height, width) } else { (width, height) }
    }

    pub(super) fn hold<'a, 'py>(&'a self, py: Python<'py>) -> Result<Held<'a, 'py>> {
        let arrays = match &self.pixels {
            Pixels::Owned(_) => Vec::new(),
            Pixels::Buffer { bytes, .. } => vec![bytes.hold(py)?],
            Pixels::Planes(planes) => {
                planes.iter().map(|(bytes, _)| bytes.hold(py)).collect::<Result<_>>()?
            }
        };
        Ok(Held { source: self, arrays })
    }

    /// Whether the bytes are enough for the picture.
    pub(super) fn check(&self, py: Python<'_>) -> Result<()> {
        self.hold(py)?.view().map(drop)
    }
}

/// A picture whose memory stays where it is.
pub(crate) struct Held<'a, 'py> {
    source: &'a Source,
    arrays: Vec<PyReadonlyArrayDyn<'py, u8>>,
}

impl Held<'_, '_> {
    pub(super) fn view(&self) -> Result<ImageView<'_>> {
        let &Source { size: (width, height), format, orientation, .. } = self.source;
        let slices = self.arrays.iter().map(PyReadonlyArrayDyn::as_slice);
        let slices = slices.collect::<Result<Vec<_>, _>>().map_err(PyErr::from)?;
        let view = match (&self.source.pixels, slices.as_slice()) {
            (Pixels::Owned(picture), _) => picture.view(),
            (Pixels::Buffer { offset, stride, .. }, [bytes]) => {
                // An array that was shrunk meanwhile has too few bytes, and the core says so.
                let bytes = bytes.get(*offset..).unwrap_or_default();
                match stride {
                    // The stride tells how many bytes there are to be: not as many as of tight rows, perhaps.
                    Some(stride) if format.plane_count() == 1 => {
                        ImageView::from_planes(&[(bytes, *stride)], width, height, format)?
                    }
                    Some(stride) => {
                        ImageView::new(bytes, width, height, format)?.with_stride(*stride)?
                    }
                    None => ImageView::new(bytes, width, height, format)?,
                }
            }
            (Pixels::Planes(planes), slices) => {
                let strides = planes.iter().map(|(_, stride)| *stride);
                let planes: Vec<_> = slices.iter().copied().zip(strides).collect();
                ImageView::from_planes(&planes, width, height, format)?
            }
            (Pixels::Buffer { .. }, _) => ImageView::new(&[], width, height, format)?,
        };
        Ok(view.with_orientation(orientation))
    }
}

/// Rows, columns and format of an array.
fn shape(shape: &[usize], format: Option<PixelFormat>) -> Result<(usize, usize, PixelFormat)> {
    let wrong = |wanted: &str| {
        let given: Vec<_> = shape.iter().map(ToString::to_string).collect();
        Failure::Argument(format!("the array is {}, {wanted}", given.join(" x ")))
    };
    match (shape, format) {
        (&[rows, columns, 3], None) => Ok((rows, columns, PixelFormat::Rgb8)),
        (&[rows, columns, 4], None) => Ok((rows, columns, PixelFormat::Rgba8)),
        (&[rows, columns] | &[rows, columns, 1], None) => Ok((rows, columns, PixelFormat::Gray8)),
        (_, None) => {
            Err(wrong("a picture is height x width x 3 (or 4), or height x width if grey"))
        }
        (_, Some(PixelFormat::Rgb8 | PixelFormat::Bgr8)) => match *shape {
            [rows, columns, 3] => Ok((rows, columns, format.unwrap_or(PixelFormat::Rgb8))),
            _ => Err(wrong("a picture of this format is height x width x 3")),
        },
        (_, Some(PixelFormat::Rgba8 | PixelFormat::Bgra8)) => match *shape {
            [rows, columns, 4] => Ok((rows, columns, format.unwrap_or(PixelFormat::Rgba8))),
            _ => Err(wrong("a picture of this format is height x width x 4")),
        },
        (_, Some(PixelFormat::Gray8)) => match *shape {
            [rows, columns] | [rows, columns, 1] => Ok((rows, columns, PixelFormat::Gray8)),
            _ => Err(wrong("a grey picture is height x width")),
        },
        (_, Some(planar)) => match *shape {
            [rows, columns] | [rows, columns, 1]
                if rows.is_multiple_of(3) && columns.is_multiple_of(2) =>
            {
                Ok((rows / 3 * 2, columns, planar))
            }
            _ => Err(wrong(
                "a picture of this format is (height * 3 / 2) x width with even sides; others come through \
                 Image.from_buffer",
            )),
        },
    }
}

fn side(pixels: usize) -> Result<u32> {
    u32::try_from(pixels)
        .map_err(|_| Failure::Argument(format!("a side of the picture is {pixels} pixels")))
}

/// Bytes from one row to the next, when rows run forward and have no gaps.
fn row_stride(array: &Bound<'_, PyArrayDyn<u8>>, channels: usize) -> Option<usize> {
    let (shape, strides) = (array.shape(), array.strides());
    let steps = |axis: usize| usize::try_from(*strides.get(axis)?).ok();
    let columns = *shape.get(1)?;
    let tight = match shape.len() {
        2 => steps(1)? == 1 || columns == 1,
        _ => (steps(2)? == 1 || shape[2] == 1) && (steps(1)? == channels || columns == 1),
    };
    let stride = steps(0)?;
    (tight && stride >= columns * channels).then_some(stride)
}

/// The array whose memory `array` is a part of, and where in it.
fn owner(array: &Bound<'_, PyArrayDyn<u8>>) -> Result<Option<(Bytes, usize)>> {
    let base = array.getattr("base")?;
    let Ok(base) = base.cast::<PyArrayDyn<u8>>() else { return Ok(None) };
    if !base.is_c_contiguous() {
        return Ok(None);
    }
    // Addresses only: what lies at them is read through the base's own slice.
    let offset = (array.data() as usize).checked_sub(base.data() as usize);
    let offset = offset.filter(|offset| *offset < base.len());
    Ok(offset.map(|offset| (Bytes(base.clone().unbind()), offset)))
}

fn wrong_type(object: &Bound<'_, PyAny>) -> Failure {
    let kind = object.cast::<PyUntypedArray>().ok().and_then(|it| it.dtype().typeobj().name().ok());
    let kind = kind.map_or_else(|| "another type".to_owned(), |it| it.to_string());
    Failure::Type(format!("pixels are numpy arrays of uint8, this is of {kind}"))
}
