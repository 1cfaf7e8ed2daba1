"""A contact sheet of an exported model: what the live program would show, without the live program."""

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from core.faceset.store import Faceset
from core.imaging.codec import decode_image
from core.inference.dfm import DfmModel, open_dfm
from core.inference.sessions import CPU_ONLY

_TITLES = ("source face", "target face", "swapped")
_HEADER = 28


def swap(model: DfmModel, face: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Put the model's face into an aligned target face (uint8 BGR, any square size), where both of its masks agree."""
    side, shape = model.resolution, face.shape[1::-1]
    small = cv2.resize(face, (side, side), interpolation=cv2.INTER_AREA)
    made = model.swap(small[None])
    mask = cv2.resize(np.minimum(made.target_mask[0], made.face_mask[0]), shape)[..., None]
    large = cv2.resize(made.face[0], shape, interpolation=cv2.INTER_CUBIC)
    return np.clip(face * (1 - mask) + large * 255 * mask, 0, 255).astype(np.uint8)


def contact_sheet(model: Path, source: Faceset, target: Faceset, rows: int, side: int) -> NDArray[np.uint8]:
    """``rows`` faces evenly spread over the facesets, as columns source, target, swapped of ``side`` pixels each (uint8 BGR)."""
    dfm = open_dfm(model, CPU_ONLY)
    lines = [_header(side)]
    for index in range(rows):
        ours, theirs = (_face(faces, index / rows, side) for faces in (source, target))
        lines.append(np.hstack([ours, theirs, swap(dfm, theirs)]))
    return np.vstack(lines)


def _face(faces: Faceset, position: float, side: int) -> NDArray[np.uint8]:
    index = int(position * len(faces))
    return cv2.resize(decode_image(faces.read(index), str(index)), (side, side), interpolation=cv2.INTER_AREA)


def _header(side: int) -> NDArray[np.uint8]:
    band = np.full((_HEADER, side * len(_TITLES), 3), 40, np.uint8)
    for column, title in enumerate(_TITLES):
        cv2.putText(
            band, title, (column * side + 8, 19), cv2.FONT_HERSHEY_SIMPLEX, 0.5, (235, 235, 235), 1, cv2.LINE_AA
        )
    return band
