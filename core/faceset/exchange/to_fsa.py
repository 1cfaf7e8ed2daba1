"""The faces of the database as a document of faceswap's; what its files cannot hold is counted."""

import itertools
import sqlite3
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.errors import PipelineError
from core.faceset.database import frame_masks, frames, measured
from core.faceset.database.faces import faces, points_of
from core.faceset.database.frame_masks import FrameMask
from core.faceset.exchange.incoming import FACESWAP
from core.faceset.exchange.placed import for_faceswap
from core.faceset.identity import INDEX, geometry_of
from core.formats.faceswap.document import FsaDocument, FsaFace, FsaFrame, FsaMask, landmarks_68
from core.parallel import cores, in_threads
from core.types import Face
from core.workspace import natural_key

_UNKNOWN = "unknown keys of other programs"
_FARTHEST = 1 << 30  # pixels
_AT_ONCE, _IN_A_THREAD = 500, 32  # frames whose masks are read, faces whose masks are placed
# Identity vectors of our own networks, for which faceswap has no name.
OUR_VECTORS = frozenset({"sface"})


@dataclass(frozen=True)
class Written:
    """A document of all kept faces.

    ids: of the faces, frame by frame, in their order. names: of the frames here. left_out: what -> how many.
    """

    document: FsaDocument
    ids: tuple[tuple[str, ...], ...]
    names: tuple[str, ...]
    left_out: dict[str, int]


def to_fsa(
    connection: sqlite3.Connection,
    key_of: Callable[[str], str],
    more_masks: Mapping[str, Mapping[str, FsaMask]],
    person: str = "",
) -> Written:
    """The kept faces of the database, and all frames that were looked at.

    key_of: name of a frame -> its key in the file. more_masks: face -> masks by name, such as those in its face files.
    person: faces of this one only.
    """
    left_out: Counter[str] = Counter()
    by_frame = _kept_faces(connection, person, left_out)
    derived = _Derived(connection, more_masks, left_out)
    made, ids = [], []
    rows = [row for row in frames.frames(connection) if row.status == "done"]
    rows.sort(key=lambda row: natural_key(row.name))
    faces_of_frames = derived.made(by_frame[row.name] for row in rows)
    for row, found in zip(rows, faces_of_frames, strict=True):
        theirs = _part(row.extra, FACESWAP)
        made.append(FsaFrame(key_of(row.name), tuple(found.values()), _part(theirs, "video_meta")))
        ids.append(tuple(found))
        left_out[_UNKNOWN] += len(_part(theirs, "unknown"))
    names = tuple(row.name for row in rows)
    return Written(FsaDocument(tuple(made)), tuple(ids), names, {what: n for what, n in left_out.items() if n})


def _kept_faces(connection: sqlite3.Connection, person: str, left_out: Counter[str]) -> dict[str, list[Face]]:
    """The kept faces of each frame, as somebody has ordered them, else as their file had them; new ones come last."""
    found: dict[str, list[Face]] = defaultdict(list)
    for face in faces(connection, ""):
        if face.status != "kept":
            left_out["faces that are filtered or dropped"] += 1
            continue
        if person and face.person != person:
            left_out["faces of other people"] += 1
            continue
        found[face.frame].append(face)
        left_out["names of persons"] += bool(face.person)
        left_out["numbers of tracks"] += bool(face.track)
        left_out[_UNKNOWN] += len(_part(_theirs(face), "unknown"))
    for there in found.values():
        there.sort(key=_index)
    return found


def _index(face: Face) -> float:
    """The place of a face in its frame; those that have none come last."""
    index = face.extra.get(INDEX, _theirs(face).get("index"))
    return index if type(index) is int else np.inf


def _theirs(face: Face) -> Mapping[str, Any]:
    return _part(face.extra, FACESWAP)


