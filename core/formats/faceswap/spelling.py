"""The pickle inside an ``.fsa``, frame by frame: builtin types only, protocol 4, the keys of version 2.4."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from core.formats.faceswap import migrate, records
from core.formats.faceswap.document import NEWEST_VERSION, FsaDocument, FsaFace, FsaFrame, landmarks_68
from core.formats.pickle import safe_pickle
from core.formats.pickle.safe_pickle import PointList, Spelled

_FLOATS = np.dtype([("op", "S1"), ("value", ">f8")])


@dataclass(frozen=True)
class Profile:
    """What to write.

    thumbs: ``list`` is what the newest faceswap reads, ``array`` what those before 2026 read, ``none`` what all read.
    identities: names of those to write, None for all; versions before 2026 know only ``vggface2``.
    points_98: write 98 points as they are, which only the newest reads; else the 68 among them.
    """

    thumbs: Literal["list", "array", "none"] = "list"
    identities: tuple[str, ...] | None = None
    points_98: bool = True


NEWEST = Profile()
OLDER = Profile("array", ("vggface2",), False)


def spelled(document: FsaDocument, profile: Profile = NEWEST) -> Iterator[bytes]:
    """The pickle, in parts of about a megabyte."""
    entries = ((frame.key, _entry(frame, profile)) for frame in document.frames)
    return safe_pickle.in_parts({migrate.META: {"version": NEWEST_VERSION}}, migrate.DATA, entries)


def _entry(frame: FsaFrame, profile: Profile) -> dict[str, Any]:
    return {"faces": [_face(face, profile) for face in frame.faces], "video_meta": dict(frame.video_meta)}


def _face(face: FsaFace, profile: Profile) -> dict[str, Any]:
    x, y, w, h = face.box
    points = None if profile.points_98 else landmarks_68(face.landmarks)
    return {
        "x": x,
        "y": y,
        "w": w,
        "h": h,
        "landmarks_xy": PointList(face.landmarks if points is None else points),
        "mask": {name: records.plain_mask(mask) for name, mask in face.masks.items()},
        "identity": {
            name: Spelled(_spelled_floats(vector))
            for name, vector in face.identities.items()
            if profile.identities is None or name in profile.identities
        },
        "thumb": _thumb(face.thumb, profile),
    }


def _thumb(thumb: bytes | None, profile: Profile) -> Any:
    if thumb is None or profile.thumbs == "none":
        return None
    array = np.frombuffer(thumb, np.uint8)
    return Spelled(_spelled_bytes(array)) if profile.thumbs == "list" else array


def _spelled_bytes(values: NDArray[np.uint8]) -> bytes:
    """A list of whole numbers from 0 to 255."""
    pairs = np.empty((len(values), 2), np.uint8)
    pairs[:, 0], pairs[:, 1] = ord("K"), values  # BININT1
    return b"](" + pairs.tobytes() + b"e"


def _spelled_floats(values: NDArray[np.float32]) -> bytes:
    """A list of floats."""
    rows = np.empty(len(values), _FLOATS)
    rows["op"], rows["value"] = b"G", values  # BINFLOAT
    return b"](" + rows.tobytes() + b"e"
