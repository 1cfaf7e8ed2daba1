"""Previews and numbers of training."""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from core.workbench.answers import binary, get, whole_number
from core.workbench.bench import Bench


def routes(bench: Bench) -> list[Route]:
    """The routes."""

    def summary(request: Request) -> Any:
        points = whole_number(request.query_params.get("points", "1000"), 10, 10_000)
        return bench.training.summary(request.query_params.get("model", ""), points)

    def preview(request: Request) -> Response:
        iteration = whole_number(request.query_params.get("iteration", "0"), 0, 10**12)
        return binary(bench.training.preview(request.query_params.get("model", ""), iteration), "image/jpeg")

    return [get("/training/summary", summary), get("/training/preview.jpg", preview)]
