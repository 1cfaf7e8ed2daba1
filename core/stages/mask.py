"""Give every face a segmentation mask from XSeg; without weights, say that landmark masks will be used."""

from pathlib import Path
from typing import TYPE_CHECKING, Literal

from pydantic import Field

from core.errors import UsageError
from core.jobs.side import opened_side
from core.options import SideOptions
from core.types import StageReport
from core.workspace import Side, Workspace

if TYPE_CHECKING:
    from core.faces.masking import Masker
    from core.faceset.store import Faceset
    from core.jobs.apply_masks import Applied

_SHOWN = 20


class Options(SideOptions):
    masker: str = Field(
        "xseg",
        description="what makes the masks: xseg; from landmarks: hull, components, extended, whole; custom with --description",
    )
    description: Path | None = Field(
        None, description="JSON file that describes an ONNX network of your own, for --masker custom"
    )
    include: list[str] = Field(
        [],
        description="areas to take into the mask as well (custom): hair, ears, ...; commas between, or repeat the flag",
    )
    exclude: list[str] = Field([], description="areas to leave out of the mask (custom): glasses, eyes, ...")
    weights: Path | None = Field(
        None,
        description="folder with XSeg_256.npy and XSeg_data.dat; without it workspace/model, then assets/GenericXseg.zip",
    )
    face_type: Literal["same", "h", "mf", "f", "wf", "head"] = Field(
        "same", description="what XSeg was trained on, where XSeg_data.dat does not say it"
    )
    soft: bool = Field(False, description="keep 256 levels; the original program stores two")
    native_resolution: bool = Field(False, description="store the mask at the size of the face, not at 256 pixels")
    force: bool = Field(False, description="make all masks again, those that are up to date too")
    batch_size: int = Field(8, ge=1, le=256, description="faces in one call of the network")
    remove: bool = Field(False, description="take the stored masks out of the faces instead")
    remove_labels: bool = Field(False, description="take the hand-drawn polygons out of the faces instead")
    fetch: bool = Field(False, description="copy the faces with hand-drawn polygons to aligned_xseg instead")


def run(options: Options, workspace: Workspace) -> StageReport:
    """Masks go into the metadata of ``data_<side>/aligned``; pixels are never touched."""
    from core.faceset.store import open_faceset

    if sum((options.remove, options.remove_labels, options.fetch)) > 1:
        raise UsageError("one thing at a time", where="--remove, --remove-labels, --fetch")
    with opened_side(workspace, options.side) as side:
        faceset = open_faceset(side.aligned)
        try:
            return _run(options, workspace, side, faceset)
        finally:
            faceset.close()


def _run(options: Options, workspace: Workspace, side: Side, faceset: "Faceset") -> StageReport:
    from core.jobs import apply_masks

    if options.fetch:
        target = side.aligned.with_name("aligned_xseg")
        return StageReport(
            f"labelled faces of {side.name}", (("copied", apply_masks.fetch(faceset, target)),), outputs=(target,)
        )
    if options.remove or options.remove_labels:
        remove = (
            (lambda: apply_masks.remove_masks(faceset, side.masks_database))
            if options.remove
            else (lambda: apply_masks.remove_labels(faceset))
        )
        removed, problems = remove()
        return StageReport(
            f"{'masks' if options.remove else 'labels'} of {side.name}", (("removed", removed),), _named(problems)
        )
    masker = _masker(options, workspace)
    if masker is None:
        return _without_weights(side, faceset, workspace)
    style = apply_masks.MaskStyle(options.soft, options.native_resolution)
    applied = apply_masks.apply(
        faceset, masker, style, side.masks_database, force=options.force, batch_size=options.batch_size
    )
    return _report(side, masker, style.name, applied)


def _masker(options: Options, workspace: Workspace) -> "Masker | None":
    """None when XSeg is wanted by default and nobody has brought weights."""
    from core import plugins
    from core.faces.masking import MaskerRequest
    from core.inference.xseg_weights import ARCHIVE, present

    exact = not (options.soft or options.native_resolution)
    folder = options.weights or workspace.model
    request = MaskerRequest(
        folder,
        workspace.assets,
        options.description,
        options.face_type,
        exact,
        tuple(options.include),
        tuple(options.exclude),
    )
    asked = {"weights", "masker"} & options.model_fields_set
    if options.masker == "xseg" and not asked and not present(folder) and not (workspace.assets / ARCHIVE).is_file():
        return None
    return plugins.load("maskers", options.masker).create(request)


def _without_weights(side: Side, faceset: "Faceset", workspace: Workspace) -> StageReport:
    from core.faceset.masks.report import mask_origins

    found = mask_origins(faceset.records())
    rows = (
        ("faces", len(faceset)),
        ("with a stored mask", found["xseg"]),
        ("with polygons", found["polygons"]),
        ("with a landmark mask", found["hull"]),
    )
    hint = (
        f"no XSeg weights in {workspace.model} nor GenericXseg.zip in {workspace.assets}: landmark masks will be used for faces without a mask "
        "of their own. They do not know hands, hair and glasses. --masker whole stores smooth ones that cover the forehead; "
        "scripts/5.x_train_xseg.sh trains XSeg from your labels"
    )
    return StageReport(f"masks of {side.name}: nothing to apply", rows, (hint,))


def _report(side: Side, masker: "Masker", style: str, applied: "Applied") -> StageReport:
    rows = (
        ("masker", f"{masker.origin} on {masker.device}"),
        ("stored as", style),
        ("new masks", applied.made),
        ("up to date before", applied.kept),
        ("left out", len(applied.problems)),
    )
    reduced = (
        (f"{len(applied.reduced)} masks did not fit beside the other metadata and were stored two-level at 256 px",)
        if applied.reduced
        else ()
    )
    return StageReport(f"masks of {side.name}", rows, (*reduced, *_named(applied.problems)))


def _named(problems) -> tuple[str, ...]:
    more = (f"and {len(problems) - _SHOWN} more",) if len(problems) > _SHOWN else ()
    return (*(f"left out: {name}: {why}" for name, why in problems[:_SHOWN]), *more)
