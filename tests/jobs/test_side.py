"""Opening a side: one run at a time, and what a killed run left is settled first."""

import facekit
import pytest

from core.errors import InputError
from core.faceset import journal
from core.faceset.journal import Move
from core.jobs.side import loose_faces, opened_side
from core.workspace import Workspace


@pytest.fixture
def workspace(tmp_path):
    return Workspace(tmp_path).create()


def test_one_run_at_a_time(workspace):
    with opened_side(workspace, "src") as side:
        assert (side.name, side.completed) == ("src", "")
        with pytest.raises(InputError, match="another run"), opened_side(workspace, "src"):
            pass
        with opened_side(workspace, "dst"):
            pass


def test_an_interrupted_move_is_finished_and_half_written_files_go(workspace, monkeypatch):
    side = workspace.side("src")
    facekit.write_faces(side.aligned, 2)
    names = [path.name for path in loose_faces(side)]
    half = side.aligned / ".forge-99999999-0123456789abcdef.tmp"
    half.write_bytes(b"half")
    with monkeypatch.context() as killing:
        killing.setattr(journal, "_arrive", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            journal.begin(side.frames, "sort by yaw", [Move(f"aligned/{names[0]}", "aligned/other.jpg")])
    with opened_side(workspace, "src") as opened:
        assert opened.completed == "sort by yaw"
        assert {path.name for path in loose_faces(opened)} == {names[1], "other.jpg"}
    assert not half.exists()


def test_files_that_go_elsewhere_are_renamed_once_and_a_killed_run_goes_on(workspace, monkeypatch):
    side = workspace.side("src")
    names = [path.name for path in facekit.write_faces(side.aligned, 3)]
    rename, done = journal._rename, []

    def one(source, target):
        if done:
            raise KeyboardInterrupt
        done.append(source)
        rename(source, target)

    with monkeypatch.context() as killing:
        killing.setattr(journal, "_rename", one)
        with pytest.raises(KeyboardInterrupt):
            journal.begin(side.frames, "drop", [Move(f"aligned/{name}", f"aligned_trash/{name}") for name in names])
    assert len(loose_faces(side)) == 2
    (side.frames / "aligned_trash" / names[2]).write_bytes(b"somebody else's")
    with pytest.raises(InputError, match="a name was taken"), opened_side(workspace, "src"):
        pass
    (side.frames / "aligned_trash" / names[2]).unlink()
    with opened_side(workspace, "src") as opened:
        assert opened.completed == "drop"
    assert sorted(path.name for path in (side.frames / "aligned_trash").glob("*.jpg")) == names
    journal.undo(side.frames)
    assert [path.name for path in loose_faces(side)] == names


def test_a_side_without_loose_faces(workspace):
    with pytest.raises(InputError, match="no loose faces") as caught:
        loose_faces(workspace.side("src"))
    assert "unpack" in caught.value.hint
