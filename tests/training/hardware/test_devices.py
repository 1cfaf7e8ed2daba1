"""Devices that share a batch: the same steps as one device with the whole of it, and what cannot be shared."""

import importlib.util
import json
import os
import subprocess
import sys

import keras
import numpy as np
import pytest
from paths import ROOT, SUPPORT
from training_cases import TINY

from core.errors import EnvironmentFault, UsageError
from core.training.hardware import devices
from core.training.hardware.machine import compiled

PLAIN = {**TINY, "archi": "liae", "batch_size": 4, "clipgrad": True}
JUDGED = {
    **TINY,
    "archi": "df",
    "batch_size": 4,
    "clipgrad": True,
    "lr_dropout": "n",
    "true_face_power": 0.01,
    "gan_power": 0.1,
    "gan_patch_size": 8,
    "gan_dims": 4,
}


def steps(backend, recipe, settings):
    """What ``device_steps.py`` reports of one and of two devices."""
    environment = {
        **os.environ,
        "KERAS_BACKEND": backend,
        "TF_CPP_MIN_LOG_LEVEL": "2",
        "PYTHONPATH": f"{ROOT}{os.pathsep}{os.environ.get('PYTHONPATH', '')}",
        "XLA_FLAGS": "--xla_force_host_platform_device_count=2 --xla_backend_optimization_level=0",
    }
    program = SUPPORT / "device_steps.py"
    done = subprocess.run(
        [sys.executable, program, json.dumps(recipe), json.dumps(settings)],
        env=environment,
        capture_output=True,
        text=True,
        timeout=550,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout.strip().splitlines()[-1])


@pytest.mark.parametrize(
    ("backend", "recipe"),
    [("tensorflow", PLAIN), pytest.param("jax", {**PLAIN, "archi": "df"}, marks=pytest.mark.slow)],
)
def test_two_devices_make_the_steps_of_one(backend, recipe):
    if importlib.util.find_spec(backend) is None:
        pytest.skip(f"{backend} is not installed")
    found = steps(backend, recipe, {"ema": 0.5})
    assert found["devices"] == ["cpu:0", "cpu:1"] and (backend == "jax" or found["used"] == ["CPU:0", "CPU:1"])
    check_steps(found)


def check_steps(found):
    """Two devices add up the same numbers in another order: float32 sums of some 1e5 terms then differ by about 300
    roundings of 6e-8, 2e-5. A share that is missing, or counted twice, changes gradients by as much as they are.
    """
    one, two = np.array(found["losses"])
    assert two == pytest.approx(one, rel=1e-4) and (one[0] != one[-1]).all()
    assert max(found["gradients"], found["weights"], found["averages"]) < 1e-3 < found["moved"]


@pytest.mark.slow
def test_discriminators_learn_from_the_whole_batch():
    # Exact: one device alone would show them what it made before its step, which several cannot keep.
    check_steps(steps("tensorflow", JUDGED, {"exact": True}))


def test_slices_hold_their_share_of_both_sides():
    x = {"warped": np.arange(8), "mask": np.arange(8) * 10}
    parts = devices.slices(x, 2, sides=2)
    assert [keras.ops.convert_to_numpy(part["warped"]).tolist() for part in parts] == [[0, 1, 4, 5], [2, 3, 6, 7]]
    assert [keras.ops.convert_to_numpy(part["mask"]).tolist() for part in devices.slices(x, 4, sides=1)] == [
        [0, 10],
        [20, 30],
        [40, 50],
        [60, 70],
    ]


def test_one_device_shares_nothing():
    assert devices.chosen(1, 3) == ()
    model = keras.Model()
    step = model.train_step
    devices.share(model, (), 2)
    assert model.train_step == step


def test_a_batch_that_cannot_be_shared_is_a_usage_error():
    with pytest.raises(UsageError, match="evenly") as caught:
        devices.chosen(4, 6)
    assert "such as 8" in str(caught.value)


def test_fewer_devices_than_asked_for_are_named():
    with pytest.raises(EnvironmentFault, match="fewer devices") as caught:
        devices.chosen(64, 64)
    assert f"finds {len(keras.distribution.list_devices())}: " in str(caught.value) and "--devices" in str(caught.value)


def test_slices_side_by_side_are_not_compiled():
    assert not compiled(several=True) or keras.backend.backend() == "jax"
