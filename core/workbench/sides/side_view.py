"""A side as the screens see it: its faces, their pictures and its frames, kept in memory until they change."""

import hashlib
import os
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from core.errors import InputError
from core.faceset.database import extraction
from core.faceset.database.connection import open_database
from core.faceset.database.frames import frame_number
from core.faceset.database.images import PAK
from core.faceset.store import face_key
from core.formats.pak import PakReader
from core.imaging.codec import encode_jpeg, read_frame
from core.video.find import find_film, look_beside
from core.workbench.answers import Missing
from core.workbench.faces.columns import Found, with_found
from core.workbench.faces.rejected import without_rejected
from core.workbench.sides import small_film
from core.workbench.sides.film import Film
from core.workbench.sides.small_film import SmallFilm
from core.workbench.sides.table import FaceTable, Picture, hexadecimal, read_table, reread
from core.workbench.sides.thumbs import Shown, ThumbStore
from core.workspace import Side, list_frames

USUAL_FPS = 25.0
_QUALITY = 80
_THUMBS_AT_ONCE = 32
_QUIET = 1.0  # seconds
_JPEGS = 300  # of frames that are kept
_DECODING = threading.Semaphore(8)  # frames at a time
_CHANGE_COUNTER = slice(24, 28)  # of the header of an SQLite file


