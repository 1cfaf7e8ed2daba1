"""Which file of a side is its film. The content decides, for downloads and projects leave much beside it."""

import logging
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from core.errors import CorruptFileError, InputError
from core.video.probe import first_frames, opened, video_streams
from core.workspace import Side

log = logging.getLogger(__name__)
_ENDINGS = (
    *(".3g2", ".3gp", ".amv", ".asf", ".avi", ".dav", ".divx", ".dv", ".f4v", ".flv", ".gif", ".h264", ".h265"),
    *(".hevc", ".ivf", ".m2ts", ".m4v", ".mjpg", ".mkv", ".mod", ".mov", ".mp4", ".mpeg", ".mpg", ".mts", ".mxf"),
    *(".nut", ".ogm", ".ogv", ".qt", ".rm", ".rmvb", ".tod", ".ts", ".vob", ".webm", ".wmv", ".wtv", ".xvid", ".y4m"),
)
_UNFINISHED = (".part", ".tmp", ".partial", ".crdownload", ".download", ".opdownload", ".ytdl", ".!qb", ".aria2")
# FFmpeg draws text as a film, and follows lists to other files.
_TEXTS = frozenset({"tty", "bin", "xbin", "adf", "idf", "ffmetadata"})
_LISTS = frozenset({"concat", "concatf", "hls", "dash", "sdp", "imf"})
_PICTURES = frozenset({"image2", "image2pipe", "ico"})
_PICTURE_BRANDS = frozenset({"avif", "heic", "heix", "mif1"})


@dataclass(frozen=True)
class Beside:
    """The files that are called after a side.

    films: those that are films, or should be by their ending and cannot be read.
    others: (name, what it is) of the rest.
    """

    films: tuple[Path, ...]
    others: tuple[tuple[str, str], ...]


def look_beside(side: Side) -> Beside:
    """Sort out the files ``data_src.*`` of a side."""
    films, others = [], []
    for path in side.namesakes():
        kind = "" if path.stem.lower() == side.frames.name else f"its name is not {side.frames.name}.ENDING"
        kind = kind or what_it_is(path)
        if kind:
            others.append((path.name, kind))
        else:
            films.append(path)
    return Beside(tuple(films), tuple(others))


def find_film(side: Side) -> Path:
    """The one film of a side; the other files beside it are named in the log.

    Raises:
        InputError: there is none, or more than one.
    """
    beside = look_beside(side)
    listed = ", ".join(f"{name} ({kind})" for name, kind in beside.others)
    pattern = side.workspace.root / f"{side.frames.name}.*"
    if not beside.films:
        example = side.frames.with_suffix(".mp4")
        raise InputError(
            "no video",
            where=pattern,
            why=f"there is no video among {listed}" if listed else "",
            hint=f"copy your {side.name} video to {example} (any container will do)",
        )
    if len(beside.films) > 1:
        names = ", ".join(path.name for path in beside.films)
        raise InputError(
            "more than one video",
            where=pattern,
            why=f"found {names}",
            hint="keep one of them there and move the others away; where frames of one of them are there, steps 1 "
            "and 2 with --archive put that one away",
        )
    if listed:
        log.info("left out beside %s: %s", beside.films[0].name, listed)
    return beside.films[0]


def what_it_is(path: Path) -> str:
    """What a file is that is no film; empty for a film, and for one that should be by its ending and cannot be read."""
    ending = path.suffix.lower()
    if ending in _UNFINISHED:
        return "a download that is not finished"
    expected = ending in _ENDINGS
    try:
        with opened(path) as container:
            return _kind(container, expected=expected)
    except (CorruptFileError, OSError):
        return "" if expected else "not a video"


def _kind(container: Any, *, expected: bool) -> str:
    name = container.format.name
    if name in _TEXTS:
        return "text"
    if name in _LISTS:
        return "a list of other files"
    if name in _PICTURES or name.endswith("_pipe") or container.metadata.get("major_brand") in _PICTURE_BRANDS:
        return "a picture"
    streams = video_streams(container)
    if not streams:
        return "sound" if container.streams.audio else "subtitles" if container.streams.subtitles else "not a video"
    if name == "gif":
        return "" if len(list(islice(first_frames(container, streams[0]), 2))) > 1 else "a picture"
    if expected or any(True for _ in first_frames(container, streams[0])):
        return ""
    return "not a video"
