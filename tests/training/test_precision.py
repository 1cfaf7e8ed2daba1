"""Half precision: what is computed in it and what is not, the scale of the loss, overflow, resuming."""

import io
import json

import numpy as np
import pytest
from keras import ops
from training_cases import TINY

from core.errors import CorruptFileError, DivergedError
from core.networks.keras_builder import get_weights
from core.training.hardware.measure import noise
from core.training.objective.losses import sigmoid_cross_entropy
from core.training.objective.optimizers import FIRST_SCALE
from core.training.recipe import Recipe
from core.training.trainer import SMALLEST_SCALE, Trainer, TrainerSettings
from core.training.weight_files import SCALES

EVERYTHING = {
    **TINY,
    "archi": "df-u",
    "true_face_power": 0.1,
    "gan_power": 0.1,
    "gan_patch_size": 8,
    "gan_dims": 4,
    "clipgrad": True,
}
BATCH = noise(2, 64)
STEPS = 3


def make(precision, options=EVERYTHING):
    return Trainer(Recipe(**options), TrainerSettings(seed=3, precision=precision, ema=0.9))


class Runs(dict):
    """Precision -> a trainer after some steps and their losses; made when first asked for."""

    def __missing__(self, precision):
        trainer = make(precision)
        self[precision] = trainer, [trainer.step(BATCH) for _ in range(STEPS)]
        return self[precision]


@pytest.fixture(scope="module")
def made():
    return Runs()


@pytest.fixture
def runs(made, eager):
    return made


def numpy(variable):
    return np.array(ops.convert_to_numpy(variable.value))


def state(trainer):
    """Every number that training may change, by place."""
    optimizers = [trainer.optimizer, *trainer.discriminators.optimizers()]
    arrays = [array for weights in trainer.weights().values() for array in weights.values()]
    arrays += [array for found in trainer.discriminators for array in get_weights(found.network).values()]
    arrays += [numpy(v) for optimizer in optimizers for slot in optimizer.moments.values() for v in slot]
    return arrays + [numpy(v) for v in trainer.optimizer.averages]


def written(trainer):
    out = {}
    for name, write in trainer.writers().items():
        stream = io.BytesIO()
        write(stream)
        out[name] = stream.getvalue()
    return out


def save(trainer, folder):
    files = {}
    for name, data in written(trainer).items():
        files[name] = folder / name
        files[name].write_bytes(data)
    return files


@pytest.mark.parametrize(("precision", "band"), [("bfloat16", 5e-3), ("float16", 5e-4)])
def test_losses_stay_near_those_of_float32(runs, precision, band):
    reference, losses = runs["float32"][1], runs[precision][1]
    assert losses == [pytest.approx(pair, rel=band) for pair in reference]
    assert losses != reference and losses[-1][0] < losses[0][0]
    a, b = (runs[p][0].views(BATCH.target[0], BATCH.target[1])["sd"] for p in ("float32", precision))
    assert b.dtype == np.float32 and 0 < np.abs(a - b).max() < 10 * band


@pytest.mark.parametrize("precision", ["bfloat16", "float16"])
def test_layers_compute_in_half_and_keep_everything_in_float32(runs, precision):
    trainer = runs[precision][0]
    networks = [
        *trainer.networks.values(),
        *(network for found in trainer.discriminators for network in (found.network, found.frozen)),
    ]
    layers = [layer for network in networks for layer in network.layers if layer.weights]
    assert {layer.compute_dtype for layer in layers} == {precision} and len(networks) == 8
    assert {variable.dtype for layer in layers for variable in layer.weights} == {"float32"}
    assert {array.dtype for array in state(trainer)} == {np.dtype("float32")}


def test_cross_entropy_of_half_logits_is_computed_in_float32():
    logits = np.linspace(-9, 9, 64, dtype=np.float32).reshape(1, 8, 8, 1)
    half = ops.cast(logits, "bfloat16")
    loss = ops.convert_to_numpy(sigmoid_cross_entropy(1, half))
    exact = np.log1p(np.exp(-ops.convert_to_numpy(ops.cast(half, "float32")).astype(np.float64))).mean()
    assert loss.dtype == np.float32 and loss[0] == pytest.approx(exact, rel=1e-6)


