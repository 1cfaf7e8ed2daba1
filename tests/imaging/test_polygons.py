"""Mask -> polygons -> mask."""

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.imaging.masks import mask_iou, polygon_mask
from core.imaging.polygons import mask_to_polygons


def blobs(seed: int, size: int = 128, level: float = 0.0) -> np.ndarray:
    """A smooth random mask with pieces and holes."""
    noise = np.random.default_rng(seed).normal(size=(size, size)).astype(np.float32)
    return (cv2.GaussianBlur(noise, (0, 0), size / 14) > level * 0.01).astype(np.float32)[..., None]


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10**6), st.sampled_from([64, 128, 200]), st.floats(-3, 3))
def test_there_and_back(seed, size, level):
    mask = blobs(seed, size, level)
    assert mask_iou(polygon_mask(mask.shape, mask_to_polygons(mask)), mask) > 0.98


def test_polygon_mask_polygon_keeps_the_shape():
    points = np.array([(20.0, 30), (200, 25), (230, 120), (128, 240), (30, 130)], np.float32)
    hole = np.array([(100.0, 100), (140, 100), (120, 150)], np.float32)
    from core.types import Polygon

    first = polygon_mask((256, 256), [Polygon(True, points), Polygon(False, hole)])
    polygons = mask_to_polygons(first)
    assert [p.include for p in polygons] == [True, False]
    assert mask_iou(polygon_mask((256, 256), polygons), first) > 0.99
    assert sum(len(p.points) for p in polygons) < 30


def test_an_island_in_a_hole_survives():
    mask = np.zeros((200, 200, 1), np.float32)
    cv2.circle(mask, (100, 100), 80, 1, -1)
    cv2.circle(mask, (100, 100), 50, 0, -1)
    cv2.circle(mask, (105, 98), 20, 1, -1)
    back = polygon_mask(mask.shape, mask_to_polygons(mask))
    assert mask_iou(back, mask) > 0.98
    assert back[98, 105] == 1 and back[100, 60] == 0


def test_specks_are_left_out_on_request():
    mask = np.zeros((100, 100, 1), np.float32)
    mask[20:80, 20:80] = 1
    mask[50, 50] = 0
    mask[5:7, 5:7] = 1
    assert len(mask_to_polygons(mask)) == 3
    assert [p.include for p in mask_to_polygons(mask, smallest=10)] == [True]


@pytest.mark.parametrize("value,count", [(0.0, 0), (1.0, 1)])
def test_empty_and_full(value, count):
    mask = np.full((32, 40, 1), value, np.float32)
    polygons = mask_to_polygons(mask)
    assert len(polygons) == count
    assert np.array_equal(polygon_mask(mask.shape, polygons), mask)


def test_iou_of_nothing():
    assert mask_iou(np.zeros((4, 4)), np.zeros((4, 4))) == 1.0
    assert mask_iou(np.ones((4, 4)), np.zeros((4, 4))) == 0.0
