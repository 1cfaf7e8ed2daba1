"""Progress is told to whoever listens, and whoever listens may cancel."""

import io
import json
import logging
import sys

import pytest
from tqdm.std import EMA

from core import progress as module
from core.errors import Interrupted
from core.progress import BesideBars, Listener, ProgressFile, Task, TerminalBars, progress, reporting_to
from core.training.hooks.progress_line import ProgressLine
from core.training.run_state import RunState


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


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_a_terminal_shows_description_and_count(monkeypatch):
    monkeypatch.setattr(sys, "stderr", Terminal())
    with reporting_to(TerminalBars()):
        list(progress(range(3), description="sorting", unit="face"))
    assert "sorting: 100%" in sys.stderr.getvalue() and "3/3" in sys.stderr.getvalue()


def test_a_log_file_gets_a_line_now_and_then(capsys, monkeypatch):
    clock = iter(range(0, 1000, 8))
    monkeypatch.setattr(module.time, "monotonic", lambda: float(next(clock)))
    with reporting_to(TerminalBars()):
        list(progress(range(6), description="sorting", unit="face"))
    lines = capsys.readouterr().err.splitlines()
    assert 2 <= len(lines) < 6 and all(line.startswith("sorting: ") for line in lines)
    assert lines[0].endswith(" left") and lines[-1].startswith("sorting: 6 of 6, ") and lines[-1].endswith(" taken")


@pytest.mark.parametrize(("seconds", "shown"), [(0.4, "0:00"), (125, "2:05"), (3725, "1:02:05")])
def test_times_are_written_as_people_do(seconds, shown):
    assert module._clock(seconds) == shown


@pytest.mark.parametrize("held_out", [False, True])
def test_the_line_of_training_fits_into_80_columns(monkeypatch, held_out):
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    session = RunState(target=500_000, iteration=123_456)
    session.history, session.spent, session.waited = [[1.2345, 1.2345]], 12.345, 5.0
    session.validation_losses = [[1, 1.2345, 1.2345]] if held_out else []
    with reporting_to(TerminalBars()):
        line = ProgressLine(session)
        bar = line._task._listener._shown[id(line._task)]._bar
        bar._ema_dn, bar._ema_dt = EMA(1.0), EMA(9.5)  # 41 days left
        bar._ema_dn(1), bar._ema_dt(9.5)
        session.iteration += 5
        line.after_step(session, None)
        bar.refresh()
        line.at_end(session)
    shown = terminal.getvalue().split("\r")[-1].strip()
    assert "123461/500000" in shown and "12345ms data 41% src 1.23" in shown and len(shown) <= 80, shown


def test_a_line_of_the_log_is_never_on_the_line_of_a_bar(monkeypatch):
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    log, handler = logging.Logger("x"), BesideBars()
    log.addHandler(handler)
    with reporting_to(TerminalBars()):
        for _ in progress(range(2), description="sorting", unit="face"):
            log.warning("look here")
    text = terminal.getvalue()
    assert [line.rsplit("\r", 1)[-1] for line in text.split("\n") if "look here" in line] == ["look here"] * 2


def test_a_file_says_the_same_to_programs(tmp_path):
    path, heard = tmp_path / "progress.json", Notes()
    with reporting_to(ProgressFile(path, heard)), Task("counting", "sheep", 10, done=3) as task:
        first = json.loads(path.read_text())
        task.note = "one more"
        task.update(2)
    said = json.loads(path.read_text())
    assert first["done"] == first["first"] == 3 and first["total"] == 10 and not first["ended"]
    assert said["done"] == 5 and said["note"] == "one more" and said["ended"] and said["now"] >= said["begun"]
    assert [one[0] for one in heard.heard] == ["begin", "update", "end"]


def test_a_file_that_cannot_be_written_ends_nothing(tmp_path):
    heard = Notes()
    with reporting_to(ProgressFile(tmp_path / "no such folder" / "progress.json", heard)):
        list(progress(range(3), description="x", unit="y"))
    assert [one[0] for one in heard.heard] == ["begin", *["update"] * 3, "end"]
