"""Packing: in several processes as in one, on a disk that fills up or lies, and with faces that change meanwhile."""

import errno
import os
from pathlib import Path

import facekit
import pytest
import strict_original

from core import parallel
from core.errors import EnvironmentFault, InputError
from core.formats import pak_writer
from core.formats.pak import PakReader
from core.formats.pak_sources import FileSource
from core.formats.pak_writer import write_pak
from core.formats.pickle.safe_pickle import LIST_END, LIST_START


def sources(folder: Path, count: int = 5) -> list[FileSource]:
    return [FileSource(path) for path in facekit.write_faces(folder, count)]


@pytest.fixture
def many(tmp_path, monkeypatch):
    """Few faces that are packed as if they were many, and the pak that must come out."""
    faces = sources(tmp_path / "faces", 9)
    (tmp_path / "faces/00000_1.jpg").write_bytes(facekit.jpeg())
    faces.insert(4, FileSource(tmp_path / "faces/00000_1.jpg"))
    write_pak(tmp_path / "one.pak", faces)
    monkeypatch.setattr(parallel, "_PAYS_FROM", 2)
    monkeypatch.setattr(parallel, "_CHUNK", 2)
    monkeypatch.setattr(pak_writer, "_RUN", 2)
    return faces, (tmp_path / "one.pak").read_bytes()


def test_several_processes_write_what_one_writes(tmp_path, many):
    faces, expected = many
    packed = write_pak(tmp_path / "faceset.pak", faces)
    assert (tmp_path / "faceset.pak").read_bytes() == expected
    assert [name for name, _ in packed.problems] == ["00000_1.jpg"]
    assert packed.kept == tuple(source for source in faces if source.name != "00000_1.jpg")


@pytest.fixture
def edited(monkeypatch):
    """Edit a file after the faces were listed, before any is read."""

    def prepare(edit):
        take = pak_writer._take_all
        monkeypatch.setattr(pak_writer, "_take_all", lambda *args: (edit(), take(*args))[1])

    return prepare


def test_a_face_that_changes_meanwhile_under_a_worker(tmp_path, many, edited):
    faces, _ = many
    edited(lambda: faces[-1].path.write_bytes(facekit.face(size=72, seed=99)))
    with pytest.raises(InputError, match="changed") as caught:
        write_pak(tmp_path / "faceset.pak", faces)
    assert caught.value.where == faces[-1].name
    assert sorted(path.name for path in tmp_path.iterdir()) == ["faces", "one.pak"]


@pytest.mark.parametrize("change", [lambda path: path.unlink(), lambda path: os.truncate(path, 900)])
def test_a_face_that_is_gone_or_cut_meanwhile(tmp_path, edited, change):
    faces = sources(tmp_path / "faces")
    data = [source.data() for source in faces]
    edited(lambda: change(faces[2].path))
    packed = write_pak(tmp_path / "faceset.pak", faces)
    assert [name for name, _ in packed.problems] == [faces[2].name]
    assert read_all(tmp_path / "faceset.pak") == data[:2] + data[3:]


def read_all(path: Path) -> list[bytes]:
    with PakReader(path) as reader:
        return [reader.read(i) for i in range(len(reader))]


@pytest.mark.parametrize("off", [-(10**6), -5000, -1, 1, 5, 6, 700, 10**5])
def test_any_guess_of_the_length_of_the_list_does(tmp_path, many, monkeypatch, off):
    """Too little room: the faces are moved up. Too much: the rest is filled up within the list, if it is enough."""
    faces, expected = many
    guess = pak_writer._head_size
    monkeypatch.setattr(pak_writer, "_head_size", lambda listed: max(0, guess(listed) + off))
    write_pak(tmp_path / "faceset.pak", faces)
    data = (tmp_path / "faceset.pak").read_bytes()
    strict_original.check_pak(data)
    assert len(data) == len(expected) + (off if off > 5 else 0)
    assert read_all(tmp_path / "faceset.pak") == read_all(tmp_path / "one.pak")


