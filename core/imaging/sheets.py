"""Sheets of pictures for people: faces in columns with titles, and many faces with captions."""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from core.imaging.drawing import draw_text, text_width, wrapped

# Pixels: a sheet is about as wide as a screen; smaller faces than that are enlarged.
WIDEST, SMALLEST = 2080, 160
_BACKGROUND, _INK = 40, (235, 235, 235)
_TITLE, _SCALE, _MARGIN = 26, 0.5, 6
# As many columns fit beside each other whatever the size; larger faces are made smaller.
_LEAST_ACROSS = 4

# A caption's letters, the height of its lines, and what is less important in it.
_SMALL_SCALE, _LINE, _FAINT = 0.42, 16, (160, 160, 160)
Column = tuple[str, NDArray[np.uint8]]


@dataclass(frozen=True)
class Tile:
    """A square picture, uint8 BGR, and what is said about it: in the first line what matters most, then the rest."""

    picture: NDArray[np.uint8]
    caption: str
    details: str = ""


def captioned_sheet(tiles: Sequence[Tile], across: int, header: str = "") -> NDArray[np.uint8]:
    """Pictures of one size in reading order, ``across`` in a row, their whole captions below them; uint8 BGR."""
    side = tiles[0].picture.shape[0] if tiles else 1
    bands = [_header(header, side * across)] if header else []
    for start in range(0, len(tiles), across):
        row = tiles[start : start + across]
        bands += [_faces([tile.picture for tile in row], side, across), _captions(row, side, across)]
    return np.vstack(bands) if bands else _empty(side, side * across)


def _captions(row: Sequence[Tile], side: int, across: int) -> NDArray[np.uint8]:
    """As high as the longest caption needs it."""
    width = side - 2 * _MARGIN
    texts = [
        [
            (line, color)
            for text, color in ((tile.caption, _INK), (tile.details, _FAINT))
            for line in wrapped(text, width, _SMALL_SCALE)
        ]
        for tile in row
    ]
    band = _empty(max(map(len, texts)) * _LINE + _MARGIN, side * across)
    for column, lines in enumerate(texts):
        for number, (line, color) in enumerate(lines):
            corner = (column * side + _MARGIN // 2, (number + 1) * _LINE - 3)
            draw_text(band, line, corner, _SMALL_SCALE, color)
    return band


def titled_sheet(
    columns: Sequence[Column], header: str = "", *, smallest: int = SMALLEST, widest: int = WIDEST
) -> NDArray[np.uint8]:
    """A row for every face, below the titles of the columns; uint8 BGR.

    columns: (title, faces as uint8 (n, R, R, 3)). Where they do not fit beside each other, a face takes several lines.
    header: a text above everything.
    smallest, widest: of a face and of the sheet, pixels. At four columns faces that are still too large get smaller.
    """
    side = columns[0][1].shape[1]
    across = _across(len(columns), max(side, smallest), widest)
    cell = min(max(side, smallest), max(widest // across, 1))
    lines = [columns[start : start + across] for start in range(0, len(columns), across)]
    bands = [_header(header, cell * across)] if header else []
    for row in range(len(columns[0][1])):
        for line in lines:
            # A single line has the same titles in every row.
            if row == 0 or len(lines) > 1:
                bands.append(_titles([title for title, _ in line], cell, across))
            bands.append(_faces([faces[row] for _, faces in line], cell, across))
    return np.vstack(bands)


def _across(count: int, cell: int, widest: int) -> int:
    """How many columns beside each other, the lines of a face being about equally long."""
    lines = -(-count // max(widest // cell, min(count, _LEAST_ACROSS)))
    return -(-count // lines)


def _header(text: str, width: int) -> NDArray[np.uint8]:
    lines = wrapped(text, width - 2 * _MARGIN, _SCALE)
    band = _empty(len(lines) * _TITLE, width)
    for number, line in enumerate(lines):
        draw_text(band, line, (_MARGIN, (number + 1) * _TITLE - 8), _SCALE, _INK)
    return band


def _titles(titles: Sequence[str], cell: int, across: int) -> NDArray[np.uint8]:
    band = _empty(_TITLE, cell * across)
    for column, title in enumerate(titles):
        # Into its own column, if need be in smaller letters.
        scale = _SCALE * min(1.0, (cell - 2 * _MARGIN) / max(text_width(title, _SCALE), 1))
        draw_text(band, title, (column * cell + _MARGIN, _TITLE - 8), scale, _INK)
    return band


def _faces(faces: Sequence[NDArray[np.uint8]], cell: int, across: int) -> NDArray[np.uint8]:
    band = _empty(cell, cell * across)
    for column, face in enumerate(faces):
        smaller = cell < face.shape[0]
        resized = cv2.resize(face, (cell, cell), interpolation=cv2.INTER_AREA if smaller else cv2.INTER_CUBIC)
        band[:, column * cell : (column + 1) * cell] = resized
    return band


def _empty(height: int, width: int) -> NDArray[np.uint8]:
    return np.full((height, width, 3), _BACKGROUND, np.uint8)
