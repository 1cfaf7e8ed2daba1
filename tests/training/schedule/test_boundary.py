"""Training over the boundaries of a schedule at a tiny size."""

import json
import shutil

import pytest
from training_cases import make_workspace

from core.checkpoints import saves
from core.checkpoints.model_folder import ModelFolder
from core.errors import UsageError
from core.formats import dfl_weights
from core.stages.models import train
from core.training import recipe, start
from core.training.schedule import boundary
from core.training.schedule.presets import Phase, Preset
from core.training.schedule.timeline import attach
from core.training.session import Session
from core.training.settings import TrainerSettings
from core.workspace import Workspace

pytestmark = pytest.mark.usefixtures("eager")
FILES = ("encoder.npy", "inter_AB.npy", "inter_B.npy", "decoder.npy", "src_dst_opt.npy", "data.dat")
THREE = Preset(
    "three", "", {}, (Phase(4, {"random_warp": True}, ("inter_AB",), 3), Phase(6, {"random_warp": False}), Phase(None))
)


MINE = """
description = "as the real ones, in seven iterations"
[options]
resolution = 64
ae_dims = 32
e_dims = 16
d_dims = 16
d_mask_dims = 16
batch_size = 2
adabelief = false
lr_dropout = "y"
[[phase]]
until = 4
random_hsv_power = 0.1
lr_dropout = "n"
reinit = ["inter_AB"]
reinit_every = 2
[[phase]]
until = 5
random_warp = false
learning_rate = 1e-5
batch_size = 3
[[phase]]
until = 6
random_warp = false
gan_power = 0.1
gan_patch_size = 8
"""


@pytest.fixture
def mine(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text(MINE)
    return str(path)


def run(root, **more):
    return train.run(train.Options(workers=0, **more), Workspace(root))


def folder(root):
    return ModelFolder(root / "model", "swap")


def state(root):
    return json.loads((root / "model/swap_SAEHD_forge.json").read_text())


@pytest.fixture
def built(monkeypatch):
    """Networks that were built, one entry each."""
    made = []

    class Counted(start.Trainer):
        def __init__(self, *given, **more):
            made.append(self)
            super().__init__(*given, **more)

    monkeypatch.setattr(start, "Trainer", Counted)
    return made


def test_stopped_anywhere_equals_run_through_bit_for_bit(tmp_path, mine, caplog, built):
    whole, parts = (make_workspace(tmp_path / name) for name in ("whole", "parts"))
    with caplog.at_level("INFO"):
        run(whole, preset=mine, seed=5)  # the end of the last phase is the target
    assert len(built) == 3, "those of the beginning serve again where inter_AB starts anew"
    (change,) = [message for message in caplog.messages if message.startswith("iteration 4: ")]
    assert all(
        said in change
        for said in (
            "batch_size 2 -> 3",
            "lr_dropout n -> y",
            "random_warp True -> False",
            "learning_rate 5e-05 -> 1e-05",
        )
    )
    assert caplog.messages.count("inter_AB starts anew") == 1
    caplog.clear()
    run(parts, preset=mine, seed=5, target_iter=1)
    with caplog.at_level("INFO"):
        run(parts, target_iter=2)  # at a boundary
        run(parts, target_iter=3)  # behind it
        before = {
            save.iteration: json.loads((save.folder / "forge.json").read_text())["schedule"]["begun"]
            for save in saves.complete(folder(parts).saves)
        }
        assert before == {2: 2, 3: 2}  # what started anew was saved at once: a rollback finds it
        run(parts, target_iter=5)  # over one
    assert caplog.messages.count("inter_AB starts anew") == 1
    assert state(parts)["rate"] == pytest.approx(0.2)
    run(parts)
    for name in (*FILES, "GAN.npy", "GAN_opt.npy"):
        assert (whole / f"model/swap_SAEHD_{name}").read_bytes() == (parts / f"model/swap_SAEHD_{name}").read_bytes(), (
            name
        )
    backups = ["2 - before phase 1 of mine", "4 - before phase 2 of mine", "5 - before phase 3 of mine"]
    for root in (whole, parts):
        assert sorted(path.name for path in (root / "model/swap_SAEHD_autobackups").iterdir()) == backups
        assert dfl_weights.read_data(root / "model/swap_SAEHD_data.dat").iteration == 6
    # The phase that named a rate is over.
    assert state(whole)["rate"] == pytest.approx(1) and state(whole)["schedule"]["begun"] == 5
    options = dfl_weights.read_data(whole / "model/swap_SAEHD_data.dat").options
    assert (options["batch_size"], options["adabelief"], options["gan_power"]) == (2, False, 0.1)


class Stub:
    """Networks that are never asked for."""

    settings = TrainerSettings()

    def writers(self):
        return {}


def test_a_backup_is_made_once_a_boundary_and_the_oldest_make_room(tmp_path, monkeypatch):
    monkeypatch.setattr(boundary, "KEPT", 2)
    (tmp_path / "model").mkdir()
    session = Session(
        folder(tmp_path), recipe.Recipe(resolution=64), Stub(), schedule=attach(THREE, {"random_warp": True}, None)
    )
    made = []
    for iteration, history in (
        (3, 1.0),
        (3, 1.0),
        (3, 2.0),
        (4, 1.0),
        (6, 1.0),
    ):  # killed after the backup; trained again to the same place
        session.iteration, session.history = iteration, [[history, history]] * iteration
        session.save()
        boundary.backup(session, tmp_path / "none.jpg")
        made.append(sorted(path.name for path in (tmp_path / "model/swap_SAEHD_autobackups").iterdir()))
    first, again, second, third = (
        "3 - before phase 1 of three",
        "3 - before phase 1 of three (2)",
        "4 - before phase 2 of three",
        "6 - before phase 3 of three",
    )
    assert made == [[first], [first], [first, again], [again, second], [second, third]]


def test_a_flag_wins_over_the_phase_and_none_ends_the_schedule(tmp_path, mine):
    root = make_workspace(tmp_path / "ws")
    run(root, preset=mine, target_iter=1, lr_dropout="y", pretrained=False)
    assert dfl_weights.read_data(root / "model/swap_SAEHD_data.dat").options["lr_dropout"] == "y"
    run(root, target_iter=2)
    assert dfl_weights.read_data(root / "model/swap_SAEHD_data.dat").options["lr_dropout"] == "n"
    run(root, preset="none", target_iter=5)
    assert "schedule" not in state(root) and not (root / "model/swap_SAEHD_autobackups").exists()
    options = dfl_weights.read_data(root / "model/swap_SAEHD_data.dat").options
    assert (options["random_warp"], options["random_hsv_power"]) == (True, 0.1)


def test_a_phase_that_the_model_cannot_have_is_refused_before_training(tmp_path, mine):
    root, path = make_workspace(tmp_path / "ws"), tmp_path / "df.toml"
    shutil.copy(mine, path)
    with pytest.raises(UsageError, match="df, phase 1, reinit: inter_AB"):
        run(root, preset=str(path), archi="df-u", target_iter=1)
    path.write_text(MINE + "true_face_power = 0.1")
    with pytest.raises(UsageError, match="true face needs a df.*df, phase 3"):
        run(root, preset=str(path), target_iter=1)
    assert not list((root / "model").glob("*.npy"))
