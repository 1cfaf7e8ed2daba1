"""take in the faces that pictures show: those of faceswap and of DeepFaceLab, known by frame and place"""

from pathlib import Path
from typing import Literal

from pydantic import Field

from core.options import Positional, SideOptions
from core.stages.alignments.exchange.import_ import imported_report
from core.types import StageReport
from core.workspace import Workspace


class Options(SideOptions):
    """Flags of the stage."""

    folder: Positional[Path | None] = Field(
        None, description="the folder of pictures; without it `aligned` of the side"
    )
    prefer: Literal["here", "file"] = Field(
        "here", description="which of two that are the same face counts: what is here, or the picture"
    )


def run(options: Options, workspace: Workspace) -> StageReport:
    """Take in the faces of a folder; `alignments undo` takes it back."""
    from core.jobs.alignments.exchange.import_ import import_pictures

    done = import_pictures(workspace, options.side, options.folder, prefer_file=options.prefer == "file")
    return imported_report(options.side, str(options.folder or "aligned"), done)
