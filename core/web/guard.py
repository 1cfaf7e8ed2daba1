"""Who may talk to a page: whoever has its link, from a page of this server, under a name of this computer.

The address alone is no protection: every page in the same browser can send requests to it.
"""

import hmac
import secrets
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from http.cookies import CookieError, SimpleCookie
from urllib.parse import parse_qs

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from core.web.bodies import small_body

_LONGEST = 200  # bytes of a token


def _token() -> str:
    return secrets.token_urlsafe(32)


@dataclass(frozen=True)
class Keys:
    """The secrets of one run of a server.

    name: of the cookie, without the port. port: of the server, as browsers see it. page: where the link leads.
    token: stands in the link, behind #, so that it reaches no log; the page changes it for the cookie.
    session: the cookie. outside: for programs that cannot have one; it opens ``Doors.by_key`` and nothing else.
    """

    name: str
    port: int
    page: str = "/"
    token: str = field(default_factory=_token)
    session: str = field(default_factory=_token)
    outside: str = field(default_factory=_token)

    @property
    def hosts(self) -> tuple[str, ...]:
        return tuple(f"{name}:{self.port}" for name in ("127.0.0.1", "localhost", "[::1]"))

    @property
    def cookie(self) -> str:
        """Its name has the port, since cookies do not tell ports apart."""
        return f"{self.name}_{self.port}"

    @property
    def link(self) -> str:
        return f"http://127.0.0.1:{self.port}{self.page}#{self.token}"


@dataclass(frozen=True)
class Doors:
    """Paths that the cookie does not guard. without_key: open to every page of this server. by_key: to the outside
    key, as ``?key=``.
    """

    without_key: Collection[str]
    by_key: Collection[str] = ()


class Guard:
    """Lets requests through to an application, or answers them with what is wrong."""

    def __init__(self, app: ASGIApp, keys: Keys, doors: Doors, headers: Mapping[str, str]):
        """headers: that every answer gets, unless it has one of that name itself."""
        self._app, self._keys, self._doors = app, keys, doors
        self._headers = [(name.lower().encode(), value.encode()) for name, value in headers.items()]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        refused = refusal(scope, self._keys, self._doors)

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                own = {name.lower() for name, _ in message["headers"]}
                more = [pair for pair in self._headers if pair[0] not in own]
                message["headers"] = [*message["headers"], *more]
            await send(message)

        if refused is None:
            await self._app(scope, receive, send_with_headers)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
        else:
            await PlainTextResponse(refused[1] + "\n", refused[0])(scope, receive, send_with_headers)


async def change_token(request: Request, keys: Keys) -> Response:
    """The answer to a page that sends the token of the link: the cookie."""
    if not same((await small_body(request, _LONGEST)).decode("latin-1"), keys.token):
        return PlainTextResponse("not the link that the program printed\n", 401)
    answer = PlainTextResponse("")
    answer.set_cookie(keys.cookie, keys.session, httponly=True, samesite="strict")
    return answer


def protective_headers(policy: str) -> dict[str, str]:
    """What every answer says to the browser. policy: the content security policy."""
    return {
        "Content-Security-Policy": policy,
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Cache-Control": "no-store",
    }


def refusal(scope: Scope, keys: Keys, doors: Doors) -> tuple[int, str] | None:
    """(status, why) of a request that is refused; None for one that may go on."""
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
    if headers.get("host") not in keys.hosts:
        # A page elsewhere whose name was made to lead here.
        return 421, "not a name of this server: a tunnel needs the same port at both ends"
    origin = headers.get("origin")
    if origin is not None and origin not in {f"http://{host}" for host in keys.hosts}:
        return 403, "this comes from another page"
    if origin is None and (scope["type"] == "websocket" or scope["method"] not in ("GET", "HEAD")):
        return 403, "a page has to say where it comes from"
    ours = headers.get("sec-fetch-site", "none") in ("same-origin", "none")
    if not ours and not _follows_a_link(scope, headers, doors):
        return 403, "this comes from another page"
    if scope["path"] in doors.without_key or _may_enter(scope, headers, keys, doors):
        return None
    return 401, "open the link that the program printed"


def _follows_a_link(scope: Scope, headers: Mapping[str, str], doors: Doors) -> bool:
    """Whether a person clicked on the link somewhere, such as in a terminal that is a page itself.

    What is shown then has no secret: without the key, which only the link has, it stays as it is.
    """
    opens = headers.get("sec-fetch-mode") == "navigate" and headers.get("sec-fetch-dest") == "document"
    return opens and scope["type"] == "http" and scope["method"] == "GET" and scope["path"] in doors.without_key


def same(one: str, other: str) -> bool:
    """Whether two secrets are equal; takes as long where they differ."""
    return hmac.compare_digest(one.encode("utf-8", "replace"), other.encode())


def _may_enter(scope: Scope, headers: Mapping[str, str], keys: Keys, doors: Doors) -> bool:
    if scope["path"] in doors.by_key:
        given = parse_qs(scope.get("query_string", b"").decode("latin-1")).get("key", [""])[0]
        if same(given, keys.outside):
            return True
    try:
        cookie = SimpleCookie(headers.get("cookie", "")).get(keys.cookie)
    except CookieError:
        return False
    return cookie is not None and same(cookie.value, keys.session)
