"""Pictures of every kind give the same faces, and are copied no more often than is said."""

import io

import cv2
import numpy as np
import PIL.Image
import pytest
from conftest import IMAGES, people

import faceprint
from faceprint import Image

PICTURE = people()["elva"][0]


@pytest.fixture(scope="module")
def rgb() -> np.ndarray:
    return Image.open(PICTURE).to_numpy()


def template(engine: faceprint.Engine, image: object, **options: object) -> faceprint.Template:
    (face,) = engine.analyze(image, **options)
    return face.template


def test_decoding_is_near_that_of_opencv_and_pil(rgb: np.ndarray) -> None:
    assert rgb.dtype == np.uint8 and rgb.flags.c_contiguous
    opencv = cv2.cvtColor(cv2.imread(str(PICTURE)), cv2.COLOR_BGR2RGB)
    pil = np.asarray(PIL.Image.open(PICTURE).convert("RGB"))
    for other in (opencv, pil):
        assert rgb.shape == other.shape
        assert np.abs(rgb.astype(int) - other).max() <= 4


def test_lossless_files_are_exactly_what_was_written(rgb: np.ndarray) -> None:
    for ending in (".png", ".bmp"):
        written, data = cv2.imencode(ending, rgb[..., ::-1])
        assert written
        for image in (data.tobytes(), bytearray(data), memoryview(data.tobytes())):
            assert np.array_equal(Image.decode(image).to_numpy(), rgb)
            assert np.array_equal(Image(image).to_numpy(), rgb)
    lossless = io.BytesIO()
    PIL.Image.fromarray(rgb).save(lossless, "WEBP", lossless=True)
    assert np.array_equal(Image.decode(lossless.getvalue()).to_numpy(), rgb)


def test_every_way_in_gives_the_same_template(engine: faceprint.Engine, rgb: np.ndarray) -> None:
    wanted = template(engine, rgb)
    bgr = np.ascontiguousarray(rgb[..., ::-1])
    rgba = np.dstack([rgb, np.full(rgb.shape[:2], 9, np.uint8)])
    ways = {
        "path": (PICTURE, {}),
        "path as text": (str(PICTURE), {}),
        "bytes": (PICTURE.read_bytes(), {}),
        "Image": (Image(rgb), {}),
        "bgr": (bgr, {"format": "bgr"}),
        "rgba": (rgba, {}),
        "bgra": (np.ascontiguousarray(rgba[..., [2, 1, 0, 3]]), {"format": "bgra"}),
        "PIL of pixels": (PIL.Image.fromarray(rgb), {}),
        "PIL RGBA": (PIL.Image.fromarray(rgba), {}),
        "strides": (bgr[..., ::-1], {}),
        "fortran": (np.asfortranarray(rgb), {}),
        "raw": (Image.from_buffer(rgb.tobytes(), rgb.shape[1], rgb.shape[0], format="rgb"), {}),
    }
    for name, (image, options) in ways.items():
        assert template(engine, image, **options) == wanted, name
    other_decoders = {
        "OpenCV": (cv2.imread(str(PICTURE)), {"format": "bgr"}),
        "PIL": (PIL.Image.open(PICTURE), {}),
    }
    for name, (image, options) in other_decoders.items():
        assert template(engine, image, **options).similarity(wanted) > 0.999, name


def test_grey_is_grey_in_three_channels(engine: faceprint.Engine, rgb: np.ndarray) -> None:
    grey = cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY)
    wanted = template(engine, np.dstack([grey] * 3))
    for image in (grey, grey[..., None], PIL.Image.fromarray(grey)):
        assert template(engine, image) == wanted


