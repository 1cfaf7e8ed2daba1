"""The filters of mask training against golden numbers."""

import numpy as np
import pytest
from golden_files import GoldenArrays

from core.data import filters

GOLDEN = {
    "rgb_levels": (filters.levels, {}, 1e-6),
    "hsv_shift": (filters.hsv_shift, {}, 1e-5),
    "sharpen": (filters.sharpen, {"chance": 100}, 1e-6),
    # the rotated kernel is resampled a little differently by different versions of OpenCV
    "motion_blur": (filters.motion_blur, {"chance": 100}, 2e-3),
    "gaussian_blur": (filters.gaussian_blur, {"chance": 100}, 1e-6),
    "nearest_resize": (filters.coarsen_nearest, {"chance": 100}, 1e-6),
    "bilinear_resize": (filters.coarsen, {"chance": 100}, 1e-6),
    "jpeg_compress": (filters.jpeg, {"chance": 100}, 1e-6),
}


@pytest.mark.parametrize("name", GOLDEN)
def test_equal_to_golden(name):
    golden = GoldenArrays("dfl-model/sampling.npz")
    function, keys, tolerance = GOLDEN[name]
    for seed in range(4):
        made = function(golden["img"], np.random.RandomState(seed), **keys)
        assert np.abs(made - golden[f"filter_apply_random_{name}"][seed]).max() <= tolerance


def test_circle_equal_to_golden():
    golden = GoldenArrays("dfl-model/sampling.npz")["circle"]
    for seed in range(4):
        assert np.abs(filters.faded_circle(64, np.random.RandomState(seed)) - golden[seed]).max() < 1e-6


def test_chance_zero_changes_nothing():
    image = np.random.default_rng(0).random((32, 32, 3), np.float32)
    for function in (filters.sharpen, filters.motion_blur, filters.gaussian_blur, filters.coarsen, filters.jpeg):
        assert np.array_equal(function(image, np.random.RandomState(1), chance=0), image)


def test_in_circle_stays_in_the_circle():
    image = np.full((64, 64, 3), 0.25, np.float32)
    circle = filters.faded_circle(64, np.random.RandomState(5))
    changed = filters.in_circle(image, lambda x, random: x + 0.5, np.random.RandomState(5))
    assert np.allclose(changed - image, 0.5 * circle)


def test_flare_brightens_beyond_the_mask():
    image, mask = np.full((64, 64, 3), 0.25, np.float32), np.zeros((64, 64, 1), np.float32)
    mask[16:48, 16:48] = 1
    glow = filters.flare(image, mask, np.random.RandomState(0)) - image
    assert glow.min() >= 0 and glow[32, 32].mean() > glow[0, 0].mean() > 0
