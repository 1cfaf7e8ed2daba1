"""Color transfers by statistics that were measured before do what those that measure themselves do."""

import numpy as np
import pytest

from core.imaging import color
from core.imaging.color_statistics import MODES, moved, statistics

RANDOM = np.random.default_rng(4)
FACE = np.clip(RANDOM.normal([0.3, 0.45, 0.5], [0.05, 0.08, 0.1], (400, 3)), 0, 1).astype(np.float32)
FILM = np.clip(RANDOM.normal([0.4, 0.5, 0.7], [0.08, 0.06, 0.05], (900, 3)), 0, 1).astype(np.float32)


@pytest.mark.parametrize("mode", ["rct", "lct", "mkl"])
def test_the_same_as_the_transfer_of_that_name(mode):
    ours = np.clip(moved(mode, FACE, statistics(mode, FACE), statistics(mode, FILM)), 0, 1)
    theirs = color.transfer(mode, FACE[None], FILM[None], np.random.RandomState(0))[0]
    np.testing.assert_allclose(ours, theirs, atol=1e-3)


@pytest.mark.parametrize("mode", MODES)
def test_the_mean_is_taken_over_and_by_two_the_spread(mode):
    out = moved(mode, FACE, statistics(mode, FACE), statistics(mode, FILM))
    np.testing.assert_allclose(out.mean(0), FILM.mean(0), atol=0.01)
    # rct takes over the spread in Lab.
    assert np.allclose(out.std(0), FILM.std(0), atol=0.002) == (mode in ("lct", "mkl"))


@pytest.mark.parametrize("mode", MODES)
def test_a_flat_face_stays_in_bounds(mode):
    flat = np.full((50, 3), 0.5, np.float32)
    other = statistics(mode, flat + np.float32(0.02))
    assert np.abs(moved(mode, flat, other, statistics(mode, FILM)) - FILM.mean(0)).max() < 2
