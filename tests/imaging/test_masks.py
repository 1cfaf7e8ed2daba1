"""Masks from landmarks, polygons and files."""

import cv2
import facekit
import numpy as np
import pytest
from golden_files import GoldenArrays

from core.errors import CorruptFileError, InputError
from core.imaging import masks, png
from core.imaging.masks import decode_mask, encode_mask, mask_maker
from core.types import Polygon

SQUARE = Polygon(True, np.float32([[10, 10], [50, 10], [50, 50], [10, 50]]))
HOLE = Polygon(False, np.float32([[20, 20], [30.9, 20], [30.9, 30.9], [20, 30]]))


def test_hull_is_two_level_and_grows_with_the_brows():
    points = facekit.record(size=256).landmarks
    one, two = masks.hull_mask((256, 256, 3), points), masks.hull_mask((256, 256), points, 2.0)
    assert one.shape == (256, 256, 1)
    assert one.dtype == np.float32
    assert set(np.unique(one)) == {0, 1}
    assert (two >= one).all()
    assert two.sum() > one.sum() > 5000


def test_soft_masks():
    points = facekit.record(size=256).landmarks
    for made in (masks.eyes_mask((256, 256), points), masks.mouth_mask((256, 256), points)):
        assert made.shape == (256, 256, 1)
        assert 0.9 < made.max() <= 1.0
        assert 0 < made.mean() < 0.2
    with pytest.raises(InputError, match="32"):
        masks.eyes_mask((31, 31), points)


def test_far_off_landmarks_do_no_harm():
    assert masks.hull_mask((64, 64), facekit.record(size=64).landmarks * 1e7).shape == (64, 64, 1)


@pytest.mark.parametrize("order", [(SQUARE, HOLE), (HOLE, SQUARE)])
def test_exclude_wins_whatever_the_order(order):
    mask = masks.polygon_mask((64, 64), (*order, Polygon(True, np.zeros((0, 2), np.float32))))
    assert mask[25, 25, 0] == 0
    assert mask[15, 15, 0] == 1
    assert mask[30, 30, 0] == 0
    assert mask[31, 31, 0] == 1
    assert mask.sum() == 41 * 41 - 11 * 11


def test_stored_masks():
    gradient = np.linspace(0, 1, 64 * 64, dtype=np.float32).reshape(64, 64, 1)
    data = masks.encode_mask(gradient)
    assert data.startswith(b"\x89PNG")
    assert np.array_equal(
        masks.decode_mask(data), np.clip(gradient * 255, 0, 255).astype(np.uint8).astype(np.float32) / 255
    )
    noise = np.random.default_rng(0).random((512, 512)).astype(np.float32)
    stored = masks.encode_mask(noise)
    assert stored.startswith(b"\xff\xd8")
    assert len(stored) <= 50_000
    assert masks.decode_mask(stored).shape == (512, 512, 1)
    assert masks.decode_mask(cv2.imencode(".png", np.full((4, 4, 3), 255, np.uint8))[1].tobytes()).shape == (4, 4, 1)
    for bad in (b"", b"x", data[:60], stored[:400]):
        with pytest.raises(CorruptFileError):
            masks.decode_mask(bad)


def test_best_mask_takes_the_stored_one_first():
    record = facekit.record(size=64)
    assert masks.best_mask(record)[1] == "hull"
    polygons = facekit.record(size=64, polygons=(SQUARE,))
    assert masks.best_mask(polygons)[1] == "polygons"
    mask, origin = masks.best_mask(
        facekit.record(size=64, polygons=(SQUARE,), xseg_mask=masks.encode_mask(np.ones((16, 16))))
    )
    assert (origin, mask.shape, mask.min()) == ("xseg", (64, 64, 1), 1.0)


def test_golden_masks_to_the_bit():
    ref = GoldenArrays("dfl-faceset/ref.npz")
    shape = (256, 256, 3)
    for i, points in enumerate(ref["al"]):
        assert np.array_equal(masks.hull_mask(shape, points), ref["hull"][i])
        assert np.array_equal(masks.hull_mask(shape, points, 2.0), ref["hull2"][i])
        assert np.array_equal(masks.eyes_mask(shape, points), ref["eye"][i])
        assert np.array_equal(masks.mouth_mask(shape, points), ref["mouth"][i])


@pytest.mark.parametrize("noise", [0, 0.5])
def test_a_stored_mask_says_who_made_it(noise):
    """As PNG, and as JPEG where that would be too large."""
    mask = np.clip(np.full((512, 512), 0.5) + noise * np.random.default_rng(0).normal(size=(512, 512)), 0, 1)
    plain, marked = encode_mask(mask), encode_mask(mask, "whole")
    assert plain[:2] == marked[:2] == (b"\x89P" if not noise else b"\xff\xd8")
    assert mask_maker(plain) == "" and mask_maker(marked) == "whole"
    assert np.array_equal(decode_mask(plain), decode_mask(marked))


@pytest.mark.parametrize("data", [b"", b"\xff", png.SIGNATURE, png.SIGNATURE + bytes(25) + b"....tEXtMasker\0someone"])
def test_nobody_made_what_does_not_say_so(data):
    assert mask_maker(data) == ""
