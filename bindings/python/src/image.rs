//! Pictures: numpy arrays, files, bytes and PIL images on their way to the core.
//!
//! | given | copies of the pixels before the core reads them |
//! |---|---|
//! | array of `uint8`, also a crop of a larger one | none: the core reads the array's memory |
//! | array turned or mirrored by its strides (`frame[:, ::-1]`, `frame[..., ::-1]`) | one |
//! | `bytes`, `bytearray`, `memoryview` of a file, a path | one: the decoded picture |
//! | PIL image of mode `RGB`, `RGBA` or `L` | one (two of the other modes) |
//!
//! The core itself reads upright RGB and BGR where they are, and makes one copy of every other format or orientation.

pub(crate) mod layout;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use faceprint::image::{DecodeLimits, RgbImage, decode};
use faceprint::{ImageView, Orientation, PixelFormat};
use numpy::{PyArray3, PyArrayMethods, PyReadonlyArrayDyn};
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::PyDict;

use self::layout::{Bytes, Source};
use crate::error::{Failure, Result};

/// A picture, ready for an ``Engine``.
///
/// ``Image(pixels)`` takes a numpy array of ``uint8``: height x width x 3 (RGB, or BGR with ``format="bgr"`` as OpenCV
/// has it), x 4 (RGBA, or ``"bgra"``), or height x width (grey). The array is not copied: do not write into it while
/// a call is running. It takes a PIL image too, with the turn its EXIF data ask for. The formats of cameras,
/// ``"nv12"``, ``"nv21"`` and ``"i420"``, are arrays of height * 3 / 2 rows, as OpenCV has them; where rows are padded,
/// ``from_buffer`` and ``from_planes`` have strides.
///
/// ``orientation`` is what has to be done to the pixels so that people stand upright: the value of the EXIF tag, 1
/// (nothing, the default) to 8. A phone held upright stores 6, which is a turn of 90 degrees clockwise.
///
/// Everything that takes an image takes an array, the bytes of a JPEG, PNG, WebP or BMP file, a path or a PIL image
/// directly, too. Make an ``Image`` when a picture is used more than once, or has an orientation or a stride.
#[pyclass(frozen, module = "faceprint", name = "Image")]
pub(crate) struct PyImage {
    source: Source,
}

#[pymethods]
impl PyImage {
    #[new]
    #[pyo3(signature = (pixels, *, format = None, orientation = None))]
    fn new(
        pixels: &Bound<'_, PyAny>,
        format: Option<&str>,
        orientation: Option<u8>,
    ) -> Result<Self> {
        let format = format.map(layout::format).transpose()?;
        let mut source = match Picture::from_python(pixels, format)? {
            Picture::Pixels(source) => source,
            file => Source::decoded(pixels.py().detach(|| file.decode())?),
        };
        if let Some(orientation) = orientation {
            source.orientation = Orientation::from_exif(orientation)?;
        }
        Ok(Self { source })
    }

    /// The picture in the bytes of a JPEG, PNG, WebP or BMP file, turned as its EXIF data ask.
    ///
    /// The limits are held against the file's header before memory is taken: ``max_pixels`` (width times height),
    /// ``max_bytes`` (all pixel buffers that decoding needs at once) and ``max_encoded_bytes`` (the file). A picture
    /// beyond them raises ``LimitExceededError``, what is no picture ``InvalidImageError``.
    #[staticmethod]
    #[pyo3(signature = (data, *, max_pixels = 100_000_000, max_bytes = 536_870_912, max_encoded_bytes = 67_108_864))]
    fn decode(
        data: &Bound<'_, PyAny>,
        max_pixels: u64,
        max_bytes: u64,
        max_encoded_bytes: u64,
    ) -> Result<Self> {
        let bytes = Bytes::from_python(data)?;
        let limits = DecodeLimits { max_pixels, max_bytes, max_encoded_bytes };
        let held = bytes.hold(data.py())?;
        let slice = held.as_slice().map_err(PyErr::from)?;
        let decoded = data.py().detach(|| decode(slice, &limits))?;
        Ok(Self { source: Source::decoded(decoded) })
    }

    /// The picture in a JPEG, PNG, WebP or BMP file, turned as its EXIF data ask.
    #[staticmethod]
    fn open(py: Python<'_>, path: PathBuf) -> Result<Self> {
        let decoded = py.detach(|| Picture::File(path).decode())?;
        Ok(Self { source: Source::decoded(decoded) })
    }

