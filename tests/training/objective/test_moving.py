"""Samples moved on the device: what workers make of the same random numbers, in every kind of batch."""

from dataclasses import replace

import cv2
import numpy as np
import pytest
from training_cases import make_faceset

from core.data.augment import Ranges, as_numbers, draw_motion
from core.data.batches import BatchMaker, BatchSettings, TrainingBatch
from core.faceset.store import open_faceset
from core.geometry.align import FaceType
from core.training.hooks.preview import sample_of
from core.training.objective.moving import moved_rows

NAMES = ("warped", "target", "mask", "eyes_mouth")


@pytest.fixture(scope="module")
def settings(tmp_path_factory):
    root = tmp_path_factory.mktemp("faces")
    src = open_faceset(make_faceset(root / "src", 4, (90, 120, 200)))
    dst = open_faceset(make_faceset(root / "dst", 4, (160, 150, 120)))
    return BatchSettings(src, dst, 64, FaceType.WHOLE_FACE, 4, seed=11, src_flip=True)


def both_ways(settings, number):
    """A batch of workers, and the same moved on the device, 0..255."""
    there = moved_rows(BatchMaker(replace(settings, moved=False)).make(number), settings.batch_size)
    return BatchMaker(settings).make(number), {name: 255 * getattr(there, name) for name in NAMES}


@pytest.mark.parametrize(
    "change",
    [{}, {"random_warp": False}, {"hsv_power": 0.2, "ct_mode": "rct"}, {"scale": 0.05, "repeat_every": 3}],
    ids=["warped", "not warped", "other colors", "repeated"],
)
def test_batches_are_those_of_workers(settings, change):
    for number in (0, 3):
        workers, device = both_ways(replace(settings, **change), number)
        for name, moved in device.items():
            made = getattr(workers, name)
            assert moved.shape == made.shape and moved.dtype == np.float32 and 0 <= moved.min() <= moved.max() <= 255.01
            assert np.abs(moved - made).mean() < (1.5 if name == "warped" else 0.5), name
            assert abs((moved - made).mean()) < 0.3, name
        ours, theirs = device["mask"] > 127, workers.mask > 127
        assert (ours & theirs).sum() / (ours | theirs).sum() > 0.99


def test_warped_is_target_where_nothing_warps(settings):
    _, plain = both_ways(replace(settings, random_warp=False), 0)
    assert (plain["warped"] == plain["target"]).all()
    _, warped = both_ways(settings, 0)
    assert np.abs(warped["warped"] - warped["target"]).mean() > 1


def smooth(size):
    noise = np.random.RandomState(0).rand(size, size, 3).astype(np.float32)
    image = cv2.normalize(cv2.GaussianBlur(noise, (0, 0), size / 16), None, 0, 255, cv2.NORM_MINMAX)
    return image.astype(np.uint8)


@pytest.mark.parametrize("size", [64, 96, 128])
def test_every_grid_warps_as_opencv_does(size):
    image, cells = smooth(size), set()
    plane = np.zeros((2, 1, size, size, 1), np.uint8)
    for seed in range(8):
        motion = draw_motion(size, Ranges(flip=True), *(np.random.RandomState(seed) for _ in range(2)))
        cells.add(motion.cell)
        numbers = np.broadcast_to(as_numbers(motion, warped=True), (2, 1, len(as_numbers(motion, warped=True))))
        images = np.broadcast_to(image, (2, 1, *image.shape))
        made = moved_rows(TrainingBatch(0, images, images, plane, plane, numbers), 1)
        expected = cv2.remap(image.astype(np.float32), *motion.places, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
        assert np.abs(255 * made.warped[0, 0] - expected).mean() < 0.6, seed
        turned = cv2.warpAffine(
            image.astype(np.float32),
            motion.turned,
            (size, size),
            flags=cv2.INTER_CUBIC,
            borderMode=cv2.BORDER_REPLICATE,
        )
        assert np.abs(255 * made.target[1, 0] - np.clip(turned, 0, 255)).max() < 1, seed
        assert (made.eyes_mouth == 0).all() and (made.mask == 0).all()  # nothing is divided by 0
    assert cells == {size // 2, size // 4, size // 8}


def test_where_nothing_moves_the_picture_stays():
    still = draw_motion(64, Ranges(rotation=0, scale=0, shift=0), *(np.random.RandomState(0) for _ in range(2)))
    numbers = np.broadcast_to(as_numbers(still, warped=False), (2, 2, len(as_numbers(still, warped=False))))
    images = np.broadcast_to(smooth(64), (2, 2, 64, 64, 3))
    plane = np.full((2, 2, 64, 64, 1), 200, np.uint8)
    made = moved_rows(TrainingBatch(0, images, images, plane, plane, numbers), 2)
    assert np.abs(255 * made.warped - images).max() < 1e-3 and np.abs(255 * made.mask - plane).max() < 1e-3
    assert np.abs(made.eyes_mouth - 1).max() < 1e-6  # the largest weight is 1


def test_previews_show_moved_faces(settings):
    workers, device = BatchMaker(settings).make(0), BatchMaker(replace(settings, moved=False)).make(0)
    for ours, theirs in zip(sample_of(device), sample_of(workers), strict=True):
        for array, other in zip(ours, theirs, strict=True):
            assert array.dtype == other.dtype == np.float32 and array.shape == other.shape
            assert 255 * np.abs(array - other).mean() < 1.5
