"""What training asks of its faces."""

import logging

import facekit
import pytest

from core.errors import InputError
from core.geometry.align import FaceType
from core.training.recipe import Recipe
from core.training.sources.facesets import facesets
from core.workspace import Workspace


def workspace(tmp_path, src, dst):
    made = Workspace(tmp_path).create()
    for name, kinds in (("src", src), ("dst", dst)):
        folder = made.side(name).aligned
        for number, kind in enumerate(kinds):
            (folder / f"{number}.jpg").write_bytes(facekit.face(f"{number}.jpg", seed=number, face_type=kind.file_name))
    return made


def test_faces_that_show_less_than_the_model_wants_are_refused(tmp_path):
    made = workspace(tmp_path, [FaceType.HALF] * 3, [FaceType.WHOLE_FACE] * 3)
    with pytest.raises(InputError, match="show less") as caught:
        facesets(Recipe(face_type="wf"), made, None)
    assert "3 of 3 faces show less than whole_face: 3 half_face" in caught.value.why
    assert "--face-type whole_face" in caught.value.hint


def test_some_of_them_are_named(tmp_path, caplog):
    made = workspace(tmp_path, [FaceType.HALF, FaceType.FULL, FaceType.WHOLE_FACE], [FaceType.WHOLE_FACE] * 2)
    with caplog.at_level(logging.WARNING):
        facesets(Recipe(face_type="wf"), made, None)
    assert "2 of 3 faces show less than whole_face" in caplog.text


@pytest.mark.parametrize("wanted", ["h", "mf", "f", "wf"])
def test_faces_that_show_more_are_fine(tmp_path, caplog, wanted):
    made = workspace(tmp_path, [FaceType.WHOLE_FACE, FaceType.HEAD], [FaceType.WHOLE_FACE] * 2)
    with caplog.at_level(logging.WARNING):
        assert [len(faces) for faces in facesets(Recipe(face_type=wanted), made, None)] == [2, 2]
    assert "show less" not in caplog.text
