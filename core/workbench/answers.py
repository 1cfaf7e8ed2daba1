"""How routes answer: work in a thread, JSON or bytes out, our errors as JSON with a fitting status."""

import asyncio
import json
from collections.abc import Callable
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from core.errors import CorruptFileError, EnvironmentFault, InputError, PipelineError, UsageError, from_os_error
from core.web.bodies import small_body

API = "/api/v1"
MOST_BYTES = 4 << 20
FOREVER = "private, max-age=31536000, immutable"
M = TypeVar("M", bound=BaseModel)


class Missing(InputError):
    """There is no such thing."""


class Conflict(InputError):
    """Somebody else has changed it, or is about to."""


_STATUSES = (
    (UsageError, 422),
    (Missing, 404),
    (Conflict, 409),
    (InputError, 400),
    (CorruptFileError, 422),
    (EnvironmentFault, 503),
)


def get(path: str, answer: Callable[[Request], Any]) -> Route:
    """A route that reads. answer: gives a response, or a value for JSON; it runs in a thread."""

    async def endpoint(request: Request) -> Response:
        return await _answered(answer, request)

    return Route(f"{API}{path}", endpoint, methods=["GET"])


def post(path: str, model: type[M], answer: Callable[[Request, M], Any]) -> Route:
    """A route that changes something. model: of its JSON body. answer: as of ``get``."""

    async def endpoint(request: Request) -> Response:
        text = await small_body(request, MOST_BYTES)
        return await _answered(lambda request: answer(request, read_body(model, text)), request)

    return Route(f"{API}{path}", endpoint, methods=["POST"])


def read_body(model: type[M], text: bytes) -> M:
    """The body of a request.

    Raises:
        UsageError: it is none of this model, or too long.
    """
    if not text:
        raise UsageError(f"the request has no body, or one of more than {MOST_BYTES >> 20} MB")
    try:
        return model.model_validate_json(text)
    except ValidationError as error:
        faults = [f"{'.'.join(map(str, item['loc']))}: {item['msg']}" for item in error.errors()[:5]]
        raise UsageError("the request cannot be understood", why="; ".join(faults)) from None


async def _answered(answer: Callable[[Request], Any], request: Request) -> Response:
    try:
        found = await asyncio.to_thread(answer, request)
    except PipelineError as error:
        return error_response(error)
    except OSError as error:
        return error_response(from_os_error(error))
    return found if isinstance(found, Response) else JSONResponse(found)


def error_response(error: PipelineError, **more: Any) -> Response:
    """What, where, why and hint of an error. more: what else the page has to know."""
    words = {"what": error.what, "where": str(error.where or ""), "why": error.why, "hint": error.hint}
    return JSONResponse({"error": words, **more}, status_of(error))


def status_of(error: PipelineError) -> int:
    """The HTTP status of an error."""
    return next((status for kind, status in _STATUSES if isinstance(error, kind)), 500)


def binary(data: bytes, kind: str = "application/octet-stream", *, etag: str = "", forever: bool = False) -> Response:
    """Bytes. etag: of their contents. forever: whether the address never shows anything else."""
    headers = {"Cache-Control": FOREVER if forever else "private, no-cache"}
    if etag:
        headers["ETag"] = f'"{etag}"'
    return Response(data, media_type=kind, headers=headers)


def unchanged(request: Request, etag: str) -> Response | None:
    """The answer to a browser that has these contents already; None for one that has not."""
    if request.headers.get("if-none-match") != f'"{etag}"':
        return None
    return Response(status_code=304, headers={"ETag": f'"{etag}"', "Cache-Control": "private, no-cache"})


def headed(head: dict[str, Any], *blocks: bytes) -> bytes:
    """A JSON head and blocks of numbers: uint32 length of the head, the head, spaces up to a multiple of 8, blocks."""
    text = json.dumps(head).encode()
    text += b" " * (-(4 + len(text)) % 8)
    return len(text).to_bytes(4, "little") + text + b"".join(blocks)


def whole_number(text: str, least: int, most: int) -> int:
    """A number of a request. Raises UsageError for anything else."""
    if not (text.isascii() and text.isdigit()) or len(text) > 18 or not least <= int(text) <= most:
        raise UsageError("this is no number that fits here", where=text[:40], why=f"from {least} to {most}")
    return int(text)
