"""Light evened out, a channel at a time."""

import cv2
import numpy as np
import pytest

from core.imaging.normalise import normalised


@pytest.fixture
def dim():
    """A dim gradient, its channels of different contrast."""
    row = np.linspace(40, 90, 64).astype(np.uint8)
    image = np.tile(row[None, :, None], (64, 1, 3))
    image[:, :, 1] = image[:, :, 1] // 2 + 10
    return image


def test_nothing_to_do_changes_nothing(dim):
    assert normalised(dim, "none") is dim


@pytest.mark.parametrize("way", ["clahe", "hist", "mean"])
def test_contrast_grows_and_channels_do_not_mix(dim, way):
    made = normalised(dim, way)
    assert made.dtype == np.uint8 and made.shape == dim.shape
    assert (made.std(axis=(0, 1)) > dim.std(axis=(0, 1))).all()
    alone = normalised(dim[:, :, 1:2], way)
    np.testing.assert_array_equal(alone[:, :, 0], made[:, :, 1])


def test_the_whole_range_is_used(dim):
    made = normalised(dim, "mean")
    assert (made.min(axis=(0, 1)) == 0).all() and (made.max(axis=(0, 1)) == 255).all()
    np.testing.assert_array_equal(normalised(dim, "hist")[:, :, 0], cv2.equalizeHist(dim[:, :, 0].copy()))
    flat = np.full((8, 8, 3), 77, np.uint8)
    assert normalised(flat, "hist").shape == flat.shape
