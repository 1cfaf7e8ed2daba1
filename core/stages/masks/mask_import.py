"""Take masks from a folder of pictures: of frames or of faces; they count as made by hand."""

from pathlib import Path
from typing import Literal

from pydantic import Field

from core.console import counted
from core.options import Positional, SideOptions
from core.types import StageReport
from core.workspace import Workspace

_SHOWN = 20


class Options(SideOptions):
    folder: Positional[Path] = Field(description="the folder of the pictures; white is face")
    space: Literal["frame", "face"] = Field(
        "frame",
        description="frame: pictures of whole frames, called as the frame or ending in its number; face: of aligned "
        "faces, called as the face file",
    )


def run(options: Options, workspace: Workspace) -> StageReport:
    """Put the masks into the faces."""
    from core.jobs.masks.pictures import bring_masks

    done = bring_masks(workspace, options.side, options.folder, options.space)
    rows = (
        ("faces with a mask of the folder", done.taken),
        ("faces that no picture fits", counted(done.without)),
        ("pictures that fit no face", counted(done.unused)),
    )
    warnings = tuple(f"left out: {name}: {why}" for name, why in done.problems[:_SHOWN])
    return StageReport(f"masks of {options.side}, from {options.folder}", rows, warnings)
