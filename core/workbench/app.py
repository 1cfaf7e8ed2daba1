"""The application: the page, its files, the routes of every screen, behind the guard."""

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp

from core.web.guard import Doors, Guard, Keys, change_token, protective_headers
from core.workbench.answers import binary, unchanged
from core.workbench.bench import Bench
from core.workbench.routes import faces, frames, jobs, masks, merge, overview, sides, training
from core.workbench.static_files import policy, static_files

ENTER = "/enter"
# What the page that takes the token needs before it has the cookie. None of it is a secret.
_BEFORE = ("enter.js", "theme.css")
# One module a screen; each has ``routes(bench)``.
SCREENS = (overview, jobs, training, sides, frames, faces, masks, merge)


def new_keys(port: int) -> Keys:
    """The secrets of a server on this port."""
    return Keys("forge_workbench", port, ENTER)


def workbench_app(bench: Bench, keys: Keys) -> ASGIApp:
    """The application."""
    static = static_files()

    def file(name: str, request: Request) -> Response:
        found = static.get(name)
        if found is None:
            return Response(status_code=404)
        return unchanged(request, found.tag) or binary(found.data, found.kind, etag=found.tag)

    async def show(request: Request) -> Response:
        return file(request.path_params["name"], request)

    async def page(request: Request) -> Response:
        return file("index.html", request)

    async def enter(request: Request) -> Response:
        return await change_token(request, keys) if request.method == "POST" else file("enter.html", request)

    routes = [
        Route("/", page),
        Route(ENTER, enter, methods=["GET", "POST"]),
        Route("/static/{name:path}", show),
        *(route for screen in SCREENS for route in screen.routes(bench)),
    ]
    doors = Doors(without_key=(ENTER, *(f"/static/{name}" for name in _BEFORE)))
    headers = protective_headers(policy(static["index.html"].data, keys.hosts))
    return Guard(Starlette(routes=routes), keys, doors, headers)
