"""Faces and frames of a side: views, thumbs, pictures, edits, undo."""

from typing import Any

from pydantic import BaseModel, ConfigDict
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from core.errors import UsageError
from core.faceset.database import changes
from core.faceset.database.connection import open_database
from core.workbench.answers import Missing, binary, get, post, unchanged, whole_number
from core.workbench.bench import Bench
from core.workbench.sides import edits, views
from core.workbench.sides.edits import Edits
from core.workbench.sides.side_view import SideView
from core.workbench.sides.thumbs import packed

MOST_THUMBS = 512
COLOR = "color"
WIDEST = 8192
_HISTORY = 200


class Nothing(BaseModel):
    """A body that says nothing."""

    model_config = ConfigDict(extra="forbid")


def routes(bench: Bench) -> list[Route]:
    """The routes of both sides."""

    def side_of(request: Request) -> SideView:
        try:
            return bench.sides[request.path_params["side"]]
        except KeyError:
            raise Missing("no such side", where=request.path_params["side"], why="there are src and dst") from None

    def summary(request: Request) -> Any:
        revision, table = side_of(request).table()
        return {
            "revision": revision,
            "faces": len(table),
            "frames": len(table.frame_names),
            "columns": views.known_columns(table),
            "counts": views.counts(table),
        }

    def view(request: Request) -> Response:
        side = side_of(request)
        tag = f"{side.state}-{bench.events.run}"
        revision, table = side.table()
        query = request.query_params.multi_items()
        columns = [name for name in request.query_params.get(views.COLUMNS, "").split(",") if name]
        sort = request.query_params.get(views.SORT, "").removeprefix("-")
        table = side.more_columns(table, {sort, *columns, *(name for name, _ in query)})
        found = views.look(table, query)
        bench.make_thumbs(side.side.name)
        if COLOR in columns:  # which thumbs there are is no matter of the revision
            return binary(views.block(table, found, columns, revision, {COLOR: side.colors(table)}))
        return unchanged(request, tag) or binary(views.block(table, found, columns, revision), etag=tag)

    def thumbs(request: Request) -> Response:
        ids = [face for face in request.query_params.get("ids", "").split(",") if face]
        if not 0 < len(ids) <= MOST_THUMBS:
            raise UsageError("how many thumbs?", where=f"{len(ids)} ids", why=f"from 1 to {MOST_THUMBS}")
        side = side_of(request)
        found = side.thumbs.get(side.faces(ids))
        return binary(packed([found.get(face, b"") for face in ids]))

    def face(request: Request) -> Response:
        tag, data = side_of(request).face(request.path_params["face"])
        kind = "image/png" if data[:4] == b"\x89PNG" else "image/jpeg"
        return unchanged(request, tag) or binary(data, kind, etag=tag)

    def frame(request: Request) -> Response:
        number = whole_number(request.path_params["number"], 0, 10**9)
        width = whole_number(request.query_params.get("w", "0"), 0, WIDEST)
        tag, data = side_of(request).frame_jpeg(number, width)
        return unchanged(request, tag) or binary(data, "image/jpeg", etag=tag)

    def frames(request: Request) -> Any:
        return {"names": side_of(request).frame_names()}

    def told(side: SideView, what: str, faces: int, before: str, change: int) -> str:
        revision = side.follow(before, change)
        bench.events.add("faces", {"side": side.side.name, "revision": revision, "what": what, "faces": faces})
        return revision

    def edit(request: Request, asked: Edits) -> Any:
        side = side_of(request)
        with side.changing():
            done = edits.edit(side.side, asked, side.revision)
            revision = told(side, "edited", done.faces, done.before, done.change)
        return {
            "before": done.before,
            "revision": revision,
            "change": done.change,
            "faces": done.faces,
            "repeated": done.repeated,
        }

    def take_back(request: Request, redo: bool) -> Any:
        side = side_of(request)
        with side.changing():
            back = edits.take_back(side.side, side.revision, redo=redo)
            revision = told(side, "redone" if redo else "undone", back.done.faces, back.before, back.done.number)
        done = back.done
        return {
            "revision": revision,
            "change": done.number,
            "tool": done.tool,
            "faces": done.faces,
            "face": back.face,
            "frame": back.frame,
        }

    def apply(request: Request, asked: Nothing) -> Any:
        side = side_of(request)
        with side.changing():
            done = edits.apply_marks(side.side, side.revision)
            revision = told(side, "applied", done.faces, done.before, done.change)
        return {"revision": revision, "change": done.change, "faces": done.faces}

    def history(request: Request) -> Any:
        with open_database(side_of(request).side.database) as connection:
            found = changes.history(connection)[-_HISTORY:]
        return [
            {"number": done.number, "time": done.time, "tool": done.tool, "faces": done.faces, "undone": done.undone}
            for done in found
        ]

    return [
        get("/{side}/faces", summary),
        get("/{side}/view", view),
        get("/{side}/thumbs", thumbs),
        get("/{side}/face/{face}.jpg", face),
        get("/{side}/frames", frames),
        get("/{side}/frame/{number}.jpg", frame),
        get("/{side}/history", history),
        post("/{side}/edits", Edits, edit),
        post("/{side}/undo", Nothing, lambda request, asked: take_back(request, redo=False)),
        post("/{side}/redo", Nothing, lambda request, asked: take_back(request, redo=True)),
        post("/{side}/apply", Nothing, apply),
    ]
