"""Names of frames here and in faceswap's files, which name a film's frames ``holiday_000012.mp4``."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from pathlib import PurePath

from core.faceset.database.frames import frame_number
from core.formats.faceswap.migrate import split_video_key, video_key
from core.safe_paths import is_name

_DIGITS = 5


@dataclass(frozen=True)
class FrameNames:
    """How frames of a file are called here.

    names: key of the file -> name here. film: file name of the film that the keys are of; empty where they are names of
    pictures. refused: keys that name no file.
    """

    names: dict[str, str]
    film: str
    refused: tuple[str, ...]


def names_here(keys: Iterable[str], known: Collection[str]) -> FrameNames:
    """The names of the frames with these keys.

    A key that is a frame of ours keeps its name. The keys of one film go by number, where the frames here have numbers
    for names or where there are none; what is left are frames that nobody has seen yet.

    known: names of our frames.
    """
    keys = list(keys)
    sound = [key for key in keys if is_name(key)]
    refused = tuple(key for key in keys if not is_name(key))
    ours = set(known)
    film = "" if ours & set(sound) else _film_of(sound)
    numbered = {number: name for name in ours if (number := _plain_number(name)) is not None}
    if not film or (ours and not numbered):
        return FrameNames({key: key for key in sound}, "", refused)
    names = {}
    for key in sound:
        found = split_video_key(key)
        number = found[1] if found else 0
        names[key] = numbered.get(number, f"{number:0{_DIGITS}d}.png")
    return FrameNames(names, film, refused)


def key_of(name: str, film: str) -> str:
    """The key of a frame in faceswap's file.

    film: file name of the film that the frames are of, as faceswap knows it; empty where they are pictures.
    """
    number = _plain_number(name)
    path = PurePath(film)
    return name if not film or number is None else video_key(path.stem, number, path.suffix)


def _film_of(keys: list[str]) -> str:
    """The file name of the one film that all these keys are of; empty where there is none."""
    films = {found and (found[0], found[2]) for found in map(split_video_key, keys)}
    if len(films) != 1:
        return ""
    (found,) = films
    return "".join(found) if found else ""


def _plain_number(name: str) -> int | None:
    """The number of a frame whose name is nothing else."""
    stem = PurePath(name).stem
    return frame_number(name) if stem.isascii() and stem.isdigit() else None
