import errno
import os
import signal
import subprocess
import sys
import time

import pytest

from core import errors, fsio


def test_atomic_writer_leaves_the_old_file_on_failure(tmp_path):
    target = tmp_path / "a.txt"
    target.write_text("old")
    with pytest.raises(RuntimeError), fsio.atomic_writer(target) as stream:
        stream.write(b"half")
        raise RuntimeError
    assert target.read_text() == "old"
    assert os.listdir(tmp_path) == ["a.txt"]


def test_atomic_writer_replaces(tmp_path):
    fsio.write_text(tmp_path / "a", "one")
    fsio.write_text(tmp_path / "a", "zwei ä")
    assert (tmp_path / "a").read_text() == "zwei ä"


def test_trash_keeps_everything(tmp_path):
    for text in ("1", "2", "3"):
        (tmp_path / "x").write_text(text)
        fsio.move_to_trash(tmp_path / "x", tmp_path / "trash")
    assert sorted(p.read_text() for p in (tmp_path / "trash").iterdir()) == ["1", "2", "3"]


def test_lock_excludes_and_dies_with_its_process(tmp_path):
    code = f"""
import time
from pathlib import Path
from core.fsio import lock
with lock(Path({str(tmp_path / "l")!r}), 'x'):
    print('held', flush=True); time.sleep(60)
"""
    child = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE)
    child.stdout.readline()
    with pytest.raises(errors.InputError, match="another run"), fsio.lock(tmp_path / "l", "x"):
        pass
    child.send_signal(signal.SIGKILL)
    child.wait()
    time.sleep(0.05)
    with fsio.lock(tmp_path / "l", "x"):
        pass


def test_os_errors_become_typed():
    assert isinstance(errors.from_os_error(OSError(errno.ENOSPC, "full", "f")), errors.DiskFullError)
    assert isinstance(errors.from_os_error(OSError(errno.EROFS, "ro", "f")), errors.EnvironmentFault)
    assert isinstance(errors.from_os_error(OSError(errno.ENOENT, "none", "f")), errors.InputError)


def test_leftovers_are_removed(tmp_path):
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as writer:
        half = tmp_path / f".a.jpg.{writer.pid}.tmp"
        half.write_text("x")
        (tmp_path / "a.jpg").write_text("x")
        assert fsio.remove_leftovers(tmp_path) == 0  # its writer lives
        writer.kill()
    (tmp_path / f".b.jpg.{os.getpid()}.tmp").write_text("x")
    (tmp_path / ".notes.tmp").write_text("of another program")
    assert fsio.remove_leftovers(tmp_path) == 2
    assert sorted(os.listdir(tmp_path)) == [".notes.tmp", "a.jpg"]
