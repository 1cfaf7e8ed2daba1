"""Where things are in a workspace, and what it says about itself."""

from pathlib import Path

import pytest

from core.workspace import Workspace, list_images, natural_key


@pytest.fixture
def workspace(tmp_path):
    return Workspace(tmp_path / "w", tmp_path / "assets").create()


def test_a_side_has_faces_loose_packed_or_both(workspace):
    side = workspace.side("src")
    assert not side.has_faces() and not Workspace(Path("/nowhere")).side("src").has_faces()
    (side.aligned / "notes.txt").touch()
    assert not side.has_faces()
    (side.aligned / "00001_0.jpg").touch()
    assert side.has_faces()
    side.pak.touch()
    assert side.has_faces()
    (side.aligned / "00001_0.jpg").unlink()
    assert side.has_faces() and not workspace.side("dst").has_faces()


def test_a_workspace_built_in_code_does_not_read_the_environment(tmp_path, monkeypatch):
    before = Workspace(tmp_path)
    monkeypatch.setenv("WORKSPACE", str(tmp_path / "w"))
    monkeypatch.setenv("FORGE_ASSETS", str(tmp_path / "a"))
    assert Workspace(tmp_path) == before
    assert Workspace.from_environment() == Workspace(tmp_path / "w", tmp_path / "a")


def test_the_files_that_are_called_after_a_side(workspace):
    """Which of them is the film, their content tells: tests/video/test_find.py."""
    side = workspace.side("src")
    assert side.namesakes() == []
    for name in ("data_src.MKV", "data_src.txt", "data_dst.mp4", "data_src2.mp4"):
        (workspace.root / name).touch()
    (workspace.root / "data_src.folder").mkdir()
    assert [path.name for path in side.namesakes()] == ["data_src.MKV", "data_src.txt"]


def test_images_in_the_order_of_their_numbers(tmp_path):
    names = ["9.png", "10.png", "00002_2.jpg", "00002_10.jpg", "b.JPEG", "a.tif"]
    for name in (*names, ".hidden.png", "x.txt"):
        (tmp_path / name).touch()
    (tmp_path / "folder.png").mkdir()
    assert [path.name for path in list_images(tmp_path)] == [
        "00002_2.jpg",
        "00002_10.jpg",
        "9.png",
        "10.png",
        "a.tif",
        "b.JPEG",
    ]
    assert list_images(tmp_path / "nowhere") == []
    assert sorted(["99999", "100000"], key=natural_key) == ["99999", "100000"]
