"""A batch in parts is the step of the whole batch."""

import numpy as np
import pytest
from keras import ops
from training_cases import TINY

from core.errors import UsageError
from core.training.hardware.measure import noise
from core.training.objective.optimizers import FIRST_SCALE
from core.training.recipe import Recipe
from core.training.settings import TrainerSettings
from core.training.trainer import Trainer

RECIPE = Recipe(**TINY | {"batch_size": 4}, archi="df", gan_power=0.1, gan_patch_size=8, gan_dims=4, clipgrad=True)
BATCH = noise(4, 64)


def moments(trainer):
    optimizers = [trainer.optimizer, *trainer.discriminators.optimizers()]
    return [np.array(ops.convert_to_numpy(v.value)) for o in optimizers for v in o.moments["ms"]]


@pytest.mark.usefixtures("eager")
@pytest.mark.parametrize("precision", ["float32", "float16"])
def test_parts_make_the_step_of_the_whole_batch(precision):
    whole, parted = (Trainer(RECIPE, TrainerSettings(precision=precision, ema=0.9, parts=parts)) for parts in (1, 2))
    # The discriminators of both see what the updated autoencoder makes.
    whole.model.exhibits = {}
    exact = 1e-5 if precision == "float32" else 1e-3
    assert parted.step(BATCH) == pytest.approx(whole.step(BATCH), rel=exact)
    assert int(parted.optimizer.iterations) == int(whole.optimizer.iterations) == 1
    for a, b in zip(moments(whole)[:8], moments(parted)[:8], strict=True):
        assert np.linalg.norm(a - b) <= 30 * exact * np.linalg.norm(a)
    # The second step begins at zero again.
    assert parted.step(BATCH) == pytest.approx(whole.step(BATCH), rel=30 * exact)
    assert int(parted.optimizer.iterations) == 2
    assert not any(ops.convert_to_numpy(total.value).any() for total in parted.update.sums)


@pytest.mark.usefixtures("eager")
def test_an_overflow_in_one_part_moves_nothing():
    trainer = Trainer(RECIPE, TrainerSettings(precision="float16", parts=2))
    before = moments(trainer)
    for optimizer in (trainer.optimizer, *trainer.discriminators.optimizers()):
        optimizer.scale.assign(2.0**120)
    trainer.step(BATCH)
    assert all((a == b).all() for a, b in zip(before, moments(trainer), strict=True))
    assert float(ops.convert_to_numpy(trainer.optimizer.scale.value)) == 2.0**119
    trainer.optimizer.scale.assign(FIRST_SCALE)
    trainer.step(BATCH)
    assert any((a != b).any() for a, b in zip(before, moments(trainer), strict=True))


@pytest.mark.parametrize("settings", [TrainerSettings(parts=3), TrainerSettings(parts=2, devices=2)])
def test_what_cannot_be_parted_is_refused(settings):
    with pytest.raises(UsageError, match="--batch-parts"):
        Trainer(RECIPE, settings)
