"""Runs the page's server on this computer's own address until it is told to stop."""

import socket

import uvicorn
from starlette.types import ASGIApp

from core.errors import InputError
from core.live.page.app import MOST_BYTES

ADDRESS = "127.0.0.1"


def bound(port: int) -> socket.socket:
    """A socket of 127.0.0.1. port: 0 for any that is free.

    Raises:
        InputError: another program has the port.
    """
    made = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        made.bind((ADDRESS, port))
    except OSError as error:
        made.close()
        raise InputError(
            "the port cannot be used", where=f"{ADDRESS}:{port}", why=str(error), hint="--port 0 takes any"
        ) from None
    return made


def new_server(app: ASGIApp) -> uvicorn.Server:
    """A server; ``run(sockets=[...])`` returns after ``should_exit`` was set, or a signal came."""
    config = uvicorn.Config(
        app,
        log_config=None,
        log_level="error",
        access_log=False,
        lifespan="off",
        server_header=False,
        ws_max_size=MOST_BYTES,
        ws_max_queue=4,
        limit_concurrency=32,
        timeout_graceful_shutdown=1,
    )
    return uvicorn.Server(config)
