"""Running averages of the weights: arithmetic, previews, saves, switching on and off, rollback, export."""

import io
import json
from types import SimpleNamespace

import numpy as np
import onnx
import pytest
from keras import ops
from training_cases import TINY, eagerly

from core.checkpoints.model_folder import DATA, ModelFolder
from core.checkpoints.model_weights import averaged_parts, read_model_weights
from core.formats.dfl_weights import read_data
from core.jobs.models import train as job
from core.stages.models import export, train
from core.training.hardware.measure import noise
from core.training.recipe import Recipe, config_of
from core.training.saved_state import STATE, read_state
from core.training.session import Session, restore
from core.training.settings import TrainerSettings
from core.training.trainer import Trainer
from core.workspace import Workspace

pytestmark = pytest.mark.usefixtures("eager")
RECIPE = Recipe(**TINY, archi="df-u", clipgrad=True)
BATCH = noise(2, 64)
DECAY = 0.75


def make(ema=DECAY):
    return Trainer(RECIPE, TrainerSettings(seed=5, ema=ema))


def numpy(variable):
    return np.array(ops.convert_to_numpy(variable.value))


def weights(trainer):
    return [numpy(v) for v in trainer.model.trainable_variables]


def averages(trainer):
    return [numpy(v) for v in trainer.optimizer.averages]


def same(a, b):
    return all((x == y).all() for x, y in zip(a, b, strict=True))


def save(trainer, folder, iteration=1):
    session = Session(ModelFolder(folder, "m"), RECIPE, trainer, iteration=iteration, history=[[1.0, 1.0]] * iteration)
    session.save()
    return session


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A trainer after three steps and what it was after each; its save."""
    trainer = make()
    history = [weights(trainer)]
    assert same(averages(trainer), history[0])
    with eagerly():
        for _ in range(3):
            trainer.step(BATCH)
            history.append(weights(trainer))
    workspace = Workspace(tmp_path_factory.mktemp("workspace")).create()
    return SimpleNamespace(
        trainer=trainer, history=history, session=save(trainer, workspace.model, 3), workspace=workspace
    )


def test_each_step_moves_the_average_towards_the_new_weights(trained):
    expected = trained.history[0]
    for step in trained.history[1:]:
        expected = [mean + (1 - DECAY) * (now - mean) for mean, now in zip(expected, step, strict=True)]
    for mean, wanted, now in zip(averages(trained.trainer), expected, trained.history[-1], strict=True):
        assert np.abs(mean - wanted).max() < 1e-7
        assert not now.any() or (mean != now).any()


def test_previews_show_the_averages_and_leave_the_weights_alone(trained):
    trainer, before = trained.trainer, (weights(trained.trainer), averages(trained.trainer))
    seen = trainer.views(*BATCH.target)["sd"]
    assert same(before[0], weights(trainer)) and same(before[1], averages(trainer))
    plain = make(ema=0.0)
    for variable, mean in zip(plain.model.trainable_variables, before[1], strict=True):
        variable.assign(mean)
    assert np.abs(seen - plain.views(*BATCH.target)["sd"]).max() < 1e-6
    for variable, value in zip(plain.model.trainable_variables, before[0], strict=True):
        variable.assign(value)
    assert np.abs(seen - plain.views(*BATCH.target)["sd"]).max() > 1e-5


def test_the_moments_and_their_file_do_not_change(trained):
    plain = make(ema=0.0)
    for _ in range(3):
        plain.step(BATCH)
    first, second = io.BytesIO(), io.BytesIO()
    trained.trainer.writers()["src_dst_opt.npy"](first)
    plain.writers()["src_dst_opt.npy"](second)
    assert first.getvalue() == second.getvalue() and same(weights(plain), trained.history[-1])


def test_saved_and_resumed_to_the_bit(trained):
    files = ModelFolder(trained.workspace.model, "m").load().files
    assert averaged_parts(files, config_of(RECIPE)) == ["encoder", "inter", "decoder_src", "decoder_dst"]
    assert json.loads(files[STATE].read_text())["ema"] == DECAY
    other = Trainer(RECIPE, TrainerSettings(**{k: v for k, v in read_state(files[STATE]).items() if k != "iteration"}))
    other.load(files)
    assert same(averages(other), averages(trained.trainer))
    assert other.step(BATCH) == trained.trainer.step(BATCH)
    assert same(averages(other), averages(trained.trainer)) and same(weights(other), weights(trained.trainer))
    trained.trainer.load(files)  # as a rollback does
    assert same(weights(trained.trainer), trained.history[-1]) and not same(averages(trained.trainer), averages(other))
    trained.trainer.step(BATCH)
    assert same(averages(other), averages(trained.trainer))
    trained.trainer.load(files)


def test_a_fresh_part_restarts_its_average_only(trained):
    files = ModelFolder(trained.workspace.model, "m").load().files
    other = make()
    other.load(files, reinit=("inter",))
    for name, model in other.networks.items():
        variables = {id(v) for v in model.trainable_variables}
        pairs = [
            (numpy(v), numpy(mean))
            for v, mean in zip(other.model.trainable_variables, other.optimizer.averages, strict=True)
            if id(v) in variables
        ]
        assert all((a == b).all() for a, b in pairs) is (name == "inter")


def test_off_drops_the_files_and_on_starts_from_the_weights(trained, tmp_path):
    model = ModelFolder(tmp_path, "m")
    save(trained.trainer, tmp_path)
    off = make(ema=0.0)
    session = Session(model, RECIPE, off)
    restore(session, model.load().files, read_data(model.load().files[DATA]))
    session.iteration = 2
    session.save()
    assert not averaged_parts(model.load().files, config_of(RECIPE)) and not list(tmp_path.glob("*ema_*"))
    on = make(ema=0.5)
    on.load(model.load().files)
    assert same(averages(on), weights(off))


def test_the_report_of_training_says_which_weights_it_exported(trained):
    report = train.trained(job.trained(trained.session, trained.workspace))
    assert dict(report.rows)["export: weights"] == "averaged"


@pytest.mark.parametrize(("flags", "name"), [({}, "averaged"), ({"averages": False}, "last")])
def test_the_export_takes_the_averages_unless_told_not_to(trained, flags, name):
    files = ModelFolder(trained.workspace.model, "m").load().files
    report = export.run(export.Options(**flags), trained.workspace)
    assert dict(report.rows)["weights"] == name
    model = onnx.load(report.outputs[0])
    assert {p.key: p.value for p in model.metadata_props}["weights"] == name
    chosen = read_model_weights(files, config_of(RECIPE), averages=name == "averaged")
    other = read_model_weights(files, config_of(RECIPE), averages=name != "averaged")
    tensors = {t.name: onnx.numpy_helper.to_array(t) for t in model.graph.initializer}
    key = "encoder/down1/downs_1/conv1/weight"
    wanted, unwanted = (
        w["encoder"][f"{key.removeprefix('encoder/')}:0"].transpose(3, 2, 0, 1) for w in (chosen, other)
    )
    assert (tensors[key] == wanted).all() and (wanted != unwanted).any()
