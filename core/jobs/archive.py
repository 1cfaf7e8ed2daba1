"""Earlier films of a side: the film, its frames and faces, and all decisions about them, put away as a whole.

They are moved within the workspace, into ``data_src.archive``; nothing is copied or deleted, and bringing one back puts
away what is there. What is to move is written down first: a run that was killed is completed by the next one.
"""

import json
import os
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from core import fsio
from core.errors import CorruptFileError, InputError
from core.faceset.database import extraction
from core.faceset.database.connection import is_old, open_database
from core.jobs.frame_receipt import identity, read_receipt
from core.jobs.merge import cue_file, cues
from core.jobs.side import locked_side
from core.safe_files import read_object
from core.safe_paths import child, is_real_folder, own_folder
from core.video.find import look_beside
from core.workspace import Side, Workspace, image_names, list_frames

_RECORD = "archive.json"
_CUES = (cues.FILE, f"{cues.FILE}{cue_file.BEFORE}")
AWAY, BACK = "away", "back"
NEWEST = "newest"


@dataclass(frozen=True)
class Archived:
    """An earlier film of a side.

    name: of its folder, the time at which it was put away. video: file name of the film; empty where nobody knows.
    frames, faces: how many there are as files. packed: whether there is a packed faceset. parts: names of what was
    moved. moving: ``away`` or ``back`` while that is under way.
    """

    name: str
    video: str = ""
    frames: int = 0
    faces: int = 0
    packed: bool = False
    parts: tuple[str, ...] = ()
    moving: str = ""


@dataclass(frozen=True)
class BroughtBack:
    """An earlier film that is the film of its side again. put_away: what was there until then, None for nothing."""

    archived: Archived
    put_away: Archived | None


def archive_folder(side: Side) -> Path:
    """Where the earlier films of a side are."""
    return side.workspace.root / f"{side.frames.name}.archive"


def archives(side: Side) -> tuple[Archived, ...]:
    """The earlier films of a side, the newest first; folders whose record is damaged are left out."""
    found = []
    for path in sorted(archive_folder(side).glob(f"*/{_RECORD}"), reverse=True):
        try:
            found.append(_read(path))
        except (InputError, CorruptFileError):
            continue
    return tuple(found)


def archive(workspace: Workspace, name: str) -> Archived:
    """Put away everything of a side: film, frames, faces, database. The side is empty then.

    Raises:
        InputError: there is nothing, or another run holds the side.
    """
    with _alone(workspace, name) as side:
        done = _put_away(side, _everything(side))
        if done is None:
            raise InputError("there is nothing to put away", where=side.frames)
        return done


def bring_back(workspace: Workspace, name: str, which: str) -> BroughtBack:
    """Make an earlier film the film of its side again. which: its name, or ``newest``.

    Raises:
        InputError: there is no such one, or another run holds the side.
    """
    with _alone(workspace, name) as side:
        known = archives(side)
        wanted = next((one for one in known if which in (one.name, NEWEST)), None)
        if wanted is None:
            there = ", ".join(one.name for one in known)
            raise InputError(
                "no earlier film of this name",
                where=archive_folder(side) / which,
                hint=f"there are {there}" if there else "none was put away yet",
            )
        put_away = _put_away(side, _everything(side))
        _remove_empty(side.frames)
        wanted = replace(wanted, moving=BACK)
        _write(side, wanted)
        _complete(side, wanted)
        return BroughtBack(wanted, put_away)


def put_away_earlier(side: Side) -> Archived | None:
    """Put away what was made from another film than the one that is there, with that other film where it is there, too.

    The lock of the side is held. Returns None where all is of this film, or there is no film, or nothing else.
    """
    known = _film_of(side)
    films = look_beside(side).films
    new = [film for film in films if identity(film) != known]
    if not new or not _has_files(side.frames):
        return None
    old = [film.name for film in films if film not in new]
    return _put_away(side, [*old, side.frames.name, *_cues_of(side)])


def newcomer(side: Side) -> Path | None:
    """The film that is surely another one than the frames, or faces, that are there were made from.

    A film of the same size may be the same one, copied: nothing is said of it.
    """
    known = _film_of(side)
    if known is None:
        return None
    new = [film for film in look_beside(side).films if film.stat().st_size != known.get("size")]
    return new[0] if len(new) == 1 else None


def complete(side: Side) -> None:
    """Complete what a killed run has left half moved. The lock of the side is held."""
    for one in archives(side):
        if one.moving:
            _complete(side, one)


@contextmanager
def _alone(workspace: Workspace, name: str) -> Iterator[Side]:
    with locked_side(workspace, name) as side:
        complete(side)
        yield side


