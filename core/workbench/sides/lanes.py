"""What a timeline shows of each frame, and the reasons for which a person may want to look at it."""

import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.faceset.database import measured
from core.faceset.database.cells import NAME, NUMBER, TEXT, checked_rows, restored
from core.faceset.scores.persons import EMBEDDER, SAME_PERSON
from core.faceset.tracks.film_faces import INTERPOLATED
from core.faceset.tracks.gaps import missing_places
from core.faceset.tracks.timeline import read_timeline
from core.workbench.answers import headed
from core.workbench.sides.measures import Measures
from core.workbench.sides.placing import HAND
from core.workbench.sides.table import FaceTable, hexadecimal

# Bits of the flags of a frame, in this order. ``identity``: a track shows another person than before. ``cut``: a scene
# begins.
FLAGS = (
    "none",
    "several",
    "misaligned",
    "small",
    "cutoff",
    "person",
    "identity",
    "gap",
    "edited",
    "stale",
    "low",
    "cut",
)
# A float32 holds whole numbers of so many bits.
MOST_PERSONS = 24
_MOST_GAP = 25  # frames
# Faces whose identity counts: with fewer nobody knows who is the usual one.
_FEWEST = 4


@dataclass(frozen=True)
class Limits:
    """misaligned: mean distance from the mean face, sides of the unit square. small: pixels of the frame that a face is
    wide or high. low: confidence.
    """

    misaligned: float = 0.1
    small: float = 80.0
    low: float = 0.6


@dataclass
class LaneReader:
    """Lanes of a side; keeps what takes long as long as it stays right. For one thread at a time."""

    measures: Measures = field(default_factory=Measures)
    _film: tuple[tuple[int, ...], NDArray[np.bool_], NDArray[np.intp]] | None = None
    _strange: tuple[tuple[int, ...], frozenset[str], frozenset[str]] | None = None

    def read(self, connection: sqlite3.Connection, table: FaceTable, limits: Limits, more: Mapping[str, Any]) -> bytes:
        """A block for the page (``answers.headed``); one float32 a frame each: faces, the lowest confidence (NaN
        without a face), who is there (bits, of the first ``MOST_PERSONS`` in the head), and the flags.

        persons in the head: with most faces first. more: for the head.
        """
        count = len(table.frame_names)
        status, words = table.words["status"]
        kept = np.flatnonzero(status == words.index("kept")) if "kept" in words else np.empty(0, np.intp)
        frames = table.frames[kept]
        faces = np.bincount(frames, minlength=count)
        confidence = _confidence(table, kept)
        lowest = np.full(count, np.inf)
        np.minimum.at(lowest, frames, confidence)
        lowest[~np.isfinite(lowest)] = np.nan
        persons, who = _persons(table, kept, count)
        chosen = self._chosen(connection, table, kept, limits, faces, lowest)
        flags = sum(chosen[name].astype(np.int64) << bit for bit, name in enumerate(FLAGS))
        head = {
            **more,
            "frames": count,
            "flags": list(FLAGS),
            "counts": {name: int(chosen[name].sum()) for name in FLAGS},
            "persons": persons,
        }
        columns = (faces, lowest, who, flags)
        return headed(head, *(np.asarray(column, "<f4").tobytes() for column in columns))

    def _chosen(
        self,
        connection: sqlite3.Connection,
        table: FaceTable,
        kept: NDArray[np.intp],
        limits: Limits,
        faces: NDArray,
        lowest: NDArray,
    ) -> dict[str, NDArray[np.bool_]]:
        count = len(faces)
        frames = table.frames[kept]

        def having(rows: NDArray[np.bool_]) -> NDArray[np.bool_]:
            """The frames with such a kept face."""
            found = np.zeros(count, bool)
            found[frames[rows]] = True
            return found

        measures = self.measures.of(connection, table, kept)
        readable, sizes = _frames(connection, table)
        cuts, film_place = self._scenes(connection, table)
        ids = [hexadecimal(number) for number in table.ids[kept]]
        other, unlike = self._others(connection, table, kept, ids, film_place)
        by_hand = _coded(table, "origin", (HAND, INTERPOLATED))[kept]
        return {
            "none": (faces == 0) & readable,
            "several": faces > 1,
            "misaligned": having(~(measures["distance"] <= limits.misaligned)),
            "small": having(measures["extent"] < limits.small),
            "cutoff": having(_is_cut_off(measures, sizes[frames])),
            "person": having(other),
            "identity": having(unlike),
            "gap": _gaps(table, kept, film_place, count),
            "edited": having(by_hand) | _edited(connection, table),
            "stale": having(_is_stale(connection, table, kept, ids)),
            "low": np.nan_to_num(lowest, nan=1.0) < limits.low,
            "cut": cuts,
        }

    def _scenes(self, connection: sqlite3.Connection, table: FaceTable) -> tuple[NDArray[np.bool_], NDArray[np.intp]]:
        """(whether a scene begins at each frame, the place of each frame in the film or -1)."""
        key = connection.execute("SELECT COUNT(*), COUNT(look), TOTAL(frame) FROM frames").fetchone()
        if self._film is None or self._film[0] != key:
            timeline = read_timeline(connection)
            place = {name: k for k, name in enumerate(timeline.names)}
            places = np.array([place.get(name, -1) for name in table.frame_names], np.intp)
            scene = np.array([timeline.scene[k] if k >= 0 else -1 for k in places], np.intp)
            cuts = np.zeros(len(scene), bool)
            cuts[1:] = (np.diff(scene) != 0) & (scene[1:] >= 0) & (scene[:-1] >= 0)
            self._film = (key, cuts, places)
        return self._film[1], self._film[2]

    def _others(
        self,
        connection: sqlite3.Connection,
        table: FaceTable,
        kept: NDArray[np.intp],
        ids: list[str],
        film_place: NDArray[np.intp],
    ) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        """(not the person whom most faces show, by name, and by identity where it is known; not the person whom its
        track showed before).
        """
        codes = table.words["person"][0][kept]
        named = codes[codes > 0]
        other = np.zeros(len(kept), bool)
        if len(named):
            other = (codes > 0) & (codes != np.bincount(named).argmax())
        key = (
            connection.execute("SELECT COUNT(*), TOTAL(rowid), TOTAL(track) FROM faces").fetchone()
            + connection.execute(
                "SELECT COUNT(*), COUNT(DISTINCT geometry) FROM vectors WHERE embedder = ?", (EMBEDDER,)
            ).fetchone()
        )
        if self._strange is None or self._strange[0] != key:
            vectors = measured.vectors(connection, EMBEDDER, stale=True)
            unlike = _unlike_before(ids, table.numbers["track"][kept], film_place[table.frames[kept]], vectors)
            self._strange = (key, _strangers(vectors), unlike)
        strange, unlike = self._strange[1:]
        other |= np.array([identity in strange for identity in ids], bool)
        return other, np.array([identity in unlike for identity in ids], bool)


