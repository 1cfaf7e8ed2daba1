"""Progress is told to whoever listens, and whoever listens may cancel."""

import pytest

from core.errors import Interrupted
from core.progress import Listener, Task, TerminalBars, progress, reporting_to


class Notes(Listener):
    def __init__(self, stop_at: int = -1):
        self.heard: list[tuple] = []
        self.stop_at = stop_at

    def begin(self, task):
        self.heard.append(("begin", task.description, task.unit, task.total, task.done))

    def update(self, task):
        self.heard.append(("update", task.done, task.note))
        if task.done == self.stop_at:
            raise Interrupted("cancelled")

    def end(self, task):
        self.heard.append(("end", task.done))


def test_nobody_listens_by_default(capsys):
    assert list(progress([1, 2], description="work", unit="thing")) == [1, 2]
    assert capsys.readouterr() == ("", "")


def test_a_listener_hears_of_every_item():
    notes = Notes()
    with reporting_to(notes):
        assert list(progress("ab", description="work", unit="letter")) == ["a", "b"]
    assert notes.heard == [("begin", "work", "letter", 2, 0), ("update", 1, ""), ("update", 2, ""), ("end", 2)]


def test_counting_by_hand_from_where_an_earlier_run_stopped():
    notes = Notes()
    with reporting_to(notes), Task("work", "thing", total=10, done=4) as task:
        task.note = "slowly"
        task.update(3)
    assert notes.heard == [("begin", "work", "thing", 10, 4), ("update", 7, "slowly"), ("end", 7)]


def test_a_listener_can_cancel():
    notes = Notes(stop_at=2)
    done = []
    with pytest.raises(Interrupted), reporting_to(notes):
        for item in progress(range(5), description="work", unit="thing"):
            done.append(item)
    assert done == [0, 1]
    assert notes.heard[-1] == ("end", 2)


def test_the_listener_is_that_of_the_block():
    outer, inner = Notes(), Notes()
    with reporting_to(outer):
        with reporting_to(inner):
            list(progress([1], description="in", unit="thing"))
        list(progress([1], description="out", unit="thing"))
    assert [heard[1] for heard in outer.heard if heard[0] == "begin"] == ["out"]
    assert [heard[1] for heard in inner.heard if heard[0] == "begin"] == ["in"]


def test_the_terminal_shows_description_and_count(capsys):
    with reporting_to(TerminalBars()):
        list(progress(range(3), description="sorting", unit="face"))
    shown = capsys.readouterr().err
    assert "sorting: 100%" in shown
    assert "3/3" in shown
