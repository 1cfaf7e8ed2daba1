"""Landmarks without their trembling, track by track; the points as they were found are kept."""

import sqlite3
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core.faces.second_look import FITTED
from core.faceset.database import images
from core.faceset.database.brief import TrackFace, TrackSize, track_faces, track_sizes
from core.faceset.database.changes import Change, changing
from core.faceset.database.faces import all_landmarks
from core.faceset.database.measured import found_points, note_found_points
from core.faceset.tracks.film_faces import FilmFaces, in_film_order, require_tracks
from core.faceset.tracks.measure import jitter
from core.faceset.tracks.smooth import smooth_track
from core.faceset.tracks.timeline import read_timeline
from core.jobs.alignments.opened import opened_faces
from core.jobs.alignments.time.motion_plot import liveliest, write_motion_plot
from core.workspace import Side, Workspace

Floats = NDArray[np.float64]

HAND = "hand"
# Faces that are read at once, and as many more as their last track has.
_AT_ONCE = 20_000
_WRITTEN_AT_ONCE = 1000


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

    faces: list[TrackFace]
    time: Floats
    raw: Floats
    points: Floats
    fixed: NDArray[np.bool_]

    def part(self, chosen: slice) -> "_Track":
        """Some of it, which leaves the memory of the rest."""
        raw, points = self.raw[chosen].copy(), self.points[chosen].copy()
        return _Track(self.faces[chosen], self.time[chosen], raw, points, self.fixed[chosen])


@dataclass
class _Sums:
    """Of all tracks so far. longest: faces of the longest, shown: its liveliest part. steps: between its faces."""

    faces: int = 0
    tracks: int = 0
    fixed: int = 0
    longest: int = 0
    shown: _Track | None = None
    steps: list[Floats] = field(default_factory=lambda: [np.ones(1)])

    def add(self, track: _Track) -> None:
        self.faces += len(track.faces)
        self.tracks += 1
        self.fixed += int(track.fixed.sum())
        self.steps.append(np.diff(track.time))
        if len(track.faces) > self.longest:
            self.longest, self.shown = len(track.faces), track.part(liveliest(track.raw))


def smooth(workspace: Workspace, name: str, strength: float, person: str = "") -> Smoothed:
    """Smooth the landmarks of a side's tracks. It always begins with the points as found; strength 0 puts them back.

    Faces that only a mean head was fitted to are turned in the image as their neighbours in time are.

    strength: 0..1. person: only tracks of this one.

    Raises:
        InputError: there are no tracks, or nobody of that name.
        CorruptFileError: points that were kept are damaged.
    """
    with opened_faces(workspace, name) as opened:
        connection = opened.connection
        timeline = read_timeline(connection)
        sizes = track_sizes(connection)
        require_tracks(sizes, connection, name, person)
        parts = list(_some_tracks(sizes, person))
        sums = _Sums()

        def one(change: Change, track: _Track) -> tuple[Floats, Floats, Floats]:
            _write(connection, change, track)
            sums.add(track)
            return track.time, track.raw, track.points

        def written(change: Change) -> Iterator[tuple[Floats, Floats, Floats]]:
            for some in parts:
                film = in_film_order(timeline, list(track_faces(connection, some)))
                kept = found_points(connection, some)
                for _, members in film.tracks(person):
                    yield one(change, _smoothed(film, members, kept, strength))
                del film, kept  # before the next ones are read

        # Track by track, so that memory holds one at a time.
        with changing(connection, f"smooth --strength {strength:g}") as change:
            left = jitter(written(change))
        return Smoothed(
            faces=sums.faces,
            tracks=sums.tracks,
            changed=change.faces,
            fixed=sums.fixed,
            motion=left.motion,
            shape=left.shape,
            step=float(np.median(np.concatenate(sums.steps))),
            stale=images.count_stale(connection),
            plot=_plot(opened.side, sums.shown) if sums.shown is not None and strength > 0 else None,
        )


def _some_tracks(sizes: Sequence[TrackSize], person: str) -> Iterator[tuple[int, int]]:
    """The tracks (first, last) with faces of the person, some at a time: all faces are looked through for each."""
    wanted = {size.track for size in sizes if size.track > 0 and person in ("", size.person)}
    lengths: Counter[int] = Counter()
    for size in sizes:
        if size.track in wanted:
            lengths[size.track] += size.faces
    first = last = count = 0
    for track in sorted(lengths):
        if count >= _AT_ONCE:
            yield first, last
            first = count = 0
        first, last, count = first or track, track, count + lengths[track]
    if count:
        yield first, last


def _smoothed(
    film: FilmFaces[TrackFace], members: NDArray[np.intp], kept: Mapping[str, bytes], strength: float
) -> _Track:
    track = [film.faces[i] for i in members]
    time = film.number(members).astype(np.float64)
    fixed = np.array([face.origin == HAND for face in track])
    # Points that a person has corrected are what counts, whatever was smoothed before.
    present = [face.landmarks or b"" for face in track]
    found = [
        blob if face.origin == HAND else kept.get(face.id, blob) for face, blob in zip(track, present, strict=True)
    ]
    raw = all_landmarks(found)
    unsure = np.array([face.origin.endswith(FITTED) for face in track])
    return _Track(track, time, raw, smooth_track(time, raw, strength, fixed, unsure), fixed)


def _write(connection: sqlite3.Connection, change: Change, track: _Track) -> None:
    points = np.asarray(track.points, "<f8")
    differs = (track.raw != points).any(axis=(1, 2)).tolist()
    for start in range(0, len(track.faces), _WRITTEN_AT_ONCE):
        rows = range(start, min(start + _WRITTEN_AT_ONCE, len(track.faces)))
        moved = [row for row in rows if points[row].tobytes() != track.faces[row].landmarks]
        some = [track.faces[row] for row in moved]
        before = [face.landmarks or b"" for face in some]
        geometries = change.move([face.id for face in some], [face.frame for face in some], before, points[moved])
        found = zip(some, geometries, moved, strict=True)
        smoothed = [(face.id, geometry, row) for face, geometry, row in found if differs[row]]
        note_found_points(connection, ((face, geometry, track.raw[row].tobytes()) for face, geometry, row in smoothed))


def _plot(side: Side, shown: _Track) -> Path:
    return write_motion_plot(side, shown.time, shown.raw, shown.points, [face.frame for face in shown.faces])
