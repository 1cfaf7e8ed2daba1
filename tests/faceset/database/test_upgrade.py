"""A workspace of the previous release goes on: faces, order, masks, undo, saved metadata."""

import json
import shutil
import sqlite3
import tarfile
from contextlib import closing

import cv2
import numpy as np
import pytest
from paths import TESTS

from core.faces.landmark_masker import LandmarkMasker
from core.faceset.database import faces, images, measured
from core.faceset.database.connection import open_database
from core.faceset.database.masks import MaskTable
from core.faceset.identity import face_id
from core.faceset.register import open_known
from core.formats import dfl_image
from core.jobs.faceset.metadata import restore_metadata
from core.jobs.faceset.sort import sort, undo
from core.jobs.masks.apply import MaskStyle, apply_masks
from core.stages import faces as faces_stage
from core.workspace import Workspace

GOLDEN = TESTS / "golden"


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory):
    folder = tmp_path_factory.mktemp("v1")
    with tarfile.open(GOLDEN / "workspace_v1.tar.xz") as archive:
        archive.extractall(folder)
    return folder


@pytest.fixture
def workspace(unpacked, tmp_path):
    shutil.copytree(unpacked, tmp_path / "w")
    return Workspace(tmp_path / "w")


@pytest.fixture(scope="module")
def truth():
    return json.loads((GOLDEN / "workspace_v1.json").read_text())


def rows(side):
    """path relative to the side -> (row of the file, its face)"""
    with open_database(side.database) as connection:
        known = {face.id: face for face in faces.faces(connection)}
        return {
            f"{folder}/{row.name}": (row, known[row.face])
            for folder, found in images.images_by_folder(connection).items()
            for row in found
        }


@pytest.mark.parametrize("name", ["src", "dst"])
def test_every_file_is_of_its_face(workspace, truth, name):
    side = workspace.side(name)
    found = rows(side)
    for path, what in truth[name].items():
        row, face = found[path]
        assert row.extracted_name == what["as_extracted"]
        assert face.frame == what["frame"]
        assert face.landmarks[0].tolist() == what["landmarks0"]
        record = dfl_image.read(side.frames / path)
        assert face_id(record) == face.id
        assert dfl_image.image_digest((side.frames / path).read_bytes()) == what["picture"]


def test_what_was_measured_is_there(workspace):
    with sqlite3.connect(workspace.side("src").database) as old:
        yaws = dict(old.execute("SELECT name, yaw FROM faces"))
    with open_database(workspace.side("src").database) as connection:
        found = measured.scores(connection, "yaw")
        for row in [row for rows in images.images_by_folder(connection).values() for row in rows]:
            assert found[row.face] == yaws[row.extracted_name]
        assert len(measured.vectors(connection, "sface")) == 10


def test_the_old_files_are_kept(workspace):
    side = workspace.side("src")
    before = side.database.read_bytes()
    rows(side)
    with sqlite3.connect(side.frames / "faces.db.v1") as old:
        assert old.execute("PRAGMA user_version").fetchone() == (1,)
        assert old.execute("SELECT COUNT(*) FROM faces").fetchone() == (10,)
    assert (side.frames / "masks.db.v1").is_file() and not (side.frames / "masks.db").exists()
    assert side.database.read_bytes() != before


@pytest.mark.parametrize(("name", "kind", "kept"), [("src", "hull", 8), ("dst", "components", 9)])
def test_masks_are_not_made_again(workspace, name, kind, kept):
    done = apply_masks(workspace, name, LandmarkMasker(kind), MaskStyle())
    assert (done.made, done.kept) == (0, kept)
    with open_known(workspace.side(name)) as known:
        table = MaskTable(known.connection)
        assert {table.rows[face].kind for face in known.ids} == {kind}


def test_the_face_that_somebody_deleted_is_named(workspace):
    with open_known(workspace.side("dst")) as known:
        assert known.missing == ("00003.jpg",)
    report = faces_stage.run(faces_stage.Options(side="dst", image_size=96, jpeg_quality=85), Workspace(workspace.root))
    assert "nothing to do" in report.title
    assert dict(report.rows)["face files deleted by hand"] == "1: 00003.jpg"


def test_sorts_are_undone_to_the_first(workspace, truth):
    side = workspace.side("src")
    while list((side.frames / "aligned_history").glob("0*.json")):
        undo(workspace, "src")
    expected = {what["as_extracted"]: what["picture"] for what in truth["src"].values()}
    there = {path.name: dfl_image.image_digest(path.read_bytes()) for path in side.aligned.glob("*.jpg")}
    assert there == expected
    assert {path: row.extracted_name for path, (row, _) in rows(side).items()} == {
        f"aligned/{name}": name for name in expected
    }


def test_a_new_sort_follows_in_the_database(workspace):
    side = workspace.side("src")
    sort(workspace, "src", "yaw")
    for path, (_, face) in rows(side).items():
        assert face_id(dfl_image.read(side.frames / path)) == face.id


def test_saved_metadata_still_comes_back(workspace):
    side = workspace.side("src")
    paths = sorted(side.aligned.glob("*.jpg"))
    before = [dfl_image.read(path) for path in paths]
    for path in paths:
        path.write_bytes(_bare(path))
    done = restore_metadata(workspace, "src")
    assert (done.done, done.problems) == (len(paths), ())
    assert [face_id(dfl_image.read(path)) for path in paths] == [face_id(record) for record in before]


def _bare(path):
    """What an editor does: the image written anew, without the metadata."""
    return cv2.imencode(".jpg", cv2.imread(str(path)))[1].tobytes()


def test_a_number_that_is_missing_in_an_old_database_is_unknown(workspace):
    """The previous release wrote none; another program may have."""
    side = workspace.side("src")
    with closing(sqlite3.connect(side.database)) as connection, connection:
        connection.execute("CREATE TABLE copied AS SELECT * FROM faces")
        connection.execute("DROP TABLE faces")
        connection.execute("ALTER TABLE copied RENAME TO faces")
        connection.execute("UPDATE faces SET score = NULL, sure = NULL, roll = NULL, pitch = NULL")
    with open_database(side.database) as connection:
        found = faces.faces(connection)
        assert found and all(np.isnan([face.confidence, face.landmark_confidence, face.roll]).all() for face in found)
        assert not measured.scores(connection, "pitch") and measured.scores(connection, "yaw")


def test_a_kill_in_the_middle_leaves_the_old_one(workspace, monkeypatch):
    from core.faceset.database import upgrade

    side = workspace.side("src")

    def killed(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(upgrade, "_masks", killed)
    with pytest.raises(KeyboardInterrupt), open_database(side.database):
        pass
    with sqlite3.connect(side.database) as old:
        assert old.execute("PRAGMA user_version").fetchone() == (1,)
        assert old.execute("SELECT COUNT(*) FROM faces").fetchone() == (10,)
    monkeypatch.undo()
    assert len(rows(side)) == 10
