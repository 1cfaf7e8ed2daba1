"""Cuts are found; flashes, pans, lamps and noise are none."""

import numpy as np

from core.faceset.tracks.cuts import find_cuts, scenes


def scene(seed: int, count: int) -> np.ndarray:
    """A picture in which little moves."""
    rng = np.random.default_rng(seed)
    picture = rng.uniform(40, 200, (8, 8, 3))
    return np.clip(picture + rng.normal(0, 2, (count, 8, 8, 3)), 0, 255).astype(np.uint8)


def found(looks: np.ndarray) -> list[int]:
    return np.flatnonzero(find_cuts(looks)).tolist()


def test_a_cut_is_where_another_picture_begins():
    looks = np.concatenate([scene(0, 30), scene(1, 10), scene(0, 20)])
    assert found(looks) == [30, 40]
    assert np.bincount(scenes(find_cuts(looks))).tolist() == [30, 10, 20]


def test_a_flash_is_no_cut():
    looks = scene(0, 40)
    looks[20:22] = np.clip(looks[20:22] * 0.2 + 200, 0, 255)
    looks[30] = scene(1, 1)[0]
    assert found(looks) == []


def test_a_lamp_is_no_cut():
    looks = scene(0, 40)
    looks[20:] = looks[20:] * 0.4
    assert found(looks) == []


def test_a_fast_pan_is_no_cut():
    wide = np.kron(scene(0, 1)[0], np.ones((1, 3, 1)))
    wide = np.concatenate([wide, wide[:, ::-1], wide], axis=1)
    place = np.clip(np.arange(60) - 15, 0, 30)
    assert found(np.array([wide[:, p : p + 8] for p in place]).astype(np.uint8)) == []


def test_a_dark_film_has_no_cuts_of_noise():
    assert found(np.random.default_rng(0).integers(0, 4, (50, 8, 8, 3), dtype=np.uint8)) == []


def test_films_of_no_and_one_frame():
    assert found(np.zeros((0, 8, 8, 3), np.uint8)) == found(scene(0, 1)) == []
