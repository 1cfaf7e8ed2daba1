"""Color transfer: the original's numbers, and what every method must do."""

import numpy as np
import pytest
from golden_files import GoldenArrays

from core.imaging.color import MODES, transfer


@pytest.mark.parametrize("mode", MODES[1:])
def test_golden(mode):
    golden = GoldenArrays("dfl-model/sampling.npz")
    made = transfer(mode, golden["ct_a"], golden["ct_b"], np.random.RandomState(3))
    assert np.abs(made - golden[f"ct_{mode}"]).max() < 1e-4


@pytest.mark.parametrize("mode", MODES[1:])
def test_moves_towards_the_reference(mode):
    random = np.random.RandomState(0)
    image = (random.rand(24, 24, 3) * 0.3 + (0.1, 0.2, 0.5)).astype(np.float32)
    reference = (random.rand(24, 24, 3) * 0.2 + (0.6, 0.4, 0.2)).astype(np.float32)
    made = transfer(mode, image, reference, np.random.RandomState(1))
    assert made.shape == image.shape and made.dtype == np.float32 and made.min() >= 0 and made.max() <= 1
    before, after = (np.abs(x.mean((0, 1)) - reference.mean((0, 1))).sum() for x in (image, made))
    assert after < before * 0.7


@pytest.mark.parametrize("mode", MODES[1:])
def test_flat_pictures_give_finite_numbers(mode):
    grey = np.full((16, 16, 3), 0.5, np.float32)
    assert np.isfinite(
        transfer(mode, grey, np.random.RandomState(0).rand(16, 16, 3).astype(np.float32), np.random.RandomState(1))
    ).all()


def test_none_is_the_same_picture_and_unknown_is_refused():
    image = np.zeros((4, 4, 3), np.float32)
    assert transfer("none", image, image, np.random.RandomState(0)) is image
    with pytest.raises(KeyError):
        transfer("sepia", image, image, np.random.RandomState(0))