    /// Raw pixels in anything with a buffer: a camera's frame as ``bytes``, a ``memoryview``, shared memory. Nothing is
    /// copied.
    ///
    /// ``stride`` is the number of bytes from one row to the next, and as many as a row has unless it is given. For
    /// the YUV formats it is that of the luma plane; chroma pairs have the same one, the U and V planes of
    /// I420 half of it.
    #[staticmethod]
    #[pyo3(signature = (data, width, height, *, format, stride = None, orientation = 1))]
    fn from_buffer(
        data: &Bound<'_, PyAny>,
        width: u32,
        height: u32,
        format: &str,
        stride: Option<usize>,
        orientation: u8,
    ) -> Result<Self> {
        let bytes = Bytes::from_python(data)?;
        let orientation = Orientation::from_exif(orientation)?;
        let format = layout::format(format)?;
        let source = Source::buffer(bytes, (width, height), format, stride, orientation);
        source.check(data.py())?;
        Ok(Self { source })
    }

    /// A picture whose planes lie apart, as Android's camera and video decoders hand them out: ``planes`` is a list of
    /// (buffer, stride), one for the packed formats, luma and chroma pairs for ``"nv12"`` and ``"nv21"``, luma, U and V
    /// for ``"i420"``. Nothing is copied.
    #[staticmethod]
    #[pyo3(signature = (planes, width, height, *, format, orientation = 1))]
    fn from_planes(
        py: Python<'_>,
        planes: Vec<(Bound<'_, PyAny>, usize)>,
        width: u32,
        height: u32,
        format: &str,
        orientation: u8,
    ) -> Result<Self> {
        let planes = planes.iter().map(|(plane, stride)| Ok((Bytes::from_python(plane)?, *stride)));
        let planes = planes.collect::<Result<Vec<_>>>()?;
        let orientation = Orientation::from_exif(orientation)?;
        let source = Source::planes(planes, (width, height), layout::format(format)?, orientation);
        source.check(py)?;
        Ok(Self { source })
    }

    /// Width of the upright picture, pixels.
    #[getter]
    fn width(&self) -> u32 {
        self.source.upright_size().0
    }

    /// Height of the upright picture, pixels.
    #[getter]
    fn height(&self) -> u32 {
        self.source.upright_size().1
    }

    /// How the bytes are laid out: ``"rgb8"``, ``"bgr8"``, ``"rgba8"``, ``"bgra8"``, ``"gray8"``, ``"nv12"``, ``"nv21"``
    /// or ``"i420"``.
    #[getter]
    fn format(&self) -> &'static str {
        self.source.format.name()
    }

    /// The turn that makes the picture upright: the value of the EXIF tag, 1 to 8.
    #[getter]
    fn orientation(&self) -> u8 {
        self.source.orientation.exif()
    }

    /// Whether the picture is the caller's memory, and no copy of it.
    #[getter]
    fn shares_memory(&self) -> bool {
        self.source.shares_memory
    }

    /// The upright picture as a new array, height x width x 3, RGB.
    fn to_numpy<'py>(&self, py: Python<'py>) -> Result<Bound<'py, PyArray3<u8>>> {
        let held = self.source.hold(py)?;
        let view = held.view()?;
        let rgb = py.detach(|| view.raster().into_rgb());
        rgb_array(py, rgb)
    }

    fn __repr__(&self) -> String {
        format!("Image({}x{}, {})", self.width(), self.height(), self.format())
    }
}

