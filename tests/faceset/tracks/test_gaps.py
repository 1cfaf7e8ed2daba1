"""Faces that were not found are put where they were; what lasts a moment is no face."""

import numpy as np
import pytest
from moving_faces import heads

from core.faceset.tracks.gaps import interpolate, interpolated_confidence, missing_places
from core.faceset.tracks.held import repeated
from core.faceset.tracks.short import short_reason, short_tracks

TIME = np.arange(60.0)


@pytest.mark.parametrize("gap", [1, 2, 3, 4, 5])
def test_planted_gaps_are_filled(gap):
    truth = heads(
        np.column_stack([400 + 100 * np.sin(TIME / 8), 300 + 30 * np.cos(TIME / 6)]),
        100 * np.exp(TIME / 100),
        0.2 * np.sin(TIME / 9),
    )
    hidden = np.isin(TIME, np.arange(20, 20 + gap))
    curved = interpolate(TIME[~hidden], truth[~hidden], TIME[hidden])
    straight = interpolate(TIME[~hidden], truth[~hidden], TIME[hidden], curved=False)
    worst = [np.linalg.norm(found - truth[hidden], axis=2).mean(axis=1).max() for found in (curved, straight)]
    assert worst[0] < 3
    assert gap < 3 or worst[0] < worst[1]


def test_a_track_of_two_faces_is_filled_straight():
    truth = heads(np.column_stack([TIME[:5] * 10, np.zeros(5)]))
    assert np.allclose(interpolate(TIME[[0, 4]], truth[[0, 4]], TIME[1:4]), truth[1:4])


def test_a_frame_that_repeats_a_picture_has_its_face():
    shown = np.array([0.0, 1, 1, 2, 3, 4, 4, 5])
    truth = heads(np.column_stack([shown**2 * 10, shown]))
    hidden = np.array([False, False, True, True, False, True, True, False])
    found = interpolate(shown[~hidden], truth[~hidden], shown[hidden])
    assert np.allclose(found[0], truth[1])
    assert np.linalg.norm(found - truth[hidden], axis=2).max() < 15


def test_three_frames_of_one_picture():
    truth = heads(np.array([[10.0, 10], [12, 10]]))
    found = interpolate(np.array([7.0, 7]), truth, np.array([7.0]))
    assert np.allclose(found[0], truth.mean(axis=0))


def looks_of(shown, rng):
    """Tiny pictures of a texture that moves on by ``shown``, with the noise of compression."""
    texture = rng.integers(40, 200, (8, 200, 3), np.uint8)
    moved = np.array([texture[:, 4 * at : 4 * at + 8] for at in shown])
    return moved + (rng.random(moved.shape) < 0.05).astype(np.uint8)


def test_repeated_pictures_are_seen_in_the_whole_frame():
    rng = np.random.default_rng(2)
    shown = np.array([k - k // 5 for k in range(40)])
    number = np.arange(40) + 100
    expected = np.concatenate([[False], np.diff(shown) == 0])
    looks = looks_of(shown, rng)
    assert np.array_equal(repeated(number, looks), expected)
    looks[expected, 2:5, 3:6] = 0
    assert np.array_equal(repeated(number, looks), expected)
    assert not repeated(2 * number, looks).any()


def test_a_film_that_stands_still_repeats_nothing():
    looks = looks_of(np.zeros(40, int), np.random.default_rng(3))
    assert not repeated(np.arange(40), looks).any()
    assert repeated(np.arange(3), looks[:3]).tolist() == [False] * 3


def test_which_frames_are_missing():
    track = np.array([3, 4, 6, 10, 11, 12])
    assert missing_places(track, 5).tolist() == [5, 7, 8, 9]
    assert missing_places(track, 2).tolist() == [5]
    assert missing_places(track[:1], 5).tolist() == missing_places(track[:0], 5).tolist() == []


def test_confidence_falls_with_the_distance_from_what_was_seen():
    time, confidence = np.array([0.0, 6.0]), np.array([0.9, 0.8])
    found = interpolated_confidence(time, confidence, np.arange(1.0, 6))
    assert found.argmin() == 2
    assert (found < 0.8).all()
    assert found[0] == pytest.approx(found[4])


def test_short_tracks_that_were_never_sure():
    track = np.array([0] * 8 + [1] * 2 + [2] * 2)
    confidence = np.array([0.6] * 8 + [0.65, 0.7] + [0.65, 0.95])
    assert short_tracks(track, confidence, 5, 0.9).tolist() == [False] * 8 + [True] * 2 + [False] * 2
    assert (short_reason(2), short_reason(1)) == ("a track of only 2 frames", "a track of only 1 frame")
    assert short_tracks(track[:0], confidence[:0], 5, 0.9).tolist() == []
