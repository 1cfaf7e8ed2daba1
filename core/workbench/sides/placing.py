"""The operations that say where a face is: boxes, squares, points, new faces, faces of other frames."""

import hashlib
import math
import sqlite3
from collections.abc import Callable
from dataclasses import replace
from typing import Annotated, Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import AfterValidator, Field

from core.errors import InputError
from core.faces.cropping import eyes_roll
from core.faceset.alignments.adding import add_again
from core.faceset.database import images
from core.faceset.database.changes import Change
from core.faceset.database.names import stored
from core.geometry.align import invert, transform_points
from core.geometry.centring import level_matrix
from core.geometry.face_shape import face_side
from core.types import Face
from core.workbench.answers import Conflict, Missing
from core.workbench.sides.gap import faces_between
from core.workbench.sides.operation import FaceId, FaceIds, Operation, found

HAND = "hand"
DELETED = "deleted in the workbench"
_FARTHEST = 100_000  # pixels
_SMALLEST = 2  # pixels, of a side


def _has_area(box: tuple[float, float, float, float]) -> tuple[float, float, float, float]:
    left, top, right, bottom = box
    if right - left < _SMALLEST or bottom - top < _SMALLEST:
        raise ValueError(f"a box has a left, top, right and bottom side, {_SMALLEST} pixels apart")
    return box


Pixel = Annotated[float, Field(ge=-_FARTHEST, le=_FARTHEST, allow_inf_nan=False)]
Points = Annotated[list[tuple[Pixel, Pixel]], Field(min_length=68, max_length=68)]
Box = Annotated[tuple[Pixel, Pixel, Pixel, Pixel], AfterValidator(_has_area)]
Base = Annotated[str, Field(max_length=40)]


class MoveBox(Operation):
    """Another box; the points that a landmarker found in it, or the old ones."""

    op: Literal["move_box"]
    face: FaceId
    base: Base
    box: Box
    points: Points | None = None


class MovePoints(Operation):
    """Other points: single ones (``move_points``), or all of them together (``move_square``)."""

    op: Literal["move_points", "move_square"]
    face: FaceId
    base: Base
    points: Points
    box: Box | None = None


class AddFace(Operation):
    """A face that was not found. frame: name of its frame."""

    op: Literal["add_face"]
    frame: Annotated[str, Field(min_length=1, max_length=255)]
    box: Box
    points: Points
    person: Annotated[str, Field(max_length=80, pattern=r"^[^/\\\x00-\x1f]*$")] = ""


class Copy(Operation):
    """A face of another frame (``source``), where it is in this one. onto: the face that it takes the place of."""

    op: Literal["copy"]
    frame: Annotated[str, Field(min_length=1, max_length=255)]
    source: FaceId
    box: Box
    points: Points
    onto: FaceId | None = None
    base: Base = ""


class DeleteFace(Operation):
    """A face that is none, or is not wanted."""

    op: Literal["delete_face"]
    face: FaceId
    base: Base


class DeleteFaces(Operation):
    """The same of many; the request says for which revision of the side."""

    op: Literal["delete_faces"]
    faces: FaceIds


class Interpolate(Operation):
    """Faces for the frames between two faces of one person."""

    op: Literal["interpolate"]
    first: FaceId
    last: FaceId
    first_base: Base
    last_base: Base


class ApplyMove(Operation):
    """Move the points of other faces as those of this one were moved, each in its own size and turn.

    before: the points of the face before it was moved.
    """

    op: Literal["apply_move"]
    face: FaceId
    base: Base
    before: Points
    faces: FaceIds


def seen_as(face: Face) -> str:
    """Another word whenever the face is elsewhere, or is not kept any more."""
    parts = [np.asarray(face.box, "<f4").tobytes(), face.status.encode()]
    if face.landmarks is not None:
        parts.append(np.asarray(face.landmarks, "<f8").tobytes())
    return hashlib.blake2b(b"\0".join(parts), digest_size=8).hexdigest()


def as_seen(connection: sqlite3.Connection, identity: str, base: str) -> Face:
    """The face, as the page saw it.

    Raises:
        Missing: there is none. Conflict: it is another by now.
    """
    (face,) = found(connection, [identity])
    if seen_as(face) != base:
        raise Conflict("somebody else has changed this face", where=identity, hint="look at it again, then change it")
    return face


def _move_box(connection: sqlite3.Connection, change: Change, asked: MoveBox) -> None:
    face = as_seen(connection, asked.face, asked.base)
    change.update(face, origin=HAND, box=_box(asked.box), **_found_points(asked.points))


