"""Backups: rotation, names, restoring."""

import errno
import shutil

import numpy as np
import pytest
from model_saves import writers

from core import fsio
from core.checkpoints import backups
from core.checkpoints.model_folder import ModelFolder
from core.errors import CorruptFileError, DiskFullError, InputError, UsageError
from core.formats.dfl_weights import ModelData, read_data, write_arrays, write_data
from core.stages.models import model as stage
from core.workspace import Workspace


def save(model: ModelFolder, n: int) -> None:
    values = np.random.default_rng(n).random(500, np.float32)
    model.save(
        n,
        {
            "encoder.npy": lambda stream: write_arrays(stream, [("a:0", values)]),
            "data.dat": lambda stream: write_data(stream, ModelData(n, {"resolution": 64})),
        },
    )


@pytest.fixture
def model(tmp_path) -> ModelFolder:
    return ModelFolder(Workspace(tmp_path).create().model, "me")


def test_rotation(model):
    for n in range(1, 27):
        save(model, n)
        assert backups.make_backup(model).name == "01"
    folder = backups.backups_folder(model)
    assert sorted(p.name for p in folder.iterdir()) == [f"{n:02d}" for n in range(1, 25)]
    assert [read_data(folder / f"{n:02d}" / "me_SAEHD_data.dat").iteration for n in (1, 2, 24)] == [26, 25, 3]


def test_rotation_fills_a_gap(model):
    for n in range(1, 5):
        save(model, n)
        backups.make_backup(model)
    folder = backups.backups_folder(model)
    (folder / "02").rename(folder / "mine")
    save(model, 5)
    backups.make_backup(model)
    assert [read_data(folder / name / "me_SAEHD_data.dat").iteration for name in ("01", "02", "03", "04", "mine")] == [
        5,
        4,
        2,
        1,
        3,
    ]


def test_restore(model):
    save(model, 1)
    backups.make_backup(model, "before")
    for n in (2, 3):
        save(model, n)
    assert [b.name for b in backups.list_backups(model)[0]] == ["save 3", "save 2", "before"]
    assert backups.restore(model, "before").iteration == 1
    assert model.load().iteration == 1 and read_data(model.path("data.dat")).iteration == 1 and not model.load().remarks
    assert [b.name for b in backups.list_backups(model)[0]] == ["save 1", "save 3", "before"]
    assert backups.restore(model, "save 3").iteration == 3
    save(model, 4)
    assert model.load().iteration == 4 and not list(model.saves.glob(".*"))


def test_writing_over_a_flat_file_does_not_reach_its_backup(model):
    save(model, 1)
    folder = backups.make_backup(model, "keep")
    backups.restore(model, "keep")
    with open(model.path("encoder.npy"), "r+b") as stream:
        stream.write(b"rubbish")
    assert not (folder / "me_SAEHD_encoder.npy").read_bytes().startswith(b"rubbish")


def test_refusals(model):
    save(model, 1)
    for name in ("01", "../x", "", ".x", "save 3"):
        with pytest.raises(InputError, match="not a name"):
            backups.make_backup(model, name)
    backups.make_backup(model, "a")
    with pytest.raises(InputError, match="not a name"):
        backups.make_backup(model, "a")
    with pytest.raises(InputError, match="no such backup"):
        backups.restore(model, "b")
    path = backups.backups_folder(model) / "a" / "me_SAEHD_encoder.npy"
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(CorruptFileError, match="damaged"):
        backups.restore(model, "a")
    assert model.load().iteration == 1


def test_a_model_that_comes_from_elsewhere_is_kept_as_it_came(model):
    for name, write in writers(4).items():
        with open(model.path(name), "wb") as stream:
            write(stream)
    came = {name: model.path(name).read_bytes() for name in writers(4)}
    folder = backups.keep_as_it_came(model)
    assert {name: (folder / f"{model.prefix}_{name}").read_bytes() for name in came} == came
    for iteration in range(5, 10):
        model.save(iteration, writers(iteration))
        assert backups.keep_as_it_came(model) is None
    assert backups.restore(model, backups.AS_IT_CAME).iteration == 4


def test_removed_model_comes_back(model):
    save(model, 1)
    for path in model.folder.glob("me_*"):
        path.unlink()
    assert not model.exists()
    backups.restore(model, "save 1")
    assert model.exists() and model.load().iteration == 1


