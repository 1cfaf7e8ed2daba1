"""Order of faces: every face once an epoch, every direction once a turn, functions of (seed, position) only."""

import numpy as np

from core.data.sampler import sample_seed, shuffled_index, yaw_bins, yaw_index


def test_every_epoch_shows_every_face_once_in_another_order():
    epochs = [[shuffled_index(10, (3, 0), epoch * 10 + i) for i in range(10)] for epoch in range(4)]
    assert all(sorted(epoch) == list(range(10)) for epoch in epochs)
    assert len({tuple(epoch) for epoch in epochs}) == 4


def test_position_alone_decides():
    forward = [shuffled_index(7, (1, 1), i) for i in range(30)]
    assert [shuffled_index(7, (1, 1), i) for i in reversed(range(30))] == forward[::-1]
    assert [shuffled_index(7, (2, 1), i) for i in range(30)] != forward


def test_yaw_bins_follow_the_original_edges():
    bins = yaw_bins(np.array([0.0, 0.001, 1.3, -1.3, -1.2, 5.0]))
    groups = sorted(tuple(int(i) for i in group) for group in bins)
    assert sum(len(g) for g in bins) == 6
    assert (2, 5) in groups  # everything below the second edge shares the first bin
    assert (3, 4) in groups  # everything from the last edge on shares the last


def test_directions_take_turns():
    bins = (np.arange(100), np.array([100]), np.array([101, 102]))
    drawn = [yaw_index(bins, (5, 0), i) for i in range(600)]
    rare, pair = sum(i == 100 for i in drawn), [i for i in drawn if i > 100]
    assert rare == 200 and len(pair) == 200
    assert pair.count(101) == 100
    assert len({i for i in drawn if i < 100}) == 100


def test_seeds_are_31_bits_and_differ():
    seeds = {sample_seed(0, side, position) for side in (0, 1) for position in range(500)}
    assert len(seeds) == 1000 and all(0 <= seed < 2**31 for seed in seeds)
