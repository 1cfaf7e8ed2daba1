"""Faces for frames in which a track goes on and none was found."""

from collections import Counter
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from core.faceset.alignments.adding import add_again
from core.faceset.database import faces
from core.faceset.database.changes import UNMADE, changing
from core.faceset.database.frames import frame_ids
from core.faceset.tracks.film_faces import INTERPOLATED, FilmFaces, centre_of, in_film_order, require_tracks, width_of
from core.faceset.tracks.gaps import interpolate, interpolated_confidence, missing_places
from core.faceset.tracks.timeline import read_timeline
from core.jobs.alignments.opened import opened_faces
from core.types import Face
from core.workspace import Workspace

# In face widths: another face of the frame that is so near is this one.
_SAME_PLACE = 0.5


@dataclass(frozen=True)
class Interpolated:
    """faces: that were added, in so many gaps. too_long: gaps that were left. taken: places where a face was found or
    dropped by a person, which were left. by_person: name -> faces added.
    """

    faces: int
    gaps: int
    too_long: int
    taken: int
    by_person: dict[str, int]


def fill_gaps(workspace: Workspace, name: str, max_gap: int, person: str = "") -> Interpolated:
    """Add faces in gaps of at most ``max_gap`` frames that were looked at. person: only tracks of this one.

    The new faces have no crops yet. Raises InputError where there are no tracks, or nobody of that name.
    """
    with opened_faces(workspace, name) as opened:
        connection = opened.connection
        timeline = read_timeline(connection)
        known = [face for face in faces.faces(connection, "") if face.reason != UNMADE["reason"]]
        film = in_film_order(timeline, [face for face in known if face.status == "kept"])
        require_tracks(film.faces, connection, name, person)
        obstacles: dict[str, list[Face]] = {}
        for face in known:
            if face.status in ("kept", "dropped"):
                obstacles.setdefault(face.frame, []).append(face)
        added: list[Face] = []
        gaps = too_long = taken = 0
        for _, members in film.tracks(person):
            lengths = np.diff(film.place[members]) - 1
            gaps += int(((lengths > 0) & (lengths <= max_gap)).sum())
            too_long += int((lengths > max_gap).sum())
            made = _between(film, members, max_gap)
            free = [face for face in made if not _is_taken(face, obstacles.get(face.frame, []))]
            taken += len(made) - len(free)
            added += free
        ids = frame_ids(connection)
        with changing(connection, f"interpolate --max-gap {max_gap}", expected=len(added)) as change:
            for face in added:
                add_again(connection, change, ids[face.frame], face)
        return Interpolated(len(added), gaps, too_long, taken, dict(Counter(face.person for face in added)))


def _between(film: FilmFaces, members: NDArray[np.intp], max_gap: int) -> list[Face]:
    """The faces that a track lacks."""
    place = film.place[members]
    missing = missing_places(place, max_gap)
    if not len(missing):
        return []
    track = [film.faces[i] for i in members]
    time, wanted = film.number(members).astype(np.float64), film.timeline.number[missing].astype(np.float64)
    points = interpolate(time, np.array([face.landmarks for face in track]), wanted)
    confidence = interpolated_confidence(time, np.array([face.confidence for face in track]), wanted)
    sure = interpolated_confidence(time, np.array([face.landmark_confidence for face in track]), wanted)
    left = np.searchsorted(place, missing) - 1
    made = []
    for k, at in enumerate(left.tolist()):
        share = (wanted[k] - time[at]) / (time[at + 1] - time[at])
        box = (1 - share) * track[at].box + share * track[at + 1].box
        made.append(
            replace(
                track[at],
                box=box.astype(np.float32),
                landmarks=points[k],
                confidence=float(confidence[k]),
                landmark_confidence=float(sure[k]),
                frame=film.timeline.names[missing[k]],
                origin=INTERPOLATED,
                extra={},
                id="",
            )
        )
    return made


def _is_taken(face: Face, others: list[Face]) -> bool:
    reach = _SAME_PLACE * width_of(face)
    return any(np.linalg.norm(centre_of(face) - centre_of(other)) < reach for other in others)
