"""A full disk is said as such, with the folder and the room that is left, wherever the writing failed."""

import errno
import os

import facekit
import pytest

from core import fsio
from core.errors import DiskFullError, EnvironmentFault, from_os_error
from core.faceset.database import connection as database
from core.jobs.faceset.pack import pack_faces, unpack_faces
from core.workspace import Workspace


def refused(code=errno.ENOSPC):
    return OSError(code, os.strerror(code))


def test_the_folder_and_the_room_are_named(tmp_path):
    error = refused()
    error.filename = str(tmp_path / "a.png")
    fault = from_os_error(error)
    assert isinstance(fault, DiskFullError) and fault.exit_code == 8
    assert str(tmp_path) in fault.why and "MB are free" in fault.why


@pytest.mark.parametrize("durable", [True, False])
def test_a_write_that_fails_names_its_file(tmp_path, durable):
    with pytest.raises(OSError) as caught, fsio.atomic_writer(tmp_path / "a.png", durable=durable):
        raise refused()
    assert caught.value.filename == str(tmp_path / "a.png")
    assert list(tmp_path.iterdir()) == []


def test_what_fails_about_another_file_keeps_its_name(tmp_path):
    with pytest.raises(FileNotFoundError) as caught, fsio.atomic_writer(tmp_path / "a.png"):
        (tmp_path / "absent").read_bytes()
    assert caught.value.filename == str(tmp_path / "absent")


@pytest.fixture
def packed(tmp_path):
    workspace = Workspace(tmp_path).create()
    facekit.write_faces(workspace.side("src").aligned, 3)
    pack_faces(workspace, "src", remove_originals=True)
    return workspace


def test_a_disk_that_takes_only_a_part_is_full_not_broken(packed, monkeypatch):
    """The system writes what fits and refuses the rest: that is no face that "reads back different"."""
    write = os.write

    def partly(fd, data):
        if len(data) > 100:
            return write(fd, data[:100])
        raise refused()

    def full(fd, data):
        if os.fstat(fd).st_size:
            raise refused()
        return partly(fd, data)

    monkeypatch.setattr(os, "write", full)
    with pytest.raises(OSError) as caught:
        unpack_faces(packed, "src")
    assert isinstance(from_os_error(caught.value), DiskFullError)
    assert "00001_0.jpg" in caught.value.filename
    monkeypatch.undo()
    assert unpack_faces(packed, "src").complete


def test_a_database_on_a_full_disk(tmp_path, monkeypatch):
    """SQLite speaks of an input or output error."""
    path = tmp_path / "faces.db"
    for full, expected in ((True, DiskFullError), (False, EnvironmentFault)):
        monkeypatch.setattr(database, "_is_full", lambda _, full=full: full)
        with pytest.raises(expected), database.typed_errors(path):
            error = database.sqlite3.OperationalError("disk I/O error")
            error.sqlite_errorcode = database.sqlite3.SQLITE_IOERR
            raise error