/// The pixels as an array of height x width x 3.
pub(crate) fn rgb_array(py: Python<'_>, rgb: RgbImage) -> Result<Bound<'_, PyArray3<u8>>> {
    let shape = [rgb.height() as usize, rgb.width() as usize, 3];
    Ok(numpy::PyArray1::from_vec(py, rgb.into_bytes()).reshape(shape)?)
}

/// What a caller gave for an image.
pub(crate) enum Picture {
    File(PathBuf),
    Encoded(Bytes),
    Pixels(Source),
}

impl Picture {
    /// `format` is for arrays; files and PIL images know theirs.
    pub(crate) fn from_python(
        object: &Bound<'_, PyAny>,
        format: Option<PixelFormat>,
    ) -> Result<Self> {
        let py = object.py();
        let has_its_own = |what: &str| match format {
            Some(_) => Err(Failure::Type(format!("format is for arrays; {what} has its own"))),
            None => Ok(()),
        };
        if let Ok(image) = object.cast::<PyImage>() {
            has_its_own("an Image")?;
            return Ok(Self::Pixels(image.get().source.clone_ref(py)));
        }
        if layout::is_array(object) {
            return Ok(Self::Pixels(Source::array(object, format)?));
        }
        if Bytes::is_buffer(object) {
            has_its_own("a picture file")?;
            return Ok(Self::Encoded(Bytes::from_python(object)?));
        }
        if let Ok(path) = object.extract::<PathBuf>() {
            has_its_own("a picture file")?;
            return Ok(Self::File(path));
        }
        if is_pil(object)? {
            has_its_own("a PIL image")?;
            return from_pil(object);
        }
        let class = object.get_type().name()?;
        Err(Failure::Python(PyTypeError::new_err(format!(
            "an image is an Image, a numpy array of uint8, the bytes of a picture file, a path or a PIL image, \
             not {class}"
        ))))
    }

    /// The memory behind the picture, for the time of a call.
    pub(crate) fn hold<'a, 'py>(&'a self, py: Python<'py>) -> Result<Held<'a, 'py>> {
        Ok(match self {
            Self::File(path) => Held::File(path),
            Self::Encoded(bytes) => Held::Encoded(bytes.hold(py)?),
            Self::Pixels(source) => Held::Pixels(source.hold(py)?),
        })
    }

    /// A file's picture, without the GIL.
    fn decode(&self) -> Result<RgbImage> {
        match self {
            Self::File(path) => Content::File(path).decode(),
            Self::Encoded(bytes) => Python::attach(|py| {
                let held = bytes.hold(py)?;
                let slice = held.as_slice().map_err(PyErr::from)?;
                py.detach(|| Content::Encoded(slice).decode())
            }),
            Self::Pixels(_) => Err(Failure::Type("pixels are not decoded".to_owned())),
        }
    }
}

/// Memory that stays where it is while this lives.
pub(crate) enum Held<'a, 'py> {
    File(&'a Path),
    Encoded(PyReadonlyArrayDyn<'py, u8>),
    Pixels(layout::Held<'a, 'py>),
}

impl Held<'_, '_> {
    /// What a thread without the GIL works on.
    pub(crate) fn content(&self) -> Result<Content<'_>> {
        Ok(match self {
            Self::File(path) => Content::File(path),
            Self::Encoded(bytes) => Content::Encoded(bytes.as_slice().map_err(PyErr::from)?),
            Self::Pixels(held) => Content::View(held.view()?),
        })
    }
}

/// A picture as a thread without the GIL sees it.
#[derive(Clone, Copy)]
pub(crate) enum Content<'a> {
    File(&'a Path),
    Encoded(&'a [u8]),
    View(ImageView<'a>),
}

impl Content<'_> {
    /// Does `work` on the pixels, which are decoded first if they are in a file.
    pub(crate) fn with<R>(
        self,
        work: impl FnOnce(&ImageView<'_>) -> faceprint::Result<R>,
    ) -> Result<R> {
        match self {
            Content::View(view) => Ok(work(&view)?),
            file => Ok(work(&file.decode()?.view())?),
        }
    }

    fn decode(self) -> Result<RgbImage> {
        let limits = DecodeLimits::default();
        match self {
            Content::File(path) => {
                let read = std::fs::read(path);
                let bytes = read.map_err(|error| Failure::File(path.to_owned(), error))?;
                Ok(decode(&bytes, &limits)?)
            }
            Content::Encoded(bytes) => Ok(decode(bytes, &limits)?),
            Content::View(view) => Ok(view.raster().into_rgb()),
        }
    }
}

/// Whether it behaves like an image of PIL, which is not imported for this.
fn is_pil(object: &Bound<'_, PyAny>) -> PyResult<bool> {
    for name in ["mode", "size", "convert", "getexif"] {
        if !object.hasattr(name)? {
            return Ok(false);
        }
    }
    Ok(true)
}

fn from_pil(object: &Bound<'_, PyAny>) -> Result<Picture> {
    let py = object.py();
    let mode: String = object.getattr("mode")?.extract()?;
    let exif: u8 = object.call_method0("getexif")?.call_method1("get", (274, 1))?.extract()?;
    let plain = match mode.as_str() {
        "RGB" | "RGBA" | "L" => object.clone(),
        _ => object.call_method1("convert", ("RGB",))?,
    };
    let keywords = PyDict::new(py);
    keywords.set_item("dtype", "uint8")?;
    let array = py.import("numpy")?.call_method("asarray", (plain,), Some(&keywords))?;
    let mut source = Source::array(&array, None)?;
    // What is no orientation is none, as viewers take it.
    source.orientation = Orientation::from_exif(exif).unwrap_or_default();
    source.shares_memory = false;
    Ok(Picture::Pixels(source))
}

impl Source {
    fn decoded(picture: RgbImage) -> Self {
        Self::owned(Arc::new(picture))
    }
}
