"""The jobs on models, called from Python with plain values, as a server would."""

import pytest
from mask_networks import write_xseg
from training_cases import TINY, eagerly, make_workspace

from core.errors import InputError, UsageError
from core.jobs import clear as clearing
from core.jobs.face_info import face_info
from core.jobs.models import contact_sheet, export, saves, train, train_xseg
from core.stages import clear as clear_stage
from core.training.choices import Choices, RunSettings
from core.training.xseg.choices import XSegChoices, XSegRunSettings
from core.workspace import Workspace

CHOICES = Choices(recipe=TINY, seed=5)


@pytest.fixture(scope="module")
def workspace(tmp_path_factory):
    root = tmp_path_factory.mktemp("ws")
    return Workspace(make_workspace(root / "w"), root / "assets")


@pytest.fixture(scope="module")
def trained(workspace):
    return train.train(workspace, model="one", choices=CHOICES, settings=RunSettings(target=2, workers=0))


def test_training_returns_numbers_and_paths(trained, workspace):
    assert (trained.model, trained.kind, trained.archi, trained.resolution) == ("one", "SAEHD", "liae-udt", 64)
    assert (trained.begun, trained.iteration, trained.recent) == (0, 2, 2)
    assert all(0 < loss < 10 for loss in trained.loss)
    assert (trained.validation_count, trained.validation_loss, trained.unreadable) == (0, None, ())
    assert trained.preview == workspace.model / "preview" / "latest.jpg" and trained.preview.is_file()
    assert trained.exported.path == workspace.model / "one_SAEHD_model.dfm" and trained.exported.iteration == 2
    again = train.train(workspace, settings=RunSettings(target=2))  # it is there already
    assert (again.begun, again.iteration) == (2, 2)


@pytest.mark.parametrize(
    ("recipe", "said"),
    [({"batch_size": 0}, "--batch-size"), ({"batchsize": 3}, "--batchsize"), ({"resolution": 80}, "multiple of 32")],
)
def test_choices_that_make_no_sense_are_named(tmp_path, recipe, said):
    workspace = Workspace(make_workspace(tmp_path), tmp_path / "assets")
    with pytest.raises(UsageError, match=said):
        train.train(workspace, choices=Choices(recipe=recipe, use_pretrained=False))
    assert not list(workspace.model.glob("*.npy"))


def test_a_name_that_no_model_can_have_reaches_no_file(workspace):
    for job in (train.train, train.measure_batch_sizes, export.export_model, saves.list_saves, saves.back_up):
        with pytest.raises(InputError, match="not a name|no model of that name"):
            job(workspace, model="../other")


def test_the_environment_changes_nothing(trained, workspace, monkeypatch):
    monkeypatch.setenv("FORGE_HALF", "1")
    monkeypatch.setenv("FORGE_TARGET_ITER", "9")
    again = train.train(workspace, settings=RunSettings(target=2))
    assert again.exported.half is False and again.iteration == 2


def test_exporting(trained, workspace, tmp_path):
    made = export.export_model(workspace, half=True, output=tmp_path / "half.dfm")
    assert made.path == tmp_path / "half.dfm" and made.size == made.path.stat().st_size
    assert (made.half, made.weights, made.face_type, made.remarks) == (True, "last", "wf", ())
    assert made.size < trained.exported.size and 0 <= made.difference < 0.1


def test_saves_and_backups(trained, workspace):
    made = saves.back_up(workspace, name="good")
    assert made.path.is_dir() and (made.model, made.kind) == ("one", "SAEHD")
    (found,) = saves.list_saves(workspace)
    assert "good" in [backup.name for backup in found.backups] and found.damaged == () and found.prefix == "one_SAEHD"
    back = saves.restore(workspace, "good")
    assert (back.model, back.iteration, back.path) == ("one", 2, workspace.model / "one_SAEHD_data.dat")


def test_a_contact_sheet(trained, workspace):
    made = contact_sheet.contact_sheet(workspace, rows=2, size=64)
    assert made.path.is_file() and (made.model, made.rows) == (trained.exported.path, 2)


def test_the_mask_network(workspace):
    choices = XSegChoices(resolution=64, base=2, batch_size=2)
    settings = XSegRunSettings(target=1, labels="landmarks", threads=1)
    with eagerly():
        done = train_xseg.train_xseg(workspace, choices=choices, settings=settings)
    assert (done.begun, done.iteration, done.resolution, done.base, done.faces) == (0, 1, 64, 2, 12)
    assert done.origins == {"landmarks": 12} and done.loss > 0 and done.recent == 1
    assert done.weights == workspace.model / "XSeg_64.npy" and done.weights.is_file() and done.preview.is_file()
    with pytest.raises(UsageError, match="multiple of 64"):
        XSegChoices(resolution=100)


def test_exporting_the_mask_network(tmp_path):
    write_xseg(tmp_path / "w" / "model")
    made = export.export_xseg(Workspace(tmp_path / "w", tmp_path / "assets"))
    assert made.path == tmp_path / "w" / "model" / "XSeg_model.onnx" and made.size == made.path.stat().st_size
    assert (made.iteration, made.pretraining, made.resolution) == (1, False, 64) and made.difference < 1e-4


def test_clearing(tmp_path):
    workspace = Workspace(make_workspace(tmp_path / "w"), tmp_path / "assets")
    cleared = clearing.clear(workspace)
    assert [part.name for part in cleared.parts] == ["data_dst", "data_src"] and cleared.trash.is_dir()
    assert clearing.clear(workspace) == clearing.Cleared()
    (workspace.root / "data_src.mp4").touch()
    purged = clearing.clear(workspace, purge=True)
    assert purged.parts == (clearing.Part("data_src.mp4", 1, 0),) and purged.trash is None
    assert purged.purged.files == 12 and purged.purged.size > 10_000
    report = clear_stage.run(clear_stage.Options(purge=True), workspace)
    assert report.title == "the workspace was empty" and not report.rows
    assert not workspace.trash.exists() and workspace.side("src").aligned.is_dir()


def test_a_face(workspace):
    path = workspace.side("src").aligned / "00000_0.jpg"
    found = face_info(path)
    assert found.record.source_filename == "00000.png" and found.container == "JPEG" and found.mask is None
    with pytest.raises(InputError, match="no such file"):
        face_info(path.with_name("nowhere.jpg"))
