"""The same steps, and a whole run of the train stage, under every Keras backend that is installed.

TensorFlow is then out of reach.
"""

import importlib.util
import json
import os
import subprocess
import sys

import pytest
from paths import ROOT
from runner import flags
from training_cases import TINY, make_workspace

from core.errors import EnvironmentFault
from core.formats import dfl_weights
from core.networks import keras_backend as backends

PROGRAM = """
import json, sys
import numpy as np
from core.data.batches import TrainingBatch
from core.training.hardware.measure import noise
from core.training.recipe import Recipe
from core.training.settings import TrainerSettings
from core.training.trainer import Trainer

sizes = {"resolution": 64, "ae_dims": 32, "e_dims": 16, "d_dims": 16, "d_mask_dims": 16, "batch_size": 2}
own = {"frequency_power": 0.5, "swap_mask_power": 0.5, "perceptual_power": 1.0}
recipe = Recipe(**sizes, **own, clipgrad=True, lr_dropout="n")
trainer = Trainer(recipe, TrainerSettings(seed=3))
random = np.random.RandomState(0)
batch = TrainingBatch(0, *(random.rand(2, 2, 64, 64, c).astype(np.float32) for c in (3, 3, 1, 1)))
losses = [trainer.step(batch) for _ in range(3)]
views = trainer.views(batch.target[0], batch.target[1])
warped = trainer.read(trainer.begin(trainer.ready(noise(2, 64, exact=False, moved=False))))
swap = float(views["sd"].mean())
print(json.dumps({"losses": losses, "warped": warped, "swap": swap, "tensorflow": "tensorflow" in sys.modules}))
"""


# As if TensorFlow were not installed.
BLOCK = """
import sys
from importlib.machinery import PathFinder

class Others(PathFinder):
    @classmethod
    def find_spec(cls, name, path=None, target=None):
        return None if name.split(".")[0] == "tensorflow" else super().find_spec(name, path, target)

sys.meta_path[sys.meta_path.index(PathFinder)] = Others
"""
STAGE = """
import sys
from core.__main__ import main

code = main(sys.argv[1:])
assert "tensorflow" not in sys.modules
sys.exit(code)
"""


def python(backend, program, *arguments, **more):
    path = os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])
    environment = {
        **os.environ,
        **more,
        "KERAS_BACKEND": backend,
        "PYTHONPATH": path,
        "XLA_FLAGS": "--xla_backend_optimization_level=0",
    }
    block = "" if backend == "tensorflow" else BLOCK
    done = subprocess.run(
        [sys.executable, "-c", block + program, *arguments],
        env=environment,
        capture_output=True,
        text=True,
        timeout=550,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


def steps(backend):
    return json.loads(python(backend, PROGRAM).strip().splitlines()[-1])


def needs(backend):
    if importlib.util.find_spec(backend) is None:
        pytest.skip(f"{backend} is not installed (pip install -r {backends.requirements(backend)})")


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["jax", "torch"])
def test_losses_equal_those_under_tensorflow(backend):
    needs(backend)
    needs("tensorflow")
    reference, other = steps("tensorflow"), steps(backend)
    assert reference["tensorflow"] and not other["tensorflow"]
    assert other["losses"][0] == pytest.approx(reference["losses"][0], rel=1e-5)
    assert other["losses"][2] == pytest.approx(reference["losses"][2], rel=1e-3)
    assert other["warped"] == pytest.approx(reference["warped"], rel=2e-3)
    assert other["swap"] == pytest.approx(reference["swap"], abs=1e-3)
    assert other["losses"][2][0] < other["losses"][0][0]


EVERYTHING = ("--gan-power", "0.1", "--gan-patch-size", "8", "--precision", "float16", "--ema", "0.9")


@pytest.mark.e2e
@pytest.mark.parametrize("more", [(), pytest.param(EVERYTHING, marks=pytest.mark.slow)])
@pytest.mark.parametrize("backend", ["jax", "torch"])
def test_a_run_without_tensorflow_trains_saves_and_exports(tmp_path, backend, more):
    needs(backend)
    root = make_workspace(tmp_path)
    said = python(
        backend,
        STAGE,
        "train",
        "2",
        *flags({**TINY, "archi": "liae", "workers": 1}),
        "--no-random-warp",
        *more,
        WORKSPACE=str(root),
    )
    assert "0 -> 2" in said and "difference from the model" in said
    assert dfl_weights.read_data(root / "model/swap_SAEHD_data.dat").iteration == 2
    assert (root / "model/swap_SAEHD_model.dfm").is_file() and (root / "model/swap_SAEHD_GAN.npy").is_file() == bool(
        more
    )


@pytest.mark.slow
@pytest.mark.parametrize("more", [(), ("--warp-on-device",)], ids=["", "warp on device"])
@pytest.mark.parametrize("backend", ["jax", "torch"])
def test_stopped_and_resumed_equals_uninterrupted_bit_for_bit(tmp_path, backend, more):
    needs(backend)
    whole, parts = make_workspace(tmp_path / "whole"), make_workspace(tmp_path / "parts")
    for root, until in ((whole, "4"), (parts, "2"), (parts, "4")):
        python(
            backend,
            STAGE,
            "train",
            until,
            *flags({**TINY, "archi": "df", "workers": 1}),
            "--gan-power",
            "0.1",
            "--gan-patch-size",
            "8",
            *more,
            WORKSPACE=str(root),
        )
    for path in (whole / "model").glob("*.npy"):
        assert path.read_bytes() == (parts / "model" / path.name).read_bytes(), path.name


def test_a_backend_that_is_missing_or_unknown_is_named(monkeypatch):
    monkeypatch.setenv("KERAS_BACKEND", "theano")
    with pytest.raises(EnvironmentFault, match="no such backend"):
        backends.choose()
    monkeypatch.setenv("KERAS_BACKEND", "torch")
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: name == "jax" or None)
    with pytest.raises(EnvironmentFault) as caught:
        backends.choose()
    assert "requirements-torch.txt" in str(caught.value) and "KERAS_BACKEND=jax" in str(caught.value)
    monkeypatch.delenv("KERAS_BACKEND")
    with pytest.raises(EnvironmentFault, match="not installed"):
        backends.choose()
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: True)
    monkeypatch.delenv("KERAS_BACKEND")
    assert backends.choose() == "tensorflow" == os.environ["KERAS_BACKEND"]
