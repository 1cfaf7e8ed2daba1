"""Resize the faces of a side, or cut them as another face type."""

from pathlib import Path
from typing import Literal

from pydantic import Field

from core.jobs.side import loose_faces, opened_side
from core.options import SideOptions
from core.types import StageReport
from core.workspace import Side, Workspace


class Options(SideOptions):
    size: int = Field(512, ge=128, le=2048, description="pixels of a side of the new pictures")
    face_type: Literal["same", "h", "mf", "f", "wf", "head"] = Field(
        "same", description="what the new pictures show; beyond the old ones they are black"
    )
    quality: int = Field(100, ge=1, le=100, description="JPEG quality; PNG faces stay PNG")
    in_place: bool = Field(
        False,
        description="put the new faces in the place of the old ones, which go to workspace/.trash; else to aligned_resized",
    )


def run(options: Options, workspace: Workspace) -> StageReport:
    with opened_side(workspace, options.side) as side:
        return _resize(options, side, workspace)


def _resize(options: Options, side: Side, workspace: Workspace) -> StageReport:
    from core.errors import PipelineError
    from core.faceset import resize
    from core.geometry.align import FaceType
    from core.progress import progress

    output = side.frames / "aligned_resized"
    if options.in_place and not side.aligned.exists() and output.exists():
        output.rename(side.aligned)
        return StageReport(
            f"resized {options.side}",
            (),
            ("an earlier run was interrupted at its last step, which was done now",),
            (side.aligned,),
        )
    face_type = None if options.face_type == "same" else FaceType.parse(options.face_type)
    paths = _paths(side, output)
    problems, skipped = [], 0
    for path in progress(paths, description="resizing", unit="face"):
        target = output / path.name
        if resize.is_done(path, target, options.size, face_type):
            skipped += 1
            continue
        try:
            resize.resize_file(path, target, options.size, face_type, options.quality)
        except PipelineError as error:
            problems.append(f"left out: {path.name}: {error.why or error.what}")
    if options.in_place:
        _swap(side, output, workspace, problems)
    rows = (
        ("resized", len(paths) - skipped - len(problems)),
        ("done before", skipped),
        ("left out", len(problems)),
        ("size", options.size),
        ("face type", options.face_type),
    )
    return StageReport(
        f"resized {options.side}", rows, tuple(problems[:20]), (side.aligned if options.in_place else output,)
    )


def _paths(side: Side, output: Path) -> list[Path]:
    """The faces to resize. Refuses an output folder with other pictures in it."""
    from core import fsio
    from core.errors import InputError
    from core.workspace import list_images

    paths = loose_faces(side)
    output.mkdir(exist_ok=True)
    fsio.remove_leftovers(output)
    others = {path.name for path in list_images(output)} - {path.name for path in paths}
    if others:
        raise InputError(
            "the output folder has other pictures",
            where=output,
            why=f"{len(others)}, such as {min(others)}",
            hint="move that folder away",
        )
    return paths


def _swap(side: Side, output: Path, workspace: Workspace, problems: list[str]) -> None:
    """The new folder takes the place of the old one, which goes to the trash whole; refused when faces were left out."""
    from core import fsio
    from core.errors import InputError

    if problems:
        raise InputError(
            "some faces could not be resized, so the originals stay",
            where=side.aligned,
            why="; ".join(problems[:3]),
            hint=f"the others are in {output}; move the bad ones away and run it again",
        )
    fsio.move_to_trash(side.aligned, workspace.trash)
    output.rename(side.aligned)