def _film_of(side: Side) -> dict[str, Any] | None:
    """What tells the film that the frames, else the faces, were made from; None where nobody knows."""
    folders = [side.frames, *filter(is_real_folder, side.frames.glob(".frames.*.partial"))]
    receipts = [receipt for folder in folders if (receipt := read_receipt(folder))]
    if receipts:
        return receipts[0].video
    if not side.database.is_file() or is_old(side.database):
        return None
    with open_database(side.database) as connection:
        source = extraction.read_settings(connection).get("source")
    film = source.get("video") if isinstance(source, dict) else None
    return film if isinstance(film, dict) else None


def _everything(side: Side) -> list[str]:
    frames = [side.frames.name] if _has_files(side.frames) else []
    return [*(path.name for path in side.namesakes()), *frames, *_cues_of(side)]


def _cues_of(side: Side) -> tuple[str, ...]:
    """Files beside the folder that are about the shots and persons of the film."""
    return _CUES if side.name == "dst" else ()


def _put_away(side: Side, names: Iterable[str]) -> Archived | None:
    root = side.workspace.root
    parts = tuple(name for name in names if os.path.lexists(root / name))
    if not parts:
        return None
    for name in parts:
        _require_movable(root / name)
    film = next((name for name in parts if name.startswith(f"{side.frames.name}.")), "")
    made = Archived(
        name=_new_name(side),
        video=str((_film_of(side) or {}).get("name", film)),
        frames=len(list_frames(side.frames)),
        faces=len(image_names(side.aligned)),
        packed=side.pak.exists(),
        parts=parts,
        moving=AWAY,
    )
    own_folder(archive_folder(side), made.name)
    _write(side, made)
    _complete(side, made)
    return replace(made, moving="")


def _complete(side: Side, one: Archived) -> None:
    folder, root = archive_folder(side) / one.name, side.workspace.root
    here, there = (root, folder) if one.moving == AWAY else (folder, root)
    for name in one.parts:
        source, target = here / name, there / name
        # What is there has been moved already; a part of the same name where it came from is new.
        if not os.path.lexists(source) or (one.moving == AWAY and os.path.lexists(target)):
            continue
        _remove_empty(target)
        if os.path.lexists(target):
            raise InputError("something is in the way", where=target, hint="move it away and run it again")
        source.rename(target)
    fsio.fsync_dir(root)
    if one.moving == AWAY:
        side.aligned.mkdir(parents=True, exist_ok=True)
        _write(side, replace(one, moving=""))
    else:
        (folder / _RECORD).unlink()
        _remove_empty(archive_folder(side))


def _require_movable(path: Path) -> None:
    """Refuse what renaming would break, or cannot move."""
    relative = path.is_symlink() and not os.path.isabs(os.readlink(path))
    if relative or path.is_mount():
        what = "a relative link" if relative else "a disk is mounted there"
        raise InputError(
            "this cannot be moved", where=path, why=f"it is {what}" if relative else what, hint="move it by hand"
        )


def _new_name(side: Side) -> str:
    stamp = time.strftime("%Y%m%d-%H%M%S")
    taken = {path.name for path in archive_folder(side).glob("*")}
    number = next(number for number in range(len(taken) + 1) if _numbered(stamp, number) not in taken)
    return _numbered(stamp, number)


def _numbered(stamp: str, number: int) -> str:
    return f"{stamp}.{number}" if number else stamp


def _has_files(folder: Path) -> bool:
    return any(path.is_symlink() or path.is_file() for path in folder.rglob("*"))


def _remove_empty(folder: Path) -> None:
    """Remove a folder that holds nothing but folders."""
    if not is_real_folder(folder) or _has_files(folder):
        return
    for path in sorted(folder.rglob("*"), reverse=True):
        path.rmdir()
    folder.rmdir()


def _write(side: Side, one: Archived) -> None:
    values = {name: value for name, value in asdict(one).items() if name != "name"}
    fsio.write_text(archive_folder(side) / one.name / _RECORD, json.dumps(values))


def _read(path: Path) -> Archived:
    said = read_object(path, "damaged record of an earlier film")
    parts = said.get("parts")
    frames, faces = said.get("frames"), said.get("faces")
    if not isinstance(parts, list) or not isinstance(frames, int) or not isinstance(faces, int):
        raise CorruptFileError("damaged record of an earlier film", where=path)
    for name in parts:
        child(path.parent, name, path)
    return Archived(
        name=path.parent.name,
        video=str(said.get("video", "")),
        frames=frames,
        faces=faces,
        packed=bool(said.get("packed")),
        parts=tuple(parts),
        moving=said["moving"] if said.get("moving") in (AWAY, BACK) else "",
    )
