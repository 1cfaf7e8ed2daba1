"""The table of batch sizes: where it ends and why; one real measurement."""

import pytest
from training_cases import TINY

from core.errors import InputError, Interrupted, OutOfMemoryFault
from core.networks import archs
from core.networks.weights import parameter_count
from core.stages.models import train
from core.training.hardware import batch_size_finder
from core.training.hardware.measure import Failed, Measured
from core.training.recipe import Recipe, config_of
from core.training.settings import TrainerSettings
from core.training.trainer import Trainer
from core.workspace import Workspace

RECIPE = Recipe(**{**TINY, "batch_size": 3})
GIB = 2**30


def measured(monkeypatch, answer, *, gpus=(), free=64 * GIB):
    asked = []
    monkeypatch.setattr(
        batch_size_finder, "measure", lambda recipe, settings, size, **more: asked.append(size) or answer(size)
    )
    monkeypatch.setattr(batch_size_finder, "accelerators", lambda: list(gpus))
    monkeypatch.setattr(batch_size_finder, "free_memory", lambda: free)
    return asked


def test_powers_of_two_and_the_models_own():
    assert list(batch_size_finder.sizes(12)) == [1, 2, 4, 8, 12, 16, 32, 64, 128, 256, 512, 1024]
    assert list(batch_size_finder.sizes(4, parts=3))[:3] == [3, 6, 12]
    assert list(batch_size_finder.sizes(9, parts=3))[:4] == [3, 6, 9, 12]


@pytest.mark.parametrize(
    ("failed", "said"),
    [
        (Failed("memory", "OOM"), "batch 8 does not fit: memory is used up"),
        (Failed("crashed", "exit status -11"), "batch 8: the process ended: exit status -11"),
    ],
)
def test_a_gpu_is_asked_until_it_refuses(monkeypatch, failed, said):
    asked = measured(
        monkeypatch,
        lambda size: Measured(10.0 * size, 1.0, size * GIB, "G") if size < 8 else failed,
        gpus=("G",),
        free=1,
    )
    found = batch_size_finder.find_batch_sizes(RECIPE, TrainerSettings())
    assert (
        asked == [1, 2, 3, 4, 8] and [row.batch_size for row in found.rows] == [1, 2, 3, 4] and str(found.end) == said
    )
    assert found.rows[2].samples == pytest.approx(100)
    assert str(found.rows[2]).split() == ["3", "3.00", "GiB", "30", "100.0"]


def test_who_stops_it_is_not_told_that_it_goes_on(monkeypatch):
    def stopped(size):
        raise KeyboardInterrupt

    measured(monkeypatch, stopped)
    with pytest.raises(Interrupted, match="(?s)stay true.*from the start"):
        batch_size_finder.find_batch_sizes(RECIPE, TrainerSettings())


def test_a_computer_is_not_filled_up(monkeypatch):
    asked = measured(monkeypatch, lambda size: Measured(1.0, 1.0, size * GIB, "CPU"), free=8 * GIB)
    end = batch_size_finder.find_batch_sizes(RECIPE, TrainerSettings()).end
    assert (end.reason, end.batch_size) == ("no_room", 8) and "about 8.00 GiB of" in str(end) and asked == [1, 2, 3, 4]
    asked = measured(monkeypatch, lambda size: Measured(10_000.0 * size, 1.0, 1, "CPU"))
    end = batch_size_finder.find_batch_sizes(RECIPE, TrainerSettings()).end
    assert (end.reason, end.batch_size) == ("no_time", 16) and " minutes" in str(end) and asked == [1, 2, 3, 4, 8]


def test_when_nothing_fits_it_is_an_error(monkeypatch):
    measured(monkeypatch, lambda size: Failed("memory", "killed"))
    with pytest.raises(OutOfMemoryFault, match="not even one sample"):
        batch_size_finder.find_batch_sizes(RECIPE, TrainerSettings())
    measured(monkeypatch, lambda size: Failed("error", "ValueError: x"))
    with pytest.raises(InputError, match="ValueError: x"):
        batch_size_finder.find_batch_sizes(RECIPE, TrainerSettings())


def test_the_size_of_a_model_is_known_before_it_is_built():
    trainer = Trainer(RECIPE, TrainerSettings())
    count, state = batch_size_finder.size_of(RECIPE, TrainerSettings())
    assert count == sum(model.count_params() for model in trainer.networks.values())
    assert count == sum(map(parameter_count, archs.networks(config_of(RECIPE)).values()))
    assert state == 3 * 4 * count  # weights and both moments of AdaBelief


def test_discriminators_and_averages_count():
    recipe = Recipe(**TINY, archi="df", true_face_power=0.1, gan_power=0.1, gan_patch_size=8, gan_dims=4)
    trainer = Trainer(recipe, TrainerSettings(ema=0.9))
    own = sum(model.count_params() for model in trainer.networks.values())
    judging = sum(found.network.count_params() for found in trainer.discriminators)
    # Of a discriminator: its weights, two moments and its frozen copy.
    assert batch_size_finder.size_of(recipe, trainer.settings) == (own + judging, 16 * own + 16 * judging)
    assert batch_size_finder.size_of(recipe.model_copy(update={"pretrain": True}), trainer.settings) == (own, 16 * own)


def test_the_table_of_a_model_that_does_not_exist_yet(tmp_path, monkeypatch):
    monkeypatch.setattr(batch_size_finder, "sizes", lambda own, devices: iter((2,)))
    monkeypatch.setattr(batch_size_finder, "_STEPS", 1)
    report = train.run(train.Options(**TINY, fit=True, model="new"), Workspace(tmp_path))  # no faces needed
    values = [str(value) for _, value in report.rows]
    assert values[3].split() == ["batch", "memory", "ms/iteration", "samples/s"]
    assert [line.split()[0] for line in values[4:5]] == ["2"] and float(values[4].split()[1]) > 0.05
    assert not list(tmp_path.glob("model/*"))
