"""The train stage with real networks when numbers or memory go wrong: exit codes, messages, what is left on disk."""

import json

import keras
import numpy as np
import pytest
from training_cases import TINY, make_workspace

from core import __main__ as program
from core.checkpoints.model_folder import ModelFolder
from core.errors import DivergedError, OutOfMemoryFault
from core.formats import dfl_weights
from core.stages.models import train
from core.training.hardware import machine
from core.training.recipe import Recipe
from core.training.session import require_sound
from core.training.settings import TrainerSettings
from core.training.trainer import Trainer
from core.workspace import Workspace

SMALL = {**TINY, "archi": "df"}
pytestmark = pytest.mark.usefixtures("eager")


@pytest.fixture
def workspace(tmp_path):
    return Workspace(make_workspace(tmp_path))


@pytest.fixture
def at(monkeypatch):
    """Have something done to the trainer and its batch before a step; ``at(iteration, act)``, ``times``: how often."""
    real = Trainer.begin

    def patch(iteration, act, times=1):
        left = [times]

        def begin(self, batch):
            if batch.iteration == iteration - 1 and left[0]:
                left[0] -= 1
                act(self, batch)
            return real(self, batch)

        monkeypatch.setattr(Trainer, "begin", begin)

    return patch


def run(workspace, until):
    return train.run(train.Options(workers=0, preview_every=0, target_iter=until, **SMALL), workspace)


def on_disk(workspace):
    """Iteration, state, and whether every number of the model is finite."""
    files = ModelFolder(workspace.model, "swap").load().files
    weights = [
        array
        for name in files
        if name.endswith("coder.npy") or "inter" in name
        for array in dfl_weights.read_weights(files[name]).values()
    ]
    slots = dfl_weights.read_optimizer(files["src_dst_opt.npy"]).slots
    arrays = [*weights, *(array for slot in slots.values() for array in slot.values())]
    assert len(arrays) > 20
    state = json.loads(files["forge.json"].read_text())
    return dfl_weights.read_data(files["data.dat"]).iteration, state, all(np.isfinite(array).all() for array in arrays)


def poison_pixels(trainer, batch):
    # As floats: bytes know no such number.
    batch.inputs["warped"] = np.full(batch.inputs["warped"].shape, np.nan, np.float32)


def infinite_weight(trainer, batch):
    variable = trainer.networks["encoder"].trainable_variables[0]
    value = np.array(keras.ops.convert_to_numpy(variable.value))
    value.flat[0] = np.inf
    variable.assign(value)


@pytest.mark.parametrize("act", [poison_pixels, infinite_weight])
def test_one_bad_step_is_rolled_back_and_halves_the_rate(workspace, at, caplog, act):
    at(3, act)
    run(workspace, 4)
    iteration, state, finite = on_disk(workspace)
    assert (iteration, state["rate"], finite) == (4, 0.5, True)
    said = [record.getMessage() for record in caplog.records if "half the learning rate" in record.getMessage()]
    assert len(said) == 1 and "iteration 3" in said[0] and "nan" in said[0] and "back to iteration 1" in said[0]
    assert [json.loads(line)["iter"] for line in (workspace.model / "metrics.jsonl").read_text().splitlines()] == [
        1,
        2,
        3,
        4,
    ]


def test_diverging_again_is_code_6_and_names_iterations_and_losses(workspace, at):
    at(3, poison_pixels, times=2)
    with pytest.raises(DivergedError) as caught:
        run(workspace, 4)
    text = str(caught.value)
    assert (
        "iteration 3: loss nan" in text
        and "iterations 2 to 3 are given up" in text
        and "last sound loss was" in text
        and "rolled back once" in text
    )
    assert program.explain(caught.value) == 6
    assert on_disk(workspace)[0] == 1 and on_disk(workspace)[2]


