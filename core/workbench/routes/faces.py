"""The screen of the faces: computed orders and verdicts, likeness, poses, all about one face."""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from core.errors import UsageError
from core.faceset.cleaning.verdicts import VERDICTS
from core.faceset.sorting.methods import METHODS
from core.workbench.answers import Missing, binary, get, post
from core.workbench.bench import Bench
from core.workbench.faces import works
from core.workbench.faces.about import about
from core.workbench.faces.computing import Computing, computed
from core.workbench.faces.likeness import Likeness
from core.workbench.faces.poses import poses
from core.workbench.faces.rejected import rejected_column, verdict_column
from core.workbench.faces.spreads import spreads
from core.workbench.sides.operation import FaceId

MOST_CHOSEN = 1000


class Asked(BaseModel):
    """Something to compute. count: how many faces the best-faces methods keep."""

    model_config = ConfigDict(extra="forbid")

    what: Annotated[str, Field(max_length=60)]
    count: Annotated[int, Field(ge=1, le=10_000_000)] = 2000


class Chosen(BaseModel):
    """Faces to look for others like them."""

    model_config = ConfigDict(extra="forbid")

    faces: Annotated[list[FaceId], Field(min_length=1, max_length=MOST_CHOSEN)]


class Nothing(BaseModel):
    """A body that says nothing."""

    model_config = ConfigDict(extra="forbid")


def routes(bench: Bench) -> list[Route]:
    """The routes."""
    computing = computed(bench.sides.values(), bench.events)
    likeness = {name: Likeness(view) for name, view in bench.sides.items()}
    for name, view in bench.sides.items():
        view.more_columns = likeness[name].with_columns

    def side_of(request: Request) -> str:
        side = request.path_params["side"]
        if side not in bench.sides:
            raise Missing("no such side", where=side, why="there are src and dst")
        return str(side)

    def computing_of(request: Request) -> Computing:
        return computing[side_of(request)]

    def methods(request: Request) -> Any:
        return {
            "methods": [{"name": method.name, "help": method.help, "angle": method.angle} for method in METHODS],
            "verdicts": [
                {"name": name, "column": verdict_column(name), "rejected": rejected_column(name), "help": help}
                for name, help in VERDICTS.items()
            ],
        }

    def compute(request: Request, asked: Asked) -> Any:
        if not works.is_work(asked.what):
            raise UsageError("there is no such thing to compute", where=asked.what)
        there = computing_of(request).ask(asked.what, asked.count)
        return {"there": there}

    def stop(request: Request, asked: Nothing) -> Any:
        computing_of(request).stop()
        return {"ok": True}

    def similar(request: Request, asked: Chosen) -> Response:
        return binary(likeness[side_of(request)].similar(asked.faces))

    def ranges(request: Request) -> Any:
        return spreads(bench.sides[side_of(request)].table()[1])

    def verdicts(request: Request) -> Any:
        return works.verdict_counts(bench.sides[side_of(request)].table()[1])

    def show(request: Request) -> Any:
        side, face = side_of(request), request.path_params["face"]
        return about(bench.sides[side], _face(face), computing[side].found)

    return [
        get("/sorting", methods),
        get("/{side}/ranges", ranges),
        get("/{side}/verdicts", verdicts),
        get("/poses", lambda request: poses(bench.sides)),
        get("/{side}/computing", lambda request: computing_of(request).state()),
        post("/{side}/computing", Asked, compute),
        post("/{side}/computing/stop", Nothing, stop),
        post("/{side}/similar", Chosen, similar),
        get("/{side}/faces/{face}", show),
    ]


def _face(text: str) -> str:
    if len(text) != 16 or set(text) - set("0123456789abcdef"):
        raise Missing("no face has this id", where=text[:40])
    return text
