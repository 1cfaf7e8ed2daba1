"""Where the files of each face are: the one table that renaming, sorting, trashing and packing change."""

import sqlite3
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, fields
from typing import Any, NamedTuple

from core.faceset.database.cells import NAME, TEXT, WHOLE, checked_columns, checked_name, checked_rows, restored, stored

# Folders, relative to the side. Inside a pak a name is ``person/name`` where the pak has persons.
ALIGNED, PAK = "aligned", "aligned/faceset.pak"


@dataclass(frozen=True)
class ImageRow:
    """A file that shows a face.

    face: id of the face.
    folder: where it is, relative to the side; ``aligned/faceset.pak`` when it is packed. name: as it is now.
    extracted_name: as it was extracted, or first seen.
    face_type: such as ``whole_face``. size: pixels.
    image_digest: SHA-256 of the compressed image alone as extracted, which no stage of ours changes but resizing; or
        empty.
    sha256: of the file when its size was ``bytes`` and its time ``mtime_ns``; empty and 0 where nobody has looked.
    geometry: of the points that it was rendered from.
    """

    face: str
    folder: str
    name: str
    extracted_name: str
    face_type: str
    size: int
    image_digest: str
    sha256: str
    bytes: int
    mtime_ns: int
    geometry: str


_NAMES = tuple(column.name for column in fields(ImageRow))
_FILE_NAMES = ("name", "extracted_name")
_NUMBERS = ("size", "bytes", "mtime_ns")
_KINDS = [NAME if name in _FILE_NAMES else WHOLE if name in _NUMBERS else TEXT for name in _NAMES]
_COLUMNS = ", ".join(_NAMES)
_PLACES = ", ".join(f":{name}" for name in _NAMES)


def add_image(connection: sqlite3.Connection, row: ImageRow) -> None:
    """Insert a row, or replace the one with its folder and name."""
    values = {name: getattr(row, name) for name in _NAMES}
    values |= {name: stored(values[name]) for name in _FILE_NAMES}
    connection.execute(f"INSERT OR REPLACE INTO images ({_COLUMNS}) VALUES ({_PLACES})", values)


def images(connection: sqlite3.Connection, folder: str = ALIGNED) -> Iterator[ImageRow]:
    """The files in a folder, by name."""
    query = f"SELECT {_COLUMNS} FROM images WHERE folder = ? ORDER BY name"
    for values in checked_rows(connection.execute(query, (folder,)), _KINDS, "images"):
        yield _row(values)


class SeenFiles(NamedTuple):
    """Files by name. face: that each shows. state: size and time that tell whether it is the one that was seen."""

    face: dict[str, str]
    state: dict[str, tuple[int, int]]


def seen_files(connection: sqlite3.Connection, there: Collection[str]) -> SeenFiles:
    """The files in ``aligned``: of many far quicker than their whole rows.

    there: names that are known to be some, such as those in the folder, for which a set is quick.
    """
    # With +, without the index: most files are in this folder, and reading all in their order is quicker.
    rows = connection.execute("SELECT name, face, bytes, mtime_ns FROM images WHERE +folder = ?", (ALIGNED,))
    stored_names, shown, sizes, times = checked_columns(rows, (NAME, TEXT, WHOLE, WHOLE), "images")
    names = list(map(restored, stored_names))
    for name in set(names).difference(there):
        checked_name(name, "images")
    states = zip(sizes, times, strict=True)
    return SeenFiles(dict(zip(names, shown, strict=True)), dict(zip(names, states, strict=True)))


class NamedFile(NamedTuple):
    """What a file is called and was called; see ``ImageRow``."""

    face: str
    name: str
    extracted_name: str


def named_files(connection: sqlite3.Connection, folder: str) -> Iterator[NamedFile]:
    """The names of the files in a folder, in the order of those that they have now."""
    query = "SELECT face, name, extracted_name FROM images WHERE folder = ? ORDER BY name"
    for face, stored_name, extracted_name in checked_rows(
        connection.execute(query, (folder,)), (TEXT, NAME, NAME), "images"
    ):
        name = checked_name(restored(stored_name), "images", levels=_levels(folder))
        yield NamedFile(face, name, restored(extracted_name))


