"""kill -9 before every thing that a stage does to the disk: nothing is lost, and running it again completes it."""

from itertools import count

import pytest
from kills import CASES, look, outcome


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_killed_at_every_step(case, tmp_path):
    wanted, wrong = outcome(case, tmp_path / "whole"), {}
    for step in count():
        found = look(case, tmp_path / str(step), step, wanted)
        if found is None:
            break
        if found:
            wrong[step] = found
    print(f"{case.name}: {step} kills")
    assert not wrong and step >= 2
