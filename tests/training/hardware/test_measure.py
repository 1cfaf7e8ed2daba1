"""Measuring in a process of its own, what it answers when that fails, and the choice of XLA that rests on it."""

import json
import os
import signal
import subprocess
from dataclasses import asdict
from types import SimpleNamespace

import pytest
from training_cases import TINY

from core.training.hardware import machine, measure, xla
from core.training.hardware.machine import is_out_of_memory, peak_bytes
from core.training.hardware.measure import Failed, Measured
from core.training.recipe import Recipe
from core.training.settings import TrainerSettings

RECIPE = Recipe(**TINY, archi="df")
SETTINGS = TrainerSettings(seed=1)


def test_a_step_is_measured_in_a_child():
    found = measure.measure(RECIPE, SETTINGS, 1, xla=False, steps=1)
    assert isinstance(found, Measured), found
    assert 0 < found.ms < found.first_ms and found.device.startswith(("CPU", "NVIDIA"))
    assert 10**8 < found.peak_bytes < 10**10


@pytest.mark.usefixtures("eager")
def test_samples_that_the_device_moves_are_measured_as_such():
    settings = TrainerSettings(seed=1, warp_on_device=True)
    assert measure.noise(2, 64, exact=False, moved=False).motion.shape[:2] == (2, 2)
    request = {"recipe": RECIPE.model_dump(), "settings": asdict(settings), "xla": False, "steps": 1}
    assert measure.measure_here(request).ms > 0
    assert xla.key_of(RECIPE, settings) != xla.key_of(RECIPE, SETTINGS)


def test_what_the_child_cannot_build_is_an_error_with_its_message():
    found = measure.measure(RECIPE, TrainerSettings(devices=64), 3)
    assert isinstance(found, Failed) and found.kind == "error" and "evenly" in found.why


@pytest.mark.parametrize(
    ("status", "stderr", "expected"),
    [(-signal.SIGKILL, "", "memory"), (-signal.SIGSEGV, "boom", "crashed"), (1, "boom", "crashed")],
)
def test_a_child_that_dies_says_how(monkeypatch, status, stderr, expected):
    monkeypatch.setattr(measure.subprocess, "run", lambda *a, **k: SimpleNamespace(returncode=status, stderr=stderr))
    found = measure.measure(RECIPE, SETTINGS, 2)
    assert isinstance(found, Failed) and found.kind == expected
    assert expected != "crashed" or "boom" in found.why


def test_a_child_that_takes_too_long(monkeypatch):
    def slow(*args, timeout, **kwargs):
        raise subprocess.TimeoutExpired("python", timeout)

    monkeypatch.setattr(measure.subprocess, "run", slow)
    assert measure.measure(RECIPE, SETTINGS, 2, timeout=7) == Failed("timeout", "no answer within 7 s")


@pytest.mark.parametrize(
    ("error", "kind"),
    [(RuntimeError("RESOURCE_EXHAUSTED: failed to allocate"), "memory"), (ValueError("odd"), "error")],
)
def test_the_child_answers_whatever_is_raised(monkeypatch, tmp_path, error, kind):
    def fail(request):
        raise error

    monkeypatch.setattr(measure, "measure_here", fail)
    monkeypatch.setattr(measure, "_first_to_be_killed", lambda: None)
    (tmp_path / measure.REQUEST).write_text("{}")
    measure.child(tmp_path)
    answer = json.loads((tmp_path / measure.RESULT).read_text())["failed"]
    assert answer["kind"] == kind and str(error) in answer["why"]


def test_marks_of_memory():
    assert is_out_of_memory(MemoryError()) and is_out_of_memory(RuntimeError("CUDA out of memory"))
    assert not is_out_of_memory(ValueError("memory"))
    held = bytearray(os.urandom(1)) * (64 << 20)
    assert peak_bytes() >= len(held)


