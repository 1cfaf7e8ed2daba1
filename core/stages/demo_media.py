"""Make the two clips of the built-in demo: fictional faces, animated on the spot."""

from pydantic import Field

from core.errors import InputError
from core.options import Options as BaseOptions
from core.types import StageReport
from core.workspace import Workspace


class Options(BaseOptions):
    frames: int = Field(96, ge=8, le=2000, description="frames in each clip, at 12 a second")


def run(options: Options, workspace: Workspace) -> StageReport:
    """Write ``data_src.mp4`` and ``data_dst.mp4`` into an empty workspace; clips that are there already are kept."""
    from core.demo.clips import make_clips

    there = [p for name in ("src", "dst") for p in workspace.side(name).videos()]
    if len(there) == 2:
        return StageReport("nothing to do: the clips are there", outputs=tuple(there))
    if there:
        raise InputError(
            "there is a video in this workspace",
            where=there[0],
            hint="make the demo in a workspace of its own: WORKSPACE=/other/dir",
        )
    workspace.create()
    paths = make_clips(workspace.root, options.frames)
    return StageReport("demo clips", (("frames each", options.frames),), outputs=tuple(paths))
