"""Losses: known values, identities, and the golden numbers of the original."""

import numpy as np
import pytest
from golden_files import GoldenArrays
from keras import ops

from core.training.objective import filters, losses
from core.training.objective.forward import Views
from core.training.objective.scene import Traits, blur_outside, scene_of
from core.training.objective.terms import Group, Objective, objective_of
from core.training.recipe import Recipe


@pytest.fixture(scope="module")
def pair():
    a = np.random.RandomState(14).rand(2, 64, 64, 3).astype(np.float32)
    return a, np.clip(a + 0.1 * np.random.RandomState(15).randn(2, 64, 64, 3), 0, 1).astype(np.float32)


@pytest.fixture(scope="module")
def golden():
    return GoldenArrays("dfl-model/networks_and_ops.npz")


def numpy(x):
    return ops.convert_to_numpy(x)


@pytest.mark.parametrize("size", [2, 5, 8, 11, 12, 19, 22])
def test_dssim_golden(golden, pair, size):
    assert np.abs(numpy(losses.dssim(*pair, size)) - golden[f"dssim_{size}"]).max() < 2e-6


@pytest.mark.parametrize("sigma", ["0.5", "1", "1.75", "2", "3", "7"])
def test_gaussian_blur_golden(golden, pair, sigma):
    assert np.abs(numpy(filters.gaussian_blur(pair[0], float(sigma))) - golden[f"gblur_{sigma}"]).max() < 2e-6


@pytest.mark.parametrize("blur", [0, 4, 8])
def test_style_golden(golden, pair, blur):
    assert numpy(losses.style_loss(*pair, blur, 100)) == pytest.approx(golden[f"style_{blur}"], rel=1e-4)


def test_matrix_and_convolution_agree(pair):
    for taps, pad in ((filters.dssim_taps(11), 0), (filters.gaussian_taps(2), 4)):
        x = filters.planes(pair[0])
        matrix, convolution = filters.separable(x, taps, pad), filters.separable_convolution(x, taps, pad)
        assert np.abs(numpy(matrix) - numpy(convolution)).max() < 2e-6


def test_dssim_of_an_image_with_itself_is_zero(pair):
    assert np.abs(numpy(losses.dssim(pair[0], pair[0], 11))).max() < 1e-6


def test_dssim_of_black_and_white():
    black, white = np.zeros((1, 16, 16, 1), np.float32), np.ones((1, 16, 16, 1), np.float32)
    assert numpy(losses.dssim(black, white, 5)) == pytest.approx((1 - 1e-4 / 1.0001) / 2, abs=1e-5)


def test_blur_keeps_a_flat_middle_and_darkens_the_edge():
    blurred = numpy(filters.gaussian_blur(np.ones((1, 32, 32, 1), np.float32), 2))
    assert blurred[0, 16, 16, 0] == pytest.approx(1, abs=1e-6)
    assert 0.2 < blurred[0, 0, 0, 0] < 0.5


def test_blur_outside_keeps_the_face_and_a_flat_background():
    target = np.full((1, 64, 64, 3), 0.25, np.float32)
    mask = np.zeros((1, 64, 64, 1), np.float32)
    mask[:, 20:40, 20:40] = 1
    target[:, 20:40, 20:40] = 0.9
    result = numpy(blur_outside(target, mask))
    assert result[0, 30, 30] == pytest.approx([0.9] * 3)
    assert result[0, 19, 30] == pytest.approx([0.25] * 3, abs=1e-5)  # no color of the face leaks out


def test_cross_entropy_known_values():
    logits = np.array([0.0, 100.0, -100.0], np.float32).reshape(3, 1, 1, 1)
    assert numpy(losses.sigmoid_cross_entropy(1, logits)) == pytest.approx([np.log(2), 0, 100], abs=1e-5)
    assert numpy(losses.sigmoid_cross_entropy(0, logits)) == pytest.approx([np.log(2), 100, 0], abs=1e-5)


def test_total_variation_axes():
    rows = np.arange(4, dtype=np.float32).reshape(1, 4, 1, 1) * np.ones((1, 1, 4, 2), np.float32)
    assert numpy(losses.total_variation(rows)) == pytest.approx([3 * 4 * 2])
    assert numpy(losses.total_variation(rows.transpose(0, 2, 1, 3))) == pytest.approx([3 * 4 * 2])


def test_reconstruction_ignores_what_the_mask_hides():
    rng = np.random.RandomState(0)
    target, image = rng.rand(2, 2, 64, 64, 3).astype(np.float32)
    nothing = np.zeros((2, 64, 64, 1), np.float32)
    batch, views = {"target": target, "mask": nothing, "eyes_mouth": nothing}, Views(image, nothing, None, None)

    def loss(masked):
        objective = objective_of(Recipe(masked_training=masked, blur_out_mask=False), exact=False)
        return numpy(objective.total(Group.RECONSTRUCTION, scene_of(batch, views, objective.traits, {})))

    assert loss(masked=True) == pytest.approx([0, 0], abs=1e-5)
    assert (loss(masked=False) > 1).all()


def test_a_recipe_has_the_terms_that_it_gives_a_weight():
    always = ["structure", "pixels", "mask"]

    def terms(**options):
        objective = objective_of(Recipe(**options), exact=False)
        return [term.name for term in objective.terms], objective

    assert terms(eyes_mouth_prio=False)[0] == always
    names, objective = terms(gan_power=0.1, bg_style_power=10, eyes_mouth_prio=False)
    assert names == [*always, "background style", "gan", "src background", "src variation"]
    assert (objective.views, objective.discriminators, objective.weights["gan"]) == ({"swap"}, {"patch"}, 0.1)
    assert terms(gan_power=0.1, masked_training=False)[0] == [*always, "eyes and mouth", "gan"]
    names, objective = terms(archi="df-u", true_face_power=0.1, face_style_power=5)
    assert names == [*always, "eyes and mouth", "face style", "true face"]
    assert (objective.views, objective.discriminators) == ({"swap", "swap_stopped"}, {"code"})
    resting = terms(archi="df-u", true_face_power=0.1, face_style_power=5, gan_power=0.1, pretrain=True)
    assert resting[0] == [*always, "eyes and mouth"]


def test_no_terms_are_no_loss():
    assert Objective({}).total(Group.STYLE, None) == 0 and Objective({}).traits == Traits()