def answers(monkeypatch, plain, fast):
    """Let measurements answer this; returns what was asked."""
    asked = []

    def answer(recipe, settings, batch_size, *, xla, steps):
        asked.append((batch_size, xla))
        found = fast if xla else plain
        return Measured(found, 1000, 10**9, "GPU") if isinstance(found, float) else found

    monkeypatch.setattr(xla, "measure", answer)
    return asked


@pytest.mark.parametrize(
    ("plain", "fast", "expected"),
    [
        (10.0, 7.0, True),
        (10.0, 9.9, False),
        (10.0, 12.0, False),
        (10.0, Failed("crashed", "SIGSEGV"), False),
        (Failed("memory", ""), 7.0, True),
    ],
)
def test_the_faster_way_is_chosen(monkeypatch, plain, fast, expected):
    asked = answers(monkeypatch, plain, fast)
    verdict = xla.compare(RECIPE, SETTINGS)
    assert verdict.xla is expected and asked == [(2, False), (2, True)] and verdict.why.startswith("XLA is")


def accelerated(monkeypatch):
    for module in (machine, xla):
        monkeypatch.setattr(module, "accelerators", lambda: ["NVIDIA Test"])


def test_the_answer_is_measured_once_and_kept(monkeypatch, tmp_path):
    accelerated(monkeypatch)
    asked = answers(monkeypatch, 10.0, 12.0)
    assert xla.Chooser().choose(RECIPE, SETTINGS, tmp_path) is False and len(asked) == 2
    assert xla.Chooser().choose(RECIPE, SETTINGS, tmp_path) is False and len(asked) == 2
    other = RECIPE.model_copy(update={"batch_size": 4})
    assert xla.Chooser().choose(other, SETTINGS, tmp_path) is False and len(asked) == 4
    entries = json.loads((tmp_path / xla.CACHE).read_text())
    assert len(entries) == 2 and "NVIDIA Test" in next(iter(entries)) and next(iter(entries.values()))["xla_ms"] == 12.0


def test_a_process_that_trains_already_measures_no_more(monkeypatch, tmp_path):
    accelerated(monkeypatch)
    asked = answers(monkeypatch, 10.0, 12.0)
    chooser = xla.Chooser()
    assert chooser.choose(RECIPE, SETTINGS, tmp_path) is False
    with_gan = RECIPE.model_copy(update={"gan_power": 0.1})
    assert chooser.choose(with_gan, SETTINGS, tmp_path) is True and len(asked) == 2
    assert chooser.choose(RECIPE, SETTINGS, tmp_path) is False


def test_nothing_is_measured_where_the_answer_is_known(monkeypatch, tmp_path):
    asked = answers(monkeypatch, 10.0, 7.0)
    monkeypatch.setattr(machine, "accelerators", list)
    assert xla.Chooser().choose(RECIPE, SETTINGS, tmp_path) is False
    accelerated(monkeypatch)
    # Slices side by side cannot be compiled.
    assert xla.Chooser().choose(RECIPE, TrainerSettings(devices=2), tmp_path) is False
    assert not asked and not list(tmp_path.iterdir())


@pytest.mark.parametrize("text", ["{", "[]", '{"key": 1}', '{"key": {"xla": "yes"}}'])
def test_a_damaged_cache_is_measured_again(monkeypatch, tmp_path, text):
    accelerated(monkeypatch)
    asked = answers(monkeypatch, 10.0, 7.0)
    (tmp_path / xla.CACHE).write_text(text)
    assert xla.Chooser().choose(RECIPE, SETTINGS, tmp_path) is True and len(asked) == 2
    assert xla.Chooser().choose(RECIPE, SETTINGS, tmp_path) is True and len(asked) == 2


def test_two_measurements_that_fail_are_not_kept(monkeypatch, tmp_path):
    accelerated(monkeypatch)
    answers(monkeypatch, Failed("memory", ""), Failed("memory", ""))
    assert xla.Chooser().choose(RECIPE, SETTINGS, tmp_path) is False
    assert not (tmp_path / xla.CACHE).exists()
