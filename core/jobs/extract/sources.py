"""The frames that a run looks at, by its settings: of the side itself, or of films and folders anywhere."""

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from core.errors import InputError
from core.faceset.database.frames import Source
from core.jobs.extract.frame_source import FrameSource, Pick, frames_of_film, frames_of_folder, joined
from core.jobs.extract.settings import ExtractSettings
from core.jobs.frame_receipt import Receipt, identity, read_receipt
from core.video.find import find_film
from core.workspace import Side

Known = Callable[[Path], int | None]


def frames_of(settings: ExtractSettings, side: Side, known: Known = lambda film: None) -> FrameSource:
    """All frames of a run. known: says how many frames a film has, when it was read to its end before.

    Raises:
        InputError: there are none, or a source is neither a film nor a folder.
    """
    pick = Pick(settings.every, settings.fps)
    if settings.sources:
        return joined([_named(side, path, pick, settings, prefix) for path, prefix in _prefixes(settings.sources)])
    if settings.from_video:
        return frames_of_film(find_film(side), pick, deinterlace=settings.deinterlace, known=known)
    return frames_of_folder(side.frames, pick)


def _named(side: Side, path: Path, pick: Pick, settings: ExtractSettings, prefix: str) -> FrameSource:
    if path.is_dir():
        source = frames_of_folder(path, pick, prefix)
    else:
        source = frames_of_film(path, pick, prefix, deinterlace=settings.deinterlace)
    place = os.path.relpath(path, side.frames)
    known_as = Source(place, "frames" if path.is_dir() else "film", source.rate)
    return replace(source, origins=dict.fromkeys(source.names, known_as))


def _prefixes(sources: tuple[Path, ...]) -> list[tuple[Path, str]]:
    """Each source with what its frames are called after: two must not have the same name."""
    missing = [str(path) for path in sources if not path.exists()]
    if missing:
        raise InputError("no such film or folder", where=", ".join(missing), hint="commas stand between the sources")
    named: dict[str, Path] = {}
    for path in sources:
        prefix = f"{path.name if path.is_dir() else path.stem}_"
        if prefix in named:
            raise InputError(
                "two sources of one name",
                where=f"{named[prefix]} and {path}",
                why="frames are named after their source",
                hint="rename one of them",
            )
        named[prefix] = path
    return [(path, prefix) for prefix, path in named.items()]


def origin(settings: ExtractSettings, side: Side) -> dict[str, Any]:
    """What the frames are made from: faces of another film, or of frames made anew, are other faces."""
    if settings.sources:
        _prefixes(settings.sources)
        return {"sources": [_origin(path) for path in settings.sources]}
    if settings.from_video:
        return {"video": identity(find_film(side))}
    return (read_receipt(side.frames) or Receipt()).source


def _origin(path: Path) -> dict[str, Any]:
    if path.is_dir():
        return {"folder": path.name, **(read_receipt(path) or Receipt()).source}
    return {"video": identity(path)}
