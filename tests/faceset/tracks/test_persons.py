"""Tracks become persons: by likeness, never twice in a frame, and a given name counts most."""

import numpy as np
from moving_faces import people, seen

from core.faceset.tracks.persons import name_faces


def names(tracks, given=None) -> list[str]:
    """One name a track. tracks: (vectors (n, d), first frame) each."""
    track = np.repeat(np.arange(len(tracks)), [len(vectors) for vectors, _ in tracks])
    frame = np.concatenate([np.arange(first, first + len(vectors)) for vectors, first in tracks])
    given = [(given or {}).get(t, "") for t in track.tolist()]
    found = name_faces(track, frame, np.concatenate([vectors for vectors, _ in tracks]), given)
    by_track = [set(np.array(found, object)[track == t]) for t in range(len(tracks))]
    assert all(len(one) == 1 for one in by_track)
    return [one.pop() for one in by_track]


A, B, C = people(3)


def test_the_person_with_most_faces_is_number_one():
    assert names([(seen(A, 5), 0), (seen(B, 9), 5), (seen(A, 3), 20), (seen(C, 2), 30)]) == ["2", "1", "2", "3"]


def test_nobody_is_in_a_frame_twice():
    twin = (A + 0.3 * B) / np.linalg.norm(A + 0.3 * B)
    found = names([(seen(A, 9), 0), (seen(twin, 8), 0), (seen(A, 7), 20), (seen(twin, 6), 20)])
    assert found == ["1", "2", "1", "2"]


def test_a_given_name_spreads_and_leaves_the_other_numbers():
    tracks = [(seen(A, 5), 0), (seen(B, 9), 5), (seen(A, 3), 20)]
    assert names(tracks, {2: "Ann"}) == ["Ann", "1", "Ann"]
    assert names(tracks, {1: "Bob"}) == ["2", "Bob", "2"]


def test_different_names_are_different_persons():
    tracks = [(seen(A, 9), 0), (seen(A, 5, seed=1), 20), (seen(A, 4, seed=2), 40)]
    assert names(tracks, {0: "Ann", 1: "Ann's twin"})[:2] == ["Ann", "Ann's twin"]


def test_numbers_are_given_anew():
    assert names([(seen(A, 5), 0), (seen(A, 3), 20)], {0: "7", 1: "8"}) == ["1", "1"]


def test_a_single_named_face_names_its_track_and_keeps_its_own_name():
    given = ["", "", "Ann", "", "Bob", "Ann"]
    found = name_faces(np.zeros(6, np.intp), np.arange(6), seen(A, 6), given)
    assert found == ["Ann", "Ann", "Ann", "Ann", "Bob", "Ann"]


def test_without_identity_nobody_is_anybody():
    unknown = np.full((3, 16), np.nan, np.float32)
    assert names([(unknown, 0), (seen(A, 2), 5)]) == ["", "1"]
    assert names([(unknown, 0)], {0: "Ann"}) == ["Ann"]
    assert name_faces(np.empty(0, np.intp), np.empty(0, np.intp), np.empty((0, 16), np.float32), []) == []
