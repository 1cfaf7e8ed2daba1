"""The quick way through the list of a pak that this program wrote: patterns for an entry without polygons.

Whatever is spelled in another way is left to :mod:`core.formats.pickle.safe_pickle`, which reads everything; both give the same entries.
"""

import re
import struct
from collections.abc import Callable
from typing import Any

import numpy as np

from core.formats.metadata_pattern import POINTS, are_points, around_bytes, points_of, read_bytes
from core.formats.pickle.safe_pickle import face_type, sample_type
from core.formats.pickle.writer import LIST_END, LIST_NEXT, LIST_START, fragment

_BRANDED = fragment(face_type(0)).partition(b"K\0")
_TEXT = rb"\x8c(.)(.{0,255}?)"
_MAYBE_TEXT = rb"(?:N|\x8c(.)(.{0,255}?))"
_HEAD = re.compile(
    b"".join(
        (
            rb"(?s)\}\(",
            re.escape(fragment("sample_type") + fragment(sample_type(1))),
            re.escape(fragment("filename")),
            _TEXT,
            re.escape(fragment("face_type") + _BRANDED[0]),
            rb"K(.)",
            re.escape(_BRANDED[2]),
            re.escape(fragment("shape")),
            rb"\((?:K(.)|J(....))(?:K(.)|J(....))K\x03t",
            re.escape(fragment("landmarks")),
            rb"\]\x94\(",
            POINTS,
            rb"e",
            re.escape(fragment("seg_ie_polys") + fragment({"polys": []})),
            re.escape(fragment("xseg_mask") + b"N" + fragment("xseg_mask_compressed")),
        )
    )
)
_MASK_HEAD, _MASK_TYPE = around_bytes(fragment(np.zeros(1, np.uint8)))
_TAIL = re.compile(
    b"".join(
        (
            b"(?s)",
            re.escape(fragment("eyebrows_expand_mod")),
            rb"G(.{8})",
            re.escape(fragment("source_filename")),
            _MAYBE_TEXT,
            re.escape(fragment("person_name")),
            _MAYBE_TEXT,
            rb"u",
            LIST_NEXT,
        )
    )
)
_UNUSED, _ENDING = re.compile(rb"(?s)B(....)"), re.compile(b"0?" + re.escape(LIST_END))


def load(data: bytes, convert: Callable[[dict], Any]) -> list | None:
    """``[convert(entry) for entry in the list]``, or None when an entry is spelled in another way; errors of ``convert`` pass."""
    out: list = []
    position = len(LIST_START)
    if data[:position] != LIST_START:
        return None
    while head := _HEAD.match(data, position):
        mask, position = _mask(data, head.end())
        tail = _TAIL.match(data, position)
        entry = _entry(head.groups(), mask, tail.groups()) if tail else None
        if tail is None or entry is None:
            return None
        out.append(convert(entry))
        position = tail.end()
    return out if _ENDING.match(data, _behind_unused(data, position)) else None


def _behind_unused(data: bytes, position: int) -> int:
    """The position after what fills up the list, see :func:`core.formats.pickle.writer.unused`; the same one when there is none."""
    length = _UNUSED.match(data, position)
    return length.end() + int.from_bytes(length[1], "little") if length else position


def _mask(data: bytes, position: int) -> tuple[np.ndarray | None, int]:
    """The mask at ``position``, and the position after it: the same one when something else is there."""
    if data[position : position + 1] == b"N":
        return None, position + 1
    if not data.startswith(_MASK_HEAD, position):
        return None, position
    mask, end = read_bytes(data, position + len(_MASK_HEAD), _MASK_TYPE)
    return (None, position) if mask is None else (mask, end)


def _entry(head: tuple, mask: np.ndarray | None, tail: tuple) -> dict | None:
    n_name, name, kind, h1, h2, w1, w2, points = head
    brows, n_source, source, n_person, person = tail
    if not _fits(n_name, name) or not _fits(n_source, source) or not _fits(n_person, person) or not are_points(points):
        return None
    try:
        return {
            "filename": name.decode(),
            "face_type": kind[0],
            "landmarks": points_of(points),
            "eyebrows_expand_mod": struct.unpack(">d", brows)[0],
            "shape": (_side(h1 or h2), _side(w1 or w2), 3),
            "xseg_mask_compressed": mask,
            "source_filename": None if source is None else source.decode(),
            "person_name": None if person is None else person.decode(),
        }
    except UnicodeDecodeError:
        return None


def _fits(length: bytes | None, text: bytes | None) -> bool:
    """Whether a text is as long as it says: the pattern only looked for what follows it."""
    return text is None or (length is not None and length[0] == len(text))


def _side(raw: bytes) -> int:
    return int.from_bytes(raw, "little", signed=len(raw) == 4)
