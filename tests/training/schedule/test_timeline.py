"""Positions in a schedule, and what a run begins with there."""

import json

import pytest

from core.errors import CorruptFileError
from core.training.schedule.opening import opening_at
from core.training.schedule.presets import Phase, Preset
from core.training.schedule.timeline import Position, attach, from_saved, position

THREE = Preset(
    "three", "", {}, (Phase(4, {"random_warp": True}, ("inter_AB",), 3), Phase(6, {"random_warp": False}), Phase(None))
)


@pytest.mark.parametrize(
    ("iteration", "expected"),
    [
        (0, Position(0, 0, 3)),
        (2, Position(0, 0, 3)),
        (3, Position(0, 3, 4)),
        (4, Position(1, 4, 6)),
        (5, Position(1, 4, 6)),
        (6, Position(2, 6, 0)),
        (10**6, Position(2, 6, 0)),
    ],
)
def test_a_position_is_a_function_of_the_iteration(iteration, expected):
    assert position(THREE, iteration) == expected


def test_the_last_phase_may_end_and_its_options_hold_on():
    ending = Preset("e", "", {}, (Phase(5, {}, ("inter_AB",), 2),))
    assert [position(ending, i) for i in (0, 2, 4, 5, 9)] == [
        Position(0, 0, 2),
        Position(0, 2, 4),
        Position(0, 4, 0),
        Position(0, 4, 0),
        Position(0, 4, 0),
    ]
    assert ending.end == 5 and THREE.end == 0


def test_parts_start_anew_once_and_only_at_a_boundary():
    schedule = attach(THREE, {"random_warp": True}, None)
    first = opening_at(schedule, 0)
    assert first.reinit == ("inter_AB",) and first.entered and not opening_at(first.schedule, 2).entered
    assert opening_at(first.schedule, 3).reinit == ("inter_AB",)
    assert opening_at(opening_at(first.schedule, 3).schedule, 3).reinit == ()  # it was done and saved
    joined = opening_at(schedule, 2)  # a model that comes from elsewhere
    assert joined.entered and joined.reinit == ()
    plain = json.loads(json.dumps(first.schedule.plain()))
    assert from_saved(plain, "x") == first.schedule
    for damaged in (plain | {"begun": "soon"}, plain | {"preset": 3}, {"preset": plain["preset"]}):
        with pytest.raises(CorruptFileError, match="(?s)schedule.*swap_SAEHD_forge.json"):
            from_saved(damaged, "swap_SAEHD_forge.json")
    assert opening_at(attach(THREE, {"random_warp": True}, first.schedule), 2).entered is False


def test_an_option_that_a_phase_does_not_name_is_the_models_own():
    schedule = attach(THREE, {"random_warp": True, "batch_size": 3}, None)
    assert [opening_at(schedule, i).values["random_warp"] for i in (0, 4, 6)] == [True, False, True]
    assert attach(Preset("none"), {}, schedule) is None
