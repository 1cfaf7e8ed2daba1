"""When the model is saved."""

from types import SimpleNamespace

import pytest

from core.training.hooks import checkpoint
from core.training.hooks.checkpoint import Checkpoint


@pytest.mark.parametrize(
    ("minutes", "seconds", "saved"),
    [
        (None, 1.0, [1, 6, 11, 16, 21, 26]),
        (None, 3.0, [1, 26]),
        (10.0, 3.0, [1, 11, 21]),
    ],
)
def test_often_unless_a_save_holds_training_up(monkeypatch, minutes, seconds, saved):
    """An iteration takes a minute here."""
    clock = SimpleNamespace(now=0.0)
    monkeypatch.setattr(checkpoint.time, "monotonic", lambda: clock.now)
    found = []

    def save(session):
        found.append(session.iteration)
        clock.now += seconds

    hook = Checkpoint(minutes, save)
    for iteration in range(1, 30):
        clock.now += 60
        hook.after_step(SimpleNamespace(iteration=iteration), None)
    assert found == saved
