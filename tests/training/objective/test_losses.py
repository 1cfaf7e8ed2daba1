"""Losses: known values, identities, and the golden numbers of the original."""

import numpy as np
import pytest
from golden_files import GoldenArrays
from keras import ops

from core.training.objective import losses


@pytest.fixture(scope="module")
def pair():
    a = np.random.RandomState(14).rand(2, 64, 64, 3).astype(np.float32)
    return a, np.clip(a + 0.1 * np.random.RandomState(15).randn(2, 64, 64, 3), 0, 1).astype(np.float32)


@pytest.fixture(scope="module")
def golden():
    return GoldenArrays("dfl-model/networks_and_ops.npz")


def numpy(x):
    return ops.convert_to_numpy(x)


@pytest.mark.parametrize("size", [2, 5, 8, 11, 12, 19, 22])
def test_dssim_golden(golden, pair, size):
    assert np.abs(numpy(losses.dssim(*pair, size)) - golden[f"dssim_{size}"]).max() < 2e-6


@pytest.mark.parametrize("sigma", ["0.5", "1", "1.75", "2", "3", "7"])
def test_gaussian_blur_golden(golden, pair, sigma):
    assert np.abs(numpy(losses.gaussian_blur(pair[0], float(sigma))) - golden[f"gblur_{sigma}"]).max() < 2e-6


@pytest.mark.parametrize("blur", [0, 4, 8])
def test_style_golden(golden, pair, blur):
    assert numpy(losses.style_loss(*pair, blur, 100)) == pytest.approx(golden[f"style_{blur}"], rel=1e-4)


def test_matrix_and_convolution_agree(pair):
    for taps, pad in ((losses.dssim_taps(11), 0), (losses.gaussian_taps(2), 4)):
        assert (
            np.abs(
                numpy(losses.separable(pair[0], taps, pad)) - numpy(losses._separable_convolution(pair[0], taps, pad))
            ).max()
            < 2e-6
        )


def test_dssim_of_a_picture_with_itself_is_zero(pair):
    assert np.abs(numpy(losses.dssim(pair[0], pair[0], 11))).max() < 1e-6


def test_dssim_of_black_and_white():
    black, white = np.zeros((1, 16, 16, 1), np.float32), np.ones((1, 16, 16, 1), np.float32)
    assert numpy(losses.dssim(black, white, 5)) == pytest.approx((1 - 1e-4 / 1.0001) / 2, abs=1e-5)


def test_blur_keeps_a_flat_middle_and_darkens_the_edge():
    blurred = numpy(losses.gaussian_blur(np.ones((1, 32, 32, 1), np.float32), 2))
    assert blurred[0, 16, 16, 0] == pytest.approx(1, abs=1e-6)
    assert 0.2 < blurred[0, 0, 0, 0] < 0.5


def test_blur_outside_keeps_the_face_and_a_flat_background():
    target = np.full((1, 64, 64, 3), 0.25, np.float32)
    mask = np.zeros((1, 64, 64, 1), np.float32)
    mask[:, 20:40, 20:40] = 1
    target[:, 20:40, 20:40] = 0.9
    result = numpy(losses.blur_outside(target, mask))
    assert result[0, 30, 30] == pytest.approx([0.9] * 3)
    assert result[0, 19, 30] == pytest.approx([0.25] * 3, abs=1e-5)  # no colour of the face leaks out


def test_cross_entropy_known_values():
    logits = np.array([0.0, 100.0, -100.0], np.float32).reshape(3, 1, 1, 1)
    assert numpy(losses.sigmoid_cross_entropy(1, logits)) == pytest.approx([np.log(2), 0, 100], abs=1e-5)
    assert numpy(losses.sigmoid_cross_entropy(0, logits)) == pytest.approx([np.log(2), 100, 0], abs=1e-5)


def test_total_variation_axes():
    rows = np.arange(4, dtype=np.float32).reshape(1, 4, 1, 1) * np.ones((1, 1, 4, 2), np.float32)
    assert numpy(losses.total_variation(rows)) == pytest.approx([3 * 4 * 2])
    assert numpy(losses.total_variation(rows.transpose(0, 2, 1, 3))) == pytest.approx([3 * 4 * 2])


def test_reconstruction_ignores_what_the_mask_hides():
    rng = np.random.RandomState(0)
    target, image = rng.rand(2, 1, 64, 64, 3).astype(np.float32)
    nothing = np.zeros((1, 64, 64, 1), np.float32)
    arguments = (target, nothing, nothing, image, nothing, numpy(losses.soft_mask(nothing)))
    assert numpy(losses.reconstruction(*arguments, masked=True, eyes_mouth_prio=True)) == pytest.approx([0], abs=1e-5)
    assert numpy(losses.reconstruction(*arguments, masked=False, eyes_mouth_prio=True))[0] > 1
