"""One training step equals the original's: views, losses, gradients (through the moments), weights, discriminators."""

import numpy as np
import pytest
from training_cases import golden_step, picked

from core.formats.dfl_weights import slot_key
from core.networks.keras_builder import get_weights, set_weights
from core.training.recipe import Recipe
from core.training.trainer import Trainer, TrainerSettings

CASES = ["dev1_liae-udt", "dev2_df-ud_all", "dev3_liae-ud_nowarp", "dev4_rmsprop_unmasked"]
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
            assert np.abs(moved - golden[f"step/{name}/{key}"]).max() < 2e-5  # a step is 1.8e-4
    for player in trainer.critics.players():
        _check_moments(golden, player.optimizer_file, player.variable_names, player.critic.optimizer)
        name = RULE_NAMES.get(player.name, player.name)
        for key, array in get_weights(player.network).items():
            assert (
                np.abs(picked(f"{name}/{key}", array - step.weights[name][key]) - golden[f"dstep/{name}/{key}"]).max()
                < 2e-5
            )


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
    for player in trainer.critics.players():
        set_weights(
            player.network,
            player.description,
            step.weights[RULE_NAMES.get(player.name, player.name)],
            where=player.name,
        )
        player.lend()
    return trainer


def _check_moments(golden, label, names, optimizer):
    """Moments to 5e-5 of the largest; those of discriminators to 5e-4, since they see what the networks make after their first step, which is
    nearly a sign: noise of one rounding (6e-8) in the weights alone moves the code discriminator's by 5e-5. The norm of every tensor's moments to 2e-3."""
    near = 5e-5 if label == "src_dst_opt" else 5e-4
    moments = {slot_key(slot, name): array for slot, name, array in optimizer.slot_arrays(names)}
    for slot in optimizer.slots:
        keys = [key for key in moments if key.startswith(f"{slot}_")]
        largest = max(np.abs(golden[f"state/{label}/{key}"]).max() for key in keys)
        for key in keys:
            difference = np.abs(picked(f"{label}/{key}", moments[key]) - golden[f"state/{label}/{key}"]).max()
            assert difference < near * largest, key
            assert np.linalg.norm(moments[key]) == pytest.approx(
                float(golden[f"statenorm/{label}/{key}"]), rel=2e-3, abs=1e-9
            )
