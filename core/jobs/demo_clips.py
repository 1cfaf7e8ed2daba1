"""The two clips of the built-in demo, in a workspace of their own."""

from dataclasses import dataclass
from pathlib import Path

from core.demo.clips import make_clips
from core.errors import InputError
from core.video.find import look_beside
from core.workspace import Workspace


@dataclass(frozen=True)
class DemoClips:
    """The clips of a demo. paths: of src and dst. made: whether this run made them; else they were there."""

    paths: tuple[Path, ...]
    made: bool


def make_demo_clips(workspace: Workspace, frames: int) -> DemoClips:
    """Write ``data_src.mp4`` and ``data_dst.mp4`` with ``frames`` frames each; two that are there are kept.

    Raises:
        InputError: there are other videos in this workspace.
        EnvironmentFault: ffmpeg cannot encode them, or the weights of the face finder are not installed.
    """
    there = [path for name in ("src", "dst") for path in look_beside(workspace.side(name)).films]
    if len(there) == 2:
        return DemoClips(tuple(there), made=False)
    if there:
        raise InputError(
            "there is a video in this workspace",
            where=there[0],
            hint="make the demo in a workspace of its own: WORKSPACE=/other/dir",
        )
    workspace.create()
    return DemoClips(tuple(make_clips(workspace.root, frames)), made=True)
