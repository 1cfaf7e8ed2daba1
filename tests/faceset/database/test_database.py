"""faces.db: round trips, transactions, moves, refusals."""

import sqlite3

import numpy as np
import pytest

from core.errors import CorruptFileError, InputError
from core.faceset.database import extraction, faces, frames, images, measured
from core.faceset.database.connection import open_database
from core.faceset.database.faces import FaceRow
from core.faceset.database.frames import FrameRow
from core.faceset.database.images import ImageRow
from core.faceset.identity import birth_id, geometry_of
from core.types import Face

POINTS = np.arange(136, dtype=np.float64).reshape(68, 2) + 0.25
VECTOR = np.full(128, 128**-0.5, np.float32)


def face(number=0, frame="00001.png", **changes) -> Face:
    points = POINTS + number
    values = {
        "box": np.array([1, 2, 3.5, 4], np.float32),
        "confidence": 0.9,
        "roll": 0.3,
        "landmarks": points,
        "landmark_confidence": 0.99,
        "frame": frame,
        "origin": "yunet",
        "id": birth_id(frame, points),
    }
    return Face(**values | changes)


def image(of: Face, name: str, folder: str = images.ALIGNED) -> ImageRow:
    return ImageRow(
        face=of.id,
        folder=folder,
        name=name,
        extracted_name=name,
        face_type="whole_face",
        size=512,
        image_digest="cd" * 32,
        sha256="ab" * 32,
        bytes=1000,
        mtime_ns=5,
        geometry=geometry_of(of.frame, of.landmarks),
    )


def row(number=0, name="00001_0.jpg", **changes) -> FaceRow:
    found = face(number, **changes)
    return FaceRow(found, image(found, name), {"yaw": 0.2, "sharpness": 55.5}, {"sface": VECTOR})


@pytest.fixture
def path(tmp_path):
    return tmp_path / "faces.db"


@pytest.fixture
def connection(path):
    with open_database(path, create=True) as opened:
        yield opened


def test_what_goes_in_comes_out(path):
    small = face(1, landmarks=None, status="filtered", reason="too small", id="f" * 16)
    with open_database(path, create=True) as connection:
        extraction.write_settings(connection, {"size": 512, "source": {"name": "é"}, "nothing": None})
        done = (FrameRow("00001.png"), [row(), FaceRow(small)])
        faces.add(connection, [done, (FrameRow("00002.png", "corrupt", "why"), [])])
    with open_database(path) as connection:
        assert extraction.read_settings(connection) == {"size": 512, "source": {"name": "é"}, "nothing": None}
        assert list(frames.frames(connection)) == [FrameRow("00001.png"), FrameRow("00002.png", "corrupt", "why")]
        assert frames.faces_by_frame(connection) == {"00001.png": 1, "00002.png": 0}
        assert faces.filtered_by_reason(connection) == {"too small": 1}
        (kept,) = faces.faces(connection)
        (filtered,) = faces.faces(connection, "filtered")
        assert list(images.images(connection)) == [image(face(), "00001_0.jpg")]
        assert measured.scores(connection, "sharpness") == {kept.id: 55.5}
        np.testing.assert_array_equal(measured.vectors(connection, "sface")[kept.id], VECTOR)
    np.testing.assert_array_equal(kept.landmarks, POINTS)
    np.testing.assert_array_equal(kept.box, face().box)
    assert (kept.id, kept.frame, kept.confidence, kept.landmark_confidence, kept.roll, kept.origin) == (
        face().id,
        "00001.png",
        0.9,
        0.99,
        0.3,
        "yunet",
    )
    assert filtered.landmarks is None and filtered.reason == "too small" and filtered.id == "f" * 16


def test_what_is_not_known_comes_back_as_such(connection):
    unknown = face(box=np.full(4, np.nan, np.float32), confidence=np.nan, roll=np.nan)
    faces.add(connection, [(FrameRow("00001.png"), [FaceRow(unknown)])])
    (found,) = faces.faces(connection)
    assert np.isnan(found.box).all() and np.isnan(found.confidence) and np.isnan(found.roll)


