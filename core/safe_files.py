"""Reading files that came from elsewhere: regular files only, of a bounded size, every failure a typed error.

A device never ends, a pipe waits for ever; a name in a folder that somebody sent may lead to either.
"""

import json
import os
import stat
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from core.errors import CorruptFileError, from_os_error

# Bytes: of settings, records and logs; of a picture or a network.
SMALL, LARGE = 16_000_000, 1 << 31
_TOML, _MOST_DOTS = 1_000_000, 200
# Nothing that we read is nested deeper; what is could not even be printed in a message.
_DEEPEST = 64


@contextmanager
def opened(path: Path, most: int = LARGE) -> Iterator[IO[bytes]]:
    """A regular file, open for reading. most: bytes that it may have.

    Raises:
        InputError: no such file.
        CorruptFileError: it is a folder, a pipe or a device, or too large.
        EnvironmentFault: the operating system refused.
    """
    try:
        # Asked before it is opened, which some devices take for an order; a pipe that comes in between does not wait.
        _require_regular(path, os.stat(path), most)
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except (OSError, ValueError) as error:
        raise _refused(path, error) from None
    with open(descriptor, "rb") as stream:
        _require_regular(path, os.fstat(descriptor), most)
        yield stream


def read_bytes(path: Path, most: int = LARGE) -> bytes:
    """The bytes of a regular file. Raises as :func:`opened`."""
    with opened(path, most) as stream:
        try:
            data = stream.read(most + 1)
        except OSError as error:
            raise _refused(path, error) from None
    if len(data) > most:  # it grew meanwhile, or is one of those of /proc that say 0
        raise _too_large(path, len(data), most)
    return data


def read_text(path: Path, most: int = SMALL) -> str:
    """The text of a file in UTF-8. Raises as :func:`opened`, and CorruptFileError for what is no text."""
    try:
        return read_bytes(path, most).decode()
    except UnicodeDecodeError as error:
        raise damaged("not a text file", path, error) from None


def read_json(path: Path, what: str, most: int = SMALL) -> Any:
    """The value in a JSON file. what: "damaged ...", for the error. Raises as :func:`opened`, and CorruptFileError."""
    try:
        return _shallow(json.loads(read_bytes(path, most)))
    except (ValueError, RecursionError) as error:
        raise damaged(what, path, error) from None


def read_object(path: Path, what: str, most: int = SMALL) -> dict[str, Any]:
    """The object in a JSON file. Raises as :func:`read_json`."""
    value = read_json(path, what, most)
    if not isinstance(value, dict):
        raise damaged(what, path, ValueError("it holds no names with values"))
    return value


def read_toml(path: Path, what: str) -> dict[str, Any]:
    """The table in a TOML file. Raises as :func:`read_json`."""
    try:
        text = read_text(path, _TOML)
        # A name of so many parts takes the parser time and memory by their square; it cannot go on to another line.
        if any(line.count(".") > _MOST_DOTS for line in text.splitlines()):
            raise ValueError("a line with very many dots")
        return _shallow(tomllib.loads(text))
    except (ValueError, RecursionError) as error:
        raise damaged(what, path, error) from None


def damaged(what: str, path: Path, error: BaseException, hint: str = "") -> CorruptFileError:
    """The typed error for a file whose content is not what it should be."""
    said = str(error)[:200]
    why = said if isinstance(error, ValueError) else f"{type(error).__name__}: {said}"
    return CorruptFileError(what, where=path, why=why, hint=hint)


def _shallow(value: Any) -> Any:
    """The value itself. Raises ValueError when it is nested too deep."""
    level = [value]
    for _ in range(_DEEPEST):
        children = [
            list(item.values()) if isinstance(item, dict) else item for item in level if isinstance(item, (dict, list))
        ]
        if not children:
            return value
        level = [item for items in children for item in items]
    raise ValueError(f"nested more than {_DEEPEST} deep")


def _require_regular(path: Path, status: os.stat_result, most: int) -> None:
    if not stat.S_ISREG(status.st_mode):
        kind = "a folder" if stat.S_ISDIR(status.st_mode) else "a pipe or a device"
        raise CorruptFileError("not a file", where=path, why=f"it is {kind}", hint="give the name of a regular file")
    if status.st_size > most:
        raise _too_large(path, status.st_size, most)


def _too_large(path: Path, size: int, most: int) -> CorruptFileError:
    return CorruptFileError("a file too large to read", where=path, why=f"{size:,} bytes, at most {most:,} are read")


def _refused(path: Path, error: OSError | ValueError) -> Exception:
    """ValueError: a NUL in the name."""
    return from_os_error(error) if isinstance(error, OSError) else damaged("no such file", path, error)