def test_opencvs_planar_frames_are_read_as_opencv_reads_them(engine: faceprint.Engine, rgb: np.ndarray) -> None:
    height, width = rgb.shape[0] // 2 * 2, rgb.shape[1] // 2 * 2
    i420 = cv2.cvtColor(rgb[:height, :width], cv2.COLOR_RGB2YUV_I420)
    assert i420.shape == (height * 3 // 2, width)
    luma, chroma = i420[:height], i420[height:].reshape(2, -1)
    nv12 = np.vstack([luma, np.stack([chroma[0], chroma[1]], 1).reshape(-1, width)])
    nv21 = np.vstack([luma, np.stack([chroma[1], chroma[0]], 1).reshape(-1, width)])
    codes = {"i420": cv2.COLOR_YUV2RGB_I420, "nv12": cv2.COLOR_YUV2RGB_NV12, "nv21": cv2.COLOR_YUV2RGB_NV21}
    for name, frame in {"i420": i420, "nv12": nv12, "nv21": nv21}.items():
        image = Image(frame, format=name)
        assert (image.width, image.height, image.format) == (width, height, name)
        off = np.abs(image.to_numpy().astype(int) - cv2.cvtColor(frame, codes[name]))
        assert off.max() <= 2, name
        assert template(engine, frame, format=name).similarity(template(engine, rgb)) > 0.99
    planes = [
        (luma.tobytes(), width),
        (chroma[0].tobytes(), width // 2),
        (chroma[1].tobytes(), width // 2),
    ]
    apart = Image.from_planes(planes, width, height, format="i420")
    assert np.array_equal(apart.to_numpy(), Image(i420, format="i420").to_numpy())


def test_what_shares_memory_is_what_the_manual_says(rgb: np.ndarray) -> None:
    big = np.zeros((rgb.shape[0] + 20, rgb.shape[1] + 30, 3), np.uint8)
    big[5:-15, 10:-20] = rgb
    crop = big[5:-15, 10:-20]
    image = Image(crop)
    assert image.shares_memory and not crop.flags.c_contiguous
    assert np.array_equal(image.to_numpy(), rgb)
    big[:] = 7  # seen through the image: nothing was copied
    assert (image.to_numpy() == 7).all()
    every_other_row = rgb[::2]
    assert Image(every_other_row).shares_memory
    assert np.array_equal(Image(every_other_row).to_numpy(), every_other_row)
    for copied in (rgb[:, ::-1], rgb[..., ::-1], rgb[:, ::2], rgb[::-1]):
        assert not Image(copied).shares_memory
        assert np.array_equal(Image(copied).to_numpy(), copied)
    assert not Image(PIL.Image.fromarray(rgb)).shares_memory
    frozen = rgb.copy()
    frozen.setflags(write=False)
    assert Image(frozen).shares_memory


def test_an_image_keeps_its_array_alive(rgb: np.ndarray) -> None:
    images = [Image(rgb.copy()[3:]) for _ in range(50)]
    assert all(np.array_equal(image.to_numpy(), rgb[3:]) for image in images)


def test_strides_and_padding(rgb: np.ndarray) -> None:
    height, width = rgb.shape[:2]
    stride = width * 3 + 64
    padded = np.full((height, stride), 255, np.uint8)
    padded[:, : width * 3] = rgb.reshape(height, -1)
    image = Image.from_buffer(memoryview(padded).cast("B"), width, height, format="rgb", stride=stride)
    assert np.array_equal(image.to_numpy(), rgb)
    with pytest.raises(faceprint.InvalidImageError, match="needs"):
        Image.from_buffer(rgb.tobytes()[:-1], width, height, format="rgb")


@pytest.mark.parametrize("value", range(1, 9))
def test_orientations_are_those_of_exif(value: int) -> None:
    picture = np.arange(5 * 7 * 3, dtype=np.uint8).reshape(5, 7, 3)
    source = PIL.Image.fromarray(picture)
    exif = source.getexif()
    exif[274] = value
    data = io.BytesIO()
    source.save(data, "PNG", exif=exif)
    wanted = np.asarray(PIL.ImageOps.exif_transpose(PIL.Image.open(data)))
    turned = {
        "array": Image(picture, orientation=value),
        "file": Image.decode(data.getvalue()),
        "PIL": Image(PIL.Image.open(data)),
    }
    for name, image in turned.items():
        assert np.array_equal(image.to_numpy(), wanted), name
        assert (image.height, image.width) == wanted.shape[:2]


def test_what_is_no_picture_is_said(tmp_path) -> None:
    with pytest.raises(TypeError, match="float32"):
        Image(np.zeros((4, 4, 3), np.float32))
    with pytest.raises(TypeError, match="not int"):
        Image(5)
    with pytest.raises(TypeError, match="format is for arrays"):
        Image(str(PICTURE), format="bgr")
    with pytest.raises(ValueError, match="4 x 4 x 2"):
        Image(np.zeros((4, 4, 2), np.uint8))
    with pytest.raises(ValueError, match="height x width x 3"):
        Image(np.zeros((4, 4), np.uint8), format="bgr")
    with pytest.raises(ValueError, match="must be one of"):
        Image(np.zeros((4, 4, 3), np.uint8), format="yuv")
    with pytest.raises(ValueError, match="even sides"):
        Image(np.zeros((4, 4), np.uint8), format="nv12")
    with pytest.raises(faceprint.InvalidImageError):
        Image(b"no picture")
    with pytest.raises(faceprint.LimitExceededError):
        Image.decode(PICTURE.read_bytes(), max_pixels=10)
    with pytest.raises(FileNotFoundError) as raised:
        Image.open(tmp_path / "missing.jpg")
    assert raised.value.filename == str(tmp_path / "missing.jpg")
    with pytest.raises(IsADirectoryError):
        Image.open(IMAGES)
