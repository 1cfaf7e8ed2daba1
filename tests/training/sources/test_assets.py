"""The random target faces come where there are none, and never in the place of somebody's."""

import zipfile

import facekit
import pytest

from core.errors import InputError
from core.training.sources.assets import fill_dst_faces
from core.workspace import Workspace


@pytest.fixture
def side(tmp_path):
    return Workspace(tmp_path / "w").create().side("dst")


@pytest.fixture
def archive(tmp_path):
    with zipfile.ZipFile(tmp_path / "faces.zip", "w") as made:
        for number in range(3):
            made.writestr(f"some/{number}.jpg", facekit.face(f"{number}.jpg", seed=number))
    return tmp_path / "faces.zip"


def names(folder):
    return sorted(path.name for path in folder.iterdir())


FILLED = ["0.jpg", "1.jpg", "2.jpg"]


def test_what_file_managers_leave_is_no_obstacle(side, archive):
    (side.aligned / ".DS_Store").write_text("mine")
    (side.aligned / "notes.txt").touch()
    assert fill_dst_faces(archive, side) == 3
    assert names(side.aligned) == FILLED
    (kept,) = side.workspace.trash.iterdir()
    assert names(kept) == [".DS_Store", "notes.txt"] and (kept / ".DS_Store").read_text() == "mine"


def test_an_empty_folder_a_link_and_nothing(side, archive, tmp_path):
    assert fill_dst_faces(archive, side) == 3
    assert not side.workspace.trash.exists()
    side.aligned.rename(tmp_path / "away")
    assert fill_dst_faces(archive, side) == 3
    side.aligned.rename(tmp_path / "away too")
    (tmp_path / "large").mkdir()
    side.aligned.symlink_to(tmp_path / "large")
    assert fill_dst_faces(archive, side) == 3
    assert names(side.aligned) == FILLED and names(tmp_path / "large") == []


@pytest.mark.parametrize("name", ["ann/1.jpg", "1.webp", "mine.pak", ".moving-000001-000000.jpg", "faceset.pak"])
def test_what_may_be_faces_stays(side, archive, name):
    place = side.aligned / name
    place.parent.mkdir(exist_ok=True)
    place.touch()
    assert fill_dst_faces(archive, side) == 0
    assert place.exists() and not (side.frames / ".aligned.incoming").exists()


def test_not_while_another_run_uses_the_side(side, archive):
    with side.locked(), pytest.raises(InputError, match="another run"):
        fill_dst_faces(archive, side)
    assert names(side.aligned) == []
