"""Runs a page's server on this computer's own address, or on a file that only its owner may use, until told to stop."""

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import uvicorn
from starlette.types import ASGIApp

from core.errors import InputError

ADDRESS = "127.0.0.1"


def bound(port: int) -> socket.socket:
    """A socket of 127.0.0.1. port: 0 for any that is free.

    Raises:
        InputError: another program has the port.
    """
    # asyncio sends small answers at once on sockets that name their protocol; on others they wait 40 ms for company.
    made = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        made.bind((ADDRESS, port))
    except OSError as error:
        made.close()
        raise InputError(
            "the port cannot be used", where=f"{ADDRESS}:{port}", why=str(error), hint="--port 0 takes any"
        ) from None
    return made


@contextmanager
def bound_to_file(path: Path) -> Iterator[socket.socket]:
    """A Unix socket of mode 0600, which is gone afterwards; one that a killed server left is replaced.

    Raises:
        InputError: there is something else, a server listens there, or the place cannot be used.
    """
    if path.exists() and not path.is_socket():
        raise InputError("there is something else in the place of the socket", where=path)
    if path.exists() and _answers(path):
        raise InputError("another server listens there", where=path)
    made = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    # Nobody else may open it, not even between its making and a change of its mode.
    before = os.umask(0o177)
    try:
        path.unlink(missing_ok=True)
        made.bind(str(path))
    except OSError as error:
        made.close()
        raise InputError("the socket cannot be made", where=path, why=str(error)) from None
    finally:
        os.umask(before)
    try:
        yield made
    finally:
        made.close()
        path.unlink(missing_ok=True)


def _answers(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as tried:
        try:
            tried.connect(str(path))
        except OSError:
            return False
    return True


def new_server(app: ASGIApp, *, most_bytes: int, connections: int = 32) -> uvicorn.Server:
    """A server; ``run(sockets=[...])`` returns after ``should_exit`` was set, or a signal came.

    most_bytes: of a message over a WebSocket. connections: how many are answered at a time.
    """
    config = uvicorn.Config(
        app,
        log_config=None,
        log_level="error",
        access_log=False,
        lifespan="off",
        server_header=False,
        ws_max_size=most_bytes,
        ws_max_queue=4,
        limit_concurrency=connections,
        timeout_graceful_shutdown=1,
    )
    return uvicorn.Server(config)
