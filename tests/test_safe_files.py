"""Files from elsewhere: regular, bounded, and every fault typed."""

import json
import os
import time
from pathlib import Path

import pytest

from core import safe_files
from core.errors import CorruptFileError, InputError

READERS = [
    safe_files.read_bytes,
    safe_files.read_text,
    lambda path: safe_files.read_json(path, "damaged"),
    lambda path: safe_files.read_object(path, "damaged"),
    lambda path: safe_files.read_toml(path, "damaged"),
]


@pytest.mark.parametrize("read", READERS)
def test_only_regular_files_are_read(read, tmp_path):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to("/dev/zero")
    started = time.monotonic()
    for path in (tmp_path, tmp_path / "pipe", tmp_path / "link", Path("/dev/zero"), Path("/dev/tty")):
        with pytest.raises(CorruptFileError, match="not a file"):
            read(path)
    for path in (tmp_path / "absent", tmp_path / "dangling"):
        with pytest.raises(InputError, match="no such file"):
            read(path)
    with pytest.raises(CorruptFileError):
        read(Path("a\0b"))
    assert time.monotonic() - started < 1


def test_size_is_bounded(tmp_path):
    path = tmp_path / "a"
    path.write_bytes(bytes(100))
    assert safe_files.read_bytes(path, 100) == bytes(100)
    with pytest.raises(CorruptFileError, match="at most 99 are read"):
        safe_files.read_bytes(path, 99)
    # Files of the kernel say that they are empty.
    with pytest.raises(CorruptFileError, match="too large"):
        safe_files.read_bytes(Path("/proc/self/environ"), 1)


def test_json(tmp_path):
    path = tmp_path / "a.json"
    path.write_text('{"a": [1, {"b": null}]}')
    assert safe_files.read_object(path, "damaged") == {"a": [1, {"b": None}]}
    for text in (
        "",
        "{",
        "[1, 2",
        '{"a": 1e}',
        "\ud800".encode("utf-16", "surrogatepass"),
        b"\xff\xfe\x00",
        "9" * 5000,
    ):
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        with pytest.raises(CorruptFileError, match="damaged list"):
            safe_files.read_json(path, "damaged list")
    for value in ([], 1, None, "text"):
        path.write_text(json.dumps(value))
        assert safe_files.read_json(path, "damaged") == value
        with pytest.raises(CorruptFileError, match="no names with values"):
            safe_files.read_object(path, "damaged")


@pytest.mark.parametrize("depth", [70, 900, 100_000])
def test_deep_nesting_is_refused(depth, tmp_path):
    path = tmp_path / "a"
    path.write_text("[" * depth + "]" * depth)
    with pytest.raises(CorruptFileError):
        safe_files.read_json(path, "damaged")
    path.write_text("a = " + "[" * depth + "]" * depth)
    with pytest.raises(CorruptFileError):
        safe_files.read_toml(path, "damaged")
    path.write_text(".".join(["a"] * depth) + " = 1")
    with pytest.raises(CorruptFileError):
        safe_files.read_toml(path, "damaged")


def test_toml(tmp_path):
    path = tmp_path / "a.toml"
    path.write_text('a = 1\n[b]\nc = "d"\n')
    assert safe_files.read_toml(path, "damaged") == {"a": 1, "b": {"c": "d"}}
    for data in (b"a = ", b"\xff", b"a = 1\na = 2"):
        path.write_bytes(data)
        with pytest.raises(CorruptFileError):
            safe_files.read_toml(path, "damaged")
