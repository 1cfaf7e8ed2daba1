"""Headers that ask for more pixels than anybody has are refused before anything is decoded."""

import struct
import time
import zlib
from pathlib import Path

import cv2
import facekit
import numpy as np
import pytest

from core.errors import CorruptFileError
from core.faceset.thumbnails import thumbnail
from core.formats import dfl_image
from core.imaging import codec, jpeg, png
from core.imaging.dimensions import MAX_FACE_PIXELS, MAX_PIXELS, dimensions, validate_dimensions

SHAPES = [(37, 53), (300, 1000), (1, 1)]


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp", ".avif", ".tif", ".bmp"])
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("channels", [(), (3,), (4,)])
def test_the_header_tells_what_is_decoded(suffix, shape, channels):
    image = np.random.default_rng(0).integers(0, 255, shape + channels, np.uint8)
    if suffix == ".jpg" and channels == (4,):
        pytest.skip("JPEG has no alpha")
    data = cv2.imencode(suffix, image)[1].tobytes()
    assert dimensions(data) == shape


def test_other_kinds_of_one_format():
    image = facekit.pixels(40)
    assert dimensions(cv2.imencode(".webp", image, [cv2.IMWRITE_WEBP_QUALITY, 101])[1].tobytes()) == (40, 40)
    wide = np.zeros((3, 70_000), np.uint16)
    assert dimensions(cv2.imencode(".tif", wide)[1].tobytes()) == (3, 70_000)
    progressive = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_PROGRESSIVE, 1])[1].tobytes()
    assert dimensions(progressive) == (40, 40)


def test_big_and_strange_tiffs():
    entry = struct.pack(">HHIHH", 256, 3, 1, 500, 0) + struct.pack(">HHII", 257, 4, 1, 70_000)
    assert dimensions(b"MM\0*" + struct.pack(">IH", 8, 2) + entry) == (70_000, 500)
    entry = struct.pack("<HHQQ", 256, 4, 1, 9) + struct.pack("<HHQQ", 257, 16, 1, 1 << 40)
    assert dimensions(b"II+\0" + struct.pack("<HHQQ", 8, 0, 16, 2) + entry) == (1 << 40, 9)


def test_what_is_no_image_has_no_size():
    assert dimensions(b"") == (0, 0)
    assert dimensions(b"no picture") == (0, 0)
    assert dimensions(png.SIGNATURE) == (0, 0)
    assert dimensions(b"RIFF    WEBPVP8 ") == (0, 0)


def lying_jpeg(height: int, width: int) -> bytes:
    data = facekit.jpeg(32)
    frame = next(segment for segment in jpeg.segments(data) if segment.marker in jpeg.SOF)
    return data[: frame.body + 1] + struct.pack(">HH", height, width) + data[frame.body + 5 :]


def lying_png(height: int, width: int) -> bytes:
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        png.SIGNATURE
        + png.chunk(b"IHDR", header)
        + png.chunk(b"IDAT", zlib.compress(bytes(99)))
        + png.chunk(b"IEND", b"")
    )


def lying_webp(height: int, width: int) -> bytes:
    data = bytearray(cv2.imencode(".webp", facekit.pixels(32), [cv2.IMWRITE_WEBP_QUALITY, 80])[1].tobytes())
    struct.pack_into("<HH", data, 26, width, height)
    return bytes(data)


def lying_tiff(height: int, width: int) -> bytes:
    data = cv2.imencode(".tif", facekit.pixels(32))[1].tobytes()
    for tag, value in ((256, width), (257, height)):
        at = data.index(struct.pack("<HH", tag, 3))
        data = data[:at] + struct.pack("<HHII", tag, 4, 1, value) + data[at + 12 :]
    return data


LIES = [lying_jpeg(16_274, 56_321), lying_jpeg(65_000, 65_000), lying_png(60_000, 60_000), lying_png(1, 1 << 31)]
LIES += [lying_webp(16_383, 16_383), lying_tiff(100_000, 100_000)]


@pytest.mark.parametrize("data", LIES, ids=lambda data: repr(data[:4]))
def test_lies_are_refused_at_once(data, tmp_path):
    path = tmp_path / "x.png"
    path.write_bytes(data)
    started = time.process_time()
    with pytest.raises(CorruptFileError, match="too large") as caught:
        codec.read_image(path)
    assert caught.value.exit_code == 7
    assert "pixels" in caught.value.why
    assert str(path) in str(caught.value)
    with pytest.raises(CorruptFileError):
        codec.decode_image(data)
    with pytest.raises(CorruptFileError):
        codec.decode_reduced(data)
    assert not thumbnail(data).any()
    assert time.process_time() - started < 1


def test_a_chunk_of_a_png_is_no_longer_than_the_file(tmp_path):
    data = facekit.png(32)
    at = data.index(b"IDAT") - 4
    for length in (1 << 30, (1 << 31) - 1, (1 << 32) - 1, len(data)):
        lying = data[:at] + length.to_bytes(4) + data[at + 4 :]
        for decode in (codec.decode_image, codec.decode_any, codec.decode_reduced):
            with pytest.raises(CorruptFileError, match="truncated"):
                decode(lying)


def test_optimized_masks_are_small_files_of_many_pixels():
    """One bit a pixel: eight times as many pixels in a byte as a gray image has."""
    size = 4096
    header = struct.pack(">IIBBBBB", size, size, 1, 0, 0, 0, 0)
    rows = zlib.compress(bytes(size * (size // 8 + 1)), 9)
    data = png.SIGNATURE + png.chunk(b"IHDR", header) + png.chunk(b"IDAT", rows) + png.chunk(b"IEND", b"")
    assert size * size > 1100 * len(data)
    assert codec.decode_any(data).shape == (size, size)


def test_few_bytes_cannot_hold_many_pixels():
    """Within the limit of frames, but nothing compresses that well."""
    with pytest.raises(CorruptFileError, match="cannot hold"):
        validate_dimensions(lying_jpeg(16_000, 16_000), "x", MAX_PIXELS)
    validate_dimensions(lying_jpeg(16_000, 16_000) + bytes(300_000), "x", MAX_PIXELS)


def test_one_color_compresses_as_well_as_it_does():
    image = np.full((2000, 3000, 3), 7, np.uint8)
    for suffix in (".jpg", ".png", ".webp"):
        assert codec.decode_image(cv2.imencode(suffix, image)[1].tobytes()).shape == image.shape


def test_faces_are_smaller_than_frames(tmp_path: Path):
    """The size in a face file is that of masks and crops, which are made without looking at its pixels."""
    assert MAX_FACE_PIXELS < MAX_PIXELS
    large = dfl_image.embed(lying_jpeg(9000, 9000), facekit.record())
    with pytest.raises(CorruptFileError, match="too large"):
        dfl_image.parse(large, "a.jpg")
    (tmp_path / "a.jpg").write_bytes(large)
    with pytest.raises(CorruptFileError, match="too large"):
        dfl_image.read(tmp_path / "a.jpg")


def test_sixteen_bits_are_rounded_exactly():
    deep = np.arange(65536, dtype=np.uint16).reshape(256, 256)
    expected = ((deep.astype(np.uint32) * 255 + 32767) // 65535).astype(np.uint8)
    assert np.array_equal(codec.decode_image(cv2.imencode(".png", deep)[1].tobytes())[..., 0], expected)
