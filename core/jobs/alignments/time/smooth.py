"""Landmarks without their trembling, track by track; the points as they were found are kept."""

import base64
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.errors import CorruptFileError
from core.faceset.database import faces, images
from core.faceset.database.changes import changing
from core.faceset.identity import geometry_of
from core.faceset.tracks.film_faces import in_film_order, require_tracks
from core.faceset.tracks.measure import jitter
from core.faceset.tracks.smooth import smooth_track
from core.faceset.tracks.timeline import read_timeline
from core.geometry.landmarks import COUNT
from core.jobs.alignments.opened import opened_faces
from core.jobs.alignments.time.motion_plot import write_motion_plot
from core.types import Face
from core.workspace import Workspace

# Of ``Face.extra``: the points as found (base64 of 136 little-endian float64), and the geometry that smoothing gave the
# face. With another geometry somebody moved the points since, and these are what counts.
RAW, SMOOTHED = "raw_landmarks", "smoothed_geometry"
HAND = "hand"


@dataclass(frozen=True)
class Smoothed:
    """faces: in the tracks that were smoothed; changed: of which this run moved the points; fixed: corrected by hand,
    not moved. motion, shape: how much trembling is left of the place of the crop and of the points in it, 1 is all;
    NaN where no track is long enough. stale: crops that do not show their face as it is now. plot: the longest track
    before and after, or None.
    """

    faces: int
    tracks: int
    changed: int
    fixed: int
    motion: float
    shape: float
    stale: int
    plot: Path | None


def smooth(workspace: Workspace, name: str, strength: float, person: str = "") -> Smoothed:
    """Smooth the landmarks of a side's tracks. It always begins with the points as found; strength 0 puts them back.

    strength: 0..1. person: only tracks of this one.

    Raises:
        InputError: there are no tracks, or nobody of that name.
        CorruptFileError: points that were kept are damaged.
    """
    with opened_faces(workspace, name) as opened:
        side, connection = opened.side, opened.connection
        film = in_film_order(read_timeline(connection), list(faces.faces(connection)))
        require_tracks(film, connection, name, person)
        wanted: list[tuple[Face, dict[str, Any]]] = []
        tracks = []
        fixed = 0
        for _, members in film.tracks(person):
            track = [film.faces[i] for i in members]
            time = film.number(members).astype(np.float64)
            by_hand = np.array([face.origin == HAND for face in track])
            raw = np.array([raw_points(face) for face in track])
            points = smooth_track(time, raw, strength, by_hand)
            tracks.append((time, raw, points))
            fixed += int(by_hand.sum())
            wanted += [(face, _fields(face, new, old)) for face, new, old in zip(track, points, raw, strict=True)]
        moved = [(face, fields) for face, fields in wanted if _differs(face, fields)]
        with changing(connection, f"smooth --strength {strength:g}", expected=len(moved)) as change:
            for face, fields in moved:
                change.update(face, **fields)
        left = jitter(tracks)
        plot = write_motion_plot(side, max(tracks, key=lambda track: len(track[0]))) if tracks else None
        stale = images.count_stale(connection)
        return Smoothed(len(wanted), len(tracks), len(moved), fixed, left.motion, left.shape, stale, plot)


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