def names_of_faces(connection: sqlite3.Connection, folder: str) -> dict[str, str]:
    """Face -> name of its file in a folder. It may be anything: whoever opens the file looks for it in the folder."""
    rows = connection.execute("SELECT face, name FROM images WHERE folder = ?", (folder,))
    return {face: restored(name) for face, name in checked_rows(rows, (TEXT, NAME), "images")}


def images_by_folder(connection: sqlite3.Connection) -> dict[str, list[ImageRow]]:
    """All files, by folder."""
    found: dict[str, list[ImageRow]] = {}
    rows = connection.execute(f"SELECT {_COLUMNS} FROM images ORDER BY folder, name")
    for values in checked_rows(rows, _KINDS, "images"):
        row = _row(values)
        found.setdefault(row.folder, []).append(row)
    return found


def count_stale(connection: sqlite3.Connection) -> int:
    """How many face files, loose or packed, do not show their face as it is now."""
    query = """
    SELECT COUNT(*) FROM images JOIN faces ON faces.face = images.face
    WHERE images.folder IN (?, ?) AND faces.geometry <> images.geometry
    """
    return int(connection.execute(query, (ALIGNED, PAK)).fetchone()[0])


def move_images(connection: sqlite3.Connection, pairs: Iterable[tuple[str, str]], step: str) -> None:
    """Note that files were moved, all at once: (old path, new path) relative to the side. A step is noted once.

    step: names the step; the same one again changes nothing, so that it may be repeated after a crash.
    """
    if _noted(connection) == step:
        return
    ids = dict(_paths(connection))
    moved = {ids[old]: new for old, new in pairs if old in ids}
    with connection:
        places = [(folder, stored(name)) for folder, _, name in map(_split, moved.values())]
        if not ids.keys().isdisjoint(moved.values()):
            # Names may be exchanged: all leave their places before any arrives.
            away = "UPDATE images SET folder = 'moving', name = CAST(image AS TEXT) WHERE image = ?"
            connection.executemany(away, [(image,) for image in moved])
            connection.executemany("DELETE FROM images WHERE folder = ? AND name = ?", places)
        arrive = "UPDATE images SET folder = ?, name = ? WHERE image = ?"
        connection.executemany(arrive, [(*place, image) for place, image in zip(places, moved, strict=True)])
        connection.execute("INSERT OR REPLACE INTO state VALUES ('journal', ?)", (step,))


def forget_images(connection: sqlite3.Connection, folder: str, names: Iterable[str] | None = None) -> None:
    """Forget files of a folder that are gone for good; all of them when no names are given. The faces stay."""
    with connection:
        if names is None:
            connection.execute("DELETE FROM images WHERE folder = ?", (folder,))
        else:
            rows = [(folder, stored(name)) for name in names]
            connection.executemany("DELETE FROM images WHERE folder = ? AND name = ?", rows)


def note_contents(connection: sqlite3.Connection, folder: str, seen: Mapping[str, tuple[str, int, int]]) -> None:
    """Note what was seen of files: name -> (sha256, bytes, mtime_ns)."""
    with connection:
        rows = [(*content, folder, stored(name)) for name, content in seen.items()]
        query = "UPDATE images SET sha256 = ?, bytes = ?, mtime_ns = ? WHERE folder = ? AND name = ?"
        connection.executemany(query, rows)


def _row(values: tuple) -> ImageRow:
    face, folder, name, extracted_name, *rest = values
    name = checked_name(restored(name), "images", levels=_levels(folder))
    return ImageRow(face, folder, name, restored(extracted_name), *rest)


def _levels(folder: str) -> int:
    """Of names in a folder: those in a pak may have a slash."""
    return 2 if folder == PAK else 1


def _noted(connection: sqlite3.Connection) -> str:
    row = connection.execute("SELECT value FROM state WHERE key = 'journal'").fetchone()
    return "" if row is None else row[0]


def _paths(connection: sqlite3.Connection) -> Iterator[tuple[str, Any]]:
    for image, folder, name in connection.execute("SELECT image, folder, name FROM images"):
        yield f"{folder}/{restored(name)}", image


def _split(path: str) -> tuple[str, str, str]:
    """(folder, separator, name); a name inside a pak may have a slash of its own."""
    if path.startswith(f"{PAK}/"):
        return PAK, "/", path[len(PAK) + 1 :]
    return path.rpartition("/")