def test_a_frame_is_replaced_whole(connection):
    faces.add(connection, [(FrameRow("00001.png"), [row(), row(1, "00001_1.jpg")])])
    faces.add(connection, [(FrameRow("00001.png"), [row()])])
    assert [found.id for found in faces.faces(connection)] == [face().id]
    assert [found.name for found in images.images(connection)] == ["00001_0.jpg"]
    assert list(measured.scores(connection, "yaw")) == [face().id]


def test_a_batch_that_fails_leaves_nothing(connection):
    with pytest.raises(sqlite3.IntegrityError):
        faces.add(connection, [(FrameRow("00001.png"), [row(), row()])])
    assert frames.faces_by_frame(connection) == {}


def test_forget_empties_the_rows(connection):
    faces.add(connection, [(FrameRow("00001.png"), [row()])])
    frames.forget(connection)
    assert frames.faces_by_frame(connection) == {}
    assert list(images.images(connection)) == []


def test_what_was_measured_on_other_points_does_not_count(connection):
    faces.add(connection, [(FrameRow("00001.png"), [row()])])
    with connection:
        connection.execute("UPDATE faces SET geometry = 'moved'")
    assert measured.scores(connection, "yaw") == {}
    assert measured.vectors(connection, "sface") == {}


def test_persons(connection):
    faces.add(connection, [(FrameRow("00001.png"), [row(), row(1, "00001_1.jpg")])])
    faces.name_persons(connection, {face().id: "person_00"})
    assert {found.id: found.person for found in faces.faces(connection)} == {face().id: "person_00", face(1).id: ""}


def test_files_may_exchange_their_names(connection):
    faces.add(connection, [(FrameRow("00001.png"), [row(), row(1, "00001_1.jpg")])])
    swap = [("aligned/00001_0.jpg", "aligned/00001_1.jpg"), ("aligned/00001_1.jpg", "aligned/00001_0.jpg")]
    images.move_images(connection, swap, "000001 forward")
    assert {found.name: found.face for found in images.images(connection)} == {
        "00001_0.jpg": face(1).id,
        "00001_1.jpg": face().id,
    }
    assert {found.extracted_name for found in images.images(connection)} == {"00001_0.jpg", "00001_1.jpg"}


def test_a_step_is_noted_once(connection):
    """After a crash nobody knows whether it was: repeating it must not exchange the names back."""
    faces.add(connection, [(FrameRow("00001.png"), [row(), row(1, "00001_1.jpg")])])
    swap = [("aligned/00001_0.jpg", "aligned/00001_1.jpg"), ("aligned/00001_1.jpg", "aligned/00001_0.jpg")]
    for _ in range(2):
        images.move_images(connection, swap, "000001 forward")
    assert {found.name: found.face for found in images.images(connection)}["00001_1.jpg"] == face().id
    images.move_images(connection, [("aligned/00001_1.jpg", "aligned_trash/x.jpg")], "000002 forward")
    assert [found.name for found in images.images(connection, "aligned_trash")] == ["x.jpg"]


def test_names_inside_a_pak_may_have_a_person(connection):
    inside = FaceRow(face(), image(face(), "anna/00001_0.jpg", images.PAK))
    faces.add(connection, [(FrameRow("00001.png"), [inside])])
    images.move_images(connection, [(f"{images.PAK}/anna/00001_0.jpg", f"{images.PAK}/anna/0.jpg")], "000001 forward")
    assert [found.name for found in images.images(connection, images.PAK)] == ["anna/0.jpg"]


def test_refusals(path):
    with pytest.raises(InputError, match="no face database"), open_database(path):
        pass
    path.write_bytes(b"this is no database, it is a letter" * 100)
    with pytest.raises(CorruptFileError, match="damaged"), open_database(path):
        pass
    path.unlink()
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA user_version = 99")
    with pytest.raises(InputError, match="newer version"), open_database(path):
        pass
