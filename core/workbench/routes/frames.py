"""Frames with their faces: lanes of the timeline, places of faces, and what the vision process says of them."""

import threading
from collections import OrderedDict
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from core.errors import InputError, UsageError
from core.faceset.database import faces
from core.faceset.database.connection import open_database
from core.workbench.answers import Missing, binary, get, post, unchanged, whole_number
from core.workbench.bench import Bench
from core.workbench.sides.lanes import LaneReader, Limits
from core.workbench.sides.operation import FaceId
from core.workbench.sides.placed import MOST, near, placed
from core.workbench.sides.placing import Box, seen_as
from core.workbench.sides.side_view import SideView
from core.workbench.vision.regions import around

_KEPT = 4  # decoded frames
_MOST_NUMBER = 10**9


class Looked(BaseModel):
    """Where are the points of the face in this box? page: a word of the page; newer questions of it replace older ones.

    face: whose box it is; its turn is known.
    """

    model_config = ConfigDict(extra="forbid")

    page: Annotated[str, Field(min_length=1, max_length=60)]
    frame: Annotated[int, Field(ge=0, le=_MOST_NUMBER)]
    box: Box
    face: FaceId | None = None


class Followed(BaseModel):
    """Where is this face in another frame?"""

    model_config = ConfigDict(extra="forbid")

    page: Annotated[str, Field(min_length=1, max_length=60)]
    face: FaceId
    source: Annotated[int, Field(ge=0, le=_MOST_NUMBER)]
    frame: Annotated[int, Field(ge=0, le=_MOST_NUMBER)]


class RecentFrames:
    """The frames that were looked at last, decoded: a box that is drawn asks for the same one many times."""

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[str, int, str], NDArray[np.uint8]] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, side: SideView, number: int) -> NDArray[np.uint8]:
        """As ``SideView.frame``."""
        with self._lock:
            key = (side.side.name, number, side.frame_tag(number))
            if key not in self._kept:
                self._kept[key] = side.frame(number)
            self._kept.move_to_end(key)
            while len(self._kept) > _KEPT:
                self._kept.popitem(last=False)
            return self._kept[key]


def routes(bench: Bench) -> list[Route]:
    """The routes of both sides."""
    readers = {name: (LaneReader(), threading.Lock()) for name in bench.sides}
    recent = RecentFrames()

    def side_of(request: Request) -> SideView:
        try:
            return bench.sides[request.path_params["side"]]
        except KeyError:
            raise Missing("no such side", where=request.path_params["side"], why="there are src and dst") from None

    def lanes(request: Request) -> Response:
        side = side_of(request)
        limits = _limits(request)
        revision, table = side.table()
        tag = f"{revision}-{limits.misaligned:g}-{limits.small:g}-{limits.low:g}-{bench.events.run}"
        not_changed = unchanged(request, tag)
        if not_changed is not None:
            return not_changed
        bench.vision.warm_up()
        bench.make_small_film(side.side.name)
        reader, lock = readers[side.side.name]
        more = {"revision": revision, "fps": side.fps(), "film": side.film() is not None}
        with lock, open_database(side.side.database) as connection:
            return binary(reader.read(connection, table, limits, more), etag=tag)

    def show_placed(request: Request) -> Any:
        side = side_of(request)
        first = whole_number(request.query_params.get("from", "0"), 0, _MOST_NUMBER)
        count = whole_number(request.query_params.get("count", "1"), 1, MOST)
        revision, table = side.table()
        with open_database(side.side.database) as connection:
            found = placed(connection, table, first, count)
        if not found:
            raise Missing("there is no such frame", where=f"frame {first}", why=f"there are {len(table.frame_names)}")
        return {"revision": revision, "frames": found}

    def show_near(request: Request) -> Any:
        side = side_of(request)
        number = whole_number(request.path_params["number"], 0, _MOST_NUMBER)
        with open_database(side.side.database) as connection:
            return near(connection, side.table()[1], number)

    def landmarks(request: Request, asked: Looked) -> Any:
        side = side_of(request)
        roll = None
        if asked.face is not None:
            with open_database(side.side.database) as connection:
                face = faces.find_face(connection, asked.face)
            roll = face.roll if face is not None and np.isfinite(face.roll) else None
        frame = recent.get(side, asked.frame)
        region = around(asked.box, frame)
        box = region.inward(np.reshape(asked.box, (2, 2))).ravel().tolist()
        answer = bench.vision.ask(asked.page, "landmarks", [region.cut(frame)], box=box, roll=roll)
        if answer is None:
            return {"superseded": True}
        return {**answer, "points": region.outward(answer["points"]).round(3).tolist()}

    def follow(request: Request, asked: Followed) -> Any:
        side = side_of(request)
        with open_database(side.side.database) as connection:
            face = faces.find_face(connection, asked.face)
        if face is None:
            raise Missing("no face has this id", where=asked.face)
        if face.landmarks is None:
            raise InputError("this face has no points to follow", where=asked.face)
        before, after = recent.get(side, asked.source), recent.get(side, asked.frame)
        if before.shape != after.shape:
            raise InputError("the frames have different sizes", hint="draw a new box instead")
        box = (
            face.box if np.isfinite(face.box).all() else np.concatenate([face.landmarks.min(0), face.landmarks.max(0)])
        )
        region = around(box.tolist(), before)
        answer = bench.vision.ask(
            asked.page,
            "follow",
            [region.cut(before), region.cut(after)],
            box=region.inward(box.reshape(2, 2)).ravel().tolist(),
            points=region.inward(face.landmarks).tolist(),
        )
        if answer is None:
            return {"superseded": True}
        points, place = (region.outward(np.reshape(answer[name], (-1, 2))).round(3) for name in ("points", "box"))
        return {**answer, "points": points.tolist(), "box": place.ravel().tolist(), "source_base": seen_as(face)}

    return [
        get("/{side}/lanes", lanes),
        get("/{side}/placed", show_placed),
        get("/{side}/near/{number}", show_near),
        post("/{side}/landmarks", Looked, landmarks),
        post("/{side}/follow", Followed, follow),
    ]


def _limits(request: Request) -> Limits:
    usual = Limits()
    values = {}
    for name in ("misaligned", "small", "low"):
        text = request.query_params.get(name, "")
        try:
            values[name] = float(text) if text else getattr(usual, name)
        except ValueError:
            raise UsageError("this is no number", where=f"{name}={text[:40]}") from None
    return Limits(**values)
