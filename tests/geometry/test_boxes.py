"""Overlap of boxes, and which of overlapping ones stay."""

import numpy as np
import pytest

from core.geometry.boxes import (
    first_of_overlapping,
    intersection_over_smaller,
    intersection_over_union,
    non_maximum_suppression,
)

BOXES = np.array([[0, 0, 10, 10], [0, 0, 10, 5], [5, 5, 15, 15], [20, 0, 30, 10], [10, 0, 20, 10]], np.float32)


def test_overlap_with_known_boxes():
    assert intersection_over_union(BOXES[0], BOXES).tolist() == pytest.approx([1, 0.5, 25 / 175, 0, 0])
    assert intersection_over_smaller(BOXES[0], BOXES).tolist() == pytest.approx([1, 1, 0.25, 0, 0])
    assert intersection_over_union(BOXES[0], BOXES).dtype == np.float32


def test_overlap_is_symmetric_and_between_0_and_1():
    random = np.random.default_rng(3)
    corners = random.uniform(-50, 50, (40, 2))
    boxes = np.concatenate([corners, corners + random.uniform(1, 60, (40, 2))], axis=1)
    for measure in (intersection_over_union, intersection_over_smaller):
        table = np.array([measure(box, boxes) for box in boxes])
        np.testing.assert_allclose(table, table.T)
        np.testing.assert_allclose(np.diag(table), 1)
        assert table.min() == 0 and table.max() <= 1 + 1e-12


def test_suppression_keeps_the_surest_of_those_that_overlap():
    confidences = [0.6, 0.9, 0.7, 0.5, 0.8]
    assert non_maximum_suppression(BOXES, confidences, 0.4).tolist() == [1, 4, 2, 3]
    assert non_maximum_suppression(BOXES, confidences, 0.5).tolist() == [1, 4, 2, 0, 3]
    assert non_maximum_suppression(BOXES[:2], [0.5, 0.5], 0.4).tolist() == [0], "of equals the first"


def test_only_kept_boxes_drop_others():
    chain = np.array([[0, 0, 10, 10], [4, 0, 14, 10], [8, 0, 18, 10]])
    assert first_of_overlapping(chain, 0.3).tolist() == [0, 2]
    assert first_of_overlapping(chain, 0.3, intersection_over_smaller).tolist() == [0, 2]
    assert first_of_overlapping(chain, 0.1, intersection_over_smaller).tolist() == [0]


def test_nothing_stays_nothing_and_points_do_not_loop():
    assert non_maximum_suppression(np.zeros((0, 4)), [], 0.3).tolist() == []
    with np.errstate(invalid="ignore"):
        assert first_of_overlapping(np.zeros((3, 4)), 0.3).tolist() == [0]
