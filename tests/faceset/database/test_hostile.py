"""Face databases that somebody made or damaged: typed errors, nothing outside is touched, nothing goes on for ever."""

import os
import sqlite3
import time
from contextlib import closing

import facekit
import numpy as np
import pytest

from core.errors import CorruptFileError, InputError, PipelineError
from core.faceset import saved_metadata
from core.faceset.database import extraction, faces, frames, images, measured
from core.faceset.database.connection import open_database
from core.faceset.database.faces import FaceRow
from core.faceset.database.masks import MaskRow, MaskTable
from core.faceset.register import missing_files, open_known
from core.workspace import Workspace, image_names, list_images


@pytest.fixture
def side(tmp_path):
    found = Workspace(tmp_path / "w").create().side("src")
    facekit.write_faces(found.aligned, 3)
    with open_known(found) as known:
        saved_metadata.save(known.connection, known.faceset)
        with MaskTable(known.connection) as table:
            table.add(MaskRow(known.ids[2], "hull", "hull 1", 1, 0.5, 0.5, "00" * 8, b"mask"))
        extraction.write_settings(known.connection, {"embedder": "sface"})
        extraction.write_film_length(known.connection, {"name": "data_src.mp4"}, 9)
        face = next(faces.faces(known.connection))
        with known.connection:
            frame = known.connection.execute("SELECT frame FROM frames").fetchone()[0]
            known.connection.execute("DELETE FROM faces WHERE face = ?", (face.id,))
            row = FaceRow(face, scores={"yaw": 0.1}, vectors={"sface": np.ones(4, np.float32)})
            faces.add_face(known.connection, frame, row)
    return found


def change(side, *statements) -> None:
    with closing(sqlite3.connect(side.database, isolation_level=None)) as connection:
        for statement in statements:
            connection.execute(*([statement] if isinstance(statement, str) else statement))


READS = {
    "settings": extraction.read_settings,
    "film": extraction.film_length,
    "persons": faces.persons,
    "frames": lambda connection: list(frames.frames(connection)),
    "counts": frames.faces_by_frame,
    "faces": lambda connection: list(faces.faces(connection)),
    "scores": lambda connection: measured.scores(connection, "yaw"),
    "vectors": lambda connection: measured.vectors(connection, "sface"),
    "images": lambda connection: list(images.images(connection)),
    "all images": images.images_by_folder,
    "masks": MaskTable,
}


def test_sound_ones_are_read(side):
    with open_database(side.database) as connection:
        assert all(read(connection) for read in READS.values())


@pytest.mark.parametrize(
    ("read", "statement"),
    [
        ("settings", "UPDATE settings SET value = '{'"),
        ("settings", "UPDATE settings SET value = x'00ff'"),
        ("settings", ("UPDATE settings SET value = ?", ("[" * 100_000,))),
        ("film", "UPDATE state SET value = '{'"),
        ("film", "UPDATE state SET value = x'00ff'"),
        ("film", "UPDATE state SET value = '[]'"),
        ("film", "UPDATE state SET value = '{\"film\": {}}'"),
        ("film", 'UPDATE state SET value = \'{"film": [], "frames": 1}\''),
        ("film", 'UPDATE state SET value = \'{"film": {}, "frames": "many"}\''),
        ("film", 'UPDATE state SET value = \'{"film": {}, "frames": -1}\''),
        ("film", 'UPDATE state SET value = \'{"film": {}, "frames": 1000000000000000}\''),
        ("persons", "UPDATE faces SET person = x'00'"),
        ("frames", "UPDATE frames SET status = x'00'"),
        ("frames", "UPDATE frames SET error = CAST(x'fffe' AS TEXT)"),
        ("faces", "UPDATE faces SET landmarks = x'0011'"),
        ("faces", "UPDATE faces SET landmarks = zeroblob(8)"),
        ("faces", ("UPDATE faces SET landmarks = ?", (np.full(136, np.nan).tobytes(),))),
        ("faces", "UPDATE faces SET \"left\" = 'far'"),
        ("faces", "UPDATE faces SET confidence = x'00'"),
        ("faces", "UPDATE faces SET roll = 9e999"),
        ("scores", "UPDATE scores SET value = 'much'"),
        ("vectors", "UPDATE vectors SET vector = x'001122'"),
        ("images", "UPDATE images SET size = 'large'"),
        ("images", "UPDATE images SET bytes = 1.5"),
        ("images", "UPDATE images SET name = '../../../id_rsa' WHERE image = (SELECT max(image) FROM images)"),
        ("images", "UPDATE images SET name = '/etc/passwd' WHERE image = (SELECT max(image) FROM images)"),
        ("images", "UPDATE images SET name = '..' WHERE image = (SELECT max(image) FROM images)"),
        ("images", "UPDATE images SET name = '' WHERE image = (SELECT max(image) FROM images)"),
        (
            "all images",
            "UPDATE images SET name = 'ann/../b', folder = 'aligned/faceset.pak'"
            " WHERE image = (SELECT max(image) FROM images)",
        ),
        ("masks", "UPDATE masks SET checksum = 'x'"),
        ("masks", "UPDATE masks SET area = x'00'"),
        ("frames", "DROP TABLE frames"),
        ("images", "ALTER TABLE images RENAME COLUMN sha256 TO other"),
    ],
)
def test_cells_of_other_kinds_are_damage(side, read, statement):
    change(side, "PRAGMA foreign_keys = OFF", statement)
    with pytest.raises(CorruptFileError) as caught, open_database(side.database) as connection:
        READS[read](connection)
    assert caught.value.exit_code == 7
    assert caught.value.hint


