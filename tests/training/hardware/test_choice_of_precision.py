"""``--precision auto``: what is measured, what is chosen, and that a saved model keeps it."""

import pytest
from training_cases import TINY

from core.checkpoints.model_folder import ModelFolder
from core.training import start
from core.training.choices import Choices
from core.training.hardware import precision
from core.training.hardware.measure import Failed, Measured
from core.training.recipe import Recipe
from core.training.settings import TrainerSettings

FAILED = Failed("crashed", "no such kernel")


@pytest.fixture
def answers(monkeypatch):
    """Let measurements answer ``found[precision]``; gives the list of what was asked."""

    def patch(**found):
        asked = []

        def answer(recipe, settings, batch_size, *, steps):
            asked.append(settings.precision)
            ms = found[settings.precision]
            return Measured(ms, 1000, 10**9, "CPU") if isinstance(ms, float) else ms

        monkeypatch.setattr(precision, "measure", answer)
        return asked

    return patch


@pytest.mark.parametrize(
    ("full", "half", "expected", "said"),
    [
        (10.0, 7.0, "bfloat16", "7.0 ms an iteration in bfloat16, 10.0 in float32, on CPU"),
        (10.0, 9.5, "float32", "9.5 ms"),
        (10.0, FAILED, "float32", "no such kernel"),
        (FAILED, 7.0, "bfloat16", "float32 failed"),
    ],
)
def test_the_faster_one_is_chosen_and_said(answers, full, half, expected, said):
    asked = answers(float32=full, bfloat16=half)
    verdict = precision.compare(Recipe(**TINY), TrainerSettings(precision="auto"))
    assert verdict.precision == expected and said in verdict.why and verdict.why.startswith(expected)
    assert asked == ["float32", "bfloat16"]


def test_a_saved_model_keeps_what_was_decided_until_it_is_asked_again(answers, tmp_path):
    folder = ModelFolder(tmp_path / "model", "m")
    asked = answers(float32=10.0, bfloat16=5.0)
    choices = Choices(recipe={**TINY, "archi": "df"}, precision="auto", parts=2)
    session = start.open_session(folder, choices, tmp_path)
    session.save()
    asked.clear()
    kept = start.planned(folder, Choices(), tmp_path).settings
    assert (kept.precision, kept.parts) == ("bfloat16", 2)
    assert start.planned(folder, Choices(precision="float16"), tmp_path).settings.precision == "float16" and not asked
    answers(float32=5.0, bfloat16=10.0)
    assert start.planned(folder, Choices(precision="auto"), tmp_path).settings.precision == "float32"
