"""The quick way through metadata that this program wrote into a face: one pattern, made from what our writer writes.

It knows the fields that every extracted face has. Whatever is spelled in another way is left to
:mod:`core.formats.pickle.safe_pickle`, which reads everything; both give the same values. Reading a loose face takes
less than half the time this way, packing it a third.
"""

import re
import struct
from typing import NamedTuple

import numpy as np

from core.formats.pickle import points as pickled_points
from core.formats.pickle.safe_pickle import PointList, dumps
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
_ID = {"forge_face": "\3" * 16}
_MASK = {"xseg_mask": np.zeros(1, np.uint8)}
_BROWS = {"eyebrows_expand_mod": 0.0}


def _spelled(fields: dict) -> bytes:
    """The fields as our writer spells them, without the end."""
    return dumps(fields).removesuffix(_END)


def _compiled() -> re.Pattern[bytes]:
    """The sample as written, with groups in the places of its values."""
    pattern = re.escape(_spelled(_SAMPLE))
    # Length and text; MEMOIZE comes after texts of under 64 bytes only.
    text = rb"\x8c(.)(.{0,63}?)\x94"
    # Without what opens the list (EMPTY_LIST, MEMOIZE, MARK) and closes it (APPENDS).
    pairs = pickled_points.spell(_POINTS.points).removeprefix(b"]\x94(").removesuffix(b"e")
    for value, group in (
        (b"\x8c\1\1\x94", text),
        (b"\x8c\1\2\x94", text),
        (pairs, rb"(.{%d})" % len(pairs)),  # whether they are pairs, are_pairs finds out in a tenth of the time
        (b"C\x10" + bytes(16), rb"C\x10(.{16})"),
        (b"C\x30" + bytes(48), rb"C\x30(.{48})"),
    ):
        pattern = pattern.replace(re.escape(value), group)
    # (?s), because a byte of a number may be that of a line break.
    return re.compile(b"(?s)" + pattern)


_FACE = _compiled()
_ID_HEAD, _ID_TAIL = _spelled(_SAMPLE | _ID).removeprefix(_spelled(_SAMPLE)).split(b"\3" * 16)
_ID_FORM = re.compile(rb"[0-9a-f]{16}")
# An array of one byte, 0, as it follows the sample: longer ones differ in the numbers between these two parts only.
_MASK_HEAD, _MASK_TYPE = (
    _spelled(_SAMPLE | _MASK).removeprefix(_spelled(_SAMPLE)).removesuffix(b"C\1\0tb").split(b"(K\1t")
)
_BROWS_HEAD = _spelled(_SAMPLE | _BROWS).removeprefix(_spelled(_SAMPLE)).removesuffix(bytes(8))
_LENGTH = re.compile(rb"(?s)\((?:K(.)|J(....))t")
_HELD = re.compile(rb"(?s)(?:C(.)|B(....))")


class _Values(NamedTuple):
    """The raw values of the sample's fields in their order, and the position after them."""

    face_type: bytes
    points: bytes
    source_filename: bytes
    rect: bytes
    source_points: bytes
    matrix: bytes
    end: int


def _values(payload: bytes) -> _Values | None:
    match = _FACE.match(payload)
    if match is None:
        return None
    type_length, face_type, points, name_length, name, rect, source_points, matrix = match.groups()
    # Of texts the pattern only looked for what follows them.
    if type_length[0] != len(face_type) or name_length[0] != len(name):
        return None
    if not pickled_points.are_pairs(points, source_points):
        return None
    return _Values(face_type, points, name, rect, source_points, matrix, match.end())


def load(payload: bytes) -> dict | None:
    """The dict in ``payload``, points as float64 (68, 2); None when it is spelled in another way."""
    values = _values(payload)
    if values is None:
        return None
    try:
        meta = {
            "face_type": values.face_type.decode(),
            "landmarks": pickled_points.of_pairs(values.points),
            "source_filename": values.source_filename.decode(),
            "source_rect": np.frombuffer(values.rect, "<i4"),
            "source_landmarks": pickled_points.of_pairs(values.source_points),
            "image_to_face_mat": np.frombuffer(values.matrix, "<f8").reshape(2, 3),
        }
    except UnicodeDecodeError:
        return None
    face, end = _face_id(payload, values.end)
    if face:
        meta["forge_face"] = face
    return _with_rest(meta, payload, end)


class Plain(NamedTuple):
    """What a pak keeps of a face without a mask and eyebrows of its own.

    points: of the aligned face, as they are spelled.
    """

    face_type: str
    points: bytes
    source_filename: str


def plain(payload: bytes) -> Plain | None:
    """The values of ``payload`` that a pak keeps, its points not decoded.

    None when there is more in it, when a number is not finite, or when it is spelled in another way.
    """
    values = _values(payload)
    if values is None or payload[_face_id(payload, values.end)[1] :] != _END or _maybe_infinite(values):
        return None
    try:
        return Plain(values.face_type.decode(), values.points, values.source_filename.decode())
    except UnicodeDecodeError:
        return None


def _face_id(payload: bytes, position: int) -> tuple[str, int]:
    """The id of the face that is spelled at ``position``, and the position after it; empty and the same one without."""
    start = position + len(_ID_HEAD)
    end = start + 16
    spelled = payload.startswith(_ID_HEAD, position) and payload.startswith(_ID_TAIL, end)
    if not spelled or not _ID_FORM.fullmatch(payload, start, end):
        return "", position
    return payload[start:end].decode(), end + len(_ID_TAIL)


def _maybe_infinite(values: _Values) -> bool:
    """Whether a number is NaN or infinite, by the highest seven bits of its exponent; large finite ones count, too."""
    step = pickled_points.PAIR.itemsize
    # Pickled numbers have their highest byte first; the matrix below has it last.
    high = [pairs[at::step] for pairs in (values.points, values.source_points) for at in (4, 13)]
    high.append(values.matrix[7::8])
    joined = b"".join(high)
    return b"\x7f" in joined or b"\xff" in joined


def _with_rest(meta: dict, payload: bytes, position: int) -> dict | None:
    """``meta`` with the mask and the eyebrows that follow at ``position``; None unless that is all that follows."""
    if payload.startswith(_MASK_HEAD, position):
        mask, position = _read_bytes(payload, position + len(_MASK_HEAD))
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


def _read_bytes(data: bytes, position: int) -> tuple[np.ndarray | None, int]:
    """The uint8 array (n,) whose shape begins at ``position``, and the position after it; None for anything else."""
    shape = _LENGTH.match(data, position)
    if shape is None or not data.startswith(_MASK_TYPE, shape.end()):
        return None, position
    held = _HELD.match(data, shape.end() + len(_MASK_TYPE))
    if held is None or _number(shape) != _number(held):
        return None, position
    start = held.end()
    end = start + _number(held)
    if data[end : end + 2] != b"tb":
        return None, position
    return np.frombuffer(data[start:end], np.uint8), end + 2


def _number(match: re.Match[bytes]) -> int:
    return int.from_bytes(match[1] or match[2], "little")
