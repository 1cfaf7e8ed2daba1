"""a page for work by eye and hand: look through faces, start and watch stages; prints a link for your browser"""

from pathlib import Path

from pydantic import Field, model_validator

from core.options import Options as CommonOptions
from core.types import StageReport
from core.workspace import Workspace


class Options(CommonOptions):
    """Serve the page."""

    port: int = Field(
        8600, ge=0, le=65535, description="of the page, on 127.0.0.1 only, the same at both ends of a tunnel; 0: any"
    )
    socket: Path | None = Field(
        None, description="listen on this Unix socket, which others cannot use, instead of the port: ssh -L 8600:SOCKET"
    )
    reserve: float = Field(
        5, ge=0, le=10_000, description="GB that stay free on the disk: where less is left, running stages are stopped"
    )

    @model_validator(mode="after")
    def _port_of_the_tunnel(self) -> "Options":
        if self.socket and not self.port:
            raise ValueError("--socket needs the --port at which the browser finds it")
        return self


def run(options: Options, workspace: Workspace) -> StageReport:
    """Serve until Ctrl-C; stages that were started go on."""
    from core import stages
    from core.workbench.serve import serve

    served = serve(
        workspace,
        stages,
        port=options.port,
        socket=options.socket,
        reserve=int(options.reserve * 1e9),
    )
    rows = (("still running", ", ".join(served.running)),) if served.running else ()
    return StageReport("workbench: ended", rows)
