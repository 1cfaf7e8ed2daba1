"""What every operation on faces is made of."""

import itertools
import sqlite3
from collections.abc import Iterator
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from core.faceset.database import faces
from core.faceset.identity import geometry_of
from core.types import Face
from core.workbench.answers import Conflict, Missing

MOST_FACES = 100_000
FaceId = Annotated[str, Field(pattern=r"^[0-9a-f]{16}$")]
FaceIds = Annotated[list[FaceId], Field(min_length=1, max_length=MOST_FACES)]


class Operation(BaseModel):
    """What every operation is: strict, and without anything that nobody knows."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    op: str


def found(connection: sqlite3.Connection, ids: list[str]) -> Iterator[Face]:
    """The faces with these ids, each once. Raises Missing for one that there is not."""
    wanted = list(dict.fromkeys(ids))
    for identity, face in itertools.zip_longest(wanted, faces.find_faces(connection, wanted)):
        if face is None or face.id != identity:
            raise Missing("no face has this id", where=identity)
        yield face


def of_base(connection: sqlite3.Connection, identity: str, base: str) -> Face:
    """The face, as the page saw it.

    Raises:
        Missing: there is none. Conflict: its points are others by now.
    """
    (face,) = found(connection, [identity])
    if geometry_of(face.frame, faces.points_of(face)) != base:
        raise Conflict("somebody else has moved this face", where=identity, hint="look at it again, then change it")
    return face
