"""The JSON of boxes and points, both ways; the newest faceswap cannot write it any more."""

import json

import numpy as np
import pytest
from fsa_cases import document, face
from golden_files import golden_path

from core.errors import CorruptFileError, InputError
from core.formats.faceswap import export_json, fsa
from core.formats.faceswap.document import FsaFace


def test_written_as_faceswap_writes(tmp_path):
    golden = golden_path("faceswap/v3_0/alignments_export.json")
    for era in ("v3_0", "newest/frames"):
        export_json.write(tmp_path / "a.json", fsa.read(golden_path(f"faceswap/{era}/alignments.fsa")))
        assert json.loads((tmp_path / "a.json").read_text()) == json.loads(golden.read_text())
    assert (tmp_path / "a.json").read_text().strip() == golden.read_text().strip()


def test_round_trip(tmp_path):
    export_json.write(tmp_path / "a.json", document())
    found = fsa.read(tmp_path / "a.json")
    for ours, theirs in zip(document().frames, found.frames, strict=True):
        assert (ours.key, [f.box for f in ours.faces]) == (theirs.key, [f.box for f in theirs.faces])
        for a, b in zip(ours.faces, theirs.faces, strict=True):
            np.testing.assert_array_equal(a.landmarks, b.landmarks)


def test_corners_may_stand_alone(tmp_path):
    (tmp_path / "a.json").write_text('{"a.png": [{"landmarks_2d": [[1.4, 2], [9, 2], [9, 8.6], [1.4, 8.6]]}]}')
    assert fsa.read(tmp_path / "a.json").frames[0].faces[0].box == (1, 2, 8, 7)


@pytest.mark.parametrize(
    "face",
    [
        {"landmarks_2d": [[0, 0]] * 68},
        {"landmarks_2d": [[0, 0]] * 68, "detected": [1, 2, 3]},
        {"landmarks_2d": [[0, 0]] * 68, "detected": [1, 2, 3, "4"]},
        {"landmarks_2d": [[0, 0]] * 5, "detected": [1, 2, 3, 4]},
        {"landmarks_2d": None, "detected": [1, 2, 3, 4]},
    ],
)
def test_damaged_faces_are_refused_by_name(face, tmp_path):
    (tmp_path / "a.json").write_text(json.dumps({"a.png": [face]}))
    with pytest.raises(CorruptFileError, match=r"a\.png"):
        fsa.read(tmp_path / "a.json")


@pytest.mark.parametrize("text", ["", "[]", "5", "{", '{"a": 5}', '{"a": [5]}', '{"a": [{"landmarks_2d": 1}, 5]}'])
def test_other_files_are_refused(text, tmp_path):
    (tmp_path / "a.json").write_text(text)
    with pytest.raises(CorruptFileError):
        fsa.read(tmp_path / "a.json")


def test_numbers_that_are_none_are_not_written(tmp_path):
    nothing = FsaFace((0, 0, 1, 1), np.full((68, 2), np.nan, np.float32))
    with pytest.raises(InputError):
        export_json.write(tmp_path / "a.json", document(face(), nothing))
    assert not (tmp_path / "a.json").exists()
