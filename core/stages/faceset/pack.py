"""Pack the loose faces of a side, or several paks, into one faceset.pak."""

from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import Field

from core.console import size_text
from core.options import SideOptions
from core.types import StageReport
from core.workspace import Workspace

if TYPE_CHECKING:
    from core.jobs.faceset.pack import PackedFaces

_SHOWN = 20


class Options(SideOptions):
    merge: list[Path] = Field(
        [],
        description="join these paks into one for this side, instead of packing loose faces: --merge a.pak b.pak",
    )
    append: bool = Field(False, description="add the loose faces to the faceset.pak that is there")
    person: bool | None = Field(
        None,
        description="pack the pictures of each sub-folder as one person; by default if there are only sub-folders",
    )
    overwrite: bool = Field(
        False,
        description="replace the faceset.pak that is there (it goes to workspace/.trash); "
        "with --append: faces of the same name",
    )
    remove_originals: bool = Field(
        False, description="delete the loose files that were packed, once the pak has been read back and compared"
    )


def run(options: Options, workspace: Workspace) -> StageReport:
    from core.jobs.faceset.pack import pack_faces

    done = pack_faces(
        workspace,
        options.side,
        merge=options.merge,
        append=options.append,
        person=options.person,
        overwrite=options.overwrite,
        remove_originals=options.remove_originals,
    )
    if not done.new:
        rows: tuple[tuple[str, object], ...] = (
            ("faces in it", done.faces),
            ("originals removed", done.originals_removed),
        )
        return StageReport(f"{options.side} is packed already, nothing to do", rows, (), (done.pak,))
    return _report(options.side, done)


def _report(side: str, done: "PackedFaces") -> StageReport:
    rows = (
        ("faces packed", done.faces),
        *([("persons", done.persons)] if done.persons else []),
        ("size", size_text(done.bytes)),
        ("same face twice", done.duplicates),
        ("renamed", len(done.renamed)),
        ("left out", len(done.problems)),
        ("originals removed", done.originals_removed),
    )
    warnings = [f"left out, not packed: {name}: {why}" for name, why in done.problems[:_SHOWN]]
    if len(done.problems) > _SHOWN:
        warnings.append(f"and {len(done.problems) - _SHOWN} more were left out")
    warnings += [f"{old} is now {new}: another face has that name" for old, new in done.renamed[:_SHOWN]]
    return StageReport(f"packed {side}", rows, tuple(warnings), (done.pak,))
