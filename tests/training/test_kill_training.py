"""A training run that is killed again and again loses nothing that was saved, and ends as if nothing had happened."""

import subprocess
import sys

import pytest
from paths import ROOT

from benchmarks import kill_training


@pytest.mark.e2e
def test_killed_three_times_and_still_equal_bit_for_bit(tmp_path, monkeypatch):
    pytest.importorskip("tensorflow")
    monkeypatch.setattr(kill_training, "AFTER_START", 2.0)
    monkeypatch.setattr(kill_training, "AFTER_SAVE", 1.0)
    with kill_training.Forks() as forks:
        found = kill_training.measure(tmp_path, 3, 7, forks)
    assert [len(found["rounds"]), found["rounds_that_lost_a_complete_save"], found["rounds_with_damage"]] == [
        3,
        0,
        0,
    ], found
    assert found["files_that_differ_from_an_uninterrupted_run"] == []
    assert found["rounds"][-1]["found"] >= 2 and found["iterations"] == found["rounds"][-1]["found"] + 3


def test_what_looks_at_the_disk_after_a_kill_loads_no_framework():
    code = "import sys; from benchmarks import kill_training; sys.exit(len(kill_training.frameworks()))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
