"""Give every face a mask, by XSeg or another masker; without XSeg weights, masks are drawn from landmarks."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from pydantic import Field

from core import plugins
from core.errors import UsageError
from core.options import SideOptions
from core.types import StageReport
from core.workspace import Workspace

if TYPE_CHECKING:
    from core.faces.contract import Masker
    from core.jobs.masks.apply import AppliedMasks, MaskCounts, RemovedMasks

_SHOWN = 20


class Options(SideOptions):
    masker: str = Field(
        "xseg",
        description=f"what makes the masks. {plugins.described('maskers')}",
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
        description="folder with XSeg_256.npy and XSeg_data.dat; by default workspace/model, "
        "then assets/GenericXseg.zip",
    )
    face_type: Literal["same", "h", "mf", "f", "wf", "head"] = Field(
        "same", description="the face type that XSeg was trained on, if XSeg_data.dat does not tell"
    )
    soft: bool = Field(False, description="store 256 levels, for soft edges; DeepFaceLab stores two")
    native_resolution: bool = Field(False, description="store the mask at the size of the face, not at 256 pixels")
    force: bool = Field(False, description="make all masks again, also those that are up to date and those of people")
    batch_size: int = Field(8, ge=1, le=256, description="faces in one call of the network")
    remove: bool = Field(False, description="remove the stored masks from the faces instead")
    remove_labels: bool = Field(False, description="remove the hand-drawn polygons from the faces instead")
    fetch: bool = Field(False, description="copy the faces with hand-drawn polygons to aligned_xseg instead")


def run(options: Options, workspace: Workspace) -> StageReport:
    """Masks go into the metadata of ``data_<side>/aligned``; pixels are never touched."""
    from core.jobs.masks import apply as jobs

    if sum((options.remove, options.remove_labels, options.fetch)) > 1:
        raise UsageError("one thing at a time", where="--remove, --remove-labels, --fetch")
    if options.fetch:
        fetched = jobs.fetch_labelled(workspace, options.side)
        return StageReport(
            f"labelled faces of {options.side}", (("copied", fetched.copied),), outputs=(fetched.folder,)
        )
    if options.remove:
        return _removed("masks", options.side, jobs.remove_masks(workspace, options.side))
    if options.remove_labels:
        return _removed("labels", options.side, jobs.remove_labels(workspace, options.side))
    masker = _masker(options, workspace)
    if masker is None:
        return _without_weights(options.side, jobs.count_masks(workspace, options.side), workspace)
    style = jobs.MaskStyle(options.soft, options.native_resolution)
    applied = jobs.apply_masks(
        workspace, options.side, masker, style, force=options.force, batch_size=options.batch_size
    )
    return _report(options.side, masker, style.name, applied)


def _removed(what: str, side: str, done: "RemovedMasks") -> StageReport:
    return StageReport(f"{what} of {side}", (("removed", done.removed),), _named(done.problems))


def _masker(options: Options, workspace: Workspace) -> "Masker | None":
    """None when XSeg is wanted by default and nobody has brought weights."""
    from core.faces.contract import MaskerRequest
    from core.jobs.masks.apply import open_masker

    request = MaskerRequest(
        weights=options.weights or workspace.model,
        assets=workspace.assets,
        description=options.description,
        face_type=options.face_type,
        exact=not (options.soft or options.native_resolution),
        include=tuple(options.include),
        exclude=tuple(options.exclude),
    )
    # Who asked for a network must hear that it is missing; who did not gets landmark masks.
    chosen = bool({"weights", "masker"} & options.model_fields_set)
    return open_masker(workspace, options.masker, request, chosen=chosen)


def _without_weights(side: str, found: "MaskCounts", workspace: Workspace) -> StageReport:
    rows = (("faces", found.faces), *((f"masks from {name}", count) for name, count in found.origins.items()))
    hint = (
        f"no XSeg weights in {workspace.model} nor GenericXseg.zip in {workspace.assets}: {found.from_landmarks} faces "
        "have masks that are drawn from landmarks, which do not know hands, hair and glasses. --masker whole stores "
        "smooth ones that cover the forehead; bash scripts/5.x_train_xseg.sh trains XSeg on your labels"
    )
    return StageReport(f"masks of {side}: nothing to apply", rows, (hint,))


def _report(side: str, masker: "Masker", style: str, applied: "AppliedMasks") -> StageReport:
    rows = (
        ("masker", f"{masker.origin} on {masker.device}"),
        ("stored as", style),
        ("new masks", applied.made),
        ("up to date before", applied.kept),
        ("left out", len(applied.problems)),
    )
    count = len(applied.reduced)
    reduced = f"{count} masks did not fit beside the other metadata and were stored two-level at 256 px"
    return StageReport(f"masks of {side}", rows, (*([reduced] if count else []), *_named(applied.problems)))


def _named(problems: Sequence[tuple[str, str]]) -> tuple[str, ...]:
    more = (f"and {len(problems) - _SHOWN} more",) if len(problems) > _SHOWN else ()
    return (*(f"left out: {name}: {why}" for name, why in problems[:_SHOWN]), *more)
