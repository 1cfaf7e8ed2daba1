"""Packing: in several processes as in one, on a disk that fills up or lies, and with faces that change meanwhile."""

import errno
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import facekit
import pytest

from core.errors import EnvironmentFault, InputError
from core.formats import pak_writer, parallel
from core.formats.pak import PakReader
from core.formats.pak_writer import FileSource, write_pak

ROOT = Path(__file__).resolve().parents[2]


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


def test_a_face_that_changes_meanwhile_under_a_worker(tmp_path, many, monkeypatch):
    faces, _ = many
    finish = pak_writer._finish_head

    def edited(*args):
        finish(*args)
        faces[-1].path.write_bytes(facekit.face(seed=99))

    monkeypatch.setattr(pak_writer, "_finish_head", edited)
    with pytest.raises(InputError, match="changed") as caught:
        write_pak(tmp_path / "faceset.pak", faces)
    assert caught.value.where == faces[-1].name
    assert sorted(path.name for path in tmp_path.iterdir()) == ["faces", "one.pak"]


@pytest.mark.parametrize("change", [lambda path: path.unlink(), lambda path: os.truncate(path, 900)])
def test_a_face_that_is_gone_or_cut_meanwhile(tmp_path, monkeypatch, change):
    faces = sources(tmp_path / "faces")
    finish = pak_writer._finish_head
    monkeypatch.setattr(pak_writer, "_finish_head", lambda *args: (finish(*args), change(faces[2].path)))
    with pytest.raises(InputError):
        write_pak(tmp_path / "faceset.pak", faces)
    assert [path.name for path in tmp_path.iterdir()] == ["faces"]


@pytest.mark.parametrize("room", [0, 100, 3000, 9000])
def test_a_disk_that_fills_up_while_faces_are_copied(tmp_path, monkeypatch, room):
    """A part of a face is written, as systems do, then nothing more."""
    faces, left, pwrite = sources(tmp_path / "faces"), [room], os.pwrite

    def nearly_full(fd, data, position):
        if left[0] <= 0:
            raise OSError(errno.ENOSPC, "No space left on device")
        done = pwrite(fd, data[:left[0]], position)
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
    with PakReader(tmp_path / "faceset.pak") as reader:
        assert [reader.read(i) for i in range(5)] == [source.data() for source in faces]


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


WAITING = """
import sys, time
from core.formats import parallel

def work(item):
    print(__import__("os").getpid(), flush=True)
    time.sleep(0.2)

if __name__ == "__main__":
    import waiting
    parallel._PAYS_FROM, parallel._CHUNK = 2, 1
    list(parallel.spread(waiting.work, range(10_000)))
"""


def test_workers_end_with_a_killed_parent(tmp_path):
    (tmp_path / "waiting.py").write_text(WAITING)
    environment = os.environ | {"PYTHONPATH": f"{ROOT}:{tmp_path}"}
    parent = subprocess.Popen([sys.executable, str(tmp_path / "waiting.py")], env=environment, stdout=subprocess.PIPE, text=True)
    workers = {int(parent.stdout.readline()) for _ in range(3)}
    assert parent.pid not in workers
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    deadline = time.monotonic() + 60
    while any(map(_runs, workers)) and time.monotonic() < deadline:
        time.sleep(0.1)
    parent.stdout.close()
    assert not any(map(_runs, workers))


def _runs(pid: int) -> bool:
    """Whether a process is there and no zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False
