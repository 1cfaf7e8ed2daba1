"""Pack the loose faces of a side, or several paks, into one faceset.pak."""

from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from pydantic import Field

from core.errors import InputError
from core.jobs.side import opened_side
from core.options import SideOptions
from core.types import StageReport
from core.workspace import Side, Workspace


class Options(SideOptions):
    merge: list[Path] = Field(
        [], description="packed facesets to join into this side's, not its loose faces: --merge a.pak b.pak"
    )
    append: bool = Field(False, description="add the loose faces to the faceset.pak that is there")
    person: bool | None = Field(
        None,
        description="pack the pictures of each sub-folder as one person; without it, when there are only sub-folders",
    )
    overwrite: bool = Field(
        False,
        description="replace the faceset.pak that is there (it goes to workspace/.trash); with --append: faces of the same name",
    )
    remove_originals: bool = Field(
        False, description="delete the loose files that were packed, once the pak has been read back and compared"
    )


def run(options: Options, workspace: Workspace) -> StageReport:
    with opened_side(workspace, options.side) as side:
        return _pack(options, side, workspace)


def _pack(options: Options, side: Side, workspace: Workspace) -> StageReport:
    from core.faceset import packing
    from core.formats.pak import PakReader
    from core.formats.pak_sources import Source

    if side.pak.exists() and not (options.append or options.overwrite):
        return _already_packed(options, side)
    side.aligned.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        groups: list[tuple[str, Sequence[Source]]] = []
        paks = [*([side.pak] if options.append and side.pak.exists() else []), *options.merge]
        for path in paks:
            groups.append((path.stem, packing.pak_sources(stack.enter_context(PakReader(path)))))
        loose = [] if options.merge else packing.loose_sources(side.aligned, options.person)
        if not loose and not options.merge:
            raise InputError(
                "no pictures to pack", where=side.aligned, hint="steps 3 and 4 (extract faces) put them there"
            )
        joined = packing.merge([*groups, ("loose", loose)], prefer_last=options.append and options.overwrite)
        packed = packing.pack(side.pak, joined, workspace.trash)
    removed = packing.remove_originals(packed.kept) if options.remove_originals else 0
    return _report(options, packed, joined, removed, side.pak)


def _already_packed(options: Options, side: Side) -> StageReport:
    """Finish what an earlier run began: a pak that holds every loose face. Raises InputError for any other pak."""
    from core.faceset import packing
    from core.formats.pak import PakReader

    with PakReader(side.pak) as reader:
        same, others = packing.in_pak(reader, packing.loose_sources(side.aligned, options.person))
        if others or options.merge:
            raise InputError(
                "there is a packed faceset already",
                where=side.pak,
                why=f"{len(others)} loose faces are not in it",
                hint="--append adds the loose faces to it, --overwrite replaces it",
            )
        rows = (
            ("faces in it", len(reader)),
            ("originals removed", packing.remove_originals(same) if options.remove_originals else 0),
        )
    return StageReport(f"{side.name} is packed already, nothing to do", rows, (), (side.pak,))


def _report(options: Options, packed, joined, removed: int, path: Path) -> StageReport:
    warnings = [f"left out, not packed: {name}: {why}" for name, why in packed.problems[:20]]
    if len(packed.problems) > 20:
        warnings.append(f"and {len(packed.problems) - 20} more were left out")
    warnings += [f"{old} is now {new}: another face has that name" for old, new in joined.renamed[:20]]
    people = {source.person for source in packed.kept}
    rows = (
        ("faces packed", len(packed.kept)),
        ("persons", len(people) if people != {None} else "-"),
        ("bytes", sum(packed.sizes)),
        ("same face twice", joined.duplicates),
        ("renamed", len(joined.renamed)),
        ("left out", len(packed.problems)),
        ("originals removed", removed),
    )
    return StageReport(f"packed {options.side}", rows, tuple(warnings), (path,))
