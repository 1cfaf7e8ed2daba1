"""Bodies of requests, read no further than they may be long."""

from starlette.requests import Request


async def small_body(request: Request, most: int) -> bytes:
    """The body; empty for one of more than ``most`` bytes, which is read no further."""
    found = bytearray()
    async for chunk in request.stream():
        found += chunk
        if len(found) > most:
            return b""
    return bytes(found)
