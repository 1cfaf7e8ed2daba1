"""Resize the faces of a side, or cut them as another face type."""

from typing import Literal

from pydantic import Field

from core.options import SideOptions
from core.types import StageReport
from core.workspace import Workspace

_SHOWN = 20


class Options(SideOptions):
    size: int = Field(512, ge=128, le=2048, description="pixels of a side of the new pictures")
    face_type: Literal["same", "h", "mf", "f", "wf", "head"] = Field(
        "same", description="what the new pictures show; beyond the old ones they are black"
    )
    quality: int = Field(100, ge=1, le=100, description="JPEG quality; PNG faces stay PNG")
    in_place: bool = Field(
        False,
        description=(
            "replace the old faces, which go to workspace/.trash; without it the new ones go to aligned_resized"
        ),
    )


def run(options: Options, workspace: Workspace) -> StageReport:
    """Into ``aligned_resized``, or in the place of ``aligned``."""
    from core.geometry.align import FaceType
    from core.jobs.faceset.resize import resize_faces

    face_type = None if options.face_type == "same" else FaceType.parse(options.face_type)
    done = resize_faces(
        workspace, options.side, options.size, face_type, quality=options.quality, in_place=options.in_place
    )
    title = f"resized {options.side}"
    if done.settled:
        warning = "an earlier run was interrupted at its last step, which was done now"
        return StageReport(title, (), (warning,), (done.folder,))
    rows = (
        ("resized", done.made),
        ("done before", done.kept),
        ("left out", len(done.problems)),
        ("size", options.size),
        ("face type", options.face_type),
    )
    warnings = tuple(f"left out: {name}: {why}" for name, why in done.problems[:_SHOWN])
    return StageReport(title, rows, warnings, (done.folder,))
