"""Masks with the place where they lie in the frame: those of other programs, and those that a person drew or brought.

The mask that training uses is in the face file itself; what is here outlives the file and the crop.
"""

import json
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from core.errors import InputError
from core.faceset.database.cells import BLOB, TEXT, WHOLE, checked, damaged
from core.faceset.database.faces import floats_of
from core.imaging.codec import decode_any
from core.imaging.png import SIGNATURE


@dataclass(frozen=True, eq=False)
class FrameMask:
    """A mask of a face.

    kind: its name, such as ``components``, ``bisenet-fp_face``, ``hand``.
    png: the mask as an 8-bit grey PNG, square.
    matrix: float64 (2, 3), frame pixels -> mask pixels.
    centring: of the crop that it covers, as faceswap names it: ``face``, ``head``, ``legacy``; or one of our face
        types.
    interpolation: OpenCV's flag for bringing it back into the frame.
    origin: who made it.
    geometry: of the points that it was made with.
    """

    kind: str
    png: bytes
    matrix: NDArray[np.float64]
    centring: str
    interpolation: int
    origin: str
    geometry: str

    def pixels(self) -> NDArray[np.uint8]:
        """The mask, uint8 (s, s). Raises CorruptFileError when it is no picture."""
        image = decode_any(self.png, f"mask {self.kind}")
        return image if image.ndim == 2 else image[..., 0]


def encode(pixels: NDArray[np.uint8]) -> bytes:
    """A mask, uint8 (s, s), as :class:`FrameMask` has it."""
    done, data = cv2.imencode(".png", pixels)
    if not done:
        raise InputError("cannot encode a mask", why=f"shape {pixels.shape}, {pixels.dtype}")
    return data.tobytes()


_COLUMNS = "face, kind, png, matrix, centring, interpolation, origin, geometry"
_KINDS = (TEXT, TEXT, BLOB, BLOB, TEXT, WHOLE, TEXT, TEXT)


def note_mask(connection: sqlite3.Connection, face: str, mask: FrameMask) -> None:
    """Keep a mask of a face, in place of the one of its kind."""
    note_masks(connection, [(face, mask)])


def note_masks(connection: sqlite3.Connection, found: Iterable[tuple[str, FrameMask]]) -> None:
    """The same of many faces."""
    rows = (
        (
            face,
            mask.kind,
            mask.png,
            np.asarray(mask.matrix, "<f8").tobytes(),
            mask.centring,
            mask.interpolation,
            mask.origin,
            mask.geometry,
        )
        for face, mask in found
    )
    again = ", ".join(f"{name} = excluded.{name}" for name in _COLUMNS.split(", ")[2:])
    query = f"INSERT INTO frame_masks VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (face, kind) DO UPDATE SET {again}"
    connection.executemany(query, rows)


def masks_of(connection: sqlite3.Connection, face: str) -> list[FrameMask]:
    """The masks of a face, by kind."""
    return masks_of_faces(connection, [face]).get(face, [])


def masks_of_faces(connection: sqlite3.Connection, ids: Sequence[str]) -> dict[str, list[FrameMask]]:
    """The masks of each of the faces with these ids that has some, by kind."""
    query = f"SELECT {_COLUMNS} FROM frame_masks WHERE face IN (SELECT value FROM json_each(?)) ORDER BY face, kind"
    found: dict[str, list[FrameMask]] = {}
    for face, mask in _rows(connection.execute(query, (json.dumps(list(ids)),))):
        found.setdefault(face, []).append(mask)
    return found


def all_masks(connection: sqlite3.Connection) -> Iterator[tuple[str, FrameMask]]:
    """(id of the face, mask), by face and kind."""
    return _rows(connection.execute(f"SELECT {_COLUMNS} FROM frame_masks ORDER BY face, kind"))


def _rows(cursor: sqlite3.Cursor) -> Iterator[tuple[str, FrameMask]]:
    for values in cursor:
        face, kind, png, matrix, centring, interpolation, origin, geometry = checked(values, _KINDS, "frame_masks")
        numbers = floats_of(matrix, "<f8")
        if numbers.size != 6 or not np.isfinite(numbers).all() or not (png or b"").startswith(SIGNATURE):
            raise damaged("frame_masks", "a mask that is none")
        yield face, FrameMask(kind, png, numbers.reshape(2, 3), centring, interpolation, origin, geometry)
