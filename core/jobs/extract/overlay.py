"""A film of the frames with all that was found in them, for looking at an extraction."""

import sqlite3
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from core.errors import CorruptFileError, InputError
from core.faces.overlay import draw
from core.faceset.database import faces
from core.formats.provenance import CREATOR_TOOL
from core.fsio import remove_leftovers
from core.geometry.align import FaceType
from core.jobs.extract.frame_source import FrameSource
from core.progress import progress
from core.types import Face
from core.video.encode import write_video
from core.workspace import Side

NAME = "overlay.mp4"
_RATE = 25.0  # where nobody knows
_LARGEST = 1920  # pixels of the longer side
Found = Mapping[str, Sequence[Face]]


def write_overlay(connection: sqlite3.Connection, side: Side, source: FrameSource, face_type: FaceType) -> Path:
    """Write ``overlay.mp4`` beside the frames of a side, by what its database has; returns where it is.

    All frames get the size of the first, at most 1920 pixels; others stand between black bars.

    Raises:
        InputError: not one frame can be read.
    """
    remove_leftovers(side.frames)
    kept, others = _by_frame(connection, "kept"), _by_frame(connection, "filtered")
    frames = _drawn(source, kept, others, face_type)
    try:
        first = next(frames)
    except StopIteration:
        raise InputError("no frame can be read, so there is nothing to draw on", where=side.frames) from None
    height, width = _even(first.shape)
    path = side.frames / NAME
    write_video(
        path,
        (_fitted(frame, width, height) for frame in _with(first, frames)),
        width=width,
        height=height,
        rate=source.rate or _RATE,
        # Its pictures are the film's own: it is no synthetic one.
        tags={"comment": f"what {CREATOR_TOOL} found, drawn over the frames"},
    )
    return path


def _by_frame(connection: sqlite3.Connection, status: str) -> Found:
    found: dict[str, list[Face]] = defaultdict(list)
    for face in faces.faces(connection, status):
        found[face.frame].append(face)
    return found


def _drawn(source: FrameSource, kept: Found, others: Found, face_type: FaceType) -> Iterator[NDArray[np.uint8]]:
    frames = source.frames(lambda count: None)
    for name, load in progress(frames, total=len(source.names), description="overlay", unit="frame"):
        try:
            image = load()
        except (CorruptFileError, InputError):  # the report names it
            continue
        yield draw(image, kept.get(name, ()), others.get(name, ()), face_type)


def _even(shape: tuple[int, ...]) -> tuple[int, int]:
    """(height, width) of the film for frames of this shape."""
    scale = min(1.0, _LARGEST / max(shape[:2]))
    return max(int(shape[0] * scale) // 2 * 2, 2), max(int(shape[1] * scale) // 2 * 2, 2)


def _fitted(frame: NDArray[np.uint8], width: int, height: int) -> NDArray[np.uint8]:
    scale = min(width / frame.shape[1], height / frame.shape[0])
    size = max(min(round(frame.shape[1] * scale), width), 1), max(min(round(frame.shape[0] * scale), height), 1)
    small = frame if size == frame.shape[1::-1] else cv2.resize(frame, size, interpolation=cv2.INTER_AREA)
    if small.shape[:2] == (height, width):
        return small
    canvas = np.zeros((height, width, 3), np.uint8)
    top, left = (height - small.shape[0]) // 2, (width - small.shape[1]) // 2
    canvas[top : top + small.shape[0], left : left + small.shape[1]] = small
    return canvas


def _with(first: NDArray[np.uint8], rest: Iterator[NDArray[np.uint8]]) -> Iterator[NDArray[np.uint8]]:
    yield first
    yield from rest