def test_files_have_the_same_names_and_shapes_in_every_precision(runs):
    files = {precision: written(runs[precision][0]) for precision in ("float32", "bfloat16", "float16")}
    assert set(files["float16"]) == set(files["float32"]) | {SCALES} and set(files["bfloat16"]) == set(files["float32"])
    for name in files["float32"]:
        assert len(files["float16"][name]) == len(files["float32"][name]), name


def test_float16_resumes_to_the_bit(runs, tmp_path):
    first = runs["float16"][0]
    first.optimizer.scale.assign(2.0**9)
    first.step(BATCH)
    second = make("float16")
    second.load(save(first, tmp_path))
    assert (
        numpy(second.optimizer.scale) == 2.0**9
        and numpy(second.optimizer.calm_steps) == numpy(first.optimizer.calm_steps) > 0
    )
    assert [first.step(BATCH) for _ in range(2)] == [second.step(BATCH) for _ in range(2)]
    assert written(first) == written(second)


def test_a_step_that_overflows_moves_nothing_and_halves_the_scale(runs):
    trainer = runs["float16"][0]
    optimizers = [trainer.optimizer, *trainer.discriminators.optimizers()]
    for optimizer in optimizers:
        optimizer.scale.assign(2.0**120)
    before, count = state(trainer), int(trainer.optimizer.iterations)
    losses = trainer.step(BATCH)
    assert np.isfinite(losses).all()
    assert all((a == b).all() for a, b in zip(before, state(trainer), strict=True))
    assert [float(numpy(o.scale)) for o in optimizers] == [2.0**119] * 3 and [
        int(numpy(o.calm_steps)) for o in optimizers
    ] == [0] * 3
    assert int(trainer.optimizer.iterations) == count + 1
    for optimizer in optimizers:
        optimizer.scale.assign(FIRST_SCALE)
    trainer.step(BATCH)
    assert any((a != b).any() for a, b in zip(before, state(trainer), strict=True))


def test_a_graph_decides_in_every_step_anew():
    """What depends on numbers is decided where the step runs, not once while its graph is built."""
    trainer = make("float16", {**TINY, "archi": "df"})
    before = state(trainer)
    trainer.optimizer.scale.assign(2.0**120)
    trainer.step(BATCH)
    assert all((a == b).all() for a, b in zip(before, state(trainer), strict=True))
    trainer.optimizer.scale.assign(FIRST_SCALE)
    trainer.step(BATCH)
    assert any((a != b).any() for a, b in zip(before, state(trainer), strict=True))
    assert float(numpy(trainer.optimizer.scale)) == FIRST_SCALE and int(numpy(trainer.optimizer.calm_steps)) == 1


def test_the_scale_doubles_after_a_calm_while(runs):
    optimizer = runs["float16"][0].optimizer
    optimizer.scale.assign(8.0)
    optimizer.calm_steps.assign(1999)
    runs["float16"][0].step(BATCH)
    assert float(numpy(optimizer.scale)) == 16 and int(numpy(optimizer.calm_steps)) == 0


def test_gradients_that_never_are_finite_end_the_run(runs):
    trainer = runs["float16"][0]
    trainer.optimizer.scale.assign(SMALLEST_SCALE / 2)
    with pytest.raises(DivergedError, match="float16") as caught:
        trainer.step(BATCH)
    assert "--precision bfloat16" in str(caught.value)
    trainer.optimizer.scale.assign(FIRST_SCALE)


@pytest.mark.parametrize("text", ["{", "[]", json.dumps({"src_dst_opt": ["large", 0]}), json.dumps({"src_dst_opt": 3})])
def test_damaged_scales_are_named(runs, tmp_path, text):
    trainer = runs["float16"][0]
    files = save(trainer, tmp_path)
    files[SCALES].write_text(text)
    with pytest.raises(CorruptFileError, match="cannot read"):
        trainer.load(files)


def test_scales_that_are_not_there_start_anew(runs, tmp_path):
    trainer = runs["float16"][0]
    files = save(trainer, tmp_path)
    del files[SCALES]
    trainer.optimizer.scale.assign(4.0)
    trainer.load(files)
    assert float(numpy(trainer.optimizer.scale)) == FIRST_SCALE
