"""The colors of one side given to the other: what the faces have in the mean, once for all."""

from dataclasses import replace

import numpy as np
import pytest
from training_cases import make_faceset

from core.data.batches import BatchMaker, BatchSettings
from core.data.color_match import color_match
from core.data.faces import FaceLoader, as_floats
from core.faceset.store import open_faceset
from core.geometry.align import FaceType
from core.imaging import color_statistics

SIDE = (64, FaceType.WHOLE_FACE)


@pytest.fixture
def sides(tmp_path):
    src = open_faceset(make_faceset(tmp_path / "src", 5, (90, 120, 200)))
    dst = open_faceset(make_faceset(tmp_path / "dst", 4, (160, 150, 120)))
    return src, dst


def mean_colors(images, masks):
    weights = as_floats(masks)
    return (as_floats(images) * weights).sum((0, 1, 2)) / weights.sum()


def test_src_faces_get_the_colors_of_dst_and_keep_what_differs_among_them(sides):
    src, dst = sides
    plain = BatchSettings(src, dst, *SIDE, 5, seed=11, random_warp=False, dst_flip=False)
    matrix = color_match(FaceLoader(src, *SIDE), FaceLoader(dst, *SIDE))
    before, after = (BatchMaker(replace(plain, src_colors=colors)).make(0) for colors in (None, matrix))
    wanted = mean_colors(before.target[1], before.mask[1])
    assert np.abs(mean_colors(before.target[0], before.mask[0]) - wanted).max() > 0.2
    assert np.abs(mean_colors(after.target[0], after.mask[0]) - wanted).max() < 0.05
    assert (after.target[1] == before.target[1]).all() and (after.warped[0] == after.target[0]).all()
    assert (BatchMaker(replace(plain, src_colors=matrix)).make(0).target == after.target).all()


def test_a_side_that_is_given_its_own_colors_stays_as_it_is(sides):
    src, _ = sides
    loader = FaceLoader(src, *SIDE)
    assert np.abs(color_match(loader, loader) - np.eye(3, 4)).max() < 1e-5


def test_the_matrix_does_what_the_transfer_does():
    random = np.random.RandomState(2)
    pixels, others = random.rand(2, 50, 3).astype(np.float32)
    own, wanted = (color_statistics.statistics("mkl", each) for each in (pixels, others * 0.5))
    matrix = color_statistics.linear_map("mkl", own, wanted)
    by_matrix = np.column_stack([pixels, np.ones(50)]) @ matrix.T
    assert np.abs(by_matrix - color_statistics.moved("mkl", pixels, own, wanted)).max() < 1e-5
