"""Masks of faces: which need a look, what was drawn on one, its mask as a picture, polygons that are suggested."""

from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from core.faceset.masks.labels import suggested, suggestion
from core.formats import dfl_image
from core.imaging.codec import decode_image, encode_png
from core.imaging.masks import best_mask_levels, hull_mask, mask_origin
from core.jobs.masks.report import SHEET
from core.types import FaceRecord, Polygon
from core.workbench.answers import Missing, binary, get, post, unchanged
from core.workbench.bench import Bench
from core.workbench.faces.columns import has_word, with_found
from core.workbench.masks.facts import MaskFacts
from core.workbench.sides import views
from core.workbench.sides.labelling import drawn_as
from core.workbench.sides.operation import FaceId
from core.workbench.sides.side_view import SideView
from core.workbench.sides.table import FaceTable

_COLUMNS = ("frame", "polygons", "doubt", "mask_stale", "mask")
_PAGE = Annotated[str, Field(min_length=1, max_length=60)]


class Suggest(BaseModel):
    """Polygons for a face. source: its stored mask, or what the mask network says now. tolerance: pixels at a side of
    256 that they may be from the edge of the mask; None: as few points as draw it well. page: as of the frames.
    """

    model_config = ConfigDict(extra="forbid")

    page: _PAGE
    face: FaceId
    source: Literal["stored", "network"]
    tolerance: Annotated[float, Field(ge=0, le=20, allow_inf_nan=False)] | None = None


def routes(bench: Bench) -> list[Route]:
    """The routes of both sides."""
    facts = {name: MaskFacts(view) for name, view in bench.sides.items()}

    def side_of(request: Request) -> SideView:
        try:
            return bench.sides[request.path_params["side"]]
        except KeyError:
            raise Missing("no such side", where=request.path_params["side"], why="there are src and dst") from None

    def looked(request: Request) -> tuple[str, FaceTable, int]:
        revision, table, found, left = facts[side_of(request).side.name].look()
        return revision, with_found(table, [found]), left

    def summary(request: Request) -> Any:
        revision, table, left = looked(request)
        time = _report_time(_report_of(side_of(request)))
        return {"revision": revision, "left": left, "faces": len(table), "counts": _counts(table), "report": time}

    def view(request: Request) -> Response:
        revision, table, _ = looked(request)
        chosen = views.look(table, request.query_params.multi_items())
        bench.make_thumbs(side_of(request).side.name)
        return binary(views.block(table, chosen, _COLUMNS, revision))

    def show(request: Request) -> Any:
        _, _, record = _opened(side_of(request), request.path_params["face"])
        return {
            "id": request.path_params["face"],
            "name": record.name,
            "size": record.shape[::-1],
            "polygons": _plain(record.polygons),
            "base": drawn_as(record.polygons),
            "mask": mask_origin(record),
            "stored": record.xseg_mask is not None,
        }

    def mask(request: Request) -> Response:
        tag, _, record = _opened(side_of(request), request.path_params["face"])
        return unchanged(request, tag) or binary(encode_png(best_mask_levels(record)), "image/png", etag=tag)

    def report(request: Request) -> Response:
        path = _report_of(side_of(request))
        if not _report_time(path):
            raise Missing("there is no mask report yet", hint="make one: Mask report")
        return binary(path.read_bytes(), "image/jpeg")

    def suggest(request: Request, asked: Suggest) -> Any:
        _, data, record = _opened(side_of(request), asked.face)
        if asked.source == "stored":
            return _from_stored(record, asked.tolerance)
        answer = bench.vision.ask(
            asked.page,
            "mask",
            [decode_image(data, record.name)],
            landmarks=record.landmarks.tolist(),
            face_type=record.face_type,
            root=str(bench.workspace.root),
            tolerance=asked.tolerance,
        )
        return {"superseded": True} if answer is None else {**answer, "source": "network"}

    return [
        get("/{side}/masks", summary),
        get("/{side}/masks/view", view),
        get("/{side}/masks/report.jpg", report),
        get("/{side}/masks/{face}", show),
        get("/{side}/masks/{face}/mask.png", mask),
        post("/{side}/masks/suggest", Suggest, suggest),
    ]


def _report_of(side: SideView) -> Path:
    """The contact sheet of the worst masks, as the mask report leaves it."""
    return side.side.aligned_views / SHEET


def _report_time(path: Path) -> int:
    """When it was made, in milliseconds; 0 where there is none."""
    return path.stat().st_mtime_ns // 1_000_000 if path.is_file() else 0


def _counts(table: FaceTable) -> dict[str, int]:
    """How many kept faces each filter finds."""
    kept = has_word(table, "status", "kept")
    polygons, stale = table.numbers["polygons"], table.numbers["mask_stale"]
    found = {
        "all": kept,
        "labelled": kept & (polygons > 0),
        "unlabelled": kept & (polygons == 0),
        "stale": kept & (stale == 1),
    }
    return {name: int(which.sum()) for name, which in found.items()}


def _opened(side: SideView, face: str) -> tuple[str, bytes, FaceRecord]:
    """(what changes with the contents, the file of a face, its record)."""
    if len(face) != 16 or set(face) - set("0123456789abcdef"):
        raise Missing("no face has this id", where=face[:40])
    tag, data = side.face(face)
    return tag, data, dfl_image.parse(data, side.table()[1].pictures[face].name)


def _from_stored(record: FaceRecord, tolerance: float | None) -> dict[str, Any]:
    if record.xseg_mask is None:
        hull = hull_mask(record.shape, record.landmarks, record.eyebrows_expand_mod)
        return {"polygons": _plain(suggested(hull, tolerance)), "source": "hull"}
    return {"polygons": _plain(suggestion(record, tolerance)), "source": mask_origin(record)}


def _plain(polygons: tuple[Polygon, ...]) -> list[dict[str, Any]]:
    return [{"include": one.include, "points": np.asarray(one.points, float).tolist()} for one in polygons]