def _persons(table: FaceTable, kept: NDArray[np.intp], count: int) -> tuple[list[str], NDArray[np.int64]]:
    """(names, those with most faces first; the bits of the persons in each frame)."""
    codes, words = table.words["person"]
    faces_of = np.bincount(codes[kept], minlength=len(words))
    order = [code for code in np.argsort(-faces_of, kind="stable").tolist() if code > 0 and faces_of[code] > 0]
    who = np.zeros(count, np.int64)
    for bit, code in enumerate(order[:MOST_PERSONS]):
        there = np.zeros(count, bool)
        there[table.frames[kept][codes[kept] == code]] = True
        who |= there.astype(np.int64) << bit
    return [words[code] for code in order], who


def _confidence(table: FaceTable, rows: NDArray[np.intp]) -> NDArray[np.float64]:
    """The lower one of detector and landmarks; of points by hand nobody doubts."""
    both = np.fmin(table.numbers["confidence"][rows], table.numbers["landmark_confidence"][rows])
    both = np.where(np.isnan(both), 1.0, both).astype(np.float64)
    return np.where(_coded(table, "origin", (HAND,))[rows], 1.0, both)


def _coded(table: FaceTable, name: str, wanted: tuple[str, ...]) -> NDArray[np.bool_]:
    """Which faces have one of these words."""
    codes, words = table.words[name]
    return np.isin(codes, [words.index(word) for word in wanted if word in words])


