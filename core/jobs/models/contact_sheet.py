"""A contact sheet of an exported model: what the live program would show, without the live program."""

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from core.errors import InputError
from core.faceset.store import Faceset, open_faceset
from core.formats.provenance import write_synthetic_image
from core.imaging.codec import decode_image, to_uint8
from core.imaging.masks import pasted
from core.imaging.sheets import titled_sheet
from core.inference.dfm import DfmModel, exported, open_dfm
from core.inference.sessions import CPU_ONLY
from core.workspace import Workspace

_TITLES = ("source face", "target face", "swapped")


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
    write_synthetic_image(path, draw(open_dfm(model, CPU_ONLY), source, target, rows, size))
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


def draw(model: DfmModel, source: Faceset, target: Faceset, rows: int, size: int) -> NDArray[np.uint8]:
    """``rows`` faces evenly spread over the facesets, below the titles of their columns.

    Returns uint8 BGR; the columns are source, target and swapped face, ``size`` pixels wide each.
    """
    places = [row / rows for row in range(rows)]
    ours, theirs = ([_face(faces, place, size) for place in places] for faces in (source, target))
    swapped = [swap(model, face) for face in theirs]
    columns = [(title, np.stack(faces)) for title, faces in zip(_TITLES, (ours, theirs, swapped), strict=True)]
    return titled_sheet(columns, smallest=size, widest=size * len(_TITLES))


def swap(model: DfmModel, face: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Put the model's face into an aligned target face (uint8 BGR, any square size), where both of its masks agree."""
    side, shape = model.resolution, face.shape[1::-1]
    small = cv2.resize(face, (side, side), interpolation=cv2.INTER_AREA)
    made = model.swap(small[None])
    target_mask, face_mask = (cv2.resize(mask[0], shape)[..., None] for mask in (made.target_mask, made.face_mask))
    large = cv2.resize(made.face[0], shape, interpolation=cv2.INTER_CUBIC)
    return to_uint8(pasted(face.astype(np.float32) / np.float32(255), large, target_mask, face_mask))


def _face(faces: Faceset, position: float, size: int) -> NDArray[np.uint8]:
    index = int(position * len(faces))
    return cv2.resize(decode_image(faces.read(index), str(index)), (size, size), interpolation=cv2.INTER_AREA)
