"""The parts of a film that is being written: packets of an encoder in files, each a run of frames encoded for itself.

A folder beside the new film holds them, until the film is whole. A killed run goes on behind the last whole part, and
because every part begins with an encoder of its own, the bytes are those of a run that nobody killed.

A file of a part is a packet after the other: when it is shown in ticks, how many bytes it has, whether it is a key
frame, its bytes. No container is asked to keep times and every codec.

Where each part says in its name what decided its frames, single parts of an earlier film may be kept, too.
"""

import json
import os
import re
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from core.errors import CorruptFileError, naming
from core.fsio import fsync_dir, write_text
from core.safe_paths import own_folder

_HEAD = struct.Struct("<qIB")
_NAME = re.compile(r"(\d{8})-(\d{8})(?:-([0-9a-f]+))?\.packets")
_RECORD = "plan.json"
_UNFINISHED = "unfinished"


@dataclass(frozen=True)
class Stored:
    """A packet of a part.

    pts: when it is shown, in ticks.
    key: whether decoding can begin there.
    data: its bytes.
    """

    pts: int
    key: bool
    data: bytes


class Parts:
    """The folder of the parts of one film.

    size: width and height of the frames; None before the first.
    """

    def __init__(self, folder: Path, wanted: dict[str, Any], digest: Callable[[int, int], str] | None = None):
        """wanted: what decides the bytes; parts that were made for something else are removed.
        digest: hexadecimal, of what else decides the frames from one to another; parts with another one are removed,
            and those that do not follow the first ones are kept.
        """
        self._digest = digest
        self.folder = own_folder(folder)
        self._wanted = json.loads(json.dumps(wanted))  # as it will be read back
        self._file: IO[bytes] | None = None
        self.size = self._known_size()
        if self.size is None:
            self.clear()
        self._unfinished.unlink(missing_ok=True)
        self._names = self._whole()

    def begin(self, size: tuple[int, int]) -> None:
        """Note the size of all frames, before the first part."""
        self.size = size
        write_text(self.folder / _RECORD, json.dumps({"wanted": self._wanted, "size": size}))

    def add(self, pts: int, key: bool, data: bytes) -> None:
        """Append a packet to the part that is being written."""
        with naming(self._unfinished):
            if self._file is None:
                self._file = open(self._unfinished, "xb")  # noqa: SIM115 - it stays open for the next packets
            self._file.write(_HEAD.pack(pts, len(data), key))
            self._file.write(data)

    def finish(self, last: int) -> None:
        """Make the part that was being written a whole one. last: number of its last frame."""
        if self._file is None:
            raise ValueError("a part without packets")
        with naming(self._unfinished), self._file as file:
            file.flush()
            os.fsync(file.fileno())
        self._file = None
        first = self.done + 1
        tag = f"-{self._digest(first, last)}" if self._digest else ""
        name = f"{first:08d}-{last:08d}{tag}.packets"
        self._unfinished.rename(self.folder / name)
        fsync_dir(self.folder)
        self._names[first] = (last, name)

    @property
    def done(self) -> int:
        """How many frames are in whole parts that follow each other from the first on."""
        return max((last for last, _ in self._chain()), default=0)

    @property
    def following(self) -> int | None:
        """The first frame of the next part that is kept behind the missing ones; None where there is none."""
        return min((first for first in self._names if first > self.done), default=None)

    @property
    def frames(self) -> int:
        """How many frames are in whole parts."""
        return sum(last - first + 1 for first, (last, _) in self._names.items())

    def close(self) -> None:
        """Let go of the part that is being written; what it holds is lost."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def packets(self) -> Iterator[Stored]:
        """All packets of whole parts, in the order of decoding.

        Raises:
            CorruptFileError: a part was damaged after it was written.
        """
        for _, name in self._chain():
            with open(self.folder / name, "rb") as file:
                while head := file.read(_HEAD.size):
                    yield self._packet(name, file, head)

    def times(self) -> list[int]:
        """When the packets are shown, in the order of decoding."""
        found = []
        for _, name in self._chain():
            with open(self.folder / name, "rb") as file:
                while len(head := file.read(_HEAD.size)) == _HEAD.size:
                    pts, length, _ = _HEAD.unpack(head)
                    found.append(pts)
                    file.seek(length, os.SEEK_CUR)
        return found

    def clear(self) -> None:
        """Delete the files of the parts, which only this program makes."""
        self.close()
        for path in list(self.folder.iterdir()):
            if path.name in (_RECORD, _UNFINISHED) or _NAME.fullmatch(path.name):
                path.unlink()

    @property
    def _unfinished(self) -> Path:
        return self.folder / _UNFINISHED

    def _packet(self, name: str, file: IO[bytes], head: bytes) -> Stored:
        if len(head) == _HEAD.size:
            pts, length, key = _HEAD.unpack(head)
            data = file.read(length)
            if len(data) == length:
                return Stored(pts, bool(key), data)
        raise CorruptFileError(
            "a part of the new film is damaged", where=self.folder / name, hint="move that folder away and run it again"
        )

    def _known_size(self) -> tuple[int, int] | None:
        """The size of the frames of parts that were made for the same; None where there are none."""
        try:
            known = json.loads((self.folder / _RECORD).read_text())
            width, height = known["size"]
        except (OSError, ValueError, KeyError, TypeError):
            return None
        return (int(width), int(height)) if known.get("wanted") == self._wanted else None

    def _whole(self) -> dict[int, tuple[int, str]]:
        """First frame of each part that is of use -> last frame, name."""
        names: dict[int, tuple[int, str]] = {}
        following = 1
        for found in map(_NAME.fullmatch, sorted(path.name for path in self.folder.iterdir())):
            if found is None:
                continue
            first, last = int(found[1]), int(found[2])
            wanted = self._digest(first, last) if self._digest else None
            if found[3] != wanted:
                (self.folder / found[0]).unlink()
            elif self._digest or first == following:
                names[first] = (last, found[0])
                following = last + 1
        return names

    def _chain(self) -> Iterator[tuple[int, str]]:
        """Last frame and name of the parts that follow each other from the first frame on."""
        last = 0
        while last + 1 in self._names:
            last, name = self._names[last + 1]
            yield last, name
