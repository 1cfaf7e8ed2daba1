"""Pictures in and out, and the cut of a face."""

import cv2
import numpy as np
import pytest
from facekit import jpeg, pixels, png

from core.errors import CorruptFileError, InputError, UsageError
from core.imaging import codec
from core.imaging.warp import warp_face


def test_names_of_any_script(tmp_path):
    path = tmp_path / "лицо 顔 ü.png"
    path.write_bytes(png())
    assert np.array_equal(codec.read_image(path), pixels())


def test_png_is_lossless_and_jpeg_close():
    smooth = cv2.GaussianBlur(pixels(128), (0, 0), 8)
    assert np.array_equal(codec.decode_image(codec.encode_png(smooth)), smooth)
    for subsampling in ("444", "422", "420"):
        assert np.abs(codec.decode_image(codec.encode_jpeg(smooth, 95, subsampling)).astype(int) - smooth).mean() < 2


@pytest.mark.parametrize(
    "array",
    [
        np.full((4, 6), 128, np.uint8),
        np.full((4, 6, 4), 128, np.uint8),
        np.full((4, 6, 3), 128 * 257, np.uint16),
        np.full((4, 6), 128 * 257, np.uint16),
    ],
)
def test_every_depth_becomes_8_bit_bgr(array):
    image = codec.decode_image(cv2.imencode(".png", array)[1].tobytes())
    assert image.shape == (4, 6, 3)
    assert image.dtype == np.uint8
    assert set(np.unique(image)) == {128}


def test_orientation_tags_do_not_turn_the_picture():
    exif = b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0"
    plain = codec.encode_jpeg(pixels()[:32], 90)
    turned = plain[:2] + b"\xff\xe1" + (len(exif) + 2).to_bytes(2) + exif + plain[2:]
    assert np.array_equal(codec.decode_image(turned), codec.decode_image(plain))


@pytest.mark.parametrize(
    "data",
    [b"", b"no picture", jpeg()[:500], jpeg()[:-200], png()[:500], b"\xff\xd8", b"\xff\xd8\xff\xd9", bytes(1000)],
)
def test_damaged_pictures_are_typed_errors(data, tmp_path):
    path = tmp_path / "x.jpg"
    path.write_bytes(data)
    with pytest.raises(CorruptFileError) as caught:
        codec.read_image(path)
    assert str(path) in str(caught.value)


def test_other_errors(tmp_path):
    with pytest.raises(InputError):
        codec.read_image(tmp_path / "absent.png")
    with pytest.raises(UsageError):
        codec.encode_jpeg(pixels(), 90, "411")
    with pytest.raises(InputError):
        codec.encode_png(np.zeros((0, 5, 3), np.uint8))


def test_shrinking_does_not_alias():
    """A checkerboard of single pixels becomes grey; the exact cut makes a pattern of it."""
    board = (np.indices((600, 600)).sum(0) % 2 * 255).astype(np.uint8)[..., None].repeat(3, 2)
    matrix = np.array([[0.3, 0, 0], [0, 0.3, 0]])
    smooth, exact = (warp_face(board, matrix, 170, exact)[10:-10, 10:-10].astype(float) for exact in (False, True))
    assert smooth.std() < 5 < 30 < exact.std()
    assert abs(smooth.mean() - 127.5) < 1


@pytest.mark.parametrize("scale", [2.0, 1.0, 0.9, 0.5, 0.3, 0.11, 0.04])
@pytest.mark.parametrize("angle", [0.0, 0.5])
def test_pixels_stay_where_they_belong(scale, angle):
    """On a ramp, which filters leave alone, the filtered cut equals the exact one: no shift at any scale."""
    ramp = (np.add.outer(np.arange(1500.0), 2 * np.arange(1500.0)) / 10).astype(np.float32)[..., None]
    turn = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    matrix = np.column_stack([turn, 20 - turn @ [750, 750]])
    smooth, exact = warp_face(ramp, matrix, 40), warp_face(ramp, matrix, 40, exact=True)
    assert smooth.shape == (40, 40, 1)
    assert np.abs(smooth - exact).max() < 0.02 / scale + 0.02


def test_exact_is_the_plain_bilinear_cut():
    image, matrix = pixels(100), np.array([[1.3, 0.2, -5], [-0.2, 1.3, 8]])
    assert np.array_equal(warp_face(image, matrix, 80, exact=True), cv2.warpAffine(image, matrix, (80, 80)))


def test_outside_is_black():
    assert warp_face(pixels(), np.array([[1, 0, 500], [0, 1, 0.0]]), 64).sum() == 0
