"""Movements of samples: parity of the parameters with the original, symmetry mended, determinism, borders."""

from dataclasses import replace

import numpy as np
import pytest
from golden_files import GoldenArrays

from core.data.augment import Ranges, draw_motion, move, shift_hsv


def generators(seed):
    return np.random.RandomState(seed), np.random.RandomState(seed)


@pytest.mark.parametrize("number", range(18))
def test_parameters_equal_the_original(number):
    golden = GoldenArrays("dfl-model/sampling.npz")
    size, seed = int(golden[f"warp{number}_size"]), int(golden[f"warp{number}_seed"])
    motion = draw_motion(size, Ranges(flip=True), *generators(seed), exact=True)
    assert motion.flip == bool(golden[f"warp{number}_p_flip"])
    assert (
        np.abs(motion.map_x - golden[f"warp{number}_p_mapx"]).max() < 1e-4
    )  # the last bit differs between versions of OpenCV
    assert np.abs(motion.map_y - golden[f"warp{number}_p_mapy"]).max() < 1e-4
    assert np.abs(motion.matrix - golden[f"warp{number}_p_rmat"]).max() == 0


def test_exact_field_is_symmetric_and_the_mended_one_is_not():
    exact = draw_motion(96, Ranges(), *generators(1), exact=True)
    mended = draw_motion(96, Ranges(), *generators(1))
    assert np.abs(exact.map_y - exact.map_x.T).max() < 1e-4
    assert np.abs(mended.map_y - mended.map_x.T).max() > 0.5
    assert (exact.map_x == mended.map_x).all()


def test_both_directions_move_equally_far():
    def spread(part):
        grid = np.arange(64) if part == "map_x" else np.arange(64)[:, None]
        return np.mean(
            [np.std(getattr(draw_motion(64, Ranges(), *generators(seed)), part) - grid) for seed in range(60)]
        )

    assert spread("map_x") == pytest.approx(spread("map_y"), rel=0.15)


def test_warp_repeats_the_border_unless_exact():
    white = np.ones((64, 64, 3), np.float32)
    still = Ranges(rotation=0, scale=0, shift=0)

    def darkest(exact):
        motions = (draw_motion(64, still, *generators(seed), exact=exact) for seed in range(5))
        return min(move(white, motion, warped=True, mask=False).min() for motion in motions)

    assert darkest(False) > 0.999
    assert darkest(True) < 0.9


def test_one_interpolation_shows_what_two_show():
    """A face that is warped and turned at once is that of the two steps, a little sharper."""
    golden = GoldenArrays("dfl-model/sampling.npz")
    image = np.ascontiguousarray(golden["proc0_target"], np.float32)
    differences = []
    for seed in range(12):
        at_once = draw_motion(64, Ranges(flip=True), *generators(seed))
        exact = replace(at_once, exact=True)
        for warped in (True, False):
            one, two = (np.clip(move(image, motion, warped=warped, mask=False), 0, 1) for motion in (at_once, exact))
            inner = np.s_[8:-8, 8:-8]  # exact warps have black borders
            differences.append(255 * (one[inner] - two[inner]))
    assert np.mean(np.abs(differences)) < 1.5
    assert abs(np.mean(differences)) < 0.1


def test_same_seed_same_motion_and_flip_share():
    image = np.random.RandomState(0).rand(64, 64, 3).astype(np.float32)
    a, b = (move(image, draw_motion(64, Ranges(flip=True), *generators(7)), warped=True, mask=False) for _ in range(2))
    assert (a == b).all() and a.shape == image.shape
    flips = np.mean([draw_motion(64, Ranges(flip=True), *generators(seed)).flip for seed in range(600)])
    assert flips == pytest.approx(0.4, abs=0.06)
    assert not any(draw_motion(64, Ranges(), *generators(seed)).flip for seed in range(50))


def test_no_motion_is_the_identity_and_small_sizes_work():
    image = np.random.RandomState(0).rand(64, 64, 3).astype(np.float32)
    still = draw_motion(64, Ranges(rotation=0, scale=0, shift=0), *generators(3))
    assert np.abs(move(image, still, warped=False, mask=False) - image).max() < 1e-5
    small = draw_motion(48, Ranges(), *generators(3))
    assert small.work == 64 and move(image[:48, :48], small, warped=True, mask=False).shape == (48, 48, 3)


def test_hsv_stays_in_range_and_keeps_shape():
    image = np.random.RandomState(0).rand(32, 32, 3).astype(np.float32)
    shifted = shift_hsv(image, 0.3, np.random.RandomState(1))
    assert shifted.shape == image.shape and shifted.min() >= 0 and shifted.max() <= 1
    assert 0.01 < np.abs(shifted - image).mean() < 0.6
