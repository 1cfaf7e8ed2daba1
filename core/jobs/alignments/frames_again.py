"""The frames that faces were found in, read once more."""

import sqlite3
from collections.abc import Callable, Collection, Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core.errors import InputError
from core.faceset.database import extraction
from core.jobs.extract.frame_source import FrameSource
from core.jobs.extract.settings import ExtractSettings
from core.jobs.extract.sources import frames_of
from core.workspace import Side, list_frames

Load = Callable[[], NDArray[np.uint8]]


def source_again(connection: sqlite3.Connection, side: Side) -> FrameSource:
    """All frames that an extraction of this side could look at, under the names that it gives them.

    Raises:
        InputError: they are not there any more.
    """
    recorded = extraction.read_settings(connection)
    sources = tuple(map(Path, extraction.read_sources(connection)))
    from_video = bool(recorded.get("from_video")) or (not sources and not list_frames(side.frames))
    deinterlace = bool(recorded.get("deinterlace"))
    settings = ExtractSettings(from_video=from_video, sources=sources, deinterlace=deinterlace)
    try:
        return frames_of(settings, side)
    except InputError as error:
        hint = "faces are cut out of their frames: put the film or the frames back"
        raise InputError(
            "the frames are not there", where=error.where or side.frames, why=error.why, hint=hint
        ) from None


def read_again(source: FrameSource, names: Collection[str]) -> Iterator[tuple[str, Load]]:
    """(name, how to load it) of these frames, in the order of the source; it is read no further than the last."""
    left = set(names)
    for name, load in source.frames(lambda count: None):
        if name in left:
            left.discard(name)
            yield name, load
        if not left:
            return
