"""What pictures, films and models say of their origin: whether they are synthetic, and what made them."""

from pathlib import Path

from pydantic import Field

from core.options import Options as BaseOptions
from core.options import Positional
from core.types import StageReport
from core.workspace import Workspace


class Options(BaseOptions):
    files: Positional[list[Path]] = Field(description="pictures, films, .dfm files")


def run(options: Options, workspace: Workspace) -> StageReport:
    """Read the labels."""
    from core.jobs.provenance import origins

    found = origins(options.files)
    rows: list[tuple[str, object]] = []
    for origin in found:
        rows += [(f"{origin.path.name}: {what}", value) for what, value in origin.said.items()]
    silent = tuple(f"{origin.path.name} says nothing of its origin" for origin in found if not origin.said)
    return StageReport(
        f"{len(found) - len(silent)} of {len(found)} files say where they come from", tuple(rows), silent
    )