class SideView:
    """One side. Every method may be called from any thread."""

    def __init__(self, side: Side):
        self.side = side
        self.thumbs = ThumbStore(side.workspace.thumbs / f"{side.name}.db")
        self._asked = 0.0  # when somebody last wanted a frame
        self._lock = threading.Lock()
        self._table: tuple[str, FaceTable] | None = None
        self._found: tuple[Found, ...] = ()
        self._counted = 0
        self._changes = threading.Lock()
        self._in_change = False
        self._shown: tuple[str, FaceTable] | None = None
        # Columns that are made when they are asked for: (table, names) -> a table with more of them.
        self.more_columns: Callable[[FaceTable, Iterable[str]], FaceTable] = lambda table, names: table
        self._film: Film | None = None
        self._film_key = ""
        self._small_film = SmallFilm(side.workspace.thumbs / f"{side.name}_film.db")
        self._pak: tuple[tuple[int, int], PakReader, dict[str, int]] | None = None
        self._jpegs: OrderedDict[tuple[int, int, str], bytes] = OrderedDict()

    def revision(self) -> str:
        """Another one whenever anything in the database of the side has changed; empty where there is none."""
        try:
            with open(self.side.database, "rb") as stream:
                counter = stream.read(100)[_CHANGE_COUNTER]
                return f"{os.fstat(stream.fileno()).st_ino:x}-{int.from_bytes(counter):x}"
        except FileNotFoundError:
            return ""

    def table(self) -> tuple[str, FaceTable]:
        """(revision, all faces).

        Raises:
            InputError: there is no database yet.
        """
        with self._lock:
            revision = self.revision()
            if self._table is None or (self._table[0] != revision and not self._in_change):
                with open_database(self.side.database) as connection:
                    self._table = (revision, read_table(connection))
            revision, table = self._table
            state = f"{revision}-{self._counted}"
            if self._shown is None or self._shown[0] != state:
                self._shown = (state, without_rejected(with_found(table, self._found)))
            return revision, self._shown[1]

    @contextmanager
    def changing(self) -> Iterator[None]:
        """One change at a time, until its ``follow``: meanwhile ``table`` gives what it had, so that none reads all."""
        with self._changes:
            self._in_change = True
            try:
                yield
            finally:
                self._in_change = False

    def show_also(self, found: Iterable[Found]) -> None:
        """Give the table these columns, too, from now on."""
        with self._lock:
            self._found = tuple(found)
            self._counted += 1

    @property
    def state(self) -> str:
        """Another one whenever ``table`` gives something else."""
        return f"{self.revision()}-{self._counted}"

    def follow(self, before: str, change: int) -> str:
        """Take over a change that was just made, reading only its faces again; returns the new revision.

        before: the revision that it was made on. change: its number in the history.
        """
        with self._lock:
            revision = self.revision()
            if self._table is None or self._table[0] != before or revision == before:
                return revision
            with open_database(self.side.database) as connection:
                query = "SELECT DISTINCT face FROM edits WHERE change = ?"
                changed = [face for (face,) in connection.execute(query, (change,))]
                table = reread(self._table[1], connection, changed)
            self._table = None if table is None else (revision, table)
            return revision

    def faces(self, ids: Sequence[str]) -> dict[str, Shown]:
        """How to read the pictures of these faces; those that have none are left out."""
        _, table = self.table()
        pictures = {face: table.pictures[face] for face in ids if face in table.pictures}
        found = {}
        for face, picture in pictures.items():
            key = self._key(picture)
            if key:
                found[face] = Shown(key, partial(self._read, picture))
        return found

    def colors(self, table: FaceTable) -> NDArray[np.float32]:
        """(n,) mean colours, as of ``ThumbStore.colors``; NaN where there is no thumb yet."""
        found = self.thumbs.colors()
        return np.array([found.get(hexadecimal(face), np.nan) for face in table.ids], np.float32)

    def make_thumbs(self, pause: Callable[[], bool]) -> int:
        """Make all thumbs that are missing, some at a time; returns how many. pause: says whether to stop."""
        _, table = self.table()
        made = 0
        for start in range(0, len(table), _THUMBS_AT_ONCE):
            if pause():
                break
            made += self.thumbs.make(
                self.faces([hexadecimal(face) for face in table.ids[start : start + _THUMBS_AT_ONCE]])
            )
        return made

    def face(self, identity: str) -> tuple[str, bytes]:
        """(what changes with the contents, the file that shows a face). Raises Missing where there is none."""
        shown = self.faces([identity]).get(identity)
        if shown is None:
            raise Missing("this face has no picture", where=identity)
        return hashlib.sha256(shown.key.encode()).hexdigest()[:16], shown.read()

    def frame_names(self) -> tuple[str, ...]:
        """The frames that were looked at, in their natural order; before that, those in the folder."""
        if self.side.database.is_file():
            return self.table()[1].frame_names
        return tuple(path.name for path in list_frames(self.side.frames))

    def frame(self, number: int) -> NDArray[np.uint8]:
        """A frame as it was looked at: uint8 H x W x 3 BGR. number: its place among ``frame_names``, from 0."""
        name = self._frame_name(number)
        for path in self._loose(name):
            if path.is_file():
                return read_frame(path)
        place = frame_number(name)
        film = self._opened_film()
        if place is None or film is None:
            raise Missing("this frame is not there any more", where=name)
        return film.frame(place - 1)

    def frame_jpeg(self, number: int, width: int) -> tuple[str, bytes]:
        """(what changes with the contents, a JPEG). width: in pixels; 0 or more than it has: as it is."""
        self._asked = time.monotonic()
        tag = self.frame_tag(number)
        key = (number, width, tag)
        with self._lock:
            kept = self._jpegs.get(key)
        if kept is None and width == small_film.WIDTH:
            kept = self._small_frame(number)
        if kept is None:
            with _DECODING:
                image = self.frame(number)
            if 0 < width < image.shape[1]:
                height = max(1, round(image.shape[0] * width / image.shape[1]))
                image = np.asarray(cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA), np.uint8)
            kept = encode_jpeg(image, _QUALITY, "420")
            with self._lock:
                self._jpegs[key] = kept
                while len(self._jpegs) > _JPEGS:
                    self._jpegs.popitem(last=False)
        return f"{tag}-{width}", kept

    def _frame_name(self, number: int) -> str:
        names = self.frame_names()
        if not 0 <= number < len(names):
            raise Missing("there is no such frame", where=f"frame {number}", why=f"there are {len(names)}")
        return names[number]

    def make_small_film(self, pause: Callable[[], bool]) -> int:
        """Make small pictures of the film, where the frames come from one; returns how many. pause: as above."""
        film = self.film()
        if film is None:
            return 0

        def pause_while_asked() -> bool:
            """Whoever looks at frames now comes first."""
            stop = pause()
            while not stop and time.monotonic() - self._asked < _QUIET:
                stop = pause()
            return stop

        return self._small_film.make(_key_of(film.info.path), film.info.path, pause_while_asked)

    def film(self) -> Film | None:
        """The film that the frames come from; None where they are files of their own."""
        names = self.frame_names()
        if not names or any(map(Path.is_file, self._loose(names[0]))):
            return None
        return self._opened_film()

    def _small_frame(self, number: int) -> bytes | None:
        name = self._frame_name(number)
        place, film = frame_number(name), self._film
        if place is None or film is None or any(map(Path.is_file, self._loose(name))):
            return None
        return self._small_film.get(_key_of(film.info.path), place - 1)

    def fps(self) -> float:
        """Frames a second: of the database, or of the film."""
        with open_database(self.side.database) as connection:
            row = connection.execute("SELECT fps FROM sources WHERE fps > 0 ORDER BY source").fetchone()
        if row is not None:
            return float(row[0])
        film = self._opened_film()
        return float(film.info.rate) if film is not None else USUAL_FPS

    def frame_tag(self, number: int) -> str:
        """What changes with the contents of a frame."""
        name = self._frame_name(number)
        path = next(filter(Path.is_file, self._loose(name)), None)
        film = self._opened_film() if path is None else None
        if film is not None:
            path = film.info.path
        if path is None:
            raise Missing("this frame is not there any more", where=name)
        status = path.stat()
        text = f"{name} {path.name} {status.st_size} {status.st_mtime_ns}"
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def _loose(self, name: str) -> list[Path]:
        """Where a frame of this name may be: in the folder of the side, or in one that was named as a source."""
        places = [self.side.frames / name]
        if self.side.database.is_file():
            with open_database(self.side.database) as connection:
                named = [Path(source) for source in extraction.read_sources(connection)]
            # Frames of several sources begin with the name of theirs.
            places += [source / name.removeprefix(f"{source.stem}_") for source in named]
        return places

    def _opened_film(self) -> Film | None:
        with self._lock:
            if self._film is not None and _key_of(self._film.info.path) != self._film_key:
                self._film = None  # another film has come in its place
            if self._film is None and look_beside(self.side).films:
                self._film = Film(find_film(self.side))
                self._film_key = _key_of(self._film.info.path)
            return self._film

    def _key(self, picture: Picture) -> str:
        """What changes with the contents of a picture; empty where it is not there."""
        if picture.folder == PAK:
            pak = self._opened_pak()
            return f"pak {pak[0]} {picture.name}" if pak and picture.name in pak[2] else ""
        try:
            status = os.stat(self.side.frames / picture.folder / picture.name)
        except FileNotFoundError:
            return ""
        return f"{status.st_size} {status.st_mtime_ns}"

    def _read(self, picture: Picture) -> bytes:
        if picture.folder != PAK:
            return (self.side.frames / picture.folder / picture.name).read_bytes()
        pak = self._opened_pak()
        if pak is None or picture.name not in pak[2]:
            raise InputError("this face is not in the pak any more", where=picture.name)
        return bytes(pak[1].read(pak[2][picture.name]))

    def _opened_pak(self) -> tuple[tuple[int, int], PakReader, dict[str, int]] | None:
        with self._lock:
            try:
                status = self.side.pak.stat()
            except FileNotFoundError:
                return None
            stamp = (status.st_size, status.st_mtime_ns)
            if self._pak is None or self._pak[0] != stamp:
                reader = PakReader(self.side.pak)
                places = {face_key(record): place for place, record in enumerate(reader.records) if record is not None}
                self._pak = (stamp, reader, places)
            return self._pak


def _key_of(path: Path) -> str:
    """What changes with a film; empty where it is gone."""
    try:
        status = path.stat()
    except FileNotFoundError:
        return ""
    return f"{path.name} {status.st_size} {status.st_mtime_ns}"
