"""Merging by eye: a frame with the options that are tried, cues, the films that were made."""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import Route

from core.errors import PipelineError
from core.faceset.database.connection import open_database
from core.jobs.merge import cue_file
from core.jobs.merge.choices import MergeChoices
from core.jobs.merge.cues import FILE, WHERE, FaceSettings, cues_of
from core.jobs.merge.faces_of_film import read_faces
from core.jobs.merge.one_frame import Asked
from core.workbench.answers import Conflict, Missing, binary, error_response, get, headed, post
from core.workbench.bench import Bench
from core.workbench.jobs.forms import WrongForm, checked
from core.workbench.merging.film import FILMS, STAGE, film_of, films_made, merge_stage, option_groups, source_like
from core.workbench.merging.previewer import Preview

_TEXT = Field(max_length=200)
_MOST_NUMBER = 10**9


class Where(BaseModel):
    """For whom a cue is; what is empty does not choose."""

    model_config = ConfigDict(extra="forbid")

    frames: Annotated[str, _TEXT] = ""
    scene: Annotated[int, Field(ge=1, le=_MOST_NUMBER)] | None = None
    person: Annotated[str, _TEXT] = ""


class Draft(BaseModel):
    """A cue that is not in the file. changes: settings and their values."""

    model_config = ConfigDict(extra="forbid")

    where: Where = Where()
    changes: dict[str, bool | int | float | str] = {}


class Shown(BaseModel):
    """A frame to show. page: a word of the page; what it asks for later replaces this. frame: its place, from 0.

    values: of the options of the stage. draft: a cue to try. cues: whether those of the file count.
    """

    model_config = ConfigDict(extra="forbid")

    page: Annotated[str, Field(min_length=1, max_length=60)]
    frame: Annotated[int, Field(ge=0, le=_MOST_NUMBER)]
    values: dict[str, Any] = {}
    draft: Draft | None = None
    cues: bool = True


class Added(Draft):
    """A cue for the file. base: the revision that the page has seen."""

    base: Annotated[str, _TEXT]


class Changed(BaseModel):
    """Take a cue out of the file, or, without a number, make the file what it was before the last change."""

    model_config = ConfigDict(extra="forbid")

    base: Annotated[str, _TEXT]
    number: Annotated[int, Field(ge=1, le=_MOST_NUMBER)] | None = None


def routes(bench: Bench) -> list[Route]:
    """The routes."""
    path = bench.workspace.root / FILE
    source, target = bench.sides["src"], bench.sides["dst"]

    def show_film(request: Request) -> Any:
        groups = option_groups(bench.stages)
        return {**film_of(bench.workspace, target), "groups": groups, "films": films_made(bench.workspace)}

    def preview(request: Request, asked: Shown) -> Response:
        try:
            options = checked(bench.stages, STAGE, {**asked.values, "side": "dst"})
        except WrongForm as error:
            return error_response(error, fields=error.fields)
        choices = merge_stage(bench.stages).choices_of(options)
        text = cue_file.read(path) if asked.cues else ""
        if asked.draft is not None and asked.draft.changes:
            text = cue_file.with_cue(text, asked.draft.where.model_dump(), asked.draft.changes, path)
        names = target.frame_names()
        image = target.frame(asked.frame)
        tag = target.frame_tag(asked.frame)
        made = bench.previewer.ask(asked.page, Asked(names[asked.frame], image, tag, target.revision(), choices, text))
        if made is None:
            return binary(headed({"superseded": True}))
        return binary(_packed(made, names[asked.frame], source_like(source, target, made.ids)))

    def cues_state() -> dict[str, Any]:
        text = cue_file.read(path)
        found: dict[str, Any] = {"revision": cue_file.revision_of(text), "undo": cue_file.can_swap_back(path)}
        try:
            table = cue_file.table_of(text, path)
            cues_of(table, path, FaceSettings())
        except PipelineError as error:
            words = {"what": error.what, "where": str(error.where or ""), "why": error.why, "hint": error.hint}
            return {**found, "cues": [], "error": words}
        return {**found, "cues": [_listed(cue) for cue in table.get("cue", [])], "error": None}

    def text_of(base: str) -> str:
        text = cue_file.read(path)
        if cue_file.revision_of(text) != base:
            raise Conflict(
                "the file with cues was changed elsewhere", where=path.name, hint="look at it, then try again"
            )
        return text

    def add(request: Request, asked: Added) -> Any:
        text = cue_file.with_cue(text_of(asked.base), asked.where.model_dump(), asked.changes, path)
        made = cues_of(cue_file.table_of(text, path), path, FaceSettings())
        with open_database(target.side.database) as connection:
            # Persons and scenes that are not there are said now, by those who would say it when merging.
            read_faces(connection, MergeChoices(calm=0.0), FaceSettings(), made)
        cue_file.write(path, text)
        bench.events.add("cues", {})
        return cues_state()

    def remove(request: Request, asked: Changed) -> Any:
        text = text_of(asked.base)
        if asked.number is None:
            cue_file.swap_back(path)
        else:
            cue_file.write(path, cue_file.without_cue(text, asked.number, path))
        bench.events.add("cues", {})
        return cues_state()

    def film(request: Request) -> Response:
        name = request.path_params["name"]
        if name not in FILMS or not (bench.workspace.root / name).is_file():
            raise Missing("there is no such film", where=str(name)[:60])
        return FileResponse(bench.workspace.root / name, filename=name, media_type="video/mp4")

    return [
        get("/merge/film", show_film),
        post("/merge/preview", Shown, preview),
        get("/merge/cues", lambda request: cues_state()),
        post("/merge/cues", Added, add),
        post("/merge/cues/change", Changed, remove),
        get("/merge/films/{name}", film),
    ]


def _packed(made: Preview, name: str, like: list[dict[str, Any]]) -> bytes:
    head = {
        "name": name,
        "size": made.size,
        "lengths": [len(jpeg) for jpeg in made.jpegs],
        "faces": [
            {"id": identity, "person": person, "place": place}
            for identity, person, place in zip(made.ids, made.persons, made.places, strict=True)
        ],
        "scene": made.scene,
        "cues": made.cues,
        "model": made.model,
        "device": made.device,
        "like": like,
    }
    return headed(head, *made.jpegs)


def _listed(cue: dict[str, Any]) -> dict[str, Any]:
    where = {name: cue[name] for name in WHERE if name in cue}
    return {"where": where, "changes": {name: value for name, value in cue.items() if name not in WHERE}}
