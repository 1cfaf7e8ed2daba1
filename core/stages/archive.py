"""earlier films -> put away, listed, brought back: the film of a side with its frames and faces"""

from typing import TYPE_CHECKING

from pydantic import Field

from core.errors import UsageError
from core.options import SideOptions
from core.types import StageReport
from core.workspace import Workspace

if TYPE_CHECKING:
    from core.jobs.archive import Archived


class Options(SideOptions):
    """Put away everything of a side, or bring an earlier film back. Nothing is deleted."""

    show: bool = Field(False, description="only list the earlier films")
    back: str = Field(
        "", description="bring this one back: its name, or `newest`; what is there now is put away instead"
    )


def run(options: Options, workspace: Workspace) -> StageReport:
    """Put away, list or bring back."""
    from core.jobs import archive

    if options.show and options.back:
        raise UsageError("choose one of --show and --back")
    side = workspace.side(options.side)
    if options.show:
        rows = tuple((one.name, described(one)) for one in archive.archives(side))
        return StageReport(f"earlier films of {options.side}: {len(rows)}", rows)
    if options.back:
        done = archive.bring_back(workspace, options.side, options.back)
        put_away = (("put away", f"{done.put_away.name}: {described(done.put_away)}"),) if done.put_away else ()
        back = ("brought back", f"{done.archived.name}: {described(done.archived)}")
        return StageReport(f"{options.side}: an earlier film is back", (back, *put_away), outputs=(side.frames,))
    made = archive.archive(workspace, options.side)
    rows = (("put away", described(made)), ("to bring it back", f"--back {made.name}"))
    return StageReport(f"{options.side} is empty now", rows, outputs=(archive.archive_folder(side) / made.name,))


def described(one: "Archived") -> str:
    """What an earlier film has, in words."""
    faces = "packed faces" if one.packed and not one.faces else f"{one.faces} faces"
    return f"{one.video or 'no film is known'}, {one.frames} frames, {faces}"
