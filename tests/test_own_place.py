"""Which folders are workspaces, and what a workspace that is none never loses."""

import os
import subprocess
from pathlib import Path

import pytest
from paths import ROOT

from core import own_place
from core.errors import CorruptFileError, InputError
from core.jobs.clear import Cleared, clear
from core.workspace import Workspace


def tree(folder: Path) -> dict[str, bytes | str]:
    """All files and links below a folder with what is in them."""
    found: dict[str, bytes | str] = {}
    for path in folder.rglob("*"):
        name = path.relative_to(folder).as_posix()
        if path.is_symlink():
            found[name] = os.readlink(path)
        elif path.is_file():
            found[name] = path.read_bytes()
    return found


def names(cleared: Cleared) -> tuple[str, ...]:
    return tuple(part.name for part in cleared.parts)


@pytest.fixture
def home(tmp_path, monkeypatch):
    folder = tmp_path / "home"
    (folder / ".ssh").mkdir(parents=True)
    (folder / ".ssh/id").write_text("key")
    (folder / "Documents").mkdir()
    (folder / "Documents/x").write_text("x")
    monkeypatch.setenv("HOME", str(folder))
    return folder


@pytest.mark.parametrize("purge", [False, True])
@pytest.mark.parametrize("disguise", [False, True])
def test_a_home_is_no_workspace_even_when_it_is_marked(home, purge, disguise):
    if disguise:
        (home / own_place.MARKER).touch()
        (home / "data_src").mkdir()
        (home / "data_src/00001.png").write_text("frame")
    before = tree(home)
    with pytest.raises(InputError, match="no workspace") as caught:
        clear(Workspace(home), purge=purge)
    assert caught.value.exit_code == 3
    assert tree(home) == before
    with pytest.raises(InputError, match="no workspace"), Workspace(home).side("src").locked():
        pytest.fail("nothing works in a home")


@pytest.mark.parametrize("purge", [False, True])
def test_what_holds_a_home_or_the_program_or_the_system_is_none(home, purge, tmp_path):
    for place in (tmp_path, ROOT, ROOT.parent, Path("/"), Path("/tmp"), Path("/usr"), Path("/etc"), Path("/root")):
        with pytest.raises(InputError, match="no workspace"):
            clear(Workspace(place), purge=purge)
        with pytest.raises(InputError, match="no workspace"):
            own_place.require_safe(place)
    assert (home / "Documents/x").read_text() == "x"


def test_by_way_of_a_link_it_is_the_same(home, tmp_path):
    (tmp_path / "w").symlink_to(home)
    with pytest.raises(InputError, match="no workspace"):
        clear(Workspace(tmp_path / "w"), purge=True)
    assert (home / ".ssh/id").read_text() == "key"


@pytest.mark.parametrize("purge", [False, True])
def test_a_folder_with_other_things_is_refused_unless_it_is_marked(tmp_path, purge):
    folder = tmp_path / "photos"
    (folder / "holidays").mkdir(parents=True)
    (folder / "holidays/1.jpg").write_text("sea")
    (folder / "model").mkdir()
    (folder / "model/plane.stl").write_text("plane")
    before = tree(folder)
    with pytest.raises(InputError, match="no workspace") as caught:
        clear(Workspace(folder), purge=purge)
    assert "holidays" in caught.value.why
    assert own_place.MARKER in caught.value.hint
    assert tree(folder) == before
    # Once a person says that it is one, what is no part of a workspace stays all the same.
    (folder / own_place.MARKER).touch()
    cleared = clear(Workspace(folder), purge=purge)
    assert cleared.left == ("holidays",)
    assert names(cleared) == ("model",)
    assert (folder / "holidays/1.jpg").read_text() == "sea"


