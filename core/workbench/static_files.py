"""The files of the page: a fixed list, read once; a request never names a path."""

import base64
import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.resources import files
from importlib.resources.abc import Traversable

from core.web.look import stylesheets

KINDS = {
    ".html": "text/html",
    ".js": "text/javascript",
    ".mjs": "text/javascript",
    ".css": "text/css",
    ".svg": "image/svg+xml",
}
FOLDERS = ("faces", "frames", "lib", "masks", "merge", "screens", "styles", "vendor")
_IMPORT_MAP = re.compile(r'<script type="importmap">(.*?)</script>', re.DOTALL)


@dataclass(frozen=True)
class StaticFile:
    """kind: its media type. tag: changes with its contents."""

    data: bytes
    kind: str
    tag: str


def static_files() -> dict[str, StaticFile]:
    """Name, such as ``vendor/preact.mjs`` -> the file."""
    root = files("core.workbench").joinpath("static")
    found = {name: _file(data, KINDS[".css"]) for name, data in stylesheets().items()}
    found |= _found(root, "")
    for name in FOLDERS:
        found |= _found(root.joinpath(name), f"{name}/")
    return found


def _found(folder: Traversable, prefix: str) -> Iterator[tuple[str, StaticFile]]:
    for entry in folder.iterdir():
        dot = entry.name.rfind(".")
        kind = KINDS.get(entry.name[dot:]) if dot > 0 else None
        if kind is not None and entry.is_file():
            yield prefix + entry.name, _file(entry.read_bytes(), kind)


def _file(data: bytes, kind: str) -> StaticFile:
    return StaticFile(data, kind, hashlib.sha256(data).hexdigest()[:16])


def policy(page: bytes, hosts: tuple[str, ...]) -> str:
    """Content security policy: nothing from elsewhere, no script in the page but its import map, no frame around it."""
    found = _IMPORT_MAP.search(page.decode())
    digest = hashlib.sha256((found[1] if found else "").encode()).digest()
    sockets = " ".join(f"ws://{host}" for host in hosts[:2])
    return (
        f"default-src 'none'; script-src 'self' 'sha256-{base64.b64encode(digest).decode()}'; worker-src 'self'; "
        f"style-src 'self'; connect-src 'self' {sockets}; img-src 'self' blob: data:; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
