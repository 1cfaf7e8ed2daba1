"""The same steps under every Keras backend that is installed."""

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = """
import json, sys
import numpy as np
from core.data.batches import TrainingBatch
from core.training.recipe import Recipe
from core.training.trainer import Trainer, TrainerSettings

recipe = Recipe(resolution=64, ae_dims=32, e_dims=16, d_dims=16, d_mask_dims=16, batch_size=2, clipgrad=True, lr_dropout="n")
trainer = Trainer(recipe, TrainerSettings(seed=3))
random = np.random.RandomState(0)
batch = TrainingBatch(0, *(random.rand(2, 2, 64, 64, c).astype(np.float32) for c in (3, 3, 1, 1)))
losses = [trainer.step(batch) for _ in range(3)]
views = trainer.views(batch.target[0], batch.target[1])
print(json.dumps({"losses": losses, "swap": float(views["sd"].mean()), "tensorflow": "tensorflow" in sys.modules}))
"""


def steps(backend):
    environment = {**os.environ, "KERAS_BACKEND": backend, "PYTHONPATH": os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])}
    done = subprocess.run([sys.executable, "-c", PROGRAM], env=environment, capture_output=True, text=True, timeout=500)
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout.strip().splitlines()[-1])


@pytest.mark.e2e
@pytest.mark.parametrize("backend", ["jax", "torch"])
def test_losses_equal_those_under_tensorflow(backend):
    if importlib.util.find_spec(backend) is None:
        pytest.skip(f"{backend} is not installed")
    reference, other = steps("tensorflow"), steps(backend)
    assert other["losses"][0] == pytest.approx(reference["losses"][0], rel=1e-5)
    assert other["losses"][2] == pytest.approx(reference["losses"][2], rel=1e-3)
    assert other["swap"] == pytest.approx(reference["swap"], abs=1e-3)
    assert other["losses"][2][0] < other["losses"][0][0]
