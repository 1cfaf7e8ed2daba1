"""What is asked of a run while it trains."""

import json
from types import SimpleNamespace

import pytest

from core.training.hooks.requests import Requests, within
from core.training.requests import FILE


class Kept:
    """Requests that are written down."""

    def __init__(self, folder):
        self.done, self.path = [], folder / FILE
        self.hook = Requests(self.path, {"save": self._note, "learning_rate": self._rate})

    def _note(self, session, value):
        self.done.append(("save", value))

    def _rate(self, session, value):
        self.done.append(("learning_rate", within(value, 0, 1)))

    def ask(self, text):
        self.path.write_text(text)
        self.hook.after_step(SimpleNamespace(), None)
        assert not self.path.exists()


def test_what_is_asked_for_is_done_once(tmp_path):
    kept = Kept(tmp_path)
    kept.ask(json.dumps({"save": True, "learning_rate": 0.5}))
    kept.hook.after_step(SimpleNamespace(), None)
    assert kept.done == [("save", True), ("learning_rate", 0.5)]


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "3", '{"nothing": 1}', '{"learning_rate": 7}', '{"learning_rate": "much"}']
    + ['{"learning_rate": true}', '{"learning_rate": NaN}', "[" * 9000],
)
def test_what_makes_no_sense_changes_nothing_and_ends_nothing(tmp_path, text, caplog):
    kept = Kept(tmp_path)
    kept.ask(text)
    assert kept.done == [] and "left out" in caplog.text
    kept.ask('{"save": true}')
    assert kept.done
