"""Contact sheets: many small faces on one image."""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from core.errors import CorruptFileError
from core.faceset.gallery import Gallery
from core.imaging.codec import decode_reduced, encode_jpeg
from core.imaging.drawing import draw_text

# Pixels of a face and of the caption below it; faces in a row and on a whole sheet.
TILE, _CAPTION, _ACROSS, _MOST = 96, 14, 16, 320
_BACKGROUND, _INK = 32, (220, 220, 220)
_LONGEST_CAPTION = 16


def thumbnail(data: bytes) -> NDArray[np.uint8]:
    """A face file as a small image, uint8, 96 x 96 x 3, BGR; black for one that cannot be decoded."""
    try:
        image = decode_reduced(data)
    except CorruptFileError:
        return np.zeros((TILE, TILE, 3), np.uint8)
    return np.asarray(cv2.resize(image, (TILE, TILE), interpolation=cv2.INTER_AREA), np.uint8)


def contact_sheet(gallery: Gallery, faces: Sequence[tuple[int, str]]) -> bytes:
    """A JPEG of the faces (index, caption) in reading order; of more than 320 an even selection."""
    chosen = np.unique(np.linspace(0, len(faces) - 1, min(len(faces), _MOST)).round().astype(int))
    rows = max(1, -(-len(chosen) // _ACROSS))
    sheet = np.full((rows * (TILE + _CAPTION), _ACROSS * TILE, 3), _BACKGROUND, np.uint8)
    for place, number in enumerate(chosen):
        index, caption = faces[number]
        top, left = place // _ACROSS * (TILE + _CAPTION), place % _ACROSS * TILE
        sheet[top : top + TILE, left : left + TILE] = thumbnail(gallery.read(index))
        _write(sheet, caption[:_LONGEST_CAPTION], (left + 2, top + TILE + _CAPTION - 3))
    return encode_jpeg(sheet, 88, "420")


def _write(sheet: NDArray[np.uint8], text: str, corner: tuple[int, int]) -> None:
    draw_text(sheet, text, corner, 0.34, _INK)
