"""Names that come from files are names, never paths: one place decides what they may lead to.

Manifests, journals, logs, receipts and databases lie in folders that people copy from elsewhere. What they call a file
must be a file of the folder that they are about, whatever they say; and what this program writes, moves and deletes
there must be there, wherever links lead.
"""

import re
from collections.abc import Collection
from pathlib import Path

from core.errors import CorruptFileError

_HINT = "this file was damaged, or made to harm: do not use it; move it away"
_SEPARATORS = re.compile(r"[/\\]")
_PLAIN = re.compile(r"[^./\\:\0][^/\\:\0]*")
_DRIVE = re.compile(r"[A-Za-z]:[/\\]")


def is_name(name: object) -> bool:
    """Whether this is a text that names a file or folder directly in a folder, here and on other systems.

    A backslash is a character like any other here; what would lead out of a folder elsewhere is refused all the same.
    """
    if isinstance(name, str) and _PLAIN.fullmatch(name):  # nearly all, and quick
        return True
    if not isinstance(name, str) or not name or "/" in name or "\0" in name:
        return False
    parts = _SEPARATORS.split(name)
    return parts[0] != "" and "." not in parts[:1] and ".." not in parts and not _DRIVE.match(name)


def child(folder: Path, name: object, where: object) -> Path:
    """The file or folder called ``name`` directly in ``folder``. where: the file that says so, for the message.

    Raises:
        CorruptFileError: it is no name, see :func:`is_name`.
    """
    if not is_name(name):
        raise _outside(name, where)
    return folder / str(name)


def descendant(folder: Path, path: object, where: object, roots: Collection[str], links: Collection[str] = ()) -> Path:
    """The file called ``path``, names with slashes between, below ``folder`` in one of its folders ``roots``.

    No folder on the way may be a symbolic link, which could lead anywhere.

    links: of ``roots``, those that may be links: a person may have moved them to a larger disk.

    Raises:
        CorruptFileError: one of the names is none, the first is not one of ``roots``, or there is a link on the way.
    """
    names = path.split("/") if isinstance(path, str) else [""]
    if len(names) < 2 or names[0] not in roots:
        raise _outside(path, where)
    place = folder
    for name in names[:-1]:
        allowed = place == folder and name in links
        place = child(place, name, where)
        if place.is_symlink() and not allowed:
            raise _outside(path, where)
    return child(place, names[-1], where)


def own_folder(folder: Path, *below: str) -> Path:
    """``folder``, or the one ``below`` it, made where it is missing.

    It and those on the way to it are folders that only this program makes and fills, so never links.

    Raises:
        CorruptFileError: there is a link, or something else than a folder, in the place of one of them.
    """
    for name in below:
        folder = own_folder(folder) / name
    if folder.is_symlink() or (folder.exists() and not folder.is_dir()):
        raise CorruptFileError(
            "something else in the place of a folder of this program",
            where=folder,
            why="it is a link" if folder.is_symlink() else "it is not a folder",
            hint="what it leads to is not touched; it was made by hand, or to harm: move it away",
        )
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def is_real_folder(path: Path) -> bool:
    """Whether it is a folder and no link to one."""
    return path.is_dir() and not path.is_symlink()


def _outside(path: object, where: object) -> CorruptFileError:
    return CorruptFileError(
        "a file name leads out of its folder", where=str(where), why=f"it names {str(path)[:200]!r}", hint=_HINT
    )
