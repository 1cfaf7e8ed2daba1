"""faces.db: round trips, transactions, refusals."""

import sqlite3

import numpy as np
import pytest

from core.errors import CorruptFileError, InputError
from core.faceset import database
from core.faceset.database import FaceRow, FrameRow


def face(name="00001_0.jpg", frame="00001.png", index=0, identity=True):
    points = np.arange(136, dtype=np.float64).reshape(68, 2) + 0.25
    vector = np.full(128, 128**-0.5, np.float32) if identity else None
    return FaceRow(
        name,
        frame,
        index,
        "extracted",
        "whole_face",
        512,
        1.0,
        2.0,
        3.5,
        4.0,
        0.9,
        0.99,
        -0.1,
        0.2,
        0.3,
        55.5,
        "ab" * 32,
        points,
        vector,
    )


@pytest.fixture
def path(tmp_path):
    return tmp_path / "faces.db"


def test_what_goes_in_comes_out(path):
    frame = FrameRow("00001.png", "done", "", {"found twice": 2})
    with database.open_database(path, create=True) as connection:
        database.write_settings(connection, {"size": 512, "source": {"name": "é"}, "nothing": None})
        database.add(
            connection,
            [
                (frame, [face(), face("00001_1.jpg", index=1, identity=False)]),
                (FrameRow("00002.png", "corrupt", "why", {}), []),
            ],
        )
    with database.open_database(path) as connection:
        assert database.read_settings(connection) == {"size": 512, "source": {"name": "é"}, "nothing": None}
        assert list(database.frames(connection)) == [frame, FrameRow("00002.png", "corrupt", "why", {})]
        first, second = database.faces(connection)
        assert database.faces_by_frame(connection) == {"00001.png": 2, "00002.png": 0}
    np.testing.assert_array_equal(first.landmarks, face().landmarks)
    np.testing.assert_array_equal(first.identity, face().identity)
    assert second.identity is None and second.face_index == 1
    assert (first.left, first.bottom, first.yaw, first.sharpness, first.sha256) == (1.0, 4.0, 0.2, 55.5, "ab" * 32)


def test_a_frame_is_replaced_whole(path):
    with database.open_database(path, create=True) as connection:
        database.add(connection, [(FrameRow("00001.png", "done", "", {}), [face(), face("00001_1.jpg", index=1)])])
        database.add(connection, [(FrameRow("00001.png", "done", "", {}), [face()])])
        assert [row.name for row in database.faces(connection)] == ["00001_0.jpg"]


def test_a_batch_that_fails_leaves_nothing(path):
    good, stranger = FrameRow("00001.png", "done", "", {}), face("x.jpg", frame="unknown.png")
    with database.open_database(path, create=True) as connection:
        with pytest.raises(sqlite3.IntegrityError):
            database.add(connection, [(good, [face(), stranger])])
        assert database.faces_by_frame(connection) == {}


def test_forget_empties_the_rows(path):
    with database.open_database(path, create=True) as connection:
        database.add(connection, [(FrameRow("00001.png", "done", "", {}), [face()])])
        database.forget(connection)
        assert database.faces_by_frame(connection) == {} and list(database.faces(connection)) == []


def test_tables_of_others_are_left_alone(path):
    with database.open_database(path, create=True) as connection, connection:
        connection.execute("CREATE TABLE face_metadata (name TEXT)")
    with database.open_database(path, create=True) as connection:
        assert connection.execute("SELECT COUNT(*) FROM face_metadata").fetchone() == (0,)


def test_a_file_that_other_tables_began_gets_ours(path):
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE face_metadata (name TEXT)")
    with database.open_database(path) as connection:
        assert database.faces_by_frame(connection) == {}


def test_refusals(path):
    with pytest.raises(InputError, match="no face database"), database.open_database(path):
        pass
    path.write_bytes(b"this is no database, it is a letter" * 100)
    with pytest.raises(CorruptFileError, match="damaged"), database.open_database(path):
        pass
    path.unlink()
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA user_version = 99")
    with pytest.raises(InputError, match="newer version"), database.open_database(path):
        pass
