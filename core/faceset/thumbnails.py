"""Contact sheets: many small faces on one picture."""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from core.errors import CorruptFileError
from core.faceset.gallery import Gallery
from core.imaging.codec import encode_jpeg

TILE, ACROSS, MOST = 96, 16, 320


def thumbnail(data: bytes, size: int = TILE) -> NDArray[np.uint8]:
    """A square picture (uint8 BGR) of ``size``, decoded at reduced scale where the format allows it. Raises CorruptFileError."""
    image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_REDUCED_COLOR_2) if data else None
    if image is None:
        raise CorruptFileError("cannot decode a picture")
    return cv2.resize(image, (size, size), interpolation=cv2.INTER_AREA)


def contact_sheet(gallery: Gallery, faces: Sequence[tuple[int, str]]) -> bytes:
    """A JPEG of the faces (index, caption) in reading order; of more than 320 an even selection is shown."""
    chosen = (
        [faces[i] for i in np.unique(np.linspace(0, len(faces) - 1, min(len(faces), MOST)).round().astype(int))]
        if faces
        else []
    )
    down = max(1, -(-len(chosen) // ACROSS))
    sheet = np.full((down * (TILE + 14), ACROSS * TILE, 3), 32, np.uint8)
    for place, (index, caption) in enumerate(chosen):
        y, x = place // ACROSS * (TILE + 14), place % ACROSS * TILE
        sheet[y : y + TILE, x : x + TILE] = _tile(gallery, index)
        cv2.putText(
            sheet, caption[:16], (x + 2, y + TILE + 11), cv2.FONT_HERSHEY_SIMPLEX, 0.34, (220, 220, 220), 1, cv2.LINE_AA
        )
    return encode_jpeg(sheet, 88, "420")


def _tile(gallery: Gallery, index: int) -> NDArray[np.uint8]:
    try:
        return thumbnail(gallery.read(index))
    except CorruptFileError:
        return np.zeros((TILE, TILE, 3), np.uint8)
