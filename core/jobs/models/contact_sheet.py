"""A contact sheet of an exported model: what merging would show, without a film."""

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from core.errors import InputError
from core.faceset.store import Faceset, open_faceset
from core.formats.provenance import write_synthetic_image
from core.imaging.sheets import titled_sheet
from core.inference.dfm import exported
from core.inference.sessions import CPU_ONLY
from core.jobs.merge.model import open_swapper
from core.quality.faces import alike, read_faces, spread
from core.quality.swap import Judged, merged, swap_faces
from core.workspace import Workspace

_TITLES = ("source face", "target face", "swapped")
_SOURCES = 96  # among which one is looked for that looks into the same direction


@dataclass(frozen=True)
class ContactSheet:
    """A sheet that was drawn. path: the image; model: the .dfm file; rows: how many target faces it shows."""

    path: Path
    model: Path
    rows: int


def contact_sheet(workspace: Workspace, *, dfm: Path | None = None, rows: int = 6, size: int = 224) -> ContactSheet:
    """Draw ``<model>_sheet.jpg`` beside an exported model.

    dfm: the model; None takes the only one of the workspace. rows: target faces to show, fewer where there are not so
        many. size: side of a face, pixels.

    Raises:
        InputError: when a side has no faces, or there is not exactly one exported model.
        CorruptFileError: when the model or a face cannot be read.
    """
    model = dfm or _only_model(workspace)
    source, target = (open_faceset(workspace.side(name).aligned) for name in ("src", "dst"))
    rows = min(rows, len(target))
    path = model.with_name(f"{model.stem}_sheet.jpg")
    swapper = open_swapper(workspace, model, None, CPU_ONLY)
    write_synthetic_image(path, draw(Judged(swapper.dfm, swapper.face_type), source, target, rows, size))
    return ContactSheet(path, model, rows)


def _only_model(workspace: Workspace) -> Path:
    found = sorted(exported(workspace.model))
    if len(found) != 1:
        names = ", ".join(path.name for path in found) or "nothing"
        raise InputError(
            "expected one exported model",
            where=workspace.model,
            why=f"found {names}",
            hint="name one with --dfm FILE, or run exportDFM.sh first",
        )
    return found[0]


def draw(model: Judged, source: Faceset, target: Faceset, rows: int, size: int) -> NDArray[np.uint8]:
    """``rows`` faces evenly spread over the target's, below the titles of their columns.

    The swap is pasted as merging does it: colours of the target, soft edge, at the face's own resolution. Beside it is
    the source face that looks into about the same direction.

    Returns uint8 BGR; the columns are source, target and swapped face, ``size`` pixels wide each.

    Raises:
        InputError: none of the faces of a side can be read.
    """
    ours = read_faces(source, spread(len(source), _SOURCES))[0]
    theirs = read_faces(target, spread(len(target), rows))[0]
    made = swap_faces(model, theirs)
    swapped = [merged(model, face, one).image for face, one in zip(theirs, made, strict=True)]
    pictures = ([alike(face, ours).image for face in theirs], [face.image for face in theirs], swapped)
    columns = [
        (title, np.stack([_fitted(image, size) for image in some]))
        for title, some in zip(_TITLES, pictures, strict=True)
    ]
    return titled_sheet(columns, smallest=size, widest=size * len(_TITLES))


def _fitted(image: NDArray[np.uint8], size: int) -> NDArray[np.uint8]:
    smaller = image.shape[0] > size
    return np.asarray(
        cv2.resize(image, (size, size), interpolation=cv2.INTER_AREA if smaller else cv2.INTER_CUBIC), np.uint8
    )