def _move_points(connection: sqlite3.Connection, change: Change, asked: MovePoints) -> None:
    face = as_seen(connection, asked.face, asked.base)
    box = face.box if asked.box is None else _box(asked.box)
    change.update(face, origin=HAND, box=box, **_found_points(asked.points))


def _add_face(connection: sqlite3.Connection, change: Change, asked: AddFace) -> None:
    frame = _frame(connection, asked.frame)
    face = Face(_box(asked.box), 1.0, frame=asked.frame, origin=HAND, person=asked.person.strip())
    add_again(connection, change, frame, replace(face, **_found_points(asked.points)))


def _copy(connection: sqlite3.Connection, change: Change, asked: Copy) -> None:
    (source,) = found(connection, [asked.source])
    place = {"origin": HAND, "box": _box(asked.box), **_found_points(asked.points)}
    if asked.onto is not None:
        change.update(as_seen(connection, asked.onto, asked.base), **place)
        return
    frame = _frame(connection, asked.frame)
    query = "SELECT 1 FROM faces WHERE frame = ? AND track = ? AND status = 'kept'"
    taken = connection.execute(query, (frame, source.track)).fetchone() is not None
    face = replace(source, frame=asked.frame, status="kept", reason="", extra={}, track=0 if taken else source.track)
    add_again(connection, change, frame, replace(face, **place))


def _delete_face(connection: sqlite3.Connection, change: Change, asked: DeleteFace) -> None:
    _drop(connection, change, as_seen(connection, asked.face, asked.base))


def _delete_faces(connection: sqlite3.Connection, change: Change, asked: DeleteFaces) -> None:
    for face in found(connection, asked.faces):
        _drop(connection, change, face)


def _drop(connection: sqlite3.Connection, change: Change, face: Face) -> None:
    query = "SELECT 1 FROM images WHERE face = ? AND folder = ?"
    if connection.execute(query, (face.id, images.PAK)).fetchone() is not None:
        raise InputError("this face is packed", where=face.id, hint="unpack the faces of this side first")
    change.update(face, status="dropped", reason=DELETED)


def _interpolate(connection: sqlite3.Connection, change: Change, asked: Interpolate) -> None:
    first, last = (
        as_seen(connection, identity, base)
        for identity, base in ((asked.first, asked.first_base), (asked.last, asked.last_base))
    )
    for frame, face in faces_between(connection, first, last):
        add_again(connection, change, frame, face)


def _apply_move(connection: sqlite3.Connection, change: Change, asked: ApplyMove) -> None:
    face = as_seen(connection, asked.face, asked.base)
    if face.landmarks is None:
        raise InputError("this face has no points that were moved", where=face.id)
    before = _valid(asked.before)
    level = level_matrix(before)
    moved = transform_points(face.landmarks, level) - transform_points(before, level)
    for other in found(connection, [identity for identity in asked.faces if identity != face.id]):
        if other.landmarks is None:
            continue
        own = level_matrix(other.landmarks)
        points = transform_points(transform_points(other.landmarks, own) + moved, invert(own))
        shift = np.tile((points - other.landmarks).mean(axis=0), 2)
        change.update(other, origin=HAND, box=(other.box + shift).astype(np.float32), **_found_points(points))


OPERATIONS: dict[str, tuple[type[Operation], Callable[[sqlite3.Connection, Change, Any], None]]] = {
    "move_box": (MoveBox, _move_box),
    "move_square": (MovePoints, _move_points),
    "move_points": (MovePoints, _move_points),
    "add_face": (AddFace, _add_face),
    "copy": (Copy, _copy),
    "delete_face": (DeleteFace, _delete_face),
    "delete_faces": (DeleteFaces, _delete_faces),
    "interpolate": (Interpolate, _interpolate),
    "apply_move": (ApplyMove, _apply_move),
}


def _box(box: tuple[float, ...]) -> NDArray[np.float32]:
    return np.array(box, np.float32)


def _found_points(points: Any) -> dict[str, Any]:
    """The fields of a face that points by hand give; none where there are no points."""
    if points is None:
        return {}
    valid = _valid(points)
    return {"landmarks": valid, "landmark_confidence": 1.0, "roll": eyes_roll(valid)}


def _valid(points: Any) -> NDArray[np.float64]:
    """Raises InputError for points that no square fits."""
    valid = np.asarray(points, np.float64)
    if not math.isfinite(face_side(valid)):
        raise InputError("no square fits these points", why="they are all at one place")
    return valid


def _frame(connection: sqlite3.Connection, name: str) -> int:
    row = connection.execute("SELECT frame, status FROM frames WHERE name = ?", (stored(name),)).fetchone()
    if row is None:
        raise Missing("no frame has this name", where=name)
    if row[1] == "corrupt":
        raise InputError("this frame cannot be read", where=name)
    return row[0]