def test_an_old_workspace_is_known_by_its_layout_and_gets_a_marker(tmp_path):
    folder = tmp_path / "w"
    (folder / "data_src/aligned").mkdir(parents=True)
    (folder / "data_src/00001.png").write_text("frame")
    (folder / "data_dst.MOV").write_text("film")
    (folder / "consent.json").write_text("{}")
    cleared = clear(Workspace(folder))
    assert names(cleared) == ("consent.json", "data_dst.MOV", "data_src")
    assert cleared.left == ()
    assert own_place.is_marked(folder)
    assert [path.read_text() for path in folder.rglob("00001.png")] == ["frame"]
    (folder / "notes.txt").write_text("later")
    assert clear(Workspace(folder), purge=True).left == ("notes.txt",)
    assert not list(folder.rglob("00001.png"))
    assert (folder / "notes.txt").read_text() == "later"


def test_what_works_in_a_new_workspace_marks_it(tmp_path):
    with Workspace(tmp_path / "a").side("src").locked():
        assert own_place.is_marked(tmp_path / "a")
    assert own_place.is_marked(Workspace(tmp_path / "b").create().root)
    (tmp_path / "c").mkdir()
    (tmp_path / "c/notes.txt").touch()
    with Workspace(tmp_path / "c").side("src").locked():
        assert not own_place.is_marked(tmp_path / "c")  # a person's folder with a workspace in it


@pytest.mark.parametrize("purge", [False, True])
@pytest.mark.parametrize("name", [".trash", ".locks"])
def test_links_in_the_place_of_our_folders_are_not_followed(tmp_path, purge, name):
    workspace = Workspace(tmp_path / "w").create()
    (workspace.root / "data_src/00001.png").write_text("frame")
    (tmp_path / "precious").mkdir()
    (tmp_path / "precious/file").write_text("x")
    (workspace.root / name).symlink_to(tmp_path / "precious")
    before = tree(tmp_path)
    with pytest.raises(CorruptFileError, match="something else in the place"):
        clear(workspace, purge=purge)
    assert tree(tmp_path) == before


def test_a_link_to_another_disk_is_moved_and_not_what_it_leads_to(tmp_path):
    workspace = Workspace(tmp_path / "w").create()
    (tmp_path / "large").mkdir()
    (tmp_path / "large/00001.png").write_text("frame")
    workspace.side("src").aligned.rmdir()
    workspace.side("src").frames.rmdir()
    workspace.side("src").frames.symlink_to(tmp_path / "large")
    assert names(clear(workspace, purge=True)) == ("data_src",)
    assert (tmp_path / "large/00001.png").read_text() == "frame"


def test_a_mount_point_is_refused(tmp_path, monkeypatch):
    workspace = Workspace(tmp_path / "w").create()
    (workspace.root / "data_src/00001.png").write_text("frame")
    before = tree(workspace.root)
    for mounted in (workspace.root, workspace.root / "data_src"):
        monkeypatch.setattr(Path, "is_mount", lambda path, mounted=mounted: path == mounted)
        with pytest.raises(InputError, match="mounted|no workspace"):
            clear(workspace, purge=True)
        assert tree(workspace.root) == before


def script(workspace: Path, *arguments: str, home: Path) -> subprocess.CompletedProcess:
    environment = {**os.environ, "WORKSPACE": str(workspace), "HOME": str(home)}
    command = ["bash", str(ROOT / "clear_workspace.sh"), *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


@pytest.mark.e2e
@pytest.mark.parametrize("arguments", [(), ("--purge",)])
def test_the_script_refuses_a_home_and_the_root(home, arguments):
    before = tree(home)
    for workspace in (home, Path("/"), home / "Documents" / "..", ROOT):
        done = script(workspace, *arguments, home=home)
        assert done.returncode in (2, 3)
        assert "error" in done.stderr and "hint" in done.stderr
    assert before.items() <= tree(home).items()
    assert not (home / "data_src").exists()
    assert not Path("/data_src").exists()


@pytest.mark.e2e
def test_the_script_marks_a_new_folder_only(home, tmp_path):
    assert script(tmp_path / "new", home=home).returncode == 0
    assert own_place.is_marked(tmp_path / "new")
    (tmp_path / "old").mkdir()
    (tmp_path / "old/notes.txt").write_text("mine")
    done = script(tmp_path / "old", "--purge", home=home)
    assert done.returncode == 3
    assert (tmp_path / "old/notes.txt").read_text() == "mine"
    assert not own_place.is_marked(tmp_path / "old")
