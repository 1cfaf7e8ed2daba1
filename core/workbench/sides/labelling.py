"""The operation that says what of a face is face: polygons, as DeepFaceLab's editor and labelme have them."""

import hashlib
import sqlite3
from collections.abc import Callable, Iterable
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from core.errors import InputError
from core.faceset.alignments import drawn
from core.faceset.database.cells import checked_name
from core.faceset.database.changes import Change
from core.faceset.database.connection import path_of
from core.faceset.database.images import PAK
from core.formats import dfl_image
from core.types import Polygon
from core.workbench.answers import Conflict, Missing
from core.workbench.sides.operation import FaceId, Operation, found

MOST_POLYGONS, MOST_POINTS = 500, 10_000
_FARTHEST = 30_000  # pixels
Pixel = Annotated[float, Field(ge=-_FARTHEST, le=_FARTHEST, allow_inf_nan=False)]


class Drawn(BaseModel):
    """A polygon. include: it adds to the mask, else it cuts out of it. points: pixels of the face picture."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    include: bool
    points: Annotated[list[tuple[Pixel, Pixel]], Field(min_length=3, max_length=MOST_POINTS)]


class SetPolygons(Operation):
    """All polygons of a face, none to remove them. base: what ``drawn_as`` said of those that the page saw."""

    op: Literal["set_polygons"]
    face: FaceId
    base: Annotated[str, Field(max_length=40)]
    polygons: Annotated[list[Drawn], Field(max_length=MOST_POLYGONS)]


def drawn_as(polygons: Iterable[Polygon]) -> str:
    """Another word whenever polygons are others."""
    parts = [bytes([polygon.include]) + np.asarray(polygon.points, "<f4").tobytes() for polygon in polygons]
    return hashlib.sha256(b"|".join(parts)).hexdigest()[:16]


def _set_polygons(connection: sqlite3.Connection, change: Change, asked: SetPolygons) -> None:
    (face,) = found(connection, [asked.face])
    place = drawn.file_of(connection, face.id)
    if place is None:
        raise Missing("this face has no picture", where=face.id)
    folder, name = place
    if folder == PAK:
        raise InputError("the faces are packed", where=name, hint="unpack them first: steps 3.4 and 4.4")
    path = path_of(connection).parent / folder / checked_name(name, "images")
    data = path.read_bytes()
    record = dfl_image.parse(data, path.name, where=path)
    if drawn_as(record.polygons) != asked.base:
        raise Conflict("somebody else has drawn on this face", where=name, hint="look at it again, then change it")
    polygons = [Polygon(one.include, np.array(one.points, np.float32)) for one in asked.polygons]
    after = drawn.with_polygons(record, polygons)
    if drawn_as(after.polygons) == asked.base:
        return
    # What does not fit into the file is refused before anything is changed.
    dfl_image.embed(data, after)
    drawn.draw(change, face, record.polygons, after.polygons)


OPERATIONS: dict[str, tuple[type[Operation], Callable[[sqlite3.Connection, Change, Any], None]]] = {
    "set_polygons": (SetPolygons, _set_polygons)
}
