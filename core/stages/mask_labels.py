"""Labels for masks: export faces with polygons or suggestions for labelme or a COCO editor, import what came back."""

from pathlib import Path
from typing import TYPE_CHECKING, Literal

from pydantic import Field

from core.errors import UsageError
from core.jobs.side import opened_side
from core.options import SideOptions
from core.types import StageReport
from core.workspace import Side, Workspace

if TYPE_CHECKING:
    from core.faceset.masks.table import MaskTable
    from core.faceset.store import Faceset

_SHOWN = 20


class Options(SideOptions):
    suggest: bool = Field(
        False, description="export the faces whose masks are least certain, with their masks as polygons to correct"
    )
    export: Literal["labelme", "coco"] | None = Field(
        None, description="format of the export; alone: the faces that have polygons. --suggest: labelme"
    )
    count: int = Field(50, ge=1, le=100_000, description="how many faces to suggest, the least certain first")
    take: Path | None = Field(None, description="import labels: a folder of labelme .json files, or a COCO .json file")
    overwrite: bool = Field(
        False, description="with --take: replace other polygons of a face (they go to workspace/.trash)"
    )
    folder: Path | None = Field(None, description="where to export to; without it data_SIDE/labels")


def run(options: Options, workspace: Workspace) -> StageReport:
    """Without a flag: list the faces that most need a label."""
    from core.faceset.masks.table import MaskTable
    from core.faceset.store import open_faceset

    if options.take and (options.suggest or options.export):
        raise UsageError("one thing at a time", where="--take, --suggest, --export")
    with opened_side(workspace, options.side) as side, MaskTable(side.masks_database) as table:
        faceset = open_faceset(side.aligned)
        try:
            if options.take:
                return _import(options, options.take, side, faceset, workspace)
            return (
                _export(options, side, faceset, table)
                if options.suggest or options.export
                else _list(options, side, faceset, table)
            )
        finally:
            faceset.close()


def _list(options: Options, side: Side, faceset: "Faceset", table: "MaskTable") -> StageReport:
    from core.faceset.masks.labels import least_certain

    found = least_certain(faceset, table, options.count)
    rows = tuple(
        (faceset.records()[i].name, "no mask yet" if doubt == float("inf") else f"doubt {doubt:.2f}")
        for i, doubt in found
    )
    return StageReport(f"faces of {side.name} whose masks are least certain, of {len(faceset)}", rows)


def _export(options: Options, side: Side, faceset: "Faceset", table: "MaskTable") -> StageReport:
    from core.faceset.masks.labels import export, least_certain

    folder = options.folder or side.frames / "labels"
    if options.suggest:
        chosen = [i for i, _ in least_certain(faceset, table, options.count)]
    else:
        chosen = [i for i, record in enumerate(faceset.records()) if any(len(p.points) for p in record.polygons)]
    form = options.export or "labelme"
    written, problems = export(faceset, folder, chosen, form, suggest=options.suggest)
    without = sum(faceset.records()[i].xseg_mask is None for i in chosen) if options.suggest else 0
    rows = (("exported", len(written)), ("format", form), ("left out", len(problems)))
    warnings = (
        [f"{without} faces have no mask to suggest from: apply one first (3.2_apply_xseg_src.sh)"] if without else []
    )
    hint = f"correct them (include: any label, cut out: exclude), then python -m core mask-labels {side.name} --take {folder}"
    return StageReport(f"labels of {side.name}", (*rows, ("next", hint)), (*warnings, *_named(problems)), (folder,))


def _import(options: Options, source: Path, side: Side, faceset: "Faceset", workspace: Workspace) -> StageReport:
    from core.faceset.masks.labels import read_labels, take_in

    pictures, problems = read_labels(source)
    done = take_in(faceset, pictures, overwrite=options.overwrite, trash=workspace.trash)
    rows = (
        ("faces labelled", done.changed),
        ("labelled so before", done.same),
        ("other polygons kept", len(done.kept)),
        ("pictures without a face", len(done.unmatched)),
        ("left out", len(problems) + len(done.problems)),
    )
    kept = (
        (f"{len(done.kept)} faces have other polygons, such as {done.kept[0]}: --overwrite replaces them",)
        if done.kept
        else ()
    )
    return StageReport(f"labels of {side.name}", rows, (*kept, *_named([*problems, *done.problems])))


def _named(problems) -> tuple[str, ...]:
    more = (f"and {len(problems) - _SHOWN} more",) if len(problems) > _SHOWN else ()
    return (*(f"left out: {name}: {why}" for name, why in problems[:_SHOWN]), *more)
