"""Landmarks without their trembling, track by track; the points as they were found are kept."""

import base64
import sqlite3
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.errors import CorruptFileError
from core.faceset.database import faces, images
from core.faceset.database.changes import changing
from core.faceset.identity import geometry_of
from core.faceset.tracks.film_faces import FilmFaces, in_film_order, require_tracks
from core.faceset.tracks.measure import jitter
from core.faceset.tracks.smooth import smooth_track
from core.faceset.tracks.timeline import read_timeline
from core.geometry.landmarks import COUNT
from core.jobs.alignments.opened import opened_faces
from core.jobs.alignments.time.motion_plot import write_motion_plot
from core.types import Face
from core.workspace import Side, Workspace

Floats = NDArray[np.float64]

# Of ``Face.extra``: the points as found (base64 of 136 little-endian float64), and the geometry that smoothing gave the
# face. With another geometry somebody moved the points since, and these are what counts.
RAW, SMOOTHED = "raw_landmarks", "smoothed_geometry"
HAND = "hand"


@dataclass(frozen=True)
class Smoothed:
    """What smoothing did.

    faces: in the tracks that were smoothed; changed: of which this run moved the points; fixed: corrected by hand, not
    moved. motion, shape: how much trembling is left of the place of the crop and of the points in it, 1 is all; NaN
    where no track is long enough. step: frames of the film from one face of a track to the next, usually.
    stale: crops that do not show their face as it is now. plot: the longest track before and after, or None.
    """

    faces: int
    tracks: int
    changed: int
    fixed: int
    motion: float
    shape: float
    step: float
    stale: int
    plot: Path | None


@dataclass(frozen=True, eq=False)
class _Track:
    """faces: n, in the order of time (n,). raw, points: (n, 68, 2), as found and smoothed. fixed: bool (n,)."""

    faces: list[Face]
    time: Floats
    raw: Floats
    points: Floats
    fixed: NDArray[np.bool_]


def smooth(workspace: Workspace, name: str, strength: float, person: str = "") -> Smoothed:
    """Smooth the landmarks of a side's tracks. It always begins with the points as found; strength 0 puts them back.

    strength: 0..1. person: only tracks of this one.

    Raises:
        InputError: there are no tracks, or nobody of that name.
        CorruptFileError: points that were kept are damaged.
    """
    with opened_faces(workspace, name) as opened:
        film = in_film_order(read_timeline(opened.connection), list(faces.faces(opened.connection)))
        require_tracks(film, opened.connection, name, person)
        tracks = [_smoothed(film, members, strength) for _, members in film.tracks(person)]
        changed = _write(opened.connection, tracks, strength)
        left = jitter((track.time, track.raw, track.points) for track in tracks)
        steps = [np.diff(track.time) for track in tracks]
        return Smoothed(
            faces=sum(len(track.faces) for track in tracks),
            tracks=len(tracks),
            changed=changed,
            fixed=sum(int(track.fixed.sum()) for track in tracks),
            motion=left.motion,
            shape=left.shape,
            step=float(np.median(np.concatenate([[1.0], *steps]))),
            stale=images.count_stale(opened.connection),
            plot=_plot(opened.side, tracks) if tracks and strength > 0 else None,
        )


def _smoothed(film: FilmFaces, members: NDArray[np.intp], strength: float) -> _Track:
    track = [film.faces[i] for i in members]
    time = film.number(members).astype(np.float64)
    fixed = np.array([face.origin == HAND for face in track])
    raw = np.array([raw_points(face) for face in track])
    return _Track(track, time, raw, smooth_track(time, raw, strength, fixed), fixed)


def _write(connection: sqlite3.Connection, tracks: list[_Track], strength: float) -> int:
    """How many faces have other points now."""
    wanted = [
        (face, _fields(face, points, raw))
        for track in tracks
        for face, points, raw in zip(track.faces, track.points, track.raw, strict=True)
    ]
    moved = [(face, fields) for face, fields in wanted if _differs(face, fields)]
    with changing(connection, f"smooth --strength {strength:g}", expected=len(moved)) as change:
        for face, fields in moved:
            change.update(face, **fields)
    return len(moved)


def _plot(side: Side, tracks: list[_Track]) -> Path:
    longest = max(tracks, key=lambda track: len(track.faces))
    frames = [face.frame for face in longest.faces]
    return write_motion_plot(side, longest.time, longest.raw, longest.points, frames)


def raw_points(face: Face) -> NDArray[np.float64]:
    """The landmarks (68, 2) of a face before smoothing: those kept, unless somebody moved the points since."""
    points = np.asarray(face.landmarks)
    kept = face.extra.get(RAW)
    if kept is None or face.origin == HAND or face.extra.get(SMOOTHED) != geometry_of(face.frame, points):
        return points
    try:
        raw = np.frombuffer(base64.b64decode(kept, validate=True), "<f8").reshape(COUNT, 2)
    except (ValueError, TypeError):
        raw = np.full((COUNT, 2), np.nan)
    if not np.isfinite(raw).all():
        raise CorruptFileError("a face's landmarks from before smoothing are damaged", where=face.id)
    return raw


def _fields(face: Face, points: NDArray[np.float64], raw: NDArray[np.float64]) -> dict[str, Any]:
    extra = {key: value for key, value in face.extra.items() if key not in (RAW, SMOOTHED)}
    if np.array_equal(points, raw):
        return {"landmarks": raw, "extra": extra}
    extra[RAW] = base64.b64encode(raw.astype("<f8").tobytes()).decode()
    extra[SMOOTHED] = geometry_of(face.frame, points)
    return {"landmarks": points, "extra": extra}


def _differs(face: Face, fields: dict[str, Any]) -> bool:
    return dict(face.extra) != fields["extra"] or not np.array_equal(np.asarray(face.landmarks), fields["landmarks"])
