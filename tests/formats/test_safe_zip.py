"""Archives made by strangers."""

import stat
import zipfile
from pathlib import Path

import pytest

from core.errors import CorruptFileError, InputError
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