@pytest.mark.parametrize(
    "statements",
    [
        ["CREATE VIEW v AS SELECT * FROM faces"],
        ["CREATE TRIGGER t AFTER INSERT ON frames BEGIN DELETE FROM faces; END"],
        ["ALTER TABLE frames ADD COLUMN more AS (number * 2)"],
        # By hand: not every SQLite that a process may have loaded knows the module.
        [
            "PRAGMA writable_schema = ON",
            "INSERT INTO sqlite_master VALUES ('table', 't', 't', 0, 'CREATE VIRTUAL TABLE t USING fts5(name)')",
        ],
    ],
)
def test_what_computes_by_itself_is_refused(side, statements):
    change(side, *statements)
    with pytest.raises(CorruptFileError, match="damaged") as caught, open_database(side.database):
        pytest.fail("it was opened")
    assert "this program" in caught.value.why or "computed" in caught.value.why


def test_a_table_without_end_does_not_hang(side):
    """A view of that name counts for ever."""
    endless = "WITH RECURSIVE c(face) AS (SELECT 1 UNION ALL SELECT face + 1 FROM c) SELECT * FROM c"
    change(side, "ALTER TABLE faces RENAME TO other", f"CREATE VIEW faces AS {endless}")
    started = time.process_time()
    with pytest.raises(CorruptFileError), open_database(side.database) as connection:
        frames.faces_by_frame(connection)
    assert time.process_time() - started < 5


def test_queries_that_go_on_and_on_are_stopped(side, monkeypatch):
    with pytest.raises(CorruptFileError, match="damaged") as caught, open_database(side.database) as connection:
        endless = "WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c) SELECT max(n) FROM c"
        connection.execute(endless).fetchone()
    assert "circles" in caught.value.why


def test_a_link_in_the_place_of_the_database_is_not_followed(side, tmp_path):
    other = tmp_path / "other.db"
    with closing(sqlite3.connect(other)) as connection:
        connection.execute("CREATE TABLE mine (x)")
    side.database.unlink()
    side.database.symlink_to(other)
    before = other.read_bytes()
    for create in (False, True):
        with pytest.raises(CorruptFileError, match="damaged"), open_database(side.database, create=create):
            pytest.fail("it was opened")
    assert other.read_bytes() == before


@pytest.mark.parametrize("data", [b"R", b"x" * 5000, b"SQLite format 3\0", b"SQLite format 3\0" + bytes(5000)])
def test_what_is_no_database(side, data):
    side.database.write_bytes(data)
    with pytest.raises(CorruptFileError), open_database(side.database):
        pytest.fail("it was opened")


@pytest.mark.parametrize("digits", [18, 19, 30, 5000])
def test_frames_with_very_long_numbers(side, digits):
    """Time stamps with nanoseconds have more digits than a number of a database."""
    name = "9" * digits + ".png"
    (side.aligned / "long_0.jpg").write_bytes(facekit.face("long_0.jpg", source_filename=name))
    with open_known(side) as known:
        assert name in frames.faces_by_frame(known.connection)


def test_a_database_of_the_future(side):
    change(side, "PRAGMA user_version = 99")
    with pytest.raises(InputError, match="newer"), open_database(side.database):
        pytest.fail("it was opened")


@pytest.mark.parametrize(
    "blob", [b"", b"\x80\x04K\x01.", b"\x80\x04}.", b"\x80\x04N.", b"\x80\x04}\x8c\x05shape(K\x01tes."]
)
def test_saved_metadata_that_makes_no_sense(side, blob):
    change(side, ("UPDATE saved_metadata SET metadata = ?", (blob,)))
    paths = list_images(side.aligned)
    for path in paths:
        path.write_bytes(facekit.jpeg())
    with open_database(side.database) as connection:
        found = saved_metadata.restore(connection, paths)
    assert found.done == 0 and len(found.problems) == 3


def test_pages_in_the_place_of_others(side):
    """Trees that lead in circles, or to pages of another kind."""
    sound = side.database.read_bytes()
    size = int.from_bytes(sound[16:18])
    count = len(sound) // size
    started = time.process_time()
    for source in range(1, count, 3):
        for target in range(1, count, 2):
            page = sound[source * size : (source + 1) * size]
            side.database.write_bytes(sound[: target * size] + page + sound[(target + 1) * size :])
            try:
                with open_database(side.database) as connection:
                    for read in READS.values():
                        read(connection)
                    missing_files(connection, side.aligned, image_names(side.aligned))
            except PipelineError:
                continue
    assert time.process_time() - started < 60
    assert os.listdir(side.frames)
