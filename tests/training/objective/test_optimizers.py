"""Optimizers: the original's weights and moments after every step, masks of dropout, the original's keys."""

import keras
import numpy as np
import pytest
from golden_files import GoldenArrays
from keras import ops

from core.formats.dfl_weights import slot_key
from core.training.objective.optimizers import KEEP, AdaBelief, RMSprop

KINDS = {"AdaBelief": AdaBelief, "RMSprop": RMSprop}
NAMES = ["net/layer/weight:0", "net/layer/bias:0"]


def numpy(x):
    return ops.convert_to_numpy(x)


@pytest.mark.parametrize("case", [f"{kind}_{i}" for kind in KINDS for i in range(4)])
def test_twelve_steps_golden(case):
    golden = GoldenArrays("dfl-model/networks_and_ops.npz")
    settings = golden.json(f"opt_{case}_cfg")
    variables = [keras.Variable(golden[f"opt_{case}_w0_{part}"]) for part in ("weight", "bias")]
    optimizer = KINDS[case.split("_")[0]](5e-5, cosine=settings.get("lr_cos", 0), clip_norm=settings.get("clipnorm", 0))
    optimizer.build(variables)
    for step in range(12):
        optimizer.apply(
            [ops.convert_to_tensor(golden[f"opt_{case}_grad_{part}"][step]) for part in ("weight", "bias")], variables
        )
        for variable, part in zip(variables, ("weight", "bias"), strict=True):
            assert np.abs(numpy(variable) - golden[f"opt_{case}_w_{part}"][step]).max() < 1e-6
    assert int(optimizer.iterations) == golden[f"opt_{case}_state/iters:0"]
    state = {slot_key(slot, name): array for slot, name, array in optimizer.slot_arrays(NAMES)}
    assert len(state) == 2 * len(optimizer.slots)
    for key in state:
        assert state[key] == pytest.approx(golden[f"opt_{case}_state/{key}"], rel=1e-5, abs=1e-7)


def test_first_step_of_adabelief_is_three_and_a_half_rates():
    variable = keras.Variable(np.zeros(4, np.float32))
    optimizer = AdaBelief(1e-3)
    optimizer.build([variable])
    optimizer.apply([ops.convert_to_tensor(np.float32([5, -5, 0.1, 0]))], [variable])
    assert numpy(variable) == pytest.approx(np.array([-3.514e-3, 3.514e-3, -3.51e-3, 0]), rel=2e-3)


def test_dropout_keeps_the_original_share_and_depends_only_on_seed_and_iteration():
    def moved(seed, steps):
        variable = keras.Variable(np.zeros((300, 300), np.float32))
        optimizer = AdaBelief(keep=KEEP, seed=seed)
        optimizer.build([variable])
        optimizer.iterations.assign(steps)
        optimizer.apply([ops.ones((300, 300))], [variable])
        return numpy(variable) != 0

    assert moved(1, 5).mean() == pytest.approx(KEEP, abs=0.006)
    assert (moved(1, 5) == moved(1, 5)).all()
    for other in (moved(2, 5), moved(1, 6)):
        assert (moved(1, 5) == other).mean() == pytest.approx(KEEP**2 + (1 - KEEP) ** 2, abs=0.01)  # independent


def test_masks_of_variables_differ():
    variables = [keras.Variable(np.zeros((200, 200), np.float32)) for _ in range(2)]
    optimizer = RMSprop(keep=KEEP)
    optimizer.build(variables)
    optimizer.apply([ops.ones((200, 200))] * 2, variables)
    a, b = (numpy(v) != 0 for v in variables)
    assert (a == b).mean() == pytest.approx(KEEP**2 + (1 - KEEP) ** 2, abs=0.01)


def test_frozen_variable_keeps_value_moments_and_does_not_count_in_the_norm():
    moving, frozen = keras.Variable(np.zeros(2, np.float32)), keras.Variable(np.zeros(2, np.float32))
    optimizer = AdaBelief(clip_norm=1.0, frozen=[frozen])
    optimizer.build([moving, frozen])
    optimizer.apply(
        [ops.convert_to_tensor(np.float32([0.3, 0.4])), ops.convert_to_tensor(np.float32([1e6, 1e6]))], [moving, frozen]
    )
    assert (numpy(frozen) == 0).all()
    first = {name: array for slot, name, array in optimizer.slot_arrays(NAMES) if slot == "ms"}
    assert first[NAMES[0]] == pytest.approx([0.03, 0.04])
    assert (first[NAMES[1]] == 0).all()


def test_cosine_reaches_zero_in_the_middle_of_its_period():
    variable = keras.Variable(np.zeros(1, np.float32))
    optimizer = RMSprop(cosine=500)
    optimizer.build([variable])
    optimizer.iterations.assign(249)
    optimizer.apply([ops.ones(1)], [variable])
    assert abs(numpy(variable)[0]) < 1e-9


def test_state_round_trip_and_what_is_missing():
    variables = [keras.Variable(np.ones((2, 3), np.float32)), keras.Variable(np.ones(3, np.float32))]
    first, second = AdaBelief(), AdaBelief()
    first.build(variables), second.build(variables)
    first.apply([ops.ones((2, 3)), ops.ones(3)], variables)
    slots: dict = {}
    for slot, name, array in first.slot_arrays(NAMES):
        slots.setdefault(slot, {})[name] = array
    assert set(slots) == {"ms", "vs"} and all(set(part) == set(NAMES) for part in slots.values())
    assert second.load_slots(NAMES, 1, slots) == []
    assert int(second.iterations) == 1
    assert all((slots[slot][name] == array).all() for slot, name, array in second.slot_arrays(NAMES))
    del slots["vs"][NAMES[1]]
    assert second.load_slots(NAMES, 1, slots) == [f"vs {NAMES[1]}"]
