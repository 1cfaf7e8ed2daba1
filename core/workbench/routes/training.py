"""Previews and numbers of training."""

from typing import Any

from pydantic import BaseModel, ConfigDict
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from core.errors import UsageError
from core.training.requests import NUMBERS
from core.workbench.answers import binary, error_response, get, post, whole_number
from core.workbench.bench import Bench
from core.workbench.jobs.forms import WrongForm, checked
from core.workbench.training import comparisons

STAGE = "train"


class Asked(BaseModel):
    """What is asked of the run that trains. numbers: by the names of the options."""

    model_config = ConfigDict(extra="forbid")

    save: bool = False
    preview: bool = False
    numbers: dict[str, float] = {}


def routes(bench: Bench) -> list[Route]:
    """The routes."""

    def summary(request: Request) -> Any:
        points = whole_number(request.query_params.get("points", "1000"), 10, 10_000)
        return bench.training.summary(request.query_params.get("model", ""), points)

    def preview(request: Request) -> Response:
        iteration = whole_number(request.query_params.get("iteration", "0"), 0, 10**12)
        return binary(bench.training.preview(request.query_params.get("model", ""), iteration), "image/jpeg")

    def ask(request: Request, asked: Asked) -> Any:
        unknown = sorted(set(asked.numbers) - set(NUMBERS))
        if unknown:
            raise UsageError("this does not change while training", where=unknown[0], why=f"only {', '.join(NUMBERS)}")
        try:
            checked(bench.stages, STAGE, asked.numbers)
        except WrongForm as error:
            return error_response(error, fields=error.fields)
        acts = {name: True for name in ("save", "preview") if getattr(asked, name)}
        bench.training.ask({**asked.numbers, **acts})
        return {"ok": True}

    def pictures(request: Request) -> Response:
        # As a plain text: the page reads it, no browser shows it as a page of this server.
        text = comparisons.page_of(bench.workspace.model, request.path_params["id"])
        return binary(text.encode(), "text/plain; charset=utf-8")

    return [
        get("/training/saves", lambda request: comparisons.saves(bench.workspace)),
        get("/training/comparisons", lambda request: comparisons.comparisons(bench.workspace.model)),
        get("/training/comparisons/{id}/page", pictures),
        get("/training/summary", summary),
        get("/training/preview.jpg", preview),
        post("/training/request", Asked, ask),
    ]
