"""Archives made by strangers."""

import contextlib
import os
import stat
import struct
import time
import zipfile
from pathlib import Path

import pytest

from core.errors import CorruptFileError, InputError, PipelineError
from core.formats.safe_zip import extract_members, read_members


def archive(path: Path, members: dict[str, bytes], compression: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(path, "w", compression) as stream:
        for name, data in members.items():
            stream.writestr(name, data)
    return path


def test_reads_the_expected_members_wherever_they_lie(tmp_path):
    path = archive(
        tmp_path / "a.zip", {"model/XSeg_256.npy": b"weights", "XSeg_data.dat": b"data", "readme.txt": b"no"}
    )
    assert read_members(path, ("XSeg_256.npy", "XSeg_data.dat"), 100) == {
        "XSeg_256.npy": b"weights",
        "XSeg_data.dat": b"data",
    }


def test_extracts_by_pattern_and_replaces(tmp_path):
    path = archive(tmp_path / "a.zip", {"x/1.jpg": b"one", "x/2.jpg": b"two", "x/run.exe": b"bad"})
    out = tmp_path / "out"
    out.mkdir()
    (out / "1.jpg").write_bytes(b"old")
    paths = extract_members(path, ("*.jpg",), out, 100)
    assert sorted(p.name for p in paths) == ["1.jpg", "2.jpg"]
    assert sorted(p.name for p in out.iterdir()) == ["1.jpg", "2.jpg"]
    assert (out / "1.jpg").read_bytes() == b"one"


@pytest.mark.parametrize(
    "name", ["../XSeg_256.npy", "/etc/XSeg_256.npy", "a/../../XSeg_256.npy", "C:/XSeg_256.npy", "..\\XSeg_256.npy"]
)
def test_a_name_that_leaves_the_archive_is_refused(tmp_path, name):
    path = archive(tmp_path / "a.zip", {name: b"x", "XSeg_data.dat": b"y"})
    with pytest.raises(CorruptFileError, match="outside"):
        extract_members(path, ("*",), tmp_path / "out", 100)
    assert not (tmp_path / "out").exists()


def test_a_bomb_is_refused_before_anything_is_unpacked(tmp_path):
    path = archive(tmp_path / "a.zip", {"XSeg_256.npy": bytes(50_000_000)})
    with pytest.raises(CorruptFileError, match="times its size"):
        read_members(path, ("*.npy",), 10**9)
    small = archive(tmp_path / "b.zip", {"XSeg_256.npy": bytes(range(256)) * 40}, zipfile.ZIP_STORED)
    with pytest.raises(CorruptFileError, match="at most 1,000"):
        read_members(small, ("*.npy",), 1000)


def test_links_and_duplicates_are_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as stream:
        info = zipfile.ZipInfo("XSeg_256.npy")
        info.external_attr = (stat.S_IFLNK | 0o777) << 16
        stream.writestr(info, "/etc/passwd")
    with pytest.raises(CorruptFileError, match="link"):
        read_members(tmp_path / "a.zip", ("*",), 100)
    with pytest.raises(CorruptFileError, match="two members"):
        read_members(archive(tmp_path / "b.zip", {"a/x.npy": b"1", "b/x.npy": b"2"}), ("*",), 100)


def test_truncated_and_damaged_archives_are_refused(tmp_path):
    path = archive(tmp_path / "a.zip", {"x.npy": bytes(range(256)) * 20}, zipfile.ZIP_STORED)
    data = path.read_bytes()
    (tmp_path / "cut.zip").write_bytes(data[: len(data) // 2])
    with pytest.raises(CorruptFileError) as error:
        read_members(tmp_path / "cut.zip", ("*",), 10_000)
    assert error.value.hint
    (tmp_path / "flipped.zip").write_bytes(data[:100] + bytes([data[100] ^ 1]) + data[101:])
    with pytest.raises(CorruptFileError):
        extract_members(tmp_path / "flipped.zip", ("*",), tmp_path / "out", 10_000)
    assert list((tmp_path / "out").iterdir()) == []


def test_an_absent_archive_is_an_input_error(tmp_path):
    with pytest.raises(InputError):
        read_members(tmp_path / "none.zip", ("*",), 1)


def test_very_many_members_are_refused_before_all_of_them_are_listed(tmp_path):
    """Half a million names in a list that the archive says is as long as it is."""
    path = tmp_path / "many.zip"
    entry = struct.pack("<4s4B4HL2L5H2L", b"PK\1\2", 20, 0, 20, 0, 0, 0, 0, 33, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0) + b"x"
    directory = entry * 500_000
    end = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 0xFFFF, 0xFFFF, len(directory), 0, 0)
    path.write_bytes(directory + end)
    started = time.monotonic()
    with pytest.raises(CorruptFileError, match="list of members"):
        read_members(path, ("*",), 100)
    assert time.monotonic() - started < 5


def test_members_that_lie_over_each_other_are_refused(tmp_path):
    """Every entry of the list leads to the same bytes, so that a small archive unpacks to a large folder."""
    path = archive(tmp_path / "one.zip", {"000.npy": bytes(range(256)) * 100}, zipfile.ZIP_STORED)
    data = path.read_bytes()
    at = data.index(b"PK\1\2")
    end = data.index(b"PK\5\6")
    entries = b"".join(data[at:end].replace(b"000.npy", b"%03d.npy" % number) for number in range(50))
    closing = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 50, 50, len(entries), at, 0)
    path.write_bytes(data[:at] + entries + closing)
    with pytest.raises(CorruptFileError, match="over each other"):
        read_members(path, ("*",), 1 << 30)


@pytest.mark.parametrize("compression", [zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_damage_anywhere_is_a_typed_error_or_harmless(tmp_path, compression):
    path = archive(tmp_path / "a.zip", {"a.npy": b"weights " * 40, "b.npy": b"bytes"}, compression)
    sound = path.read_bytes()
    for at in range(0, len(sound), 2):
        for value in (0, 0xFF):
            path.write_bytes(sound[:at] + bytes([value]) + sound[at + 1 :])
            with contextlib.suppress(PipelineError):
                read_members(path, ("*.npy",), 10_000)


def test_a_pipe_in_the_place_of_an_archive_does_not_wait(tmp_path):
    os.mkfifo(tmp_path / "a.zip")
    with pytest.raises(CorruptFileError, match="a pipe"):
        read_members(tmp_path / "a.zip", ("*",), 100)