def test_pictures_that_are_no_faces_leave_no_gaps(tmp_path, monkeypatch):
    """With the room for the list too little by one face, some faces move up, others down."""
    faces = []
    for n in range(12):
        path = tmp_path / f"faces/{n:05d}_0.jpg"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(facekit.jpeg(seed=n) if n in (2, 3, 7) else facekit.face(path.name, seed=n))
        faces.append(FileSource(path))
    monkeypatch.setattr(pak_writer, "_RUN", 1)
    monkeypatch.setattr(pak_writer, "_BLOCK", 500)
    guess = pak_writer._head_size
    monkeypatch.setattr(pak_writer, "_head_size", lambda listed: guess(listed) - 5000)
    packed = write_pak(tmp_path / "faceset.pak", faces)
    strict_original.check_pak((tmp_path / "faceset.pak").read_bytes())
    assert len(packed.problems) == 3
    assert read_all(tmp_path / "faceset.pak") == [source.data() for n, source in enumerate(faces) if n not in (2, 3, 7)]


def test_the_room_for_the_list_of_many_faces_suffices(tmp_path, monkeypatch):
    """Estimated from a sample of faces whose masks differ in length."""
    faces = []
    for n in range(200):
        path = tmp_path / f"{n:05d}_0.jpg"
        path.write_bytes(facekit.face(path.name, seed=n, xseg_mask=facekit.png(8 + n * 7 % 31, n) if n % 3 else None))
        faces.append(FileSource(path))
    exact = sum(map(pak_writer._entry_size, faces))
    assert (
        pak_writer._head_size(faces[:64])
        == sum(map(pak_writer._entry_size, faces[:64])) + len(LIST_START + LIST_END) + 8
    )
    assert exact < pak_writer._head_size(faces) < 1.3 * exact


@pytest.mark.parametrize("room", [0, 100, 3000, 9000])
def test_a_disk_that_fills_up_while_faces_are_copied(tmp_path, monkeypatch, room):
    """A part of a face is written, as systems do, then nothing more."""
    faces, left, pwrite = sources(tmp_path / "faces"), [room], os.pwrite

    def nearly_full(fd, data, position):
        if left[0] <= 0:
            raise OSError(errno.ENOSPC, "No space left on device")
        done = pwrite(fd, data[: left[0]], position)
        left[0] -= done
        return done

    (tmp_path / "faceset.pak").write_bytes(b"old")
    monkeypatch.setattr(os, "pwrite", nearly_full)
    with pytest.raises(OSError, match="No space"):
        write_pak(tmp_path / "faceset.pak", faces)
    assert (tmp_path / "faceset.pak").read_bytes() == b"old"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["faces", "faceset.pak"]


def test_a_write_in_parts_is_completed(tmp_path, monkeypatch):
    faces, pwrite = sources(tmp_path / "faces"), os.pwrite
    monkeypatch.setattr(os, "pwrite", lambda fd, data, position: pwrite(fd, data[:700], position))
    write_pak(tmp_path / "faceset.pak", faces)
    assert read_all(tmp_path / "faceset.pak") == [source.data() for source in faces]


@pytest.mark.parametrize("where", ["header", "list", "table", "face", "end"])
def test_a_disk_that_lies(tmp_path, monkeypatch, where):
    """One bit that comes back different, anywhere in the file."""
    faces = sources(tmp_path / "faces")
    write_pak(tmp_path / "good.pak", faces)
    data = (tmp_path / "good.pak").read_bytes()
    config_end = 16 + int.from_bytes(data[8:16], "little")
    at = {"header": 9, "list": 40, "table": config_end + 8, "face": config_end + 8 * 6 + 3, "end": len(data) - 1}[where]

    def lying(fd):
        with open(f"/proc/self/fd/{fd}", "r+b") as stream:
            stream.seek(at)
            flipped = bytes([stream.read(1)[0] ^ 4])
            stream.seek(at)
            stream.write(flipped)

    monkeypatch.setattr(pak_writer.os, "fsync", lying)
    with pytest.raises(EnvironmentFault, match="reads back different"):
        write_pak(tmp_path / "faceset.pak", faces)
    assert not (tmp_path / "faceset.pak").exists()
