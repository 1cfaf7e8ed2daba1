"""Resizing, recovering names and checking as a program calls them."""

import facekit
import pytest

from core.errors import InputError
from core.faceset import journal
from core.formats import dfl_image
from core.geometry.align import FaceType
from core.jobs.faceset.check import check_faceset
from core.jobs.faceset.recover_names import recover_names
from core.jobs.faceset.resize import resize_faces
from core.workspace import Workspace


@pytest.fixture
def workspace(tmp_path):
    workspace = Workspace(tmp_path).create()
    facekit.write_faces(workspace.side("src").aligned, 3)
    return workspace


def test_resizing_counts_and_names_what_is_left_out(workspace):
    side = workspace.side("src")
    (side.aligned / "plain.jpg").write_bytes(facekit.jpeg())
    done = resize_faces(workspace, "src", 128, FaceType.FULL)
    assert (done.made, done.kept, [name for name, _ in done.problems]) == (3, 0, ["plain.jpg"])
    assert len(list(done.folder.iterdir())) == 3
    (side.aligned / "plain.jpg").unlink()
    again = resize_faces(workspace, "src", 128, FaceType.FULL, in_place=True)
    assert (again.made, again.kept, again.folder) == (0, 3, side.aligned)


def test_faces_of_another_quality_are_resized_again(workspace):
    (workspace.side("src").aligned / "9.png").write_bytes(dfl_image.embed(facekit.png(), facekit.record("9.png")))
    made = [resize_faces(workspace, "src", 128, quality=quality).made for quality in (100, 100, 80, 80, 81)]
    assert made == [4, 0, 3, 0, 3]


def test_recovered_names_can_be_undone(workspace):
    side = workspace.side("src")
    (side.aligned / "00001_0.jpg").rename(side.aligned / "zzz.jpg")
    done = recover_names(workspace, "src")
    assert (done.faces, done.renamed, done.kept) == (3, 1, ())
    journal.undo(side.frames)
    assert (side.aligned / "zzz.jpg").exists()


def test_checking_gives_counts_and_why_training_would_refuse(workspace):
    checked = check_faceset(workspace, "src")
    assert checked.findings.faces == 3 and checked.refusal is None and len(checked.fingerprint) == 64
    (workspace.side("src").aligned / ".moving-000001-000000.jpg").write_bytes(b"")
    checked = check_faceset(workspace, "src")
    assert checked.fingerprint == "" and "interrupted" in checked.refusal.what
    with pytest.raises(InputError, match="no faces"):
        check_faceset(workspace, "dst")
