"""Make the two clips of the built-in demo: fictional faces, animated on the spot."""

from pydantic import Field

from core.options import Options as BaseOptions
from core.types import StageReport
from core.workspace import Workspace


class Options(BaseOptions):
    frames: int = Field(96, ge=8, le=2000, description="frames in each clip, at 12 a second")


def run(options: Options, workspace: Workspace) -> StageReport:
    """Write the clips, or say that they are there."""
    from core.jobs.demo_clips import make_demo_clips

    clips = make_demo_clips(workspace, options.frames)
    if not clips.made:
        return StageReport("nothing to do: the clips are there", outputs=clips.paths)
    return StageReport("demo clips", (("frames each", options.frames),), outputs=clips.paths)