def test_stage(model, tmp_path):
    workspace = Workspace(tmp_path)
    save(model, 1)
    (folder,) = stage.run(stage.Options(action="backup", name="good"), workspace).outputs
    assert (folder / "me_SAEHD_encoder.npy").is_file()
    save(model, 2)
    report = stage.run(stage.Options(action="list"), workspace)
    assert [name for name, _ in report.rows] == ["save 2", "save 1", "good"] and "iteration 1" in str(report.rows[2][1])
    with pytest.raises(UsageError):
        stage.run(stage.Options(action="restore"), workspace)
    assert dict(stage.run(stage.Options(action="restore", name="good"), workspace).rows) == {"iteration": 1}


def test_a_model_of_which_nothing_sound_is_left_is_restored(model):
    """That is what backups are for; what is left is set aside, not deleted."""
    for n in (1, 2):
        save(model, n)
    backups.make_backup(model, "good")
    for path in model.saves.rglob("*.dat"):
        path.write_bytes(path.read_bytes()[:-9])  # the flat files are links to these
    with pytest.raises(CorruptFileError):
        model.load()
    assert backups.restore(model, "good").iteration == 2
    assert model.load().iteration == 2 and not model.load().remarks
    assert any(path.name.endswith("data.dat") for path in (model.saves / "aside").rglob("*"))


def test_damaged_flat_files_alone_are_restored(model):
    save(model, 1)
    backups.make_backup(model, "good")
    shutil.rmtree(model.saves)
    model.path("data.dat").write_bytes(b"not a pickle")
    assert backups.restore(model, "good").iteration == 1 and model.load().iteration == 1


def test_two_saves_of_one_iteration_can_be_told_apart(model):
    save(model, 5)
    first = model.load().files["data.dat"].read_bytes()
    model.save(
        5,
        {
            "encoder.npy": lambda stream: write_arrays(stream, [("a:0", np.ones(3, np.float32))]),
            "data.dat": lambda stream: write_data(stream, ModelData(5, {"resolution": 128})),
        },
    )
    assert [b.name for b in backups.list_backups(model)[0]] == ["save 5", "save 5 older"]
    backups.restore(model, "save 5 older")
    assert model.path("data.dat").read_bytes() == first
    with pytest.raises(InputError, match="not a name"):
        backups.make_backup(model, "save 5 older")


def test_a_full_disk_while_restoring_leaves_the_model_as_it_was(model, monkeypatch):
    save(model, 1)
    backups.make_backup(model, "one")
    model.save(
        2,
        {
            "encoder.npy": lambda stream: write_arrays(stream, [("a:0", np.ones(3, np.float32))]),
            "GAN.npy": lambda stream: write_arrays(stream, [("b:0", np.ones(3, np.float32))]),
            "data.dat": lambda stream: write_data(stream, ModelData(2, {"resolution": 64})),
        },
    )

    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device", "here")

    monkeypatch.setattr(backups, "_copier", full)
    with pytest.raises(DiskFullError):
        backups.restore(model, "one")
    assert (
        model.load().iteration == 2
        and model.path("GAN.npy").is_file()
        and read_data(model.path("data.dat")).iteration == 2
    )


def test_nothing_is_restored_while_the_model_trains(model):
    save(model, 1)
    backups.make_backup(model, "one")
    workspace = Workspace(model.folder.parent)
    with fsio.lock(workspace.locks / "train.me.lock", "the model me"):
        for action in ("restore", "backup"):
            with pytest.raises(InputError, match="another run is using"):
                stage.run(stage.Options(action=action, name="one"), workspace)
        assert "2 saves and backups" in stage.run(stage.Options(action="list"), workspace).title
    assert stage.run(stage.Options(action="restore", name="one"), workspace).rows == (("iteration", 1),)


def test_wrong_names_say_what_there_is(model):
    save(model, 1)
    backups.make_backup(model, "one")
    workspace = Workspace(model.folder.parent)
    with pytest.raises(InputError, match="no such backup") as caught:
        stage.run(stage.Options(action="restore", name="../one"), workspace)
    assert "save 1, one" in str(caught.value)
    for action in ("list", "backup"):
        with pytest.raises(InputError, match="of that name") as caught:
            stage.run(stage.Options(action=action, model="you"), workspace)
        assert "me" in str(caught.value)
    for name in ("a/b", "..", "01", "one", "save 3", ""):
        with pytest.raises(InputError, match="not a name"):
            stage.run(stage.Options(action="backup", name=name), workspace)
