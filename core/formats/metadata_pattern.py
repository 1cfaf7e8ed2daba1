"""The quick way through metadata that this program wrote into a face: one pattern for the fields that every extracted face has.

Whatever is spelled in another way is left to :mod:`core.formats.pickle.safe_pickle`, which reads everything; both give the same values.
"""

import re
import struct
from typing import NamedTuple

import numpy as np

from core.formats.pickle.safe_pickle import PointList
from core.formats.pickle.writer import PAIR, dumps
from core.geometry.landmarks import COUNT

_END = b"u."
_POINTS = PointList(np.zeros((COUNT, 2)))
_SAMPLE = {
    "face_type": "\1",
    "landmarks": _POINTS,
    "source_filename": "\2",
    "source_rect": np.zeros(4, np.int32),
    "source_landmarks": _POINTS,
    "image_to_face_mat": np.zeros((2, 3)),
}
_MASK, _BROWS = {"xseg_mask": np.zeros(1, np.uint8)}, {"eyebrows_expand_mod": 0.0}
POINTS = rb"(.{%d})" % (COUNT * PAIR.itemsize)  # whether they are points, are_points finds out in a tenth of the time


def _spelled(*parts: dict) -> bytes:
    """The sample without its end: what it is made of comes in the order of ``parts``."""
    return dumps({key: value for part in parts for key, value in part.items()}).removesuffix(_END)


def _compiled() -> re.Pattern[bytes]:
    """The sample as written, with groups in the places of its values."""
    pattern = re.escape(_spelled(_SAMPLE))
    pair = np.zeros(1, PAIR)
    pair["open"], pair["next"], pair["close"] = b"]\x94(G", b"G", b"e"
    for value, group in (
        (b"\x8c\1\1\x94", rb"\x8c(.)(.{0,63}?)\x94"),
        (b"\x8c\1\2\x94", rb"\x8c(.)(.{0,63}?)\x94"),
        (pair.tobytes() * COUNT, POINTS),
        (b"C\x10" + bytes(16), rb"C\x10(.{16})"),
        (b"C\x30" + bytes(48), rb"C\x30(.{48})"),
    ):
        pattern = pattern.replace(re.escape(value), group)
    return re.compile(b"(?s)" + pattern)


def around_bytes(one: bytes) -> tuple[bytes, bytes]:
    """What comes before the shape, and between shape and data, in the spelling of an array that is one byte, 0; longer ones differ in numbers only."""
    head, kind = one.removesuffix(b"C\1\0tb").split(b"(K\1t")
    return head, kind


_FACE = _compiled()
_MASK_HEAD, _MASK_TYPE = around_bytes(_spelled(_SAMPLE, _MASK).removeprefix(_spelled(_SAMPLE)))
_BROWS_HEAD = _spelled(_SAMPLE, _BROWS).removeprefix(_spelled(_SAMPLE)).removesuffix(bytes(8))
_COLUMNS = [
    (at, bytes([byte]) * COUNT) for at, byte in ((0, 0x5D), (1, 0x94), (2, 0x28), (3, 0x47), (12, 0x47), (21, 0x65))
]


def load(payload: bytes) -> dict | None:
    """The dict in ``payload``, points as float64 (68, 2); None when it is spelled in another way."""
    match = _FACE.match(payload)
    if match is None:
        return None
    n_kind, kind, points, n_source, source, rect, source_points, matrix = match.groups()
    if (
        n_kind[0] != len(kind) or n_source[0] != len(source) or not are_points(points, source_points)
    ):  # the pattern only looked for what follows
        return None
    try:
        meta = {
            "face_type": kind.decode(),
            "landmarks": points_of(points),
            "source_filename": source.decode(),
            "source_rect": np.frombuffer(rect, "<i4"),
            "source_landmarks": points_of(source_points),
            "image_to_face_mat": np.frombuffer(matrix, "<f8").reshape(2, 3),
        }
    except UnicodeDecodeError:
        return None
    return _with_rest(meta, payload, match.end())


class Plain(NamedTuple):
    """What a pak keeps of a face without mask and eyebrows of its own; points: of the aligned face, as they are spelled."""

    face_type: str
    points: bytes
    source_filename: str


def plain(payload: bytes) -> Plain | None:
    """The values of ``payload`` that a pak keeps, none of them decoded without need; None when there is more in it, when a number is none, or when
    it is spelled in another way."""
    match = _FACE.match(payload)
    if match is None or payload[match.end() :] != _END:
        return None
    n_kind, kind, points, n_source, source, _, source_points, matrix = match.groups()
    if (
        n_kind[0] != len(kind)
        or n_source[0] != len(source)
        or not are_points(points, source_points)
        or _maybe_infinite(points, source_points, matrix)
    ):
        return None
    try:
        return Plain(kind.decode(), points, source.decode())
    except UnicodeDecodeError:
        return None


def are_points(*blocks: bytes) -> bool:
    """Whether blocks of the length of the points are spelled like points: what is not their numbers is the same for each."""
    return all(block[at :: PAIR.itemsize] == column for block in blocks for at, column in _COLUMNS)


def _maybe_infinite(points: bytes, source_points: bytes, matrix: bytes) -> bool:
    """Whether a number is none or infinite, which the highest seven bits of its exponent tell; so large finite ones have no place here either."""
    step = PAIR.itemsize
    high = b"".join((points[4::step], points[13::step], source_points[4::step], source_points[13::step], matrix[7::8]))
    return b"\x7f" in high or b"\xff" in high


def _with_rest(meta: dict, payload: bytes, position: int) -> dict | None:
    """``meta`` with the mask and the eyebrows that follow at ``position``; None unless that is all that follows."""
    if payload.startswith(_MASK_HEAD, position):
        mask, position = read_bytes(payload, position + len(_MASK_HEAD), _MASK_TYPE)
        if mask is None:
            return None
        meta["xseg_mask"] = mask
    if payload.startswith(_BROWS_HEAD, position):
        position += len(_BROWS_HEAD)
        if len(payload) < position + 8:
            return None
        meta["eyebrows_expand_mod"] = struct.unpack_from(">d", payload, position)[0]
        position += 8
    return meta if payload[position:] == _END else None


_LENGTH = re.compile(rb"(?s)\((?:K(.)|J(....))t")
_HELD = re.compile(rb"(?s)(?:C(.)|B(....))")


def read_bytes(data: bytes, position: int, kind: bytes) -> tuple[np.ndarray | None, int]:
    """The one-dimensional uint8 array whose shape begins at ``position`` and whose type is spelled ``kind``, and the position after it; or None."""
    shape = _LENGTH.match(data, position)
    if shape is None or not data.startswith(kind, shape.end()):
        return None, position
    held = _HELD.match(data, shape.end() + len(kind))
    if held is None or _number(shape) != _number(held):
        return None, position
    start = held.end()
    end = start + _number(held)
    return (np.frombuffer(data[start:end], np.uint8), end + 2) if data[end : end + 2] == b"tb" else (None, position)


def _number(match: re.Match[bytes]) -> int:
    return int.from_bytes(match[1] or match[2], "little")


_VALUES = np.dtype({"names": ["x", "y"], "formats": [">f8", ">f8"], "offsets": [4, 13], "itemsize": PAIR.itemsize})


def points_of(raw: bytes) -> np.ndarray:
    """The points, float64 (68, 2), of pairs spelled one after another."""
    block = np.frombuffer(raw, _VALUES)
    points = np.empty((COUNT, 2))
    points[:, 0], points[:, 1] = block["x"], block["y"]
    return points
