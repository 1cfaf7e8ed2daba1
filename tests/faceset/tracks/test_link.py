"""Detections become tracks: through motion, crossings and gaps, and never across a cut or onto somebody else."""

import itertools

import numpy as np
import pytest
from moving_faces import people, seen

from core.faceset.tracks.assign import best_pairs
from core.faceset.tracks.link import Detections, link


def detections(*persons, scene=None) -> tuple[Detections, np.ndarray]:
    """One film of several people, each (frames, centres (n, 2), vectors); also who each detection is."""
    number = np.concatenate([frames for frames, _, _ in persons])
    order = np.argsort(number, kind="stable")
    who = np.repeat(np.arange(len(persons)), [len(frames) for frames, _, _ in persons])[order]
    number = number[order]
    scenes = np.zeros(len(number), np.intp) if scene is None else np.asarray(scene)[number]
    centre = np.concatenate([np.asarray(centres, np.float64) for _, centres, _ in persons])[order]
    vector = np.concatenate([vectors for _, _, vectors in persons])[order]
    return Detections(number, scenes, centre, np.full(len(number), 100.0), vector), who


def walk(start, step, frames) -> np.ndarray:
    return np.array(start) + np.array(step) * np.asarray(frames)[:, None]


def assert_tracks_are(track: np.ndarray, who: np.ndarray):
    pairs = set(zip(track.tolist(), who.tolist(), strict=True))
    assert len(pairs) == len(set(track.tolist())) == len(set(who.tolist()))


@pytest.mark.parametrize("known", [True, False], ids=["with identity", "by motion alone"])
def test_people_who_cross_keep_their_tracks(known):
    frames = np.arange(40)
    a, b = people(2)
    left = (frames, walk((0, 100), (12, 0), frames), seen(a, 40))
    right = (frames, walk((480, 106), (-12, 0), frames), seen(b, 40))
    faces, who = detections(left, right)
    if not known:
        faces.vector[:] = np.nan
    assert_tracks_are(link(faces, 5), who)


def test_a_fast_head_is_one_track():
    frames = np.arange(60)
    centres = np.column_stack([500 + 400 * np.sin(frames / 6), np.full(60, 200.0)])
    faces, who = detections((frames, centres, seen(people(1)[0], 60)))
    assert_tracks_are(link(faces, 0), who)


def test_gaps_are_bridged_up_to_their_limit():
    frames = np.r_[0:20, 24:40]
    faces, who = detections((frames, walk((0, 0), (5, 0), frames), seen(people(1)[0], 36)))
    assert_tracks_are(link(faces, 4), who)
    assert link(faces, 3).tolist() == [0] * 20 + [1] * 16


def test_gaps_count_in_frames_that_were_looked_at():
    frames = np.r_[0:20, 22:40] * 25
    faces, who = detections((frames, walk((0, 0), (0.2, 0), frames), seen(people(1)[0], 38)))
    assert_tracks_are(link(faces, 2), who)
    assert link(faces, 1).max() == 1


def test_nothing_is_linked_across_a_cut():
    frames = np.arange(30)
    scene = np.repeat([0, 1], 15)
    faces, _ = detections((frames, walk((0, 0), (1, 0), frames), seen(people(1)[0], 30)), scene=scene)
    assert (link(faces, 5) == scene).all()


def test_somebody_else_in_the_same_place_is_another_track():
    frames = np.arange(20)
    a, b = people(2)
    faces, who = detections(
        (frames[:10], walk((0, 0), (1, 0), frames[:10]), seen(a, 10)),
        (frames[10:], walk((20, 10), (1, 0), frames[10:]), seen(b, 10)),
    )
    assert_tracks_are(link(faces, 5), who)


def test_no_faces_and_one():
    empty = Detections(
        np.empty(0, np.intp), np.empty(0, np.intp), np.empty((0, 2)), np.empty(0), np.empty((0, 16), np.float32)
    )
    assert link(empty, 5).tolist() == []
    assert link(detections((np.array([7]), [(0, 0)], people(1)))[0], 5).tolist() == [0]


def test_best_pairs_is_the_best_of_all_choices():
    rng = np.random.default_rng(0)
    left, right = (side.ravel() for side in np.meshgrid(np.arange(4), np.arange(4), indexing="ij"))
    for _ in range(20):
        gain = rng.uniform(0.1, 1, 16)
        table = gain.reshape(4, 4)
        best = max(sum(table[i, j] for i, j in enumerate(order)) for order in itertools.permutations(range(4)))
        chosen = best_pairs(left, right, gain, 4)
        assert gain[chosen].sum() == pytest.approx(best)
        assert len(set(left[chosen])) == len(set(right[chosen])) == 4
