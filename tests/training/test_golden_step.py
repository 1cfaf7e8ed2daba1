"""One training step equals the original's: views, losses, gradients (through the moments), weights, discriminators."""

import numpy as np
import pytest
from training_cases import golden_step, picked

from core.formats.dfl_weights import slot_key
from core.networks.keras_builder import get_weights, set_weights
from core.training.recipe import Recipe
from core.training.settings import TrainerSettings
from core.training.trainer import Trainer

CASES = ["dev1_liae-udt", "dev2_df-ud_all", "dev3_liae-ud_nowarp", "dev4_rmsprop_unmasked"]
# A step is 1.8e-4 at most. Where gradients are so small that it is no sign yet, it grows by rate / epsilon = 50 for
# each
# unit of the gradient (RMSprop; AdaBelief by 5): a gradient that is off by 1e-7 of rounding moves it by 5e-6.
STEP = 2e-5
# Gradients are sums of some 1e5 products of float32, and kernels (AVX2 or AVX-512, oneDNN or Eigen) add up in different
# orders:
# up to 4e-5 of the largest apart as measured. A term of the loss that is missing or wrong shows at 1e-2.
MOMENTS = 5e-4
# Discriminators see what the networks make after their first step, which is nearly a sign: noise of one rounding (6e-8)
# in
# the weights alone moves the code discriminator's gradients by 5e-5, and kernels add up to 4e-4.
DISCRIMINATOR_MOMENTS = 5e-3
# Of the norm of every tensor's moments; second moments double the error of gradients.
NORM = 1e-2
RULE_NAMES = {"dis": "code_discriminator"}


@pytest.mark.parametrize("case", CASES)
def test_one_step_equals_the_original(case):
    step = golden_step(case)
    trainer = _trainer(step)
    golden = step.golden
    losses = trainer.step(step.batch)
    assert losses == pytest.approx((golden["src_loss"].mean(), golden["dst_loss"].mean()), rel=1e-5)
    _check_moments(golden, "src_dst_opt", trainer.variable_names(), trainer.optimizer)
    for name, weights in trainer.weights().items():
        for key, array in weights.items():
            moved = picked(f"{name}/{key}", array - step.weights[name][key])
            assert np.abs(moved - golden[f"step/{name}/{key}"]).max() < STEP, f"{name}/{key}"
    for found in trainer.discriminators:
        _check_moments(golden, found.names.optimizer, found.variable_names, found.optimizer)
        name = RULE_NAMES.get(found.names.key, found.names.key)
        for key, array in get_weights(found.network).items():
            moved = picked(f"{name}/{key}", array - step.weights[name][key])
            assert np.abs(moved - golden[f"dstep/{name}/{key}"]).max() < STEP, f"{name}/{key}"


@pytest.mark.parametrize("case", CASES)
def test_views_equal_the_original(case):
    step = golden_step(case)
    names = {"ss": "ss", "dd": "dd", "sd": "sd", "dd_mask": "ddm", "sd_mask": "sdm"}
    expected = {ours: step.golden[f"view_{theirs}"] for ours, theirs in names.items()}
    views = _trainer(step).views(step.batch.target[0], step.batch.target[1])
    for name in names:
        assert np.abs(views[name] - expected[name]).max() < 1e-4


def _trainer(step):
    options = {key: value for key, value in step.options.items() if key != "models_opt_on_gpu"}
    trainer = Trainer(Recipe(**options), TrainerSettings(exact=True))
    for name, model in trainer.networks.items():
        set_weights(model, trainer.descriptions[name], step.weights[name], where=name)
    for found in trainer.discriminators:
        name = RULE_NAMES.get(found.names.key, found.names.key)
        found.set_weights(step.weights[name], where=name)
    return trainer


def _check_moments(golden, label, names, optimizer):
    near = MOMENTS if label == "src_dst_opt" else DISCRIMINATOR_MOMENTS
    moments = {slot_key(slot, name): array for slot, name, array in optimizer.slot_arrays(names)}
    for slot in optimizer.slots:
        keys = [key for key in moments if key.startswith(f"{slot}_")]
        largest = max(np.abs(golden[f"state/{label}/{key}"]).max() for key in keys)
        for key in keys:
            difference = np.abs(picked(f"{label}/{key}", moments[key]) - golden[f"state/{label}/{key}"]).max()
            assert difference < near * largest, key
            norm = float(golden[f"statenorm/{label}/{key}"])
            assert np.linalg.norm(moments[key]) == pytest.approx(norm, rel=NORM, abs=1e-9), key
