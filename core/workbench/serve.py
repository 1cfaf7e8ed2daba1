"""Runs the workbench until Ctrl-C."""

import gc
import logging
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from core.web.server import bound, bound_to_file, new_server
from core.workbench.answers import MOST_BYTES
from core.workbench.app import new_keys, workbench_app
from core.workbench.bench import Bench
from core.workbench.jobs.forms import Stages
from core.workspace import Workspace

log = logging.getLogger(__name__)
_CONNECTIONS = 64
_COLLECT_AFTER = 100_000  # new objects


@dataclass(frozen=True)
class Served:
    """How it was left. link: where the page was. running: stages that go on."""

    link: str
    running: tuple[str, ...]


def serve(workspace: Workspace, stages: Stages, *, port: int, socket: Path | None, reserve: int) -> Served:
    """Serve the page until Ctrl-C. Jobs go on afterwards, and the next server knows them.

    port: as browsers see it; 0 for any. socket: listen on this Unix socket instead of the port of 127.0.0.1.
    reserve: bytes of disk that have to stay free.

    Raises:
        InputError: the port or the socket cannot be used; or no workspace can be there.
    """
    workspace.create()
    collect_rarely()
    bench = Bench(workspace, stages, reserve)
    with ExitStack() as stack:
        listening = stack.enter_context(bound_to_file(socket) if socket else bound(port))
        keys = new_keys(port if socket else listening.getsockname()[1])
        server = new_server(workbench_app(bench, keys), most_bytes=MOST_BYTES, connections=_CONNECTIONS)
        stack.enter_context(bench)
        if socket:
            log.info("a tunnel leads to it: ssh -L %d:%s you@this-computer", port, socket.resolve())
        log.info("open this link (Ctrl-C ends the page, not the jobs): %s", keys.link)
        try:
            server.run(sockets=[listening])
        except KeyboardInterrupt:
            log.info("ending")
    return Served(keys.link, tuple(job.stage for job in bench.jobs.running()))


def collect_rarely() -> None:
    """Rows of many faces are no garbage: looking through them for some takes a third of the time of reading them."""
    gc.set_threshold(_COLLECT_AFTER)
