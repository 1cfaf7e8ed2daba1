"""Presets as files, places in a schedule, and training over its boundaries at a tiny size."""

import json
import shutil

import pytest
from training_cases import make_workspace

from core.checkpoints import saves
from core.checkpoints.model_folder import ModelFolder
from core.errors import CorruptFileError, InputError, UsageError
from core.formats import dfl_weights
from core.networks import archs
from core.stages import train
from core.training import recipe
from core.training.schedule import phases, presets
from core.training.schedule.presets import Phase, Preset
from core.training.schedule.schedule import Place, attached, opening, place, restored
from core.training.session import Session
from core.training.trainer import TrainerSettings
from core.workspace import Workspace

FILES = ("encoder.npy", "inter_AB.npy", "inter_B.npy", "decoder.npy", "src_dst_opt.npy", "data.dat")
THREE = Preset(
    "three", "", {}, (Phase(4, {"random_warp": True}, ("inter_AB",), 3), Phase(6, {"random_warp": False}), Phase(None))
)


@pytest.mark.parametrize(
    ("iteration", "expected"),
    [
        (0, Place(0, 0, 3)),
        (2, Place(0, 0, 3)),
        (3, Place(0, 3, 4)),
        (4, Place(1, 4, 6)),
        (5, Place(1, 4, 6)),
        (6, Place(2, 6, 0)),
        (10**6, Place(2, 6, 0)),
    ],
)
def test_a_place_is_a_function_of_the_iteration(iteration, expected):
    assert place(THREE, iteration) == expected


def test_the_last_phase_may_end_and_its_options_hold_on():
    ending = Preset("e", "", {}, (Phase(5, {}, ("inter_AB",), 2),))
    assert [place(ending, i) for i in (0, 2, 4, 5, 9)] == [
        Place(0, 0, 2),
        Place(0, 2, 4),
        Place(0, 4, 0),
        Place(0, 4, 0),
        Place(0, 4, 0),
    ]
    assert ending.end == 5 and THREE.end == 0


def test_parts_start_anew_once_and_only_at_a_boundary():
    schedule = attached(THREE, {"random_warp": True}, None)
    first = opening(schedule, 0)
    assert first.reinit == ("inter_AB",) and first.entered and not opening(first.schedule, 2).entered
    assert opening(first.schedule, 3).reinit == ("inter_AB",)
    assert opening(opening(first.schedule, 3).schedule, 3).reinit == ()  # it was done and saved
    joined = opening(schedule, 2)  # a model that comes from elsewhere
    assert joined.entered and joined.reinit == ()
    plain = json.loads(json.dumps(first.schedule.plain()))
    assert restored(plain, "x") == first.schedule
    for damaged in (plain | {"begun": "soon"}, plain | {"preset": 3}, {"preset": plain["preset"]}):
        with pytest.raises(CorruptFileError, match="(?s)schedule.*swap_SAEHD_forge.json"):
            restored(damaged, "swap_SAEHD_forge.json")
    assert opening(attached(THREE, {"random_warp": True}, first.schedule), 2).entered is False


def test_an_option_that_a_phase_does_not_name_is_the_models_own():
    schedule = attached(THREE, {"random_warp": True, "batch_size": 3}, None)
    assert [opening(schedule, i).values["random_warp"] for i in (0, 4, 6)] == [True, False, True]
    assert attached(Preset("none"), {}, schedule) is None


def test_the_built_in_presets_are_sound():
    assert presets.NAMES == ("draft", "likeness", "live")
    for name in presets.NAMES:
        preset = presets.find(name)
        model = recipe.Recipe(**preset.options)
        recipe.require_trainable(model)
        parts = archs.networks(recipe.config_of(model))
        for phase in preset.phases:
            recipe.require_trainable(model.model_copy(update=phase.options))
            assert set(phase.reinit) <= set(parts)
            assert set(phase.options) == preset.scheduled  # nothing is left to what a model had before
        assert preset.description and preset.end
    live = presets.find("live")
    assert live.phases[0] == Phase(500_000, live.phases[0].options, ("inter_AB",), 100_000)
    assert [phase.options["gan_power"] for phase in live.phases] == [0, 0, 0, 0.1]
    assert presets.from_plain(live.plain(), "x") == live


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("x = 1", "unknown: x"),
        ("[options]\nwarp = true", r"\[options\], warp\n  there is no such option"),
        ("[options]\nbatch_size = 0", r"\[options\], batch_size\n  Input should be greater"),
        ("[options]\npretrain = true", "pretrain\n  it cannot be set there"),
        ("[[phase]]\nuntil = 5\n[[phase]]\nresolution = 128", "phase 2, resolution\n  it fixes the networks"),
        ("[[phase]]\nuntil = 5\n[[phase]]\nuntil = 5", "phase 2, until\n  5 does not come after 5"),
        ("[[phase]]\n[[phase]]\nuntil = 5", "phase 1, until\n  it is missing"),
        ("[[phase]]\nuntil = 1.5", "phase 1, until\n  1.5 is not a number of iterations"),
        ("[[phase]]\ngan_power = 9", "phase 1, gan_power"),
        ("[[phase]]\nreinit = 'inter_AB'", "phase 1, reinit\n  it must be a list"),
        ("[[phase]]\nreinit_every = 5", "phase 1, reinit_every\n  there is no reinit"),
        ("[phase]", "list of tables"),
        ("[[phase", "cannot read the preset"),
    ],
)
def test_what_makes_no_sense_is_named(tmp_path, text, said):
    path = tmp_path / "mine.toml"
    path.write_text(text)
    with pytest.raises(InputError, match=said) as caught:
        presets.find(str(path))
    assert "mine.toml" in str(caught.value)


def test_the_environment_is_no_part_of_a_preset(monkeypatch):
    before = presets.find("live")
    monkeypatch.setenv("FORGE_BATCH_SIZE", "many")
    monkeypatch.setenv("FORGE_GAN_POWER", "1")
    assert presets.find("live") == before


def test_unknown_names():
    with pytest.raises(UsageError, match="draft, likeness, live"):
        presets.find("life")
    with pytest.raises(InputError, match="no such preset file"):
        presets.find("nowhere.toml")
    listed = train.run(train.Options(preset="list"), Workspace("/nowhere"))
    assert [name for name, _ in listed.rows] == ["draft", "likeness", "live"]


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


def test_stopped_anywhere_equals_run_through_bit_for_bit(tmp_path, mine, caplog):
    whole, parts = (make_workspace(tmp_path / name) for name in ("whole", "parts"))
    with caplog.at_level("INFO"):
        run(whole, preset=mine, seed=5)  # the end of the last phase is the target
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
    assert (
        state(whole)["rate"] == pytest.approx(1) and state(whole)["schedule"]["begun"] == 5
    )  # the phase that named a rate is over
    options = dfl_weights.read_data(whole / "model/swap_SAEHD_data.dat").options
    assert (options["batch_size"], options["adabelief"], options["gan_power"]) == (2, False, 0.1)


class Stub:
    """Networks that are never asked for."""

    settings = TrainerSettings()

    def writers(self):
        return {}


def test_a_backup_is_made_once_a_boundary_and_the_oldest_make_room(tmp_path, monkeypatch):
    monkeypatch.setattr(phases, "KEPT", 2)
    (tmp_path / "model").mkdir()
    session = Session(
        folder(tmp_path), recipe.Recipe(resolution=64), Stub(), schedule=attached(THREE, {"random_warp": True}, None)
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
        phases.backup(session, tmp_path / "none.jpg")
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