def test_weights_spoilt_by_the_last_step_are_never_saved(workspace, at, monkeypatch):
    """The loss of a step is that before it: only the weights show what the step has done."""
    real, left = Trainer.begin, [1]

    def begin(self, batch):
        reported = real(self, batch)
        if batch.iteration == 2 and left[0]:
            left[0] = 0
            infinite_weight(self, batch)
        return reported

    monkeypatch.setattr(Trainer, "begin", begin)
    run(workspace, 3)
    iteration, state, finite = on_disk(workspace)
    assert (iteration, state["rate"], finite) == (3, 0.5, True)


def memory_errors():
    import tensorflow as tf

    return [
        tf.errors.ResourceExhaustedError(None, None, "failed to allocate memory"),
        tf.errors.InternalError(None, None, "Failed call to cuMemAlloc: CUDA_ERROR_OUT_OF_MEMORY"),
        RuntimeError("CUDA out of memory. Tried to allocate 20.00 MiB"),
        RuntimeError(
            "[enforce fail at alloc_cpu.cpp:127] . DefaultCPUAllocator: can't allocate memory: "
            "you tried to allocate 4 bytes"
        ),
    ]


def test_memory_that_is_used_up_is_code_5_with_three_changes(workspace, monkeypatch):
    pytest.importorskip("tensorflow")
    error = memory_errors()[0]

    def used_up(self, x):
        raise error

    run(workspace, 1)
    monkeypatch.setattr("core.training.objective.autoencoder.Autoencoder.train_on_batch", used_up)
    with pytest.raises(OutOfMemoryFault) as caught:
        run(workspace, 4)
    assert program.explain(caught.value) == 5
    assert all(
        word in str(caught.value) for word in ("iteration 2", "--batch-size 1", "--no-adabelief", "--resolution")
    )
    assert on_disk(workspace)[0] == 1


def test_networks_that_do_not_fit_are_code_5_too(workspace, monkeypatch):
    def used_up(self, xla):
        raise RuntimeError("RESOURCE_EXHAUSTED: Out of memory while trying to allocate 99 bytes")

    monkeypatch.setattr(Trainer, "_build", used_up)
    with pytest.raises(OutOfMemoryFault, match="while the networks were made") as caught:
        run(workspace, 4)
    assert program.explain(caught.value) == 5 and "--resolution" in str(caught.value)


def test_how_backends_say_that_memory_is_used_up():
    pytest.importorskip("tensorflow")
    assert all(machine.is_out_of_memory(error) for error in memory_errors())
    assert not any(
        machine.is_out_of_memory(error)
        for error in (ValueError("ROOMS"), RuntimeError("zoom"), OSError(28, "No space left"))
    )


def test_what_a_rollback_finds_no_file_for_starts_anew():
    """A discriminator that was switched on after the last save is not left with bad numbers, nor are moments."""
    trainer = Trainer(Recipe(**SMALL, gan_power=0.1, gan_patch_size=8), TrainerSettings())
    (found,) = trainer.discriminators
    first = [w.copy() for w in found.network.get_weights()]
    found.network.set_weights([w * np.nan for w in first])
    for optimizer in (trainer.optimizer, found.optimizer):
        optimizer.moments["ms"][0].assign(np.full(optimizer.moments["ms"][0].shape, np.nan, np.float32))
    trainer.discriminators.load({})
    trainer._load_optimizer(None)
    for model in (found.network, found.frozen):
        assert all(np.array_equal(a, b) for a, b in zip(first, model.get_weights(), strict=True))
    for optimizer in (trainer.optimizer, found.optimizer):
        assert not np.any(keras.ops.convert_to_numpy(optimizer.moments["ms"][0].value))


def test_a_spike_is_measured_against_the_recent_mean():
    history = [[0.1, 0.2]] * 30
    require_sound((14.0, 14.0), history, 31)
    with pytest.raises(DivergedError, match="iteration 31: loss 20"):
        require_sound((20.0, 20.0), history, 31)
