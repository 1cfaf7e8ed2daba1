"""What the mask network of a workspace makes of one face, as polygons."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core.errors import InputError
from core.faces.contract import Masker
from core.faceset.masks.labels import suggested
from core.jobs.masks.apply import open_masker
from core.types import FaceRecord, Polygon
from core.workspace import Workspace

_opened: dict[str, Masker] = {}


def polygons_by_network(
    picture: NDArray[np.uint8], record: FaceRecord, root: Path, tolerance: float | None
) -> tuple[Polygon, ...]:
    """tolerance: as of ``suggested``.

    Raises:
        InputError: there are no weights.
    """
    masker = _masker(Workspace(root))
    prepared = masker.prepare(picture, record)
    (soft,) = masker.infer([prepared.data])
    return suggested(masker.place(soft, prepared, picture.shape, picture.shape[0])[..., None], tolerance)


def _masker(workspace: Workspace) -> Masker:
    """The network, read once until its files change."""
    files = [*workspace.model.glob("XSeg_*"), *workspace.assets.glob("*.zip")]
    key = " ".join(f"{path} {path.stat().st_mtime_ns}" for path in sorted(files))
    if key not in _opened:
        masker = open_masker(workspace, "xseg", chosen=False)
        if masker is None:
            hint = "train XSeg, or put GenericXseg.zip into the assets"
            raise InputError("there is no mask network", where=workspace.model, hint=hint)
        _opened.clear()
        _opened[key] = masker
    return _opened[key]
