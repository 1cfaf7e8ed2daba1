"""A model folder from a stranger: what its manifests name, and where its links lead."""

import json
import os
from dataclasses import asdict

import pytest
from model_saves import iterations, writers

from core.checkpoints import saves
from core.checkpoints.backups import make_backup
from core.checkpoints.model_folder import ModelFolder
from core.errors import CorruptFileError
from core.jobs.models.saves import back_up
from core.workspace import Workspace


@pytest.fixture
def model(tmp_path):
    found = ModelFolder(Workspace(tmp_path / "home/ws").create().model, "swap")
    found.save(3, writers(3))
    found.save(5, writers(5))
    (tmp_path / "home/.bashrc").write_text("# mine\n")
    return found


def newest(model: ModelFolder):
    return saves.complete(model.saves)[0].folder


def rename_in_manifest(model: ModelFolder, name: str, data: bytes = b"attacker") -> None:
    """The newest save says that one of its files has this name; the file is there where the name leads."""
    folder = newest(model)
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    (model.folder / "swap_SAEHD_x").mkdir(exist_ok=True)
    (folder / "x").mkdir(exist_ok=True)
    path.write_bytes(data)
    manifest = folder / saves.MANIFEST
    content = json.loads(manifest.read_text())
    content["files"][name] = asdict(saves.digest(path))
    manifest.write_text(json.dumps(content))


# As seen from the save, model/.saves/swap_SAEHD/X; published, it would be ~/.bashrc for the first.
NAMES = ["x/../../../.bashrc", "x/../../../../.bashrc", "../evil", "sub/evil"]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("work", ["load", "look", "backup", "save", "job"])
def test_names_that_lead_out_are_refused(model, name, work, tmp_path):
    rename_in_manifest(model, name)
    does = {
        "load": model.load,
        "look": lambda: model.load(repair=False),
        "backup": lambda: make_backup(model),
        "save": lambda: model.save(9, writers(9)),
        "job": lambda: back_up(Workspace(tmp_path / "home/ws")),
    }
    with pytest.raises(CorruptFileError, match="leads out") as caught:
        does[work]()
    assert caught.value.exit_code == 7
    assert saves.MANIFEST in str(caught.value.where)
    assert (tmp_path / "home/.bashrc").read_text() == "# mine\n"


def test_an_absolute_name_is_refused(model, tmp_path):
    rename_in_manifest(model, str(tmp_path / "home/.bashrc"), b"# mine\n")
    with pytest.raises(CorruptFileError, match="leads out"):
        model.load()
    assert (tmp_path / "home/.bashrc").read_text() == "# mine\n"


@pytest.mark.parametrize(
    "change",
    [
        {"iteration": "7"},
        {"iteration": 1e400},
        {"iteration": -1},
        {"iteration": True},
        {"sequence": None},
        {"sequence": 10**400},
        {"files": []},
        {"files": {"data.dat": {"sha256": 1, "size": 2, "pieces": []}}},
        {"files": {"data.dat": {"sha256": "", "size": 2.5, "pieces": 3}}},
    ],
)
def test_a_manifest_that_makes_no_sense_counts_as_none(model, change):
    manifest = newest(model) / saves.MANIFEST
    manifest.write_text(json.dumps({**json.loads(manifest.read_text()), **change}))
    assert [save.iteration for save in saves.complete(model.saves)] == [3]


def test_manifests_and_marks_that_never_end_do_not_wait(model):
    for path in (newest(model) / saves.MANIFEST, model.saves / saves.PUBLISHED):
        path.unlink()
        os.mkfifo(path)
    assert saves.read_published(model.saves) == ""
    assert [save.iteration for save in saves.complete(model.saves)] == [3]


def test_a_link_in_the_place_of_a_save_is_none(model, tmp_path):
    elsewhere = tmp_path / "elsewhere"
    newest(model).rename(elsewhere)
    (model.saves / "00000005-11111111").symlink_to(elsewhere)
    assert [save.iteration for save in saves.complete(model.saves)] == [3]


def test_saves_do_not_go_through_links(tmp_path):
    workspace = Workspace(tmp_path / "ws").create()
    (tmp_path / "elsewhere").mkdir()
    (workspace.model / ".saves").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(CorruptFileError, match="something else in the place"):
        ModelFolder(workspace.model, "swap").save(1, writers(1))
    assert not list((tmp_path / "elsewhere").iterdir())


def test_flat_files_replace_links_and_do_not_follow_them(model, tmp_path):
    precious = tmp_path / "home/.bashrc"
    flat = model.path("encoder.npy")
    flat.unlink()
    flat.symlink_to(precious)
    model.save(7, writers(7))
    assert precious.read_text() == "# mine\n"
    assert not flat.is_symlink()
    assert iterations(model) == {7}


def test_backups_do_not_go_through_links(model, tmp_path):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "24").mkdir()
    (elsewhere / "24/precious").touch()
    (elsewhere / ".incoming").mkdir()
    backups = model.folder / "swap_SAEHD_autobackups"
    backups.symlink_to(elsewhere)
    with pytest.raises(CorruptFileError):
        make_backup(model)
    assert (elsewhere / "24/precious").exists() and (elsewhere / ".incoming").exists()
    backups.unlink()
    backups.mkdir()
    for number in range(1, 24):
        (backups / f"{number:02d}").mkdir()
    (backups / "24").symlink_to(elsewhere / "24")
    make_backup(model)  # the 24th makes room: of a link only the link goes
    assert (elsewhere / "24/precious").exists()
