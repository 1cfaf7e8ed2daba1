"""Trembling goes, movement stays: against paths whose truth is known."""

import numpy as np
import pytest
from moving_faces import heads

from core.faceset.tracks.held import pictures
from core.faceset.tracks.motion import join, split
from core.faceset.tracks.one_euro import OneEuro
from core.faceset.tracks.smooth import smooth_track, steady_turns

TIME = np.arange(160.0)
NOISE = 0.3


def trembling(truth: np.ndarray) -> np.ndarray:
    return truth + np.random.default_rng(0).normal(0, NOISE, truth.shape)


def jitter(points: np.ndarray) -> float:
    return float(np.sqrt((np.diff(points, 2, axis=0) ** 2).mean()))


def error(points: np.ndarray, truth: np.ndarray) -> float:
    return float(np.sqrt(((points - truth) ** 2).mean()))


def pan() -> np.ndarray:
    return heads(np.column_stack([400 + 150 * np.sin(TIME / 10), 300 + 20 * np.cos(TIME / 7)]))


def zoom() -> np.ndarray:
    return heads(np.column_stack([300 + TIME, np.full(160, 300.0)]), 80 * np.exp(TIME / 160), 0.3 * np.sin(TIME / 15))


def blinking() -> np.ndarray:
    truth = heads(np.full((160, 2), 300.0))
    closing = np.isin(TIME % 40, (20, 21, 22))
    truth[np.ix_(closing, [37, 38, 43, 44])] += (0, 6)
    return truth


@pytest.mark.parametrize("truth", [pan(), zoom(), heads(np.full((160, 2), 300.0))], ids=["pan", "zoom", "rest"])
def test_trembling_goes_and_the_path_stays(truth):
    raw = trembling(truth)
    smooth = smooth_track(TIME, raw, 0.5)
    assert jitter(smooth - truth) < 0.6 * jitter(raw - truth)
    assert error(smooth, truth) < 0.8 * error(raw, truth)


def test_blinks_stay():
    smooth = smooth_track(TIME, trembling(blinking()), 0.5)
    lid = smooth[:, 37, 1] - smooth[:, 17, 1]
    still = np.median(lid)
    assert (lid[21::40] - still > 0.85 * 6).all()


def test_a_step_is_not_delayed():
    truth = heads(np.column_stack([np.where(TIME < 80, 300.0, 360.0), np.full(160, 300.0)]))
    smooth = smooth_track(TIME, trembling(truth), 0.5)
    assert np.abs(smooth[79] - truth[79]).mean() < 15
    assert np.abs(smooth[80] - truth[80]).mean() < 15
    assert error(smooth[:76], truth[:76]) < NOISE


def test_more_strength_trembles_less_and_none_changes_nothing():
    raw = trembling(pan())
    assert smooth_track(TIME, raw, 0.0).tolist() == raw.tolist()
    jitters = [jitter(smooth_track(TIME, raw, strength)) for strength in (0.01, 0.25, 1.0)]
    assert jitters == sorted(jitters, reverse=True)


def test_the_crop_stands_still_while_the_film_shows_one_picture():
    """A camera of 20 pictures a second in a film of 30: every second picture is shown twice."""
    shown = np.repeat(np.arange(107), np.where(np.arange(107) % 2, 2, 1))[:160]
    truth = heads(np.column_stack([300 + 6 * shown, np.full(160, 300.0)]))
    found = truth + np.random.default_rng(0).normal(0, NOISE, (107, 68, 2))[shown]
    found += np.random.default_rng(1).normal(0, 0.01, found.shape)  # compression
    assert (pictures(TIME, found) == shown).all()
    motion = split(smooth_track(TIME, found, 0.5))[0]
    same = np.diff(shown) == 0
    assert np.abs(np.diff(motion, axis=0)[same]).max() < 1e-9
    assert np.allclose(np.diff(motion[:, 0])[~same], 6, atol=0.5)


def test_a_face_at_rest_is_no_single_picture():
    rest = heads(np.full((160, 2), 300.0))
    assert (pictures(TIME, trembling(rest)) == np.arange(160)).all()


def test_fixed_faces_do_not_move():
    raw = trembling(pan())
    fixed = TIME % 50 == 25
    smooth = smooth_track(TIME, raw, 1.0, fixed)
    assert (smooth[fixed] == raw[fixed]).all()
    assert not (smooth[~fixed] == raw[~fixed]).all(axis=(1, 2)).any()


def test_faces_far_apart_in_time_do_not_know_each_other():
    raw = trembling(pan())
    both = smooth_track(np.r_[TIME[:80], TIME[80:] + 500], raw, 0.5)
    moved = raw.copy()
    moved[80:] += 1000
    alone = smooth_track(np.r_[TIME[:80], TIME[80:] + 500], moved, 0.5)
    assert np.allclose(both[:80], alone[:80], atol=0.05)


@pytest.mark.parametrize("count", [1, 2, 3, 5])
def test_short_tracks(count):
    raw = trembling(pan())[:count]
    smooth = smooth_track(TIME[:count], raw, 0.5)
    assert np.abs(smooth - raw).max() < 5


def test_motion_and_shape_give_the_points_back():
    points = trembling(zoom())
    motion, shape = split(points)
    assert np.allclose(join(motion, shape), points)
    turned = split(heads(np.full((200, 2), 300.0), 100.0, np.linspace(0, 4 * np.pi, 200)))[0]
    assert turned[-1, 3] - turned[0, 3] == pytest.approx(4 * np.pi)


def test_one_euro_smooths_what_rests_and_follows_what_moves():
    rng = np.random.default_rng(0)
    filter_ = OneEuro()
    rest = rng.normal(0, 0.0015, (200, 2))
    out = np.array([filter_.step(i / 30, value) for i, value in enumerate(rest)])
    assert jitter(out) < 0.5 * jitter(rest)
    filter_.reset()
    assert filter_.step(0.0, np.array([5.0, 5.0])).tolist() == [5.0, 5.0]
    for i in range(1, 30):
        value = filter_.step(i / 30, np.array([5.0 + 0.05 * i, 5.0]))
    assert 0 < (5.0 + 0.05 * 29 - value[0]) / 0.05 < 1


def test_unsure_faces_are_turned_as_their_neighbours_and_the_others_stay():
    truth = zoom()
    rng = np.random.default_rng(1)
    unsure = np.zeros(160, bool)
    unsure[40:80] = True
    motion, shape = split(truth)
    motion[unsure, 3] += np.radians(rng.normal(0, 8, 40))
    motion[60, 3] += np.pi  # upside down
    found = join(motion, shape)
    steady = steady_turns(TIME, found, unsure)
    np.testing.assert_array_equal(steady[~unsure], found[~unsure])
    off = np.degrees(np.abs(split(steady)[0][:, 3] - split(truth)[0][:, 3]))[unsure]
    assert np.percentile(off, 95) < 6 and off.mean() < 3
    np.testing.assert_allclose(split(steady)[0][:, :3], motion[:, :3], atol=1e-6)
    kept = smooth_track(TIME, found, 0.0, unsure=unsure)
    np.testing.assert_array_equal(kept, found)
