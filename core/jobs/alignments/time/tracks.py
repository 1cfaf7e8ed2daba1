"""Faces linked to tracks through the film, and tracks to persons."""

import sqlite3
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from core.faceset.database.brief import BriefFace
from core.faceset.database.changes import changing
from core.faceset.tracks.film_faces import INTERPOLATED, detections, in_tracks
from core.faceset.tracks.link import link
from core.faceset.tracks.persons import name_faces
from core.faceset.tracks.short import short_reason, short_tracks, was_short
from core.faceset.tracks.timeline import read_timeline
from core.jobs.alignments.opened import opened_faces
from core.jobs.alignments.time.track_sheet import write_track_sheet
from core.workspace import Workspace


@dataclass(frozen=True)
class TrackSettings:
    """How tracks are made.

    max_gap: frames that were looked at, without the face. min_length: faces; shorter tracks of which no face has the
    confidence ``sure`` are filtered where ``drop_short`` says so.
    person_threshold: mean cosine similarity from which two tracks are one person.
    """

    max_gap: int = 10
    min_length: int = 5
    drop_short: bool = False
    sure: float = 0.8
    person_threshold: float = 0.3


@dataclass(frozen=True)
class Person:
    """name: empty for faces of nobody known. first, last: frames, by name."""

    name: str
    faces: int
    tracks: int
    first: str
    last: str


@dataclass(frozen=True)
class FoundTracks:
    """faces: that are kept, all in tracks. cuts: between scenes; None where the looks of frames are not known.

    without_identity: faces that somebody found and that were linked by where they are alone.
    short: faces in short tracks that were never sure; dropped: whether they were filtered.
    changed: faces that have another track, person or status now.
    persons: the one with most faces first. sheet: the picture, or None where there are no crops to show.
    """

    faces: int
    tracks: int
    films: int
    cuts: int | None
    without_identity: int
    short: int
    dropped: bool
    changed: int
    persons: tuple[Person, ...] = field(default=())
    sheet: Path | None = None


def find_tracks(workspace: Workspace, name: str, settings: TrackSettings) -> FoundTracks:
    """Give every kept face of a side a track and, as far as identities are known, a person.

    Faces that an earlier run filtered for their short track take part again. Names that a person gave stay.
    """
    with opened_faces(workspace, name) as opened:
        connection = opened.connection
        timeline = read_timeline(connection)
        found = [face for face in in_tracks(connection, timeline, "") if face.status == "kept" or was_short(face)]
        seen = detections(found, timeline, connection)
        track = link(seen, settings.max_gap)
        given = [face.person for face in found]
        person = name_faces(track, seen.number, seen.vector, given, settings.person_threshold)
        confidence = np.array([face.confidence for face in found])
        found_by_somebody = np.array([face.origin != INTERPOLATED for face in found], bool)
        short = short_tracks(track, confidence, settings.min_length, settings.sure)
        length = np.bincount(track, minlength=1)
        wanted = [_wanted(int(t) + 1, who) for t, who in zip(track, person, strict=True)]
        for i in np.flatnonzero(short & settings.drop_short):
            wanted[i] |= {"status": "filtered", "reason": short_reason(int(length[track[i]]))}
        changed = _write(connection, found, wanted)
        kept = tuple(
            face._replace(**fields) for face, fields in zip(found, wanted, strict=True) if fields["status"] == "kept"
        )
        return FoundTracks(
            faces=len(kept),
            tracks=len({face.track for face in kept}),
            films=timeline.films,
            cuts=timeline.cuts,
            without_identity=int((np.isnan(seen.vector).any(axis=1) & found_by_somebody).sum()),
            short=int(short.sum()),
            dropped=settings.drop_short,
            changed=changed,
            persons=persons_of(kept),
            sheet=write_track_sheet(opened, kept),
        )


def _wanted(track: int, person: str) -> dict[str, Any]:
    return {"track": track, "person": person, "status": "kept", "reason": ""}


def _write(connection: sqlite3.Connection, found: Sequence[BriefFace], wanted: list[dict[str, Any]]) -> int:
    """How many faces have changed."""
    with changing(connection, "tracks") as change:
        for face, fields in zip(found, wanted, strict=True):
            change.set(face, **fields)
        return change.faces


def persons_of(found: Sequence[BriefFace]) -> tuple[Person, ...]:
    """Who is there, by number of faces. found: faces in the order of the film."""
    count = Counter(face.person for face in found)
    tracks = Counter(person for person, _ in {(face.person, face.track) for face in found})
    first = {face.person: face.frame for face in reversed(found)}
    last = {face.person: face.frame for face in found}
    ordered = sorted(count, key=lambda person: (not person, -count[person], person))
    return tuple(Person(who, count[who], tracks[who], first[who], last[who]) for who in ordered)
