"""Labels for masks: export faces with polygons or suggestions for labelme or a COCO editor, import what came back."""

from collections.abc import Sequence
from math import isinf
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from pydantic import Field

from core.errors import UsageError
from core.options import SideOptions
from core.types import StageReport
from core.workspace import Workspace

if TYPE_CHECKING:
    from core.jobs.masks.labels import ExportedLabels, ImportedLabels, UncertainFaces

_SHOWN = 20


class Options(SideOptions):
    suggest: bool = Field(
        False, description="export the faces whose masks are least certain, with their masks as polygons to correct"
    )
    export: Literal["labelme", "coco"] | None = Field(
        None, description="export the faces that have polygons in this format; with --suggest: its format (labelme)"
    )
    count: int = Field(50, ge=1, le=100_000, description="how many faces to suggest, the least certain first")
    take: Path | None = Field(None, description="import labels: a folder of labelme .json files, or a COCO .json file")
    overwrite: bool = Field(
        False, description="with --take: replace other polygons of a face (they go to workspace/.trash)"
    )
    folder: Path | None = Field(None, description="folder to export to; by default data_SIDE/labels")


def run(options: Options, workspace: Workspace) -> StageReport:
    """Without a flag: list the faces that most need a label."""
    from core.jobs.masks import labels as jobs

    if options.take and (options.suggest or options.export):
        raise UsageError("one thing at a time", where="--take, --suggest, --export")
    if options.take:
        done = jobs.import_labels(workspace, options.side, options.take, overwrite=options.overwrite)
        return _imported(options.side, done)
    if options.suggest or options.export:
        count = options.count if options.suggest else 0
        form = options.export or "labelme"
        written = jobs.export_labels(workspace, options.side, form, suggest=count, folder=options.folder)
        return _exported(options.side, written)
    return _listed(options.side, jobs.uncertain_faces(workspace, options.side, options.count))


def _listed(side: str, found: "UncertainFaces") -> StageReport:
    rows: list[tuple[str, object]] = []
    for name, doubt in found.least_certain[:_SHOWN]:
        rows.append((name, "no mask yet" if isinf(doubt) else f"doubt {doubt:.2f}"))
    if len(found.least_certain) > _SHOWN:
        rows.append(("and more", len(found.least_certain) - _SHOWN))
    return StageReport(f"faces of {side} whose masks are least certain, of {found.faces}", tuple(rows))


def _exported(side: str, done: "ExportedLabels") -> StageReport:
    take = f"bash scripts/5.x_mask_labels_{side}.sh --take {done.folder}"
    rows = (
        ("exported", len(done.written)),
        ("format", done.form),
        ("left out", len(done.problems)),
        ("next", f"correct them (include: any label, cut out: exclude), then {take}"),
    )
    missing = f"{done.without_mask} faces have no mask to suggest from: apply one first (3.2_apply_xseg_src.sh)"
    warnings = ([missing] if done.without_mask else []) + list(_named(done.problems))
    return StageReport(f"labels of {side}", rows, tuple(warnings), (done.folder,))


def _imported(side: str, done: "ImportedLabels") -> StageReport:
    labels, problems = done.imported, [*done.unreadable, *done.imported.problems]
    rows = (
        ("faces labelled", labels.changed),
        ("labelled so before", labels.same),
        ("other polygons kept", len(labels.kept)),
        ("pictures without a face", len(labels.unmatched)),
        ("left out", len(problems)),
    )
    warnings = [f"{remark} ({count})" for remark, count in labels.remarks.items()]
    warnings += _named(problems)
    if labels.kept:
        warnings.insert(
            0, f"{len(labels.kept)} faces have other polygons, such as {labels.kept[0]}: --overwrite replaces them"
        )
    return StageReport(f"labels of {side}", rows, tuple(warnings))


def _named(problems: Sequence[tuple[str, str]]) -> tuple[str, ...]:
    more = (f"and {len(problems) - _SHOWN} more",) if len(problems) > _SHOWN else ()
    return (*(f"left out: {name}: {why}" for name, why in problems[:_SHOWN]), *more)
