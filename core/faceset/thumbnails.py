"""Contact sheets: many small faces on one image."""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from core.errors import CorruptFileError
from core.faceset.gallery import Gallery
from core.imaging.codec import decode_image, decode_reduced, encode_jpeg
from core.imaging.sheets import Tile, captioned_sheet

# Pixels of a face; of one on a sheet; faces in a row and on a whole sheet.
TILE, _SIDE, _ACROSS, _MOST = 96, 120, 14, 320


def thumbnail(data: bytes, side: int = TILE) -> NDArray[np.uint8]:
    """A face file as a small image, uint8, ``side`` x ``side`` x 3, BGR; black for one that cannot be decoded."""
    try:
        image = decode_reduced(data)
        # Half the size, which is quick, may be too little.
        image = image if min(image.shape[:2]) >= side else decode_image(data)
    except CorruptFileError:
        return np.zeros((side, side, 3), np.uint8)
    return np.asarray(cv2.resize(image, (side, side), interpolation=cv2.INTER_AREA), np.uint8)


def contact_sheet(gallery: Gallery, faces: Sequence[tuple[int, str]], header: str = "") -> bytes:
    """A JPEG of the faces (index, caption) in reading order, with their names; of more than 320 an even selection."""
    chosen = np.unique(np.linspace(0, len(faces) - 1, min(len(faces), _MOST)).round().astype(int))
    if 0 < len(chosen) < len(faces):
        header = f"{header} ({len(chosen)} of {len(faces)} are shown)".strip()
    tiles = []
    for index, caption in (faces[number] for number in chosen):
        tiles.append(Tile(thumbnail(gallery.read(index), _SIDE), caption, gallery.names[index]))
    return encode_jpeg(captioned_sheet(tiles, _ACROSS, header), 88, "420")
