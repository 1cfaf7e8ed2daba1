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
        half = tmp_path / f".forge-{writer.pid}-0123456789abcdef.tmp"
        half.write_text("x")
        (tmp_path / "a.jpg").write_text("x")
        assert fsio.remove_leftovers(tmp_path) == 0  # its writer lives
        writer.kill()
    fsio.temporary_path(tmp_path).write_text("x")
    fsio.temporary_path(tmp_path, ".mp4").write_text("x")
    others = [
        ".notes.tmp",
        ".a.jpg.99999999.tmp",
        ".forge-1.tmp",
        ".forge-99999999-xyz.tmp",
        "forge-99999999-0123456789abcdef.tmp",
    ]
    for name in others:
        (tmp_path / name).write_text("of another program")
    (tmp_path / ".forge-99999999-0123456789abcdef.tmp").mkdir()
    (tmp_path / ".forge-99999998-0123456789abcdef.tmp").symlink_to(tmp_path / "a.jpg")
    assert fsio.remove_leftovers(tmp_path, own=False) == 1
    assert fsio.remove_leftovers(tmp_path) == 2
    kept = [*others, "a.jpg", ".forge-99999999-0123456789abcdef.tmp", ".forge-99999998-0123456789abcdef.tmp"]
    assert sorted(os.listdir(tmp_path)) == sorted(kept)
    assert fsio.remove_leftovers(tmp_path / "nowhere") == 0


def test_temporary_names_cannot_be_guessed_and_leave_room(tmp_path):
    assert fsio.temporary_path(tmp_path) != fsio.temporary_path(tmp_path)
    longest = "x" * 255
    fsio.write_text(tmp_path / longest, "as long as a name can be")
    assert os.listdir(tmp_path) == [longest]


def test_what_was_there_is_never_written_into(tmp_path, monkeypatch):
    """Somebody guessed the name and put a link there."""
    (tmp_path / "precious").write_text("x")
    (tmp_path / "guessed").symlink_to(tmp_path / "precious")
    monkeypatch.setattr(fsio, "temporary_path", lambda folder: folder / "guessed")
    with pytest.raises(FileExistsError):
        fsio.write_text(tmp_path / "a", "mine")
    assert (tmp_path / "precious").read_text() == "x"


def test_links_are_replaced(tmp_path):
    (tmp_path / "precious").write_text("x")
    (tmp_path / "a").symlink_to(tmp_path / "precious")
    fsio.write_text(tmp_path / "a", "mine")
    assert (tmp_path / "precious").read_text() == "x"
    assert (tmp_path / "a").read_text() == "mine" and not (tmp_path / "a").is_symlink()


@pytest.mark.parametrize(("mask", "mode"), [(0o022, 0o644), (0o002, 0o664), (0o077, 0o600), (0o027, 0o640)])
def test_the_umask_counts(tmp_path, mask, mode):
    before = os.umask(mask)
    try:
        fsio.write_text(tmp_path / "a", "x")
        fsio.append_text(tmp_path / "b", "x")
        with fsio.lock(tmp_path / "locks" / "c", "x"):
            pass
    finally:
        os.umask(before)
    for path in (tmp_path / "a", tmp_path / "b", tmp_path / "locks" / "c"):
        assert path.stat().st_mode & 0o777 == mode


@pytest.mark.parametrize("target", ["precious", "nowhere", "/dev/null"])
def test_locks_and_logs_follow_no_links(tmp_path, target):
    (tmp_path / "precious").write_text("x")
    (tmp_path / "link").symlink_to(tmp_path / target)
    with pytest.raises(errors.CorruptFileError, match="a link") as caught, fsio.lock(tmp_path / "link", "x"):
        pass
    assert caught.value.exit_code == 7
    with pytest.raises(errors.CorruptFileError, match="a link"):
        fsio.append_text(tmp_path / "link", "more")
    assert (tmp_path / "precious").read_text() == "x"
    assert not (tmp_path / "nowhere").exists()


def test_a_lock_never_truncates(tmp_path):
    (tmp_path / "lock").write_text("somebody's file")
    with fsio.lock(tmp_path / "lock", "x"):
        pass
    assert (tmp_path / "lock").read_text() == "somebody's file"


def test_pipes_and_folders_are_no_locks(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "folder").symlink_to(tmp_path)
    with pytest.raises(errors.CorruptFileError), fsio.lock(tmp_path / "pipe", "x"):
        pass
    with pytest.raises(errors.CorruptFileError), fsio.lock(tmp_path / "folder" / "a.lock", "x"):
        pass


def test_the_trash_is_no_link(tmp_path):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "trash").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "a").write_text("x")
    with pytest.raises(errors.CorruptFileError):
        fsio.move_to_trash(tmp_path / "a", tmp_path / "trash")
    assert (tmp_path / "a").read_text() == "x" and not os.listdir(tmp_path / "elsewhere")