def _frames(connection: sqlite3.Connection, table: FaceTable) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
    """(whether each frame can be read, its width and height; NaN where they are not known)."""
    rows = connection.execute("SELECT name, status, width, height FROM frames")
    known = {
        restored(name): (status != "corrupt", width, height)
        for name, status, width, height in checked_rows(rows, (NAME, TEXT, NUMBER, NUMBER), "frames")
    }
    found = [known[name] for name in table.frame_names]
    sizes = np.array([[width or np.nan, height or np.nan] for _, width, height in found], np.float64).reshape(-1, 2)
    return np.array([readable for readable, _, _ in found], bool), sizes


def _is_cut_off(measures: Mapping[str, NDArray[np.float32]], sizes: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Some points lie outside of the frame."""
    before = (measures["left"] < -0.5) | (measures["top"] < -0.5)
    return before | (measures["right"] > sizes[:, 0] - 0.5) | (measures["bottom"] > sizes[:, 1] - 0.5)


def _gaps(table: FaceTable, kept: NDArray[np.intp], film_place: NDArray[np.intp], count: int) -> NDArray[np.bool_]:
    """Frames in which a track goes on that shows no face there."""
    in_gap = np.zeros(count, bool)
    number = {int(place): frame for frame, place in enumerate(film_place) if place >= 0}
    track, place = table.numbers["track"][kept], film_place[table.frames[kept]]
    tracked = (track > 0) & (place >= 0)
    order = np.lexsort((place[tracked], track[tracked]))
    tracks, places = track[tracked][order], place[tracked][order]
    for members in np.split(places, np.flatnonzero(np.diff(tracks)) + 1):
        in_gap[[number[int(k)] for k in missing_places(np.unique(members), _MOST_GAP) if int(k) in number]] = True
    return in_gap


def _edited(connection: sqlite3.Connection, table: FaceTable) -> NDArray[np.bool_]:
    """Frames whose faces somebody moved, made or took away by hand."""
    query = """
    SELECT DISTINCT edits.face FROM edits JOIN changes ON changes.change = edits.change
    WHERE NOT undone AND tool LIKE '%in the workbench' AND (edits.landmarks IS NOT NULL OR other LIKE '%"status"%'
      OR other LIKE '%"left"%')
    """
    found = {int(face, 16) for (face,) in checked_rows(connection.execute(query), (TEXT,), "edits")}
    edited = np.zeros(len(table.frame_names), bool)
    edited[table.frames[np.isin(table.ids, np.array(sorted(found), np.uint64))]] = True
    return edited


def _is_stale(
    connection: sqlite3.Connection, table: FaceTable, kept: NDArray[np.intp], ids: list[str]
) -> NDArray[np.bool_]:
    """The picture or the mask shows the face as it was, or there is no picture."""
    query = "SELECT masks.face FROM masks JOIN faces ON faces.face = masks.face WHERE faces.geometry <> masks.geometry"
    masks = {face for (face,) in checked_rows(connection.execute(query), (TEXT,), "masks")}
    rest = np.array([identity in masks or identity not in table.pictures for identity in ids], bool)
    return (table.numbers["stale"][kept] > 0) | rest


def _strangers(vectors: Mapping[str, NDArray[np.float32]]) -> frozenset[str]:
    """Faces that are not like the middle of all."""
    if len(vectors) < _FEWEST:
        return frozenset()
    ids, found = list(vectors), np.array(list(vectors.values()), np.float32)
    middle = np.median(found, axis=0)
    likeness = found @ (middle / max(float(np.linalg.norm(middle)), 1e-6))
    return frozenset(ids[k] for k in np.flatnonzero(likeness < SAME_PERSON))


def _unlike_before(
    ids: list[str], tracks: NDArray, places: NDArray[np.intp], vectors: Mapping[str, NDArray[np.float32]]
) -> frozenset[str]:
    """Faces that are not like the one before them in their track."""
    order = [k for k in np.lexsort((places, tracks)).tolist() if tracks[k] > 0 and ids[k] in vectors]
    if len(order) < 2:
        return frozenset()
    found = np.array([vectors[ids[k]] for k in order], np.float32)
    likeness = np.einsum("ij,ij->i", found[1:], found[:-1])
    same_track = np.diff(tracks[order]) == 0
    return frozenset(ids[order[k + 1]] for k in np.flatnonzero(same_track & (likeness < SAME_PERSON)))
