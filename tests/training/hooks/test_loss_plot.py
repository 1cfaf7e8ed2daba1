"""The drawing of the losses: curves, phases, titles."""

import json
from types import SimpleNamespace

import numpy as np
import pytest

from core.imaging.codec import read_image
from core.training.hooks.loss_plot import Losses, LossPlot, Span, loss_plot, smooth, spans_of
from core.training.hooks.training_time import TrainingTime
from core.training.recipe import Recipe
from core.training.schedule.presets import Phase, Preset

FALLING = np.stack([np.linspace(5, 1, 3000), np.linspace(4, 2, 3000)], 1)
PHASES = (
    Phase(1000, {"random_warp": True, "lr_dropout": "n", "gan_power": 0.0}),
    Phase(2000, {"random_warp": False, "lr_dropout": "n", "gan_power": 0.0}),
    Phase(None, {"random_warp": False, "lr_dropout": "y", "gan_power": 0.1}),
)


def test_both_lines_are_drawn():
    image = loss_plot(Losses(FALLING))
    redness = image[..., 2].astype(int) - image[..., 0]
    blue, orange = redness < -60, redness > 100
    assert image.shape == (480, 900, 3) and blue.sum() > 300 and orange.sum() > 300


def test_a_phase_is_called_by_what_it_changes():
    assert spans_of(Preset("own", phases=PHASES)) == [
        Span(0, 1000, "phase 1", "random_warp on"),
        Span(1000, 2000, "phase 2", "random_warp off"),
        Span(2000, None, "phase 3", "lr_dropout on, gan_power 0.1"),
    ]


def test_phases_are_shaded_and_those_to_come_are_not():
    spans = spans_of(Preset("own", phases=PHASES))
    now, later = (loss_plot(Losses(FALLING, spans=found)) for found in (spans, [Span(3000, None, "phase 4")]))
    changed = (later != now).any(axis=-1).mean(axis=0) > 0.5
    # About a third of the width is phase 2.
    assert 200 < changed.sum() < 350


def test_the_curve_is_smooth_and_keeps_its_ends():
    rng = np.random.default_rng(0)
    noisy = np.linspace(5, 1, 5000) + rng.normal(0, 0.5, 5000)
    curve = smooth(noisy)
    assert np.abs(curve - np.linspace(5, 1, 5000)).max() < 0.3 and np.abs(np.diff(curve)).max() < 0.1
    assert smooth(np.array([3.0, 1.0])).tolist() == [3, 1]


@pytest.mark.parametrize("history", [np.zeros((2, 2)), np.ones((40, 2)), np.full((2, 2), 1e6)])
def test_few_and_odd_losses(history):
    assert loss_plot(Losses(history, 100, title="a $name_{SAEHD", spans=[Span(0, None, "phase 1", "x")])).size


def session(**more):
    values = {
        "history": FALLING.tolist(),
        "begun": 0,
        "iteration": 5000,  # older losses are lost
        "validation_losses": [],
        "folder": SimpleNamespace(prefix="m_SAEHD"),
        "recipe": Recipe(resolution=64),
        "schedule": SimpleNamespace(preset=Preset("own", phases=PHASES)),
        "spent": 0.25,
    }
    values |= more
    return SimpleNamespace(**values, known=values["iteration"])


@pytest.mark.parametrize("pretrain", [False, True])
def test_the_file(tmp_path, pretrain):
    hook = LossPlot(tmp_path / "loss.png", tmp_path / "metrics.jsonl")
    hook.at_save(session(recipe=Recipe(resolution=64, pretrain=pretrain)))
    assert read_image(tmp_path / "loss.png").shape == (480, 900, 3)


@pytest.mark.parametrize("total", [1e-3, 3.0, 100.0, 5000.0, 2e5, 3e7, 1e10])
def test_a_second_axis_with_the_time(total):
    passed = np.linspace(0, total, 3000)
    assert not np.array_equal(loss_plot(Losses(FALLING, passed=passed)), loss_plot(Losses(FALLING)))


def line(iteration, ms=1000, model="m_SAEHD"):
    return json.dumps({"model": model, "iter": iteration, "ms": ms})


def test_times_of_earlier_runs_and_of_this_one(tmp_path):
    path = tmp_path / "metrics.jsonl"
    odd = ["{", "5", "null", '{"iter": 1e999, "ms": 1}', line(10**15), line(3, -1), line(0), line("x"), line(2, "NaN")]
    other = [line(number, 9e9, "other_AMP") for number in range(1, 30)]
    path.write_text("\n".join([*odd, *other, *(line(number) for number in range(1, 20) if number != 7)]))
    clock = TrainingTime(path)
    clock.note(session(iteration=20, spent=3.0))
    assert clock.passed(session(iteration=20), 20).tolist() == [*range(1, 20), 22]
    assert clock.passed(session(iteration=20), 5).tolist() == [1, 2, 3, 4, 7]
    # A rollback, and then what is known no more.
    clock.note(session(iteration=15, spent=2.0))
    assert clock.passed(session(iteration=15), 15)[-1] == 16
    assert clock.passed(session(iteration=40), 40) is None
    assert TrainingTime(tmp_path / "none.jsonl").passed(session(iteration=10), 10) is None
    # Fewer iterations than losses: a history of another program.
    assert clock.passed(session(iteration=15), 30) is None
