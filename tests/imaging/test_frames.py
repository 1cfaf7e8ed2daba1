"""Pictures as frames: every format and depth, turned as the file says."""

import io

import cv2
import numpy as np
import pytest
from PIL import Image, ImageOps

from core.errors import CorruptFileError
from core.imaging.codec import decode_frame, decode_image

FORMATS = {"JPEG": {"quality": 95}, "PNG": {}, "WEBP": {"lossless": True}, "TIFF": {}, "AVIF": {"quality": 95}}


def corners():
    """RGB, 40 x 60, another color in each corner."""
    image = np.zeros((40, 60, 3), np.uint8)
    image[:20, :30], image[:20, 30:], image[20:, :30], image[20:, 30:] = (255, 0, 0), (0, 255, 0), (0, 0, 255), 255
    return image


def saved(image, kind, **options):
    stream = io.BytesIO()
    Image.fromarray(image).save(stream, kind, **options)
    return stream.getvalue()


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", FORMATS)
def test_every_orientation(kind, orientation):
    exif = Image.Exif()
    exif[274] = orientation
    data = saved(corners(), kind, exif=exif, **FORMATS[kind])
    wanted = np.array(ImageOps.exif_transpose(Image.open(io.BytesIO(data))).convert("RGB"))[..., ::-1]
    np.testing.assert_allclose(decode_frame(data).astype(int), wanted, atol=3)


def test_aligned_faces_stay_as_they_are_stored():
    exif = Image.Exif()
    exif[274] = 6
    assert decode_image(saved(corners(), "JPEG", exif=exif)).shape == (40, 60, 3)


@pytest.mark.parametrize("mode", ["L", "LA", "RGBA", "P", "1", "I;16"])
def test_gray_alpha_palettes_and_sixteen_bits(mode):
    image = Image.fromarray(corners())
    deep = np.asarray(image.convert("L"), np.uint16) * 257
    image = Image.fromarray(deep) if mode == "I;16" else image.convert(mode)
    stream = io.BytesIO()
    image.save(stream, "PNG")
    frame = decode_frame(stream.getvalue())
    assert frame.shape == (40, 60, 3) and frame.dtype == np.uint8 and frame.max() == 255


def test_sixteen_bits_of_color_and_floats():
    deep = corners()[..., ::-1].astype(np.uint16) * 257
    np.testing.assert_array_equal(decode_frame(cv2.imencode(".png", deep)[1].tobytes()), corners()[..., ::-1])
    floats = corners()[..., ::-1].astype(np.float32) / 255
    np.testing.assert_array_equal(decode_frame(cv2.imencode(".tif", floats)[1].tobytes()), corners()[..., ::-1])


def test_whole_numbers_of_unknown_range_are_refused():
    data = saved(np.full((8, 8), 2_000_000_000, np.int32), "TIFF")
    with pytest.raises(CorruptFileError, match="cannot decode"):
        decode_frame(data)


def test_a_damaged_avif_is_refused():
    data = saved(corners(), "AVIF")
    for end in (12, 40, 150):
        with pytest.raises(CorruptFileError):
            decode_frame(data[:end])