def _part(values: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """The dict under a name; an empty one where there is something else."""
    found = values.get(name)
    return found if isinstance(found, dict) else {}


class _Derived:
    """Masks, identities and thumbnails of all faces."""

    def __init__(
        self,
        connection: sqlite3.Connection,
        more_masks: Mapping[str, Mapping[str, FsaMask]],
        left_out: Counter[str],
    ):
        self._connection, self._more, self._left_out = connection, more_masks, left_out
        self._thumbs = measured.thumbs(connection)
        self._vectors: dict[str, dict[str, NDArray[np.float32]]] = defaultdict(dict)
        for face, name, vector in measured.all_vectors(connection):
            if name in OUR_VECTORS:
                left_out[f"identity vectors of {name}"] += 1
            elif vector.size and np.isfinite(vector).all():
                self._vectors[face][name] = vector
        (left_out["scores"],) = connection.execute("SELECT COUNT(*) FROM scores").fetchone()

    def made(self, by_frame: Iterable[list[Face]]) -> Iterator[dict[str, FsaFace]]:
        """For the faces of each frame: id -> the face as the file has it, without those that have no place."""
        rest = iter(by_frame)
        while some := list(itertools.islice(rest, _AT_ONCE)):
            masks = self._masks([face for found in some for face in found])
            for found in some:
                pairs = ((face.id, self._face(face, masks[face.id])) for face in found)
                yield {face: made for face, made in pairs if made is not None}

    def _face(self, face: Face, masks: dict[str, FsaMask]) -> FsaFace | None:
        points, box = _points(face), _box(face)
        if points is None or box is None:
            self._left_out["faces without points and box"] += 1
            return None
        return FsaFace(box, points, masks, self._vectors.get(face.id, {}), self._thumbs.get(face.id))

    def _masks(self, some: Sequence[Face]) -> dict[str, dict[str, FsaMask]]:
        """Id of each face -> its masks by name."""
        there = frame_masks.masks_of_faces(self._connection, [face.id for face in some])
        jobs = [(face, there.get(face.id, [])) for face in some]
        batches = (jobs[start : start + _IN_A_THREAD] for start in range(0, len(jobs), _IN_A_THREAD))
        parts = in_threads(_placed, batches, cores())
        found = {}
        for face, masks in zip(some, itertools.chain.from_iterable(parts), strict=True):
            self._left_out["masks that cannot be placed"] += len(there.get(face.id, [])) - len(masks)
            found[face.id] = masks | dict(self._more.get(face.id, {}))
        return found


def _placed(jobs: Sequence[tuple[Face, list[FrameMask]]]) -> list[dict[str, FsaMask]]:
    """By name, the masks of each face that can be placed."""
    found = []
    for face, masks in jobs:
        geometry = geometry_of(face.frame, points_of(face))
        placed = {}
        for mask in masks:
            with suppress(PipelineError):
                placed[mask.kind] = for_faceswap(mask, face.landmarks, stale=mask.geometry != geometry)
        found.append(placed)
    return found


def _points(face: Face) -> NDArray[np.float32] | None:
    """The points as the file had them, as long as nobody has moved them; else the 68; else the corners of the box."""
    theirs = _file_points(face)
    if face.landmarks is not None:
        if np.abs(face.landmarks).max() > _FARTHEST:
            return None
        points = face.landmarks.astype(np.float32)
        mapped = None if theirs is None else landmarks_68(theirs)
        return theirs if mapped is not None and np.array_equal(mapped, points) else points
    if theirs is not None and len(theirs) == 4:
        return theirs
    if not _is_near(face.box):
        return None
    left, top, right, bottom = face.box
    return np.array([(left, top), (right, top), (right, bottom), (left, bottom)], np.float32)


def _file_points(face: Face) -> NDArray[np.float32] | None:
    try:
        points = np.asarray(_theirs(face).get("points"), np.float32)
    except (TypeError, ValueError):
        return None
    return points if points.shape in ((4, 2), (98, 2)) and np.isfinite(points).all() else None


def _box(face: Face) -> tuple[int, int, int, int] | None:
    """x, y, w, h of the detector's box; of the points where it is not known."""
    corners = np.asarray(face.box, np.float64)
    if not _is_near(corners) and face.landmarks is not None:
        corners = np.concatenate([face.landmarks.min(0), face.landmarks.max(0)])
    if not _is_near(corners):
        return None
    left, top, right, bottom = (round(float(n)) for n in corners)
    return left, top, right - left, bottom - top


def _is_near(corners: NDArray) -> bool:
    """Whether the numbers are some, and such as pixels have."""
    return bool((np.abs(corners) < _FARTHEST).all())
